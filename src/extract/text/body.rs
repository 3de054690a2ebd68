//! Which part of a page is the article.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::extract::meta::byline;
use crate::extract::meta::facts::Facts;
use crate::extract::page::tree::{Block, Page, Place, Zone};
use crate::extract::text::boilerplate::Boilerplate;
use crate::extract::text::features::Surroundings;
use crate::extract::text::judge;

/// The weight from which a block is a paragraph rather than a caption or a button: twenty Han characters, a dozen
/// English words.
pub const PARAGRAPH: usize = 60;

/// A container that holds this much of the text of the one around it, in percent, holds the article; the rest is
/// teasers. Lower, and articles lose their first paragraph.
const NEARLY_ALL: usize = 85;

/// A line that only credits people is no longer than this, in characters.
const CREDIT: usize = 60;

/// Blocks behind the last paragraph among which a list of the article may begin.
const BEHIND: usize = 60;
/// How deep an item of a list may stand in it.
const NESTED: usize = 12;

/// So many blocks at the beginning of an article, and at its end, may hold a byline or a date.
const ENDS: usize = 5;

/// The part of a page that is the article.
pub struct Body {
    /// The numbers of the containers in it.
    pub containers: Range<usize>,
    /// The numbers of the blocks whose text is the article's, in order.
    pub kept: Vec<usize>,
    /// The last zone that counts as inside.
    zone: Zone,
}

impl Body {
    /// Finds the article of a page; a post is an article as a whole. The rule of thumb says where to look, and what
    /// stays when the judge keeps nothing.
    pub fn of(page: &Page, facts: &Facts, is_post: bool) -> Body {
        let mut body = Body::by_rule(page, is_post);
        if is_post {
            return body;
        }
        let around = Surroundings { page, facts, chosen: body.containers.clone(), kept: &body.kept };
        let mut kept = judge::kept(&around);
        kept.retain(|number| !is_credit(&page.blocks[*number]));
        leave_out_kicker(page, &mut kept);
        take_in_lists(page, &mut kept);
        if kept.iter().any(|number| is_paragraph(&page.blocks[*number])) {
            body.containers = around_all(page, &kept);
            body.kept = kept;
        }
        body
    }

    /// The article by a rule of thumb: the part of the page that holds nearly all paragraphs.
    pub fn by_rule(page: &Page, is_post: bool) -> Body {
        let zone = |last: Zone| {
            let mut own = vec![0; page.containers.len()];
            for block in page.blocks.iter().filter(|block| block.zone <= last && is_paragraph(block)) {
                own[block.container] += block.weight;
            }
            own
        };
        // Where nothing but what a class name calls side matter holds text, the class name is wrong.
        let (zone, own) = match zone(Zone::Content) {
            own if own.iter().all(|weight| *weight == 0) => (Zone::Suspect, zone(Zone::Suspect)),
            own => (Zone::Content, own),
        };
        let mut before = vec![0];
        own.iter().for_each(|weight| before.push(before[before.len() - 1] + weight));
        let total = |at: usize| before[page.containers[at].end] - before[at];
        let chosen = if is_post { 0 } else { chosen(page, total) };
        let containers = chosen..page.containers[chosen].end;
        let title = page.blocks.iter().position(|block| block.heading == 1);
        let kept = |(number, block): &(usize, &Block)| {
            // Some pages are one big form, so only a form inside the article is left out.
            let form = block.form.is_some_and(|form| form != chosen && containers.contains(&form));
            let mostly_links = block.linked * 2 > block.weight && block.weight > 0;
            containers.contains(&block.container)
                && block.zone <= zone
                && block.zone != Zone::Head
                && (is_post || !form && !mostly_links && Some(*number) != title)
        };
        let kept = page.blocks.iter().enumerate().filter(kept).map(|(number, _)| number).collect();
        Body { containers, kept, zone }
    }

    /// Leaves out what recurs on the pages of the host.
    pub fn leave_out(&mut self, page: &Page, boilerplate: &Boilerplate) {
        let own = boilerplate.own(self.kept.iter().map(|number| page.blocks[*number].text.as_str()));
        let mut own = own.into_iter();
        self.kept.retain(|_| own.next().unwrap_or(true));
    }

    /// The number of the text block that something stands before; none when it stands outside.
    pub fn position(&self, place: &Place) -> Option<u32> {
        let inside = self.containers.contains(&place.container) && place.zone <= self.zone;
        inside.then(|| self.blocks_before(place))
    }

    /// How many blocks of the article come before a place.
    pub fn blocks_before(&self, place: &Place) -> u32 {
        u32::try_from(self.kept.partition_point(|number| *number < place.block)).unwrap_or(u32::MAX)
    }

    pub fn text(&self, page: &Page) -> String {
        let texts: Vec<&str> = self.kept.iter().map(|number| page.blocks[*number].text.as_str()).collect();
        texts.join("\n")
    }

    /// Lines that may hold a byline or a date: the header's, those before the text and about its beginning, those about its
    /// end and behind it.
    pub fn lines<'a>(&self, page: &'a Page) -> Vec<&'a Block> {
        let first = self.kept.first().copied().unwrap_or(0);
        let last = self.kept.last().copied().unwrap_or(0);
        let nth = |n: usize| self.kept.get(n).copied();
        let opening = first.saturating_sub(12)..=nth(ENDS - 1).unwrap_or(last);
        let end = &self.kept[self.kept.len().saturating_sub(ENDS)..];
        let behind = last + 1..=last + 6;
        let is_near = |number: usize, block: &Block| {
            let is_beside = opening.contains(&number) || end.contains(&number) || behind.contains(&number);
            block.zone == Zone::Head || is_beside && block.zone < Zone::Around
        };
        let blocks = page.blocks.iter().enumerate().filter(|(number, block)| is_near(*number, block));
        blocks.map(|(_, block)| block).collect()
    }
}

/// A line that says who wrote the article, or where it is from, and nothing else.
fn is_credit(block: &Block) -> bool {
    let is_sentence = block.text.contains(['。', '！', '？', '!', '?']);
    if block.heading > 0 || is_sentence || block.text.chars().count() > CREDIT {
        return false;
    }
    let credits = byline::credits(&block.text);
    !credits.people.is_empty() || credits.source.is_some()
}

/// A word or two above the headline say which part of the paper this is.
fn leave_out_kicker(page: &Page, kept: &mut Vec<usize>) {
    let headline = page.blocks.iter().position(|block| block.heading == 1).unwrap_or(0);
    let above = kept.partition_point(|number| *number < headline);
    if kept[..above].iter().map(|number| page.blocks[*number].weight).sum::<usize>() < PARAGRAPH {
        kept.drain(..above);
    }
}

/// Lists and tables that stand beside the paragraphs, in the same element, belong to them unless they are links.
fn take_in_lists(page: &Page, kept: &mut Vec<usize>) {
    let parent = |at: usize| page.marks.get(at).parent;
    let beside: HashSet<usize> =
        kept.iter().filter(|at| is_paragraph(&page.blocks[**at])).map(|at| parent(page.blocks[*at].mark)).collect();
    let (Some(first), Some(last)) = (kept.first().copied(), kept.last().copied()) else { return };
    let mut lists: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, block) in page.blocks.iter().enumerate().skip(first) {
        if number > last + BEHIND {
            break;
        }
        if let Some(list) = list(page, block.mark).filter(|list| beside.contains(&parent(*list))) {
            lists.entry(list).or_default().push(number);
        }
    }
    let known: HashSet<usize> = kept.iter().copied().collect();
    for blocks in lists.into_values() {
        let sum = |of: fn(&Block) -> usize| blocks.iter().map(|at| of(&page.blocks[*at])).sum::<usize>();
        let is_text = blocks.iter().all(|at| page.blocks[*at].zone == Zone::Content && !page.blocks[*at].hidden);
        if is_text && sum(|block| block.linked) * 4 < sum(|block| block.weight) {
            kept.extend(blocks.into_iter().filter(|at| !known.contains(at)));
        }
    }
    kept.sort_unstable();
}

/// The outermost list or table that an element is an item of.
fn list(page: &Page, mark: usize) -> Option<usize> {
    let (mut at, mut found) = (mark, None);
    for _ in 0..NESTED {
        match page.marks.get(at).name() {
            "ul" | "ol" | "dl" | "table" => found = Some(at),
            "li" | "dt" | "dd" | "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "p" => {}
            _ => break,
        }
        at = page.marks.get(at).parent;
    }
    found
}

/// The smallest container with nearly all the text of these blocks.
fn around_all(page: &Page, kept: &[usize]) -> Range<usize> {
    let mut own = vec![0; page.containers.len()];
    for block in kept.iter().map(|number| &page.blocks[*number]) {
        own[block.container] += block.weight;
    }
    let mut before = vec![0];
    own.iter().for_each(|weight| before.push(before[before.len() - 1] + weight));
    let total = |at: usize| before[page.containers[at].end] - before[at];
    let inside = |at: &usize| total(*at) * 100 >= total(0) * NEARLY_ALL;
    // A container comes after those around it.
    let at = (0..page.containers.len()).rev().find(inside).unwrap_or(0);
    at..page.containers[at].end
}

/// Walks down from the body, or from the one element marked as an article, as long as one part holds nearly all.
fn chosen(page: &Page, total: impl Fn(usize) -> usize) -> usize {
    let mut articles = (0..page.containers.len()).filter(|at| page.containers[*at].article);
    let marked = articles.next_back().filter(|at| {
        // An article and the body inside it are both marked; several articles beside each other are a list.
        articles.all(|outer| page.containers[outer].end >= page.containers[*at].end) && total(*at) * 2 >= total(0)
    });
    let mut at = marked.unwrap_or(0);
    loop {
        let mut inside = at + 1;
        let mut best = None;
        while inside < page.containers[at].end {
            best = best.max(Some((total(inside), std::cmp::Reverse(inside))));
            inside = page.containers[inside].end;
        }
        match best {
            Some((most, next)) if most > 0 && most * 100 >= total(at) * NEARLY_ALL => at = next.0,
            _ => return at,
        }
    }
}

/// A paragraph of running text rather than a caption, a button or a list of links.
pub fn is_paragraph(block: &Block) -> bool {
    block.weight >= PARAGRAPH && block.linked * 3 < block.weight && block.heading == 0
}
