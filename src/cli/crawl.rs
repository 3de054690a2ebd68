//! `crawl`: from what was typed to a plan, and from a summary to an exit code.

use std::collections::HashMap;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressDrawTarget;
use rustix::fs::Mode;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::watch;

use super::args::{
    AllOrNone, Common, CompressArg, Crawl, DigestArg, FramingArg, IfRunning, MannersArgs, PaceArgs, RevisitArg,
    RobotsArg, ScopeArgs,
};
use super::exit::{Exit, Outcome, failed, usage};
use super::say;
use super::units::time_until;
use crate::archive::{Compress, Dictionary, Stored};
use crate::crawl::{self, Brings, Budget, Event, Lock, Plan, Revisit, Scope, SeedInput, Stop, Summary};
use crate::fetch::{self, Credentials, Fetcher, Unfit};
use crate::politeness::{self, RobotsPolicy, product_token};
use crate::report::{self, Progress, Style};
use crate::web::digest::{Algorithm, digest};
use crate::web::time::{Clock, SystemClock};
use crate::web::url::{Login, WebUrl, without_credentials};
use crate::wire::{Door, Guard, NotProxy, Proxy};

/// How often a lock is tried while waiting for it.
const LOCK_RETRY: Duration = Duration::from_millis(200);

/// Runs a crawl as it was asked for.
pub(super) fn run(common: &Common, crawl: Box<Crawl>) -> Outcome {
    if crawl.dry_run {
        return super::dry::run(common, crawl);
    }
    let typed = crawl.seeds.clone();
    let sources: Vec<Source<'_>> = typed.iter().map(|text| source(text)).collect::<anyhow::Result<_>>()?;
    let (strict, json, if_running) = (crawl.strict, crawl.json, crawl.if_running);
    // Before the lock makes a folder: what cannot be done leaves nothing behind.
    let mut plan = plan(common, *crawl, Vec::new())?;
    let Some(_lock) = lock(&common.archive, if_running)? else {
        if !common.quiet {
            say("another run holds the archive: skipped");
        }
        return Ok(Exit::Done);
    };
    // Only now: a start that finds the archive held has read and raised nothing.
    plan.seeds = seeds(&sources)?;
    log_in(&mut plan.fetch.credentials, &plan.seeds)?;
    if !plan.fetch.credentials.is_empty() {
        // What is shown to those who are let in is for them to show to others.
        super::forbid_others(Mode::RWXG | Mode::RWXO);
    }
    let mut progress = progress(common.quiet);
    if plan.fetch.contact.is_none() && !common.quiet {
        let text = "no --contact is given: a site's owner cannot reach you".to_owned();
        progress.hear(&Event::Warning(text));
    }
    let performed = block_on(perform(&plan, &mut progress))?;
    let Performed { summary, signal, rejected } = performed;
    progress.finish();
    let exit = verdict(&summary, strict, signal, rejected);
    if json {
        let text = serde_json::to_string(&summary).map_err(|cause| failed("print the summary", cause))?;
        super::print_json(text)?;
    } else if !common.quiet {
        say(report::summary(&summary).trim_end());
    }
    if let Some(why) = why(&summary, exit, rejected).filter(|_| exit != Exit::Done) {
        say(&format!("pressmark: {why}"));
    }
    Ok(exit)
}

/// One sentence for an exit code that is not 0, so that even a quiet run says why.
pub(super) fn why(summary: &Summary, exit: Exit, rejected: u64) -> Option<String> {
    let that_are = |verdict: &str| -> Vec<&str> {
        summary.seeds.iter().filter(|seed| seed.verdict == verdict).map(|seed| seed.seed.as_str()).collect()
    };
    let failed = that_are("failed");
    match exit {
        Exit::Failed if summary.seeds.is_empty() => Some("there was no seed to crawl".to_owned()),
        Exit::Failed => Some(format!("no seed could be fetched: {}", failed.join(", "))),
        Exit::Incomplete => Some(format!(
            "not all is well: {rejected} seed lines rejected, {} seeds not fetched, {} seeds waiting, {} URLs failed, {} articles \
             incomplete",
            failed.len(),
            that_are("waiting").len(),
            summary.failed,
            summary.articles_incomplete
        )),
        _ => None,
    }
}

/// What a crawl came to.
pub(super) struct Performed {
    pub summary: Summary,
    /// The signal that stopped it, if one did.
    pub signal: Option<Exit>,
    /// Seeds and lines that could not be used.
    pub rejected: u64,
}

/// Opens the network side and crawls.
pub(super) async fn perform(plan: &Plan, progress: &mut Progress) -> anyhow::Result<Performed> {
    perform_and_tell(plan, &mut |event| progress.hear(event)).await
}

/// The same with any listener.
pub(super) async fn perform_and_tell(plan: &Plan, hear: &mut (dyn FnMut(&Event) + Send)) -> anyhow::Result<Performed> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let door = Door::open(plan.wire.clone(), clock.clone()).map_err(crawl::Error::Wire)?;
    let fetcher = Arc::new(Fetcher::new(door, &plan.fetch).map_err(crawl::Error::Fetch)?);
    let (stop, stopped) = watch::channel(Stop::Go);
    let (signal, signalled) = watch::channel(None);
    let listener = tokio::spawn(listen(stop, signal));
    let mut rejected = 0;
    let mut tell = |event: Event| {
        rejected += u64::from(matches!(event, Event::Rejected { .. }));
        hear(&event);
    };
    let summary = crawl::run(plan, fetcher, clock, stopped, &mut tell).await;
    listener.abort();
    let signal = *signalled.borrow();
    Ok(Performed { summary: summary?, signal, rejected })
}

/// The first signal drains, the second cuts.
async fn listen(stop: watch::Sender<Stop>, which: watch::Sender<Option<Exit>>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    for state in [Stop::Drain, Stop::Cut] {
        let exit = tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        };
        which.send_replace(Some(exit));
        stop.send_replace(state);
        say(match state {
            Stop::Drain => "finishing what is in the air; once more to stop at once",
            _ => "stopping",
        });
    }
}

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    // Two threads: the work that needs more is done by threads of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime needs nothing but threads and a poll descriptor");
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    output
}

/// A seed as typed.
pub(super) enum Source<'a> {
    StandardInput,
    Folder(&'a Path),
    File(&'a Path),
    Url(&'a str),
}

pub(super) fn source(text: &str) -> anyhow::Result<Source<'_>> {
    let path = Path::new(text);
    match text {
        "-" => Ok(Source::StandardInput),
        _ if path.is_dir() => Ok(Source::Folder(path)),
        _ if path.is_file() => Ok(Source::File(path)),
        _ => match WebUrl::parse(text) {
            Ok(_) => Ok(Source::Url(text)),
            Err(cause) => Err(usage(format!("«{}»: {cause}; and no file or folder", without_credentials(text)))),
        },
    }
}

/// What the sources hold.
pub(super) fn seeds(sources: &[Source<'_>]) -> anyhow::Result<Vec<SeedInput>> {
    let mut seeds = Vec::new();
    for source in sources {
        match *source {
            Source::StandardInput => {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).map_err(|cause| failed("read standard input", cause))?;
                // It has no name, and must have the same one when the same bytes come again.
                let name = digest(Algorithm::Sha1, &bytes).as_str().replace(':', "-");
                seeds.push(SeedInput::Document { name, bytes });
            }
            Source::Folder(path) => folder(path, path, &mut seeds)?,
            Source::File(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                seeds.push(SeedInput::Document { name, bytes: bytes(path)? });
            }
            Source::Url(text) => seeds.push(SeedInput::Url(text.to_owned())),
        }
    }
    Ok(seeds)
}

/// Every file below a folder, in the order of names; hidden ones are left out.
fn folder(root: &Path, folder_path: &Path, seeds: &mut Vec<SeedInput>) -> anyhow::Result<()> {
    let listed = std::fs::read_dir(folder_path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let unreadable = |cause| failed(&format!("read the folder {}", folder_path.display()), cause);
    let mut paths: Vec<_> = listed.map_err(unreadable)?.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            // A linked folder may lead back here.
            if !path.is_symlink() {
                folder(root, &path, seeds)?;
            }
        } else if let Err(cause) = std::fs::File::open(&path) {
            say(&format!("cannot read {}: {cause}; going on without it", path.display()));
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            seeds.push(SeedInput::Document { name, bytes: bytes(&path)? });
        }
    }
    Ok(())
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| failed(&format!("read {}", path.display()), cause))
}

fn lock(archive: &Path, if_running: IfRunning) -> anyhow::Result<Option<Lock>> {
    let until = match if_running {
        IfRunning::Wait(limit) => Instant::now() + limit,
        IfRunning::Fail | IfRunning::Skip => Instant::now(),
    };
    loop {
        match Lock::take(archive) {
            Ok(lock) => return Ok(Some(lock)),
            Err(crawl::Error::Held(_)) if if_running == IfRunning::Skip => return Ok(None),
            Err(crawl::Error::Held(_)) if Instant::now() < until => std::thread::sleep(LOCK_RETRY),
            Err(error) => return Err(error.into()),
        }
    }
}

pub(super) fn scope(args: &ScopeArgs) -> Scope {
    Scope { depth: args.depth, reach: args.scope.into(), include: args.include.clone(), exclude: args.exclude.clone() }
}

/// How hosts are treated.
pub(super) fn politeness(pace: &PaceArgs, manners: &MannersArgs) -> politeness::Options {
    politeness::Options {
        delay: pace.delay,
        robots: match manners.robots {
            RobotsArg::Obey => RobotsPolicy::Obey,
            RobotsArg::Ignore => RobotsPolicy::Ignore,
        },
        agent: product_token(&manners.user_agent).to_owned(),
        ..politeness::Options::default()
    }
}

pub(super) fn plan(common: &Common, crawl: Crawl, seeds: Vec<SeedInput>) -> anyhow::Result<Plan> {
    let mut plan = Plan::new(&common.archive, seeds);
    plan.scope = scope(&crawl.scope);
    plan.profile = crawl.profile;
    plan.brings = Brings { images: crawl.images == AllOrNone::All, requisites: crawl.requisites == AllOrNone::All };
    plan.politeness = politeness(&crawl.pace, &crawl.manners);
    plan.politeness.requisite_delay = crawl.requisite_delay.unwrap_or(crawl.pace.delay / 5);
    plan.politeness.per_host = crawl.per_host;
    plan.politeness.requisites_per_host = crawl.requisites_per_host;
    plan.wire.timeout = crawl.timeout;
    plan.wire.max_body = crawl.max_body;
    plan.wire.resolve = crawl.resolve;
    plan.wire.name_servers = crawl.name_server;
    plan.wire.proxy = crawl.proxy.as_deref().map(proxy).transpose()?;
    plan.wire.proxy_dns = crawl.proxy_dns;
    if crawl.proxy_dns && crawl.proxy.is_none() {
        return Err(usage("--proxy-dns is of use with --proxy only"));
    }
    plan.wire.insecure = crawl.insecure;
    plan.wire.guard = Guard { allow: crawl.allow_address };
    if let Some(path) = &crawl.ca_file {
        plan.wire.roots = Arc::new(roots(&plan.wire.roots, path)?);
    }
    plan.wire.spool_dir = plan.spool_folder();
    plan.fetch = fetch::Options {
        credentials: credentials(&crawl.header, crawl.cookies.as_deref())?,
        user_agent: crawl.manners.user_agent,
        contact: crawl.contact,
        accept_encoding: crawl.accept_encoding,
    };
    plan.concurrency = crawl.concurrency;
    plan.warc_size = crawl.warc_size;
    plan.warc_age = crawl.warc_age;
    plan.compress = match crawl.compress {
        CompressArg::Gzip => Compress::Gzip,
        CompressArg::Zstd => Compress::Zstd,
        CompressArg::None => Compress::None,
    };
    plan.dictionary = dictionary(crawl.dictionary.as_deref(), plan.compress)?;
    plan.digest = match crawl.digest {
        DigestArg::Sha1 => Algorithm::Sha1,
        DigestArg::Sha256 => Algorithm::Sha256,
    };
    plan.framing = match crawl.framing {
        FramingArg::Entity => Stored::Entity,
        FramingArg::Wire => Stored::Wire,
    };
    plan.dns_records = crawl.dns_records;
    plan.referer_table = crawl.referer_table;
    plan.wire.tell_names = crawl.dns_records;
    plan.revisit = match crawl.revisit {
        RevisitArg::Auto => Revisit::Auto,
        RevisitArg::Always => Revisit::Always,
        RevisitArg::Never => Revisit::Never,
    };
    plan.budget = Budget {
        pages: crawl.max_pages,
        bytes: crawl.max_bytes,
        time: crawl.max_time,
        until: crawl.stop_at.map(time_until),
        per_seed: crawl.per_seed,
        archive: crawl.max_archive,
    };
    plan.fresh = crawl.fresh;
    Ok(plan)
}

/// What only some servers may see. No message here holds any of it.
fn credentials(headers: &[String], cookies: Option<&Path>) -> anyhow::Result<Credentials> {
    let mut credentials = Credentials::default();
    let fields = headers.iter().flat_map(|lines| lines.lines()).filter(|line| !line.trim().is_empty());
    for (number, field) in (1..).zip(fields) {
        credentials.field(field).map_err(|unfit| usage(format!("--header, the {}: {unfit}", nth(number))))?;
    }
    if let Some(path) = cookies {
        let text = String::from_utf8(bytes(path)?);
        let text = text.map_err(|_| usage(format!("{} is no cookies.txt: it is not UTF-8", path.display())))?;
        credentials.cookies(&text).map_err(|unfit| match unfit {
            Unfit::Cookie { line, why } => usage(format!("{}:{line}: {why}", path.display())),
            other => usage(format!("{}: {other}", path.display())),
        })?;
    }
    Ok(credentials)
}

/// Adds the logins that stand in the seeds.
pub(super) fn log_in(credentials: &mut Credentials, seeds: &[SeedInput]) -> anyhow::Result<()> {
    let mut places = HashMap::new();
    for seed in seeds {
        let logins: Vec<(String, Login)> = match seed {
            SeedInput::Url(text) => {
                Login::of(text).map(|login| ("the command line".to_owned(), login)).into_iter().collect()
            }
            SeedInput::Document { name, bytes } => {
                let logins = crate::seeds::logins(name, bytes).into_iter();
                logins.map(|(line, login)| (format!("{name}:{line}"), login)).collect()
            }
        };
        for (place, login) in logins {
            let first: &String = places.entry(login.origin.clone()).or_insert_with(|| place.clone());
            let refused = |unfit| usage(format!("{place}: {unfit} (the first: {first})"));
            credentials.login(login).map_err(refused)?;
        }
    }
    Ok(())
}

/// A place in a row: its value must not be shown.
fn nth(number: usize) -> String {
    match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        n => format!("{n}th"),
    }
}

/// The dictionary of zstd, if one is given.
fn dictionary(path: Option<&Path>, compress: Compress) -> anyhow::Result<Option<Arc<Dictionary>>> {
    let Some(path) = path else { return Ok(None) };
    if compress != Compress::Zstd {
        return Err(usage("--dictionary is of use with --compress zstd only"));
    }
    Ok(Some(Arc::new(Dictionary::open(path).map_err(|error| usage(error.to_string()))?)))
}

/// Read here and not by clap, which would repeat a wrong value with its password.
fn proxy(text: &str) -> anyhow::Result<Proxy> {
    text.parse().map_err(|cause: NotProxy| usage(format!("--proxy cannot be used: {cause}")))
}

/// The usual roots and those of a PEM file.
fn roots(usual: &RootCertStore, path: &Path) -> anyhow::Result<RootCertStore> {
    let wrong = |cause: String| usage(format!("cannot read certificates from {}: {cause}", path.display()));
    let mut roots = usual.clone();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|cause| wrong(cause.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|cause| wrong(cause.to_string()))?;
        roots.add(certificate).map_err(|cause| wrong(cause.to_string()))?;
    }
    Ok(roots)
}

pub(super) fn verdict(summary: &Summary, strict: bool, signal: Option<Exit>, rejected: u64) -> Exit {
    if let Some(exit) = signal {
        return exit;
    }
    let seed_failed = |seed: &crawl::SeedSummary| seed.verdict == "failed";
    if summary.seeds.iter().all(seed_failed) {
        return Exit::Failed;
    }
    let all_well = summary.seeds.iter().all(|seed| seed.verdict == "ok");
    let lacking = rejected > 0 || summary.failed > 0 || summary.articles_incomplete > 0 || !all_well;
    if strict && lacking { Exit::Incomplete } else { Exit::Done }
}

/// Shows a run.
pub(super) fn progress(quiet: bool) -> Progress {
    Progress::new(style(quiet))
}

/// Bars on a terminal, a line now and then elsewhere, problems alone when that is wanted.
pub(super) fn style(quiet: bool) -> Style {
    if quiet {
        Style::Quiet(Box::new(std::io::stderr()))
    } else if std::io::stderr().is_terminal() {
        Style::Bars(ProgressDrawTarget::stderr())
    } else {
        Style::Lines(Box::new(std::io::stderr()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(verdicts: &[&str], failed: u64) -> Summary {
        let seed = |verdict: &&str| crawl::SeedSummary { verdict: (*verdict).to_owned(), ..Default::default() };
        Summary { seeds: verdicts.iter().map(seed).collect(), failed, ..Summary::default() }
    }

    #[test]
    fn the_exit_code_says_how_it_went() {
        assert_eq!(verdict(&summary(&["ok"], 0), true, None, 0), Exit::Done);
        assert_eq!(verdict(&summary(&["ok"], 1), false, None, 0), Exit::Done);
        assert_eq!(verdict(&summary(&["ok"], 1), true, None, 0), Exit::Incomplete);
        assert_eq!(verdict(&summary(&["failed", "ok"], 0), true, None, 0), Exit::Incomplete);
        assert_eq!(verdict(&summary(&["failed"], 1), false, None, 0), Exit::Failed);
        assert_eq!(verdict(&summary(&["ok"], 0), true, None, 1), Exit::Incomplete);
        assert_eq!(verdict(&summary(&["waiting"], 0), false, None, 0), Exit::Done);
        assert_eq!(verdict(&summary(&["waiting", "ok"], 0), true, None, 0), Exit::Incomplete);
        assert_eq!(verdict(&summary(&[], 0), false, None, 0), Exit::Failed);
        assert_eq!(verdict(&summary(&["failed"], 1), false, Some(Exit::Interrupted), 0), Exit::Interrupted);
    }
}
