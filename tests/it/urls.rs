//! What people and pages write for URLs: what it means, or why nothing can be asked for. One table; every row is a
//! seed in a list, an argument of `explain`, a link of a page and the target of a redirect.

use std::collections::HashSet;

use pressmark::archive::{Notes, Records};
use pressmark::web::url::{LONGEST, Login, WebUrl};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::lantern::{pressmark, rows, run, warcs};
use crate::origin::{Line, Origin};

/// A text and its URL; or `!` and how the reason begins.
#[rustfmt::skip]
const TABLE: [(&str, &str); 152] = [
    // Plain, and what is the same.
    ("http://h.example", "http://h.example/"),
    ("HTTPS://H.EXAMPLE/A", "https://h.example/A"),
    ("http://h.example/a/./b/../c", "http://h.example/a/c"),
    ("http://h.example/../../a", "http://h.example/a"),
    ("http://h.example/%2e%2E/a", "http://h.example/a"),
    ("http://h.example//a//b", "http://h.example//a//b"),
    ("http://h.example?q", "http://h.example/?q"),
    ("http://h.example/?", "http://h.example/?"),
    ("http://h.example/a?b?c", "http://h.example/a?b?c"),
    ("http:h.example/a", "http://h.example/a"),
    ("http:/h.example/a", "http://h.example/a"),
    ("http:////h.example/a", "http://h.example/a"),
    ("http:\\\\h.example\\a\\b", "http://h.example/a/b"),
    ("http://h.example/a?b\\c", "http://h.example/a?b\\c"),
    ("http://h.example/a;b=c,d", "http://h.example/a;b=c,d"),
    ("http://h.example/a'b(c)!*", "http://h.example/a'b(c)!*"),
    ("http://h.example/a\"b<c>d`e{f}g", "http://h.example/a%22b%3Cc%3Ed%60e%7Bf%7Dg"),
    ("http://h.example/a|b^c[d]", "http://h.example/a|b^c[d]"),
    ("http://h.example/?a'b\"c<d>e", "http://h.example/?a%27b%22c%3Cd%3Ee"),
    // Fragments.
    ("http://h.example/#top", "http://h.example/"),
    ("http://h.example/a#b#c?d", "http://h.example/a"),
    ("http://h.example#", "http://h.example/"),
    ("http://h.example/?a=%23#b", "http://h.example/?a=%23"),
    ("http://h.example/#!/a/route", "http://h.example/"),
    // Logins.
    ("http://user@h.example/", "http://h.example/"),
    ("http://user:word@h.example/", "http://h.example/"),
    ("http://:word@h.example/", "http://h.example/"),
    ("http://@h.example/", "http://h.example/"),
    ("http://:@h.example/", "http://h.example/"),
    ("http://a@b@h.example/", "http://h.example/"),
    ("http://us%40er:wo%3Ard@h.example/a", "http://h.example/a"),
    ("http://h.example@other.example/", "http://other.example/"),
    ("http://h.example:80@other.example/", "http://other.example/"),
    ("http://h.example/@name", "http://h.example/@name"),
    ("http://h.example\\@other.example/", "http://h.example/@other.example/"),
    ("http://user@/", "!not a URL (it names no host)"),
    ("http://user:word@:80/", "!not a URL (it names no host)"),
    // Ports.
    ("http://h.example:80/", "http://h.example/"),
    ("https://h.example:443/", "https://h.example/"),
    ("http://h.example:443/", "http://h.example:443/"),
    ("http://h.example:/", "http://h.example/"),
    ("http://h.example:00080/", "http://h.example/"),
    ("http://h.example:8080", "http://h.example:8080/"),
    ("http://h.example:65535/", "http://h.example:65535/"),
    ("http://h.example:0/", "!port 0 cannot be connected to"),
    ("https://h.example:000/", "!port 0 cannot be connected to"),
    ("http://h.example:65536/", "!not a URL (its port is no number up to 65535)"),
    ("http://h.example:99999999999999999999/", "!not a URL (its port is no number up to 65535)"),
    ("http://h.example:-1/", "!not a URL (its port is no number up to 65535)"),
    ("http://h.example:+80/", "!not a URL (its port is no number up to 65535)"),
    ("http://h.example:8o/", "!not a URL (its port is no number up to 65535)"),
    ("http://h.example:80:80/", "!not a URL (its port is no number up to 65535)"),
    ("http://h.example:８０/", "!not a URL (its port is no number up to 65535)"),
    // Names.
    ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ("http://BÜCHER.example/", "http://xn--bcher-kva.example/"),
    ("http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"),
    ("http://bu\u{308}cher.example/", "http://xn--bcher-kva.example/"),
    ("http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"),
    ("http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/"),
    ("http://straße.example/", "http://xn--strae-oqa.example/"),
    ("http://STRASSE.example/", "http://strasse.example/"),
    ("http://例え.example/", "http://xn--r8jz45g.example/"),
    ("http://新闻。example/", "http://xn--efvy88h.example/"),
    ("http://h．example/", "http://h.example/"),
    ("http://ｈ.example/", "http://h.example/"),
    ("http://h\u{ad}.example/", "http://h.example/"),
    ("http://faß.example/ß", "http://xn--fa-hia.example/%C3%9F"),
    ("http://a_b.example/", "http://a_b.example/"),
    ("http://-a-.example/", "http://-a-.example/"),
    ("http://localhost/", "http://localhost/"),
    ("http://h.example./", "http://h.example./"),
    ("http://xn--zn7c.com/", "!not a URL (its host is no valid name)"),
    ("http://xn--a.example/", "!not a URL (its host is no valid name)"),
    ("http://\u{202e}h.example/", "!not a URL (its host is no valid name)"),
    ("http://h .example/", "!not a URL (its host is no valid name)"),
    ("http://h%20.example/", "!not a URL (its host is no valid name)"),
    ("http://h%2fa.example/", "!not a URL (its host is no valid name)"),
    ("http://h%00.example/", "!not a URL (its host is no valid name)"),
    ("http://h%zz.example/", "!not a URL (its host is no valid name)"),
    ("http://h<b>.example/", "!not a URL (its host is no valid name)"),
    ("http://h|.example/", "!not a URL (its host is no valid name)"),
    ("http://h^.example/", "!not a URL (its host is no valid name)"),
    ("http://", "!not a URL (it names no host)"),
    ("http:///", "!not a URL (it names no host)"),
    ("https:", "!not a URL (it names no host)"),
    ("http://?q", "!not a URL (it names no host)"),
    ("http://#a", "!not a URL (it names no host)"),
    ("http://:80/", "!not a URL (it names no host)"),
    ("http://./", "!not a URL (it names no host)"),
    ("http://../", "!not a URL (its host is no valid name)"),
    ("http://a..b/", "!not a URL (its host is no valid name)"),
    ("http://h.example../", "!not a URL (its host is no valid name)"),
    ("http://a.1../", "!not a URL (its host is no valid name)"),
    ("http://1.2.3.4.5../", "!not a URL (its host is no valid name)"),
    // Addresses.
    ("http://127.0.0.1/", "http://127.0.0.1/"),
    ("http://0x7f000001/", "http://127.0.0.1/"),
    ("http://0X7F.1/", "http://127.0.0.1/"),
    ("http://017700000001/", "http://127.0.0.1/"),
    ("http://2130706433/", "http://127.0.0.1/"),
    ("http://127.1/", "http://127.0.0.1/"),
    ("http://127.0.1/", "http://127.0.0.1/"),
    ("http://127.0.0.1./", "http://127.0.0.1/"),
    ("http://１２７.0.0.1/", "http://127.0.0.1/"),
    ("http://%31%32%37.0.0.1/", "http://127.0.0.1/"),
    ("http://0/", "http://0.0.0.0/"),
    ("http://[::1]/", "http://[::1]/"),
    ("http://[0:0:0:0:0:0:0:1]:8080/", "http://[::1]:8080/"),
    ("http://[2001:DB8::00A]/", "http://[2001:db8::a]/"),
    ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    ("http://256.0.0.1/", "!not a URL (its host ends in a number, and is no IPv4 address)"),
    ("http://1.2.3.4.5/", "!not a URL (its host ends in a number, and is no IPv4 address)"),
    ("http://4294967296/", "!not a URL (its host ends in a number, and is no IPv4 address)"),
    ("http://09.1.1.1/", "!not a URL (its host ends in a number, and is no IPv4 address)"),
    ("http://h.example.0x7g.1/", "!not a URL (its host ends in a number, and is no IPv4 address)"),
    ("http://[fe80::1%25eth0]/", "!not a URL (what stands in brackets is no IPv6 address"),
    ("http://[fe80::1%eth0]/", "!not a URL (what stands in brackets is no IPv6 address"),
    ("http://[::1/", "!not a URL (what stands in brackets is no IPv6 address"),
    ("http://[]/", "!not a URL (what stands in brackets is no IPv6 address"),
    ("http://[1.2.3.4]/", "!not a URL (what stands in brackets is no IPv6 address"),
    ("http://::1/", "!not a URL (it names no host)"),
    // Percent signs, and what should have been written with them.
    ("http://h.example/a%2fb", "http://h.example/a%2fb"),
    ("http://h.example/a%2Fb", "http://h.example/a%2Fb"),
    ("http://h.example/%zz", "http://h.example/%zz"),
    ("http://h.example/%", "http://h.example/%"),
    ("http://h.example/100%/b", "http://h.example/100%/b"),
    ("http://h.example/%00", "http://h.example/%00"),
    ("http://h.example/%41", "http://h.example/%41"),
    ("http://h.example/%E9", "http://h.example/%E9"),
    ("http://h.example/a b", "http://h.example/a%20b"),
    ("http://h.example/?a b+c", "http://h.example/?a%20b+c"),
    ("http://h.example/中?文", "http://h.example/%E4%B8%AD?%E6%96%87"),
    ("http://h.example/\u{202e}a", "http://h.example/%E2%80%AEa"),
    ("http://h.example/\u{1b}[2J", "http://h.example/%1B[2J"),
    ("http://h.example/\u{7f}", "http://h.example/%7F"),
    ("http://h.example/\u{fffd}", "http://h.example/%EF%BF%BD"),
    ("http://h.example/../../etc/passwd", "http://h.example/etc/passwd"),
    // White space.
    ("  http://h.example/a  ", "http://h.example/a"),
    ("\u{c}http://h.example/a", "http://h.example/a"),
    ("ht\ttp://h.exa\nmple/\r\na\tb", "http://h.example/ab"),
    ("\u{a0}http://h.example/", "!not a URL (it does not begin with http:// or https://)"),
    // Other schemes, and none.
    ("data:text/html,<p>", "!scheme data: is not crawled"),
    ("javascript:void(0)", "!scheme javascript: is not crawled"),
    ("JavaScript://h.example/%0Aalert(1)", "!scheme javascript: is not crawled"),
    ("blob:http://h.example/9115d58c", "!scheme blob: is not crawled"),
    ("mailto:desk@h.example", "!scheme mailto: is not crawled"),
    ("file:///etc/passwd", "!scheme file: is not crawled"),
    ("ftp://h.example/a", "!scheme ftp: is not crawled"),
    ("gopher://h.example/1", "!scheme gopher: is not crawled"),
    ("tel:+123", "!scheme tel: is not crawled"),
    ("about:blank", "!scheme about: is not crawled"),
    ("ws://h.example/", "!scheme ws: is not crawled"),
    ("view-source:http://h.example/", "!scheme view-source: is not crawled"),
];

/// Texts that stand for themselves only where there is no page to be relative to.
const RELATIVE: [&str; 8] =
    ["", "/", "//h.example/", "h.example/a", "www.h.example", "://h.example/", "?q", "1http://h.example/"];

/// The table, and what is too long for it: each text with its URL, or `!` and how the reason begins.
pub fn table() -> Vec<(String, String)> {
    let mut all: Vec<_> = TABLE.iter().map(|(text, want)| ((*text).to_owned(), (*want).to_owned())).collect();
    let fits = format!("http://h.example/{}", "a".repeat(LONGEST - "http://h.example/".len()));
    all.push((fits.clone() + "a", format!("!longer than {LONGEST} characters")));
    all.push((fits.clone(), fits));
    all
}

fn is_refused(want: &str) -> Option<&str> {
    want.strip_prefix('!')
}

#[test]
fn a_text_is_a_url_or_has_a_reason() {
    let mut wrong = Vec::new();
    for (text, want) in table() {
        let got = WebUrl::parse(&text).map_or_else(|cause| format!("!{cause}"), String::from);
        let holds = if is_refused(&want).is_some() { got.starts_with(&want) } else { got == want };
        if !holds {
            wrong.push(format!("{text:?} is {got:?}, not {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for text in RELATIVE {
        let cause = WebUrl::parse(text).unwrap_err().to_string();
        assert_eq!(cause, "not a URL (it does not begin with http:// or https://)", "{text:?}");
    }
}

#[test]
fn explain_says_what_a_text_means() {
    let folder = TempDir::new().unwrap();
    let table = table();
    let mut command = pressmark();
    command.current_dir(folder.path()).args(["explain", "--json", "--"]).args(table.iter().map(|(text, _)| text));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let (said, why) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let canonical: Vec<&str> = said.iter().map(|line| line["canonical"].as_str().unwrap()).collect();
    let wanted: Vec<&str> =
        table.iter().map(|(_, want)| want.as_str()).filter(|want| is_refused(want).is_none()).collect();
    assert_eq!(canonical, wanted);
    // Sentences go on over no line end: what was typed is shown on one line.
    let refused: Vec<&str> = table.iter().filter_map(|(_, want)| is_refused(want)).collect();
    assert_eq!(why.lines().count(), refused.len(), "{why}");
    for (line, reason) in why.lines().zip(refused) {
        assert!(line.contains(&format!("»: {reason}")), "{line} does not say {reason}");
    }
}

#[test]
fn a_list_has_a_url_or_a_reject_on_each_line() {
    let folder = TempDir::new().unwrap();
    // A list has words on lines: what has white space is another matter there.
    let words = |text: &str| !text.trim().contains(char::is_whitespace) && text.trim() == text;
    // Two logins for a host are a mistake of their own: see `secrets`.
    let words = |text: &str| words(text) && Login::of(text).is_none();
    let mut all: Vec<(String, String)> = table().into_iter().filter(|(text, _)| words(text)).collect();
    let no_url = "!not a URL (it does not begin with http:// or https://)".to_owned();
    all.extend(RELATIVE.iter().filter(|text| !text.is_empty()).map(|text| ((*text).to_owned(), no_url.clone())));
    all.push(("http://h.example/\0".to_owned(), "http://h.example/%00".to_owned()));
    let list: String = all.iter().map(|(text, _)| format!("{text}\n")).collect();
    // Text with a NUL in its beginning is taken for binary.
    std::fs::write(folder.path().join("list.txt"), format!("{}{list}", "# padding\n".repeat(1000))).unwrap();
    let mut command = pressmark();
    // Every URL is out of scope: the rule is said with the URL as it is understood, and nothing is asked for.
    command.current_dir(folder.path()).args(["crawl", "list.txt", "--quiet", "--exclude", "."]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let mut known = HashSet::new();
    for (number, (text, want)) in (1001..).zip(&all) {
        let begins = format!("rejected: list.txt:{number}: ");
        let found = said.lines().find_map(|line| line.strip_prefix(&begins));
        match (found, is_refused(want)) {
            (None, None) => assert!(known.contains(want), "{text:?} is nowhere, and was not there before: {said}"),
            (None, Some(reason)) => panic!("{text:?} is not rejected, {reason}: {said}"),
            (Some(found), Some(reason)) => assert!(found.starts_with(reason), "{text:?}: {found}"),
            (Some(found), None) if want.len() < 100 => {
                assert!(found.ends_with(&format!(": {want}")), "{text:?}: {found}");
            }
            (Some(found), None) => assert!(found.ends_with('…'), "{text:?}: {found}"),
        }
        known.insert(want);
    }
}

/// A page with the links, and a redirect to each target.
async fn serve(mut line: Line, page: String, targets: Vec<String>) {
    while let Some(head) = line.request().await {
        let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
        let target = path.strip_prefix("/to/").map(|number| &targets[number.parse::<usize>().unwrap()]);
        let said = match (target, path.as_str()) {
            (Some(target), _) => format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"),
            (None, "/") => format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            ),
            _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        };
        line.say(said.as_bytes()).await;
    }
}

#[test]
fn links_and_redirects_lead_where_the_table_says() {
    let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
    let all = table();
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
    let links: String =
        all.iter().map(|(text, _)| format!("<p><a href=\"{}\">a link</a></p>\n", escaped(text))).collect();
    let page = format!("<!doctype html><title>Links</title>\n{links}");
    // A field has one line; a redirect to a good address would be followed.
    let refused = all.iter().filter(|(text, want)| is_refused(want).is_some() && !text.contains(['\n', '\u{a0}']));
    let (targets, reasons): (Vec<String>, Vec<String>) = refused.cloned().unzip();
    let count = targets.len();
    let origin = runtime.block_on(Origin::start(None, move |line| serve(line, page.clone(), targets.clone())));
    let seeds: String = (0..count).map(|number| format!("http://page.example/to/{number}\n")).collect();
    std::fs::write(folder.path().join("list.txt"), format!("http://page.example/\n{seeds}")).unwrap();
    let mut command = pressmark();
    command.current_dir(folder.path()).args(["crawl", "list.txt", "--delay", "1ms", "--per-host", "4", "--depth", "0"]);
    let output = run(command.arg("--resolve").arg(format!("page.example:80:{}", origin.address)));
    assert_eq!(output.status.code(), Some(0));

    let archive = folder.path().join("archive");
    let records = warcs(&archive).into_iter().flat_map(|file| Records::open(&file, 0).unwrap()).map(Result::unwrap);
    let mut notes = records.filter(|record| {
        record.kind() == "metadata" && record.field("WARC-Target-URI") == Some("http://page.example/")
    });
    let notes = Notes::of_block(&notes.next().unwrap().block).unwrap();
    for (text, want) in &all {
        if is_refused(want).is_none() {
            assert!(notes.outlinks.contains(want), "{text:?} is no link to {want}");
        }
    }
    for link in &notes.outlinks {
        // A no-break space is no white space to the URL standard: such a link is relative.
        let known = all.iter().any(|(_, want)| want == link) || link.starts_with("http://page.example/");
        assert!(known, "{link} is nobody's link");
    }

    let failures = rows(&archive, "SELECT url, reason FROM failure");
    for (number, want) in reasons.iter().enumerate() {
        let url = format!("http://page.example/to/{number}");
        let row = failures.iter().find(|row| row[0] == url.as_str()).unwrap_or_else(|| panic!("{url} did not fail"));
        let reason = row[1].as_str().unwrap();
        let holds = reason.starts_with("redirects to «") && reason.contains(is_refused(want).unwrap());
        assert!(holds, "{url}: {reason}, not {want}");
    }
}
