//! robots.txt by RFC 9309: which groups are ours, what their rules say, and which line said it.
//!
//! Any bytes are a robots.txt. What a line may look like stands in [`KEYS`]; a line that is none of these ends nothing
//! and means nothing. There are four leniencies: the usual misspellings; a missing colon before a single word; a file in
//! UTF-16 with its mark; and a `Disallow` whose path lacks its first slash gets one. An `Allow` without it is not read:
//! in doubt, a URL is not wanted.
//!
//! What was received is never changed: the raw file is a capture like any other.

use std::borrow::Cow;
use std::time::Duration;

use memchr::memmem;

use crate::web::verdict::RobotsVerdict;

/// No more of a file than this is read (RFC 9309, 2.5), in bytes.
pub const LIMIT: usize = 500 * 1024;

/// A `Crawl-delay` that asks for more is taken for this: a host that wants to be asked less than once an hour says so
/// better with `Disallow`.
pub const MOST_CRAWL_DELAY: Duration = Duration::from_secs(3600);

/// The text of a rule is shown up to here.
const SHOWN: usize = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Agent,
    Allow,
    Disallow,
    CrawlDelay,
    Sitemap,
}

/// What a line can begin with, in whatever case. Only the first of each kind is in RFC 9309 or in common use; the others
/// are how people misspell it.
const KEYS: [(&[u8], Key); 14] = [
    (b"user-agent", Key::Agent),
    (b"useragent", Key::Agent),
    (b"user agent", Key::Agent),
    (b"allow", Key::Allow),
    (b"disallow", Key::Disallow),
    (b"dissallow", Key::Disallow),
    (b"dissalow", Key::Disallow),
    (b"disalow", Key::Disallow),
    (b"diasllow", Key::Disallow),
    (b"disallaw", Key::Disallow),
    (b"crawl-delay", Key::CrawlDelay),
    (b"crawldelay", Key::CrawlDelay),
    (b"sitemap", Key::Sitemap),
    (b"site-map", Key::Sitemap),
];

/// The rules of one origin for one crawler. Small: what other crawlers are told is not kept.
#[derive(Clone, Debug)]
pub struct Robots {
    rules: Box<[Rule]>,
    /// Of each rule, its line as it is written, and its path in normal form where that is not the end of the line.
    text: Box<[u8]>,
    /// The longest `Crawl-delay` of the groups that apply, [`MOST_CRAWL_DELAY`] at most.
    pub crawl_delay: Option<Duration>,
}

/// Where a rule stands in the file, and where its texts stand in [`Robots::text`].
#[derive(Clone, Copy, Debug)]
struct Rule {
    line: u32,
    text: (u32, u32),
    pattern: (u32, u32),
    allow: bool,
}

impl Robots {
    /// Reads a file for the crawler with this product token.
    pub fn read(bytes: &[u8], agent: &str) -> Robots {
        let bytes = utf8(within_limit(bytes));
        let groups = groups(&bytes);
        let named = |name: &str| groups.iter().any(|group| group.names(name));
        // Groups of one name are one; a crawler that is named anywhere is no «anybody» (RFC 9309, 2.2.1).
        let agent = if !agent.is_empty() && named(agent) { agent } else { "*" };
        let ours = groups.iter().filter(|group| group.names(agent));
        let crawl_delay = ours.clone().filter_map(|group| group.crawl_delay).max();
        let (mut rules, mut text) = (Vec::new(), Vec::new());
        for written in ours.flat_map(|group| &group.rules) {
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let start = number(text.len());
            let shown: String = String::from_utf8_lossy(written.text).chars().take(SHOWN).collect();
            text.extend_from_slice(shown.as_bytes());
            let end = number(text.len());
            if !text.ends_with(&written.pattern) {
                text.extend_from_slice(&written.pattern);
            }
            let pattern = (number(text.len() - written.pattern.len()), number(text.len()));
            rules.push(Rule { line: number(written.line), text: (start, end), pattern, allow: written.allow });
        }
        Robots { rules: rules.into(), text: text.into(), crawl_delay }
    }

    /// May this path, with its query, be fetched? The rule with the most octets decides, of two equals the one that
    /// allows (RFC 9309, 2.2.2).
    pub fn verdict(&self, path_and_query: &str) -> RobotsVerdict {
        if path_and_query == "/robots.txt" {
            return RobotsVerdict::without_rule("robots.txt is never forbidden");
        }
        let forms = forms(path_and_query);
        let mut best: Option<(usize, &Rule)> = None;
        for rule in &self.rules {
            let pattern = self.slice(rule.pattern);
            let beaten = best.is_some_and(|(most, by)| (pattern.len(), rule.allow) <= (most, by.allow));
            if !beaten && forms.iter().any(|path| matches(pattern, path)) {
                best = Some((pattern.len(), rule));
            }
        }
        match best {
            None => RobotsVerdict::without_rule("no rule matches"),
            Some((_, rule)) => RobotsVerdict {
                allowed: rule.allow,
                rule: String::from_utf8_lossy(self.slice(rule.text)).into_owned(),
                line: Some(rule.line),
            },
        }
    }

    /// The memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.text.len() + size_of_val(&*self.rules)
    }

    fn slice(&self, (from, to): (u32, u32)) -> &[u8] {
        &self.text[from as usize..to as usize]
    }
}

/// What of a file is read: whole lines up to [`LIMIT`]. A line that the limit cuts is not read, because half a rule can
/// say anything.
pub fn within_limit(bytes: &[u8]) -> &[u8] {
    if bytes.len() <= LIMIT { bytes } else { whole_lines(&bytes[..=LIMIT]) }
}

/// The lines that certainly came to their end.
pub fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| is_line_end(*byte)).unwrap_or(0);
    &bytes[..end]
}

/// What a file says that binds nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Its `Sitemap` lines, wherever they stand.
    pub sitemaps: Vec<String>,
    /// What of it is not obeyed to the letter.
    pub oddities: Vec<String>,
}

/// Looks through a file for what a reader of the archive may want to know.
pub fn survey(bytes: &[u8]) -> Survey {
    let (mut survey, read) = (Survey::default(), within_limit(bytes));
    if read.len() < bytes.len() {
        let last = lines(read).last().map_or(0, |(number, _)| number);
        survey.oddities.push(format!("robots.txt is longer than {LIMIT} bytes: it was read up to line {last}"));
    }
    for line in directives(&utf8(read)) {
        match line.key {
            Key::Sitemap => survey.sitemaps.push(String::from_utf8_lossy(line.value).into_owned()),
            Key::CrawlDelay if seconds(line.value).is_some_and(|asked| asked > MOST_CRAWL_DELAY) => {
                let (asked, most) = (String::from_utf8_lossy(line.value), MOST_CRAWL_DELAY.as_secs());
                survey.oddities.push(format!("line {}: a Crawl-delay of {asked} is taken for {most}", line.number));
            }
            _ => {}
        }
    }
    survey
}

/// The name robots.txt knows a crawler by (RFC 9309, 2.2.1): its user agent up to the version; of one that begins like
/// a browser's, `Mozilla/5.0 (compatible; bot/1.0)`, the one it is compatible with.
///
/// ```
/// use pressmark::politeness::product_token;
/// assert_eq!(product_token("pressmark/0.1.0 (+http://h.example)"), "pressmark");
/// assert_eq!(product_token("Mozilla/5.0 (compatible; bot/1.0; +http://h.example)"), "bot");
/// ```
pub fn product_token(user_agent: &str) -> &str {
    let first = first_product(user_agent);
    if !first.eq_ignore_ascii_case("mozilla") {
        return first;
    }
    let named = user_agent.split_once("compatible;").map(|(_, rest)| first_product(rest));
    named.filter(|named| !named.is_empty()).unwrap_or(first)
}

fn first_product(text: &str) -> &str {
    text.trim_start().split(['/', ' ', ';', ')']).next().unwrap_or("")
}

#[derive(Default)]
struct Group<'a> {
    agents: Vec<Cow<'a, str>>,
    rules: Vec<Written<'a>>,
    crawl_delay: Option<Duration>,
}

impl Group<'_> {
    fn names(&self, agent: &str) -> bool {
        self.agents.iter().any(|token| token.eq_ignore_ascii_case(agent))
    }
}

/// A rule as it is written, and its path in normal form.
struct Written<'a> {
    line: usize,
    text: &'a [u8],
    allow: bool,
    pattern: Vec<u8>,
}

fn groups(bytes: &[u8]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut naming_agents = false;
    for line in directives(bytes) {
        match (line.key, groups.last_mut()) {
            (Key::Agent, Some(group)) if naming_agents => group.agents.push(token(line.value)),
            (Key::Agent, _) => {
                naming_agents = true;
                groups.push(Group { agents: vec![token(line.value)], ..Group::default() });
            }
            (Key::Allow | Key::Disallow, Some(group)) => {
                naming_agents = false;
                let allow = line.key == Key::Allow;
                let pattern = pattern(line.value, allow);
                group.rules.extend(pattern.map(|pattern| Written {
                    line: line.number,
                    text: line.text,
                    allow,
                    pattern,
                }));
            }
            // No rule: it ends no group (RFC 9309, 2.2.4).
            (Key::CrawlDelay, Some(group)) => {
                let asked = seconds(line.value).map(|asked| asked.min(MOST_CRAWL_DELAY));
                group.crawl_delay = group.crawl_delay.max(asked);
            }
            // Rules before any group bind nobody.
            _ => {}
        }
    }
    groups
}

struct Directive<'a> {
    number: usize,
    /// The line without comment and space around it.
    text: &'a [u8],
    key: Key,
    value: &'a [u8],
}

fn directives(bytes: &[u8]) -> impl Iterator<Item = Directive<'_>> {
    lines(bytes).filter_map(|(number, line)| {
        let text = line.split(|byte| *byte == b'#').next().unwrap_or(b"").trim_ascii();
        let (key, value) = match text.iter().position(|byte| *byte == b':') {
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => {
                let space = text.iter().position(u8::is_ascii_whitespace)?;
                let value = text[space..].trim_ascii();
                (&text[..space], Some(value).filter(|value| !value.iter().any(u8::is_ascii_whitespace))?)
            }
        };
        let (_, key) = *KEYS.iter().find(|(name, _)| key.trim_ascii().eq_ignore_ascii_case(name))?;
        Some(Directive { number, text, key, value: value.trim_ascii() })
    })
}

/// Lines with their numbers; CR, LF and CR LF each end one (RFC 9309, 2.2).
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some(bytes);
    let split = move || {
        let bytes = rest?;
        let end = bytes.iter().position(|byte| is_line_end(*byte));
        rest = end.map(|end| {
            let crlf = bytes[end..].starts_with(b"\r\n");
            &bytes[end + if crlf { 2 } else { 1 }..]
        });
        Some(&bytes[..end.unwrap_or(bytes.len())])
    };
    std::iter::from_fn(split).enumerate().map(|(i, line)| (i + 1, line))
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// A robots.txt is UTF-8, with or without its mark (RFC 9309, 2.3); one in UTF-16 says so by its mark.
fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let encoding = match bytes {
        [0xff, 0xfe, ..] => encoding_rs::UTF_16LE,
        [0xfe, 0xff, ..] => encoding_rs::UTF_16BE,
        _ => return Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    };
    Cow::Owned(encoding.decode_without_bom_handling(&bytes[2..]).0.into_owned().into_bytes())
}

/// The product token: `bot/1.0 (x)` names `bot`.
fn token(value: &[u8]) -> Cow<'_, str> {
    let end = value.iter().position(|byte| matches!(byte, b'/' | b' ' | b'\t')).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end])
}

/// The seconds at the beginning of a value, if it begins with a number: `1.5`, `1,5`, `10`, `10s`, and what was meant by
/// `5 min`. No delay is none.
fn seconds(value: &[u8]) -> Option<Duration> {
    let end = value.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b',')).unwrap_or(value.len());
    let (number, rest) = value.split_at(end);
    let number: f64 = std::str::from_utf8(number).ok()?.replace(',', ".").parse().ok()?;
    let seconds = match rest.trim_ascii().to_ascii_lowercase().as_slice() {
        b"ms" => number / 1000.0,
        [b'm', ..] => number * 60.0,
        [b'h', ..] => number * 3600.0,
        _ => number,
    };
    // More than a duration can be is more than the most, too.
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)).filter(|delay| !delay.is_zero())
}

/// The path of a rule in normal form; none when it matches nothing.
fn pattern(value: &[u8], allow: bool) -> Option<Vec<u8>> {
    match value.first()? {
        b'/' | b'*' => Some(normal(value, true)),
        _ if allow => None,
        _ => Some([b"/", normal(value, true).as_slice()].concat()),
    }
}

/// The forms of a path under which a rule may know it. Where a query holds an address, RFC 9309's own table (2.2.2)
/// writes its `:` and `/` percent-encoded, sites write them either way, and both are meant.
fn forms(path_and_query: &str) -> Vec<Vec<u8>> {
    let plain = normal(path_and_query.as_bytes(), false);
    let mut forms = vec![plain];
    if let Some(query) = forms[0].iter().position(|byte| *byte == b'?') {
        let (path, query) = forms[0].split_at(query);
        let text = String::from_utf8_lossy(query);
        let encoded = text.replace(':', "%3A").replace('/', "%2F");
        let decoded = text.replace("%3A", ":").replace("%2F", "/");
        let others = [encoded, decoded].into_iter().filter(|other| *other != text);
        let others: Vec<Vec<u8>> = others.map(|other| [path, other.as_bytes()].concat()).collect();
        forms.extend(others);
    }
    forms
}

/// What is compared, octet by octet (RFC 9309, 2.2.2 and 2.2.3): what need not be percent-encoded is not, all else is,
/// in capitals. Of a pattern, `*` and the `$` at its end keep their meaning; everywhere else they are encoded.
fn normal(text: &[u8], is_pattern: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (*byte, after) {
            (b'%', [high, low, beyond @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit =
                    |hex: u8| (hex as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
                let octet = digit(*high) * 16 + digit(*low);
                if is_unreserved(octet) {
                    out.push(octet);
                } else {
                    encode(octet, &mut out);
                }
                rest = beyond;
            }
            (b'*', _) if is_pattern => out.push(b'*'),
            (b'$', []) if is_pattern => out.push(b'$'),
            (octet, _) if is_unreserved(octet) || b"%!&()+,;=:@/?#[]".contains(&octet) => out.push(octet),
            (octet, _) => encode(octet, &mut out),
        }
    }
    out
}

fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

fn encode(octet: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(percent_encoding::percent_encode_byte(octet).as_bytes());
}

/// Whether a path begins with what the pattern describes. Each piece between stars is taken where it is first found, so
/// the time grows with the length of both and no faster, however many stars there are.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (pattern, to_end) = pattern.strip_suffix(b"$").map_or((pattern, false), |pattern| (pattern, true));
    let mut pieces = pattern.split(|byte| *byte == b'*').peekable();
    let Some(mut rest) = path.strip_prefix(pieces.next().unwrap_or(b"")) else { return false };
    let is_plain = pieces.peek().is_none();
    while let Some(piece) = pieces.next() {
        if to_end && pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = memmem::find(rest, piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    !(to_end && is_plain) || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Files that look like robots.txt, and paths like theirs.
    const FILE: &str = "((User-agent: (\\*|pressmark|z)|(Dis)?[aA]llow: ?[/*][a-c*$%2F/?中]{0,6}|#x|Crawl-delay: 2)?(\r|\n|\r\n)){0,12}";
    const PATH: &str = "/[a-c*$/?%中]{0,8}";

    /// The rules that bind us, and nothing else.
    fn rewritten(robots: &Robots) -> String {
        let rule = |rule: &Rule| {
            let pattern = String::from_utf8_lossy(robots.slice(rule.pattern));
            format!("{}: {pattern}\n", if rule.allow { "Allow" } else { "Disallow" })
        };
        format!("User-agent: *\n{}", robots.rules.iter().map(rule).collect::<String>())
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_robots_txt(bytes in proptest::collection::vec(any::<u8>(), 0..300), path in "/\\PC{0,20}") {
            let _ = Robots::read(&bytes, "pressmark").verdict(&path);
            let _ = survey(&bytes);
        }

        #[test]
        fn rules_in_normal_form_say_the_same(file in FILE, path in PATH) {
            let robots = Robots::read(file.as_bytes(), "pressmark");
            let again = Robots::read(rewritten(&robots).as_bytes(), "pressmark");
            prop_assert_eq!(robots.verdict(&path).allowed, again.verdict(&path).allowed, "{}", rewritten(&robots));
            prop_assert_eq!(rewritten(&robots), rewritten(&again));
        }

        #[test]
        fn the_line_is_that_of_the_rule(file in FILE, path in PATH) {
            let verdict = Robots::read(file.as_bytes(), "pressmark").verdict(&path);
            if let Some(number) = verdict.line {
                let (_, line) = lines(file.as_bytes()).nth(number as usize - 1).unwrap();
                prop_assert_eq!(verdict.rule.as_bytes(), line.trim_ascii());
                prop_assert_eq!(verdict.allowed, line.to_ascii_lowercase().starts_with(b"allow"));
            }
        }

        #[test]
        fn stars_match_as_a_plain_search_would(pattern in "/[ab*]{0,8}\\$?", path in "/[ab]{0,10}") {
            prop_assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), matches_slowly(pattern.as_bytes(), path.as_bytes()));
        }
    }

    fn matches_slowly(pattern: &[u8], path: &[u8]) -> bool {
        match (pattern, path) {
            ([], _) => true,
            ([b'$'], rest) => rest.is_empty(),
            ([b'*', beyond @ ..], _) => (0..=path.len()).any(|at| matches_slowly(beyond, &path[at..])),
            ([one, beyond @ ..], [other, rest @ ..]) => one == other && matches_slowly(beyond, rest),
            (_, []) => false,
        }
    }
}
