//! Who wrote the article, and which outlet it is from.

use std::collections::HashSet;

use super::body::Body;
use super::facts::Facts;
use super::tree::Page;
use super::{Document, Person, byline, folded};

/// Who wrote it, and which outlet it is from. A name that is the outlet's is no person.
pub(super) fn byline(
    page: &Page,
    body: &Body,
    facts: &Facts,
    document: &Document<'_>,
) -> (Vec<Person>, Option<String>) {
    let claims = document.claims;
    let is_outlet = |name: &str| {
        let same = |other: &String| folded(other).eq_ignore_ascii_case(name);
        facts.publisher.iter().any(same) || claims.categories.iter().any(same)
    };
    let metas = ["author", "article:author", "parsely-author", "dc.creator", "byl"];
    let given = [
        facts.authors.clone(),
        metas.iter().flat_map(|name| page.meta(name)).map(str::to_owned).collect(),
        page.authors.clone(),
    ];
    let given = given.iter().map(|fields| fields.iter().flat_map(|field| byline::names(field)).collect::<Vec<_>>());
    let (mut people, mut source) = (Vec::<Person>::new(), None);
    let lines = body.lines(page).into_iter().filter(|block| block.heading == 0);
    for credits in lines.map(|block| byline::credits(&block.text)) {
        source = source.or(credits.source);
        people.extend(credits.people);
    }
    let mut authors = Vec::new();
    let mut outlets = Vec::new();
    for names in given.chain([claims.authors.clone()]) {
        let (outlet, persons): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_outlet(name));
        outlets.extend(outlet);
        if authors.is_empty() {
            authors = persons;
        }
    }
    // A claim is not the page's word; it counts where the page names nobody.
    let visible = people.iter().any(|person| matches!(person.role, "author" | "reporter"));
    if !visible {
        let authors = authors.into_iter().map(|name| Person { name, role: "author" });
        people.splice(0..0, authors);
    }
    let mut seen = HashSet::new();
    people.retain(|person| !is_outlet(&person.name) && seen.insert(person.name.clone()));
    (people, source.or_else(|| facts.publisher.clone()).or(outlets.into_iter().next()))
}
