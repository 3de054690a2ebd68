//! An origin server under the test's control: bytes over TCP or TLS on loopback, and a list of what came in.
//!
//! It knows nothing of HTTP but where a request's head ends; what it says is up to the test. Its certificates come
//! from an [`Authority`] made for the occasion.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A server; it ends with the value, and its connections with it.
pub struct Origin {
    /// Where it listens: a free port of loopback.
    pub address: SocketAddr,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Log {
    accepted: Mutex<Vec<SocketAddr>>,
    requests: Mutex<Vec<Vec<u8>>>,
    changed: Notify,
}

impl Origin {
    /// Serves every connection with `serve`, behind TLS when there is an acceptor. A handshake that fails is dropped.
    pub async fn start<F, Served>(tls: Option<TlsAcceptor>, serve: F) -> Origin
    where
        F: Fn(Line) -> Served + Clone + Send + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        Origin::start_at(([127, 0, 0, 1], 0).into(), tls, serve).await
    }

    /// The same, at this address of loopback.
    pub async fn start_at<F, Served>(address: SocketAddr, tls: Option<TlsAcceptor>, serve: F) -> Origin
    where
        F: Fn(Line) -> Served + Clone + Send + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let shared = log.clone();
        let task = tokio::spawn(async move {
            let mut lines = JoinSet::new();
            loop {
                let Ok((stream, peer)) = listener.accept().await else { continue };
                stream.set_nodelay(true).unwrap();
                shared.accepted.lock().unwrap().push(peer);
                shared.changed.notify_waiters();
                let (log, tls, serve) = (shared.clone(), tls.clone(), serve.clone());
                lines.spawn(async move {
                    let stream = match tls {
                        None => Stream::Plain(stream),
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => Stream::Tls(Box::new(stream)),
                            Err(_) => return,
                        },
                    };
                    serve(Line { stream, log, unread: Vec::new() }).await;
                });
                while lines.try_join_next().is_some() {}
            }
        });
        Origin { address, log, task }
    }

    /// The heads of the requests read so far, in the order they were complete.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.log.requests.lock().unwrap().clone()
    }

    /// How many connections came before one that is made now: the listener takes them in order.
    pub async fn connections(&self) -> usize {
        let probe = TcpStream::connect(self.address).await.unwrap();
        let mine = probe.local_addr().unwrap();
        loop {
            let changed = self.log.changed.notified();
            if let Some(before) = self.log.accepted.lock().unwrap().iter().position(|peer| *peer == mine) {
                return before;
            }
            changed.await;
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, seen from the server.
pub struct Line {
    stream: Stream,
    log: Arc<Log>,
    unread: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Line {
    /// The head of the next request; none when the connection has ended. Dropping the future loses nothing.
    pub async fn request(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.unread.split_off(end + 4);
                let head = std::mem::replace(&mut self.unread, rest);
                self.log.requests.lock().unwrap().push(head.clone());
                return Some(head);
            }
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read_buf(&mut self.unread).await,
                Stream::Tls(stream) => stream.read_buf(&mut self.unread).await,
            };
            if read.ok()? == 0 {
                return None;
            }
        }
    }

    /// The name that the client asked for in its hello (RFC 6066, 3).
    pub fn server_name(&self) -> Option<&str> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(stream) => stream.get_ref().1.server_name(),
        }
    }

    /// Sends bytes; false when the client is gone.
    pub async fn say(&mut self, bytes: &[u8]) -> bool {
        let said = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).await,
            Stream::Tls(stream) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                error => error,
            },
        };
        said.is_ok()
    }

    /// Sends pieces in one go; over TLS each is a record of its own.
    pub async fn say_at_once(&mut self, pieces: &[&[u8]]) -> bool {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(&pieces.concat()).await.is_ok(),
            Stream::Tls(stream) => {
                // By default rustls takes no more than 64 KB at a time.
                stream.get_mut().1.set_buffer_limit(None);
                for piece in pieces {
                    std::io::Write::write_all(&mut stream.get_mut().1.writer(), piece).unwrap();
                }
                stream.flush().await.is_ok()
            }
        }
    }

    /// Sends the last bytes and TLS's closing alert in one go, and keeps the connection open.
    pub async fn say_and_sign_off(&mut self, bytes: &[u8]) -> bool {
        if let Stream::Tls(stream) = &mut self.stream {
            std::io::Write::write_all(&mut stream.get_mut().1.writer(), bytes).unwrap();
            stream.get_mut().1.send_close_notify();
            return stream.flush().await.is_ok();
        }
        self.say(bytes).await
    }

    /// Ends the connection in good order, TLS's closing alert included.
    pub async fn close(mut self) {
        // A client that is gone does not mind.
        let _ = match &mut self.stream {
            Stream::Plain(stream) => stream.shutdown().await,
            Stream::Tls(stream) => stream.shutdown().await,
        };
    }

    /// Breaks the connection: the client gets a reset.
    pub fn reset(self) {
        let socket = match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref().0,
        };
        socket.set_zero_linger().unwrap();
    }

    /// Says nothing more until the client goes.
    pub async fn hang(mut self) {
        while self.request().await.is_some() {}
    }
}

/// A certificate authority of the test's own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    /// A new one, which nobody else trusts.
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        // A name of its own, as authorities have; two of one name would be taken for one with a wrong signature.
        let name = data_encoding::HEXLOWER.encode(&key.public_key_raw()[..16]);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    /// The roots of a client that trusts it, and nobody else.
    pub fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Arc::new(roots)
    }

    /// Its certificate as a file for `--ca-file`.
    pub fn pem(&self) -> String {
        let base64 = data_encoding::BASE64.encode(&self.certificate);
        let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// TLS with a certificate for that name, and the certificate.
    pub fn certify(&self, name: &str) -> (TlsAcceptor, CertificateDer<'static>) {
        self.certify_as(&CertificateParams::new(vec![name.to_owned()]).unwrap(), rustls::DEFAULT_VERSIONS)
    }

    /// TLS of these versions with that certificate.
    pub fn certify_as(
        &self,
        params: &CertificateParams,
        versions: &[&'static SupportedProtocolVersion],
    ) -> (TlsAcceptor, CertificateDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        (acceptor(certificate.clone(), &key, versions), certificate)
    }
}

/// TLS with a certificate for that name that nobody vouches for.
pub fn self_signed(name: &str) -> TlsAcceptor {
    self_signed_as(&CertificateParams::new(vec![name.to_owned()]).unwrap())
}

/// TLS with that certificate, which nobody vouches for.
pub fn self_signed_as(params: &CertificateParams) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    acceptor(certificate, &key, rustls::DEFAULT_VERSIONS)
}

fn acceptor(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
