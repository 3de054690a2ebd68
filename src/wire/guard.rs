//! Which addresses may be connected to.
//!
//! The check is made on the address a connection is really made to, so neither a redirect nor a name that changes its
//! address between look-up and connection gets around it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Addresses that are not on the public internet. Source: the IANA special-purpose registries (RFC 6890) of 2026.
const REFUSED_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // «this network»
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared by carriers (CGNAT)
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, cloud metadata
    (Ipv4Addr::new(168, 63, 129, 16), 32), // metadata of one cloud: public by number, local by routing
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// See [`REFUSED_V4`]. Only 2000::/3 is public at all (and [`NAT64`], by what it holds); of that, these are not. The
/// few addresses within them that are public serve protocols, and no pages.
const REFUSED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: wraps any IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// How a network without IPv4 reaches it (RFC 6052): the last 32 bits are the address that is really reached.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
/// An IPv4 address written as an IPv6 one is that IPv4 address (RFC 4291, 2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// Refuses addresses that are private, local or reserved, unless they are let through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Ranges that are let through all the same.
    pub allow: Vec<IpNet>,
}

impl Guard {
    /// May this address be connected to?
    ///
    /// ```
    /// use pressmark::wire::Guard;
    /// assert!(!Guard::default().admits("127.0.0.1".parse().unwrap()));
    /// assert!(Guard { allow: vec!["127.0.0.0/8".parse().unwrap()] }.admits("127.0.0.1".parse().unwrap()));
    /// ```
    pub fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow.iter().any(|range| plain(*range).contains(&address)) || is_public(address)
    }
}

/// A range of mapped addresses as the range of IPv4 that it is: `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
fn plain(range: IpNet) -> IpNet {
    let mapped = match range {
        IpNet::V6(v6) if v6.prefix_len() >= MAPPED_BITS => v6.addr().to_ipv4_mapped(),
        _ => None,
    };
    let plain = mapped.and_then(|v4| Ipv4Net::new(v4, range.prefix_len() - MAPPED_BITS).ok());
    plain.map_or(range, IpNet::V4)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !REFUSED_V4.iter().any(|(net, bits)| contains_v4(*net, *bits, v4)),
        IpAddr::V6(v6) if contains_v6(NAT64.0, NAT64.1, v6) => {
            let [.., a, b, c, d] = v6.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(v6) => {
            let global = v6.segments()[0] & 0xe000 == 0x2000;
            global && !REFUSED_V6.iter().any(|(net, bits)| contains_v6(*net, *bits, v6))
        }
    }
}

fn contains_v4(net: Ipv4Addr, bits: u8, address: Ipv4Addr) -> bool {
    Ipv4Net::new(net, bits).is_ok_and(|net| net.contains(&address))
}

fn contains_v6(net: Ipv6Addr, bits: u8, address: Ipv6Addr) -> bool {
    Ipv6Net::new(net, bits).is_ok_and(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of every block of the IANA special-purpose registries that is not globally reachable,
    /// the multicast and reserved spaces, what wraps IPv4 in IPv6, and the clouds' metadata services.
    const REFUSED: &[&str] = &[
        "0.0.0.0 0.255.255.255",                                      // RFC 791: this network
        "10.0.0.0 10.255.255.255",                                    // RFC 1918
        "100.64.0.0 100.127.255.255",                                 // RFC 6598: carriers
        "100.100.100.200",                                            // metadata
        "127.0.0.0 127.0.0.1 127.255.255.255",                        // RFC 1122: loopback
        "168.63.129.16",                                              // metadata
        "169.254.0.0 169.254.169.254 169.254.170.2 169.254.255.255",  // RFC 3927: link-local, metadata
        "172.16.0.0 172.31.255.255",                                  // RFC 1918
        "192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.192 192.0.0.255",    // RFC 6890, 7335, 8880: protocol assignments
        "192.0.2.0 192.0.2.255",                                      // RFC 5737: documentation
        "192.88.99.0 192.88.99.255",                                  // RFC 7526: 6to4 relays
        "192.168.0.0 192.168.255.255",                                // RFC 1918
        "198.18.0.0 198.19.255.255",                                  // RFC 2544: benchmarking
        "198.51.100.0 198.51.100.255",                                // RFC 5737: documentation
        "203.0.113.0 203.0.113.255",                                  // RFC 5737: documentation
        "224.0.0.0 239.255.255.255",                                  // RFC 5771: multicast
        "240.0.0.0 255.255.255.255",                                  // RFC 1112: reserved, broadcast
        ":: ::1",                                                     // RFC 4291: unspecified, loopback
        "::7f00:1 ::808:808",                                         // RFC 4291: IPv4-compatible
        "::ffff:0:7f00:1 ::ffff:0:808:808",                           // RFC 2765: IPv4-translated
        "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254",    // RFC 4291: IPv4-mapped
        "64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe",    // RFC 6052: NAT64
        "64:ff9b:1:: 64:ff9b:1::808:808 64:ff9b:1:ffff::1",           // RFC 8215: NAT64 of a network's own
        "100:: 100::ffff:ffff:ffff:ffff 100:0:0:1::1",                // RFC 6666, 9780: discard, dummy
        "2001:: 2001:0:ffff::1 2001:0:4136:e378:8000:63bf:3fff:fdd2", // RFC 4380: Teredo
        "2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1",           // RFC 2928: protocol assignments
        "2001:db8:: 2001:db8:ffff:ffff::1",                           // RFC 3849: documentation
        "2002:: 2002:7f00:1:: 2002:808:808::1 2002:ffff:ffff::1",     // RFC 3056: 6to4
        "3fff:: 3fff:fff:ffff::1",                                    // RFC 9637: documentation
        "5f00::1 5f00:ffff::1",                                       // RFC 9602: segment routing
        "fc00:: fd00:ec2::254 fd20:ce::254 fdff:ffff::1",             // RFC 4193: local, metadata
        "fe80::1 fe80::a9fe:a9fe febf:ffff::1",                       // RFC 4291: link-local
        "fec0::1 feff:ffff::1",                                       // RFC 3879: site-local
        "ff00::1 ff02::1 ff0e::1 ffff:ffff::1",                       // RFC 4291: multicast
        "1000::1 4000::1 8000::1 e000::1",                            // RFC 4291: not given to anybody
    ];
    /// The neighbours of those blocks, and what the registries call globally reachable.
    const ADMITTED: &[&str] = &[
        "1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0",
        "168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255",
        "192.0.1.0 192.0.3.0 192.31.196.1 192.52.193.1 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0",
        "192.175.48.1 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255",
        "2000::1 2001:200::1 2001:db7::1 2001:db9::1 2003::1 2606:4700::1111 2620:4f:8000::1 3ffe::1 3fff:1000::1",
        "::ffff:8.8.8.8 64:ff9b::8.8.8.8",
    ];

    fn addresses(rows: &'static [&'static str]) -> impl Iterator<Item = IpAddr> {
        rows.iter().flat_map(|row| row.split(' ')).map(|text| text.parse().unwrap_or_else(|_| panic!("{text}")))
    }

    #[test]
    fn only_public_addresses_are_admitted() {
        for refused in addresses(REFUSED) {
            assert!(!Guard::default().admits(refused), "{refused}");
        }
        for public in addresses(ADMITTED) {
            assert!(Guard::default().admits(public), "{public}");
        }
    }

    #[test]
    fn a_range_that_is_let_through_lets_nothing_else_through() {
        for (range, inside, outside) in [
            ("10.0.0.0/24", "10.0.0.9 ::ffff:10.0.0.9", "10.0.1.9 ::ffff:10.0.1.9 64:ff9b::10.0.0.9 2002:a00:9::"),
            ("::ffff:10.0.0.0/120", "10.0.0.9 ::ffff:10.0.0.9", "10.0.1.9 ::10.0.0.9"),
            ("::ffff:10.0.0.9/128", "10.0.0.9", "10.0.0.8"),
            ("fd00:1::/32", "fd00:1::9", "fd00:2::9 fe80::1 ::1"),
            ("::/0", "::1 fd00::1 64:ff9b::10.0.0.9", "127.0.0.1 ::ffff:127.0.0.1"),
            ("0.0.0.0/0", "127.0.0.1 ::ffff:127.0.0.1", "::1 64:ff9b::127.0.0.1"),
            ("64:ff9b::10.0.0.0/120", "64:ff9b::10.0.0.9", "10.0.0.9 64:ff9b::10.0.1.9"),
        ] {
            let guard = Guard { allow: vec![range.parse().unwrap()] };
            for (texts, admitted) in [(inside, true), (outside, false)] {
                for text in texts.split(' ') {
                    assert_eq!(guard.admits(text.parse().unwrap()), admitted, "{text} where {range} is let through");
                }
            }
        }
    }
}
