//! Elements that the markup says hold a date or the name of an author.

use scraper::ElementRef;

use super::folded;
use super::tree::{Zone, is_in, text_of};

/// More than this many of one sort are a list of articles; the first ones tell as much.
const MOST: usize = 48;

/// Characters read of an element; a longer text is no byline.
const LONGEST: usize = 160;

/// An element that is marked.
#[derive(Clone, Debug)]
pub(super) struct Hint {
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
pub(super) enum By {
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
pub(super) struct Hints {
    pub authors: Vec<Hint>,
    pub published: Vec<Hint>,
    pub modified: Vec<Hint>,
}

/// Words in classes of elements that name an author, in the languages of the web's larger theme families.
const AUTHOR: &str = "author authors autor autores autoren auteur auteurs autore byline writer journalist reporter \
    verfasser redacteur authorname writtenby contributor username";

/// Words beside them that say that it is not the name: another article's, or a number.
const NOT_NAME: &str = "social follow related more email mail count articles posts list icon twitter facebook \
    separator comment comments card recent footer sidebar";

/// Words that say the same unless `name` is among them: `author-box__name`.
const BESIDE_NAME: &str =
    "bio avatar image img photo pic thumb desc description about box job role position title label";

/// Words in classes of elements that hold a date.
const DATE: &str = "date time datetime timestamp dateline pubdate published publish publishdate posted datum fecha \
    data dato created pubtime stand datepublished createdate postdate";

/// Words that say that it is the date of the last change.
const CHANGED: &str = "modified updated update lastmod changed datemodified lastupdated edited";

impl Hints {
    /// Notes what the markup says of an element; `block` is the number of the next text block.
    pub fn see(&mut self, element: ElementRef<'_>, zone: Zone, block: usize) {
        let name = element.value().name();
        if matches!(name, "html" | "body" | "main" | "article" | "meta" | "form" | "input" | "img") {
            return;
        }
        let property = |attr: &str| element.attr(attr).map(str::to_ascii_lowercase).unwrap_or_default();
        let properties = [property("itemprop"), property("property")].join(" ");
        let mut author = None;
        let mut date = None;
        for one in properties.split_ascii_whitespace() {
            match one.rsplit([':', '/', '#']).next().unwrap_or("") {
                "author" | "creator" => author = Some(By::Property),
                "datepublished" | "datecreated" | "created" | "issued" => date = Some((By::Property, false)),
                "datemodified" | "modified" => date = Some((By::Property, true)),
                _ => {}
            }
        }
        if property("rel").split_ascii_whitespace().any(|rel| rel == "author") {
            author = Some(By::Property);
        }
        let words = words([element.attr("class"), element.attr("id")]);
        let has = |list: &str| words.iter().any(|word| is_in(list, word));
        let changed = has(CHANGED);
        if name == "time" {
            date = date.or(Some((By::Element, changed)));
        }
        if !words.is_empty() {
            if author.is_none() && has(AUTHOR) && !has(NOT_NAME) && (has("name") || !has(BESIDE_NAME)) {
                author = Some(By::Class);
            }
            if date.is_none() && (has(DATE) || changed) && !has("comment comments countdown event expires") {
                date = Some((By::Class, changed));
            }
        }
        if author.is_none() && name == "a" && element.attr("href").is_some_and(is_author_address) {
            author = Some(By::Address);
        }
        if author.is_none() && date.is_none() || matches!(zone, Zone::Around) && !has_meaning(author, date) {
            return;
        }
        let hint = |by: By| {
            let (text, inner) = texts(element);
            let value = ["datetime", "content", "data-datetime", "data-origindate", "data-time"];
            let value = value.into_iter().find_map(|attr| element.attr(attr)).map(folded);
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
const LINES: &str = "div p li ul ol h1 h2 h3 h4 h5 h6 section header footer td tr dd dt figure figcaption address";

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
                let own = parent.into_iter().chain(around).find(|one| is_in(LINES, one.value().name()));
                let own = own.map(|one| one.id());
                text.push_str(if text.is_empty() || line == Some(own) { " " } else { " | " });
                line = Some(own);
                text.push_str(piece);
            }
        } else if let Some(part) = ElementRef::wrap(node).filter(|part| inner.len() < 12 && part.id() != element.id()) {
            let is_name = part.attr("itemprop") == Some("name") || part.attr("rel") == Some("author");
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
    const FOLDERS: &str = "author authors autor autoren auteur auteurs autores autore people staff profile profiles \
        writer writers contributor contributors editor editors reporter reporters journalist journalists columnist \
        columnists byline bylines redakteur";
    let path = href.split(['?', '#']).next().unwrap_or("").trim_end_matches('/');
    let mut parts = path.rsplit('/');
    let last = parts.next().unwrap_or("");
    !last.is_empty() && parts.next().is_some_and(|folder| is_in(FOLDERS, &folder.to_ascii_lowercase()))
}

/// The words that classes and ids are made of, in lower case.
fn words(values: [Option<&str>; 2]) -> Vec<String> {
    let mut words = Vec::new();
    for value in values.into_iter().flatten() {
        let mut word = String::new();
        let mut was_small = false;
        for c in value.chars().chain([' ']).take(400) {
            let begins = c.is_ascii_uppercase() && was_small;
            if (begins || !c.is_ascii_alphabetic()) && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if c.is_ascii_alphabetic() {
                word.push(c.to_ascii_lowercase());
            }
            was_small = c.is_ascii_lowercase();
        }
    }
    words
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
        assert_eq!(words([Some("postByline__author-name u2"), Some("Top")]).join(" "), "post byline author name u top");
    }
}
