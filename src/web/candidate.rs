//! A URL on its way into the frontier: what it is for, who named it, and how urgent it is.

use serde::{Deserialize, Serialize};

use super::claims::Claims;
use super::referrer::Referrer;
use super::url::WebUrl;

/// The priority of a picture that nobody names: a larger form that an address hints at. After everything that is named.
pub const GUESS: u8 = 9;

/// What a URL is fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A page, feed, list or sitemap.
    Page,
    /// An origin's robots.txt.
    Robots,
    /// A picture of a page.
    Image,
    /// A style sheet.
    Style,
    /// A script.
    Script,
    /// A font, named by a style sheet.
    Font,
    /// A seed document of the user's own, kept as a `resource` record; never fetched.
    Document,
}

/// The two paces of a host (DESIGN, politeness).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// Pages, feeds, lists, sitemaps, robots.txt.
    PageLike,
    /// What a page needs to be shown.
    Requisite,
}

impl Role {
    /// Every role, for tables and tests.
    pub const ALL: [Role; 7] =
        [Role::Page, Role::Robots, Role::Image, Role::Style, Role::Script, Role::Font, Role::Document];

    /// Its pace.
    pub fn class(self) -> Class {
        match self {
            Role::Page | Role::Robots | Role::Document => Class::PageLike,
            Role::Image | Role::Style | Role::Script | Role::Font => Class::Requisite,
        }
    }

    /// The word in columns, records and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Page => "page",
            Role::Robots => "robots",
            Role::Image => "image",
            Role::Style => "style",
            Role::Script => "script",
            Role::Font => "font",
            Role::Document => "document",
        }
    }

    /// Reads what [`Role::as_str`] writes.
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A URL offered to the frontier, not yet accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What to fetch.
    pub url: WebUrl,
    /// The page, feed or redirect that named it; none for a seed.
    pub via: Option<String>,
    /// The seed it descends from, by its row in the store.
    pub seed: i64,
    /// Links followed from the seed to here.
    pub depth: u16,
    /// Redirects followed to get here.
    pub hops: u16,
    /// What it is for.
    pub role: Role,
    /// The page whose requisite it is.
    pub page: Option<String>,
    /// The `Referer` its page's policy sends with it.
    pub referer: Option<String>,
    /// What that follows from, for where the URL may redirect to.
    pub referrer: Option<Box<Referrer>>,
    /// How often it was refused: the number of the way it is asked for next ([`super::ladder`]).
    pub rung: u8,
    /// Lower goes first. Requisites of a page go before new pages.
    pub priority: u8,
    /// What the document that named it said of it.
    pub claims: Option<Box<Claims>>,
    /// Ask even when it is kept already: a seed of this run.
    pub again: bool,
}

impl Candidate {
    /// Nobody names it: it is a larger form that a picture's address hints at, and is worth one request.
    pub fn is_guess(&self) -> bool {
        self.priority == GUESS && self.role == Role::Image
    }

    /// A URL that is wanted, and of which nothing more is known.
    pub fn new(url: WebUrl, role: Role) -> Candidate {
        Candidate {
            url,
            via: None,
            seed: 0,
            depth: 0,
            hops: 0,
            role,
            page: None,
            referer: None,
            referrer: None,
            rung: 0,
            priority: 0,
            claims: None,
            again: false,
        }
    }
}
