//! A connection to an origin, with or without TLS.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::net::RecvFlags;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::trust::Judge;
use crate::web::exchange::TlsFacts;

/// A connection with what is known of it.
pub(super) struct Connection {
    pub stream: Stream,
    /// Unknown where a proxy has resolved the name.
    pub peer: Option<SocketAddr>,
    pub tls: Option<Arc<TlsFacts>>,
    /// Since when it has been idle.
    pub since: Instant,
}

/// Bytes to and from an origin.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Nothing has arrived while it was idle: neither its end nor an answer nobody asked for.
    ///
    /// TLS is asked first: what it has read ahead, bytes or its closing alert, the kernel no longer knows of. That read
    /// also takes in a late session ticket, which is allowed. Then the kernel, because tokio may not have seen yet what
    /// has arrived.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0u8; 1];
        if let Stream::Tls(stream) = &mut self.stream
            && futures_util::FutureExt::now_or_never(stream.read(&mut byte)).is_some()
        {
            return false;
        }
        let peeked = rustix::net::recv(self.stream.socket(), &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        matches!(peeked, Err(rustix::io::Errno::AGAIN))
    }
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// What makes TLS connections: TLS 1.2 and 1.3 through ring, HTTP/1.1 alone offered. And what judges certificates.
pub(super) fn connector(options: &super::Options) -> Result<(TlsConnector, Arc<Judge>), rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let strict = WebPkiServerVerifier::builder_with_provider(options.roots.clone(), provider.clone())
        .build()
        .map_err(|cause| rustls::Error::General(cause.to_string()))?;
    let judge = Arc::new(Judge::new(strict, options.insecure));
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(judge.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsConnector::from(Arc::new(config)), judge))
}

/// The name a certificate must be for.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, String> {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(host).map_err(|cause| cause.to_string())
}

pub(super) fn tls_facts(stream: &TlsStream<TcpStream>, judge: &Judge, name: &ServerName<'_>) -> TlsFacts {
    let session = stream.get_ref().1;
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "1.2".to_owned(),
        other => format!("{other:?}"),
    };
    // rustls calls the suites of TLS 1.3 TLS13_…; IANA's names have no such mark.
    let suite = session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let chain = session.peer_certificates().unwrap_or_default();
    TlsFacts {
        version,
        cipher_suite: suite.unwrap_or_default().replace("TLS13_", "TLS_"),
        chain: chain.iter().map(|one| one.as_ref().to_vec()).collect(),
        distrust: judge.distrust(chain, name),
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
