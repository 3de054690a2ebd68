//! What sort of page it is.

use std::collections::HashSet;

use super::Kind;
use super::body::{Body, PARAGRAPH, is_paragraph};
use super::facts::Facts;
use super::tree::{FoundLink, HEADLINE, Page, Zone, weight};

/// Links with headlines that make a page a list.
pub(super) const HEADLINES: usize = 5;

/// The weight of text for each headline from which it is an article that links a lot, not a list of teasers.
const TEASER: usize = 400;

/// What sort of page it is: an article has paragraphs, a list has links with headlines, about one for each teaser.
pub(super) fn kind(page: &Page, body: &Body, facts: &Facts, is_post: bool) -> Kind {
    let paragraphs = body.kept.iter().map(|number| &page.blocks[*number]).filter(|block| is_paragraph(block));
    let (count, text) = paragraphs.fold((0, 0), |(count, text), block| (count + 1, text + block.weight));
    let is_headline = |found: &&FoundLink| {
        let weight = weight(&found.link.text);
        found.place.zone < Zone::Around && (weight >= HEADLINE || found.in_heading && weight >= 9)
    };
    let distinct = |inside: bool| {
        let headlines = page.links.iter().filter(is_headline);
        let headlines = headlines.filter(|found| !inside || body.containers.contains(&found.place.container));
        headlines.map(|found| &found.link.url).collect::<HashSet<_>>().len()
    };
    let (all, inside) = (distinct(false), distinct(true));
    let is_list = inside >= HEADLINES && inside * 2 >= count && text < inside * TEASER;
    if is_post || facts.is_article && text >= PARAGRAPH && !(is_list && inside > 3 * count) || !is_list && text >= 400 {
        Kind::Article
    } else if all >= HEADLINES {
        Kind::List
    } else if !is_list && text >= 150 && page.blocks.iter().any(|block| block.heading == 1) {
        Kind::Article
    } else {
        Kind::Other
    }
}
