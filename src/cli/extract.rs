//! The command that shows what the extractor sees in a file: `extract`.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use chrono::FixedOffset;
use serde::Deserialize;
use serde_json::{Value, json};

use super::exit::{self, Exit, Outcome};
use crate::extract::{self, Document};
use crate::report;
use crate::seeds;
use crate::web::claims::Claims;
use crate::web::message::Head;
use crate::web::time::{Clock, SystemClock, Timestamp};
use crate::web::url::WebUrl;

/// What is known of a document besides its bytes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Known {
    /// The address it was found at; links resolve against it
    #[arg(long, value_name = "URL")]
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

/// Prints one object for each file, or for each line of standard input; goes on behind what cannot be read.
pub(super) fn run(files: &[PathBuf], jsonl: bool, known: &Known) -> Outcome {
    if jsonl {
        return lines(known);
    }
    let mut exit = Exit::Done;
    let from_input = [PathBuf::from("-")];
    for path in if files.is_empty() { &from_input } else { files } {
        let name = path.display().to_string();
        match bytes(path) {
            Ok(bytes) => super::print_json(read(&json!(name), &name, &bytes, known))?,
            Err(cause) => {
                super::say(&format!("«{name}» cannot be read: {cause}"));
                exit = Exit::Failed;
                continue;
            }
        };
    }
    Ok(exit)
}

/// Answers each line before the next is read.
fn lines(known: &Known) -> Outcome {
    let mut exit = Exit::Done;
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|cause| exit::failed("read standard input", cause))?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(&line, known).unwrap_or_else(|(id, why)| {
            super::say(&format!("standard input, line {}: {why}", number + 1));
            exit = Exit::Failed;
            json!({"id": id, "error": why})
        });
        super::print_json(answer)?;
    }
    Ok(exit)
}

fn answer(line: &str, known: &Known) -> Result<Value, (Value, String)> {
    let value: Value = serde_json::from_str(line).map_err(|cause| (Value::Null, cause.to_string()))?;
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
    };
    let name = line.path.display().to_string();
    let bytes = bytes(&line.path).map_err(|cause| wrong(format!("«{name}» cannot be read: {cause}")))?;
    Ok(read(&line.id, &name, &bytes, &known))
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

/// Reads a page, or a post of the user's own.
fn read(id: &Value, name: &str, bytes: &[u8], known: &Known) -> Value {
    let address = known.url.as_deref().and_then(|url| WebUrl::parse(url).ok());
    let own = format!("file:///{name}");
    let url = address.as_ref().map_or(own.as_str(), WebUrl::as_str);
    let harvest = if name.ends_with(".md") { seeds::read(name, bytes).documents } else { Vec::new() };
    let post = harvest.into_iter().next();
    let no_claims = Claims::default();
    let document = Document {
        url,
        at: known.fetched.unwrap_or_else(|| SystemClock::default().wall()),
        head: &head(known),
        bytes: post.as_ref().map_or(bytes, |post| post.html.as_bytes()),
        is_post: post.is_some(),
        zone: known.timezone,
        claims: post.as_ref().map_or(&no_claims, |post| &post.claims),
    };
    let found = extract::read(&document);
    report::findings(id, known.url.as_deref(), address.as_ref(), &found)
}

/// The head of an answer with the fields that are known.
fn head(known: &Known) -> Head {
    let content_type = known.content_type.iter().map(|kind| format!("Content-Type: {kind}"));
    let fields = content_type.chain(known.headers.iter().cloned()).map(|field| field.replace(['\r', '\n'], " "));
    let lines: Vec<String> = ["HTTP/1.1 200 OK".to_owned()].into_iter().chain(fields).collect();
    Head::read(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes())
}
