//! Traps: links that lead on for ever and nowhere new. Each ends by one of a few rules, and each rule has a name that
//! the database shows (`kept_out`).
//!
//! Depth and reach ([`super::scope`]) bound an ordinary crawl. What they leave open is bounded here: by the look of a
//! URL, by what is known of URLs like it, and by what pages say. Seeds are asked for whatever they look like, and so is
//! what a page needs to be shown. Why these rules and these numbers: `docs/decisions/0010-traps.md`.

use std::collections::{BTreeMap, HashMap};

use super::alike::{Classes, REMEMBERED, without_numbers};
use super::step::Taken;
use crate::store::{self, KeptOut, Reader};
use crate::web::candidate::{Candidate, Role};
use crate::web::digest::fingerprint;
use crate::web::outcome::Outcome;
use crate::web::recent::Recent;
use crate::web::url::WebUrl;

/// Longer URLs are made by software that appends to what it was given; servers refuse more than 8,000 (RFC 9110, 4.1).
const LONGEST: usize = 2_048;
/// Directories in a path.
const DIRECTORIES: usize = 24;
/// Times that the same directories may not stand in a row: `/a/b/a/b/a/b`.
const REPEATS: usize = 3;
/// Times that one directory may not stand anywhere in a path.
const SAME_DIRECTORY: usize = 4;
/// Times that a query may not name the same parameter, numbers in its name aside. Forms with `q1` to `q12` exist.
const SAME_PARAMETER: usize = 20;
/// A query that names one so many times may be a selection of many,
const SELECTION: usize = 5;
/// and so many of those are followed of one path: of thirty boxes to tick, there are a thousand million.
const SELECTIONS: i64 = 1_000;
/// Sets of parameters that one path is asked with; a site with filters makes one of every selection.
const COMBINATIONS: i64 = 50;
/// Hosts of one registrable domain that links lead to.
const HOSTS: i64 = 500;
/// Sitemap indexes of a host that another index lists; further ones lead nowhere.
const NESTED_INDEXES: i64 = 100;
/// Links followed from one page,
pub(super) const LINKS: usize = 10_000;
/// and from one feed or sitemap, which may hold as many (sitemaps.org, protocol).
pub(super) const LISTED: usize = 50_000;
/// With `--depth auto`, lists that lists name are read this far below the seed: an index, an index in it, a sitemap.
pub(super) const LIST_DEPTH: u16 = 2;

const TOO_LONG: &str = "a trap: the URL is longer than 2,048 bytes";
const TOO_DEEP: &str = "a trap: more than 24 directories";
const REPEATED: &str = "a trap: the path repeats itself";
const SAME_AGAIN: &str = "a trap: the query names a parameter twenty times";
const SELECTED: &str = "a trap: its path is asked with more than 1,000 queries that name a parameter five times";
const TWIN: &str = "the same as another URL but for a session id or the order of its query";
const COMBINED: &str = "a trap: its path is asked with more than 50 combinations of parameters";
const MANY_HOSTS: &str = "a trap: more than 500 hosts of one domain";
const LIKE_OTHERS: &str =
    "a trap: pages like the one it stands on led to 50 in a row that said nothing new, numbers aside";
const INDEX_IN_INDEX: &str = "a trap: more than 100 sitemap indexes in a sitemap index";
pub(super) const MANY_LINKS: &str = "a trap: more than 10,000 links on one page";
pub(super) const MANY_LISTED: &str = "a trap: more than 50,000 URLs in one list";
pub(super) const LIST_IN_LIST: &str = "a trap: lists within lists, more than 2 deep";

/// Whether a rule is one of those against traps, and no ordinary bound of the crawl.
pub fn is_trap(rule: &str) -> bool {
    rule.starts_with("a trap: ") || rule == TWIN
}

/// The rule by which a URL looks like a trap.
pub(super) fn look(url: &WebUrl) -> Option<&'static str> {
    if url.as_str().len() > LONGEST {
        return Some(TOO_LONG);
    }
    let directories: Vec<&str> = url.path().split('/').filter(|name| !name.is_empty()).collect();
    if directories.len() > DIRECTORIES {
        return Some(TOO_DEEP);
    }
    if repeats(&directories) {
        return Some(REPEATED);
    }
    (most_named(url) >= SAME_PARAMETER).then_some(SAME_AGAIN)
}

/// How many times the query names one parameter.
fn most_named(url: &WebUrl) -> usize {
    let mut names = HashMap::new();
    for parameter in parameters(url) {
        *names.entry(without_numbers(name_of(parameter))).or_insert(0) += 1;
    }
    names.into_values().max().unwrap_or(0)
}

/// What one page is asked with: its path, and the names of its parameters. A first parameter without a value belongs to
/// the path: `index.php?a-slug&page=2` is one of many articles.
fn asked_with(url: &WebUrl) -> (String, Vec<String>) {
    let slug = parameters(url).next().filter(|first| !first.contains('='));
    let path = format!("{}{}?{}", url.origin(), url.path(), slug.unwrap_or_default());
    let rest = parameters(url).skip(usize::from(slug.is_some()));
    let mut names: Vec<String> = rest.map(|parameter| without_numbers(name_of(parameter))).collect();
    names.sort_unstable();
    (path, names)
}

/// Do the same directories stand in a row too often? Numbers alone do not count: `/2011/11/11/11/` is an hour.
fn repeats(directories: &[&str]) -> bool {
    let has_letter = |name: &&str| name.bytes().any(|byte| byte.is_ascii_alphabetic());
    let mut times = HashMap::new();
    for name in directories.iter().filter(|name| has_letter(name)) {
        *times.entry(*name).or_insert(0) += 1;
    }
    if times.values().any(|times| *times >= SAME_DIRECTORY) {
        return true;
    }
    (1..=directories.len() / REPEATS).any(|length| {
        directories.windows(length * REPEATS).any(|run| {
            let (first, rest) = run.split_at(length);
            first.iter().any(has_letter) && rest.chunks(length).all(|next| next == first)
        })
    })
}

fn parameters(url: &WebUrl) -> impl Iterator<Item = &str> {
    url.query().unwrap_or("").split('&').filter(|parameter| !parameter.is_empty())
}

fn name_of(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or(parameter)
}

/// Parameters of queries and paths that carry a session, in lower case, and how long their values are at least: `sid=12`
/// may be a story. The names are those that the servers and shops concerned give them.
const SESSIONS: [(&str, usize); 12] = [
    ("jsessionid", 16),   // Java servlets
    ("phpsessid", 16),    // PHP
    ("aspsessionid", 16), // ASP; followed by eight letters
    ("cfid", 1),          // ColdFusion,
    ("cftoken", 1),       // in two parts
    ("sessionid", 16),
    ("session_id", 16),
    ("sessid", 16),
    ("sid", 20),    // phpBB and many others
    ("oscsid", 16), // osCommerce
    ("zenid", 16),  // Zen Cart
    ("xtcsid", 16), // xt:Commerce
];

fn is_session(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let name = name.to_ascii_lowercase();
    let of = |(session, longest): &(&str, usize)| {
        let named = name == *session || (*session == "aspsessionid" && name.starts_with(session));
        named && value.len() >= *longest && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!".contains(&b))
    };
    SESSIONS.iter().any(of)
}

/// ASP.NET's session as a directory: `/(S(4f2x…))/`.
fn is_session_directory(name: &str) -> bool {
    name.len() >= 16 && name.starts_with('(') && name.ends_with("))") && name.as_bytes().get(2) == Some(&b'(')
}

/// What URLs have in common that differ in a session id or in the order of their query; none when a URL can have no
/// such twin. Case counts, and so does everything else: this decides that two URLs are one.
fn twin(url: &WebUrl) -> Option<String> {
    let directories = url.path().split('/').filter(|name| !is_session_directory(name));
    let path: Vec<String> = directories
        .map(|name| {
            let mut parts = name.split(';');
            let first = parts.next().into_iter();
            first.chain(parts.filter(|part| !is_session(part))).collect::<Vec<_>>().join(";")
        })
        .collect();
    let path = path.join("/");
    let given = parameters(url).count();
    let mut query: Vec<&str> = parameters(url).filter(|parameter| !is_session(parameter)).collect();
    let has_session = path != url.path() || query.len() < given;
    let may_be_reordered = query.len() > 1;
    query.sort_unstable();
    query.dedup();
    (has_session || may_be_reordered).then(|| format!("{}{path}?{}", url.origin(), query.join("&")))
}

/// Under what the class of a page is remembered.
pub(super) fn page(url: &str) -> i64 {
    key("class", url, "")
}

/// What a turn's answer was, as far as the guard against traps is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Nothing that leads anywhere by itself.
    #[default]
    Plain,
    /// What a page below a seed says.
    Page {
        /// Its class ([`super::alike`]).
        class: i64,
        /// The [`page`] that led to it.
        via: Option<i64>,
    },
    /// A page that is elsewhere.
    Redirect {
        /// The [`page`] that led to it.
        via: Option<i64>,
    },
    /// A sitemap index that another list names.
    NestedIndex,
}

/// What a crawl remembers of the links it has followed. What must outlive a run is kept in the store as marks.
pub(super) struct Ward {
    /// Marks that the store may not know yet.
    fresh: HashMap<i64, i64>,
    /// What was said in this run. The class of a page must be known for as long as its links wait in the queue, behind
    /// any number of others: so that is kept in marks, and not for the first page of a class, which most pages are.
    classes: Classes,
    /// Where redirects of this run led, by fingerprint.
    led: Recent<i64, i64>,
}

impl Default for Ward {
    fn default() -> Ward {
        Ward { fresh: HashMap::new(), classes: Classes::default(), led: Recent::new(REMEMBERED) }
    }
}

impl Ward {
    /// The seeds: their twins are known from the start.
    pub(super) fn seeds(&mut self, seeds: &[Candidate]) {
        for seed in seeds {
            if let Some(twin) = twin(&seed.url) {
                self.fresh.insert(key("twin", &twin, ""), fingerprint(seed.url.as_str()));
            }
        }
    }

    /// Takes from a turn the links that a rule keeps out, and ends redirects that go in a circle.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn sift(&mut self, taken: &mut Taken, reader: &Reader) -> Result<(), store::Error> {
        self.end_circle(taken);
        let Taken { settled, sort, found, .. } = taken;
        let mut out: BTreeMap<&'static str, KeptOut> = BTreeMap::new();
        let whole = self.dead_end(*sort, &settled.url, &mut settled.marks, reader)?;
        let mut failed = None;
        settled.offers.retain(|offer| {
            // Redirects are bounded by their number, and what pages need by the pages.
            if offer.role != Role::Page || offer.hops > 0 || offer.page.is_some() {
                return true;
            }
            let rule = match whole {
                Some(rule) => Ok(Some(rule)),
                None => self.judge(&offer.url, &mut settled.marks, reader),
            };
            match rule {
                Ok(None) => return true,
                Ok(Some(rule)) => {
                    if let Some(found) = found.iter_mut().find(|found| found.url == offer.url) {
                        found.rule = Err(rule.to_owned());
                    }
                    let example = || KeptOut::example(offer.seed, rule, offer.url.as_str());
                    out.entry(rule).or_insert_with(example).urls += 1;
                }
                Err(error) => failed = Some(error),
            }
            false
        });
        settled.kept_out.extend(out.into_values());
        failed.map_or(Ok(()), Err)
    }

    /// Everything is committed: the store knows all marks.
    pub(super) fn committed(&mut self) {
        self.fresh = HashMap::new();
    }

    /// A redirect that leads back to where its chain came by ends it.
    fn end_circle(&mut self, taken: &mut Taken) {
        let settled = &mut taken.settled;
        let Some(target) = &settled.redirect else { return };
        let (from, to) = (fingerprint(&settled.url), fingerprint(target.as_str()));
        self.led.insert(from, to);
        let mut at = to;
        // The limit on redirects in a row bounds the walk as well; older chains may hang together.
        for _ in 0..64 {
            if at == from {
                if let Some(Outcome::Done { status }) = settled.outcome {
                    let reason = format!("redirects in a circle, back to {target}");
                    settled.outcome = Some(Outcome::Failed { reason, transient: false, status: Some(status) });
                }
                return;
            }
            let Some(next) = self.led.get(&at) else { return };
            at = *next;
        }
    }

    /// Does the whole page lead nowhere?
    fn dead_end(
        &mut self,
        sort: Sort,
        url: &str,
        marks: &mut Vec<(i64, i64)>,
        reader: &Reader,
    ) -> Result<Option<&'static str>, store::Error> {
        match sort {
            Sort::Plain => Ok(None),
            Sort::Page { class, via } => {
                let finder = via.map(|via| self.mark(via, reader)).transpose()?.flatten();
                let is_new = self.classes.meet(class, finder);
                // The first of a class may have been in another in an earlier run.
                let (own, known) = (page(url), self.mark(page(url), reader)?);
                if (!is_new || known.is_some()) && known != Some(class) {
                    self.set(own, class, marks);
                }
                Ok(self.classes.is_stale(class).then_some(LIKE_OTHERS))
            }
            Sort::Redirect { via } => {
                // What it leads to was found by what found it.
                if let Some(finder) = via.map(|via| self.mark(via, reader)).transpose()?.flatten() {
                    self.set(page(url), finder, marks);
                }
                Ok(None)
            }
            Sort::NestedIndex => {
                let host = WebUrl::parse(url).map(|url| url.host().to_owned()).unwrap_or_default();
                let admitted = self.admits("index", &host, url, NESTED_INDEXES, marks, reader)?;
                Ok((!admitted).then_some(INDEX_IN_INDEX))
            }
        }
    }

    fn judge(
        &mut self,
        url: &WebUrl,
        marks: &mut Vec<(i64, i64)>,
        reader: &Reader,
    ) -> Result<Option<&'static str>, store::Error> {
        if let Some(twin) = twin(url) {
            let (key, own) = (key("twin", &twin, ""), fingerprint(url.as_str()));
            match self.mark(key, reader)? {
                Some(taken) if taken != own => return Ok(Some(TWIN)),
                Some(_) => {}
                None => self.set(key, own, marks),
            }
        }
        let (path, names) = asked_with(url);
        if names.len() > 1 && !self.admits("query", &path, &names.join("&"), COMBINATIONS, marks, reader)? {
            return Ok(Some(COMBINED));
        }
        if most_named(url) >= SELECTION {
            let path = format!("{}{}", url.origin(), url.path());
            if !self.admits("selection", &path, url.as_str(), SELECTIONS, marks, reader)? {
                return Ok(Some(SELECTED));
            }
        }
        let admitted = self.admits("host", url.domain(), url.host(), HOSTS, marks, reader)?;
        Ok((!admitted).then_some(MANY_HOSTS))
    }

    /// Whether this member of a group is one of the first so many.
    fn admits(
        &mut self,
        sort: &str,
        group: &str,
        member: &str,
        most: i64,
        marks: &mut Vec<(i64, i64)>,
        reader: &Reader,
    ) -> Result<bool, store::Error> {
        let (group, member) = (key(sort, group, ""), key(sort, group, member));
        if self.mark(member, reader)?.is_some() {
            return Ok(true);
        }
        let known = self.mark(group, reader)?.unwrap_or(0);
        if known >= most {
            return Ok(false);
        }
        self.set(member, 1, marks);
        self.set(group, known + 1, marks);
        Ok(true)
    }

    fn mark(&self, key: i64, reader: &Reader) -> Result<Option<i64>, store::Error> {
        match self.fresh.get(&key) {
            Some(value) => Ok(Some(*value)),
            None => reader.mark(key),
        }
    }

    fn set(&mut self, key: i64, value: i64, marks: &mut Vec<(i64, i64)>) {
        self.fresh.insert(key, value);
        marks.push((key, value));
    }
}

fn key(sort: &str, group: &str, member: &str) -> i64 {
    fingerprint(&format!("{sort}\0{group}\0{member}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::alike::ALIKE;

    fn url(path: &str) -> WebUrl {
        WebUrl::parse(&format!("http://h.example{path}")).unwrap()
    }

    #[test]
    fn traps_are_known_by_their_look_and_ordinary_urls_pass() {
        let check = |path: &str, want: Option<&str>| assert_eq!(look(&url(path)), want, "{path}");
        check("/a/b/a/b/a/b/c.html", Some(REPEATED));
        check("/x/news/news/news/", Some(REPEATED));
        check("/a/b/a/b/c/d", None);
        check("/news/news/2011/11/11/11/11/", None);
        check(&"/d".repeat(2), None);
        check(&(0..30).map(|n| format!("/d{n}")).collect::<String>(), Some(TOO_DEEP));
        check(&format!("/{}", "x".repeat(2_100)), Some(TOO_LONG));
        check(&format!("/{}.html", "long-slug-".repeat(30)), None);
        let times = |times: usize| (0..times).map(|n| format!("f[{n}]=a")).collect::<Vec<_>>().join("&");
        check(&format!("/list?{}", times(20)), Some(SAME_AGAIN));
        check(&format!("/list?{}", times(19)), None);
        check("/2026/11/22/a-slug.html?utm_source=x&utm_medium=y", None);
        check("/%E4%B8%AD%E6%96%87/%E6%96%B0%E9%97%BB/%E4%B8%AD%E6%96%87.html", None);
    }

    #[test]
    fn twins_differ_in_sessions_and_order_alone() {
        let check = |one: &str, other: &str, want: bool| {
            let (one, other) = (twin(&url(one)), twin(&url(other)));
            assert_eq!(one.is_some() && one == other, want, "{one:?} {other:?}");
        };
        let (s, t) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        check("/a?b=1&c=2", "/a?c=2&b=1", true);
        check("/a?b=1&c=2", "/a?c=2&b=1&c=2", true);
        check("/a?b=1&c=2", "/a?c=1&b=2", false);
        check("/a?b=x&c=y", "/a?b=X&c=y", false);
        check(&format!("/a?PHPSESSID={s}"), &format!("/a?PHPSESSID={t}"), true);
        check(&format!("/a;jsessionid={s}?id=1"), &format!("/a;jsessionid={t}?id=1"), true);
        check(&format!("/a;jsessionid={s}?id=1"), &format!("/a;jsessionid={t}?id=2"), false);
        check("/(S(0123456789abcdef01234567))/a.aspx", "/(S(76543210fedcba9876543210))/a.aspx", true);
        check("/a?cfid=12&cftoken=34", "/a?cfid=56&cftoken=78", true);
        check("/story?sid=12", "/story?sid=13", false);
        check("/a?id=1", "/a?id=1", false);
    }

    #[test]
    fn every_number_stands_in_its_rule() {
        let stands = |rule: &str, number: &str| assert!(rule.contains(number), "{rule}: {number}");
        stands(TOO_LONG, "2,048");
        assert_eq!(LONGEST, 2_048);
        stands(TOO_DEEP, &DIRECTORIES.to_string());
        stands(COMBINED, &COMBINATIONS.to_string());
        assert!(SAME_AGAIN.contains("twenty") && SAME_PARAMETER == 20);
        assert!(SELECTED.contains("five times") && SELECTION == 5);
        stands(SELECTED, "1,000");
        assert_eq!(SELECTIONS, 1_000);
        stands(MANY_HOSTS, &HOSTS.to_string());
        stands(LIKE_OTHERS, &ALIKE.to_string());
        stands(INDEX_IN_INDEX, &NESTED_INDEXES.to_string());
        stands(LIST_IN_LIST, &LIST_DEPTH.to_string());
        stands(MANY_LINKS, "10,000");
        assert_eq!(LINKS, 10_000);
        stands(MANY_LISTED, "50,000");
        assert_eq!(LISTED, 50_000);
    }
}
