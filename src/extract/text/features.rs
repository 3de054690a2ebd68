//! What can be measured of each text block of a page, for the judge of which blocks are the article ([`crate::extract::text::judge`]).

use std::collections::HashMap;

use crate::extract::meta::facts::Facts;
use crate::extract::page::tree::{Block, Page};

/// How many features a block has.
pub const COUNT: usize = NAMES.len();

/// The features in their order; the training script knows them by these names.
pub const NAMES: [&str; 63] = [
    "weight",
    "link_share",
    "links",
    "words",
    "word_length",
    "ends_sentence",
    "sentences",
    "commas",
    "digit_share",
    "capital_share",
    "symbols",
    "short_label",
    "stressed_share",
    "heading",
    "zone",
    "hidden",
    "in_article",
    "in_form",
    "depth",
    "tag",
    "parent_tag",
    "grandparent_tag",
    "at",
    "weight_before",
    "from_title",
    "is_title",
    "title_overlap",
    "lead_overlap",
    "claimed_text",
    "repeats",
    "siblings",
    "siblings_weight",
    "siblings_link_share",
    "container_weight",
    "container_share",
    "container_link_share",
    "container_blocks",
    "container_paragraphs",
    "in_chosen",
    "outer_share",
    "prev_weight",
    "prev_links",
    "prev_tag",
    "next_weight",
    "next_links",
    "next_tag",
    "prev2_weight",
    "next2_weight",
    "to_paragraph_before",
    "to_paragraph_after",
    "same_container_before",
    "same_container_after",
    "near_weight",
    "near_links",
    "page_blocks",
    "page_weight",
    "page_links",
    "east",
    "year",
    "at_sign",
    "colon_end",
    "own_share",
    "by_rule",
];

/// What is known of the page as a whole.
pub struct Surroundings<'a> {
    pub page: &'a Page,
    pub facts: &'a Facts,
    /// The container that a rule of thumb takes for the article, and the first behind it.
    pub chosen: std::ops::Range<usize>,
    /// The blocks that it keeps, in order.
    pub kept: &'a [usize],
}

/// The blocks of a page, ready to be measured.
pub struct Features<'a> {
    around: &'a Surroundings<'a>,
    containers: Containers,
    siblings: Vec<Sum>,
    /// What comes before each block.
    weights_before: Vec<usize>,
    total: usize,
    linked: usize,
    title_at: usize,
    /// The text of the first heading of the first rank.
    heading: Option<&'a str>,
    title: Shingles,
    lead: Shingles,
    claimed: Option<Shingles>,
    times: HashMap<&'a str, u32>,
    /// For each block, the nearest paragraphs.
    before: Vec<Option<usize>>,
    after: Vec<Option<usize>>,
    /// What [`TAGS`] says of each kind of mark.
    tags: Vec<f32>,
}

impl<'a> Features<'a> {
    pub fn of(around: &'a Surroundings<'a>) -> Features<'a> {
        let page = around.page;
        let blocks = &page.blocks;
        let title_at = blocks.iter().position(|block| block.heading == 1).unwrap_or(0);
        let heading = blocks.get(title_at).filter(|block| block.heading == 1).map(|block| block.text.as_str());
        let lead = page.meta("og:description").chain(page.meta("description")).next().unwrap_or_default();
        let mut times: HashMap<&str, u32> = HashMap::new();
        blocks.iter().for_each(|block| *times.entry(block.text.as_str()).or_default() += 1);
        let (before, after) = paragraphs_near(blocks);
        let weights_before = blocks.iter().scan(0, |sum, block| Some(std::mem::replace(sum, *sum + block.weight)));
        Features {
            around,
            containers: Containers::of(page),
            siblings: siblings(page),
            weights_before: weights_before.collect(),
            total: blocks.iter().map(|block| block.weight).sum::<usize>().max(1),
            linked: blocks.iter().map(|block| block.linked).sum(),
            title_at,
            heading,
            title: Shingles::of(page.title.as_deref().unwrap_or_default(), 1),
            lead: Shingles::of(lead, 3),
            claimed: around.facts.text.as_deref().map(|text| Shingles::of(text, 4)),
            times,
            before,
            after,
            tags: page.marks.names().map(tag).collect(),
        }
    }

    /// How alike a block is to the page's title.
    pub fn closeness(&self, number: usize) -> f32 {
        self.title.overlap(&tokens(&self.around.page.blocks[number].text))
    }

    /// The features of a block.
    pub fn row(&self, at: usize) -> [f32; COUNT] {
        let Features { around, containers, before, after, .. } = self;
        let (page, total) = (around.page, self.total);
        let blocks = &page.blocks;
        let block = &blocks[at];
        let (text, words) = (Text::of(&block.text), tokens(&block.text));
        let near = |by: isize| at.checked_add_signed(by).and_then(|at| blocks.get(at));
        let tag = |mark: usize| self.tags[page.marks.get(mark).kind];
        let weight_of = |by| near(by).map_or(0.0, |block| log(block.weight));
        let links_of = |by| near(by).map_or(0.0, link_share);
        let tag_of = |by: isize| near(by).map_or(0.0, |block| tag(block.mark));
        let own = &containers.inside[block.container];
        let kin = &self.siblings[page.marks.get(block.mark).parent];
        let window = blocks[at.saturating_sub(4)..blocks.len().min(at + 5)].iter();
        let (near_weight, near_linked) =
            window.fold((0, 0), |(weight, linked), one| (weight + one.weight, linked + one.linked));
        let mark = page.marks.get(block.mark);
        let outer = page.marks.get(mark.parent);
        let same = |other: Option<usize>| other.is_some_and(|other| blocks[other].container == block.container);
        [
            log(block.weight),
            link_share(block),
            log(block.links),
            log(text.words),
            text.word_length(),
            flag(text.ends_sentence),
            log(text.sentences),
            log(text.commas),
            text.share(text.digits),
            text.share(text.capitals),
            text.share(text.symbols),
            flag(text.words <= 3 && !text.ends_sentence),
            share(block.stressed, block.weight),
            f32::from(block.heading),
            f32::from(block.zone as u8),
            flag(block.hidden),
            flag(block.article),
            flag(block.form.is_some()),
            mark.depth.min(60) as f32,
            tag(block.mark),
            tag(mark.parent),
            tag(outer.parent),
            share(at, blocks.len()),
            share(self.weights_before[at], total),
            (at as f32 - self.title_at as f32).clamp(-200.0, 400.0),
            flag(self.heading == Some(block.text.as_str()) || page.title.as_deref() == Some(block.text.as_str())),
            self.title.overlap(&words),
            self.lead.overlap(&words),
            self.claimed.as_ref().map_or(-1.0, |claimed| claimed.overlap(&words)),
            self.times.get(block.text.as_str()).map_or(1.0, |times| *times as f32).min(10.0),
            log(kin.blocks),
            log(kin.weight),
            share(kin.linked, kin.weight),
            log(own.weight),
            share(own.weight, total),
            share(own.linked, own.weight),
            log(own.blocks),
            log(own.paragraphs),
            flag(around.chosen.contains(&block.container)),
            share(containers.outer(block.container), total),
            weight_of(-1),
            links_of(-1),
            tag_of(-1),
            weight_of(1),
            links_of(1),
            tag_of(1),
            weight_of(-2),
            weight_of(2),
            before[at].map_or(50.0, |other| (at - other) as f32).min(50.0),
            after[at].map_or(50.0, |other| (other - at) as f32).min(50.0),
            flag(same(before[at])),
            flag(same(after[at])),
            log(near_weight),
            share(near_linked, near_weight),
            log(blocks.len()),
            log(total),
            share(self.linked, total),
            flag(text.east * 2 > text.letters),
            flag(text.year),
            flag(block.text.contains('@')),
            flag(block.text.ends_with([':', '：'])),
            share(block.weight, own.weight),
            flag(around.kept.binary_search(&at).is_ok()),
        ]
    }
}

fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

fn log(value: usize) -> f32 {
    (value as f32 + 1.0).ln()
}

fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

fn link_share(block: &Block) -> f32 {
    share(block.linked, block.weight).min(1.0)
}

/// What is counted of the letters of a text.
#[derive(Default)]
struct Text {
    letters: usize,
    words: usize,
    sentences: usize,
    commas: usize,
    digits: usize,
    capitals: usize,
    symbols: usize,
    east: usize,
    ends_sentence: bool,
    year: bool,
}

impl Text {
    fn of(text: &str) -> Text {
        let mut counted = Text::default();
        let (mut in_word, mut run) = (false, 0);
        for c in text.chars() {
            let is_east = c >= '\u{2e80}' && c.is_alphabetic();
            let starts = c.is_alphanumeric() && (!in_word || is_east);
            counted.words += usize::from(starts);
            counted.capitals += usize::from(starts && c.is_uppercase());
            in_word = c.is_alphanumeric() && !is_east;
            counted.letters += usize::from(c.is_alphanumeric());
            counted.east += usize::from(is_east);
            run = if c.is_ascii_digit() { run + 1 } else { 0 };
            counted.digits += usize::from(c.is_ascii_digit());
            counted.year |= run == 4;
            match c {
                '.' | '!' | '?' | '。' | '！' | '？' | '…' | '।' | '؟' => counted.sentences += 1,
                ',' | '，' | '、' | ';' | '；' => counted.commas += 1,
                '|' | '©' | '»' | '«' | '›' | '·' | '•' | '/' | '→' | '#' | '@' | '_' | '>' | '+' => {
                    counted.symbols += 1;
                }
                _ => {}
            }
        }
        let end = text.trim_end_matches(['"', '”', '’', '\'', ')', '」', '』', '»', '“', '）']);
        counted.ends_sentence = end.ends_with(['.', '!', '?', '。', '！', '？', '…', '।', '؟']);
        counted
    }

    fn share(&self, part: usize) -> f32 {
        share(part, self.letters.max(part))
    }

    fn word_length(&self) -> f32 {
        share(self.letters, self.words).min(20.0)
    }
}

/// Sums over the blocks inside something.
#[derive(Clone, Copy, Default)]
struct Sum {
    weight: usize,
    linked: usize,
    blocks: usize,
    paragraphs: usize,
}

impl Sum {
    fn add(&mut self, block: &Block) {
        self.weight += block.weight;
        self.linked += block.linked;
        self.blocks += 1;
        self.paragraphs += usize::from(crate::extract::text::body::is_paragraph(block));
    }

    fn and(&mut self, other: Sum) {
        self.weight += other.weight;
        self.linked += other.linked;
        self.blocks += other.blocks;
        self.paragraphs += other.paragraphs;
    }
}

/// Sums over the blocks of each container, those of the containers in it included.
struct Containers {
    inside: Vec<Sum>,
    parent: Vec<usize>,
}

impl Containers {
    fn of(page: &Page) -> Containers {
        let count = page.containers.len();
        let mut inside = vec![Sum::default(); count];
        page.blocks.iter().for_each(|block| inside[block.container].add(block));
        let mut parent = vec![0; count];
        let mut open: Vec<usize> = Vec::new();
        for (at, parent) in parent.iter_mut().enumerate() {
            while open.last().is_some_and(|outer| page.containers[*outer].end <= at) {
                open.pop();
            }
            *parent = open.last().copied().unwrap_or(0);
            open.push(at);
        }
        for at in (1..count).rev() {
            let own = inside[at];
            inside[parent[at]].and(own);
        }
        Containers { inside, parent }
    }

    /// The weight in the container around the one around this one.
    fn outer(&self, container: usize) -> usize {
        self.inside[self.parent[self.parent[container]]].weight
    }
}

/// For each element, the sums over the blocks that are its children.
fn siblings(page: &Page) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); page.marks.len()];
    page.blocks.iter().for_each(|block| sums[page.marks.get(block.mark).parent].add(block));
    sums
}

/// For each block, the nearest paragraph before and behind it.
fn paragraphs_near(blocks: &[Block]) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
    let (mut before, mut after) = (vec![None; blocks.len()], vec![None; blocks.len()]);
    let mut last = None;
    for (at, block) in blocks.iter().enumerate() {
        before[at] = last;
        last = if crate::extract::text::body::is_paragraph(block) { Some(at) } else { last };
    }
    last = None;
    for (at, block) in blocks.iter().enumerate().rev() {
        after[at] = last;
        last = if crate::extract::text::body::is_paragraph(block) { Some(at) } else { last };
    }
    (before, after)
}

/// Elements in groups that mean the same to a text; what is not listed is another one.
const TAGS: [&str; 18] = [
    "p",
    "li",
    "div",
    "td",
    "h2",
    "h3",
    "h4",
    "blockquote",
    "figcaption",
    "pre",
    "section",
    "article",
    "ul",
    "ol",
    "figure",
    "h1",
    "dd",
    "span",
];

fn tag(name: &str) -> f32 {
    TAGS.iter().position(|one| *one == name).map_or(0.0, |at| (at + 1) as f32)
}

/// The hashes of every run of so many words (or letters of the East) in a text.
struct Shingles {
    length: usize,
    /// In order, each once.
    hashes: Vec<u64>,
}

impl Shingles {
    fn of(text: &str, length: usize) -> Shingles {
        let mut hashes: Vec<u64> = hashes(&tokens(text), length).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Shingles { length, hashes }
    }

    /// The share of the shingles of some words that are among these.
    fn overlap(&self, words: &[u64]) -> f32 {
        if self.hashes.is_empty() {
            return 0.0;
        }
        let (mut all, mut both) = (0, 0);
        for hash in hashes(words, self.length) {
            all += 1;
            both += usize::from(self.hashes.binary_search(&hash).is_ok());
        }
        share(both, all)
    }
}

fn hashes(words: &[u64], length: usize) -> impl Iterator<Item = u64> {
    words.windows(length).map(|words| words.iter().fold(0, |hash, word| mixed(hash ^ word)))
}

/// Spreads the bits of a number (the multiplier of FNV-1a, and the upper half folded into the lower).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    number ^ (number >> 32)
}

/// Words in lower case, each letter of the East by itself, hashed.
fn tokens(text: &str) -> Vec<u64> {
    let mut tokens = Vec::new();
    let mut word = 0;
    for c in text.chars().chain([' ']) {
        let is_east = c >= '\u{2e80}' && c.is_alphabetic();
        if !c.is_alphanumeric() || is_east {
            if word != 0 {
                tokens.push(std::mem::take(&mut word));
            }
            if is_east {
                tokens.push(u64::from(u32::from(c)));
            }
        } else {
            word = c.to_lowercase().fold(word, |word, c| mixed(word ^ u64::from(u32::from(c)).wrapping_add(1)));
        }
    }
    tokens
}
