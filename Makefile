# What people do here. `make` alone lists it.

CARGO ?= cargo
export CARGO

.PHONY: help demo test soak check lint bench bench-extract install clean-demo

help:
	@echo 'make demo     build, then crawl a small news site that runs on this machine'
	@echo 'make check    format, lints, unit tests: the inner loop'
	@echo 'make test     everything that must hold before a change is kept; installs what tests need'
	@echo 'make soak     every crash point in every manner, and a hundred kills: minutes'
	@echo 'make lint     format and lints alone'
	@echo 'make bench    the measurements (release build)'
	@echo 'make bench-extract DIR=folder   extraction beside other extractors, over pages with known truths'
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

# The folders hold html/ID.html and truth.jsonl; scripts/bench_extract.py says what is scored. The other extractors are
# installed below target/ once. What only several pages of a host can tell is measured on pages of our own.
bench-extract:
	@test -n "$(DIR)" || { echo 'make bench-extract DIR="folder…"' >&2; exit 2; }
	$(CARGO) build --release --locked --quiet
	$(CARGO) build --release --locked --quiet --manifest-path benches/rivals/Cargo.toml --target-dir target/rivals
	@test -x target/bench-venv/bin/python || python3 -m venv target/bench-venv
	@target/bench-venv/bin/python -c 'import trafilatura' 2>/dev/null || \
		target/bench-venv/bin/pip install --quiet trafilatura==2.3.1 lxml_html_clean
	@for folder in $(DIR); do python3 scripts/bench_extract.py $$folder || exit 1; done
	@python3 scripts/bench_boilerplate.py

install:
	$(CARGO) install --path . --locked

clean-demo:
	rm -rf demo-archive
