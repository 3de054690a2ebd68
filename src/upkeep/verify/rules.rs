//! What WARC/1.1 asks of a record's fields, as a table (ISO 28500:2017, sections 5 and 6).

use super::finding::{CONTENT_TYPE, Code, FORM, HEAD, LEGACY, MISPLACED, MISSING, REPEATED, REVISIT, SEGMENT, VERSION};
use crate::archive::Head;

/// A set of record types.
type Kinds = u16;
const WARCINFO: Kinds = 1;
const RESPONSE: Kinds = 2;
const RESOURCE: Kinds = 4;
const REQUEST: Kinds = 8;
const METADATA: Kinds = 16;
const REVISIT_KIND: Kinds = 32;
const CONVERSION: Kinds = 64;
const CONTINUATION: Kinds = 128;
/// A type that the standard does not know, and lets be.
const OTHER: Kinds = 256;
const NONE: Kinds = 0;
const ALL: Kinds = 511;

const TYPES: [(&str, Kinds); 8] = [
    ("warcinfo", WARCINFO),
    ("response", RESPONSE),
    ("resource", RESOURCE),
    ("request", REQUEST),
    ("metadata", METADATA),
    ("revisit", REVISIT_KIND),
    ("conversion", CONVERSION),
    ("continuation", CONTINUATION),
];

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `<scheme:…>`
    Id,
    /// `scheme:…`; WARC/1.0 had angle brackets in its grammar.
    Uri,
    Date,
    Number,
    /// From 1 on.
    Ordinal,
    Digest,
    MediaType,
    Address,
    /// Why a block is not whole.
    Reason,
    Any,
}

/// What the standard says of one field.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    section: &'static str,
    form: Form,
    /// The types that must have it.
    must: Kinds,
    /// The types that must not.
    never: Kinds,
    repeats: bool,
}

const fn field(name: &'static str, section: &'static str, form: Form, must: Kinds, never: Kinds) -> Field {
    Field { name, section, form, must, never, repeats: false }
}

const fn repeated(field: Field) -> Field {
    Field { repeats: true, ..field }
}

const URLS: Kinds = RESPONSE | RESOURCE | REQUEST | REVISIT_KIND | CONVERSION | CONTINUATION;
/// The types that no exchange stands behind.
const UNWIRED: Kinds = WARCINFO | CONVERSION | CONTINUATION;
const FIRST_HAND: Kinds = WARCINFO | RESPONSE | RESOURCE | REQUEST | CONTINUATION;

const FIELDS: [Field; 23] = [
    field("WARC-Record-ID", "5.2", Form::Id, ALL, NONE),
    field("Content-Length", "5.3", Form::Number, ALL, NONE),
    field("WARC-Date", "5.4", Form::Date, ALL, NONE),
    field("WARC-Type", "5.5", Form::Any, ALL, NONE),
    field("Content-Type", "5.6", Form::MediaType, NONE, NONE),
    repeated(field("WARC-Concurrent-To", "5.7", Form::Id, NONE, UNWIRED)),
    field("WARC-Block-Digest", "5.8", Form::Digest, NONE, NONE),
    field("WARC-Payload-Digest", "5.9", Form::Digest, NONE, NONE),
    field("WARC-IP-Address", "5.10", Form::Address, NONE, UNWIRED),
    field("WARC-Refers-To", "5.11", Form::Id, NONE, FIRST_HAND),
    field("WARC-Refers-To-Target-URI", "5.12", Form::Uri, NONE, NONE),
    field("WARC-Refers-To-Date", "5.13", Form::Date, NONE, NONE),
    field("WARC-Target-URI", "5.14", Form::Uri, URLS, WARCINFO),
    field("WARC-Truncated", "5.15", Form::Reason, NONE, NONE),
    field("WARC-Warcinfo-ID", "5.16", Form::Id, NONE, WARCINFO),
    field("WARC-Filename", "5.17", Form::Any, NONE, ALL & !WARCINFO),
    field("WARC-Profile", "5.18", Form::Uri, REVISIT_KIND, NONE),
    field("WARC-Identified-Payload-Type", "5.19", Form::MediaType, NONE, NONE),
    field("WARC-Segment-Number", "5.20", Form::Ordinal, CONTINUATION, NONE),
    field("WARC-Segment-Origin-ID", "5.21", Form::Id, CONTINUATION, ALL & !CONTINUATION),
    field("WARC-Segment-Total-Length", "5.22", Form::Number, NONE, ALL & !CONTINUATION),
    // Proposals 42 and 86 of the IIPC, in use.
    repeated(field("WARC-Protocol", "proposal 42", Form::Any, NONE, NONE)),
    field("WARC-Cipher-Suite", "proposal 86", Form::Any, NONE, NONE),
];

/// The profiles of revisits that have rules of their own end so (6.7).
const IDENTICAL: &str = "/identical-payload-digest";
const NOT_MODIFIED: &str = "/server-not-modified";

/// Says of each rule that the head breaks which it is and how.
pub(super) fn check(head: &Head, say: &mut dyn FnMut(&'static Code, String)) {
    let kind = TYPES.iter().find(|(name, _)| head.kind().eq_ignore_ascii_case(name)).map_or(OTHER, |(_, kind)| *kind);
    let is_old = head.version() != "WARC/1.1";
    check_manner(head, say);
    for field in &FIELDS {
        let mut values = head.all(field.name);
        let value = values.next();
        let section = field.section;
        if values.next().is_some() && !field.repeats {
            say(&REPEATED, format!("{} stands more than once ({section})", field.name));
        }
        match value {
            None if field.must & kind != 0 => {
                say(&MISSING, format!("a {} has no {} ({section})", head.kind(), field.name));
            }
            Some(_) if field.never & kind != 0 => {
                say(&MISPLACED, format!("a {} has a {} ({section})", head.kind(), field.name));
            }
            _ => {}
        }
        for value in head.all(field.name).filter(|value| !has_form(field.form, value, is_old)) {
            say(&FORM, format!("{}: «{}» ({section})", field.name, cut(value)));
        }
    }
    match kind {
        RESPONSE | REQUEST => check_http(head, kind, say),
        REVISIT_KIND => check_revisit(head, say),
        CONTINUATION if head.field("WARC-Segment-Number") == Some("1") => {
            say(&SEGMENT, "a continuation is segment 1 (5.20)".to_owned());
        }
        WARCINFO if head.field("Content-Type").is_some_and(|media| !is_media(media, "application/warc-fields")) => {
            say(&CONTENT_TYPE, "a warcinfo is not application/warc-fields (6.2)".to_owned());
        }
        _ => {}
    }
    let says_type = head.field("Content-Type").is_some() || kind == CONTINUATION;
    if head.length.is_some_and(|length| length > 0) && !says_type {
        say(&CONTENT_TYPE, "a block without a Content-Type (5.6)".to_owned());
    }
}

fn check_manner(head: &Head, say: &mut dyn FnMut(&'static Code, String)) {
    let manner = head.manner;
    match head.version() {
        "WARC/1.1" | "WARC/1.0" => {}
        other => say(&VERSION, format!("«{}» is no version of the standard (4)", cut(other))),
    }
    if manner.bare_lf {
        say(&HEAD, "a line of the head ends without a carriage return (4)".to_owned());
    }
    if manner.odd_lines > 0 {
        say(&HEAD, format!("{} lines of the head have no colon (4)", manner.odd_lines));
    }
    if manner.folded {
        say(&LEGACY, "a field goes on in the next line (4)".to_owned());
    }
    if manner.not_utf8 {
        say(&HEAD, "a value is not UTF-8 (4)".to_owned());
    }
}

fn check_http(head: &Head, kind: Kinds, say: &mut dyn FnMut(&'static Code, String)) {
    let url = head.uri("WARC-Target-URI").unwrap_or("").to_ascii_lowercase();
    if !url.starts_with("http:") && !url.starts_with("https:") {
        return;
    }
    let Some(media) = head.field("Content-Type") else { return };
    let wanted = if kind == RESPONSE { "response" } else { "request" };
    let message = media.to_ascii_lowercase();
    let other = if kind == RESPONSE { "msgtype=request" } else { "msgtype=response" };
    if !is_media(media, "application/http") || message.contains(other) {
        let section = if kind == RESPONSE { "6.3.2" } else { "6.5.2" };
        say(&CONTENT_TYPE, format!("an HTTP {wanted} is «{}» ({section})", cut(media)));
    }
}

fn check_revisit(head: &Head, say: &mut dyn FnMut(&'static Code, String)) {
    let profile = head.uri("WARC-Profile").unwrap_or("");
    if profile.ends_with(IDENTICAL) {
        if head.field("WARC-Payload-Digest").is_none() {
            say(&REVISIT, "a revisit by digest has no WARC-Payload-Digest (6.7.2)".to_owned());
        }
    } else if !profile.is_empty() && !profile.ends_with(NOT_MODIFIED) {
        say(&LEGACY, format!("a revisit with a profile of its own: «{}» (6.7)", cut(profile)));
    }
    let refers = ["WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date"];
    if head.version() == "WARC/1.1" && refers.iter().all(|name| head.field(name).is_none()) {
        say(&REVISIT, "a revisit says nothing of the record that holds its payload (6.7)".to_owned());
    }
}

fn is_media(value: &str, media: &str) -> bool {
    value.split(';').next().is_some_and(|before| before.trim().eq_ignore_ascii_case(media))
}

fn has_form(form: Form, value: &str, is_old: bool) -> bool {
    match form {
        Form::Any => true,
        Form::Id => value.strip_prefix('<').and_then(|id| id.strip_suffix('>')).is_some_and(has_scheme),
        Form::Uri if is_old => has_scheme(value) || has_form(Form::Id, value, true),
        Form::Uri => has_scheme(value),
        Form::Date => is_date(value, is_old),
        Form::Number => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
        Form::Ordinal => value.parse::<u64>().is_ok_and(|number| number > 0),
        Form::Digest => value.split_once(':').is_some_and(|(label, value)| {
            !label.is_empty() && !value.is_empty() && !value.bytes().any(|byte| byte.is_ascii_whitespace())
        }),
        Form::MediaType => value.split(';').next().is_some_and(|media| {
            media.split_once('/').is_some_and(|(kind, sub)| !kind.trim().is_empty() && !sub.trim().is_empty())
        }),
        Form::Address => value.parse::<std::net::IpAddr>().is_ok(),
        Form::Reason => matches!(value, "length" | "time" | "disconnect" | "unspecified"),
    }
}

fn has_scheme(uri: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    uri.split_once(':')
        .is_some_and(|(scheme, _)| scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(fits))
}

/// `YYYY[-MM[-DD[Thh:mm[:ss[.f{1,9}]]Z]]]`; WARC/1.0 has the form to the second alone.
fn is_date(value: &str, is_old: bool) -> bool {
    const FORM: &str = "dddd-dd-ddTdd:dd:dd";
    let fits = |text: &str, form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(byte, want)| if want == b'd' { byte.is_ascii_digit() } else { byte == want })
    };
    let Some(time) = value.strip_suffix('Z') else {
        return !is_old && [4, 7, 10].iter().any(|len| fits(value, &FORM[..*len]));
    };
    let (seconds, fraction) =
        time.split_once('.').map_or((time, None), |(seconds, fraction)| (seconds, Some(fraction)));
    let fraction_fits = fraction.is_none_or(|digits| {
        !is_old && (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    (fits(seconds, FORM) || !is_old && fraction.is_none() && fits(seconds, &FORM[..16])) && fraction_fits
}

fn cut(value: &str) -> String {
    const MOST: usize = 80;
    if value.chars().count() <= MOST { value.to_owned() } else { value.chars().take(MOST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Reading, Source, Step};

    /// The codes and the first words of what is said of a record with these lines.
    fn said(version: &str, lines: &str) -> Vec<String> {
        let warc = format!("{version}\r\n{}\r\n\r\n\r\n\r\n", lines.replace('\n', "\r\n"));
        let mut reading = Reading::over(Source::memory(warc.into_bytes()), 0).unwrap();
        let Some(Step::Record(head)) = reading.advance().unwrap() else { panic!("no record") };
        let mut said = Vec::new();
        check(&head, &mut |code, text| said.push(format!("{}: {text}", code.name)));
        said
    }

    const GOOD: &str = "WARC-Type: response\nWARC-Record-ID: <urn:uuid:1>\nWARC-Date: 2026-11-22T13:46:25.123Z\n\
        WARC-Target-URI: http://a/\nContent-Type: application/http; msgtype=response\nContent-Length: 0";

    #[test]
    fn each_rule_speaks() {
        assert_eq!(said("WARC/1.1", GOOD), [""; 0]);
        for (from, to, want) in [
            ("WARC-Record-ID: <urn:uuid:1>\n", "", "field-missing: a response has no WARC-Record-ID (5.2)"),
            ("<urn:uuid:1>", "urn:uuid:1", "field-form: WARC-Record-ID: «urn:uuid:1» (5.2)"),
            ("http://a/", "<http://a/>", "field-form: WARC-Target-URI: «<http://a/>» (5.14)"),
            ("http://a/\n", "http://a/\nWARC-Target-URI: http://b/\n", "field-repeated: WARC-Target-URI"),
            ("http://a/\n", "http://a/\nWARC-Filename: a\n", "field-misplaced: a response has a WARC-Filename (5.17)"),
            ("http://a/\n", "http://a/\nWARC-Truncated: yes\n", "field-form: WARC-Truncated: «yes» (5.15)"),
            ("http://a/\n", "http://a/\nWARC-IP-Address: 1.2.3\n", "field-form: WARC-IP-Address: «1.2.3» (5.10)"),
            ("http://a/\n", "http://a/\nWARC-Payload-Digest: abc\n", "field-form: WARC-Payload-Digest"),
            (
                "http://a/\n",
                "http://a/\nWARC-Refers-To: <urn:uuid:2>\n",
                "field-misplaced: a response has a WARC-Refers-To",
            ),
            ("http://a/\n", "http://a/\nWARC-Segment-Number: 0\n", "field-form: WARC-Segment-Number: «0» (5.20)"),
            ("25.123Z", "25", "field-form: WARC-Date"),
            (
                "application/http; msgtype=response",
                "text/html",
                "content-type: an HTTP response is «text/html» (6.3.2)",
            ),
            ("msgtype=response", "msgtype=request", "content-type: an HTTP response"),
            ("WARC-Type: response", "WARC-Type: revisit", "field-missing: a revisit has no WARC-Profile (5.18)"),
            ("WARC-Type: response", "WARC-Type: warcinfo", "field-misplaced: a warcinfo has a WARC-Target-URI (5.14)"),
            (
                "WARC-Type: response",
                "WARC-Type: continuation",
                "field-missing: a continuation has no WARC-Segment-Number",
            ),
            ("http://a/\n", "http://a/\nnonsense\n", "head-form: 1 lines of the head have no colon"),
        ] {
            let said = said("WARC/1.1", &GOOD.replace(from, to));
            assert!(said.iter().any(|line| line.starts_with(want)), "{to}: {said:?}");
        }
        assert_eq!(said("WARC/1.2", GOOD)[0], "version: «WARC/1.2» is no version of the standard (4)");
        assert_eq!(said("WARC/1.0", &GOOD.replace(".123", "").replace("http://a/", "<http://a/>")), [""; 0]);
        let types = "http://a/\nWARC-Concurrent-To: <urn:uuid:2>\nWARC-Concurrent-To: <urn:uuid:3>\nWARC-Protocol: h2\nWARC-Protocol: tls/1.3\n";
        assert_eq!(said("WARC/1.1", &GOOD.replace("http://a/\n", types)), [""; 0]);
    }

    #[test]
    fn dates_have_any_precision() {
        for (date, new, old) in [
            ("2026", true, false),
            ("2026-11", true, false),
            ("2026-11-22", true, false),
            ("2026-11-22T13:46Z", true, false),
            ("2026-11-22T13:46:25Z", true, true),
            ("2026-11-22T13:46:25.1Z", true, false),
            ("2026-11-22T13:46:25.123456789Z", true, false),
            ("2026-11-22T13:46:25.1234567890Z", false, false),
            ("2026-11-22T13:46:25.Z", false, false),
            ("2026-11-22T13:46:25+01:00", false, false),
            ("20261122134625", false, false),
        ] {
            assert_eq!((is_date(date, false), is_date(date, true)), (new, old), "{date}");
        }
    }
}
