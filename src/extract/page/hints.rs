//! Elements that the markup says hold a date or the name of an author.

use scraper::ElementRef;

use crate::extract::folded;
use crate::extract::page::attr::attr;
use crate::extract::page::tree::{Zone, text_of};
use crate::extract::page::words::Words;

/// More than this many of one sort are a list of articles; the first ones tell as much.
const MOST: usize = 48;

/// Characters read of an element; a longer text is no byline.
const LONGEST: usize = 160;

/// An element that is marked.
#[derive(Clone, Debug)]
pub struct Hint {
    /// Its text, white space folded.
    pub text: String,
    /// What it says to machines: `datetime`, `content`, `title`.
    pub value: Option<String>,
    /// The texts of the links and of the names inside.
    pub inner: Vec<String>,
    /// How surely it is what it is marked as.
    pub by: By,
    /// The number of the next text block.
    pub block: usize,
}

/// What marks an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A property of schema.org, Dublin Core or a link's `rel`.
    Property,
    /// The element's own meaning: `time`.
    Element,
    /// A class or an id.
    Class,
    /// The address of a link: `/author/jane-doe`.
    Address,
}

/// All the marked elements of a page, in order.
#[derive(Debug, Default)]
pub struct Hints {
    pub authors: Vec<Hint>,
    pub published: Vec<Hint>,
    pub modified: Vec<Hint>,
}

/// Words in classes of elements that name an author, in the languages of the web's larger theme families.
static AUTHOR: Words = Words::new(
    "author authors autor autores autoren auteur auteurs autore byline writer journalist reporter \
     verfasser redacteur authorname writtenby contributor username",
);

/// Words beside them that say that it is not the name: another article's, or a number.
static NOT_NAME: Words = Words::new(
    "social follow related more email mail count articles posts list icon twitter facebook \
     separator comment comments card recent footer sidebar",
);

/// Words that say the same unless `name` is among them: `author-box__name`.
static BESIDE_NAME: Words =
    Words::new("bio avatar image img photo pic thumb desc description about box job role position title label");

/// What makes it the name all the same.
static NAME: Words = Words::new("name");

/// Words in classes of elements that hold a date.
static DATE: Words = Words::new(
    "date time datetime timestamp dateline pubdate published publish publishdate posted datum fecha \
    data dato created pubtime stand datepublished createdate postdate",
);

/// Words that say that it is the date of the last change.
static CHANGED: Words = Words::new("modified updated update lastmod changed datemodified lastupdated edited");

/// Words beside a date's that say that it is no date of the article.
static NOT_DATE: Words = Words::new("comment comments countdown event expires");

impl Hints {
    /// Notes what the markup says of an element; `block` is the number of the next text block.
    pub fn see(&mut self, element: ElementRef<'_>, zone: Zone, block: usize) {
        let name = element.value().name();
        if matches!(name, "html" | "body" | "main" | "article" | "meta" | "form" | "input" | "img") {
            return;
        }
        let mut author = None;
        let mut date = None;
        let properties = ["itemprop", "property"].into_iter().filter_map(|name| attr(element, name));
        for one in properties.flat_map(str::split_ascii_whitespace).map(str::to_ascii_lowercase) {
            match one.rsplit([':', '/', '#']).next().unwrap_or("") {
                "author" | "creator" => author = Some(By::Property),
                "datepublished" | "datecreated" | "created" | "issued" => date = Some((By::Property, false)),
                "datemodified" | "modified" => date = Some((By::Property, true)),
                _ => {}
            }
        }
        let rel = attr(element, "rel").unwrap_or("");
        if rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("author")) {
            author = Some(By::Property);
        }
        let named = Named::of([attr(element, "class"), attr(element, "id")]);
        if name == "time" {
            date = date.or(Some((By::Element, named.changed)));
        }
        if author.is_none() && named.author && !named.no_name && (named.name || !named.beside_name) {
            author = Some(By::Class);
        }
        if date.is_none() && (named.date || named.changed) && !named.no_date {
            date = Some((By::Class, named.changed));
        }
        if author.is_none() && name == "a" && attr(element, "href").is_some_and(is_author_address) {
            author = Some(By::Address);
        }
        if author.is_none() && date.is_none() || matches!(zone, Zone::Around) && !has_meaning(author, date) {
            return;
        }
        let hint = |by: By| {
            let (text, inner) = texts(element);
            let value = ["datetime", "content", "data-datetime", "data-origindate", "data-time"];
            let value = value.into_iter().find_map(|name| attr(element, name)).map(folded);
            Hint { text, inner, value: value.filter(|value| !value.is_empty()), by, block }
        };
        if let Some(by) = author.filter(|_| self.authors.len() < MOST) {
            let hint = hint(by);
            if !hint.text.is_empty() && hint.text.chars().count() < LONGEST {
                self.authors.push(hint);
            }
        }
        if let Some((by, changed)) = date {
            let list = if changed { &mut self.modified } else { &mut self.published };
            if list.len() < MOST {
                list.push(hint(by));
            }
        }
    }
}

/// Elements that begin a line of their own.
static LINES: Words =
    Words::new("div p li ul ol h1 h2 h3 h4 h5 h6 section header footer td tr dd dt figure figcaption address");

/// The text of an element, with gaps where elements meet and bars where lines do, and the texts of the links and names
/// inside.
fn texts(element: ElementRef<'_>) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut inner = Vec::new();
    let mut line = None;
    for node in element.descendants().take(200) {
        if let Some(piece) = node.value().as_text().filter(|piece| !piece.trim().is_empty()) {
            let mut around = node.ancestors().take(8).filter_map(ElementRef::wrap);
            let parent = around.next();
            if !parent.is_some_and(|parent| matches!(parent.value().name(), "script" | "style" | "noscript" | "svg")) {
                let own = parent.into_iter().chain(around).find(|one| LINES.has(one.value().name()));
                let own = own.map(|one| one.id());
                text.push_str(if text.is_empty() || line == Some(own) { " " } else { " | " });
                line = Some(own);
                text.push_str(piece);
            }
        } else if let Some(part) = ElementRef::wrap(node).filter(|part| inner.len() < 12 && part.id() != element.id()) {
            let is_name = attr(part, "itemprop") == Some("name") || attr(part, "rel") == Some("author");
            if part.value().name() == "a" || is_name {
                inner.push(text_of(part, LONGEST));
            }
        }
        if text.len() > 8 * LONGEST {
            break;
        }
    }
    (folded(&text).chars().take(LONGEST).collect(), inner)
}

/// Only a property counts in what stands around the article: some pages keep the header outside.
fn has_meaning(author: Option<By>, date: Option<(By, bool)>) -> bool {
    author == Some(By::Property) || date.is_some_and(|(by, _)| by == By::Property)
}

/// `/author/jane-doe`, `/autoren/doe`: a page about one author.
fn is_author_address(href: &str) -> bool {
    static FOLDERS: Words = Words::new(
        "author authors autor autoren auteur auteurs autores autore people staff profile profiles \
         writer writers contributor contributors editor editors reporter reporters journalist journalists columnist \
         columnists byline bylines redakteur",
    );
    let path = href.split(['?', '#']).next().unwrap_or("").trim_end_matches('/');
    let mut parts = path.rsplit('/');
    let last = parts.next().unwrap_or("");
    !last.is_empty() && parts.next().is_some_and(|folder| FOLDERS.has_in_any_case(folder))
}

/// What the words of an element's class and id say that it holds.
#[derive(Clone, Copy, Debug, Default)]
struct Named {
    author: bool,
    no_name: bool,
    beside_name: bool,
    name: bool,
    date: bool,
    changed: bool,
    no_date: bool,
}

impl Named {
    fn of(values: [Option<&str>; 2]) -> Named {
        let mut named = Named::default();
        words(values, |word| {
            named.author |= AUTHOR.has_in_any_case(word);
            named.no_name |= NOT_NAME.has_in_any_case(word);
            named.beside_name |= BESIDE_NAME.has_in_any_case(word);
            named.name |= NAME.has_in_any_case(word);
            named.date |= DATE.has_in_any_case(word);
            named.changed |= CHANGED.has_in_any_case(word);
            named.no_date |= NOT_DATE.has_in_any_case(word);
        });
        named
    }
}

/// Shows each word that classes and ids are made of, as written. What a value has behind so many letters is no name.
fn words<'a>(values: [Option<&'a str>; 2], mut see: impl FnMut(&'a str)) {
    const LONGEST: usize = 400;
    for value in values.into_iter().flatten() {
        let bytes = &value.as_bytes()[..value.len().min(LONGEST)];
        let mut start = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let begins = byte.is_ascii_uppercase() && at > 0 && bytes[at - 1].is_ascii_lowercase();
            if begins || !byte.is_ascii_alphabetic() {
                if start < at {
                    see(&value[start..at]);
                }
                start = if begins { at } else { at + 1 };
            }
        }
        if start < bytes.len() && value.len() < LONGEST {
            see(&value[start..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_has_a_page_of_its_own() {
        for (href, want) in [
            ("https://news.example/author/jane-doe/", true),
            ("/autoren/doe-jane?x=1", true),
            ("/author/", false),
            ("/authors", false),
            ("/2021/author-of-the-year", false),
        ] {
            assert_eq!(is_author_address(href), want, "{href}");
        }
    }

    #[test]
    fn classes_are_made_of_words() {
        let mut found = Vec::new();
        words([Some("postByline__author-name u2"), Some("Top")], |word| found.push(word.to_owned()));
        assert_eq!(found.join(" "), "post Byline author name u Top");
    }
}
