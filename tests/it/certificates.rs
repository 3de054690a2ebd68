//! What stands between a name and a private conversation, seen through the built binary: certificates that are not to
//! be trusted, versions of TLS, and servers that do not speak it at all.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use pressmark::archive::Records;
use rcgen::{CertificateParams, DnType, date_time_ymd};
use rustls::version::{TLS12, TLS13};
use serde_json::Value;
use tokio_rustls::TlsAcceptor;

use crate::hostile::{self, EVIL};
use crate::lantern::{pressmark, rows, run, warcs};
use crate::origin::{Authority, Line, Origin, self_signed, self_signed_as};

async fn serve(mut line: Line) {
    while let Some(head) = line.request().await {
        let found = if head.starts_with(b"GET /robots.txt") { "404 Not Found" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {found}\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nin good hand");
        line.say(answer.as_bytes()).await;
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A server and what a client makes of its certificate.
struct Case {
    name: &'static str,
    origin: Origin,
    wrong: Option<&'static str>,
}

async fn cases(trusted: &Authority) -> Vec<Case> {
    let stranger = Authority::new();
    let versions = rustls::DEFAULT_VERSIONS;
    let mut expired = named("expired.example");
    expired.not_before = date_time_ymd(2019, 1, 1);
    expired.not_after = date_time_ymd(2020, 2, 29);
    let mut early = named("early.example");
    early.not_before = date_time_ymd(2199, 1, 1);
    early.not_after = date_time_ymd(2200, 1, 1);
    let certified = |params: &CertificateParams| trusted.certify_as(params, versions).0;
    let table: [(&str, TlsAcceptor, Option<&str>); 9] = [
        ("modern", trusted.certify_as(&named("modern.example"), &[&TLS13]).0, None),
        ("older", trusted.certify_as(&named("older.example"), &[&TLS12]).0, None),
        ("expired", certified(&expired), Some("expired on 2020-02-29")),
        ("early", certified(&early), Some("not valid before 2199-01-01")),
        ("own", self_signed("own.example"), Some("self-signed")),
        ("wrong", certified(&named("other.example")), Some("not for wrong.example")),
        ("stranger", stranger.certify_as(&named("stranger.example"), versions).0, Some("its issuer is not known here")),
        ("stranger12", stranger.certify_as(&named("x.example"), &[&TLS12]).0, Some("its issuer is not known here")),
        ("sub.wild", certified(&named("*.example")), Some("not for sub.wild.example")),
    ];
    let mut cases = Vec::new();
    for (name, tls, wrong) in table {
        cases.push(Case { name, origin: Origin::start(Some(tls), serve).await, wrong });
    }
    cases
}

fn url(name: &str) -> String {
    format!("https://{name}.example/")
}

/// `pressmark crawl` of these, trusting this authority.
fn crawl<'a>(folder: &Path, authority: &Authority, hosts: impl IntoIterator<Item = (&'a str, &'a Origin)>) -> Command {
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let mut command = pressmark();
    command.args(["crawl", "--timeout", "2s", "--archive"]).arg(folder.join("archive"));
    command.arg("--ca-file").arg(ca);
    for (name, origin) in hosts {
        command.arg("--resolve").arg(format!("{name}.example:443:{}", origin.address)).arg(url(name));
    }
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_to_be_trusted_ends_it_at_once_with_its_reason() {
    let authority = Authority::new();
    let cases = cases(&authority).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = crawl(folder.path(), &authority, cases.iter().map(|case| (case.name, &case.origin)));
    assert!(tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap().status.success());
    let archive = folder.path().join("archive");
    for Case { name, origin, wrong } in &cases {
        let failure = rows(&archive, &format!("SELECT what, reason, tries FROM failure WHERE url = '{}'", url(name)));
        match wrong {
            None => assert!(failure.is_empty(), "{name}: {failure:?}"),
            Some(why) => {
                assert_eq!(failure[0][..2], ["failed".into(), Value::from(format!("certificate: {why}"))], "{name}");
                assert!(origin.requests().is_empty(), "{name}: nothing is asked of it");
                assert_eq!(origin.connections().await, 1, "{name}: it will not pass by itself");
            }
        }
    }
    let kept = rows(&archive, "SELECT url, fault FROM capture_log WHERE role <> 'robots' ORDER BY url");
    assert_eq!(kept, ["modern", "older"].map(|name| vec![Value::from(url(name)), Value::Null]));
}

#[tokio::test(flavor = "multi_thread")]
async fn insecure_keeps_the_page_and_what_is_wrong_with_its_certificate() {
    let authority = Authority::new();
    let cases = cases(&authority).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = crawl(folder.path(), &authority, cases.iter().map(|case| (case.name, &case.origin)));
    // A second page: a session that is taken up again is judged as well.
    command.arg("--insecure").args(["--delay", "50ms"]).args(cases.iter().map(|case| format!("{}2", url(case.name))));
    assert!(tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap().status.success());
    let archive = folder.path().join("archive");
    let check = |when: &str| {
        for Case { name, wrong, .. } in &cases {
            let want = wrong.map_or(Value::Null, |why| format!("certificate: {why}").into());
            for page in ["", "2"] {
                let url = format!("{}{page}", url(name));
                let sql = format!("SELECT status, fault FROM capture_log WHERE url = '{url}'");
                assert_eq!(rows(&archive, &sql), [[Value::from(200), want.clone()]], "{url} {when}");
            }
        }
        assert_eq!(rows(&archive, "SELECT count(*) FROM failure"), [[Value::from(0)]], "{when}");
    };
    check("as crawled");
    let records = warcs(&archive).into_iter().flat_map(|file| Records::open(&file, 0).unwrap());
    let mut chains: Vec<String> = records
        .map(Result::unwrap)
        .filter(|record| record.field("Content-Type") == Some("application/pem-certificate-chain"))
        .map(|record| record.field("WARC-Target-URI").unwrap().to_owned())
        .collect();
    chains.sort();
    chains.dedup();
    assert_eq!(chains.len(), cases.len(), "every chain is kept: {chains:?}");
    // It stands in the archive, not in the database alone.
    let reindexed = run(pressmark().args(["reindex", "--quiet", "--archive"]).arg(&archive));
    assert!(reindexed.status.success());
    check("as read from the archive");
    let verified = run(pressmark().args(["verify", "--quiet", "--archive"]).arg(&archive));
    assert!(verified.status.success());
}

/// A subject, an issuer and a name for somebody else, each meant for a terminal.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_certificate_says_steers_no_terminal() {
    let mut params = CertificateParams::new(vec!["\u{1b}[2J\u{7}.example".to_owned()]).unwrap();
    for kind in [DnType::CommonName, DnType::OrganizationName, DnType::OrganizationalUnitName] {
        params.distinguished_name.push(kind, EVIL);
    }
    let authority = Authority::new();
    let mut issued_by_evil = named("own.example");
    issued_by_evil.distinguished_name = params.distinguished_name.clone();
    let wrong = Origin::start(Some(authority.certify_as(&params, rustls::DEFAULT_VERSIONS).0), serve).await;
    let own = Origin::start(Some(self_signed_as(&issued_by_evil)), serve).await;
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code) in [(&[][..], 1), (&["--json"], 1), (&["--insecure"], 0)] {
        let mut command = crawl(folder.path(), &authority, [("wrong", &wrong), ("own", &own)]);
        command.args(arguments);
        let output = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        hostile::check(&format!("crawl {arguments:?}"), &output);
    }
    let sql = "SELECT DISTINCT fault FROM capture_log WHERE fault IS NOT NULL ORDER BY fault";
    let faults = ["certificate: not for wrong.example", "certificate: self-signed"];
    assert_eq!(rows(&folder.path().join("archive"), sql), faults.map(|fault| vec![Value::from(fault)]));
    for arguments in [&["status"][..], &["show", "https://wrong.example/"], &["explain", "https://own.example/"]] {
        let output = run(pressmark().args(arguments).arg("--archive").arg(folder.path().join("archive")));
        hostile::check(&format!("{arguments:?}"), &output);
    }
}

/// RFC 6066, 3: a literal address is no name that a client may ask for.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_told_its_name_but_never_an_address() {
    let authority = Authority::new();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "modern.example".to_owned()]).unwrap();
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let shared = told.clone();
    let tls = authority.certify_as(&params, rustls::DEFAULT_VERSIONS).0;
    let origin = Origin::start(Some(tls), move |line: Line| {
        shared.lock().unwrap().insert(line.server_name().map(str::to_owned));
        serve(line)
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = crawl(folder.path(), &authority, [("modern", &origin)]);
    let literal = format!("https://{}/", origin.address);
    command.args(["--delay", "50ms", "--allow-address", "127.0.0.1/32", &literal]);
    assert!(tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap().status.success());
    let kept = rows(
        &folder.path().join("archive"),
        "SELECT url FROM capture_log WHERE role <> 'robots' AND fault IS NULL ORDER BY url DESC",
    );
    assert_eq!(kept, [url("modern"), literal].map(|url| vec![Value::from(url)]));
    assert_eq!(*told.lock().unwrap(), BTreeSet::from([None, Some("modern.example".to_owned())]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_is_told_apart() {
    // An alert of TLS 1.0 that says: protocol version.
    let old = Origin::start(None, |line: Line| say(line, b"\x15\x03\x01\x00\x02\x02\x46")).await;
    let garbage = Origin::start(None, |line: Line| say(line, b"\x00\x01\x02\x03garbage, and more of it")).await;
    let plain = Origin::start(None, |line: Line| say(line, b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let closing = Origin::start(None, Line::close).await;
    let mute = Origin::start(None, Line::hang).await;
    let cases = [
        ("old", &old, "TLS failed (the server has neither TLS 1.2 nor 1.3, or no cipher that we have)"),
        ("garbage", &garbage, "TLS failed (what the server sends is not TLS)"),
        ("plain", &plain, "TLS failed (what the server sends is not TLS)"),
        ("closing", &closing, "TLS failed (the server closed the connection)"),
        ("mute", &mute, "TLS handshake timed out"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut command = crawl(folder.path(), &Authority::new(), cases.map(|(name, origin, _)| (name, origin)));
    assert_eq!(tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap().status.code(), Some(1));
    for (name, _, why) in cases {
        let sql = format!("SELECT reason FROM failure WHERE url = '{}'", url(name));
        assert_eq!(rows(&folder.path().join("archive"), &sql), [[Value::from(why)]], "{name}");
    }
}

/// Says this, and nothing more.
async fn say(mut line: Line, bytes: &'static [u8]) {
    line.say(bytes).await;
    line.hang().await;
}
