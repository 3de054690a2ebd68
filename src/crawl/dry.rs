//! A dry run: what would be asked for, and by which rule, without asking for it.
//!
//! It is an ordinary crawl into a folder that is thrown away. Only robots.txt, seeds, and the sitemaps that an index
//! lists are fetched, at the pace of any run; whatever else is in scope is settled as soon as its robots.txt is known.
//! The archive is looked at and left as it is: what is kept there is said to be.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::Plan;
use crate::politeness::RobotsCopy;
use crate::store::{Error, Reader};
use crate::web::candidate::{Candidate, Role};
use crate::web::time::Timestamp;
use crate::web::url::{Origin, WebUrl};
use crate::web::verdict::RobotsVerdict;

/// What is decided about one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The URL.
    pub url: WebUrl,
    /// Whether a run would ask for it, or has.
    pub is_in: bool,
    /// The rule that says so: of the scope, or of robots.txt, or why it cannot be had.
    pub rule: String,
    /// What robots.txt says; none where the scope decided before, or where that is not known.
    pub robots: Option<RobotsVerdict>,
    /// When it was last kept.
    pub kept: Option<Timestamp>,
}

/// What the scope says of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub url: WebUrl,
    /// The rule that lets it in, or keeps it out.
    pub rule: Result<&'static str, String>,
    /// It is a list, by what names it.
    pub is_list: bool,
}

/// What a dry run knows.
pub(super) struct Dry {
    /// Of URLs that are in: the rule, and whether they are fetched as lists.
    found: HashMap<String, (&'static str, bool)>,
    told: HashSet<(String, bool)>,
    beside: Option<Reader>,
}

impl Dry {
    /// For a plan that is one.
    ///
    /// # Errors
    /// When there is an archive whose database cannot be read.
    pub(super) fn of(plan: &Plan) -> Result<Option<Dry>, Error> {
        let Some(database) = &plan.dry_run else { return Ok(None) };
        let beside = reader(database)?;
        Ok(Some(Dry { found: HashMap::new(), told: HashSet::new(), beside }))
    }

    /// Takes note of links; returns what is decided already.
    pub(super) fn find(&mut self, all: Vec<Found>) -> Result<Vec<Decision>, Error> {
        let mut out = Vec::new();
        for found in all {
            match found.rule {
                Ok(rule) => {
                    self.found.entry(found.url.as_str().to_owned()).or_insert((rule, found.is_list));
                }
                Err(rule) => out.extend(self.decide(found.url, false, rule, None)?),
            }
        }
        Ok(out)
    }

    /// The copy of an origin's rules that the archive beside it has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn robots_of(&self, origin: &Origin) -> Result<Option<RobotsCopy>, Error> {
        Ok(self.beside.as_ref().map(|beside| beside.robots_of(origin)).transpose()?.flatten())
    }

    /// Whether this is fetched: a seed, where that leads, and lists by name.
    pub(super) fn fetches(&self, candidate: &Candidate) -> bool {
        candidate.role == Role::Page
            && (candidate.depth == 0 || self.found.get(candidate.url.as_str()).is_some_and(|(_, is_list)| *is_list))
    }

    /// The decision on a URL that is in scope; none when it was told before.
    pub(super) fn admit(&mut self, url: &WebUrl, robots: Option<RobotsVerdict>) -> Result<Option<Decision>, Error> {
        let rule = self.found.get(url.as_str()).map_or("a seed", |(rule, _)| *rule);
        match robots.as_ref().filter(|verdict| !verdict.allowed) {
            Some(verdict) => self.decide(url.clone(), false, verdict.to_string(), robots),
            None => self.decide(url.clone(), true, rule.to_owned(), robots),
        }
    }

    /// The same for one that cannot be had.
    pub(super) fn refuse(&mut self, url: &WebUrl, why: &str) -> Result<Option<Decision>, Error> {
        self.decide(url.clone(), false, why.to_owned(), None)
    }

    fn decide(
        &mut self,
        url: WebUrl,
        is_in: bool,
        rule: String,
        robots: Option<RobotsVerdict>,
    ) -> Result<Option<Decision>, Error> {
        if !self.told.insert((url.as_str().to_owned(), is_in)) {
            return Ok(None);
        }
        let kept = self.beside.as_ref().map(|beside| beside.last_capture(url.as_str())).transpose()?.flatten();
        Ok(Some(Decision { url, is_in, rule, robots, kept: kept.map(|last| last.at) }))
    }
}

/// The database beside a dry run, if there is one.
///
/// # Errors
/// When it cannot be read.
pub(super) fn reader(database: &Path) -> Result<Option<Reader>, Error> {
    if database.exists() { Reader::open_untouched(database).map(Some) } else { Ok(None) }
}
