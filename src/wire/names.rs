//! From a host to the addresses to try.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use hickory_resolver::TokioResolver;

use crate::web::exchange::Fault;
use crate::web::url::Origin;

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

pub(super) struct Names {
    given: HashMap<(String, u16), Vec<SocketAddr>>,
    /// None when the system has no usable settings: then only given names and literal addresses resolve.
    resolver: Option<TokioResolver>,
}

impl Names {
    pub(super) fn new(resolve: &[Resolve]) -> Names {
        let mut given: HashMap<(String, u16), Vec<SocketAddr>> = HashMap::new();
        for rule in resolve {
            given.entry((rule.host.clone(), rule.port)).or_default().push(rule.to);
        }
        let resolver = TokioResolver::builder_tokio().ok().and_then(|builder| builder.build().ok());
        Names { given, resolver }
    }

    /// The addresses of an origin, in the order to try them; at least one.
    pub(super) async fn addresses(&self, origin: &Origin) -> Result<Vec<Address>, Fault> {
        if let Some(given) = self.given.get(&(origin.host.to_string(), origin.port)) {
            return Ok(given.iter().map(|to| Address { to: *to, given: true }).collect());
        }
        let found = |address: IpAddr| Address { to: SocketAddr::new(address, origin.port), given: false };
        let literal = origin.host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse::<IpAddr>() {
            return Ok(vec![found(address)]);
        }
        let resolver = self.resolver.as_ref().ok_or_else(|| Fault::Dns("this system has no resolver".to_owned()))?;
        // The final dot keeps the system's search domains out of it.
        let name = format!("{}.", origin.host.trim_end_matches('.'));
        let answer = resolver.lookup_ip(name).await.map_err(|cause| Fault::Dns(cause.to_string()))?;
        let addresses: Vec<Address> = answer.iter().map(found).collect();
        if addresses.is_empty() { Err(Fault::Dns("no address".to_owned())) } else { Ok(addresses) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
