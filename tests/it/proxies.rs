//! Upstream proxies, seen through the built binary: what is recorded is what the origin said, whatever lies between, and
//! the proxy's password is nowhere.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use pressmark::archive::Records;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::lantern::{nobody, pressmark, rows, run, warcs};
use crate::origin::{Authority, Line, Origin};

/// How a proxy behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// `CONNECT` of HTTP, with name and password or without.
    Connect {
        password: bool,
    },
    /// SOCKS5, likewise.
    Socks {
        password: bool,
    },
    /// Says this to whatever comes.
    Says(&'static [u8]),
    /// SOCKS5 that refuses with this code.
    SocksRefuses(u8),
    Silent,
    Closes,
}

/// A proxy that leads everything to one place, and remembers where it was asked to go.
struct Relay {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    async fn start(manner: Manner, to: SocketAddr) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let heard = heard.clone();
                tokio::spawn(async move { relay(stream, manner, to, &heard).await });
            }
        });
        Relay { address, asked, task }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked.dedup();
        asked
    }
}

/// What `jo:s3cret` becomes in `Proxy-Authorization`.
const PAIR: &str = "am86czNjcmV0";

async fn relay(mut client: TcpStream, manner: Manner, to: SocketAddr, asked: &Mutex<Vec<String>>) -> Option<()> {
    let destination = match manner {
        Manner::Connect { password } => {
            let head = head(&mut client).await?;
            if password && !head.contains(&format!("\r\nProxy-Authorization: Basic {PAIR}\r\n")) {
                client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.ok()?;
                return None;
            }
            client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 relay\r\n\r\n").await.ok()?;
            head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned()
        }
        Manner::Socks { password } => {
            let destination = socks(&mut client, password).await?;
            client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await.ok()?;
            destination
        }
        Manner::SocksRefuses(code) => {
            let destination = socks(&mut client, false).await?;
            client.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
            asked.lock().unwrap().push(destination);
            return None;
        }
        Manner::Says(words) => {
            client.write_all(words).await.ok()?;
            // What has come is read, so that the end is not a reset.
            let _ = client.read(&mut [0; 4096]).await;
            return None;
        }
        Manner::Silent => {
            let _ = client.read_to_end(&mut Vec::new()).await;
            return None;
        }
        Manner::Closes => {
            let _ = client.read(&mut [0; 4096]).await;
            return None;
        }
    };
    asked.lock().unwrap().push(destination);
    let mut origin = TcpStream::connect(to).await.ok()?;
    copy_bidirectional(&mut client, &mut origin).await.ok()?;
    Some(())
}

async fn head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// The server's side of RFC 1928 and 1929, up to the request.
async fn socks(client: &mut TcpStream, password: bool) -> Option<String> {
    let [version, count] = [client.read_u8().await.ok()?, client.read_u8().await.ok()?];
    let mut methods = vec![0; usize::from(count)];
    client.read_exact(&mut methods).await.ok()?;
    let method = if password { 2 } else { 0 };
    if version != 5 || !methods.contains(&method) {
        client.write_all(&[5, 0xff]).await.ok()?;
        return None;
    }
    client.write_all(&[5, method]).await.ok()?;
    if password {
        client.read_u8().await.ok()?;
        let pair = [text(client).await?, text(client).await?];
        let known = pair == ["jo", "s3cret"];
        client.write_all(&[1, u8::from(!known)]).await.ok()?;
        known.then_some(())?;
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await.ok()?;
    let host = match request {
        [5, 1, 0, 1] => std::net::Ipv4Addr::from(client.read_u32().await.ok()?).to_string(),
        [5, 1, 0, 3] => text(client).await?,
        [5, 1, 0, 4] => format!("[{}]", std::net::Ipv6Addr::from(client.read_u128().await.ok()?)),
        _ => return None,
    };
    Some(format!("{host}:{}", client.read_u16().await.ok()?))
}

async fn text(client: &mut TcpStream) -> Option<String> {
    let mut text = vec![0; usize::from(client.read_u8().await.ok()?)];
    client.read_exact(&mut text).await.ok()?;
    String::from_utf8(text).ok()
}

const ANSWER: &[u8] =
    b"HTTP/1.1 200 Fine by Me\r\nX-oDd: 1\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

async fn serve(mut line: Line) {
    while line.request().await.is_some() {
        line.say(ANSWER).await;
    }
}

fn crawl(archive: &Path, proxy: &str) -> Command {
    let mut command = pressmark();
    command.args(["crawl", "--quiet", "--robots", "ignore", "--timeout", "1s", "--proxy", proxy, "--archive"]);
    command.arg(archive);
    command
}

async fn ran(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
}

/// Nothing of an archive and of what was printed holds the password, in any spelling.
fn check_secrecy(archive: &Path, output: &Output) {
    let mut all = [output.stdout.clone(), output.stderr.clone()].concat();
    for file in warcs(archive) {
        for record in Records::open(&file, 0).unwrap().map(Result::unwrap) {
            all.extend_from_slice(&record.block);
        }
    }
    all.extend(std::fs::read(archive.join("pressmark.sqlite3")).unwrap());
    for secret in ["s3cret", "s3cr%65t", PAIR] {
        assert!(!all.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret} is told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_proxy_the_origin_is_recorded_as_if_there_were_none() {
    let authority = Authority::new();
    let origin = Origin::start(None, serve).await;
    let (tls, _) = authority.certify("tls.example");
    let sealed = Origin::start(Some(tls), serve).await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    for (n, (scheme, manner)) in [
        ("http://", Manner::Connect { password: false }),
        ("http://jo:s3cr%65t@", Manner::Connect { password: true }),
        ("socks5://", Manner::Socks { password: false }),
        ("socks5://jo:s3cret@", Manner::Socks { password: true }),
    ]
    .into_iter()
    .enumerate()
    {
        for (host, to, by_name) in [("plain", &origin, false), ("tls", &sealed, false), ("plain", &origin, true)] {
            let relay = Relay::start(manner, to.address).await;
            let archive = folder.path().join(format!("{n}-{host}-{by_name}"));
            let (url, port) = if host == "tls" { ("https://tls.example/", 443) } else { ("http://plain.example/", 80) };
            let mut command = crawl(&archive, &format!("{scheme}{}", relay.address));
            command.arg("--ca-file").arg(&ca).arg(url);
            if by_name {
                command.arg("--proxy-dns");
            } else {
                // Resolved here: the proxy is told an address, and no name.
                command.arg("--resolve").arg(format!("{host}.example:{port}:192.0.2.7"));
            }
            let output = ran(command).await;
            assert!(output.status.success(), "{manner:?} {host}");
            let target = if by_name { format!("plain.example:{port}") } else { format!("192.0.2.7:{port}") };
            assert_eq!(relay.asked(), [target], "{manner:?} {host}");
            let records: Vec<_> = Records::open(&warcs(&archive)[0], 0).unwrap().map(Result::unwrap).collect();
            let find = |kind: &str| records.iter().find(|record| record.kind() == kind).unwrap();
            assert_eq!(find("response").block, ANSWER, "{manner:?} {host}");
            let request = &find("request").block;
            assert!(request.starts_with(format!("GET / HTTP/1.1\r\nHost: {host}.example\r\n").as_bytes()));
            assert!(!String::from_utf8_lossy(request).to_lowercase().contains("proxy"));
            assert!(to.requests().contains(&request.to_vec()), "{manner:?} {host}");
            let address = (!by_name).then_some("192.0.2.7");
            assert_eq!(find("response").field("WARC-IP-Address"), address, "{manner:?} {host}");
            check_secrecy(&archive, &output);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_fails_is_named_without_its_password() {
    let origin = Origin::start(None, serve).await;
    let forbidden = b"HTTP/1.1 403 Forbidden\r\n\r\n";
    let cases = [
        ("http://jo:s3cret@", None, "cannot connect (connection refused)"),
        ("socks5://jo:s3cret@", None, "cannot connect (connection refused)"),
        ("http://", Some(Manner::Connect { password: true }), "wants a name and a password"),
        ("http://jo:wrong@", Some(Manner::Connect { password: true }), "does not accept this name and password"),
        ("socks5://", Some(Manner::Socks { password: true }), "wants a name and a password"),
        ("socks5://jo:wrong@", Some(Manner::Socks { password: true }), "does not accept this name and password"),
        ("http://jo:s3cret@", Some(Manner::Says(forbidden)), "answered 403 to CONNECT"),
        ("http://jo:s3cret@", Some(Manner::Says(b"220 mail.example ready\r\n")), "does not answer as an HTTP proxy"),
        ("socks5://", Some(Manner::Says(b"HTTP/1.1 400 Bad\r\n\r\n")), "does not answer as a SOCKS5 proxy"),
        ("socks5://", Some(Manner::SocksRefuses(5)), "refused the connection (connection refused)"),
        ("socks5://", Some(Manner::SocksRefuses(2)), "refused the connection (not allowed by its rules)"),
        ("http://jo:s3cret@", Some(Manner::Silent), "made no connection in time"),
        ("socks5://", Some(Manner::Silent), "made no connection in time"),
        ("http://jo:s3cret@", Some(Manner::Closes), "closed the connection"),
    ];
    let mut all = tokio::task::JoinSet::new();
    for (scheme, manner, why) in cases {
        let to = origin.address;
        all.spawn(async move {
            let relay = match manner {
                Some(manner) => Some(Relay::start(manner, to).await),
                None => None,
            };
            let address = relay.as_ref().map_or_else(nobody, |relay| relay.address);
            let archive = tempfile::tempdir().unwrap();
            let mut command = crawl(archive.path(), &format!("{scheme}{address}"));
            command.args(["--resolve", "site.example:80:192.0.2.7", "http://site.example/"]);
            let output = ran(command).await;
            assert_eq!(output.status.code(), Some(1), "{scheme} {manner:?}");
            let bare = &scheme[..scheme.find("//").unwrap() + 2];
            let reason = format!("proxy {bare}{address}: {why}");
            let failed = rows(archive.path(), "SELECT reason FROM failure");
            assert_eq!(failed, [[Value::from(reason)]], "{scheme} {manner:?}");
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(!told.contains("s3cret") && !told.contains("wrong@"), "{told}");
        });
    }
    all.join_all().await;
    assert_eq!(origin.connections().await, 0);
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_without_telling_its_password() {
    for proxy in ["https://jo:s3cret@h.example", "jo:s3cret@h.example:1080", "socks5://:s3cret@h.example", "s3cret"] {
        let archive = tempfile::tempdir().unwrap();
        let output = run(crawl(archive.path(), proxy).arg("http://site.example/"));
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{proxy}");
        assert!(told.contains("--proxy") && !told.contains("s3cret"), "{told}");
    }
}
