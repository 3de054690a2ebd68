//! From a host to the addresses to try.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, Record, RecordType};

use super::lock;
use crate::web::exchange::Fault;
use crate::web::recent::Recent;
use crate::web::url::Origin;

/// Times to live are whole seconds.
const TTL_UNIT: Duration = Duration::from_secs(1);
/// The longest that an answer is believed, whatever it says of itself.
const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);
/// The same for «there is no such name»: names that are new should not have to wait for the next day.
const LONGEST_NEGATIVE_TTL: Duration = Duration::from_secs(15 * 60);
/// Answers kept in memory.
const CACHED: u64 = 8_192;
/// Hosts of which is remembered that their answer is told: no fewer than those whose answers are kept.
const TOLD: usize = 8_192;
/// One question to a name server waits for so long, then it is asked again (resolv.conf(5)); less where `--timeout` is
/// short, so that a lost packet is no lost name.
const PATIENCE: Duration = Duration::from_secs(5);
/// Questions in the air to one name server: more than requests can be.
const QUESTIONS: usize = 8_192;
/// Addresses of IPv6 may come so much later than those of IPv4 (RFC 8305, 3).
const LATE: Duration = Duration::from_millis(50);

/// How names become addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// Addresses given for names.
    pub given: Vec<Resolve>,
    /// Whom to ask; the system's name servers and its table of hosts when there are none.
    pub servers: Vec<SocketAddr>,
    /// The most time there is for a name.
    pub timeout: Duration,
    /// Whether it is wanted what name servers say.
    pub tell: bool,
}

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

/// Where to connect, and what a name server said about it.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub addresses: Vec<Address>,
    /// Empty when nobody was asked: the name was given, or is an address.
    pub answers: Vec<Lookup>,
}

pub(super) struct Names {
    given: HashMap<(String, u16), Vec<SocketAddr>>,
    /// None when the system has no usable settings: then only given names and literal addresses resolve.
    resolver: Option<TokioResolver>,
    /// Until when the last answer about each host is good, where answers are wanted: one that the resolver gives a
    /// second time from its memory has the same end, to the second.
    told: Option<Mutex<Recent<String, Instant>>>,
}

impl Names {
    /// That resolve so.
    pub(super) fn new(options: &Options) -> Names {
        let mut given: HashMap<(String, u16), Vec<SocketAddr>> = HashMap::new();
        for rule in &options.given {
            given.entry((rule.host.clone(), rule.port)).or_default().push(rule.to);
        }
        Names { given, resolver: resolver(options), told: options.tell.then(|| Mutex::new(Recent::new(TOLD))) }
    }

    /// The addresses given for an origin.
    pub(super) fn given(&self, origin: &Origin) -> Option<Vec<Address>> {
        let given = self.given.get(&(origin.host.to_string(), origin.port))?;
        Some(given.iter().map(|to| Address { to: *to, given: true }).collect())
    }

    /// The addresses of an origin, in the order to try them; at least one.
    pub(super) async fn addresses(&self, origin: &Origin) -> Result<Found, Fault> {
        if let Some(addresses) = self.given(origin) {
            return Ok(Found { addresses, ..Found::default() });
        }
        let found = |address: IpAddr| Address { to: SocketAddr::new(address, origin.port), given: false };
        if let Some(address) = literal(&origin.host) {
            return Ok(Found { addresses: vec![found(address)], ..Found::default() });
        }
        let resolver = self.resolver.as_ref().ok_or_else(|| Fault::Dns("this system has no resolver".to_owned()))?;
        let answers = look_up(resolver, &name(&origin.host)?).await?;
        let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = answers
            .iter()
            .flat_map(Lookup::answers)
            .filter_map(|record| record.data.ip_addr())
            .partition(IpAddr::is_ipv6);
        let addresses = interleaved(v6, v4).into_iter().map(found).collect();
        Ok(Found { addresses, answers })
    }

    /// What the name server said, unless that is told already: lines of a master file (RFC 1035, 5.1).
    pub(super) fn tell(&self, host: &str, found: &Found) -> Option<Vec<String>> {
        let answers = &found.answers;
        let until = answers.iter().map(Lookup::valid_until).min()?;
        let mut told = lock(self.told.as_ref()?);
        if told.get(host).is_some_and(|before| until <= *before + TTL_UNIT) {
            return None;
        }
        told.insert(host.to_owned(), until);
        let line = |record: &Record| {
            let (name, ttl, class, kind) = (&record.name, record.ttl, record.dns_class, record.record_type());
            format!("{name}\t{ttl}\t{class}\t{kind}\t{}", record.data)
        };
        Some(answers.iter().flat_map(Lookup::answers).map(line).collect())
    }
}

/// A host as name servers know it (RFC 1035, 3.1), whatever characters it has: some have names that no registry gives.
/// It is absolute, which keeps the system's search domains out of it.
fn name(host: &str) -> Result<Name, Fault> {
    let labels = host.strip_suffix('.').unwrap_or(host).split('.').map(str::as_bytes);
    let no_name = || Fault::NoName("no name can be like that".to_owned());
    if labels.clone().any(<[u8]>::is_empty) {
        return Err(no_name());
    }
    // From labels it is absolute.
    Name::from_labels(labels).map_err(|_| no_name())
}

/// The address that a host is, when it is no name.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn resolver(options: &Options) -> Option<TokioResolver> {
    let mut builder = if options.servers.is_empty() {
        TokioResolver::builder_tokio().ok()?
    } else {
        let config = ResolverConfig::from_name_servers(options.servers.iter().map(name_server).collect());
        TokioResolver::builder_with_config(config, Default::default())
    };
    let settings = builder.options_mut();
    if !options.servers.is_empty() {
        settings.use_hosts_file = ResolveHosts::Never;
    }
    settings.cache_size = CACHED;
    settings.positive_max_ttl = Some(LONGEST_TTL);
    settings.negative_max_ttl = Some(LONGEST_NEGATIVE_TTL);
    settings.max_active_requests = QUESTIONS;
    settings.timeout = PATIENCE.min(options.timeout / 3);
    builder.build().ok()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    // By UDP, and by TCP what does not fit (RFC 7766, 5).
    let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(|protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// Asks for the addresses of both families at once. What there is of one is enough; that there are none is certain only
/// when it is for both.
async fn look_up(resolver: &TokioResolver, name: &Name) -> Result<Vec<Lookup>, Fault> {
    let mut v6 = std::pin::pin!(resolver.lookup(name.clone(), RecordType::AAAA));
    let mut v4 = std::pin::pin!(resolver.lookup(name.clone(), RecordType::A));
    let (v6, v4) = tokio::select! {
        v6 = &mut v6 => (v6, v4.await),
        v4 = &mut v4 => {
            let v6 = match &v4 {
                // A name server that swallows questions about IPv6 does not hold up a host that has IPv4.
                Ok(_) => tokio::time::timeout(LATE, v6).await.unwrap_or(Err(NetError::Timeout)),
                Err(_) => v6.await,
            };
            (v6, v4)
        }
    };
    let mut faults = Vec::new();
    let mut answers = Vec::new();
    for answer in [v6, v4] {
        match answer {
            Ok(answer) if answer.answers().iter().any(|record| record.data.ip_addr().is_some()) => answers.push(answer),
            Ok(_) => faults.push(Fault::NoName(NO_ADDRESS.to_owned())),
            Err(cause) => faults.push(fault(&cause)),
        }
    }
    if answers.is_empty() {
        faults.sort_by_key(Fault::is_final);
        return Err(faults.swap_remove(0));
    }
    Ok(answers)
}

const NO_ADDRESS: &str = "it has no address";

/// Why there is no answer, in words.
fn fault(cause: &NetError) -> Fault {
    match cause {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => Fault::NoName("there is no such name".to_owned()),
            ResponseCode::NoError => Fault::NoName(NO_ADDRESS.to_owned()),
            code => Fault::Dns(format!("the name server answered {code}")),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => Fault::Dns(format!("the name server answered {code}")),
        NetError::Timeout => Fault::Dns("no answer in time".to_owned()),
        NetError::NoConnections | NetError::Io(_) => Fault::Dns("no name server can be reached".to_owned()),
        _ => Fault::Dns("the name server's answer makes no sense".to_owned()),
    }
}

/// IPv6 first, then by turns, so that a family that is dead costs one attempt (RFC 8305, 4).
fn interleaved(v6: Vec<IpAddr>, v4: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut all = Vec::with_capacity(v6.len() + v4.len());
    while v6.len() + v4.len() > 0 {
        all.extend(v6.next());
        all.extend(v4.next());
    }
    all
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
        let options = Options {
            given: vec!["given.example:80:127.0.0.1".parse().unwrap()],
            servers: vec![name_server().await],
            timeout: PATIENCE,
            tell: true,
        };
        let names = Names::new(&options);
        let origin = |host: &str| crate::web::url::WebUrl::parse(&format!("http://{host}/")).unwrap().origin();
        let found = names.addresses(&origin("news.example")).await.unwrap();
        assert_eq!(found.addresses, [Address { to: "192.0.2.7:80".parse().unwrap(), given: false }]);
        assert_eq!(names.tell("news.example", &found).unwrap(), ["news.example.\t60\tIN\tA\t192.0.2.7"]);
        let again = names.addresses(&origin("news.example")).await.unwrap();
        assert_eq!((names.tell("news.example", &again), again.addresses), (None, found.addresses));
        let given = names.addresses(&origin("given.example")).await.unwrap();
        assert_eq!(names.tell("given.example", &given), None);
    }

    #[test]
    fn names_that_no_registry_gives_are_asked_for_and_what_is_no_name_is_not() {
        for (host, labels) in [("-odd_1.example", 2), ("h.example.", 2), ("h", 1)] {
            let name = name(host).unwrap();
            assert_eq!((name.num_labels(), name.is_fqdn()), (labels, true), "{host}");
        }
        for host in ["odd..example", ".", &"x".repeat(64), &"x.".repeat(130)] {
            assert!(matches!(name(host), Err(Fault::NoName(_))), "{host}");
        }
    }

    #[test]
    fn families_take_turns() {
        let list = |texts: &str| texts.split_whitespace().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        for (v6, v4, want) in [
            ("::1 ::2 ::3", "1.1.1.1 1.1.1.2", "::1 1.1.1.1 ::2 1.1.1.2 ::3"),
            ("", "1.1.1.1 1.1.1.2", "1.1.1.1 1.1.1.2"),
            ("::1", "", "::1"),
        ] {
            assert_eq!(interleaved(list(v6), list(v4)), list(want));
        }
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
