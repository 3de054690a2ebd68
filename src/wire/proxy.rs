//! Upstream proxies: a tunnel is asked for, and what goes through it is what would have gone to the origin.
//!
//! Plain requests are tunnelled as well, so that a proxy changes nothing of what is recorded. Nothing that is said here
//! may show the name and password that the proxy is given.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::web::exchange::Fault;
use crate::web::url::Origin;

/// The head of a proxy's answer is not longer than this.
const HEAD_MAX: usize = 16 << 10;

/// A proxy that all connections go through.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: Arc<str>,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `CONNECT` (RFC 9110, 9.3.6).
    Http,
    /// SOCKS version 5 (RFC 1928).
    Socks5,
}

#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    name: Vec<u8>,
    password: Vec<u8>,
}

/// Where a tunnel leads.
pub(super) enum Target<'a> {
    Address(SocketAddr),
    /// A name, for the proxy to resolve, and a port.
    Name(&'a str, u16),
}

/// What is wrong with a proxy's URL; the URL itself is not told, as it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProxy {
    /// No URL, or one without host.
    #[error("it is no URL of the form http://HOST:PORT or socks5://HOST:PORT")]
    Syntax,
    /// Another scheme.
    #[error("only http:// and socks5:// proxies are known")]
    Scheme,
    /// SOCKS has one byte for the length of each (RFC 1929).
    #[error("its name and password must be 1 to 255 bytes each")]
    Credentials,
}

impl FromStr for Proxy {
    type Err = NotProxy;

    fn from_str(text: &str) -> Result<Proxy, NotProxy> {
        let url = url::Url::parse(text).map_err(|_| NotProxy::Syntax)?;
        let (kind, usual) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "socks5" | "socks5h" => (Kind::Socks5, 1080),
            _ => return Err(NotProxy::Scheme),
        };
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        // Of schemes it does not know the parser leaves the host as it was written.
        let host = url.host_str().filter(|host| bare && !host.is_empty()).ok_or(NotProxy::Syntax)?;
        let host = url::Host::parse(host).map_err(|_| NotProxy::Syntax)?.to_string();
        let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let credentials = (!url.username().is_empty() || url.password().is_some())
            .then(|| Credentials { name: decoded(url.username()), password: decoded(url.password().unwrap_or("")) });
        let fits = |text: &[u8]| (1..=255).contains(&text.len());
        let unfit = |one: &Credentials| !fits(&one.name) || !fits(&one.password);
        if kind == Kind::Socks5 && credentials.as_ref().is_some_and(unfit) {
            return Err(NotProxy::Credentials);
        }
        Ok(Proxy { kind, host: host.into(), port: url.port().unwrap_or(usual), credentials })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Proxy {
    /// What is connected to for it.
    pub(super) fn origin(&self) -> Origin {
        Origin { tls: false, host: self.host.clone(), port: self.port }
    }

    pub(super) fn fault(&self, why: &str) -> Fault {
        Fault::Proxy(format!("{self}: {why}"))
    }

    /// Asks for a tunnel on a connection to the proxy. Not a byte of what comes through it is read.
    pub(super) async fn tunnel(&self, stream: &mut TcpStream, target: &Target<'_>) -> Result<(), Fault> {
        let tunnel = match self.kind {
            Kind::Http => self.connect(stream, target).await,
            Kind::Socks5 => self.socks(stream, target).await,
        };
        tunnel.map_err(|refusal| match refusal {
            Refusal::Broken(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
                self.fault("closed the connection")
            }
            Refusal::Broken(cause) => self.fault(&cause.kind().to_string()),
            Refusal::Said(why) => self.fault(&why),
        })
    }

    async fn connect(&self, stream: &mut TcpStream, target: &Target<'_>) -> Result<(), Refusal> {
        let authority = match target {
            Target::Address(address) => address.to_string(),
            Target::Name(host, port) => format!("{host}:{port}"),
        };
        let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if let Some(Credentials { name, password }) = &self.credentials {
            let pair = BASE64.encode(&[name.as_slice(), b":", password.as_slice()].concat());
            request.push_str(&format!("Proxy-Authorization: Basic {pair}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
            // One by one: what follows belongs to the origin.
            head.push(stream.read_u8().await?);
            let begins = head.iter().zip(b"HTTP/").all(|(is, wanted)| is == wanted);
            if !begins || head.len() > HEAD_MAX {
                return Err(Refusal::Said("does not answer as an HTTP proxy".to_owned()));
            }
        }
        let status = head.split(u8::is_ascii_whitespace).nth(1).and_then(|word| std::str::from_utf8(word).ok());
        match status.and_then(|word| word.parse::<u16>().ok()) {
            Some(200..=299) => Ok(()),
            Some(407) if self.credentials.is_none() => Err(Refusal::Said("wants a name and a password".to_owned())),
            Some(407) => Err(Refusal::Said("does not accept this name and password".to_owned())),
            Some(status) => Err(Refusal::Said(format!("answered {status} to CONNECT"))),
            None => Err(Refusal::Said("does not answer as an HTTP proxy".to_owned())),
        }
    }

    async fn socks(&self, stream: &mut TcpStream, target: &Target<'_>) -> Result<(), Refusal> {
        let stranger = || Refusal::Said("does not answer as a SOCKS5 proxy".to_owned());
        let unwanted = || Refusal::Said("does not accept this name and password".to_owned());
        let method = if self.credentials.is_some() { WITH_PASSWORD } else { WITHOUT };
        stream.write_all(&[SOCKS, 1, method]).await?;
        match (read::<2>(stream).await?, &self.credentials) {
            ([SOCKS, WITHOUT], None) => {}
            ([SOCKS, WITH_PASSWORD], Some(Credentials { name, password })) => {
                let counted = |text: &[u8]| [&[u8::try_from(text.len()).unwrap_or(u8::MAX)], text].concat();
                stream.write_all(&[vec![1], counted(name), counted(password)].concat()).await?;
                if read::<2>(stream).await?[1] != 0 {
                    return Err(unwanted());
                }
            }
            ([SOCKS, 0xff], None) => return Err(Refusal::Said("wants a name and a password".to_owned())),
            ([SOCKS, 0xff], Some(_)) => return Err(unwanted()),
            _ => return Err(stranger()),
        }
        stream.write_all(&[&[SOCKS, CONNECT, 0], destination(target)?.as_slice()].concat()).await?;
        let [version, reply, _, kind] = read(stream).await?;
        if version != SOCKS {
            return Err(stranger());
        }
        if reply != 0 {
            let why = SOCKS_REPLIES.iter().find(|(code, _)| *code == reply).map_or("unknown", |(_, why)| why);
            return Err(Refusal::Said(format!("refused the connection ({why})")));
        }
        // The address it connects from: of no use to us, and in the way.
        let len = match kind {
            IPV4 => 4,
            IPV6 => 16,
            NAME => usize::from(stream.read_u8().await?),
            _ => return Err(stranger()),
        };
        stream.read_exact(&mut vec![0; len + 2]).await?;
        Ok(())
    }
}

/// The words of RFC 1928.
const SOCKS: u8 = 5;
const WITHOUT: u8 = 0;
const WITH_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const SOCKS_REPLIES: [(u8, &str); 8] = [
    (1, "general failure"),
    (2, "not allowed by its rules"),
    (3, "network unreachable"),
    (4, "host unreachable"),
    (5, "connection refused"),
    (6, "time to live expired"),
    (7, "it cannot connect"),
    (8, "it does not know this kind of address"),
];

/// Kind, address and port (RFC 1928, 5).
fn destination(target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
    let (mut bytes, port) = match target {
        Target::Address(SocketAddr::V4(v4)) => ([&[IPV4], v4.ip().octets().as_slice()].concat(), v4.port()),
        Target::Address(SocketAddr::V6(v6)) => ([&[IPV6], v6.ip().octets().as_slice()].concat(), v6.port()),
        Target::Name(host, port) => {
            let len =
                u8::try_from(host.len()).map_err(|_| Refusal::Said("cannot be told so long a name".to_owned()))?;
            ([&[NAME, len], host.as_bytes()].concat(), *port)
        }
    };
    bytes.extend_from_slice(&port.to_be_bytes());
    Ok(bytes)
}

/// Why there is no tunnel.
enum Refusal {
    Broken(std::io::Error),
    Said(String),
}

impl From<std::io::Error> for Refusal {
    fn from(cause: std::io::Error) -> Refusal {
        Refusal::Broken(cause)
    }
}

async fn read<const N: usize>(stream: &mut TcpStream) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_password() {
        for (text, want) in [
            ("http://proxy.example:3128", Ok("http://proxy.example:3128")),
            ("HTTP://Proxy.example/", Ok("http://proxy.example:80")),
            ("socks5://127.0.0.1", Ok("socks5://127.0.0.1:1080")),
            ("socks5h://[::1]:9050", Ok("socks5://[::1]:9050")),
            ("socks5://jo:s%40cret@Proxy.example:1080", Ok("socks5://proxy.example:1080")),
            ("http://jo:secret@proxy.example:1080", Ok("http://proxy.example:1080")),
            ("https://jo:secret@proxy.example", Err(NotProxy::Scheme)),
            ("socks4://proxy.example", Err(NotProxy::Scheme)),
            ("proxy.example:3128", Err(NotProxy::Scheme)),
            ("http://proxy.example/path", Err(NotProxy::Syntax)),
            ("socks5://", Err(NotProxy::Syntax)),
            ("secret", Err(NotProxy::Syntax)),
            ("socks5://jo@proxy.example", Err(NotProxy::Credentials)),
        ] {
            let proxy = text.parse::<Proxy>();
            assert_eq!(proxy.clone().map(|proxy| proxy.to_string()), want.map(str::to_owned), "{text}");
            assert!(!format!("{proxy:?}").contains("cret"), "{text}");
        }
    }
}
