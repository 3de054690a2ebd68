//! From names to connections, by the built binary: what name servers may say, how long it is believed, and which of
//! many addresses is used.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};

use crate::lantern::{pressmark, rows, run};
use crate::name_server::{Family, NO_SUCH_NAME, NameServer, REFUSED, Reply, SERVER_FAILURE, addresses};
use crate::origin::{Line, Origin};

/// A page for every request, on a connection of its own.
async fn serve(mut line: Line) {
    if let Some(head) = line.request().await {
        let found = if head.starts_with(b"GET /robots.txt") { "404 Not Found" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {found}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nhere it is");
        line.say(answer.as_bytes()).await;
        line.close().await;
    }
}

/// `pressmark crawl` with this name server, into this archive, where loopback is as public as anything.
fn crawl(archive: &std::path::Path, server: &NameServer) -> Command {
    let mut command = pressmark();
    command.args([
        "crawl",
        "--quiet",
        "--robots",
        "ignore",
        "--allow-address",
        "127.0.0.0/8",
        "--allow-address",
        "::1/128",
        "--archive",
    ]);
    command.arg(archive).arg("--name-server").arg(server.address.to_string());
    command
}

/// What became of each URL: its status, or why there is none.
fn ends(archive: &std::path::Path) -> HashMap<String, String> {
    let sql = "SELECT url, 'kept' FROM capture_log UNION SELECT url, coalesce(refused_by, reason) FROM failure";
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows(archive, sql).iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
}

const MANY: &str = "127.0.9.1 127.0.9.2 127.0.9.3 127.0.9.4 127.0.9.5 127.0.9.6 127.0.9.7 127.0.9.8 127.0.9.9";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_name_server_says_a_page_is_kept_or_the_reason_is() {
    let origin = Origin::start(None, serve).await;
    let here = origin.address.ip();
    // What it says of a name; the first attempt or two may be worse.
    let zone = move |name: &str, before: usize| match name.split('.').next().unwrap() {
        "plain" => addresses("127.0.0.1"),
        "alias" => Reply::Alias(vec!["a.alias.example", "b.alias.example"], here),
        "truncated" => Reply::ByTcp(vec![here]),
        "late" => Reply::Late(Duration::from_millis(300), Box::new(addresses("127.0.0.1"))),
        "mute-on-v6" => Reply::MuteOnV6(here),
        "sixty" => addresses(&format!("{} 127.0.0.1", [MANY; 7].join(" "))),
        "dead-v6" => addresses("::1 127.0.0.1"),
        "mixed" => addresses("10.0.0.1 ::1 127.0.0.1 169.254.169.254"),
        "recovers" if before < 3 => Reply::Code(SERVER_FAILURE),
        "recovers" => addresses("127.0.0.1"),
        "nobody" => Reply::Code(NO_SUCH_NAME),
        "empty" => Reply::Code(0),
        "private" => addresses("10.0.0.1 192.168.0.1"),
        "trouble" => Reply::Code(SERVER_FAILURE),
        "refused" => Reply::Code(REFUSED),
        "garbage" => Reply::Garbage,
        _ => Reply::Silence,
    };
    let server = NameServer::start(zone).await;
    let archive = tempfile::tempdir().unwrap();
    let cases = [
        ("plain", "kept"),
        ("alias", "kept"),
        ("truncated", "kept"),
        ("late", "kept"),
        ("mute-on-v6", "kept"),
        ("sixty", "kept"),
        ("dead-v6", "kept"),
        ("mixed", "kept"),
        ("recovers", "kept"),
        ("nobody", "name does not resolve (there is no such name)"),
        ("empty", "name does not resolve (it has no address)"),
        ("private", "guard"),
        ("trouble", "name does not resolve (the name server answered Server Failure)"),
        ("refused", "name does not resolve (the name server answered Query Refused)"),
        ("garbage", "name does not resolve (the name server's answer makes no sense)"),
        ("silent", "name does not resolve (no answer in time)"),
    ];
    let url = |name: &str| format!("http://{name}.example:{}/", origin.address.port());
    let mut command = crawl(archive.path(), &server);
    command.args(["--timeout", "1500ms"]).args(cases.map(|(name, _)| url(name)));
    let done = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert!(done.status.success());
    let ends = ends(archive.path());
    for (name, want) in cases {
        let got = ends.get(&url(name)).map(String::as_str);
        assert_eq!(got, Some(want), "{name}");
        let asked = server.asked(&format!("{name}.example"), Family::V4).len();
        match name {
            // Final: nobody waits for a name that does not exist.
            "nobody" | "empty" | "private" | "plain" => assert_eq!(asked, 1, "{name}"),
            "trouble" | "refused" | "silent" => assert!(asked >= 3, "{name} was asked for {asked} times"),
            _ => {}
        }
    }
    let by_tcp = server.asked("truncated.example", Family::V4);
    assert_eq!(by_tcp.iter().map(|one| one.by_tcp).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_believed_for_its_time_to_live_and_no_longer() {
    const PAGES: usize = 10;
    let origin = Origin::start(None, serve).await;
    let here = vec![origin.address.ip()];
    let zone = move |name: &str, _: usize| {
        let ttl = if name.starts_with("short.") { 1 } else { 60 };
        Reply::Addresses(ttl, here.clone())
    };
    let server = NameServer::start(zone).await;
    let archive = tempfile::tempdir().unwrap();
    let mut command = crawl(archive.path(), &server);
    command.args(["--delay", "300ms"]);
    for host in ["short", "long"] {
        command.args((0..PAGES).map(|n| format!("http://{host}.example:{}/{n}", origin.address.port())));
    }
    let done = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert!(done.status.success());
    assert_eq!(origin.connections().await, 2 * PAGES, "every page had a connection of its own");
    assert_eq!(server.asked("long.example", Family::V4).len(), 1);
    let short = server.asked("short.example", Family::V4);
    // Nine gaps of 0.3 seconds.
    assert!((2..=4).contains(&short.len()), "{short:?}");
    for pair in short.windows(2) {
        // What it says is good for a second is known a little later than it was said.
        assert!(pair[1].at - pair[0].at > Duration::from_millis(950), "{short:?}");
    }
}

/// An address where connections hang: its queue is full, and nobody takes from it.
struct Tarpit {
    _socket: tokio::net::TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Tarpit {
    async fn at(address: SocketAddr) -> Tarpit {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address).unwrap();
        let socket = socket.listen(1).unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
            waiting.push(stream.unwrap());
        }
        Tarpit { _socket: socket, _waiting: waiting }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_addresses_cost_a_quarter_of_a_second_each_and_not_the_time_limit() {
    let origin = Origin::start(None, serve).await;
    let port = origin.address.port();
    let dead = [Ipv4Addr::new(127, 0, 8, 1), Ipv4Addr::new(127, 0, 8, 2)];
    let mut tarpits = Vec::new();
    for address in dead {
        tarpits.push(Tarpit::at(SocketAddr::from((address, port))).await);
    }
    let all: Vec<IpAddr> = dead.map(IpAddr::V4).into_iter().chain([origin.address.ip()]).collect();
    let server = NameServer::start(move |_, _| Reply::Addresses(60, all.clone())).await;
    let archive = tempfile::tempdir().unwrap();
    let mut command = crawl(archive.path(), &server);
    command.arg(format!("http://site.example:{port}/"));
    let start = Instant::now();
    let done = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert!(done.status.success());
    // 30 seconds is the limit.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let kept = rows(archive.path(), "SELECT address FROM capture_log");
    assert_eq!(kept, [[Value::from("127.0.0.1")]]);
    assert_eq!(origin.connections().await, 1, "one connection wins, and no other is kept");
}
