//! How the elements of a page hold its text: which one seems to hold the article, and which branch of the tree each
//! block hangs on.

use std::collections::HashMap;

use crate::extract::page::tree::{Block, Page};

/// What stands below an element.
#[derive(Clone, Copy, Default)]
struct Sum {
    weight: f32,
    linked: f32,
    blocks: f32,
    paragraphs: f32,
    /// What its paragraphs speak for it; see [`Outline::of`].
    votes: f32,
}

/// The tree of a page's elements, measured.
pub struct Outline<'a> {
    page: &'a Page,
    sums: Vec<Sum>,
    /// Elements with text below each.
    children: Vec<u32>,
    /// Elements with the same marks beside each, itself included.
    twins: Vec<u32>,
    /// The element that its paragraphs speak for most.
    top: usize,
    /// How far above `top` an element stands; none for what is not above it.
    above: Vec<Option<u8>>,
    /// The headline's element and those around it.
    around_headline: Vec<bool>,
    /// The block that is the headline.
    headline: Option<usize>,
    /// `article` elements with text, in order.
    articles: Vec<usize>,
    /// One of them has the headline.
    has_article: bool,
    /// The weight of the heaviest of them, at least 1.
    heaviest: f32,
}

/// Elements that are a paragraph themselves: what stands in them speaks for the element around them.
const PARAGRAPHS: [&str; 10] = ["p", "li", "td", "pre", "figcaption", "blockquote", "dd", "h2", "h3", "h4"];

/// How much a paragraph speaks for the elements around it, the nearest first.
const VOTES: [f32; 5] = [1.0, 0.5, 1.0 / 6.0, 1.0 / 9.0, 1.0 / 12.0];

/// Lighter blocks do not vote.
const VOTER: usize = 25;

/// How many features [`Outline::row`] gives.
pub const COUNT: usize = NAMES.len();

/// Their names.
pub const NAMES: [&str; 28] = [
    "own_score",
    "parent_score",
    "best_score",
    "in_top",
    "above_top",
    "below",
    "branch_weight",
    "branch_link_share",
    "branch_blocks",
    "branch_paragraphs",
    "branch_mean",
    "branch_share",
    "branch_score",
    "branch_twins",
    "twins",
    "branch_siblings",
    "arts",
    "art_at",
    "art_n",
    "art_share",
    "h1_art",
    "h1_art_own",
    "lca_h1",
    "from_h1",
    "pre",
    "side",
    "main",
    "figure",
];

impl<'a> Outline<'a> {
    /// Measures a page. A paragraph speaks for the elements around it with its length and its commas, as in Arc90's
    /// Readability (2009); `closeness` is how alike a block is to the page's title.
    pub fn of(page: &'a Page, closeness: impl Fn(usize) -> f32) -> Outline<'a> {
        let count = page.marks.len();
        let mut sums = vec![Sum::default(); count];
        for block in &page.blocks {
            let sum = &mut sums[block.mark];
            sum.weight += block.weight as f32;
            sum.linked += block.linked.min(block.weight) as f32;
            sum.blocks += 1.0;
            sum.paragraphs += f32::from(u8::from(crate::extract::text::body::is_paragraph(block)));
        }
        for at in (1..count).rev() {
            let (own, parent) = (sums[at], page.marks.get(at).parent);
            let sum = &mut sums[parent];
            sum.weight += own.weight;
            sum.linked += own.linked;
            sum.blocks += own.blocks;
            sum.paragraphs += own.paragraphs;
        }
        for block in page.blocks.iter().filter(|block| block.weight >= VOTER) {
            let commas = block.text.chars().filter(|c| matches!(c, ',' | '，' | '、' | ';' | '；')).count();
            let vote = 1.0 + commas.min(10) as f32 + (block.weight as f32 / 100.0).min(3.0);
            let vote = vote * (1.0 - link_share(block));
            let mark = page.marks.get(block.mark);
            let mut at = if PARAGRAPHS.contains(&mark.name()) { mark.parent } else { block.mark };
            for share in VOTES {
                sums[at].votes += vote * share;
                if at == 0 {
                    break;
                }
                at = page.marks.get(at).parent;
            }
        }
        let score = |at: usize| sums[at].votes * (1.0 - ratio(sums[at].linked, sums[at].weight));
        let mut top = 0;
        for at in 0..count {
            top = if score(at) > score(top) { at } else { top };
        }
        let (mut children, mut beside) = (vec![0; count], HashMap::new());
        for at in (1..count).filter(|at| sums[*at].blocks > 0.0) {
            let mark = page.marks.get(at);
            children[mark.parent] += 1;
            *beside.entry((mark.parent, mark.kind)).or_insert(0) += 1;
        }
        let twins = |at: usize| {
            let mark = page.marks.get(at);
            beside.get(&(mark.parent, mark.kind)).copied().unwrap_or(0)
        };
        let twins = (0..count).map(twins).collect();
        let mut above = vec![None; count];
        let mut at = top;
        for steps in 0..=u8::MAX {
            above[at] = Some(steps);
            if at == 0 {
                break;
            }
            at = page.marks.get(at).parent;
        }
        let headings = page.blocks.iter().enumerate().filter(|(_, block)| block.heading == 1).map(|(at, _)| at);
        let headline = headings.reduce(|best, at| if closeness(at) > closeness(best) { at } else { best });
        let mut around_headline = vec![false; count];
        let mut at = headline.map_or(0, |headline| page.blocks[headline].mark);
        while at != 0 {
            around_headline[at] = true;
            at = page.marks.get(at).parent;
        }
        let articles = (1..count).filter(|at| sums[*at].blocks > 0.0 && page.marks.get(*at).name() == "article");
        let articles: Vec<usize> = articles.collect();
        let has_article = articles.iter().any(|at| around_headline[*at]);
        let heaviest = articles.iter().map(|at| sums[*at].weight).fold(1.0, f32::max);
        Outline { page, sums, children, twins, top, above, around_headline, headline, articles, has_article, heaviest }
    }

    /// The element just below the nearest one that holds the article too, and how far up that one is.
    pub fn branch(&self, block: &Block) -> (usize, usize) {
        let (mut branch, mut at, mut steps) = (block.mark, block.mark, 0);
        while self.above[at].is_none() {
            (branch, at, steps) = (at, self.page.marks.get(at).parent, steps + 1);
        }
        (branch, steps)
    }

    fn score(&self, at: usize) -> f32 {
        self.sums[at].votes * (1.0 - ratio(self.sums[at].linked, self.sums[at].weight))
    }

    /// The features of a block.
    pub fn row(&self, number: usize) -> [f32; COUNT] {
        let block = &self.page.blocks[number];
        let marks = &self.page.marks;
        let most = self.score(self.top) + 1e-6;
        let (branch, below) = self.branch(block);
        let outer = if below == 0 { branch } else { marks.get(branch).parent };
        let above = self.above[outer].unwrap_or(u8::MAX);
        let sum = self.sums[branch];
        let parent = marks.get(block.mark).parent;
        let mut best = 0.0_f32;
        let (mut article, mut articles, mut in_headlines) = (None, 0, false);
        let (mut to_headline, mut steps) = (None, 0);
        let (mut pre, mut side, mut main, mut figure) = (false, false, false, false);
        let mut at = block.mark;
        while at != 0 {
            best = best.max(self.score(at));
            let name = marks.get(at).name();
            if name == "article" {
                article = article.or(Some(at));
                articles += 1;
                in_headlines |= self.around_headline[at];
            }
            pre |= name == "pre";
            side |= matches!(name, "aside" | "nav" | "footer");
            main |= name == "main";
            figure |= name == "figure";
            if self.around_headline[at] && to_headline.is_none() {
                to_headline = Some(steps);
            }
            (at, steps) = (marks.get(at).parent, steps + 1);
        }
        let place = article.and_then(|article| self.articles.binary_search(&article).ok());
        let tell = |known: bool, is: bool| if known { flag(is) } else { -1.0 };
        [
            self.score(block.mark) / most,
            self.score(parent) / most,
            best / most,
            flag(below == 0 || above == 0),
            f32::from(above.min(10)),
            below.min(30) as f32,
            (sum.weight + 1.0).ln(),
            ratio(sum.linked, sum.weight),
            (sum.blocks + 1.0).ln(),
            sum.paragraphs,
            ratio(sum.weight, sum.blocks),
            ratio(sum.weight, self.sums[outer].weight),
            self.score(branch) / most,
            self.twins[branch] as f32,
            self.twins[block.mark] as f32,
            (self.children[outer] as f32 + 1.0).ln(),
            articles as f32,
            place.map_or(-1.0, |place| place as f32),
            self.articles.len() as f32,
            article.map_or(0.0, |article| self.sums[article].weight / self.heaviest),
            tell(self.has_article, in_headlines),
            tell(self.has_article, article.is_some_and(|article| self.around_headline[article])),
            if self.headline.is_some() { to_headline.unwrap_or(steps).min(12) as f32 } else { -1.0 },
            self.headline.map_or(-300.0, |headline| (number as f32 - headline as f32).clamp(-300.0, 600.0)),
            flag(pre),
            flag(side),
            flag(main),
            flag(figure),
        ]
    }
}

fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

fn ratio(part: f32, whole: f32) -> f32 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn link_share(block: &Block) -> f32 {
    ratio(block.linked as f32, block.weight as f32).min(1.0)
}
