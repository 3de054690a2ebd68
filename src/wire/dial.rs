//! From an origin to a connection: its addresses are checked, tried side by side, and the first that stands is kept.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::names::{Address, Found, literal};
use super::proxy::{Proxy, Target};
use super::stream::{Connection, Stream, server_name, tls_facts};
use super::{Inner, trust};
use crate::web::exchange::{Exchange, Fault, NameAnswer};
use crate::web::url::Origin;

/// So much later the next address is tried beside one that has not answered (RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses tried at once. One more takes the place of the first, which has had a second by then; so however many
/// addresses there are, an exchange never holds more descriptors than this.
const AT_ONCE: usize = 4;
/// Addresses of an origin that a proxy is asked for, one after the other: it has tried each of them itself.
const BY_PROXY: usize = 3;

/// A line to an origin, before TLS, and the address it leads to where that is known.
struct Line {
    stream: TcpStream,
    peer: Option<SocketAddr>,
}

impl Inner {
    /// A new connection to the origin, with TLS where that belongs to it.
    pub(super) async fn connect(
        &self,
        origin: &Origin,
        exchange: &mut Exchange,
        start: Instant,
    ) -> Result<Connection, Fault> {
        let found = self.resolve(origin).await?;
        if let Some(found) = &found {
            exchange.times.dns = Some(start.elapsed());
            let told = self.names.tell(&origin.host, found);
            exchange.names = told
                .map(|records| Arc::new(NameAnswer { host: origin.host.to_string(), at: self.clock.wall(), records }));
        }
        let found = found.map(|found| self.admitted(found.addresses)).transpose()?;
        self.pool.make_room(&origin.host);
        let line = match (&self.options.proxy, found) {
            (None, Some(addresses)) => self.direct(addresses).await?,
            (Some(proxy), found) => {
                let line = timeout(self.options.timeout, self.by_proxy(proxy, origin, found)).await;
                line.unwrap_or_else(|_| Err(proxy.fault("made no connection in time")))?
            }
            (None, None) => return Err(Fault::Dns("it was not looked up".to_owned())),
        };
        // Small requests must not wait for one another; without it they are only slower.
        let _ = line.stream.set_nodelay(true);
        exchange.times.connect = Some(start.elapsed());
        exchange.peer = line.peer;
        let connection = self.secure(origin, line).await?;
        exchange.times.tls = connection.tls.as_ref().map(|_| start.elapsed());
        Ok(connection)
    }

    /// Where the origin's name leads; none when it is the proxy's to resolve.
    pub(super) async fn resolve(&self, origin: &Origin) -> Result<Option<Found>, Fault> {
        let by_name = self.options.proxy.is_some() && self.options.proxy_dns;
        if by_name && self.names.given(origin).is_none() && literal(&origin.host).is_none() {
            return Ok(None);
        }
        self.addresses(origin).await.map(Some)
    }

    /// Of several addresses, those that the guard refuses are left out and the others are tried: a public site whose
    /// name has a stray private address is still a public site, and nothing private is touched.
    pub(super) fn admitted(&self, mut addresses: Vec<Address>) -> Result<Vec<Address>, Fault> {
        let refused = addresses.iter().find(|address| !self.admits(address)).map(|address| address.to.ip());
        addresses.retain(|address| self.admits(address));
        match refused {
            Some(refused) if addresses.is_empty() => Err(Fault::Forbidden(refused)),
            _ => Ok(addresses),
        }
    }

    async fn addresses(&self, origin: &Origin) -> Result<Found, Fault> {
        let found = timeout(self.options.timeout, self.names.addresses(origin)).await;
        found.unwrap_or_else(|_| Err(Fault::Dns("no answer in time".to_owned())))
    }

    fn admits(&self, address: &Address) -> bool {
        address.given || self.options.guard.admits(address.to.ip())
    }

    async fn direct(&self, addresses: Vec<Address>) -> Result<Line, Fault> {
        let tried = timeout(self.options.timeout, first(addresses, |address| self.connect_to(address))).await;
        let (stream, peer) = tried.unwrap_or(Err(Fault::ConnectTimeout))?;
        Ok(Line { stream, peer: Some(peer) })
    }

    /// Connects, and checks the address once more: the one that was really connected to.
    async fn connect_to(&self, address: Address) -> Result<(TcpStream, SocketAddr), Fault> {
        let broken = |cause: io::Error| Fault::Connect(cause.kind().to_string());
        self.connects.fetch_add(1, Ordering::Relaxed);
        let stream = TcpStream::connect(address.to).await.map_err(broken)?;
        let peer = stream.peer_addr().map_err(broken)?;
        if !self.admits(&Address { to: peer, ..address }) {
            return Err(Fault::Forbidden(peer.ip()));
        }
        Ok((stream, peer))
    }

    /// A tunnel through the proxy, to one of these addresses or to the origin's name.
    async fn by_proxy(&self, proxy: &Proxy, origin: &Origin, addresses: Option<Vec<Address>>) -> Result<Line, Fault> {
        // The user named the proxy, so its own address is none of the guard's business.
        let found = self.addresses(&proxy.origin()).await.map_err(|fault| proxy.fault(&fault.to_string()))?;
        let given: Vec<Address> = found.addresses.into_iter().map(|one| Address { given: true, ..one }).collect();
        let targets: Vec<(Target<'_>, Option<SocketAddr>)> = match &addresses {
            None => vec![(Target::Name(&origin.host, origin.port), None)],
            Some(addresses) => {
                addresses.iter().take(BY_PROXY).map(|one| (Target::Address(one.to), Some(one.to))).collect()
            }
        };
        let mut last = proxy.fault("was asked for no address");
        for (target, peer) in targets {
            let reached = first(given.clone(), |address| self.connect_to(address)).await;
            let (mut stream, _) = reached.map_err(|fault| proxy.fault(&fault.to_string()))?;
            match proxy.tunnel(&mut stream, &target).await {
                Ok(()) => return Ok(Line { stream, peer }),
                Err(fault) => last = fault,
            }
        }
        Err(last)
    }

    async fn secure(&self, origin: &Origin, line: Line) -> Result<Connection, Fault> {
        let (Line { stream, peer }, since) = (line, Instant::now());
        if !origin.tls {
            return Ok(Connection { stream: Stream::Plain(stream), peer, tls: None, since });
        }
        let name = server_name(&origin.host).map_err(Fault::Tls)?;
        match timeout(self.options.timeout, self.tls.connect(name.clone(), stream)).await {
            Err(_) => Err(Fault::TlsTimeout),
            Ok(Err(cause)) => Err(trust::fault(&cause)),
            Ok(Ok(stream)) => {
                let tls = Some(Arc::new(tls_facts(&stream, &self.judge, &name)));
                Ok(Connection { stream: Stream::Tls(Box::new(stream)), peer, tls, since })
            }
        }
    }
}

/// Tries addresses, each a head start after the one before or as soon as that has failed; the first that stands wins,
/// and the others are dropped (RFC 8305, 5). At least one address is wanted.
async fn first<T, F>(addresses: Vec<Address>, dial: impl Fn(Address) -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut waiting = addresses.into_iter();
    let mut trying: VecDeque<Pin<Box<F>>> = VecDeque::new();
    let mut last = Fault::NoName("it has no address".to_owned());
    loop {
        match waiting.next() {
            Some(address) => {
                if trying.len() == AT_ONCE {
                    trying.pop_front();
                }
                trying.push_back(Box::pin(dial(address)));
            }
            None if trying.is_empty() => return Err(last),
            None => {}
        }
        let more = waiting.len() > 0;
        tokio::select! {
            tried = one_of(&mut trying) => match tried {
                Ok(stands) => return Ok(stands),
                Err(fault) => last = fault,
            },
            () = tokio::time::sleep(HEAD_START), if more => {}
        }
    }
}

/// Whichever ends first; it is taken out.
async fn one_of<F: Future>(trying: &mut VecDeque<Pin<Box<F>>>) -> F::Output {
    poll_fn(|cx| {
        for at in 0..trying.len() {
            if let Poll::Ready(output) = trying[at].as_mut().poll(cx) {
                trying.remove(at);
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    /// What becomes of an address, by its last number: 0 is dead, 1 refuses at once, 2 answers at once, 3 in 400 ms.
    async fn dial(address: Address) -> Result<SocketAddr, Fault> {
        let SocketAddr::V4(v4) = address.to else { panic!("{address:?}") };
        match v4.ip().octets()[3] {
            0 => std::future::pending().await,
            1 => Err(Fault::Connect("connection refused".to_owned())),
            2 => Ok(address.to),
            _ => {
                sleep(Duration::from_millis(400)).await;
                Ok(address.to)
            }
        }
    }

    #[tokio::test]
    async fn the_first_that_stands_is_kept_and_dead_ones_cost_a_head_start() {
        let cases = [
            ("2", Some(0), 0),
            ("02", Some(1), 250),
            ("12", Some(1), 0),
            ("1102", Some(3), 250),
            ("32", Some(1), 250),
            ("30", Some(0), 400),
            ("0000002", Some(6), 1_500),
            ("111", None, 0),
        ];
        futures_util::future::join_all(cases.map(|(manners, winner, took)| async move {
            let addresses = (0..)
                .zip(manners.bytes())
                .map(|(n, manner)| Address { to: SocketAddr::from(([192, 0, n, manner - b'0'], 80)), given: true });
            let start = Instant::now();
            let reached = first(addresses.collect(), dial).await;
            let (took, busy) = (Duration::from_millis(took), Duration::from_secs(2));
            assert!((took..took + busy).contains(&start.elapsed()), "{manners}: {:?}", start.elapsed());
            let reached = reached.ok().map(|address: SocketAddr| match address.ip() {
                std::net::IpAddr::V4(v4) => v4.octets()[2],
                std::net::IpAddr::V6(_) => u8::MAX,
            });
            assert_eq!(reached, winner, "{manners}");
        }))
        .await;
    }
}
