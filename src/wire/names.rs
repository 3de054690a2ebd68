//! From a host to the addresses to try.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::lookup_ip::LookupIp;

use super::lock;
use crate::web::exchange::Fault;
use crate::web::url::Origin;

/// Times to live are whole seconds.
const TTL_UNIT: Duration = Duration::from_secs(1);

/// An address given for a name and port, as in `--resolve HOST:PORT:ADDR[:PORT]`. It is allowed by being given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The host as it stands in URLs.
    pub host: String,
    /// The port as it stands in URLs.
    pub port: u16,
    /// Where to connect instead.
    pub to: SocketAddr,
}

/// What is wrong with a `--resolve` value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("«{0}» is not HOST:PORT:ADDR or HOST:PORT:ADDR:PORT (an IPv6 address stands in brackets)")]
pub struct NotResolve(String);

impl FromStr for Resolve {
    type Err = NotResolve;

    fn from_str(text: &str) -> Result<Resolve, NotResolve> {
        let refuse = || NotResolve(text.to_owned());
        let mut parts = text.splitn(3, ':');
        let (host, port, to) = (parts.next(), parts.next(), parts.next());
        let (Some(host), Some(port), Some(to)) = (host, port, to) else { return Err(refuse()) };
        let port: u16 = port.parse().map_err(|_| refuse())?;
        let bare = to.trim_start_matches('[').trim_end_matches(']');
        let to = to
            .parse::<SocketAddr>()
            .or_else(|_| bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, port)))
            .map_err(|_| refuse())?;
        // As URLs spell it: lower case, names beyond ASCII in their ASCII form.
        let host = url::Host::parse(host).map_err(|_| refuse())?.to_string();
        Ok(Resolve { host, port, to })
    }
}

/// One address to try, and whether it was given rather than found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub to: SocketAddr,
    pub given: bool,
}

/// Where to connect, and what a name server said about it: lines of a master file (RFC 1035, 5.1).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub addresses: Vec<Address>,
    /// None when nobody was asked: the name was given, is an address, or is known from a moment ago.
    pub answer: Option<Vec<String>>,
}

pub(super) struct Names {
    given: HashMap<(String, u16), Vec<SocketAddr>>,
    /// None when the system has no usable settings: then only given names and literal addresses resolve.
    resolver: Option<TokioResolver>,
    /// Until when the last answer about each host is good, where answers are wanted: one that the resolver gives a
    /// second time from its memory has the same end, to the second.
    told: Option<Mutex<HashMap<String, Instant>>>,
}

impl Names {
    /// With the addresses given; `tell` wants to know what name servers say.
    pub(super) fn new(resolve: &[Resolve], tell: bool) -> Names {
        let mut given: HashMap<(String, u16), Vec<SocketAddr>> = HashMap::new();
        for rule in resolve {
            given.entry((rule.host.clone(), rule.port)).or_default().push(rule.to);
        }
        let resolver = TokioResolver::builder_tokio().ok().and_then(|builder| builder.build().ok());
        Names { given, resolver, told: tell.then(Mutex::default) }
    }

    /// The addresses of an origin, in the order to try them; at least one.
    pub(super) async fn addresses(&self, origin: &Origin) -> Result<Found, Fault> {
        if let Some(given) = self.given.get(&(origin.host.to_string(), origin.port)) {
            let addresses = given.iter().map(|to| Address { to: *to, given: true }).collect();
            return Ok(Found { addresses, answer: None });
        }
        let found = |address: IpAddr| Address { to: SocketAddr::new(address, origin.port), given: false };
        let literal = origin.host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse::<IpAddr>() {
            return Ok(Found { addresses: vec![found(address)], answer: None });
        }
        let resolver = self.resolver.as_ref().ok_or_else(|| Fault::Dns("this system has no resolver".to_owned()))?;
        // The final dot keeps the system's search domains out of it.
        let name = format!("{}.", origin.host.trim_end_matches('.'));
        let answer = resolver.lookup_ip(name).await.map_err(|cause| Fault::Dns(cause.to_string()))?;
        let addresses: Vec<Address> = answer.iter().map(found).collect();
        if addresses.is_empty() {
            return Err(Fault::Dns("no address".to_owned()));
        }
        Ok(Found { addresses, answer: self.answer(&origin.host, &answer) })
    }

    /// What the name server said, unless that is told already.
    fn answer(&self, host: &str, answer: &LookupIp) -> Option<Vec<String>> {
        let until = answer.valid_until();
        let mut told = lock(self.told.as_ref()?);
        if told.get(host).is_some_and(|before| until <= *before + TTL_UNIT) {
            return None;
        }
        told.insert(host.to_owned(), until);
        let line = |record: &hickory_resolver::proto::rr::Record| {
            let (name, ttl, class, kind) = (&record.name, record.ttl, record.dns_class, record.record_type());
            format!("{name}\t{ttl}\t{class}\t{kind}\t{}", record.data)
        };
        Some(answer.as_lookup().answers().iter().map(line).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name server that knows one address of every name, good for a minute.
    async fn name_server() -> SocketAddr {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((len, from)) = socket.recv_from(&mut query).await {
                // RFC 1035, 4.1: the query's id, a response that recursed, one question, an answer if it asks for A.
                let name = query[12..len].iter().position(|byte| *byte == 0).unwrap();
                let question = &query[12..12 + name + 5];
                let asks_for_a = question[name + 1..name + 3] == [0, 1];
                let mut answer = vec![query[0], query[1], 0x81, 0x80, 0, 1, 0, u8::from(asks_for_a), 0, 0, 0, 0];
                answer.extend_from_slice(question);
                if asks_for_a {
                    answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
                }
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn what_a_name_server_says_is_told_once() {
        use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig};
        let server = name_server().await;
        let mut connection = ConnectionConfig::new(ProtocolConfig::Udp);
        connection.port = server.port();
        let servers = vec![NameServerConfig::new(server.ip(), true, vec![connection])];
        let config = ResolverConfig::from_name_servers(servers);
        let mut names = Names::new(&["given.example:80:127.0.0.1".parse().unwrap()], true);
        names.resolver = TokioResolver::builder_with_config(config, Default::default()).build().ok();
        let origin = |host: &str| crate::web::url::WebUrl::parse(&format!("http://{host}/")).unwrap().origin();
        let found = names.addresses(&origin("news.example")).await.unwrap();
        assert_eq!(found.addresses, [Address { to: "192.0.2.7:80".parse().unwrap(), given: false }]);
        assert_eq!(found.answer.unwrap(), ["news.example.\t60\tIN\tA\t192.0.2.7"]);
        let again = names.addresses(&origin("news.example")).await.unwrap();
        assert_eq!((again.addresses, again.answer), (found.addresses, None));
        assert_eq!(names.addresses(&origin("given.example")).await.unwrap().answer, None);
    }

    #[test]
    fn rules_give_addresses_to_names() {
        for (text, want) in [
            ("News.example:80:127.0.0.1", Some(("news.example", 80, "127.0.0.1:80"))),
            ("h.example:443:127.0.0.1:8443", Some(("h.example", 443, "127.0.0.1:8443"))),
            ("h.example:80:[::1]:81", Some(("h.example", 80, "[::1]:81"))),
            ("h.example:80:::1", Some(("h.example", 80, "[::1]:80"))),
            ("h.example:80", None),
            ("h.example:x:127.0.0.1", None),
            ("h.example:80:elsewhere", None),
        ] {
            let rule = text.parse::<Resolve>().ok();
            let want = want.map(|(host, port, to)| Resolve { host: host.to_owned(), port, to: to.parse().unwrap() });
            assert_eq!(rule, want, "{text}");
        }
    }
}
