//! The command that shows what the extractor sees in a file: `extract`.

use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use chrono::FixedOffset;
use serde::Deserialize;
use serde_json::{Value, json};

use super::exit::{Exit, Outcome};
use crate::extract::boilerplate::{Boilerplate, Learner};
use crate::extract::{self, Document, Findings};
use crate::report;
use crate::seeds;
use crate::web::claims::Claims;
use crate::web::media;
use crate::web::message::Head;
use crate::web::time::{Clock, SystemClock, Timestamp};
use crate::web::url::WebUrl;

/// Files that people give by mistake: a picture, or a PDF. A drawing in SVG may be part of a page.
fn is_foreign(bytes: &[u8]) -> bool {
    let is_markup = bytes.trim_ascii_start().starts_with(b"<");
    media::Kind::of(None, bytes) == media::Kind::Image && !is_markup || bytes.starts_with(b"%PDF-")
}

/// What is known of a document besides its bytes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Known {
    /// The address it was found at; links resolve against it
    #[arg(long, value_name = "URL", value_parser = super::units::url)]
    url: Option<String>,
    /// The Content-Type it came with
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// A field of the answer it came with, such as «Referrer-Policy: no-referrer»; repeatable
    #[arg(long = "header", value_name = "FIELD")]
    headers: Vec<String>,
    /// When it was fetched; relative dates count from there [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::units::instant)]
    fetched: Option<Timestamp>,
    /// The zone of dates that name none: +08:00, Z
    #[arg(long, value_name = "ZONE", value_parser = super::units::zone)]
    timezone: Option<FixedOffset>,
    /// Read all documents first, and leave out what recurs on those of one host
    #[arg(long)]
    learn: bool,
}

/// A line of `--jsonl`; keys it does not know are left alone.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    url: Option<String>,
    path: PathBuf,
    content_type: Option<String>,
    #[serde(default)]
    headers: Value,
    fetched: Option<String>,
    timezone: Option<String>,
}

/// A document to be shown, and what is known of it.
struct Asked {
    id: Value,
    /// Its path, as given.
    name: String,
    bytes: Vec<u8>,
    known: Known,
}

/// What recurs on the pages of each host.
type Learnt = HashMap<String, Boilerplate>;

/// Prints one object for each file, or for each line of standard input; goes on behind what cannot be read.
pub(super) fn run(files: &[PathBuf], jsonl: bool, known: &Known) -> Outcome {
    if jsonl {
        return lines(known);
    }
    let mut exit = Exit::Done;
    let from_input = [PathBuf::from("-")];
    let files = if files.is_empty() { &from_input } else { files };
    let ask = |path: &PathBuf| {
        let name = path.display().to_string();
        match bytes(path) {
            Ok(bytes) if is_foreign(&bytes) => Err(format!("«{name}» is no HTML")),
            Ok(bytes) => Ok(Asked { id: json!(name), name, bytes, known: known.clone() }),
            Err(cause) => Err(format!("«{name}» cannot be read: {cause}")),
        }
    };
    let (asked, learnt) = learn(known, files.iter().map(ask));
    for asked in asked {
        match asked {
            Ok(asked) => {
                super::print_json(answer(&asked, &learnt))?;
            }
            Err(why) => {
                super::say(&why);
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

/// Answers each line before the next is read, but for one who wants to learn from all of them first.
fn lines(known: &Known) -> Outcome {
    let mut exit = Exit::Done;
    // Input that breaks would break again.
    let mut is_broken = false;
    let lines = std::io::stdin().lock().split(b'\n');
    let lines = lines.take_while(move |line| !std::mem::replace(&mut is_broken, line.is_err()));
    let lines = lines.enumerate().map(|(number, line)| match line {
        Ok(line) if line.trim_ascii().is_empty() => Ok(None),
        Ok(line) => ask(&line, known).map(Some).map_err(|(id, why)| (number + 1, id, why)),
        Err(cause) => Err((number + 1, Value::Null, cause.to_string())),
    });
    let (asked, learnt) = learn(known, lines.filter_map(Result::transpose));
    for asked in asked {
        let answer = match asked {
            Ok(asked) => answer(&asked, &learnt),
            Err((number, id, why)) => {
                super::say(&format!("standard input, line {number}: {why}"));
                exit = Exit::Failed;
                json!({"id": id, "error": why})
            }
        };
        super::print_json(answer)?;
    }
    Ok(exit)
}

fn ask(line: &[u8], known: &Known) -> Result<Asked, (Value, String)> {
    let value: Value = serde_json::from_slice(line).map_err(|cause| (Value::Null, cause.to_string()))?;
    let id = value.get("id").cloned().unwrap_or_default();
    let wrong = |why: String| (id.clone(), why);
    let line = Line::deserialize(value).map_err(|cause| wrong(cause.to_string()))?;
    let fetched = line.fetched.as_deref().map(super::units::instant).transpose().map_err(wrong)?;
    let zone = line.timezone.as_deref().map(super::units::zone).transpose().map_err(wrong)?;
    let headers = [fields(&line.headers), known.headers.clone()].concat();
    let known = Known {
        url: line.url.or_else(|| known.url.clone()),
        content_type: line.content_type.or_else(|| known.content_type.clone()),
        headers,
        fetched: fetched.or(known.fetched),
        timezone: zone.or(known.timezone),
        learn: known.learn,
    };
    let name = line.path.display().to_string();
    let bytes = bytes(&line.path).map_err(|cause| wrong(format!("«{name}» cannot be read: {cause}")))?;
    if is_foreign(&bytes) {
        return Err(wrong(format!("«{name}» is no HTML")));
    }
    Ok(Asked { id: line.id, name, bytes, known })
}

/// The same documents, all read before the first is handed on, and what they teach about their hosts; without
/// `--learn`, one after the other and nothing.
fn learn<'a, E: 'a>(
    known: &Known,
    documents: impl Iterator<Item = Result<Asked, E>> + 'a,
) -> (Box<dyn Iterator<Item = Result<Asked, E>> + 'a>, Learnt) {
    if !known.learn {
        return (Box::new(documents), Learnt::new());
    }
    let documents: Vec<_> = documents.collect();
    let mut learners: HashMap<String, Learner> = HashMap::new();
    for asked in documents.iter().flatten() {
        learners.entry(asked.host()).or_default().learn(&asked.read(None));
    }
    let learnt = learners.into_iter().map(|(host, learner)| (host, learner.boilerplate())).collect();
    (Box::new(documents.into_iter()), learnt)
}

fn answer(asked: &Asked, learnt: &Learnt) -> Value {
    let found = asked.read(learnt.get(&asked.host()));
    report::findings(&asked.id, asked.known.url.as_deref(), asked.address().as_ref(), &found)
}

/// Fields as an object, or as a list of pairs or of lines.
fn fields(headers: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match headers {
        Value::Object(fields) => {
            let each = |(name, value): (&String, &Value)| match value {
                Value::Array(values) => values.iter().map(|value| format!("{name}: {}", text(value))).collect(),
                value => vec![format!("{name}: {}", text(value))],
            };
            fields.iter().flat_map(each).collect()
        }
        Value::Array(fields) => fields
            .iter()
            .filter_map(|field| match field {
                Value::Array(pair) => Some(format!("{}: {}", text(pair.first()?), text(pair.get(1)?))),
                field => Some(text(field)),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(path)
}

impl Asked {
    fn address(&self) -> Option<WebUrl> {
        self.known.url.as_deref().and_then(|url| WebUrl::parse(url).ok())
    }

    /// Documents without an address are of one host.
    fn host(&self) -> String {
        self.address().map(|url| url.host().to_owned()).unwrap_or_default()
    }

    /// Reads a page, or a post of the user's own.
    fn read(&self, boilerplate: Option<&Boilerplate>) -> Findings {
        let own = format!("file:///{}", self.name);
        let address = self.address();
        let is_post = self.name.ends_with(".md");
        let harvest = if is_post { seeds::read(&self.name, &self.bytes).documents } else { Vec::new() };
        let post = harvest.into_iter().next();
        let no_claims = Claims::default();
        extract::read(&Document {
            url: address.as_ref().map_or(own.as_str(), WebUrl::as_str),
            at: self.known.fetched.unwrap_or_else(|| SystemClock::default().wall()),
            head: &head(&self.known),
            bytes: post.as_ref().map_or(&self.bytes, |post| post.html.as_bytes()),
            is_post: post.is_some(),
            zone: self.known.timezone,
            claims: post.as_ref().map_or(&no_claims, |post| &post.claims),
            boilerplate,
        })
    }
}

/// The head of an answer with the fields that are known.
fn head(known: &Known) -> Head {
    let content_type = known.content_type.iter().map(|kind| format!("Content-Type: {kind}"));
    let fields = content_type.chain(known.headers.iter().cloned()).map(|field| field.replace(['\r', '\n'], " "));
    let lines: Vec<String> = ["HTTP/1.1 200 OK".to_owned()].into_iter().chain(fields).collect();
    Head::read(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes())
}
