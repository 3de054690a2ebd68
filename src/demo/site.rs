//! Serves the demo site on loopback, all of its hosts on one listener, and keeps a log of who asked for what.
//!
//! Answers have strong entity tags and dates and honour conditions; some pages are sent in chunks; the style sheet and
//! the feed are gzipped for those who accept that. The clock of the log is the server's own, so that the pace of a
//! client can be judged from outside.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, REFERER, USER_AGENT, VARY,
};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use futures_util::Stream;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::page;
use super::world::{DEAD_HOST, Entity, File, HOSTS, WORLD};

/// How much of a page goes into one chunk: several to a page.
const CHUNK: usize = 1500;

/// The demo site, as long as the value lives.
pub struct Site {
    address: SocketAddr,
    log: Log,
    /// Dropping it stops the listener.
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

/// One request that reached the site.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When its head had been read.
    pub at: Instant,
    /// The name that was asked, without port.
    pub host: String,
    /// Path and query as they stood in the request line.
    pub path_and_query: String,
    /// The method.
    pub method: String,
    /// The `Referer`.
    pub referer: Option<String>,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
    /// The status it was answered with.
    pub status: u16,
    /// When the last of the body was handed to the connection; none while it is under way or was cut off.
    pub finished: Option<Instant>,
}

type Log = Arc<Mutex<Vec<Arrival>>>;

impl Site {
    /// Draws the pictures, unless that was done before, and begins to listen. Port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve(listen: SocketAddr) -> io::Result<Site> {
        // Some hundred milliseconds of drawing do not belong on a thread that waits on the network.
        tokio::task::spawn_blocking(|| std::sync::LazyLock::force(&WORLD)).await.map_err(io::Error::other)?;
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let log = Log::default();
        let router = Router::new().fallback(answer).with_state(log.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(async {
                // Both a message and a dropped sender mean stop.
                let _ = stopped.await;
            });
            // It never ends with an error: what goes wrong with a connection ends that connection.
            let _ = serving.await;
        });
        Ok(Site { address, log, stop, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names that must lead to [`Site::address`].
    pub fn hosts(&self) -> &[&str] {
        &HOSTS
    }

    /// The name that some pictures are asked from and that must lead nowhere.
    pub fn dead_host(&self) -> &str {
        DEAD_HOST
    }

    /// What to crawl: front page, feed and sitemap. The default port is meant: the crawler maps it to the listener.
    pub fn seeds(&self) -> Vec<String> {
        ["/", "/feed.xml", "/sitemap.xml"].map(|path| format!("http://{}{path}", HOSTS[0])).to_vec()
    }

    /// Who asked for what so far, in the order of arrival.
    pub fn arrivals(&self) -> Vec<Arrival> {
        locked(&self.log).clone()
    }

    /// Stops listening and waits for the answers under way.
    pub async fn close(self) {
        drop(self.stop);
        // A server that panicked has ended as well.
        let _ = self.server.await;
    }
}

async fn answer(State(log): State<Log>, request: Request) -> Response {
    let at = Instant::now();
    let field = |name: HeaderName| request.headers().get(name).map(lossy);
    let host = field(HOST).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_ascii_lowercase();
    let reply = reply(&host, request.method(), request.uri().path(), request.headers());
    let index = {
        let mut log = locked(&log);
        log.push(Arrival {
            at,
            host,
            path_and_query: request.uri().path_and_query().map_or(String::new(), ToString::to_string),
            method: request.method().to_string(),
            referer: field(REFERER),
            user_agent: field(USER_AGENT),
            status: reply.status.as_u16(),
            finished: None,
        });
        log.len() - 1
    };
    let head_only = *request.method() == Method::HEAD;
    reply.sent(head_only, Sending { rest: Bytes::new(), step: usize::MAX, log, index })
}

/// An answer before it is sent.
struct Reply {
    status: StatusCode,
    fields: Vec<(HeaderName, String)>,
    /// The bytes, and whether they go in chunks.
    body: Option<(Bytes, bool)>,
}

fn reply(host: &str, method: &Method, path: &str, headers: &HeaderMap) -> Reply {
    let refused = |status, text: String| Reply {
        status,
        fields: vec![(CONTENT_TYPE, "text/html; charset=utf-8".to_owned())],
        body: Some((Bytes::from(text), false)),
    };
    if !HOSTS.contains(&host) {
        return refused(StatusCode::BAD_GATEWAY, String::new());
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return refused(StatusCode::METHOD_NOT_ALLOWED, String::new());
    }
    match WORLD.file(host, path) {
        Some(file) => found(file, headers),
        None => refused(StatusCode::NOT_FOUND, page::missing(path)),
    }
}

fn found(file: &File, headers: &HeaderMap) -> Reply {
    let field = |name: HeaderName| headers.get(name).map(lossy);
    let gzip = field(ACCEPT_ENCODING).is_some_and(|value| value.to_ascii_lowercase().contains("gzip"));
    let coded = file.coded.as_ref().filter(|_| gzip);
    let entity: &Entity = coded.unwrap_or(&file.plain);
    let mut fields = vec![
        (CONTENT_TYPE, file.content_type.to_owned()),
        (ETAG, entity.etag.clone()),
        (LAST_MODIFIED, file.modified.clone()),
    ];
    if file.coded.is_some() {
        fields.push((VARY, "Accept-Encoding".to_owned()));
    }
    // The tag decides when there is one (RFC 9110, 13.2.2).
    let same = match (field(IF_NONE_MATCH), field(IF_MODIFIED_SINCE)) {
        (Some(tags), _) => tags.split(',').any(|tag| matches!(tag.trim(), "*") || tag.trim() == entity.etag),
        (None, Some(date)) => date == file.modified,
        (None, None) => false,
    };
    if same {
        return Reply { status: StatusCode::NOT_MODIFIED, fields, body: None };
    }
    if coded.is_some() {
        fields.push((CONTENT_ENCODING, "gzip".to_owned()));
    }
    Reply { status: StatusCode::OK, fields, body: Some((entity.bytes.clone(), file.chunked)) }
}

impl Reply {
    fn sent(mut self, head_only: bool, mut sending: Sending) -> Response {
        if let Some((bytes, chunked)) = self.body {
            if chunked {
                sending.step = CHUNK;
            } else {
                self.fields.push((CONTENT_LENGTH, bytes.len().to_string()));
            }
            sending.rest = if head_only { Bytes::new() } else { bytes };
        }
        // hyper never asks for a body that has no bytes.
        if sending.rest.is_empty() {
            sending.finished();
        }
        let mut response = Response::new(Body::from_stream(sending));
        *response.status_mut() = self.status;
        for (name, value) in self.fields {
            // Every value is of our own making and plain ASCII.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A body on its way, which tells the log when it is through.
struct Sending {
    rest: Bytes,
    step: usize,
    log: Log,
    index: usize,
}

impl Sending {
    fn finished(&self) {
        if let Some(arrival) = locked(&self.log).get_mut(self.index) {
            arrival.finished = Some(Instant::now());
        }
    }
}

impl Stream for Sending {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let step = self.step.min(self.rest.len());
        let part = self.rest.split_to(step);
        if self.rest.is_empty() {
            self.finished();
        }
        Poll::Ready(Some(Ok(part)))
    }
}

/// A log that a panicking thread left behind is still a log.
fn locked(log: &Log) -> std::sync::MutexGuard<'_, Vec<Arrival>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::world::truths;
    use crate::web::message::Head;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    /// Asks over a connection of its own and reads to its end.
    async fn ask(site: &Site, method: &str, url: &str, fields: &str) -> (Head, Vec<u8>) {
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut stream = TcpStream::connect(site.address()).await.unwrap();
        let request = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head = Head::read(&answer[..end]);
        let body = answer.split_off(end);
        if head.field("transfer-encoding").as_deref() == Some("chunked") {
            (head, unchunked(&body))
        } else {
            (head, body)
        }
    }

    fn unchunked(mut rest: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let end = rest.windows(2).position(|window| window == b"\r\n").unwrap();
            let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            if length == 0 {
                return out;
            }
            out.extend_from_slice(&rest[end + 2..][..length]);
            rest = &rest[end + 2 + length + 2..];
        }
    }

    async fn site() -> Site {
        Site::serve("127.0.0.1:0".parse().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn every_file_is_served_byte_for_byte() {
        let site = site().await;
        let truths = truths();
        for file in &truths.files {
            let (head, body) = ask(&site, "GET", &file.url, "").await;
            assert_eq!(head.status, 200, "{}", file.url);
            assert!(body == file.bytes, "{}", file.url);
            assert_eq!(head.field("content-type").as_deref(), Some(file.content_type));
            assert_eq!(head.field("etag").as_deref(), Some(file.etag.as_str()));
            assert_eq!(head.field("last-modified").as_deref(), Some(file.modified.as_str()));
            assert_eq!(head.field("transfer-encoding").is_some(), file.chunked);
            assert!(head.field("date").is_some());
            assert_eq!(head.content_codings(), [""; 0]);
        }
        assert!(truths.files.iter().any(|file| file.chunked));
        let arrivals = site.arrivals();
        assert_eq!(arrivals.len(), truths.files.len());
        assert!(arrivals.iter().all(|arrival| arrival.finished.is_some_and(|finished| finished >= arrival.at)));
        site.close().await;
    }

    #[tokio::test]
    async fn style_sheet_and_feed_are_gzipped_for_those_who_accept_it() {
        let site = site().await;
        let coded: Vec<_> = truths().files.into_iter().filter(|file| file.coded.is_some()).collect();
        assert_eq!(coded.len(), 2);
        for file in coded {
            let (head, body) = ask(&site, "GET", &file.url, "Accept-Encoding: br, gzip\r\n").await;
            assert_eq!(head.content_codings(), ["gzip"]);
            assert_eq!(Some(&body), file.coded.as_ref());
            assert_ne!(head.field("etag"), Some(file.etag));
            let mut plain = Vec::new();
            io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut plain).unwrap();
            assert_eq!(plain, file.bytes);
        }
    }

    #[tokio::test]
    async fn what_is_unchanged_is_not_sent_again() {
        let site = site().await;
        for file in truths().files.iter().step_by(7) {
            for condition in [format!("If-None-Match: {}", file.etag), format!("If-Modified-Since: {}", file.modified)]
            {
                let (head, body) = ask(&site, "GET", &file.url, &format!("{condition}\r\n")).await;
                assert_eq!((head.status, body.len()), (304, 0), "{condition}");
                assert_eq!(head.field("etag").as_deref(), Some(file.etag.as_str()));
            }
            let other = format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {}\r\n", file.modified);
            assert_eq!(ask(&site, "GET", &file.url, &other).await.0.status, 200);
        }
    }

    #[tokio::test]
    async fn the_log_says_who_asked_for_what() {
        let site = site().await;
        let truths = truths();
        assert_eq!(ask(&site, "GET", &truths.missing[0], "Referer: http://a.example/\r\n").await.0.status, 404);
        assert_eq!(ask(&site, "GET", &truths.forbidden[0], "User-Agent: u/1\r\n").await.0.status, 200);
        assert_eq!(ask(&site, "GET", "http://cors.lantern.example/?x", "").await.0.status, 502);
        assert_eq!(ask(&site, "GET", "http://img.lantern.example/robots.txt", "").await.0.status, 404);
        assert_eq!(ask(&site, "POST", "http://lantern.example/", "Content-Length: 0\r\n").await.0.status, 405);
        let (head, body) = ask(&site, "HEAD", "http://lantern.example:80/style.css", "").await;
        assert_eq!((head.status, body.len()), (200, 0));
        assert!(site.arrivals()[5].finished.is_some());
        let log: Vec<_> = site
            .arrivals()
            .into_iter()
            .map(|arrival| format!("{} {}{} {}", arrival.method, arrival.host, arrival.path_and_query, arrival.status))
            .collect();
        assert_eq!(
            log,
            [
                "GET img.lantern.example/2026/11/rain-snow.png 404",
                "GET lantern.example/private/drafts.html 200",
                "GET cors.lantern.example/?x 502",
                "GET img.lantern.example/robots.txt 404",
                "POST lantern.example/ 405",
                "HEAD lantern.example/style.css 200",
            ]
        );
        assert_eq!(site.arrivals()[0].referer.as_deref(), Some("http://a.example/"));
        assert_eq!(site.arrivals()[1].user_agent.as_deref(), Some("u/1"));
        assert_eq!(site.seeds()[1], "http://lantern.example/feed.xml");
        assert!(!site.hosts().contains(&site.dead_host()));
    }
}
