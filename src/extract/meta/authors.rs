//! Who wrote the article, and which outlet it is from.

use std::collections::{BTreeSet, HashSet};

use crate::extract::meta::facts::Facts;
use crate::extract::meta::{byline, names, title};
use crate::extract::page::hints::{By, Hint};
use crate::extract::page::tree::{Page, Zone};
use crate::extract::text::body::Body;
use crate::extract::{Document, Person, folded};
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
pub fn byline(page: &Page, body: &Body, facts: &Facts, document: &Document<'_>) -> (Vec<Person>, Option<String>) {
    let claims = document.claims;
    let (mut people, mut source) = (Vec::<Person>::new(), None);
    for credits in lines(page, body).iter().map(|line| byline::credits(line)) {
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
    let all = |fields: &mut dyn Iterator<Item = &str>| fields.flat_map(names::names).take(NAMES).collect::<Vec<_>>();
    let is_east = |person: &Person| person.name.chars().any(|c| c >= '\u{2e80}');
    let (east, latin): (Vec<_>, Vec<_>) = people.into_iter().partition(is_east);
    let visible = latin.iter().filter(|person| person.role == "author").map(|person| person.name.clone()).collect();
    let voice = |shown, weight, names| Voice { shown, weight, names };
    let metas = METAS.iter().map(|name| voice(false, 15, all(&mut page.meta(name))));
    let catalogued =
        CATALOGUES.iter().map(|name| (name, page.meta(name).flat_map(names::catalogued).take(NAMES).collect()));
    let catalogued = catalogued.map(|(_, names)| voice(false, 22, names));
    let voices: Vec<Voice> = [
        voice(false, 36, declared(facts)),
        voice(true, 25, hinted(page, body, By::Property)),
        voice(true, 20, hinted(page, body, By::Class)),
    ]
    .into_iter()
    .chain(metas)
    .chain([voice(false, 10, all(&mut written_by(page)))])
    .chain(catalogued)
    .chain([
        voice(true, 14, visible),
        voice(true, 12, hinted(page, body, By::Address)),
        voice(true, 8, signed(page, body)),
        voice(false, 8, claims.authors.clone()),
    ])
    .collect();
    let known: Vec<String> = voices.iter().flat_map(|voice| &voice.names).cloned().collect();
    let mut outlets = Vec::new();
    let mut persons: Vec<Voice> = Vec::new();
    for voice in voices {
        let (outlet, names): (Vec<_>, Vec<_>) = voice.names.into_iter().partition(|name| is_outlet(name));
        outlets.extend(outlet);
        if !names.is_empty() {
            persons.push(Voice { names, ..voice });
        }
    }
    let authors = elected(&persons);
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
        let nobody = authors.is_empty() && people.is_empty();
        let authors = if nobody { collectives(page, body, facts, is_outlet) } else { authors };
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

/// The names in structured data. An agency counts where it stands beside persons.
fn declared(facts: &Facts) -> Vec<String> {
    let names: Vec<Vec<String>> = facts.authors.iter().take(NAMES).map(|field| names::names(field)).collect();
    if names.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let of = |(field, names): (&String, Vec<String>)| {
        if names.is_empty() { names::collective(field).into_iter().collect() } else { names }
    };
    facts.authors.iter().zip(names).flat_map(of).collect()
}

/// What one place says of the authors.
struct Voice {
    /// Readers see it; other voices speak to programs alone.
    shown: bool,
    weight: u32,
    names: Vec<String>,
}

/// The names that most places agree on; of equals those of the first. What programs are told comes from one field of
/// the site's database, however often, and so does what readers are shown: of each sort the loudest voice counts.
fn elected(voices: &[Voice]) -> Vec<String> {
    let set = |names: &[String]| names.iter().map(|name| squeezed(name)).collect::<BTreeSet<_>>();
    let votes = |of: &Voice| {
        let own = set(&of.names);
        let same = || voices.iter().filter(|voice| set(&voice.names) == own);
        let loudest = |shown| same().filter(|voice| voice.shown == shown).map(|voice| voice.weight).max().unwrap_or(0);
        loudest(true) + loudest(false) + 2 * u32::try_from(same().count()).unwrap_or(0)
    };
    // `max_by_key` would take the last of equals.
    voices.iter().rev().max_by_key(|voice| votes(voice)).map(|voice| voice.names.clone()).unwrap_or_default()
}

/// The bodies of several that a page says it is by where it names no person: agencies, staffs.
fn collectives(page: &Page, body: &Body, facts: &Facts, is_outlet: impl Fn(&str) -> bool) -> Vec<String> {
    let near = body.kept.first().copied().unwrap_or(0);
    let hints = page.hints.authors.iter().filter(|hint| hint.block <= near + INSIDE && hint.block + BEFORE >= near);
    let lines = lines(page, body);
    let lines = lines.iter().map(String::as_str).filter(|line| byline::begins_with_by(line));
    let fields = facts.authors.iter().map(String::as_str).chain(hints.map(|hint| hint.text.as_str())).chain(lines);
    let fields = fields.chain(METAS.iter().flat_map(|name| page.meta(name)));
    fields.filter_map(names::collective).find(|name| !is_outlet(name)).into_iter().collect()
}

/// Lines that may credit somebody: those around the text, and those just behind it. A label that has a line of its own
/// is joined with the next.
fn lines(page: &Page, body: &Body) -> Vec<String> {
    let end = body.kept.last().map_or(0, |last| last + 1);
    // Credits at the end of the text are no part of it, though more may follow.
    let last = page.blocks.iter().take(end + BEHIND).skip(end.saturating_sub(BEHIND));
    let behind = last.filter(|block| block.zone < Zone::Around);
    let mut lines = Vec::<String>::new();
    for block in body.lines(page).into_iter().chain(behind).filter(|block| block.heading == 0) {
        match lines.last_mut().filter(|line| byline::is_label(line)) {
            Some(label) => *label = format!("{} {}", label.trim_end(), block.text),
            None => lines.push(block.text.clone()),
        }
    }
    lines
}

/// Who signs the text at its end.
fn signed(page: &Page, body: &Body) -> Vec<String> {
    let last = body.kept.iter().rev().take(3).filter_map(|number| page.blocks.get(*number));
    // A name alone in the last line, set apart.
    let alone = last.clone().next().filter(|block| block.stressed * 2 >= block.weight && block.heading == 0);
    let alone = alone.map(|block| names::alone(&block.text)).filter(|names| !names.is_empty());
    alone
        .or_else(|| last.clone().map(|block| byline::signature(&block.text)).find(|names| !names.is_empty()))
        .unwrap_or_default()
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
    // Who changed a text, or looked it over, did not write it.
    let is_helper = |hint: &&Hint| {
        let above = hint.block.checked_sub(1).and_then(|at| page.blocks.get(at));
        byline::is_of_help(&hint.text) || above.is_some_and(|block| byline::is_of_help(&block.text))
    };
    let hints = || page.hints.authors.iter().filter(|hint| hint.by == by && !is_helper(hint));
    let near = names_of(hints().filter(is_near));
    // Several behind the text are those of a list of other articles.
    let mut later: Vec<&str> = hints().filter(|hint| hint.block > last).map(|hint| hint.text.as_str()).collect();
    later.dedup();
    let near = if near.is_empty() && later.len() <= 3 { names_of(hints().filter(is_behind)) } else { near };
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
        let inner: Vec<String> = hint.inner.iter().flat_map(|text| names::names(text)).collect();
        let found = if inner.is_empty() { names::names(&hint.text) } else { inner };
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

#[cfg(test)]
mod tests {
    use crate::extract::{Claims, Document, Head, read};
    use crate::web::time::Timestamp;

    #[test]
    fn what_most_places_say_is_believed() {
        let data = |json: &str| format!(r#"<script type="application/ld+json">{json}</script>"#);
        let article = |rest: &str| data(&format!(r#"{{"@type":"NewsArticle","headline":"River",{rest}}}"#));
        let one = |name: &str| article(&format!(r#""author":{{"@type":"Person","name":"{name}"}}"#));
        let meta = |name: &str| format!(r#"<meta name="author" content="{name}">"#);
        check("", r#"<p class="byline">By Jane Doe</p>"#, "", "Jane Doe");
        check("", "<p>Mar 4, 2024 by Jane Doe in Rivers</p>", "", "Jane Doe");
        check(&one("Web Poster"), "", "", "Web Poster");
        check(
            &(one("Ed Poster") + &meta("Jane Doe, John Roe")),
            r#"<p>By <a rel="author">Jane Doe</a>, <a rel="author">John Roe</a></p>"#,
            "",
            "Jane Doe, John Roe",
        );
        check(&one("LN"), "<p>Von Jane Döe</p>", "", "Jane Döe");
        check(&one("Jane Doe"), r#"<p class="author">Coast</p>"#, "", "Jane Doe");
        check(
            &article(r#""author":{"name":"Jane Doe"},"creator":["Jane Doe","John Roe"]"#),
            "",
            "",
            "Jane Doe, John Roe",
        );
        check(&article(r#""author":[{"name":"Jane Doe"},{"name":"AFP"}]"#), "", "", "Jane Doe, AFP");
        check(&one("The Coast Press"), "", "", "The Coast Press");
        check(&one("admin"), "", "", "");
        // Who owns the site is no outlet.
        let owner = r#"{"@graph":[{"@type":["Person","Organization"],"@id":"https://e.example/#p","name":"Jane Doe"},
            {"@type":"Article","headline":"River","author":{"name":"Jane Doe"},
            "publisher":{"@id":"https://e.example/#p"}}]}"#;
        check(&data(owner), "", "", "Jane Doe");
        // The outlet's own name is not an author's.
        check(&(meta("River Coast") + r#"<meta property="og:site_name" content="River Coast">"#), "", "", "");
        // Who changed it did not write it.
        let two = r#"<div class="author">Written by Jane Doe</div><div class="author">Updated by John Roe</div>"#;
        check("", two, "", "Jane Doe");
        // Signatures at the end, and labels with a line of their own.
        check("", "", "<p><b>Lê Thu Hà</b></p>", "Lê Thu Hà");
        check("", "", "<p>Von:</p><p>Götz Roe</p>", "Götz Roe");
        check("", "", "<p><b>Autorin: Uta Doe, Leiterin des Projekts.</b></p>", "Uta Doe");
        // Names in a list of other articles.
        let others = r#"<p class="author">Von Ann Poe am 4.3.</p><p>River</p>"#;
        let others = ["Ann Poe", "Bob Poe", "Cid Poe", "Dan Poe"].map(|name| others.replace("Ann Poe", name));
        check("", "", &others.concat(), "");
    }

    fn check(head: &str, above: &str, below: &str, want: &str) {
        let text = "<p>The river runs clear again, the people who live beside it said, and the herons came back.</p>";
        let html = format!(
            "<title>The river runs clear</title>{head}<article><h1>The river runs clear</h1>{above}{}{below}</article>",
            text.repeat(8)
        );
        let (own, at) = (Head::read(b""), Timestamp::from_iso("2024-03-05T12:00:00Z").expect("a time"));
        let claims = Claims::default();
        let url = "https://news.example/river.html";
        let document = Document::page(url, at, &own, html.as_bytes(), &claims);
        let people: Vec<String> = read(&document).article.byline.into_iter().map(|person| person.name).collect();
        assert_eq!(people.join(", "), want, "{head} {above} {below}");
    }
}
