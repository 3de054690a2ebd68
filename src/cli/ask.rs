//! The commands that only look: `status`, `query`, `show`, `explain`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::{Common, ScopeArgs};
use super::crawl::scope;
use super::exit::{Exit, Outcome, failed, usage};
use super::say;
use crate::archive::{Notes, Place, entity, read_at, received};
use crate::crawl::{DATABASE, Lock, Verdict};
use crate::politeness::{Gate, Options, ROBOTS_FRESH};
use crate::report::{self, table::Format};
use crate::store::Reader;
use crate::web::exchange::Fault;
use crate::web::surt::surt;
use crate::web::time::{Clock, Moment, SystemClock, Timestamp};
use crate::web::url::{WebUrl, without_credentials};
use crate::web::wrapped::unwrapped;
use crate::wire::Guard;

fn reader(common: &Common) -> anyhow::Result<Reader> {
    Ok(Reader::open(&common.archive.join(DATABASE))?)
}

pub(super) fn status(common: &Common, as_json: bool) -> Outcome {
    let (status, held) = (reader(common)?.status()?, Lock::is_held(&common.archive));
    let holder = Lock::holder(&common.archive);
    if as_json {
        super::print_json(report::status_json(&status, held, holder.as_deref()))
    } else {
        super::print_text(&report::status(&status, held, holder.as_deref(), SystemClock::default().wall()))
    }
}

pub(super) fn query(common: &Common, sql: &str, format: Format, output: Option<&Path>) -> Outcome {
    let answer = reader(common)?.sql(sql)?;
    let width = if output.is_none() { super::output_width() } else { None };
    let text = report::table::format(&answer, format, width);
    match output {
        None => super::print(text.as_bytes()),
        Some(path) => {
            std::fs::write(path, text).map_err(|cause| failed(&format!("write {}", path.display()), cause))?;
            Ok(Exit::Done)
        }
    }
}

/// In which form the bytes of a capture are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The payload.
    Raw,
    /// The answer exactly as it was received.
    Wire,
}

/// What is known of one URL: its captures, or the bytes of one of them.
pub(super) fn show(common: &Common, url: &str, form: Option<Form>, at: Option<Timestamp>) -> Outcome {
    let reader = reader(common)?;
    let url = WebUrl::parse(url).map_or_else(|_| url.to_owned(), |url| url.as_str().to_owned());
    let nothing = || usage(format!("«{}» was not captured", without_credentials(&url)));
    if let Some((since, reason)) = reader.blocked(&url)? {
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        say(&format!("it is hidden from replay since {}{reason}", since.iso()));
    }
    let memento = reader.memento(&url, at)?.ok_or_else(nothing)?;
    if let Some(at) = at.filter(|at| memento.at > *at) {
        say(&format!(
            "nothing of it was captured by {}: this is the first after that, of {}",
            at.iso(),
            memento.at.iso()
        ));
    }
    let Some(form) = form else {
        let mut captures = reader.captures_of(&url)?;
        if at.is_some() {
            captures.rows.retain(|row| row.first().is_some_and(|fetched| *fetched == memento.at.iso()));
        }
        let mut text = report::table::format(&captures, Format::Table, super::output_width());
        for of_article in [reader.parts_of(&url)?, reader.pictures_of(&url)?] {
            if !of_article.rows.is_empty() {
                text.push('\n');
                text.push_str(&report::table::format(&of_article, Format::Table, super::output_width()));
            }
        }
        return super::print_text(&text);
    };
    let folder = common.archive.join("warc");
    let read = |place: &Place| read_at(&folder, place).map_err(|cause| failed("read the record", cause));
    let record = read(&memento.place)?;
    let original = memento.original.as_ref().map(read).transpose()?;
    if memento.is_revisit && original.is_none() {
        let at = record.field("WARC-Refers-To-Target-URI").unwrap_or("a capture it does not name").to_owned();
        let why = format!("its payload is that of {at}, which is not in the archive");
        return Err(failed("show it", std::io::Error::other(why)));
    }
    match form {
        Form::Raw if record.kind() == "resource" => super::print(&record.block),
        Form::Raw => super::print(&entity(original.as_ref().unwrap_or(&record))),
        Form::Wire => {
            let metadata = read(&memento.metadata)?;
            let notes = Notes::of_block(&metadata.block).ok_or_else(|| {
                let why = "they are not in its metadata record".to_owned();
                failed("read the notes on how the answer was framed", std::io::Error::other(why))
            })?;
            // A 304 had no body, whatever it refers to.
            let original = original.filter(|_| memento.status != Some(304));
            let received = received(&record, original.as_ref(), notes.framing.as_ref());
            let bytes = received.ok_or_else(|| {
                failed("rebuild the answer", std::io::Error::other("its record and its notes do not agree"))
            })?;
            super::print(&bytes)
        }
    }
}

/// What is decided about each URL, and by which rule. Works without an archive.
pub(super) fn explain(
    common: &Common,
    urls: &[String],
    as_json: bool,
    scope_args: &ScopeArgs,
    politeness: Options,
) -> Outcome {
    let path = common.archive.join(DATABASE);
    let reader = if path.exists() { Some(Reader::open(&path)?) } else { None };
    let scope = scope(scope_args);
    let (mut gate, wall) = (Gate::new(politeness), SystemClock::default().wall());
    let mut exit = Exit::Done;
    for text in urls {
        let url = match WebUrl::parse(text) {
            Ok(url) => url,
            Err(cause) => {
                say(&format!("«{}»: {cause}", without_credentials(text)));
                exit = Exit::Usage;
                continue;
            }
        };
        let explained = explain_one(text, &url, &scope, &mut gate, reader.as_ref(), wall)?;
        if as_json { super::print_json(&explained) } else { super::print_text(&explanation(&explained)) }?;
    }
    Ok(exit)
}

fn explain_one(
    text: &str,
    url: &WebUrl,
    scope: &crate::crawl::Scope,
    gate: &mut Gate,
    reader: Option<&Reader>,
    wall: Timestamp,
) -> anyhow::Result<Value> {
    let known = reader.map(|reader| reader.standing(url)).transpose()?.flatten();
    let (is_in, rule) = match (scope.judge_seed(url), &known) {
        (Verdict::Out(rule), _) => (false, rule),
        (Verdict::In(_), Some(known)) => (true, format!("{} ({})", known.reason(), known.state)),
        (Verdict::In(_), None) => (true, "as a seed; as a link it depends on the page it stands on".to_owned()),
    };
    let robots = explain_robots(url, gate, reader, wall)?;
    let clock = reader.map(|reader| reader.host(url.host())).transpose()?.flatten();
    if let Some(host) = &clock {
        gate.remember_host(&host.clock, Moment::default(), wall);
    }
    let next_at = clock.map(|host| host.clock.page_next).filter(|next| *next > wall);
    let last = reader.map(|reader| reader.last_capture(url.as_str())).transpose()?.flatten();
    let wrapped: Vec<String> = unwrapped(url).iter().map(|url| url.as_str().to_owned()).collect();
    Ok(json!({
        "url": without_credentials(text),
        "canonical": url.as_str(),
        "surt": surt(url.as_str()),
        "unwrapped": wrapped,
        "scope": {"in": is_in, "rule": rule},
        "robots": robots,
        "guard": refused_address(url).map(|fault| fault.to_string()),
        "pace": {
            "delay_ms": u64::try_from(gate.delay(url.host()).as_millis()).unwrap_or(u64::MAX),
            "next_at": next_at.map(Timestamp::iso),
        },
        "captures": last.as_ref().map_or(0, |last| last.captures),
        "last": last.map(|last| last.at.iso()),
    }))
}

/// What robots.txt says, by the copy in the archive, whatever its age; else what is known of it from the last run.
fn explain_robots(url: &WebUrl, gate: &mut Gate, reader: Option<&Reader>, wall: Timestamp) -> anyhow::Result<Value> {
    let origin = url.origin();
    let copy = reader.map(|reader| reader.robots_of(&origin)).transpose()?.flatten();
    if let Some(copy) = &copy {
        gate.remember_robots(&origin, copy, wall);
    }
    let from = reader.filter(|_| copy.is_some()).map(|reader| reader.robots_from(&origin)).transpose()?;
    let last = reader.map(|reader| reader.robots_verdict(url)).transpose()?.flatten();
    let verdict = gate.verdict(url).or(last);
    let why = verdict.as_ref().map_or("robots.txt is not known, and explain fetches nothing", |verdict| &verdict.rule);
    let rule = verdict.as_ref().filter(|verdict| verdict.line.is_some());
    Ok(json!({
        "allowed": verdict.as_ref().map(|verdict| verdict.allowed),
        "rule": rule.map(|verdict| verdict.rule.as_str()),
        "line": rule.and_then(|verdict| verdict.line),
        "why": why,
        "status": copy.as_ref().map(|copy| copy.status),
        "from": from,
        "fetched": copy.as_ref().map(|copy| copy.fetched.iso()),
        "age_s": copy.as_ref().map(|copy| wall.since(copy.fetched).as_secs()),
    }))
}

/// An address in place of a name is known to be refused before anybody connects to it.
fn refused_address(url: &WebUrl) -> Option<Fault> {
    let address = url.host().trim_matches(['[', ']']).parse().ok()?;
    Some(Fault::Forbidden(address)).filter(|_| !Guard::default().admits(address))
}

/// The same for people.
fn explanation(explained: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => report::clean(text).into_owned(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    };
    let wrapped = explained["unwrapped"]
        .as_array()
        .map_or(String::new(), |urls| urls.iter().map(|url| format!("  wraps      {}\n", text(url))).collect());
    let scope = &explained["scope"];
    let scope_word = if scope["in"] == true { "in" } else { "out" };
    let guard = explained["guard"].as_str().map_or(String::new(), |guard| {
        format!("  guard      refused unless --allow-address lets it through: {}\n", report::clean(guard))
    });
    format!(
        "{}\n  canonical  {}\n  sort key   {}\n{wrapped}  scope      {scope_word}: {}\n  robots     {}\n{guard}  pace       one page every {} ms{}\n  captures   {}, the last {}\n",
        text(&explained["url"]),
        text(&explained["canonical"]),
        text(&explained["surt"]),
        text(&scope["rule"]),
        robots_words(&explained["robots"]),
        text(&explained["pace"]["delay_ms"]),
        explained["pace"]["next_at"].as_str().map_or(String::new(), |at| format!(", the next not before {at}")),
        text(&explained["captures"]),
        text(&explained["last"]),
    )
}

/// `forbidden: Disallow: /private/ (line 2 of http://news.example/robots.txt, fetched 3 h ago)`
fn robots_words(robots: &Value) -> String {
    let text = |key: &str| report::clean(robots[key].as_str().unwrap_or_default()).into_owned();
    let word = match robots["allowed"].as_bool() {
        None => return text("why"),
        Some(true) => "allowed",
        Some(false) => "forbidden",
    };
    let line = robots["line"].as_u64().map_or(String::new(), |line| format!("line {line} of "));
    let age = robots["age_s"].as_u64().map(Duration::from_secs);
    let copy = age.map_or(String::new(), |age| {
        let stale = if age >= ROBOTS_FRESH { "; it is asked for again before the next request" } else { "" };
        format!(" ({line}{}, {} old{stale})", text("from"), report::duration(age))
    });
    format!("{word}: {}{copy}", text("why"))
}
