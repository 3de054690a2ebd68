//! What verification finds, and the report of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

/// As many findings of one code are kept word for word; the others are counted.
const EACH_MAX: u64 = 1000;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something is missing, altered or unreadable, or the database and the records disagree.
    Damage,
    /// A rule of the standard is broken and nothing is lost by it.
    Violation,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Damage => "damage",
            Severity::Violation => "violation",
            Severity::Note => "note",
        }
    }
}

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its name in reports: stable, so that programs can look for it.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What to do about it.
    pub advice: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal $severity:ident $advice:expr;)*) => {
        $(pub(super) static $constant: Code = Code { name: $name, severity: Severity::$severity, advice: $advice };)*
    };
}

const COPY: &str = "take the file from a copy; what is left of it can be imported into a new archive";
const PAYLOAD: &str = "take the file from a copy, or have it captured anew";
const MEMBER_ADVICE: &str = "the record cannot be read at its place: «pressmark import» packs it anew";
const TAIL: &str = "«pressmark repair» cuts a torn tail";
const INDEX: &str = "index the files again: «pressmark export cdxj»";
const REBUILD: &str = "«pressmark reindex» rebuilds the database from the files";
const TOOL: &str = "nothing is lost; the tool that wrote the file should be mended";
const NONE: &str = "nothing needs to be done";

codes! {
    // The file's bytes.
    GARBAGE = "garbage" Damage COPY;
    TORN = "torn" Damage TAIL;
    LENGTH = "wrong-length" Damage COPY;
    PACKED = "unpackable" Damage COPY;
    CHECKSUM = "wrong-checksum" Damage COPY;
    DICTIONARY = "dictionary" Damage "take the file from a copy: without its dictionary nothing of it can be read";
    GIVEN_UP = "given-up" Damage COPY;
    BLOCK_DIGEST = "block-digest" Damage COPY;
    PAYLOAD_DIGEST = "payload-digest" Damage PAYLOAD;
    EMPTY = "empty" Damage COPY;
    // The rules of the standard.
    ENDING = "record-ending" Violation TOOL;
    MEMBER = "member-per-record" Violation MEMBER_ADVICE;
    ZSTD = "zstd-rule" Violation TOOL;
    HEAD = "head-form" Violation TOOL;
    VERSION = "version" Violation TOOL;
    MISSING = "field-missing" Violation TOOL;
    REPEATED = "field-repeated" Violation TOOL;
    MISPLACED = "field-misplaced" Violation TOOL;
    FORM = "field-form" Violation TOOL;
    CONTENT_TYPE = "content-type" Violation TOOL;
    SEGMENT = "segment" Violation TOOL;
    REVISIT = "revisit-form" Violation TOOL;
    SAME_ID = "record-id-repeated" Violation "a record may stand twice: look at both";
    OTHER_DATE = "concurrent-date" Violation TOOL;
    OF_REVISIT = "revisit-of-revisit" Violation TOOL;
    // Worth knowing.
    WARCINFO = "warcinfo-first" Note NONE;
    FILENAME = "filename" Note "the file was renamed since it was written";
    LEGACY = "read-by-few" Note "other tools may not read it";
    HTTP = "http-head" Note NONE;
    UNCHECKED = "digest-unknown" Note "no check was made";
    DECHUNKED = "payload-dechunked" Note "the digest is right over the body without its transfer coding, as the standard has it";
    ORIGINAL = "original-elsewhere" Note "the record that holds the payload is in another file";
    MANY = "not-compared" Note "verify fewer files at once";
    TAIL_OPEN = "open-tail" Note "a crawl is writing it, or was killed: the next one takes it up";
    SECOND_OPINION = "second-opinion" Violation "two readers see it differently: look at the record";
    KNOWN_ERROR = "second-opinion-known" Note "a known error of the «warc» crate, not of the file";
    // The archive as a whole.
    NO_ROW = "record-without-row" Damage REBUILD;
    NO_RECORD = "row-without-record" Damage REBUILD;
    ROW_DIFFERS = "row-differs" Damage REBUILD;
    FILE_GONE = "file-gone" Damage "put the file back from a copy, or «pressmark repair» goes on without it";
    FILE_SHORT = "file-short" Damage "put the file back from a copy, or «pressmark repair» goes on without what is gone";
    FILE_UNKNOWN = "file-unknown" Note "«pressmark repair» takes it in";
    FILE_LONG = "file-long" Damage "«pressmark repair» takes in what is whole";
    NO_ORIGINAL = "revisit-without-original" Damage "the payload is not in the archive: look for the file that held it";
    NO_CAPTURE = "row-without-capture" Damage REBUILD;
    PAYLOAD_LOST = "payload-lost" Note "its address is captured in full by the next crawl";
    // Packages and indexes.
    ZIP = "zip" Damage COPY;
    RESOURCE = "resource" Damage COPY;
    PACKAGE = "package-form" Violation TOOL;
    DEFLATED = "not-stored" Note "readers that fetch parts of a package want its files stored";
    INDEX_FORM = "index-form" Violation INDEX;
    INDEX_LINE = "index-line" Damage INDEX;
    INDEX_ORDER = "index-order" Damage "sort the index byte by byte: LC_ALL=C sort";
    INDEX_DIFFERS = "index-differs" Damage INDEX;
    INDEX_ALONE = "index-alone" Note "the file it names is not beside it, and was not looked into";
}

/// What to do when it stands in the archive that is verified: what mends that is at hand.
const AT_HOME: [(&str, &str); 2] = [
    (COPY, "take the file from a copy, or «pressmark repair» leaves out what is damaged"),
    (MEMBER_ADVICE, "the record cannot be read at its place: «pressmark repair» packs it anew"),
];

/// One thing that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub code: &'static Code,
    /// Where: the file, as it was named.
    pub file: String,
    /// The record's offset in it, or that of its gzip member or frame.
    pub offset: Option<u64>,
    /// `WARC-Record-ID`, where there is one.
    pub record: Option<String>,
    /// `WARC-Target-URI`, where there is one.
    pub url: Option<String>,
    /// What is wrong.
    pub text: String,
}

/// What was verified and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// WARC files, packages and indexes.
    pub files: u64,
    /// WARC records.
    pub records: u64,
    /// Bytes of the files, packed as they are.
    pub bytes: u64,
    /// Rows of captures compared with their records.
    pub rows: u64,
    /// The archive was verified, not files.
    pub is_archive: bool,
    /// How long it took.
    pub took: Duration,
    /// The findings, in the order of the files; at most a thousand of each code.
    pub findings: Vec<Finding>,
    counts: BTreeMap<&'static str, (Severity, u64)>,
}

impl Report {
    /// Adds a finding; beyond a thousand of its code, or without words, it is only counted.
    pub(super) fn add(&mut self, finding: Finding) {
        let (_, count) = self.counts.entry(finding.code.name).or_insert((finding.code.severity, 0));
        *count += 1;
        if *count <= EACH_MAX && !finding.text.is_empty() {
            self.findings.push(finding);
        }
    }

    /// How many findings there are of this severity.
    pub fn count(&self, severity: Severity) -> u64 {
        self.counts.values().filter(|(of, _)| *of == severity).map(|(_, count)| count).sum()
    }

    /// Nothing is missing, altered or unreadable.
    pub fn is_whole(&self) -> bool {
        self.count(Severity::Damage) == 0
    }

    fn advice(&self, code: &Code) -> &'static str {
        let at_home = AT_HOME.iter().find(|(advice, _)| self.is_archive && *advice == code.advice);
        at_home.map_or(code.advice, |(_, advice)| advice)
    }

    /// One JSON object: `verdict` (`whole` or `damaged`), `files`, `records`, `bytes`, `rows`, `seconds`, `counts` (by
    /// severity and by code) and `findings`, each with `code`, `severity`, `file`, `offset`, `record`, `url`, `what`
    /// and `advice`; at most a thousand findings a code, `counts` has them all.
    pub fn json(&self) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "code": finding.code.name,
                    "severity": finding.code.severity.as_str(),
                    "file": finding.file,
                    "offset": finding.offset,
                    "record": finding.record,
                    "url": finding.url,
                    "what": finding.text,
                    "advice": self.advice(finding.code),
                })
            })
            .collect();
        let codes: BTreeMap<&str, u64> = self.counts.iter().map(|(name, (_, count))| (*name, *count)).collect();
        json!({
            "verdict": if self.is_whole() { "whole" } else { "damaged" },
            "files": self.files,
            "records": self.records,
            "bytes": self.bytes,
            "rows": self.rows,
            "seconds": self.took.as_secs_f64(),
            "counts": {
                "damage": self.count(Severity::Damage),
                "violation": self.count(Severity::Violation),
                "note": self.count(Severity::Note),
                "codes": codes,
            },
            "findings": findings,
        })
    }

    /// The report for people: the worst first, of each code the first few and how many more there are.
    pub fn text(&self) -> String {
        const SHOWN: usize = 5;
        let mut codes: Vec<(&str, Severity, u64)> =
            self.counts.iter().map(|(name, (severity, count))| (*name, *severity, *count)).collect();
        codes.sort_by_key(|(name, severity, _)| (*severity, *name));
        let mut text = String::new();
        for (name, severity, count) in codes {
            let of_code: Vec<&Finding> = self.findings.iter().filter(|finding| finding.code.name == name).collect();
            let advice = of_code.first().map_or("", |finding| self.advice(finding.code));
            text.push_str(&format!("{} {name}: {count} ({advice})\n", severity.as_str()));
            for finding in of_code.iter().take(SHOWN) {
                text.push_str(&format!("  {}\n", line(finding)));
            }
            if count > SHOWN as u64 {
                text.push_str(&format!("  … and {} more (--json has them)\n", count - SHOWN as u64));
            }
        }
        let counted = |number: u64, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let rows = if self.rows > 0 { format!(", {}", counted(self.rows, "row")) } else { String::new() };
        text.push_str(&format!(
            "{}: {} in {}{rows}, {:.1} MB in {:.1} s; {} damaged, {} against the standard, {} noted\n",
            if self.is_whole() { "whole" } else { "DAMAGED" },
            counted(self.records, "record"),
            counted(self.files, "file"),
            self.bytes as f64 / 1e6,
            self.took.as_secs_f64(),
            self.count(Severity::Damage),
            self.count(Severity::Violation),
            self.count(Severity::Note),
        ));
        text
    }
}

fn line(finding: &Finding) -> String {
    let offset = finding.offset.map_or(String::new(), |offset| format!(", offset {offset}"));
    let about = finding.url.as_ref().or(finding.record.as_ref()).map_or(String::new(), |about| format!(" ({about})"));
    let line = format!("{}{offset}: {}{about}", finding.file, finding.text);
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
