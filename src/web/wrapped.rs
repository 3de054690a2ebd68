//! Addresses wrapped in other addresses: image proxies, resizers, CORS relays. The rules are a table.
//!
//! Only known wrappers are taken off: an unknown `?url=` may be a login page or a share button. What was escaped is
//! decoded exactly once, the inner query belongs to the inner address, and an address inside a private network is
//! never taken out: it would let any page aim the crawler at the machines next to it.

use std::net::{IpAddr, Ipv4Addr};

use percent_encoding::percent_decode_str;

use super::url::WebUrl;

/// How many wrappers around each other are taken off; seen in the wild are two.
const DEEPEST: usize = 4;

/// What a wrapped address wraps, outermost first, the innermost last; empty when nothing is wrapped.
pub fn unwrapped(url: &WebUrl) -> Vec<WebUrl> {
    let mut layers: Vec<WebUrl> = Vec::new();
    while layers.len() < DEEPEST {
        let outer = layers.last().unwrap_or(url);
        match RULES.iter().find_map(|rule| rule.inner(outer)) {
            Some(inner) if !layers.contains(&inner) && inner != *url && !is_private(&inner) => layers.push(inner),
            _ => break,
        }
    }
    // A relay that relays to itself hides nothing: `https://cors.example/?https://cors.example/?`.
    let innermost = layers.last();
    if innermost.is_some_and(|inner| is_relay(inner.host()) && inner.origin() == url.origin()) {
        layers.clear();
    }
    layers
}

/// A wrapper: where it lives, the form of its paths, and where in it the inner address stands.
struct Rule {
    host: Host,
    /// The path begins so, or contains it when it does not begin with a slash, or is it when it ends with `$`.
    path: &'static str,
    take: Take,
}

enum Host {
    Any,
    /// This name.
    Is(&'static str),
    /// A name under this one.
    Under(&'static str),
    /// A CORS relay by its name; see [`is_relay`].
    Relay,
}

enum Take {
    /// The whole query is the address.
    Query,
    /// A query parameter.
    Parameter(&'static str),
    /// What follows the first `http://` or `https://` in the path, escaped or not, query included.
    Path,
    /// The path is host and path of the address; `https` if the query says `ssl=1`.
    Photon,
    /// The path behind the rule's is host and path; `s/` before them means `https`.
    Amp,
    /// Behind the rule's path a segment of options, then an address or a path on the same host.
    Options,
    /// The last segment is the address in hexadecimal digits.
    Hex,
    /// In the path, between these two marks, escaped.
    Between(&'static str, &'static str),
    /// From this mark on, the rest of the path is the address in Base64 for URLs, an ending aside.
    Base64(&'static str),
    /// Behind segments of options, host and path, with or without a scheme.
    Bare,
}

const RULES: &[Rule] = &[
    // A CORS relay on a worker, as feeds republished on static sites put before http pictures: `/?http://…`.
    Rule { host: Host::Relay, path: "/", take: Take::Query },
    // cors-anywhere and its like: `/https://…`.
    Rule { host: Host::Relay, path: "/http", take: Take::Path },
    // Relays with a parameter: `corsproxy.io/?url=`, allorigins' `/raw?url=`.
    Rule { host: Host::Is("corsproxy.io"), path: "/", take: Take::Parameter("url") },
    Rule { host: Host::Is("api.allorigins.win"), path: "/", take: Take::Parameter("url") },
    Rule { host: Host::Is("api.codetabs.com"), path: "/v1/proxy", take: Take::Parameter("quest") },
    Rule { host: Host::Is("crossorigin.me"), path: "/http", take: Take::Path },
    Rule { host: Host::Is("thingproxy.freeboard.io"), path: "/fetch/", take: Take::Path },
    // The form of relay that RSSHub's hotlink templates name: https://docs.rsshub.app/guide/parameters
    Rule { host: Host::Any, path: "/image$", take: Take::Parameter("url") },
    // weserv: https://images.weserv.nl/docs/
    Rule { host: Host::Is("images.weserv.nl"), path: "/", take: Take::Parameter("url") },
    Rule { host: Host::Is("wsrv.nl"), path: "/", take: Take::Parameter("url") },
    // Jetpack's Photon: https://developer.wordpress.com/docs/photon/
    Rule { host: Host::Is("i0.wp.com"), path: "/", take: Take::Photon },
    Rule { host: Host::Is("i1.wp.com"), path: "/", take: Take::Photon },
    Rule { host: Host::Is("i2.wp.com"), path: "/", take: Take::Photon },
    Rule { host: Host::Is("i3.wp.com"), path: "/", take: Take::Photon },
    // The AMP cache's image path: https://developers.google.com/amp/cache/overview
    Rule { host: Host::Under("cdn.ampproject.org"), path: "/i/", take: Take::Amp },
    Rule { host: Host::Under("cdn.ampproject.org"), path: "/ii/", take: Take::Amp },
    // Next.js' image optimiser; its address may be a path on the same host.
    Rule { host: Host::Any, path: "/_next/image", take: Take::Parameter("url") },
    Rule { host: Host::Any, path: "/_vercel/image", take: Take::Parameter("url") },
    // Nuxt's: https://image.nuxt.com, and Netlify's: https://docs.netlify.com/image-cdn/overview/
    Rule { host: Host::Any, path: "/_ipx/", take: Take::Path },
    Rule { host: Host::Any, path: "/.netlify/images", take: Take::Parameter("url") },
    // Cloudinary's fetch delivery, and Substack's image host, which is built on the same paths.
    Rule { host: Host::Is("res.cloudinary.com"), path: "image/fetch/", take: Take::Path },
    Rule { host: Host::Is("substackcdn.com"), path: "image/fetch/", take: Take::Path },
    Rule { host: Host::Is("cdn.substack.com"), path: "image/fetch/", take: Take::Path },
    // Cloudflare image resizing: https://developers.cloudflare.com/images/transform-images/transform-via-url/
    Rule { host: Host::Any, path: "/cdn-cgi/image/", take: Take::Options },
    // thumbor without signature: https://thumbor.readthedocs.io/en/latest/usage.html
    Rule { host: Host::Any, path: "/unsafe/", take: Take::Bare },
    // thumbor with one: 27 characters of Base64 and their padding stand before the options.
    Rule { host: Host::Any, path: "=/", take: Take::Path },
    // imgproxy with a plain source: https://docs.imgproxy.net/usage/processing
    Rule { host: Host::Any, path: "plain/http", take: Take::Between("/plain/", "@") },
    // imgproxy with a coded source, which begins as `http` does.
    Rule { host: Host::Any, path: "aHR0c", take: Take::Base64("/aHR0c") },
    // GitHub's Camo: `/DIGEST/HEX`.
    Rule { host: Host::Is("camo.githubusercontent.com"), path: "/", take: Take::Hex },
    // DuckDuckGo's picture proxy.
    Rule { host: Host::Is("external-content.duckduckgo.com"), path: "/iu/", take: Take::Parameter("u") },
    Rule { host: Host::Is("proxy.duckduckgo.com"), path: "/iu/", take: Take::Parameter("u") },
    Rule { host: Host::Is("images.duckduckgo.com"), path: "/iu/", take: Take::Parameter("u") },
    // Baidu's thumbnails: `timg?…&src=` unescaped to the end or escaped; `image_search/src=…&refer=` in the path.
    Rule { host: Host::Under("bdstatic.com"), path: "timg", take: Take::Parameter("src") },
    Rule { host: Host::Under("baidu.com"), path: "timg", take: Take::Parameter("src") },
    Rule { host: Host::Under("baidu.com"), path: "/image_search/src=", take: Take::Between("src=", "&") },
    // Its search's download and detail pages.
    Rule { host: Host::Is("image.baidu.com"), path: "/search/down", take: Take::Parameter("url") },
    Rule { host: Host::Is("image.baidu.com"), path: "/search/down", take: Take::Parameter("thumburl") },
    Rule { host: Host::Is("image.baidu.com"), path: "/search/detail", take: Take::Parameter("objurl") },
    // QQ's reader.
    Rule { host: Host::Is("read.html5.qq.com"), path: "/image", take: Take::Parameter("imageUrl") },
    // Netease's resizer.
    Rule { host: Host::Is("nimg.ws.126.net"), path: "/", take: Take::Parameter("url") },
    // Sogou's relay for WeChat pictures.
    Rule { host: Host::Under("sogoucdn.com"), path: "link", take: Take::Parameter("url") },
    // Google's gadget proxy, as blogs and mail used it.
    Rule { host: Host::Under("googleusercontent.com"), path: "/gadgets/proxy", take: Take::Parameter("url") },
    // Embedly's picture display.
    Rule { host: Host::Is("i.embed.ly"), path: "/1/display", take: Take::Parameter("url") },
    // Google's picture search, Facebook's and Slack's previews, Yahoo's and AOL's resizers, Brightspot's.
    Rule { host: Host::Is("www.google.com"), path: "/imgres", take: Take::Parameter("imgurl") },
    Rule { host: Host::Under("fbcdn.net"), path: "/safe_image.php", take: Take::Parameter("url") },
    Rule { host: Host::Is("slack-imgs.com"), path: "/", take: Take::Parameter("url") },
    Rule { host: Host::Is("s.yimg.com"), path: "api/res/", take: Take::Path },
    Rule { host: Host::Under("aolcdn.com"), path: "dims", take: Take::Parameter("image_uri") },
    Rule { host: Host::Any, path: "/dims4/", take: Take::Parameter("url") },
    // Mementos of the Internet Archive: `/web/20211026021000im_/http://…`.
    Rule { host: Host::Is("web.archive.org"), path: "/web/", take: Take::Path },
];

impl Rule {
    fn inner(&self, url: &WebUrl) -> Option<WebUrl> {
        let path = url.path();
        let at_home = match self.host {
            Host::Any => true,
            Host::Is(name) => url.host() == name,
            Host::Under(name) => {
                url.host().strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Host::Relay => is_relay(url.host()),
        };
        let in_form = || match self.path.strip_suffix('$') {
            Some(whole) => path == whole,
            None if self.path.starts_with('/') => path.starts_with(self.path),
            None => path.contains(self.path),
        };
        if !at_home || !in_form() {
            return None;
        }
        match self.take {
            Take::Query => address(url.query()?),
            Take::Parameter(name) => parameter(url, name),
            Take::Path => from_scheme(&url.path_and_query()[1..]),
            Take::Photon => {
                let scheme = if has_parameter(url, "ssl=1") { "https:/" } else { "http:/" };
                // A name of one label is a path of wp.com's own.
                path[1..].split('/').next()?.contains('.').then(|| WebUrl::parse(&format!("{scheme}{path}")).ok())?
            }
            Take::Amp => {
                let rest = &url.path_and_query()[self.path.len()..];
                // `/ii/w820/s/…`: a width may stand first.
                let narrowed = rest.strip_prefix('w').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
                let rest = narrowed.and_then(|rest| rest.strip_prefix('/')).unwrap_or(rest);
                let (scheme, rest) = rest.strip_prefix("s/").map_or(("http", rest), |rest| ("https", rest));
                WebUrl::parse(&format!("{scheme}://{rest}")).ok()
            }
            Take::Options => {
                let (_, rest) = url.path_and_query()[self.path.len()..].split_once('/')?;
                if rest.starts_with("http") { address(rest) } else { url.join(&format!("/{rest}"), None).ok() }
            }
            Take::Hex => {
                let digits = path.rsplit('/').next()?.as_bytes();
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?;
                address(std::str::from_utf8(&bytes).ok()?)
            }
            Take::Base64(start) => {
                let coded = path[path.find(start)? + 1..].replace('/', "");
                let coded = coded.split('.').next()?.trim_end_matches('=');
                let bytes = data_encoding::BASE64URL_NOPAD.decode(coded.as_bytes()).ok()?;
                address(std::str::from_utf8(&bytes).ok()?)
            }
            Take::Bare => {
                let rest = url.path_and_query();
                from_scheme(&rest[1..]).or_else(|| {
                    // The first segment that has the form of a name is the host.
                    let host = |part: &&str| part.contains('.') && !part.contains([':', '(']);
                    let at = path.split('/').skip(2).find(host).and_then(|part| rest.find(&format!("/{part}/")))?;
                    WebUrl::parse(&format!("http:/{}", &rest[at..])).ok()
                })
            }
            Take::Between(start, end) => {
                let (_, rest) = path.split_once(start)?;
                address(rest.split(end).next()?)
            }
        }
    }
}

/// A host that relays for scripts of other origins: it has a label that begins with `cors`, or is a worker.
fn is_relay(host: &str) -> bool {
    host.ends_with(".workers.dev") || host.split('.').any(|label| label.starts_with("cors"))
}

/// An absolute address, as it stands or escaped once as a whole.
fn address(text: &str) -> Option<WebUrl> {
    let is_absolute = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    if is_absolute(text) {
        return WebUrl::parse(text).ok();
    }
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    is_absolute(&decoded).then(|| WebUrl::parse(&decoded).ok())?
}

/// The address that begins with the first scheme in a path. Paths are often folded to `https:/host` on their way.
fn from_scheme(path: &str) -> Option<WebUrl> {
    let at = path
        .find("http://")
        .into_iter()
        .chain(path.find("https://"))
        .chain(path.find("http%3A"))
        .chain(path.find("https%3A"));
    let at = at.min().filter(|at| *at == 0 || path.as_bytes()[at - 1] == b'/')?;
    address(&path[at..])
}

fn parameter(url: &WebUrl, name: &str) -> Option<WebUrl> {
    let query = url.query()?;
    let mut at = 0;
    for pair in query.split('&') {
        if let Some(value) = pair.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            let to_the_end = &query[at + name.len() + 1..];
            // An address put in without escaping: the rest of the query is its own if it has one.
            if value.starts_with("http://") || value.starts_with("https://") {
                return address(if value.contains('?') { to_the_end } else { value });
            }
            let decoded = percent_decode_str(value).decode_utf8().ok()?;
            return match decoded.strip_prefix("ssl:") {
                // weserv: `ssl:host/path` asks for https, a bare `host/path` for http.
                Some(rest) => WebUrl::parse(&format!("https://{rest}")).ok(),
                None if decoded.starts_with("http") => address(&decoded),
                None if decoded.starts_with('/') => url.join(&decoded, None).ok(),
                None if decoded.split('/').next()?.contains('.') => WebUrl::parse(&format!("http://{decoded}")).ok(),
                None => None,
            };
        }
        at += pair.len() + 1;
    }
    None
}

fn has_parameter(url: &WebUrl, pair: &str) -> bool {
    url.query().is_some_and(|query| query.split('&').any(|one| one == pair))
}

/// An address literal nobody on the internet can mean, or this machine by name. Names that resolve to such addresses
/// are refused where connections are made.
fn is_private(url: &WebUrl) -> bool {
    let host = url.host();
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_private_v4(address),
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => is_private_v4(mapped),
            None => {
                // Unique local, link-local and multicast: fc00::/7, fe80::/10, ff00::/8.
                let first = address.segments()[0];
                let local = first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 || first & 0xff00 == 0xff00;
                address.is_loopback() || address.is_unspecified() || local
            }
        },
        // Names that only a network of its own can answer for (RFC 6761, 6762, 8375).
        Err(_) => {
            let own = [".localhost", ".local", ".internal", ".intranet", ".lan", ".localdomain", ".home.arpa"];
            !host.contains('.') || own.iter().any(|ending| host.ends_with(ending))
        }
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // This network, shared address space (RFC 6598), protocol assignments, benchmarks (RFC 2544), multicast on.
        || a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && b & 0xfe == 18)
        || a >= 224
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_wrappers_are_taken_off() {
        for (url, inner) in [
            ("https://cors.some.workers.dev/?http://pic.example/a_1024.jpg", "http://pic.example/a_1024.jpg"),
            ("https://cors.relay.example/?https://pic.example/a.jpg?w=1&h=2", "https://pic.example/a.jpg?w=1&h=2"),
            ("https://cors.relay.example/?https%3A%2F%2Fpic.example%2Fa%2520b", "https://pic.example/a%20b"),
            ("https://cors-any.example/https://pic.example/a.jpg?x=1", "https://pic.example/a.jpg?x=1"),
            ("https://corsproxy.io/?url=https%3A%2F%2Fpic.example%2Fa.jpg", "https://pic.example/a.jpg"),
            ("https://wsrv.nl/?url=https%3A%2F%2Fpic.example%2Fa.jpg%3Fk%3D1&w=300", "https://pic.example/a.jpg?k=1"),
            ("https://wsrv.nl/?w=9&url=pic.example/a.jpg", "http://pic.example/a.jpg"),
            ("https://wsrv.nl/?url=ssl:pic.example/a.jpg", "https://pic.example/a.jpg"),
            ("https://i2.wp.com/pic.example/u/a.jpg?resize=6%2C4&ssl=1", "https://pic.example/u/a.jpg"),
            ("https://i0.wp.com/pic.example/u/a.jpg?w=600", "http://pic.example/u/a.jpg"),
            ("https://pic-example.cdn.ampproject.org/i/s/pic.example/a.jpg?v=2", "https://pic.example/a.jpg?v=2"),
            ("https://site.example/_next/image?url=%2Fm%2Fa.jpg&w=640&q=75", "https://site.example/m/a.jpg"),
            (
                "https://site.example/_next/image?url=https%3A%2F%2Fpic.example%2Fa%2520b.jpg",
                "https://pic.example/a%20b.jpg",
            ),
            ("https://res.cloudinary.com/x/image/fetch/w_300/https://pic.example/a.jpg", "https://pic.example/a.jpg"),
            (
                "https://substackcdn.com/image/fetch/w_14,c_limit/https%3A%2F%2Fpic.example%2Fa.png",
                "https://pic.example/a.png",
            ),
            ("https://site.example/cdn-cgi/image/width=80,fit=cover/up/a.jpg", "https://site.example/up/a.jpg"),
            ("https://site.example/cdn-cgi/image/width=80/https://pic.example/a.jpg", "https://pic.example/a.jpg"),
            ("https://t.example/unsafe/300x200/smart/https://pic.example/a.jpg", "https://pic.example/a.jpg"),
            ("https://ip.example/sig/rs:fit:300/plain/https://pic.example/a.jpg@webp", "https://pic.example/a.jpg"),
            (
                "https://camo.githubusercontent.com/00ff/68747470733a2f2f7069632e6578616d706c652f61",
                "https://pic.example/a",
            ),
            (
                "https://external-content.duckduckgo.com/iu/?u=https%3A%2F%2Fpic.example%2Fa&f=1",
                "https://pic.example/a",
            ),
            ("https://ss1.bdstatic.com/x/timg?image&sec=1&src=http://pic.example/a.jpg", "http://pic.example/a.jpg"),
            (
                "https://gimg2.baidu.com/image_search/src=http%3A%2F%2Fpic.example%2Fa.jpg&refer=x",
                "http://pic.example/a.jpg",
            ),
            ("https://web.archive.org/web/20211026021000im_/http://pic.example/a.jpg", "http://pic.example/a.jpg"),
            ("https://cors.a.example/?https://cors.b.example/?http://pic.example/a", "http://pic.example/a"),
            ("https://pic-example.cdn.ampproject.org/ii/w820/s/pic.example/a.jpg", "https://pic.example/a.jpg"),
            ("https://my.example/image?url=https%3A%2F%2Fpic.example%2Fa.jpg", "https://pic.example/a.jpg"),
            (
                "https://ip.example/sig/rs:fit:300:0/aHR0cHM6Ly9waWMuZXhhbXBsZS9hLmpwZw.webp",
                "https://pic.example/a.jpg",
            ),
            (
                "https://t.example/1A1nCRdgz6pTqZaJ7oNeLdWlCnw=/300x200/smart/https://pic.example/a.jpg",
                "https://pic.example/a.jpg",
            ),
            ("https://t.example/unsafe/300x200/smart/pic.example/a.jpg", "http://pic.example/a.jpg"),
            (
                "http://read.html5.qq.com/image?src=forum&q=5&imageUrl=http%3A%2F%2Fpic.example%2Fa.jpg",
                "http://pic.example/a.jpg",
            ),
            (
                "https://nimg.ws.126.net/?url=http%3A%2F%2Fpic.example%2Fa.jpg&thumbnail=650x",
                "http://pic.example/a.jpg",
            ),
            (
                "https://image.baidu.com/search/down?tn=download&url=http%3A%2F%2Fpic.example%2Fa.jpg",
                "http://pic.example/a.jpg",
            ),
            (
                "https://timgsa.baidu.com/timg?image&quality=80&src=http%3A%2F%2Fpic.example%2Fa.jpg",
                "http://pic.example/a.jpg",
            ),
            ("https://site.example/.netlify/images?url=/m/a.jpg&w=50", "https://site.example/m/a.jpg"),
            ("https://site.example/_ipx/w_300/https://pic.example/a.jpg", "https://pic.example/a.jpg"),
        ] {
            check(url, Some(inner));
        }
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        for url in [
            "https://pic.example/a.jpg?ref=home",
            "https://login.example/?next=https%3A%2F%2Fnews.example%2Fa.jpg",
            "https://pic.example/search.jpg?url=http://other.example/x.jpg",
            "https://res.cloudinary.com/demo/image/upload/w_300/v1/a.jpg",
            "https://cors.relay.example/?",
            "https://cors.relay.example/?https://",
            "https://cors.relay.example/?https://cors.relay.example/?",
            "https://cors.relay.example/?ftp://pic.example/a.jpg",
            "https://i0.wp.com/wp-content/a.jpg",
            "https://camo.githubusercontent.com/00ff/zz",
            "https://pic.example/images?url=https%3A%2F%2Fpic.example%2Fb.jpg",
            "https://share.example/image/page?url=https%3A%2F%2Fpic.example%2Fb.jpg",
            "https://t.example/unsafe/300x200/smart/a.jpg",
            "https://img0.baidu.com/it/u=123,456&fm=26",
        ] {
            check(url, None);
        }
    }

    #[test]
    fn nothing_inside_a_private_network_is_taken_out() {
        for inner in [
            "http://127.0.0.1:8080/a.jpg",
            "http://0x7f.1/a.jpg",
            "http://10.0.0.8/",
            "http://169.254.169.254/latest",
            "http://100.64.1.1/",
            "http://192.168.1.1/",
            "http://[::1]/",
            "http://[fd00::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://localhost/a",
            "http://intranet/a.jpg",
            "http://metadata.google.internal/",
            "http://0.0.0.0/",
        ] {
            check(&format!("https://cors.relay.example/?{inner}"), None);
        }
    }

    #[test]
    fn wrappers_are_taken_off_four_deep() {
        let url = (0..9).fold("http://pic.example/a".to_owned(), |url, n| format!("https://cors.r{n}.example/?{url}"));
        let layers = unwrapped(&WebUrl::parse(&url).unwrap());
        assert_eq!(layers.len(), DEEPEST);
    }

    proptest! {
        #[test]
        fn any_address_is_taken_apart_or_left(rest in "\\PC{0,60}", n in 0..RULES.len()) {
            let host = match RULES[n].host { Host::Is(name) | Host::Under(name) => name, _ => "cors.example" };
            for path in ["", RULES[n].path.trim_start_matches('/')] {
                for mark in ["", "http://", "?", "?url=", "?src=http"] {
                    if let Ok(url) = WebUrl::parse(&format!("https://{host}/{path}{mark}{rest}")) {
                        prop_assert!(unwrapped(&url).len() <= DEEPEST);
                    }
                }
            }
        }
    }

    fn check(url: &str, want: Option<&str>) {
        let layers = unwrapped(&WebUrl::parse(url).unwrap());
        assert_eq!(layers.last().map(WebUrl::as_str), want, "{url}");
    }
}
