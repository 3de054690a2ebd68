//! Which URLs belong to a crawl: pure, and able to say by which rule.

use std::str::FromStr;

use regex::Regex;

use super::traps::{self, LIST_DEPTH, LIST_IN_LIST};
use crate::web::candidate::Role;
use crate::web::url::WebUrl;

/// Redirects followed in a row, by HTTP and by `<meta http-equiv=refresh>` alike.
const HOPS: u16 = 10;

/// Further pages of a seed's list that are read: what is older was listed before, or is for a sitemap.
const NEXT_PAGES: u16 = 4;

/// Whose next page a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A list's.
    OfList,
    /// That of an article which is spread over several.
    OfArticle,
}

/// How far links are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Feeds, sitemaps and list pages lead to the articles they list, an article leads nowhere.
    #[default]
    Auto,
    /// Every page's links, so many hops from the seed.
    Hops(u16),
}

/// Which hosts pages may be followed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// The host of the seed, or of the page that links.
    #[default]
    Host,
    /// Their registrable domains.
    Domain,
    /// Addresses that begin like the seed's, or the linking page's, up to its last slash.
    Prefix,
    /// Anywhere.
    Any,
}

/// The rules of one crawl.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// How far.
    pub depth: Depth,
    /// Where to.
    pub reach: Reach,
    /// A followed page must match one of these, if there are any.
    pub include: Vec<Regex>,
    /// And none of these.
    pub exclude: Vec<Regex>,
}

/// What a link stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// A sitemap index: what it lists are lists, on any host.
    Index,
    /// A feed or sitemap: what it lists is in scope on any host.
    Listed,
    /// A page that lists articles.
    List,
    /// The navigation around such a list.
    Around,
    /// Any other page.
    Page,
}

/// Where a link comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The seed it descends from.
    pub seed: &'a str,
    /// The page it stands on.
    pub page: &'a WebUrl,
    /// What that is.
    pub listing: Listing,
    /// Links followed from the seed to that page.
    pub depth: u16,
}

/// In, or out by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs to the crawl: the rule that says so.
    In(&'static str),
    /// It does not: the rule that says so.
    Out(String),
}

impl Scope {
    /// May this link be followed?
    pub fn judge(&self, url: &WebUrl, from: Origin<'_>) -> Verdict {
        let rule = self.pattern(url).or_else(|| traps::look(url).map(str::to_owned));
        if let Some(rule) = rule {
            return Verdict::Out(rule);
        }
        match (self.depth, from.listing) {
            (Depth::Auto, Listing::Page) => return Verdict::Out("an article leads nowhere (--depth auto)".to_owned()),
            (Depth::Auto, Listing::Around) => {
                return Verdict::Out("it stands around the list (--depth auto)".to_owned());
            }
            (Depth::Auto, Listing::List) if from.depth > 0 => {
                return Verdict::Out("only a seed's list is followed (--depth auto)".to_owned());
            }
            (Depth::Auto, Listing::Index) if from.depth >= LIST_DEPTH => {
                return Verdict::Out(LIST_IN_LIST.to_owned());
            }
            (Depth::Auto, Listing::Listed) if from.depth > LIST_DEPTH => {
                return Verdict::Out(LIST_IN_LIST.to_owned());
            }
            (Depth::Hops(most), _) if from.depth >= most => {
                let hops = if most == 1 { "hop" } else { "hops" };
                return Verdict::Out(format!("more than {most} {hops} from the seed (--depth)"));
            }
            _ => {}
        }
        if matches!(from.listing, Listing::Index | Listing::Listed) {
            return Verdict::In("listed by a feed or sitemap");
        }
        if self.reaches(url, from) {
            Verdict::In(self.reach.rule())
        } else {
            Verdict::Out(self.reach.refusal().to_owned())
        }
    }

    /// May a list or an article go on here, as its own next page? `hops` counts a list's pages and redirects before; an
    /// article's pages are counted by their addresses.
    pub fn judge_next(&self, url: &WebUrl, from: Origin<'_>, next: Next, hops: u16) -> Verdict {
        if next == Next::OfList && hops >= NEXT_PAGES {
            return Verdict::Out(format!("more than {NEXT_PAGES} further pages of a list (--depth auto)"));
        }
        let rule = self.excluded(url).or_else(|| traps::look(url).map(str::to_owned));
        match rule {
            Some(rule) => Verdict::Out(rule),
            None if self.reaches(url, from) => Verdict::In(match next {
                Next::OfList => "the next page of a list",
                Next::OfArticle => "the next page of an article",
            }),
            None => Verdict::Out(self.reach.refusal().to_owned()),
        }
    }

    /// May this seed be fetched? Only an exclusion can keep a seed out.
    pub fn judge_seed(&self, url: &WebUrl) -> Verdict {
        self.excluded(url).map_or(Verdict::In("a seed"), Verdict::Out)
    }

    /// May this redirect be followed, after so many? Pages may not be led to what is excluded.
    pub fn judge_redirect(&self, url: &WebUrl, role: Role, hops: u16) -> Verdict {
        if hops >= HOPS {
            return Verdict::Out(format!("more than {HOPS} redirects in a row"));
        }
        if role != Role::Page {
            return Verdict::In("a redirect");
        }
        let rule = self.excluded(url).or_else(|| traps::look(url).map(str::to_owned));
        rule.map_or(Verdict::In("a redirect"), Verdict::Out)
    }

    fn excluded(&self, url: &WebUrl) -> Option<String> {
        let regex = self.exclude.iter().find(|regex| regex.is_match(url.as_str()))?;
        Some(format!("--exclude {regex}"))
    }

    fn pattern(&self, url: &WebUrl) -> Option<String> {
        let included = self.include.is_empty() || self.include.iter().any(|regex| regex.is_match(url.as_str()));
        self.excluded(url).or_else(|| (!included).then(|| "matches no --include".to_owned()))
    }

    fn reaches(&self, url: &WebUrl, from: Origin<'_>) -> bool {
        let seed = WebUrl::parse(from.seed).ok();
        let near = |is_near: &dyn Fn(&WebUrl) -> bool| is_near(from.page) || seed.as_ref().is_some_and(is_near);
        match self.reach {
            Reach::Any => true,
            Reach::Host => near(&|other| other.host() == url.host()),
            Reach::Domain => near(&|other| other.domain() == url.domain()),
            Reach::Prefix => near(&|other| is_below(url, other)),
        }
    }
}

/// Whether a URL begins like another up to its last slash, by whatever scheme.
fn is_below(url: &WebUrl, other: &WebUrl) -> bool {
    let folder = other.path().rfind('/').map_or("/", |slash| &other.path()[..=slash]);
    url.host() == other.host() && port(url) == port(other) && url.path().starts_with(folder)
}

/// The port that a URL names, if it names one.
fn port(url: &WebUrl) -> Option<u16> {
    let origin = url.origin();
    Some(origin.port).filter(|port| *port != if origin.tls { 443 } else { 80 })
}

impl Reach {
    fn rule(self) -> &'static str {
        match self {
            Reach::Host => "on the host of its page or seed",
            Reach::Domain => "in the domain of its page or seed",
            Reach::Prefix => "below its seed",
            Reach::Any => "anywhere (--scope any)",
        }
    }

    /// It names no URL: what a rule kept out is counted by its words.
    fn refusal(self) -> &'static str {
        match self {
            Reach::Host => "another host (--scope host)",
            Reach::Domain => "another domain (--scope domain)",
            Reach::Prefix => "not below its seed (--scope prefix)",
            Reach::Any => "out of scope",
        }
    }
}

impl FromStr for Depth {
    type Err = String;

    fn from_str(text: &str) -> Result<Depth, String> {
        match text {
            "auto" => Ok(Depth::Auto),
            hops => hops.parse().map(Depth::Hops).map_err(|_| format!("«{text}» is neither «auto» nor a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scope: &Scope, url: &str, listing: Listing, depth: u16, want: bool) {
        let page = WebUrl::parse("http://www.news.example/section/list.html").unwrap();
        let origin = Origin { seed: "http://news.example/section/", page: &page, listing, depth };
        let verdict = scope.judge(&WebUrl::parse(url).unwrap(), origin);
        assert_eq!(matches!(verdict, Verdict::In(_)), want, "{url}: {verdict:?}");
    }

    #[test]
    fn auto_follows_lists_and_feeds_but_no_article() {
        let scope = Scope::default();
        check(&scope, "http://www.news.example/a", Listing::List, 0, true);
        check(&scope, "http://news.example/a", Listing::List, 0, true);
        check(&scope, "http://other.example/a", Listing::List, 0, false);
        check(&scope, "http://other.example/a", Listing::Listed, 0, true);
        check(&scope, "http://www.news.example/a", Listing::List, 1, false);
        check(&scope, "http://www.news.example/a", Listing::Around, 0, false);
        check(&scope, "http://www.news.example/a", Listing::Page, 0, false);
    }

    #[test]
    fn hops_reach_and_patterns_are_obeyed() {
        let hops = |reach| Scope { depth: Depth::Hops(2), reach, ..Scope::default() };
        check(&hops(Reach::Domain), "http://x.news.example/a", Listing::Page, 1, true);
        check(&hops(Reach::Domain), "http://x.news.example/a", Listing::Page, 2, false);
        check(&hops(Reach::Prefix), "http://news.example/section/a", Listing::Page, 0, true);
        check(&hops(Reach::Prefix), "http://news.example/other", Listing::Page, 0, false);
        check(&hops(Reach::Any), "http://other.example/", Listing::Page, 0, true);
        let exclude = vec![Regex::new("/private/").unwrap()];
        check(&Scope { exclude, ..hops(Reach::Any) }, "http://other.example/private/x", Listing::Page, 0, false);
        let include = vec![Regex::new("html$").unwrap()];
        check(&Scope { include, ..hops(Reach::Any) }, "http://other.example/x", Listing::Listed, 0, false);
    }
}
