//! WACZ 1.1.1: the zip's checksums, `datapackage.json` and the digest of it, pages, indexes, and the WARCs inside.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use sha2::Digest as _;
use zip::{CompressionMethod, ZipArchive};

use super::Verification;
use super::finding::{Code, DEFLATED, EMPTY, Finding, PACKAGE, RESOURCE, ZIP};
use super::index;
use super::walk::Warc;
use super::zipnum;
use crate::archive::{Reading, Source, Step};
use crate::upkeep::Error;

const PACKAGE_FILE: &str = "datapackage.json";
const DIGEST_FILE: &str = "datapackage-digest.json";
const PAGES: &str = "pages/pages.jsonl";
/// Descriptions longer than this are not read into memory.
const JSON_MAX: u64 = 64 << 20;

/// Does this file begin with a record?
pub(super) fn holds(source: Source) -> std::io::Result<bool> {
    Ok(matches!(Reading::over(source, 0)?.advance()?, Some(Step::Record(_))))
}

/// A file of the package.
struct Entry {
    bytes: u64,
    sha256: String,
    is_stored: bool,
    /// Where its bytes stand in the package, when they are stored as they are.
    at: Option<u64>,
}

/// Verifies a package.
pub(super) fn verify(path: &Path, name: &str, verification: &mut Verification<'_>) -> Result<(), Error> {
    let source = Source::open(path).map_err(Error::io("read", path))?;
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut findings = Vec::new();
    let mut say = |code: &'static Code, offset: Option<u64>, text: String| {
        findings.push(Finding { code, file: name.to_owned(), offset, record: None, url: None, text });
    };
    let mut zip = match ZipArchive::new(BufReader::new(file)) {
        Ok(zip) => zip,
        Err(cause) => {
            say(&ZIP, None, format!("it cannot be opened as a package: {cause}"));
            findings.into_iter().for_each(|finding| verification.add(finding));
            verification.file_done(source.len());
            return Ok(());
        }
    };
    let entries = entries(&mut zip, name, verification, &mut say)?;
    check_description(&mut zip, &entries, &mut say);
    check_pages(&mut zip, &entries, &mut say);
    check_places(&entries, &mut say);
    findings.into_iter().for_each(|finding| verification.add(finding));
    let warcs = warcs(&mut zip, &entries, &source, name, path)?;
    for (file, _) in in_order(&entries).filter(|(file, _)| is_index(file)) {
        verify_index(&mut zip, file, &warcs, &format!("{name}/{file}"), verification)?;
    }
    for (file, _) in in_order(&entries).filter(|(file, _)| is_block_index(file)) {
        verify_blocks(&mut zip, file, &entries, &source, &format!("{name}/{file}"), verification);
    }
    let (files, bytes) = (verification.report.files, verification.report.bytes);
    verification.warcs(&warcs, true, None)?;
    (verification.report.files, verification.report.bytes) = (files, bytes);
    verification.file_done(source.len());
    Ok(())
}

type Say<'a> = &'a mut dyn FnMut(&'static Code, Option<u64>, String);
type Zip = ZipArchive<BufReader<File>>;

/// Reads every file of the package once: its checksum and its digest.
fn entries(
    zip: &mut Zip,
    name: &str,
    verification: &Verification<'_>,
    say: Say<'_>,
) -> Result<HashMap<String, Entry>, Error> {
    let mut entries = HashMap::new();
    for number in 0..zip.len() {
        let mut file = match zip.by_index(number) {
            Ok(file) => file,
            Err(cause) => {
                say(&ZIP, None, format!("file {number} of the package: {cause}"));
                continue;
            }
        };
        if !file.is_file() {
            continue;
        }
        let Ok(path) = file.name().map(std::borrow::Cow::into_owned) else {
            say(&PACKAGE, None, format!("the name of file {number} cannot be read"));
            continue;
        };
        let is_stored = file.compression() == CompressionMethod::Stored;
        let at = file.data_start().filter(|_| is_stored);
        let (mut hash, mut bytes, mut buffer) = (sha2::Sha256::new(), 0, vec![0; 64 << 10]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    hash.update(&buffer[..read]);
                    bytes += read as u64;
                }
                Err(cause) => {
                    say(&ZIP, at, format!("«{path}» cannot be read: {cause}"));
                    break;
                }
            }
            verification.at(name, 0)?;
        }
        if bytes != file.size() {
            say(&ZIP, at, format!("«{path}» has {bytes} bytes, not {}", file.size()));
        }
        let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
        if entries.insert(path.clone(), Entry { bytes, sha256, is_stored, at }).is_some() {
            say(&PACKAGE, at, format!("«{path}» is in the package twice"));
        }
    }
    Ok(entries)
}

fn in_order(entries: &HashMap<String, Entry>) -> impl Iterator<Item = (&String, &Entry)> {
    let mut all: Vec<(&String, &Entry)> = entries.iter().collect();
    all.sort_by_key(|(path, _)| *path);
    all.into_iter()
}

fn is_index(path: &str) -> bool {
    path.starts_with("indexes/") && [".cdxj", ".cdx", ".cdx.gz", ".cdxj.gz"].iter().any(|ending| path.ends_with(ending))
}

fn is_block_index(path: &str) -> bool {
    path.starts_with("indexes/") && path.ends_with(".idx")
}

fn json(zip: &mut Zip, path: &str, say: Say<'_>) -> Option<Value> {
    let mut bytes = Vec::new();
    let file = zip.by_name(path).ok()?;
    let read = file.take(JSON_MAX).read_to_end(&mut bytes);
    match read
        .map_err(|cause| cause.to_string())
        .and_then(|_| serde_json::from_slice(&bytes).map_err(|cause| cause.to_string()))
    {
        Ok(value) => Some(value),
        Err(cause) => {
            say(&PACKAGE, None, format!("«{path}» is no JSON: {cause}"));
            None
        }
    }
}

/// `datapackage.json` names every file with its hash and its bytes; `datapackage-digest.json` its own hash.
fn check_description(zip: &mut Zip, entries: &HashMap<String, Entry>, say: Say<'_>) {
    let Some(own) = entries.get(PACKAGE_FILE) else {
        return say(&PACKAGE, None, format!("there is no {PACKAGE_FILE} (WACZ, 5.1)"));
    };
    if let Some(digest) = json(zip, DIGEST_FILE, say) {
        let wanted = digest["hash"].as_str().unwrap_or("");
        if wanted != format!("sha256:{}", own.sha256) {
            say(&RESOURCE, None, format!("{DIGEST_FILE} says «{wanted}», {PACKAGE_FILE} is «sha256:{}»", own.sha256));
        }
    } else if !entries.contains_key(DIGEST_FILE) {
        say(&PACKAGE, None, format!("there is no {DIGEST_FILE} (WACZ, 5.1)"));
    }
    let Some(package) = json(zip, PACKAGE_FILE, say) else { return };
    if !package["wacz_version"].is_string() {
        say(&PACKAGE, None, format!("{PACKAGE_FILE} has no wacz_version"));
    }
    let none = Vec::new();
    let resources = package["resources"].as_array().unwrap_or(&none);
    let mut named = std::collections::HashSet::new();
    for resource in resources {
        let path = resource["path"].as_str().unwrap_or("");
        named.insert(path.to_owned());
        let Some(entry) = entries.get(path) else {
            say(&RESOURCE, None, format!("{PACKAGE_FILE} names «{path}», which is not in the package"));
            continue;
        };
        let hash = resource["hash"].as_str().unwrap_or("");
        if hash.starts_with("sha256:") && hash != format!("sha256:{}", entry.sha256) {
            say(&RESOURCE, entry.at, format!("«{path}» is not what its hash in {PACKAGE_FILE} says"));
        } else if !hash.starts_with("sha256:") {
            say(&PACKAGE, entry.at, format!("the hash of «{path}» is «{hash}»"));
        }
        if resource["bytes"].as_u64() != Some(entry.bytes) {
            say(
                &RESOURCE,
                entry.at,
                format!("«{path}» has {} bytes, {PACKAGE_FILE} says {}", entry.bytes, resource["bytes"]),
            );
        }
    }
    for (path, entry) in in_order(entries) {
        if !named.contains(path) && path != PACKAGE_FILE && path != DIGEST_FILE {
            say(&PACKAGE, entry.at, format!("{PACKAGE_FILE} does not name «{path}»"));
        }
    }
}

/// A header line, then a line a page with its URL and time.
fn check_pages(zip: &mut Zip, entries: &HashMap<String, Entry>, say: Say<'_>) {
    if !entries.contains_key(PAGES) {
        return say(&PACKAGE, None, format!("there is no {PAGES} (WACZ, 5.1)"));
    }
    let Ok(file) = zip.by_name(PAGES) else { return };
    let mut lines = BufReader::new(file);
    for number in 1u64.. {
        let mut line = Vec::new();
        match lines.by_ref().take(JSON_MAX).read_until(b'\n', &mut line) {
            // What cannot be read has been said.
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let value: Value = serde_json::from_slice(&line).unwrap_or_default();
        let is_right = if number == 1 {
            value["format"].as_str().is_some_and(|format| format.starts_with("json-pages-"))
        } else {
            let ts = value["ts"].as_str().unwrap_or("");
            value["url"].is_string() && chrono::DateTime::parse_from_rfc3339(ts).is_ok()
        };
        if !is_right {
            let what = if number == 1 { "no header with a format" } else { "no url, or no ts as in RFC 3339" };
            say(&PACKAGE, None, format!("{PAGES}, line {number}: {what}"));
        }
    }
}

/// What may stand where; what is compressed already is stored as it is.
fn check_places(entries: &HashMap<String, Entry>, say: Say<'_>) {
    if !entries.keys().any(|path| path.starts_with("archive/")) {
        say(&EMPTY, None, "there is no WARC in archive/ (WACZ, 5.1)".to_owned());
    }
    for (path, entry) in in_order(entries) {
        let is_warc = path.ends_with(".warc") || path.ends_with(".warc.gz");
        if path.starts_with("archive/") && !is_warc {
            say(&PACKAGE, entry.at, format!("«{path}» is no WARC that readers of packages know"));
        } else if path.starts_with("indexes/") && !is_index(path) && !is_block_index(path) {
            say(&PACKAGE, entry.at, format!("«{path}» is no index"));
        }
        if path.ends_with(".gz") && !entry.is_stored {
            say(&DEFLATED, None, format!("«{path}» is compressed twice"));
        }
    }
}

/// The WARCs inside: in place when they are stored, else unpacked to files that are gone with them.
fn warcs(
    zip: &mut Zip,
    entries: &HashMap<String, Entry>,
    source: &Source,
    name: &str,
    path: &Path,
) -> Result<Vec<Warc>, Error> {
    let mut warcs = Vec::new();
    for (file, entry) in in_order(entries).filter(|(file, _)| file.starts_with("archive/")) {
        let name = format!("{name}/{file}");
        let source = match entry.at {
            Some(at) => source.part(at, entry.bytes),
            None => {
                let mut unpacked = tempfile::tempfile().map_err(Error::io("unpack", path))?;
                if let Ok(mut packed) = zip.by_name(file) {
                    // What cannot be unpacked has been said.
                    let _ = std::io::copy(&mut packed, &mut unpacked);
                }
                unpacked.flush().and_then(|()| unpacked.rewind()).map_err(Error::io("unpack", path))?;
                Source::of(unpacked).map_err(Error::io("unpack", path))?
            }
        };
        warcs.push(Warc { name, source });
    }
    Ok(warcs)
}

/// The blocks of packed indexes, which stand in the package as they are.
fn verify_blocks(
    zip: &mut Zip,
    file: &str,
    entries: &HashMap<String, Entry>,
    source: &Source,
    name: &str,
    verification: &mut Verification<'_>,
) {
    let Ok(lines) = zip.by_name(file) else { return };
    let mut open = |filename: &str| {
        let entry = entries.get(&format!("indexes/{filename}"))?;
        Some(source.part(entry.at?, entry.bytes))
    };
    zipnum::verify(lines, &mut open, &mut |code, at, text| {
        verification.add(Finding { code, file: name.to_owned(), offset: Some(at), record: None, url: None, text });
    });
}

fn verify_index(
    zip: &mut Zip,
    file: &str,
    warcs: &[Warc],
    name: &str,
    verification: &mut Verification<'_>,
) -> Result<(), Error> {
    let Ok(entry) = zip.by_name(file) else { return Ok(()) };
    let mut open = |filename: &str| {
        let ending = format!("/archive/{filename}");
        warcs.iter().find(|warc| warc.name.ends_with(&ending)).map(|warc| warc.source.clone())
    };
    let input = BufReader::new(entry);
    let lines: Box<dyn BufRead + '_> =
        if file.ends_with(".gz") { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { Box::new(input) };
    index::verify_lines(lines, name, &mut open, verification)
}
