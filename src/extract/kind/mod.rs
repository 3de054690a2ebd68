//! What sort of page it is.

pub mod signs;

use std::collections::HashSet;

use crate::extract::meta::dates::{self, Reader};
use crate::extract::meta::facts::Facts;
use crate::extract::meta::order::Order;
use crate::extract::meta::{byline, title};
use crate::extract::page::tree::{Block, FoundLink, HEADLINE, Page, Zone, weight};
use crate::extract::text::body::{Body, PARAGRAPH, is_paragraph};
use crate::extract::{Article, Document, Image, Kind};
use crate::web::url::WebUrl;

/// An article shorter than this, in characters, has a date or a byline.
const SHORT: usize = 1000;

/// Links with headlines that make a page a list.
pub const HEADLINES: usize = 5;

/// The weight of text for each headline from which it is an article that links a lot, not a list of teasers.
const TEASER: usize = 400;

/// Posts below each other that make a page a list; more, where it calls itself an article.
const POSTS: usize = 4;
const MANY_POSTS: usize = 6;

/// A line that names a day or writers has no more text than this.
const INFO: usize = 150;

/// And stands so many blocks from the headline or the text.
const NEAR: usize = 3;

/// A link in a heading is a headline from this weight.
const IN_HEADING: usize = 9;

/// What sort of page it is: an article has paragraphs, most often below a headline of its own with its day or writers; a
/// list has links with headlines, one for each teaser.
pub fn kind(page: &Page, body: &Body, facts: &Facts, document: &Document<'_>) -> Kind {
    if document.is_post {
        return Kind::Article;
    }
    let Shape { paragraphs, text, all, inside, longest, posts, opening } = Shape::of(page, body, document);
    // Paragraphs that no headline parts are one text.
    let is_one = longest >= TEASER && longest * 2 >= text;
    let is_linked = inside >= HEADLINES && inside * 2 >= paragraphs && text < inside * TEASER;
    // Some sites call every page an article in one `meta` element, their lists included.
    let is_teased = facts.headline.is_none() && opening == Opening::None && posts.count >= MANY_POSTS;
    if facts.is_article && (is_one || !is_teased) {
        if text >= PARAGRAPH && !(is_linked && inside > 3 * paragraphs) {
            return Kind::Article;
        }
    } else {
        let is_article = match opening {
            Opening::Signed => text >= PARAGRAPH && (posts.count < HEADLINES || longest >= TEASER),
            Opening::Headline => longest >= TEASER,
            Opening::None => false,
        };
        if is_article {
            return Kind::Article;
        }
        // Posts below each other, none of them the page's own.
        if opening == Opening::None && posts.count >= POSTS && posts.text >= text && posts.longest * 2 < posts.text {
            return Kind::List;
        }
    }
    let is_list = is_linked && !is_one;
    if !is_list && text >= TEASER {
        Kind::Article
    } else if all >= HEADLINES {
        Kind::List
    } else if !is_list && text >= 150 && page.blocks.iter().any(|block| block.heading == 1) {
        Kind::Article
    } else {
        Kind::Other
    }
}

/// What a page is whose short text names neither a day nor a writer: about something, no article.
fn unsigned(page: &Page) -> Kind {
    let headlines = page.links.iter().filter(|found| is_headline(page, found));
    let count = headlines.map(|found| &found.link.url).collect::<HashSet<_>>().len();
    if count >= 2 * HEADLINES { Kind::List } else { Kind::Other }
}

/// How headlines that lead to other pages and the text of this one lie.
struct Shape {
    /// Paragraphs of the text, and their weight.
    paragraphs: usize,
    text: usize,
    /// Headlines that lead elsewhere, and those among the text.
    all: usize,
    inside: usize,
    /// The weight of the longest run of paragraphs without such a headline between them.
    longest: usize,
    posts: Posts,
    opening: Opening,
}

impl Shape {
    fn of(page: &Page, body: &Body, document: &Document<'_>) -> Shape {
        let headlines: Vec<&FoundLink> = page.links.iter().filter(|found| is_headline(page, found)).collect();
        let distinct = |inside: bool| {
            let headlines = headlines.iter();
            let headlines = headlines.filter(|found| !inside || body.containers.contains(&found.place.container));
            headlines.map(|found| &found.link.url).collect::<HashSet<_>>().len()
        };
        let kept: Vec<usize> = body.kept.iter().copied().filter(|number| is_paragraph(&page.blocks[*number])).collect();
        let is_one = |one: &usize, other: &usize| {
            let next = headlines.partition_point(|found| found.place.block <= *one);
            headlines.get(next).is_none_or(|found| found.place.block >= *other)
        };
        Shape {
            paragraphs: kept.len(),
            text: weigh(page, &kept),
            all: distinct(false),
            inside: distinct(true),
            longest: kept.chunk_by(is_one).map(|run| weigh(page, run)).max().unwrap_or(0),
            posts: Posts::of(page, &headlines),
            opening: Opening::of(page, kept.first().copied().unwrap_or(0), &headlines, document),
        }
    }
}

fn weigh(page: &Page, numbers: &[usize]) -> usize {
    numbers.iter().map(|number| page.blocks[*number].weight).sum()
}

/// Headings that lead to pages of the same host, with paragraphs below.
#[derive(Default)]
struct Posts {
    count: usize,
    /// The weight of all that is below, and the most that is below one of them.
    text: usize,
    longest: usize,
}

impl Posts {
    fn of(page: &Page, headlines: &[&FoundLink]) -> Posts {
        let host = page.base.url.as_ref().map(WebUrl::host);
        let is_near = |found: &FoundLink| host.is_none_or(|host| host == found.link.url.host());
        let heads: Vec<_> = headlines.iter().filter(|found| found.in_heading && is_near(found)).collect();
        let is_text = |block: &Block| block.zone < Zone::Around && is_paragraph(block);
        let paragraphs: Vec<usize> = (0..page.blocks.len()).filter(|number| is_text(&page.blocks[*number])).collect();
        let (mut posts, mut known) = (Posts::default(), HashSet::new());
        for (number, found) in heads.iter().enumerate() {
            let end = heads.get(number + 1).map_or(page.blocks.len(), |next| next.place.block);
            let below = |at: usize| paragraphs.partition_point(|number| *number < at);
            let weight = weigh(page, paragraphs.get(below(found.place.block)..below(end)).unwrap_or_default());
            if weight > 0 && known.insert(&found.link.url) {
                posts.count += 1;
                posts.text += weight;
                posts.longest = posts.longest.max(weight);
            }
        }
        posts
    }
}

/// A link that is all there is of its line, but for a day, and says what a headline says.
fn is_headline(page: &Page, found: &FoundLink) -> bool {
    let text = found.link.text.as_str();
    let heavy = weight(text);
    if found.place.zone == Zone::Around || heavy < IN_HEADING {
        return false;
    }
    // A place is before the block that begins there; what has stood before the link on its line has another number.
    let blocks = &page.blocks[found.place.block.saturating_sub(1).min(page.blocks.len())..];
    blocks.iter().take(2).any(|block| {
        let is_line = text.starts_with(&block.text) || heavy * 3 >= block.weight * 2 && block.text.contains(text);
        is_line && (heavy >= HEADLINE || found.in_heading || block.weight > heavy && has_day(&block.text, text))
    })
}

/// Whether a line names a day besides the text of its link.
fn has_day(line: &str, link: &str) -> bool {
    let rest = line.replacen(link, "", 1);
    rest.chars().filter(char::is_ascii_digit).count() >= 3 && rest.contains(['-', '/', '.', '月', '日'])
}

/// What stands above the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// Nothing of its own.
    None,
    /// A headline that leads nowhere, and is in the page's title.
    Headline,
    /// And beside it a line that names a day or people.
    Signed,
}

impl Opening {
    /// What stands above the paragraph with this number, before any headline that leads elsewhere.
    fn of(page: &Page, first: usize, headlines: &[&FoundLink], document: &Document<'_>) -> Opening {
        let titles = || page.title.as_deref().into_iter().chain(page.meta("og:title"));
        let is_own = |block: &Block| {
            let is_plain = block.weight >= HEADLINE && block.linked * 2 < block.weight && block.zone < Zone::Around;
            let is_title = |given: &str| {
                given.contains(block.text.as_str()) || block.heading > 0 && title::reads_like(&block.text, given)
            };
            is_plain && titles().any(is_title)
        };
        let Some(at) = (0..first).rev().find(|number| is_own(&page.blocks[*number])) else { return Opening::None };
        let from = headlines.partition_point(|found| found.place.block <= at);
        if headlines.get(from).is_some_and(|found| found.place.block < first) {
            return Opening::None;
        }
        let reader = Reader { now: document.at, zone: None, order: Order::DayFirst };
        let says = |block: &&Block| {
            let credits = || byline::credits(&block.text);
            let is_info = block.weight <= INFO && block.zone < Zone::Around;
            is_info && (dates::read(&block.text, reader).is_some() || !credits().people.is_empty())
        };
        let near = &page.blocks[at.saturating_sub(NEAR)..page.blocks.len().min(first + NEAR)];
        if near.iter().any(|block| says(&block)) { Opening::Signed } else { Opening::Headline }
    }
}

/// What was read of a page that is no post.
pub struct Reading<'a> {
    pub page: &'a Page,
    pub body: &'a Body,
    pub facts: &'a Facts,
    pub article: &'a Article,
    pub images: &'a [Image],
}

/// What a page is that was taken for one of this kind, now that it has been read; `source` is its whole text.
pub fn once_read(kind: Kind, reading: &Reading<'_>, source: &str) -> Kind {
    let Reading { page, body, facts, article, images } = *reading;
    let is_signed = article.published.is_some() || !article.byline.is_empty();
    if let Some(instead) = signs::instead(page, body, facts, is_signed, source) {
        return instead;
    }
    let is_nameless = !is_signed && !facts.is_article && article.text.chars().count() < SHORT;
    let kind = if kind == Kind::Article && is_nameless { unsigned(page) } else { kind };
    let shown = || images.iter().filter(|image| image.in_article);
    let is_one = match kind {
        Kind::Article => true,
        // Of thumbnails beside each other nobody says that they are one article.
        Kind::Other => {
            facts.is_article || is_signed || shown().filter(|image| image.caption.is_some()).count() >= signs::PICTURES
        }
        _ => false,
    };
    if is_one && signs::is_gallery(page, body, shown().count()) { Kind::Gallery } else { kind }
}

#[cfg(test)]
mod tests;
