//! Who wrote the article, and which outlet it is from.

use std::collections::HashSet;

use super::body::Body;
use super::facts::Facts;
use super::hints::{By, Hint};
use super::tree::{Page, Zone};
use super::{Document, Person, byline, folded, title};
use crate::web::url::WebUrl;

/// Blocks before the text in which an author may be named, blocks of the text, and blocks behind its end.
const BEFORE: usize = 24;
const INSIDE: usize = 4;
const BEHIND: usize = 8;

/// Names taken from one place, and names of the site.
const NAMES: usize = 48;
const TAILS: usize = 8;

/// `meta` elements that name authors.
const METAS: &[&str] = &[
    "author",                          // HTML 4.2.5.1
    "article:author",                  // Open Graph, where most write a profile's address
    "article:author_name",             // common beside the former
    "og:author",                       // common mistake for the former
    "parsely-author",                  // Parse.ly
    "sailthru.author",                 // Sailthru
    "cxenseparse:author",              // Cxense
    "dable:author",                    // Dable, Korea
    "shareaholic:article_author_name", // Shareaholic
    "byl",                             // The New York Times' word, copied by others
];

/// `meta` elements of bibliographers.
const CATALOGUES: &[&str] = &[
    "citation_author", // Highwire Press, for Google Scholar
    "dc.creator",      // Dublin Core
    "dcterms.creator", // Dublin Core terms
    "dc.contributor",  // Dublin Core
];

/// What plugins write before an author in `twitter:label1`, in lower case.
const WRITTEN_BY: &[&str] = &[
    "written by",
    "verfasst von",
    "geschrieben von",
    "écrit par",
    "escrito por",
    "scritto da",
    "geschreven door",
    "作者",
];

/// Who wrote it, and which outlet it is from. A name that is the outlet's is no person.
pub(super) fn byline(
    page: &Page,
    body: &Body,
    facts: &Facts,
    document: &Document<'_>,
) -> (Vec<Person>, Option<String>) {
    let claims = document.claims;
    let (mut people, mut source) = (Vec::<Person>::new(), None);
    for credits in lines(page, body).map(byline::credits) {
        source = source.or(credits.source);
        people.extend(credits.people);
    }
    let mut tails = title::tails(page);
    tails.truncate(TAILS);
    let host = WebUrl::parse(document.url).ok().map(|url| squeezed(url.domain()));
    let is_outlet = |name: &str| {
        let same = |other: &String| folded(other).eq_ignore_ascii_case(name);
        let squeezed = squeezed(name);
        // Many a person's site is named for its owner.
        if name.contains(' ') && host.as_ref().is_some_and(|host| host.starts_with(&squeezed)) {
            return false;
        }
        let is_host = |host: &String| squeezed.len() >= 4 && host.strip_prefix(&squeezed).is_some_and(is_end);
        let in_tail = |tail: &String| same(tail) || !name.is_ascii() && tail.starts_with(name);
        facts.publisher.iter().any(same)
            || source.iter().any(same)
            || claims.categories.iter().any(same)
            || tails.iter().any(in_tail)
            || host.as_ref().is_some_and(is_host)
    };
    let all = |fields: &mut dyn Iterator<Item = &str>| fields.flat_map(byline::names).take(NAMES).collect::<Vec<_>>();
    let catalogued =
        CATALOGUES.iter().map(|name| page.meta(name).flat_map(byline::catalogued).take(NAMES).collect::<Vec<_>>());
    let (east, latin): (Vec<_>, Vec<_>) = people.into_iter().partition(|person| !person.name.is_ascii());
    let visible = latin.iter().filter(|person| person.role == "author").map(|person| person.name.clone()).collect();
    let given: Vec<Vec<String>> = [
        all(&mut facts.authors.iter().map(String::as_str)),
        hinted(page, body, By::Property),
        hinted(page, body, By::Class),
    ]
    .into_iter()
    .chain(METAS.iter().map(|name| all(&mut page.meta(name))))
    .chain([all(&mut written_by(page))])
    .chain(catalogued)
    .chain([visible, hinted(page, body, By::Address), signed(page, body), claims.authors.clone()])
    .collect();
    let known: Vec<String> = given.iter().flatten().cloned().collect();
    let mut authors = Vec::new();
    let mut outlets = Vec::new();
    for names in given {
        let (outlet, persons): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_outlet(name));
        outlets.extend(outlet);
        if authors.is_empty() {
            authors = persons;
        }
    }
    // Where one place has the first name alone, another may have the whole.
    let whole = |name: String| {
        let longer = known.iter().find(|other| other.split_once(' ').is_some_and(|(first, _)| first == name));
        longer.cloned().unwrap_or(name)
    };
    let authors: Vec<String> = authors.into_iter().map(whole).collect();
    // What the page credits in so many words comes before what its programs fill in.
    let mut people = east;
    if !people.iter().any(|person| matches!(person.role, "author" | "reporter")) {
        // Programs often name the editor as the author; the page knows better.
        let edits = |name: &String| people.iter().any(|person| person.name == *name);
        let authors: Vec<String> = authors.into_iter().filter(|name| !edits(name)).collect();
        let authors = authors.into_iter().map(|name| Person { name, role: "author" });
        people.splice(0..0, authors);
    }
    people.extend(latin.into_iter().filter(|person| person.role != "author"));
    let mut seen = HashSet::new();
    people.retain(|person| !is_outlet(&person.name) && seen.insert(person.name.to_lowercase()));
    (people, source.or_else(|| facts.publisher.clone()).or(outlets.into_iter().next()))
}

/// The end of a host's name without its points.
fn is_end(text: &str) -> bool {
    text.len() <= 5
}

/// Letters and digits alone, in lower case.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Lines that may credit somebody: those around the text, and those just behind it.
fn lines<'a>(page: &'a Page, body: &Body) -> impl Iterator<Item = &'a str> {
    let end = body.kept.last().map_or(0, |last| last + 1);
    let behind = page.blocks.iter().skip(end).take(BEHIND).filter(|block| block.zone < Zone::Around);
    let lines = body.lines(page).into_iter().chain(behind).filter(|block| block.heading == 0);
    lines.map(|block| block.text.as_str())
}

/// Who signs the text at its end.
fn signed(page: &Page, body: &Body) -> Vec<String> {
    let last = body.kept.iter().rev().take(3).filter_map(|number| page.blocks.get(*number));
    last.map(|block| byline::signature(&block.text)).find(|names| !names.is_empty()).unwrap_or_default()
}

/// What plugins write for cards: `twitter:label1` says what `twitter:data1` is.
fn written_by(page: &Page) -> impl Iterator<Item = &str> {
    let label = page.meta("twitter:label1").next().unwrap_or("").to_lowercase();
    page.meta("twitter:data1").filter(move |_| WRITTEN_BY.contains(&label.as_str()))
}

/// The names in elements that are marked by `by`, near the headline before those behind the text. Several authors stand
/// side by side; a name inside another's element is the same one.
fn hinted(page: &Page, body: &Body, by: By) -> Vec<String> {
    let first = body.kept.first().copied().unwrap_or(0);
    let last = body.kept.last().copied().unwrap_or(0);
    let is_near = |hint: &&Hint| hint.block + BEFORE >= first && hint.block <= first + INSIDE;
    let is_behind = |hint: &&Hint| hint.block > last && hint.block <= last + BEHIND;
    let hints = || page.hints.authors.iter().filter(|hint| hint.by == by);
    let near = names_of(hints().filter(is_near));
    let near = if near.is_empty() { names_of(hints().filter(is_behind)) } else { near };
    if !near.is_empty() || hints().count() > 3 {
        return near;
    }
    // One name wherever it stands is the author's; several are those of other articles.
    let mut all: Vec<String> = hints().flat_map(|hint| names_of(std::iter::once(hint))).collect();
    all.dedup();
    if all.len() == 1 { all } else { Vec::new() }
}

fn names_of<'a>(hints: impl Iterator<Item = &'a Hint>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut at = None;
    for hint in hints {
        let inner: Vec<String> = hint.inner.iter().flat_map(|text| byline::names(text)).collect();
        let found = if inner.is_empty() { byline::names(&hint.text) } else { inner };
        if found.is_empty() || at.is_some_and(|at| hint.block > at + 3) {
            continue;
        }
        at = Some(hint.block);
        let shares = |one: &String| {
            let words: HashSet<String> = one.to_lowercase().split_whitespace().map(str::to_owned).collect();
            names.iter().any(|known| known.to_lowercase().split_whitespace().any(|word| words.contains(word)))
        };
        let mut new: Vec<String> = Vec::new();
        for name in found {
            if !shares(&name) && !new.contains(&name) {
                new.push(name);
            }
        }
        names.extend(new);
    }
    names
}
