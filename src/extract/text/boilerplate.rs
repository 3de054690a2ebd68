//! What recurs on the pages of one host and is no article's own: newsletter boxes, legal notices, standing words about
//! the author, what others read.
//!
//! No page says so by itself; many together do. An article's text is its lines, one a block, so what is counted is on how
//! many pages a line stands. A lesson takes what is known of a page's lines and says what is known afterwards; whoever
//! gives it keeps that, in a database (`store::learned`) or in memory ([`Learner`]). A line is known by [`key`] alone.

use std::collections::{HashMap, HashSet};

use crate::extract::page::tree::weight;
use crate::extract::{Findings, Kind, Person};
use crate::web::digest::fingerprint;

/// A line stands on so many pages, at least, before it is boilerplate: three pages of a host teach nothing.
const PAGES: u32 = 5;
/// And on one in so many of those read since it was first seen. What fewer say again, such as the background of a long
/// story, is the articles' own.
const ONE_IN: u32 = 5;
/// A short line, such as a heading, is often said again for a reason: it must stand on one page in so many.
const SHORT_ONE_IN: u32 = 2;
/// What is short: less than a sentence (see [`weight`]).
const SHORT: usize = 60;
/// A line that was on none of so many pages is forgotten.
pub const GAP: u32 = 50;
/// A page has one part in so many, by weight, that was on no other page; else it is the same article at another address,
/// and its text says nothing about the host.
const OWN: usize = 4;
/// The role of those who are said to have written it all.
pub const AUTHOR: &str = "author";
/// An author who is on so many pages, and on as good as all, is the site.
pub const STANDING_PAGES: u32 = 20;
/// As good as all, in percent.
pub const STANDING_SHARE: u32 = 95;

/// What recurs on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boilerplate {
    /// Lines by their keys.
    pub lines: HashSet<i64>,
    /// Names that are on every page as its author.
    pub authors: HashSet<String>,
}

impl Boilerplate {
    /// Which of an article's lines are its own. All of them, when none would be.
    pub fn own<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Vec<bool> {
        let mut own: Vec<bool> = lines.map(|line| !self.lines.contains(&key(line))).collect();
        if !own.contains(&true) {
            own.fill(true);
        }
        own
    }

    /// Whether this is the site rather than a person.
    pub fn is_standing(&self, person: &Person) -> bool {
        person.role == AUTHOR && self.authors.contains(&person.name)
    }
}

/// What stands for a line: case and white space do not count.
pub fn key(line: &str) -> i64 {
    fingerprint(&crate::extract::folded(line).to_lowercase())
}

/// A line of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// See [`key`].
    pub key: i64,
    /// How much text it is.
    pub weight: usize,
}

/// The lines of a text, each once.
pub fn lines(text: &str) -> Vec<Line> {
    let mut seen = HashSet::new();
    let lines = text.lines().map(|line| Line { key: key(line), weight: weight(line) });
    lines.filter(|line| line.weight > 0 && seen.insert(line.key)).collect()
}

/// What is known of a line of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// It is new.
    #[default]
    New,
    /// It has been seen.
    Seen {
        /// On how many pages.
        pages: u32,
        /// The number of the first page, among those that taught something.
        first: u32,
        /// And of the last one.
        last: u32,
    },
    /// It is no article's own.
    Boilerplate,
}

/// What is known after the page of this number; none when it teaches nothing.
pub fn lesson(page: u32, lines: &[Line], known: &[Known]) -> Option<Vec<Known>> {
    let known = || lines.iter().zip(known).map(|(line, known)| (line, fresh(*known, page)));
    let sum = |wanted: &dyn Fn(Known) -> bool| -> usize {
        known().filter(|(_, known)| wanted(*known)).map(|(line, _)| line.weight).sum()
    };
    let own = sum(&|known| known == Known::New);
    if own * OWN < sum(&|known| known != Known::Boilerplate) {
        return None;
    }
    Some(known().map(|(line, known)| learnt(line, known, page)).collect())
}

/// What has not been seen for long is new.
fn fresh(known: Known, page: u32) -> Known {
    match known {
        Known::Seen { last, .. } if page.saturating_sub(last) > GAP => Known::New,
        known => known,
    }
}

fn learnt(line: &Line, known: Known, page: u32) -> Known {
    let (pages, first) = match known {
        Known::Boilerplate => return known,
        Known::New => (1, page),
        Known::Seen { pages, first, .. } => (pages + 1, first),
    };
    let one_in = if line.weight < SHORT { SHORT_ONE_IN } else { ONE_IN };
    if pages >= PAGES && (pages - 1) * one_in >= page.saturating_sub(first) {
        return Known::Boilerplate;
    }
    Known::Seen { pages, first, last: page }
}

/// Learns from the pages of one host, in memory.
#[derive(Clone, Debug, Default)]
pub struct Learner {
    pages: u32,
    lines: HashMap<i64, Known>,
    articles: u32,
    authors: HashMap<String, u32>,
}

impl Learner {
    /// Takes a page, read without knowing what recurs.
    pub fn learn(&mut self, findings: &Findings) {
        if !matches!(findings.kind, Kind::Article | Kind::Gallery) {
            return;
        }
        self.articles += 1;
        for name in authors(findings) {
            *self.authors.entry(name.to_owned()).or_default() += 1;
        }
        let lines = lines(&findings.article.text);
        let known: Vec<Known> =
            lines.iter().map(|line| self.lines.get(&line.key).copied().unwrap_or_default()).collect();
        if let Some(learnt) = lesson(self.pages + 1, &lines, &known) {
            self.pages += 1;
            self.lines.extend(lines.iter().map(|line| line.key).zip(learnt));
        }
    }

    /// What recurs.
    pub fn boilerplate(&self) -> Boilerplate {
        let lines = self.lines.iter().filter(|(_, known)| **known == Known::Boilerplate);
        let authors = self
            .authors
            .iter()
            .filter(|(_, pages)| **pages >= STANDING_PAGES && **pages * 100 >= self.articles * STANDING_SHARE);
        Boilerplate {
            lines: lines.map(|(key, _)| *key).collect(),
            authors: authors.map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// Who is named as an author, each once.
pub fn authors(findings: &Findings) -> HashSet<&str> {
    let authors = findings.article.byline.iter().filter(|person| person.role == AUTHOR);
    authors.map(|person| person.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: &str = "Subscribe to our newsletter and get the ten best stories of the week in your mail.";

    const NOTHING: [i64; 0] = [];

    /// A text of its own, some 150 characters a paragraph.
    fn own(number: usize) -> String {
        let line = |part: usize| {
            format!(
                "Story {number} tells in part {part} what happened at the river, who saw it, and what number {number} of the council said about it in the evening."
            )
        };
        format!("{}\n{}\n{}", line(1), line(2), line(3))
    }

    fn learn(texts: impl IntoIterator<Item = String>) -> Vec<i64> {
        let (mut page, mut known) = (0, HashMap::new());
        for text in texts {
            let lines = lines(&text);
            let before: Vec<Known> =
                lines.iter().map(|line| known.get(&line.key).copied().unwrap_or_default()).collect();
            if let Some(after) = lesson(page + 1, &lines, &before) {
                page += 1;
                known.extend(lines.iter().map(|line| line.key).zip(after));
            }
        }
        known.into_iter().filter(|(_, known)| *known == Known::Boilerplate).map(|(key, _)| key).collect()
    }

    #[test]
    fn a_line_on_many_pages_is_boilerplate() {
        let pages = |count: usize| (0..count).map(|number| format!("{}\n{BOX}", own(number)));
        assert_eq!(learn(pages(3)), NOTHING, "three pages teach nothing");
        assert_eq!(learn(pages(4)), NOTHING);
        assert_eq!(learn(pages(5)), [key(BOX)]);
        assert_eq!(learn(pages(40)), [key(BOX)]);
        assert_eq!(key("A  line\u{a0}of text"), key("a line of TEXT"));
    }

    #[test]
    fn one_article_at_many_addresses_teaches_nothing() {
        assert_eq!(learn((0..20).map(|_| own(1))), NOTHING);
        let with_a_counter = |number: usize| format!("{}\nRead {number} times", own(1));
        assert_eq!(learn((0..20).map(with_a_counter)), NOTHING);
    }

    #[test]
    fn what_few_pages_say_again_is_theirs() {
        let background = "The dam was built in 1962, and since then the village below it has been flooded three times.";
        let one_in = |every: usize| {
            move |number: usize| {
                if number.is_multiple_of(every) { format!("{}\n{background}", own(number)) } else { own(number) }
            }
        };
        assert_eq!(learn((0..200).map(one_in(7))), NOTHING);
        assert_eq!(learn((0..200).map(one_in(4))), [key(background)]);
        assert_eq!(learn((0..600).map(one_in(60))), NOTHING, "forgotten in between");
        let heading = |number: usize| {
            if number.is_multiple_of(3) { format!("Background\n{}", own(number)) } else { own(number) }
        };
        assert_eq!(learn((0..60).map(heading)), NOTHING, "headings may be said again");
        assert_eq!(learn((0..60).map(|number| format!("{}\nAdvertisement", own(number)))), [key("Advertisement")]);
    }

    #[test]
    fn an_article_never_loses_its_last_line() {
        let known = Boilerplate { lines: [key("a"), key("b")].into(), ..Boilerplate::default() };
        assert_eq!(known.own(["a", "c", "B"].into_iter()), [false, true, false]);
        assert_eq!(known.own(["a", "b"].into_iter()), [true, true]);
    }
}
