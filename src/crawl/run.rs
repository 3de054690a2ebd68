//! The dispatcher: one loop that leases URLs, asks the gate, sends them out, and hands on what comes back.
//!
//! It holds the only `select!` of the crawl. Exchanges are tasks; reading answers is done by worker threads behind a
//! bounded channel; writing by the archivist. Nobody sleeps in a slot: what cannot run yet goes back to the frontier
//! with the instant at which it can.

use std::collections::{BTreeSet, HashMap};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::allowance::Allowance;
use super::archivist::{Archivist, Done, Kept, Order};
use super::dry::{self, Dry};
use super::guesses::{self, Guesses};
use super::plan::make_spool;
use super::refusal::asked_by;
use super::relays::{self, Relays};
use super::robots::{self, Errand};
use super::step::{Step, Taken, Turn};
use super::tally::{self, End, Tally};
use super::traps::{Sort, Ward};
use super::workers::{self, Extra, Work, Worked};
use super::{Error, Event, Plan, Revisit, Summary, resume, seeding};
use crate::archive::{self, Earlier, Encoded, Writer};
use crate::fetch::{self, Request, Transport};
use crate::frontier::{Frontier, Lease, Next};
use crate::politeness::{Answer, Gate, Heard, Receipt};
use crate::store::{self, Reader, Run, Settled, Store};
use crate::web::candidate::{Candidate, Role};
use crate::web::exchange::Exchange;
use crate::web::outcome::{Outcome, Refusal};
use crate::web::time::{Clock, Moment, Timestamp};
use crate::web::url::{Origin, WebUrl};
use crate::web::verdict::RobotsVerdict;

/// Turns that may be on their way from the network to the database; more would let memory grow with a slow disk.
pub(super) const IN_HAND: usize = 512;
/// What is captured is committed at least this often.
const TICK: Duration = Duration::from_secs(1);
/// A run does not stay up for what is not due for so long; the next one takes it.
const HORIZON: Duration = Duration::from_secs(600);
/// What is in the air when a run stops has so long to end by itself; then it is cut and kept as far as it came.
const DRAIN: Duration = Duration::from_secs(30);

/// How a run is asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    Go,
    /// No new requests; what is in the air is finished.
    Drain,
    /// What is in the air is cut off, and kept as far as it came.
    Cut,
}

/// Does one run. The caller holds the archive's [`super::Lock`].
///
/// # Errors
/// When the archive or the database cannot be used. What was captured until then is safe.
pub async fn run<T: Transport>(
    plan: &Plan,
    transport: Arc<T>,
    clock: Arc<dyn Clock>,
    stop: watch::Receiver<Stop>,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Summary, Error> {
    let mut dispatcher = Dispatcher::begin(plan, transport, clock, stop, tell)?;
    let ended = dispatcher.work().await;
    dispatcher.end(ended)
}

struct Dispatcher<'a, T> {
    plan: &'a Plan,
    transport: Arc<T>,
    clock: Arc<dyn Clock>,
    stop: watch::Receiver<Stop>,
    tell: &'a mut (dyn FnMut(Event) + Send),
    started: (Moment, Timestamp),
    run: Run,
    seeds: Vec<(i64, String)>,
    seed_names: HashMap<i64, String>,
    gate: Gate,
    frontier: Frontier,
    ward: Ward,
    relays: Relays,
    guesses: Guesses,
    dry: Option<Dry>,
    reader: Reader,
    /// Hops of robots.txt files that have moved.
    errands: Vec<Errand>,
    air: JoinSet<Landed>,
    workers: SyncSender<Work>,
    taken: mpsc::UnboundedReceiver<Worked>,
    archivist: Archivist,
    done: mpsc::UnboundedReceiver<Done>,
    /// Turns with a worker, and turns with the archivist.
    reading: usize,
    uncommitted: usize,
    next_tick: Moment,
    tally: Tally,
    allowance: Allowance,
    /// What is with the archivist, in bytes.
    to_write: u64,
    /// Turns that are over.
    settled: u64,
    /// Since when nothing new is begun.
    draining: Option<Moment>,
    /// What is left is not due before then.
    postponed: Option<Timestamp>,
}

/// What was in the air, and is over.
enum Landed {
    Exchange(Box<Answered>),
    /// Where a host is.
    Address(Arc<str>, Option<IpAddr>),
}

/// An exchange that is over, or that never was.
struct Answered {
    what: Aloft,
    receipt: Receipt,
    exchange: Result<Exchange, fetch::Error>,
}

/// Why an exchange was done.
enum Aloft {
    /// For a URL of the frontier, and the answer that was asked about.
    Lease(Box<Lease>, Option<Box<Earlier>>),
    /// For the rules of an origin, on account of this seed.
    Robots(WebUrl, i64),
}

/// How the loop ended.
enum Ended {
    /// Nothing is left to do, or a budget is used up, or a signal came.
    By(&'static str),
    /// The archive or the database failed.
    Failed(Error),
}

impl<'a, T: Transport> Dispatcher<'a, T> {
    /// Opens everything, takes up what an earlier run left, and offers the seeds.
    fn begin(
        plan: &'a Plan,
        transport: Arc<T>,
        clock: Arc<dyn Clock>,
        stop: watch::Receiver<Stop>,
        tell: &'a mut (dyn FnMut(Event) + Send),
    ) -> Result<Dispatcher<'a, T>, Error> {
        let (now, wall) = (clock.now(), clock.wall());
        // What a killed run had spooled is of no use to anyone.
        match std::fs::remove_dir_all(plan.spool_folder()) {
            // A disk of its own can be emptied, and not removed.
            Err(cause) if !matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::ResourceBusy) => {
                return Err(Error::Folder { path: plan.spool_folder(), source: cause });
            }
            _ => {}
        }
        let folder = |path: PathBuf| |source| Error::Folder { path, source };
        std::fs::create_dir_all(plan.warc_folder()).map_err(folder(plan.warc_folder()))?;
        make_spool(&plan.spool_folder()).map_err(folder(plan.spool_folder()))?;
        archive::write_readme(&plan.archive)?;
        store::may_begin(&plan.database())?;
        let mut store = Store::open(&plan.database())?;
        let run = store.begin_run(&plan.profile, wall, plan.fresh)?;
        let mut writer = Writer::new(plan.writer_options())?;
        let records = archive::Options { codebook: writer.codebook(), ..plan.record_options() };
        let step = Step {
            scope: plan.scope.clone(),
            brings: plan.brings,
            records,
            warcs: plan.warc_folder(),
            revisit: plan.revisit,
            run: format!("{}/{}", plan.profile, run.id),
            tells: plan.dry_run.is_some(),
            referer_table: plan.referer_table,
        };
        resume::resume(&step, &mut store, run, &plan.warc_folder(), wall, tell)?;
        let committed: HashMap<String, u64> = store.committed()?;
        writer.resume(wall, &|name| committed.get(name).copied().unwrap_or(0))?;

        let left = store.reader()?.hosts()?.iter().map(|host| host.pages + host.requisites).sum();
        let planted = seeding::plant(plan, &step, &mut store, run, wall, tell)?;
        let hosts: BTreeSet<&str> = planted.candidates.iter().map(|candidate| candidate.url.host()).collect();
        tell(Event::Started {
            seeds: planted.candidates.len(),
            hosts: hosts.len(),
            documents: planted.documents.len(),
            left,
        });
        let gate = remembering_gate(plan, &store, run, clock.as_ref())?;
        let frontier = Frontier::new(store.reader()?, run, clock.clone())?;
        let mut ward = Ward::default();
        ward.seeds(&planted.candidates);
        let reader = store.reader()?;
        let seed_names = store.seed_names()?;
        let (done_tx, done) = mpsc::unbounded_channel();
        let thread = |source| Error::Folder { path: plan.archive.clone(), source };
        let archivist = Archivist::start(writer, store, run, clock.clone(), IN_HAND * 2, done_tx).map_err(thread)?;
        let (workers, taken) = workers::start(&Arc::new(step)).map_err(thread)?;
        let mut dispatcher = Dispatcher {
            plan,
            transport,
            stop,
            tell,
            started: (now, wall),
            run,
            seeds: planted.seeds,
            seed_names,
            gate,
            frontier,
            ward,
            relays: Relays::default(),
            guesses: Guesses::default(),
            dry: Dry::of(plan)?,
            reader,
            errands: Vec::new(),
            air: JoinSet::new(),
            workers,
            taken,
            archivist,
            done,
            reading: 0,
            uncommitted: 0,
            next_tick: now.after(TICK),
            tally: Tally::new(run, wall),
            allowance: Allowance::new(plan.budget, now, &plan.warc_folder()),
            to_write: 0,
            settled: 0,
            draining: None,
            postponed: None,
            clock,
        };
        for taken in planted.documents {
            dispatcher.frontier.offer(&taken.settled.offers)?;
            let extra = Extra { lease: None, clocks: None, robots: None, urgent: false, hold: dispatcher.clock.hold() };
            dispatcher.keep(taken, extra)?;
        }
        Ok(dispatcher)
    }

    /// Works until nothing is left, a budget is used up, or a signal comes.
    async fn work(&mut self) -> Ended {
        loop {
            let until = match self.lease_what_is_due() {
                Ok(Due::Ended(by)) => return Ended::By(by),
                Ok(Due::At(until)) => until,
                Err(error) => return Ended::Failed(error),
            };
            let over = tokio::select! {
                biased;
                Some(done) = self.done.recv() => self.committed(done),
                Some(taken) = self.taken.recv() => self.read(taken),
                Some(landed) = self.air.join_next() => self.landed(landed),
                Ok(()) = self.stop.changed() => {
                    if *self.stop.borrow() == Stop::Cut {
                        self.transport.cut();
                    }
                    Ok(())
                }
                () = self.clock.sleep_until(until) => {
                    self.tick();
                    Ok(())
                }
            };
            if let Err(error) = over {
                return Ended::Failed(error);
            }
        }
    }

    /// Sends out everything that may go now; says when to look again, or that it is over.
    fn lease_what_is_due(&mut self) -> Result<Due, Error> {
        let now = self.clock.now();
        let stopping = *self.stop.borrow() > Stop::Go || self.allowance.is_spent(now, self.tally.bytes_received());
        if stopping && now.since(*self.draining.get_or_insert(now)) >= DRAIN {
            self.transport.cut();
        }
        if !stopping {
            self.run_errands(now);
        }
        let mut until = now.after(TICK);
        if self.uncommitted > 0 {
            until = until.min(self.next_tick);
        }
        let mut more = !stopping;
        // What is in hand is bounded whatever the gate says, so that commits and signals are heard in between.
        while more && self.air.len() < self.plan.concurrency && self.in_hand() < IN_HAND {
            self.close_pages(now);
            match self.frontier.next(now)? {
                Next::Lease(lease) => self.ask_for(lease, now)?,
                Next::NothingBefore(at) => {
                    until = if self.is_idle() { at } else { until.min(at) };
                    more = false;
                }
                Next::Waiting | Next::Exhausted => more = false,
            }
        }
        if !self.is_idle() {
            return Ok(Due::At(until));
        }
        if self.uncommitted > 0 {
            self.archivist.order(Order::Commit { counters: self.tally.json(), hold: self.clock.hold() });
            return Ok(Due::At(until));
        }
        self.what_now(now, until, stopping)
    }

    /// Nothing is going on, and everything is safe: is it over?
    fn what_now(&mut self, now: Moment, until: Moment, stopping: bool) -> Result<Due, Error> {
        if *self.stop.borrow() > Stop::Go {
            return Ok(Due::Ended("signal"));
        }
        let closed = self.allowance.closed();
        if stopping {
            return Ok(Due::Ended(closed.unwrap_or("done")));
        }
        if !self.errands.is_empty() {
            return Ok(Due::At(until.min(now.after(TICK))));
        }
        match self.frontier.next(now)? {
            Next::Lease(lease) => {
                self.frontier.put_back(*lease, Some(now));
                Ok(Due::At(now))
            }
            Next::NothingBefore(at) if at.since(now) > HORIZON => {
                self.postponed = Some(self.clock.wall_at(at));
                Ok(Due::Ended(closed.unwrap_or("done")))
            }
            // Looked at again every now and then all the same: somebody may be watching.
            Next::NothingBefore(at) => Ok(Due::At(at.min(now.after(TICK)))),
            Next::Exhausted if closed.is_none() && self.frontier.passes_over()? => Ok(Due::Ended("pages")),
            Next::Waiting if closed.is_none() => {
                self.frontier.wake_all(now);
                Ok(Due::At(now.after(TICK)))
            }
            Next::Exhausted | Next::Waiting => Ok(Due::Ended(closed.unwrap_or("done"))),
        }
    }

    fn is_idle(&self) -> bool {
        self.air.is_empty() && self.reading == 0
    }

    /// Puts one URL to the gate and does what it says.
    fn ask_for(&mut self, lease: Box<Lease>, now: Moment) -> Result<(), Error> {
        let candidate = &lease.candidate;
        self.recall_robots(&candidate.url.origin(), now)?;
        // A dry run needs no leave for what it does not ask for, once it knows what robots.txt says.
        if self.dry.as_ref().is_some_and(|dry| !dry.fetches(candidate))
            && let Some(verdict) = self.gate.verdict(&candidate.url)
        {
            return self.only_decide(lease, verdict, now);
        }
        if self.relays.is_dead(candidate) {
            let failed = Outcome::Failed { reason: relays::DEAD.to_owned(), transient: true, status: None };
            return self.settle_unasked(lease, failed, None);
        }
        if self.guesses.is_vain(candidate) {
            let rule = guesses::VAIN.to_owned();
            return self.settle_unasked(lease, Outcome::Refused { by: Refusal::Scope, rule, transient: false }, None);
        }
        match self.gate.ask(&candidate.url, candidate.role.class(), now, self.clock.wall()) {
            Answer::Go(permit) => {
                if lease.begins_page() {
                    self.begin_page(candidate.seed);
                }
                self.frontier.taken(&lease, now);
                self.decide(|dry| dry.admit(&candidate.url, permit.receipt().verdict().cloned()))?;
                let earlier = self.earlier(&lease)?;
                let request = Request {
                    permit,
                    url: candidate.url.clone(),
                    role: candidate.role,
                    referer: asked_by(candidate, self.plan.referer_table).referer,
                    validators: earlier.as_ref().map(|earlier| earlier.validators.clone()).unwrap_or_default(),
                };
                self.send(Aloft::Lease(lease, earlier), request);
            }
            Answer::NotBefore(at) => self.frontier.put_back(*lease, Some(at)),
            Answer::Busy => self.frontier.put_back(*lease, None),
            Answer::NeedsAddress => {
                let origin = candidate.url.origin();
                self.frontier.put_back(*lease, None);
                self.locate(origin);
            }
            Answer::NeedsRobots(permit) => {
                let (url, seed) = (candidate.url.origin().robots(), candidate.seed);
                self.frontier.put_back(*lease, None);
                let request = robots::request(permit, url.clone());
                self.send(Aloft::Robots(url, seed), request);
            }
            Answer::Forbidden(verdict) => {
                self.decide(|dry| dry.admit(&candidate.url, Some(verdict.clone())))?;
                self.tally.forbidden();
                self.refuse(lease, Refusal::Robots, verdict.to_string(), Some(verdict))?;
            }
            Answer::Guarded(rule) => {
                self.decide(|dry| dry.refuse(&candidate.url, &rule))?;
                self.refuse(lease, Refusal::Guard, rule, None)?;
            }
            Answer::Unreachable(reason) => {
                self.decide(|dry| dry.refuse(&candidate.url, &reason))?;
                let verdict = self.gate.verdict(&candidate.url);
                let failed = Outcome::Failed { reason, transient: true, status: None };
                self.settle_unasked(lease, failed, verdict)?;
            }
        }
        Ok(())
    }

    /// What an earlier run learnt of an origin's rules is taken up when that is first asked for: an archive may know more
    /// origins than a run ever meets.
    fn recall_robots(&mut self, origin: &Origin, now: Moment) -> Result<(), Error> {
        if self.gate.has_heard_of(origin) {
            return Ok(());
        }
        let copy = match &self.dry {
            Some(dry) => dry.robots_of(origin)?,
            None => self.reader.robots_of(origin)?,
        };
        if let Some(copy) = copy {
            self.gate.remember_robots(origin, &copy, self.clock.wall());
            if self.run.after_crash {
                // What the killed run asked for last is not known, and the delay that the rules ask for is, only now.
                self.gate.rest(&origin.host, self.started.0, now);
            }
        }
        Ok(())
    }

    /// In a dry run: a URL that is not asked for.
    fn only_decide(&mut self, lease: Box<Lease>, verdict: RobotsVerdict, now: Moment) -> Result<(), Error> {
        if lease.begins_page() {
            self.begin_page(lease.candidate.seed);
        }
        self.frontier.taken(&lease, now);
        let outcome = if verdict.allowed {
            Outcome::Done { status: 200 }
        } else {
            Outcome::Refused { by: Refusal::Robots, rule: verdict.to_string(), transient: false }
        };
        self.decide(|dry| dry.admit(&lease.candidate.url, Some(verdict)))?;
        self.settle_unasked(lease, outcome, None)
    }

    /// In a dry run: tells what is decided, once.
    fn decide(
        &mut self,
        what: impl FnOnce(&mut Dry) -> Result<Option<super::Decision>, store::Error>,
    ) -> Result<(), Error> {
        if let Some(decision) = self.dry.as_mut().map(what).transpose()?.flatten() {
            (self.tell)(Event::Decided(decision));
        }
        Ok(())
    }

    /// Counts a page for the budgets.
    fn begin_page(&mut self, seed: i64) {
        if self.allowance.begin_page(seed) {
            self.frontier.close_seed(seed);
        }
    }

    /// The answer to ask about: has it changed since? Only a first attempt asks so: what comes again after trouble is
    /// asked for in full.
    fn earlier(&self, lease: &Lease) -> Result<Option<Box<Earlier>>, Error> {
        if self.plan.revisit != Revisit::Auto || lease.tries > 0 {
            return Ok(None);
        }
        let earlier = self.reader.earlier(&lease.candidate.url)?;
        Ok(earlier.filter(|earlier| archive::holds(&self.plan.warc_folder(), &earlier.place)).map(Box::new))
    }

    /// A rule keeps the crawl from this URL.
    fn refuse(
        &mut self,
        lease: Box<Lease>,
        by: Refusal,
        rule: String,
        verdict: Option<RobotsVerdict>,
    ) -> Result<(), Error> {
        let url = lease.candidate.url.as_str().to_owned();
        (self.tell)(Event::Refused { url, by: by.as_str(), rule: rule.clone() });
        self.settle_unasked(lease, Outcome::Refused { by, rule, transient: false }, verdict)
    }

    fn in_hand(&self) -> usize {
        self.air.len() + self.reading + self.uncommitted
    }

    /// Lets no new page begin once a budget says so; pages that have begun go on.
    fn close_pages(&mut self, now: Moment) {
        let written = self.tally.bytes_written() + self.to_write;
        if !self.allowance.admits_pages(now, self.tally.bytes_received(), written) {
            self.frontier.close_pages();
        }
    }

    /// Asks for what robots.txt files have moved to.
    fn run_errands(&mut self, now: Moment) {
        for errand in std::mem::take(&mut self.errands) {
            match self.gate.ask_hop(&errand.origin, &errand.to, errand.hops, now) {
                Answer::Go(permit) => {
                    let request = robots::request(permit, errand.to.clone());
                    self.send(Aloft::Robots(errand.to, errand.seed), request);
                }
                answer => {
                    if matches!(answer, Answer::NeedsAddress) {
                        self.locate(errand.to.origin());
                    }
                    self.errands.push(errand);
                }
            }
        }
    }

    fn send(&mut self, what: Aloft, request: Request) {
        self.tally.requested();
        let (transport, receipt) = (self.transport.clone(), request.permit.receipt());
        self.air.spawn(async move {
            let exchange = transport.exchange(request).await;
            Landed::Exchange(Box::new(Answered { what, receipt, exchange }))
        });
    }

    fn locate(&mut self, origin: Origin) {
        let transport = self.transport.clone();
        self.air.spawn(async move { Landed::Address(origin.host.clone(), transport.locate(&origin).await) });
    }

    fn landed(&mut self, landed: Result<Landed, tokio::task::JoinError>) -> Result<(), Error> {
        match landed {
            Ok(Landed::Exchange(answered)) => self.heard(*answered),
            Ok(Landed::Address(host, address)) => {
                let now = self.clock.now();
                self.gate.located(&host, address, now);
                self.frontier.wake(&host, now);
                Ok(())
            }
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// An exchange is over: the gate learns from it, and a worker reads it.
    fn heard(&mut self, Answered { what, receipt, exchange }: Answered) -> Result<(), Error> {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let host: Arc<str> = receipt.host().clone();
        let exchange = match exchange {
            Ok(exchange) => exchange,
            Err(fetch::Error::Spool { folder, source }) => {
                return Err(archive::Error { doing: "spool a body in", path: folder, source }.into());
            }
            Err(error) => {
                self.gate.returned(&receipt, now);
                self.frontier.wake_all(now);
                return self.unsent(what, &error);
            }
        };
        let body = match &what {
            Aloft::Robots(..) => robots::body(&exchange),
            Aloft::Lease(..) => Vec::new(),
        };
        let heard = self.gate.heard(&receipt, &exchange, &body, now, wall);
        for freed in self.gate.freed(&receipt) {
            self.frontier.wake(&freed, now);
        }
        let seed = match &what {
            Aloft::Lease(lease, _) => lease.candidate.seed,
            Aloft::Robots(_, seed) => *seed,
        };
        let (mut back_off, mut robots) = (None, None);
        match heard {
            Heard::Noted => {}
            Heard::BackOff(at) => back_off = Some(at),
            Heard::RobotsMoved { origin, to, hops } => self.errands.push(Errand { origin, to, hops, seed }),
            Heard::RobotsKnown(origin, copy) => {
                self.frontier.wake(&origin.host, now);
                robots = copy.map(|copy| (origin, copy));
            }
            Heard::RobotsOld(origin, fetched) => {
                self.frontier.wake(&origin.host, now);
                (self.tell)(Event::Warning(format!(
                    "{} cannot be had: the copy of {} is obeyed",
                    origin.robots(),
                    fetched.iso()
                )));
            }
        }
        self.tell_fetched(&what, &exchange);
        if let Aloft::Lease(lease, _) = &what {
            self.relays.heard(&lease.candidate, &exchange);
            self.guesses.heard(&lease.candidate, &exchange);
        }
        let clocks = self.gate.clocks(&host, now, wall);
        let (candidate, tries, lease, earlier) = match what {
            Aloft::Lease(lease, earlier) => (lease.candidate.clone(), lease.tries, Some(lease), earlier),
            Aloft::Robots(url, seed) => (robots::candidate(url, seed), 0, None, None),
        };
        let seed = self.seed_names.get(&candidate.seed).cloned().unwrap_or_default();
        let verdict = receipt.verdict().cloned();
        // That a server has had enough is written down at once, in answer to robots.txt as well.
        let urgent = back_off.is_some() || matches!(exchange.status(), Some(429 | 503));
        let turn = Turn { candidate, tries, seed, exchange, earlier, verdict, back_off, now: wall };
        let extra = Extra { lease, clocks, robots, urgent, hold: self.clock.hold() };
        self.reading += 1;
        // Bounded by what may be in hand, so there is room; the workers end after us.
        let _ = self.workers.send((turn, extra));
        Ok(())
    }

    /// Our own side failed before anything was sent: the URL goes back.
    fn unsent(&mut self, what: Aloft, error: &fetch::Error) -> Result<(), Error> {
        (self.tell)(Event::Warning(error.to_string()));
        if let Aloft::Lease(lease, _) = what {
            let at = self.clock.wall().after(TICK);
            let outcome = if lease.tries >= 3 {
                Outcome::Failed { reason: error.to_string(), transient: true, status: None }
            } else {
                Outcome::Again { at, manner: crate::web::outcome::Manner::Later }
            };
            self.settle_unasked(lease, outcome, None)?;
        }
        Ok(())
    }

    fn tell_fetched(&mut self, what: &Aloft, exchange: &Exchange) {
        let role = match what {
            Aloft::Lease(lease, _) => lease.candidate.role,
            Aloft::Robots(..) => Role::Robots,
        };
        let bytes = exchange.answer.as_ref().map_or(0, |answer| answer.head.len() as u64 + answer.body.len());
        self.tally.received(bytes);
        (self.tell)(Event::Fetched {
            url: exchange.url.as_str().to_owned(),
            host: exchange.url.host().to_owned(),
            role,
            status: exchange.status(),
            fault: exchange.fault.as_ref().map(ToString::to_string),
            bytes,
        });
    }

    /// An answer has been read: what it named is offered, its turn is settled, and all of it goes to the archivist.
    fn read(&mut self, taken: Result<(Taken, Extra), archive::Error>) -> Result<(), Error> {
        let (mut taken, extra) = taken?;
        self.reading -= 1;
        self.ward.sift(&mut taken, &self.reader)?;
        if let Some(dry) = &mut self.dry {
            let decided = dry.find(std::mem::take(&mut taken.found))?;
            decided.into_iter().for_each(|decision| (self.tell)(Event::Decided(decision)));
        }
        self.frontier.offer(&taken.settled.offers)?;
        self.tally.read(&taken);
        self.keep(taken, extra)
    }

    fn keep(&mut self, taken: Taken, mut extra: Extra) -> Result<(), Error> {
        let now = self.clock.now();
        if let (Some(lease), Some(outcome)) = (extra.lease.take(), &taken.settled.outcome) {
            self.note_failure(&lease.candidate, outcome);
            self.frontier.settle(*lease, outcome, now);
        }
        if extra.urgent {
            self.next_tick = now;
        } else if self.uncommitted == 0 {
            self.next_tick = now.after(TICK);
        }
        self.uncommitted += 1;
        self.settled += 1;
        self.to_write += taken.encoded.as_ref().map_or(0, Encoded::len);
        let Extra { clocks, robots, hold, .. } = extra;
        self.archivist.order(Order::Keep(Box::new(Kept { taken, clocks, robots, hold })));
        Ok(())
    }

    /// A URL that was never asked for: only its row changes.
    fn settle_unasked(
        &mut self,
        lease: Box<Lease>,
        outcome: Outcome,
        verdict: Option<RobotsVerdict>,
    ) -> Result<(), Error> {
        let settled = Settled {
            verdict,
            outcome: Some(outcome),
            tries: lease.tries + 1,
            ..Settled::new(lease.candidate.url.as_str(), lease.candidate.role)
        };
        let extra = Extra { lease: Some(lease), clocks: None, robots: None, urgent: false, hold: self.clock.hold() };
        self.keep(Taken { encoded: None, settled, sort: Sort::Plain, found: Vec::new() }, extra)
    }

    fn note_failure(&mut self, candidate: &Candidate, outcome: &Outcome) {
        // Nobody misses what nobody named.
        if let Outcome::Failed { reason, .. } = outcome
            && !candidate.is_guess()
        {
            self.tally.failed(candidate);
            (self.tell)(Event::Failed { url: candidate.url.as_str().to_owned(), reason: reason.clone() });
        }
    }

    fn committed(&mut self, done: Done) -> Result<(), Error> {
        match done {
            Done::Failed(error) => Err(error),
            Done::Committed { turns, captures, revisits, bytes, offered, settled, recalled, files } => {
                self.uncommitted -= turns;
                if self.uncommitted == 0 {
                    self.ward.committed();
                }
                self.tally.committed(bytes, revisits, files);
                // Revisits have become shorter than they were thought to be.
                self.to_write = if self.uncommitted == 0 { 0 } else { self.to_write.saturating_sub(bytes) };
                self.frontier.committed(offered.iter().map(String::as_str));
                self.frontier.outcomes_committed(settled.iter().map(String::as_str));
                let now = self.clock.now();
                recalled.iter().for_each(|host| self.frontier.recalled(host, now));
                (self.tell)(Event::Committed { captures });
                Ok(())
            }
        }
    }

    /// Once a second: what has come in is made durable, and the listener hears how far it is.
    fn tick(&mut self) {
        let now = self.clock.now();
        if self.uncommitted > 0 && now >= self.next_tick {
            self.archivist.order(Order::Commit { counters: self.tally.json(), hold: self.clock.hold() });
            self.next_tick = now.after(TICK);
        }
        (self.tell)(Event::Progress {
            settled: self.settled,
            waiting: self.frontier.waiting(),
            in_air: self.air.len(),
            bytes: self.tally.bytes_received(),
        });
    }

    /// Ends the run in good order, or as good an order as a failure leaves.
    fn end(mut self, ended: Ended) -> Result<Summary, Error> {
        let stopped_by = match ended {
            Ended::By(by) => by,
            Ended::Failed(error) => {
                self.air.abort_all();
                self.archivist.join();
                return Err(error);
            }
        };
        let end = End { at: self.clock.wall(), by: stopped_by, postponed: self.postponed, seeds: &self.seeds };
        let summary = self.tally.sum_up(&end, &self.reader)?;
        // The writer must be the last to close the database: only it can leave a file that needs no WAL.
        drop((self.reader, self.frontier));
        self.archivist.order(Order::End { stopped_by: stopped_by.to_owned(), counters: tally::json(&summary) });
        self.archivist.join();
        // Empty but for what a reader still holds; the next run empties it.
        let _ = std::fs::remove_dir(self.plan.spool_folder());
        while let Ok(done) = self.done.try_recv() {
            if let Done::Failed(error) = done {
                return Err(error);
            }
        }
        Ok(summary)
    }
}

/// When to look again, or why it is over.
enum Due {
    At(Moment),
    Ended(&'static str),
}

/// A gate that knows what earlier runs learnt, so that a restart does not hurry.
fn remembering_gate(plan: &Plan, store: &Store, run: Run, clock: &dyn Clock) -> Result<Gate, Error> {
    let (now, wall) = (clock.now(), clock.wall());
    let mut gate = Gate::new(plan.politeness.clone());
    // A dry run knows what the archive beside it knows, and keeps to the clocks of its hosts.
    let beside = plan.dry_run.as_deref().map(dry::reader).transpose()?.flatten();
    let reader = beside.map_or_else(|| store.reader(), Ok)?;
    for host in reader.hosts()? {
        let mut clock = host.clock;
        if run.after_crash {
            // What the killed run asked for last is not known: it may have been a moment ago.
            clock.page_next = clock.page_next.max(wall.after(plan.politeness.delay));
            let rested = plan.politeness.requisite_delay * crate::politeness::BURST;
            clock.requisite_next = clock.requisite_next.max(wall.after(rested));
        }
        gate.remember_host(&clock, now, wall);
    }
    for address in reader.addresses()? {
        gate.remember_address(&address, now, wall);
    }
    Ok(gate)
}
