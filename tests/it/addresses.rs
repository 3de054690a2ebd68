//! The user's own network is not for the web to reach: a server on a private address that must never hear of a crawl,
//! and every road that a page, a feed, a name server or a redirect could lead to it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;

use crate::lantern::{pressmark, rows, run};
use crate::name_server::{Family, NameServer, Reply, addresses};
use crate::origin::{Line, Origin};

/// What the site says on each path; `VICTIM` stands for the address that must not be reached.
const SITE: [(&str, &str, &str); 10] = [
    ("/page", "text/html", "<title>t</title><p><a href='http://VICTIM/link'>a</a> <a href='http://name.example:PORT/link'>b</a>
        <a href='/redirect'>c</a> <img src='http://VICTIM/img.png'> <img src='http://cors.example/?http%3A%2F%2Fname.example%3APORT%2Fwrapped.png'>
        <link rel=stylesheet href='http://VICTIM/style.css'> <link rel=stylesheet href='/style.css'>
        <script src='http://VICTIM/script.js'></script> <img srcset='http://VICTIM/set.png 2x' src='/small.png'>"),
    ("/style.css", "text/css", "@import 'http://VICTIM/import.css'; p { background: url(http://VICTIM/back.png) }"),
    ("/feed.xml", "application/rss+xml", "<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>
        <link>http://site.example/</link><item><title>i</title><link>http://VICTIM/item</link></item></channel></rss>"),
    ("/sitemap.xml", "application/xml", "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>
        <url><loc>http://VICTIM/listed</loc></url></urlset>"),
    ("/index.xml", "application/xml", "<?xml version='1.0'?><sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>
        <sitemap><loc>http://VICTIM/deeper.xml</loc></sitemap></sitemapindex>"),
    ("/redirect", "", "http://VICTIM/redirected"),
    ("/astray", "", "http://VICTIM/astray"),
    ("/mapped", "", "http://[::ffff:127.0.7.1]:PORT/mapped"),
    ("/number", "", "http://0x7f000701:PORT/number"),
    ("/named", "", "http://name.example:PORT/named"),
];

/// What must be refused, by the guard, and be named so.
const REFUSED: [&str; 16] = [
    "http://VICTIM/seed",
    "http://[::ffff:7f00:701]:PORT/seed",
    "http://name.example:PORT/seed",
    "http://VICTIM/link",
    "http://name.example:PORT/link",
    "http://VICTIM/img.png",
    "http://name.example:PORT/wrapped.png",
    "http://VICTIM/set.png",
    "http://VICTIM/style.css",
    "http://VICTIM/script.js",
    "http://VICTIM/import.css",
    "http://VICTIM/back.png",
    "http://VICTIM/item",
    "http://VICTIM/listed",
    "http://VICTIM/deeper.xml",
    "http://VICTIM/redirected",
];

struct Web {
    site: Origin,
    victim: Origin,
    names: NameServer,
}

impl Web {
    async fn new() -> Web {
        let victim = Origin::start_at(([127, 0, 7, 1], 0).into(), None, serve_nothing).await;
        let filled = filled(victim.address);
        let pages: Arc<Vec<(&str, &str, String)>> =
            Arc::new(SITE.iter().map(|(path, media, text)| (*path, *media, filled(text))).collect());
        let site = Origin::start(None, move |line| serve(line, pages.clone())).await;
        let names = NameServer::start(|_, _| addresses("127.0.7.1 ::ffff:127.0.7.1 ::1 fe80::1")).await;
        Web { site, victim, names }
    }

    /// `pressmark crawl` that may reach the site, under its own name and two others, and nothing else.
    fn crawl(&self, archive: &Path) -> Command {
        let mut command = pressmark();
        command.args(["crawl", "--quiet", "--delay", "20ms", "--depth", "3", "--scope", "any", "--archive"]);
        command.arg(archive).arg("--name-server").arg(self.names.address.to_string());
        for host in ["site", "robots", "cors"] {
            command.arg("--resolve").arg(format!("{host}.example:80:{}", self.site.address));
        }
        command
    }

    fn fill(&self, text: &str) -> String {
        filled(self.victim.address)(text)
    }
}

fn filled(victim: SocketAddr) -> impl Fn(&str) -> String {
    move |text| text.replace("VICTIM", &victim.to_string()).replace("PORT", &victim.port().to_string())
}

async fn serve_nothing(mut line: Line) {
    while line.request().await.is_some() {
        line.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret").await;
    }
}

async fn serve(mut line: Line, pages: Arc<Vec<(&str, &str, String)>>) {
    while let Some(head) = line.request().await {
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap();
        // The robots.txt of one host leads astray, and so does everything that it might allow.
        let astray = head.contains("\r\nHost: robots.example\r\n");
        let path = if astray { "/astray" } else { path };
        let answer = match pages.iter().find(|(known, ..)| *known == path) {
            Some((_, "", target)) => format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"),
            Some((_, media, body)) => {
                format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            }
            None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        };
        line.say(answer.as_bytes()).await;
    }
}

async fn ran(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
}

/// Who refused each URL that was not fetched.
fn refusals(archive: &Path) -> Vec<(String, String)> {
    let sql = "SELECT url, coalesce(refused_by, reason) FROM failure";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows(archive, sql).iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_road_leads_to_a_private_address() {
    let web = Web::new().await;
    let archive = tempfile::tempdir().unwrap();
    let mut command = web.crawl(archive.path());
    let seeds = ["page", "feed.xml", "sitemap.xml", "index.xml", "mapped", "number", "named"];
    command.args(seeds.map(|path| format!("http://site.example/{path}"))).arg("http://robots.example/");
    let direct = ["http://VICTIM/seed", "http://[::ffff:127.0.7.1]:PORT/seed", "http://name.example:PORT/seed"];
    command.args(direct.map(|url| web.fill(url))).arg(web.fill("http://0x7f.0x701:PORT/"));
    assert!(ran(command).await.status.success());
    let refusals = refusals(archive.path());
    for url in REFUSED {
        let url = web.fill(url);
        let by = refusals.iter().find(|(refused, _)| *refused == url).map(|(_, by)| by.as_str());
        assert_eq!(by, Some("guard"), "{url} in {refusals:#?}");
    }
    let astray = refusals.iter().find(|(url, _)| url == "http://robots.example/");
    assert!(
        astray.is_some_and(|(_, why)| why.contains("is private, local or reserved")),
        "robots.txt that cannot be had allows nothing: {refusals:#?}"
    );
    assert_eq!(web.victim.connections().await, 0);
    assert!(!web.names.asked("name.example", Family::V4).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_not_asked_for_a_private_address_either() {
    let web = Web::new().await;
    // It would be told by a connection; what it is asked for is of no matter.
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = proxy.local_addr().unwrap();
    for flag in [None, Some("--proxy-dns")] {
        let archive = tempfile::tempdir().unwrap();
        let mut command = web.crawl(archive.path());
        let mut seeds = vec![web.fill("http://VICTIM/seed")];
        if flag.is_none() {
            seeds.push(web.fill("http://name.example:PORT/seed"));
        }
        command.arg("--proxy").arg(format!("http://{address}")).args(flag).args(&seeds);
        ran(command).await;
        let want: Vec<(String, String)> = seeds.into_iter().map(|seed| (seed, "guard".to_owned())).collect();
        let mut refused = refusals(archive.path());
        refused.sort();
        assert_eq!(refused, want);
    }
    let mine = tokio::net::TcpStream::connect(address).await.unwrap().local_addr().unwrap();
    assert_eq!(proxy.accept().await.unwrap().1, mine, "the first connection is this test's own");
    assert_eq!(web.victim.connections().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_its_address_is_checked_each_time() {
    let victim = Origin::start_at(([127, 0, 7, 1], 0).into(), None, serve_nothing).await;
    let port = victim.address.port();
    let serve = |mut line: Line| async move {
        line.request().await;
        line.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\npublic").await;
        line.close().await;
    };
    // Where loopback is the public net: the site on one address of it, the same port of the victim on another.
    let site = Origin::start_at(([127, 0, 7, 2], port).into(), None, serve).await;
    let names = NameServer::start(|name, before| match (name, before) {
        // Where it is, and where to connect to: what matters is the second.
        ("rebinds.example", 0 | 1) => Reply::Addresses(0, vec!["127.0.7.2".parse().unwrap()]),
        ("rebinds.example", _) => Reply::Addresses(0, vec!["127.0.7.1".parse().unwrap()]),
        _ => addresses("127.0.7.1 127.0.7.2"),
    })
    .await;
    let archive = tempfile::tempdir().unwrap();
    let mut command = pressmark();
    command.args(["crawl", "--quiet", "--robots", "ignore", "--delay", "50ms", "--allow-address", "127.0.7.2/32"]);
    command.arg("--archive").arg(archive.path()).arg("--name-server").arg(names.address.to_string());
    for (host, page) in [("rebinds", 1), ("rebinds", 2), ("mixed", 1), ("mixed", 2)] {
        command.arg(format!("http://{host}.example:{port}/{page}"));
    }
    assert!(ran(command).await.status.success());
    // One page of the first host came from where its name pointed at first; of the other both, from the one address.
    let kept = rows(archive.path(), "SELECT url, address FROM capture_log ORDER BY url");
    let hosts: Vec<&str> = kept.iter().map(|row| row[0].as_str().unwrap().split('.').next().unwrap()).collect();
    assert_eq!(hosts, ["http://mixed", "http://mixed", "http://rebinds"]);
    assert!(kept.iter().all(|row| row[1] == "127.0.7.2"), "{kept:?}");
    let refused = refusals(archive.path());
    assert!(refused.len() == 1 && refused[0].0.contains("rebinds") && refused[0].1 == "guard", "{refused:?}");
    assert_eq!((victim.connections().await, site.requests().len()), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_let_through_is_exactly_what_was_said() {
    let one = Origin::start_at(([127, 0, 7, 1], 0).into(), None, serve_nothing).await;
    let port = one.address.port();
    let other = Origin::start_at(([127, 0, 7, 2], port).into(), None, serve_nothing).await;
    let neighbour = Origin::start_at(([127, 0, 7, 1], 0).into(), None, serve_nothing).await;
    let names = NameServer::start(|_, _| addresses("127.0.7.1")).await;
    let urls = [
        format!("http://given.example:{port}/"),
        format!("http://given.example:{}/", neighbour.address.port()),
        format!("http://other.example:{port}/"),
        format!("http://127.0.7.1:{port}/"),
        format!("http://127.0.7.2:{port}/"),
        format!("http://[::ffff:127.0.7.1]:{port}/"),
    ];
    // Which of them come, by what is let through.
    for (flags, want) in [
        (vec![], [false; 6]),
        (
            vec!["--resolve".to_owned(), format!("given.example:{port}:127.0.7.1")],
            [true, false, false, false, false, false],
        ),
        (vec!["--allow-address".to_owned(), "127.0.7.1".to_owned()], [true, true, true, true, false, true]),
        (vec!["--allow-address".to_owned(), "::ffff:127.0.7.0/127".to_owned()], [true, true, true, true, false, true]),
        (vec!["--allow-address".to_owned(), "127.0.7.0/24".to_owned()], [true; 6]),
    ] {
        let archive = tempfile::tempdir().unwrap();
        let mut command = pressmark();
        command.args(["crawl", "--quiet", "--robots", "ignore", "--delay", "20ms", "--archive"]).arg(archive.path());
        command.arg("--name-server").arg(names.address.to_string()).args(&flags).args(&urls);
        ran(command).await;
        let refused: Vec<String> = refusals(archive.path()).into_iter().map(|(url, _)| url).collect();
        let kept = rows(archive.path(), "SELECT url FROM capture_log WHERE status = 200");
        for (url, want) in urls.iter().zip(want) {
            let url = pressmark::web::url::WebUrl::parse(url).unwrap();
            let (kept, refused) =
                (kept.iter().any(|row| row[0] == url.as_str()), refused.iter().any(|it| it == url.as_str()));
            assert_eq!((kept, refused), (want, !want), "{url} with {flags:?}");
        }
        if flags.is_empty() {
            let met = [one.connections().await, other.connections().await, neighbour.connections().await];
            assert_eq!(met, [0; 3]);
        }
    }
}
