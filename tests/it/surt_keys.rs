//! SURT keys are those of the Python package that indexers use, over URLs put together from odd parts.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use pressmark::web::surt::surt;

use crate::readers::skipped;

const SCHEMES: [&str; 12] = [
    "http://",
    "https://",
    "HTTP://",
    "ftp://",
    "http:",
    "http:////",
    "",
    "http://https://",
    "dns:",
    "urn:",
    "file:///",
    "  http://",
];
const HOSTS: [&str; 44] = [
    "example.com",
    "www.example.com",
    "WWW12.Example.COM",
    "wwww.example.com",
    "www.com",
    "www1.www.example.com",
    "example.com.",
    ".example..com",
    "example.com:80",
    "example.com:443",
    "example.com:8080",
    "example.com:",
    "example.com::",
    "example.com:0",
    "user:pass@www.example.com:81",
    "a@b@example.com",
    "10.1.2.3",
    "010.1.2.3",
    "1.2",
    "1.2.3",
    "256.1.1.1",
    "3232235777",
    "99999999999",
    "0x7f.1",
    "1.2.3.4.5",
    "[::1]",
    "[2001:DB8::1]:8080",
    "bücher.example",
    "xn--bcher-kva.example",
    "例え.テスト",
    "straße.example",
    "b%C3%BCcher.example",
    "ex%61mple.com",
    "under_score.example",
    "localhost",
    "",
    "新闻。中国",
    "EXAMPLE.com%41",
    "a b.example",
    "www.",
    "0",
    "08.1.1.1",
    "1.16777215",
    "1.16777216",
];
const PATHS: [&str; 34] = [
    "",
    "/",
    "//",
    "/a",
    "/A/B/",
    "/a//b///c",
    "/a/./b/../c",
    "/../a",
    "/a/..",
    "/a/.",
    "/a/b/..",
    "/%41%2542",
    "/%zz%4",
    "/a b",
    "/ä/日本",
    "/a;jsessionid=1A2b3C4d5E6f7A8b9C0d1E2f3A4b5C6d",
    "/(a(0123456789abcdefghijklmn))/page.aspx",
    "/x/(0123456789abcdefghijklmn)/page.aspx?z",
    "/a#frag",
    "/a/#",
    "/a%23b",
    "/a%3Fb",
    "/\t\na",
    "/a\u{b}",
    "/a~b!c$d'(e)*",
    "/a\"<>\\^`{|}",
    "/a%0Ab",
    "/a/%2e%2e/b",
    "/%2F%2F",
    "/index.php/",
    "/.",
    "/..",
    "/a%",
    "/a;b=c,d@e:f",
];
const QUERIES: [&str; 36] = [
    "",
    "?",
    "?a",
    "?b=2&a=1",
    "?B=2&A=1",
    "?a&a=&a=1",
    "?&&",
    "?a=1&&b",
    "?sid=0123456789abcdef0123456789ABCDEF",
    "?x=1&sid=0123456789abcdef0123456789ABCDEF&y=2",
    "?mysid=0123456789abcdef0123456789ABCDEF",
    "?sid=short",
    "?jsessionid=0123456789abcdef0123456789ABCDEF&a=1",
    "?PHPSESSID=0123456789abcdef0123456789ABCDEF",
    "?ASPSESSIONIDABCDEFGH=ABCDEFGHIJKLMNOPQRSTUVWX&q",
    "?cfid=1&cftoken=2",
    "?CFID=1&CFTOKEN=2&z=3",
    "?a=%41%2541",
    "?a=b c",
    "?url=http://x.example/?y=1",
    "?ä=ö",
    "?a=1#f?g",
    "?a?b",
    "?%26=%3D",
    "?=1",
    "?==",
    "?a=b=c&a=b",
    "?+a+",
    "?a%00b",
    "?b;a",
    "?[1]=2",
    "?z&y&x&w",
    "?sid=0123456789abcdef0123456789ABCDEF&sid=0123456789abcdef0123456789ABCDEF",
    "?a=1&",
    "?&a=1",
    "?%",
];

/// Every part beside plain others, and then all kinds of mixtures.
fn urls() -> Vec<String> {
    let mut urls =
        vec!["filedesc://x.arc".to_owned(), "mailto:A@B.example".to_owned(), "urn:uuid:ABC".to_owned(), "a".to_owned()];
    urls.extend(SCHEMES.iter().map(|scheme| format!("{scheme}example.com/a")));
    urls.extend(HOSTS.iter().map(|host| format!("http://{host}/a?b")));
    urls.extend(PATHS.iter().map(|path| format!("http://example.com{path}")));
    urls.extend(QUERIES.iter().map(|query| format!("https://example.com/a{query}")));
    // What people and pages write, and what it becomes: the second is what has a key in an archive. Before that, the
    // package has another opinion on full-width digits and on a no-break space, which no archive ever sees.
    for (text, url) in crate::urls::table() {
        urls.extend(Some(text).filter(|text| text.is_ascii()));
        urls.extend(Some(url).filter(|url| !url.starts_with('!')));
    }
    // A step that shares no factor with any table's length comes by all pairs sooner or later.
    urls.extend((0..2000).map(|i| {
        let [scheme, host, path, query] =
            [SCHEMES[i % 12], HOSTS[i * 7 / 3 % 44], PATHS[i * 13 / 5 % 34], QUERIES[i * 29 / 7 % 36]];
        format!("{scheme}{host}{path}{query}")
    }));
    urls
}

#[test]
fn keys_are_those_of_the_package() {
    if skipped("indexers") {
        return;
    }
    let script = "import json, sys, surt\n\
        for line in sys.stdin:\n    url = json.loads(line)\n    try:\n        key = surt.surt(url)\n    \
        except Exception:\n        key = url\n    print(json.dumps(key))\n";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/indexers/bin/python");
    let mut child =
        Command::new(python).args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let urls = urls();
    let lines: String = urls.iter().map(|url| format!("{}\n", serde_json::json!(url))).collect();
    let mut input = child.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    let keys: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(keys.len(), urls.len());
    let wrong: Vec<String> = urls
        .iter()
        .zip(&keys)
        .filter(|(url, key)| surt(url) != **key)
        .map(|(url, key)| format!("{url:?}: {key:?}, ours {:?}", surt(url)))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), urls.len(), wrong.join("\n"));
}
