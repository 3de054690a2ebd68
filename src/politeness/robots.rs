//! robots.txt by RFC 9309: which group is ours, what its rules say, and which line said it.
//!
//! The groups are read here, because a published parser ends a group at a line it does not know and matches
//! `bot/1.0` with nobody; patterns (normal form, `*`, `$`, longest match) are `robotxt`'s. What was received is never
//! changed: the raw file is a capture like any other.

use std::time::Duration;

/// No more of a file than this is parsed (RFC 9309, 2.5), in bytes.
pub const LIMIT: usize = robotxt::BYTE_LIMIT;

/// The rules of one origin for one crawler.
#[derive(Clone, Debug)]
pub struct Robots {
    rules: robotxt::Robots,
    lines: Vec<RuleLine>,
    /// The longest `Crawl-delay` of the groups that apply.
    pub crawl_delay: Option<Duration>,
}

#[derive(Clone, Debug)]
struct RuleLine {
    number: usize,
    text: String,
    allow: bool,
    value: Vec<u8>,
}

/// Whether a URL may be fetched, and the line that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It may.
    pub allowed: bool,
    /// `Disallow: /private/`; none when no rule matches.
    pub rule: Option<String>,
    /// Where the rule stands, counted from 1.
    pub line: Option<usize>,
}

impl Robots {
    /// Reads a file for the crawler with this product token. Any bytes are a robots.txt; lines end with CR, LF or both.
    pub fn read(bytes: &[u8], agent: &str) -> Robots {
        let bytes = &bytes[..bytes.len().min(LIMIT)];
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let groups = groups(bytes);
        let is_ours = |group: &&Group| group.agents.iter().any(|token| token.eq_ignore_ascii_case(agent));
        let is_anybody = |group: &&Group| group.agents.iter().any(|token| token == "*");
        let mut ours: Vec<&Group> = groups.iter().filter(is_ours).collect();
        if ours.is_empty() {
            ours = groups.iter().filter(is_anybody).collect();
        }
        let lines: Vec<RuleLine> = ours.iter().flat_map(|group| group.rules.iter().cloned()).collect();
        let mut text = b"User-agent: *\n".to_vec();
        for line in &lines {
            text.extend_from_slice(&line.directive());
        }
        Robots {
            rules: robotxt::Robots::parse(&text, robotxt::ANY_AGENT),
            lines,
            crawl_delay: ours.iter().filter_map(|group| group.crawl_delay).max(),
        }
    }

    /// Everything is allowed: there is no file.
    pub fn allow_all() -> Robots {
        Robots { rules: robotxt::Robots::allow_all(), lines: Vec::new(), crawl_delay: None }
    }

    /// May this path, with its query, be fetched?
    pub fn verdict(&self, path_and_query: &str) -> Verdict {
        let allowed = self.rules.is_allowed(path_and_query);
        // robots.txt itself is always allowed, whatever rule matches it.
        let rule = self.rules.matching_rule(path_and_query).filter(|rule| rule.is_allow() == allowed);
        let line = rule.and_then(|rule| self.lines.iter().find(|line| line.is(rule)));
        Verdict { allowed, rule: line.map(|line| line.text.clone()), line: line.map(|line| line.number) }
    }
}

impl RuleLine {
    fn directive(&self) -> Vec<u8> {
        let mut line = if self.allow { b"Allow: ".to_vec() } else { b"Disallow: ".to_vec() };
        line.extend_from_slice(&self.value);
        line.push(b'\n');
        line
    }

    /// Compared in robotxt's normal form, which it does not export: a file of this one line has it.
    fn is(&self, rule: &robotxt::Rule) -> bool {
        let mut alone = b"User-agent: *\n".to_vec();
        alone.extend_from_slice(&self.directive());
        let alone = robotxt::Robots::parse(&alone, robotxt::ANY_AGENT);
        self.allow == rule.is_allow() && alone.rules().first().is_some_and(|own| own.pattern() == rule.pattern())
    }
}

#[derive(Default)]
struct Group {
    agents: Vec<String>,
    rules: Vec<RuleLine>,
    crawl_delay: Option<Duration>,
}

fn groups(bytes: &[u8]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut naming_agents = false;
    for (number, line) in lines(bytes) {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or(b"").trim_ascii();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (key, value) = (line[..colon].trim_ascii().to_ascii_lowercase(), line[colon + 1..].trim_ascii());
        match (key.as_slice(), groups.last_mut()) {
            (b"user-agent", _) => {
                if !naming_agents {
                    groups.push(Group::default());
                }
                naming_agents = true;
                if let Some(group) = groups.last_mut() {
                    group.agents.push(token(value));
                }
            }
            (b"allow" | b"disallow", Some(group)) => {
                naming_agents = false;
                let text = String::from_utf8_lossy(line).chars().take(200).collect();
                group.rules.push(RuleLine { number, text, allow: key == b"allow", value: value.to_vec() });
            }
            // No rule: it ends no group (RFC 9309, 2.2.4).
            (b"crawl-delay", Some(group)) => group.crawl_delay = seconds(value).max(group.crawl_delay),
            _ => {}
        }
    }
    groups
}

/// Lines with their numbers; CR, LF and CR LF each end one (RFC 9309, 2.2).
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some(bytes);
    let split = move || {
        let bytes = rest?;
        let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        rest = end.map(|end| {
            let crlf = bytes[end..].starts_with(b"\r\n");
            &bytes[end + if crlf { 2 } else { 1 }..]
        });
        Some(&bytes[..end.unwrap_or(bytes.len())])
    };
    std::iter::from_fn(split).enumerate().map(|(i, line)| (i + 1, line))
}

/// The product token: `bot/1.0 (x)` names `bot`.
fn token(value: &[u8]) -> String {
    let end = value.iter().position(|byte| matches!(byte, b'/' | b' ' | b'\t')).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

fn seconds(value: &[u8]) -> Option<Duration> {
    let seconds: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(file: &str, path: &str, allowed: bool, line: Option<usize>) {
        let verdict = Robots::read(file.as_bytes(), "pressmark").verdict(path);
        assert_eq!((verdict.allowed, verdict.line), (allowed, line), "{path} by {file:?}");
    }

    #[test]
    fn the_longest_rule_of_our_group_decides() {
        check("", "/x", true, None);
        check("User-agent: *\nDisallow: /", "/x", false, Some(2));
        check("User-agent: *\nDisallow: /\nUser-agent: PressMark\nDisallow: /a\nAllow: /a/b", "/a/b", true, Some(5));
        check("User-agent: *\nDisallow: /\nUser-agent: PressMark\nDisallow: /a", "/b", true, None);
        check("User-agent: pressmark/2.0 (x)\nDisallow: /a", "/a", false, Some(2));
        check("User-agent: pressmark2\nDisallow: /a", "/a", true, None);
        check("User-agent: pressmark\nDisallow: /a\n\nUser-agent: pressmark\nDisallow: /b", "/b", false, Some(5));
        check("User-agent: pressmark\nCrawl-delay: 3\nUser-agent: z\nDisallow: /", "/x", false, Some(4));
        check("\u{feff}User-agent: *\rDisallow: /a\rAllow: /a$", "/a", true, Some(3));
        check("User-agent: *\nDisallow: /*.php$", "/x.php", false, Some(2));
        check("User-agent: *\nDisallow: /*.php$", "/x.php?y", true, None);
        check("User-agent: *\nDisallow: /%62%61%7A", "/baz", false, Some(2));
        check("User-agent: *\nDisallow: /中", "/%E4%B8%AD/x", false, Some(2));
        check("User-agent: *\nAllow: /p\nDisallow: /p", "/page", true, Some(2));
        check("User-agent: *\nDisallow:", "/x", true, None);
        check("Disallow: /\nUser-agent: *\nAllow: /", "/x", true, Some(3));
        check("<html>Disallow: /</html>", "/x", true, None);
        check("User-agent: *\nDisallow: /", "/robots.txt", true, None);
    }

    #[test]
    fn the_longest_crawl_delay_holds() {
        let robots =
            Robots::read(b"User-agent: a\nUser-agent: *\nCrawl-delay: 1.5\nUser-agent: *\nCrawl-delay: x", "pressmark");
        assert_eq!(robots.crawl_delay, Some(Duration::from_millis(1500)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_robots_txt(bytes in proptest::collection::vec(any::<u8>(), 0..300), path in "/\\PC{0,20}") {
            let _ = Robots::read(&bytes, "pressmark").verdict(&path);
        }
    }
}
