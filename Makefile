# What people do here. `make` alone lists it.

CARGO ?= cargo
export CARGO

.PHONY: help demo test soak check lint bench install clean-demo

help:
	@echo 'make demo     build, then crawl a small news site that runs on this machine; ARGS=--replay opens it'
	@echo 'make check    format, lints, unit tests: the inner loop'
	@echo 'make test     everything that must hold before a change is kept; installs what tests need'
	@echo 'make soak     every crash point in every manner, and a hundred kills: minutes'
	@echo 'make lint     format and lints alone'
	@echo 'make bench    the measurements (release build)'
	@echo 'make install  pressmark into ~/.cargo/bin (release build)'

# A debug build on purpose: cold it takes about two minutes where the optimised one takes three, a demo waits for its
# own politeness and not for the processor, and the build is the one that `make check` goes on with.
demo:
	$(CARGO) build --locked
	$(CARGO) run --locked --quiet -- demo $(ARGS)

test:
	@scripts/test

# The same tests as in `make test`, without the sparing.
soak:
	PRESSMARK_SOAK=1 $(CARGO) test --locked --test it -- --nocapture sweep:: endurance::

check:
	@scripts/test format lints unit

lint:
	@scripts/test format lints

bench:
	$(CARGO) bench --locked

install:
	$(CARGO) install --path . --locked

clean-demo:
	rm -rf demo-archive
