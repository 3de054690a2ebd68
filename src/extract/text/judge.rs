//! The judge of blocks: which of them are the article's text.
//!
//! What is measured of a block ([`crate::extract::text::features`], [`crate::extract::text::outline`], [`crate::extract::text::groups`]) and what the marks around it
//! are known for go through a small forest of decision trees, trained by `scripts/train_blocks.py`; its file says on
//! what. A block is kept when it, and the branch of the page it hangs on, are likely enough to be the article's.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::extract::page::tree::Page;
use crate::extract::text::features::{self, Features, Surroundings};
use crate::extract::text::groups;
use crate::extract::text::outline::{self, Outline};

/// The trees and what words of marks are known for.
const WEIGHTS: &str = include_str!("judge.txt");

/// What is looked at of the marks around a block besides the groups.
const ODDS: [&str; 12] = [
    "odds_own",
    "odds_parent",
    "odds_outer",
    "odds_least",
    "odds_most",
    "odds_sum",
    "odds_near",
    "odds_branch",
    "odds_branch_outer",
    "odds_inner_least",
    "odds_inner_sum",
    "odds_all_least",
];

/// Marks above this many are too far away to say something of a block together.
const NEAR: usize = 8;

/// How much a block speaks for itself; the rest is said by the branch it hangs on.
const OWN: f32 = 0.6;
/// Likely enough.
const ENOUGH: f32 = 0.45;

/// A page of more blocks is no article, but a table or a trap.
const MOST: usize = 20_000;
/// So many blocks are judged at once: their features fit into a near cache.
const SLICE: usize = 128;

/// The forest.
struct Judge {
    /// For words of marks, the logarithm of the odds that text below them is the article's, against that of any text.
    odds: HashMap<&'static str, f32>,
    trees: Vec<Vec<Node>>,
}

/// A question, or an answer. Small, so that a tree stays in the nearest cache while it judges all blocks of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    /// At most `limit`: go on at the next node, else at `high`.
    Ask {
        feature: u16,
        high: u16,
        limit: f32,
    },
    Say(f32),
}

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    // The file is part of the program, and a test reads it.
    Judge::read(WEIGHTS).expect("the judge's file can be read")
});

/// What the judge sees of a page's blocks, without the odds: the names are [`names`] up to those.
pub struct Seen {
    pub rows: Vec<Vec<f32>>,
    /// For each block, the element of its branch and how far up that hangs.
    pub branches: Vec<(usize, usize)>,
}

/// The names of all features in their order.
pub fn names() -> Vec<String> {
    let fixed = features::NAMES.iter().chain(&outline::NAMES).map(|name| (*name).to_owned());
    let near = groups::names().map(|name| format!("{name}_near"));
    let any = groups::names().map(|name| format!("{name}_any"));
    fixed.chain(near).chain(any).chain(ODDS.iter().map(|name| (*name).to_owned())).collect()
}

/// Measures a page's blocks.
pub fn see(around: &Surroundings<'_>) -> Seen {
    let measures = Measures::of(around);
    let numbers = 0..around.page.blocks.len();
    let row = |number| {
        let mut row = Vec::new();
        measures.row(number, &mut row);
        row
    };
    let branches = around.page.blocks.iter().map(|block| measures.outline.branch(block)).collect();
    Seen { rows: numbers.map(row).collect(), branches }
}

/// The numbers of the blocks that are the article's, in order; none of a page of too many.
pub fn kept(around: &Surroundings<'_>) -> Vec<usize> {
    let page = around.page;
    if page.blocks.len() > MOST {
        return Vec::new();
    }
    let measures = Measures::of(around);
    let mut odds = Odds::of(page);
    let branches: Vec<(usize, usize)> = page.blocks.iter().map(|block| measures.outline.branch(block)).collect();
    let mut likely = Vec::with_capacity(page.blocks.len());
    let mut rows = Vec::new();
    for slice in (0..page.blocks.len()).step_by(SLICE) {
        let slice = slice..page.blocks.len().min(slice + SLICE);
        rows.clear();
        for number in slice.clone() {
            measures.row(number, &mut rows);
            rows.extend(odds.row(page.blocks[number].mark, branches[number]));
        }
        likely.extend(JUDGE.probabilities(&rows, slice.len()));
    }
    // A branch is as likely as the text on it.
    let mut sums: HashMap<usize, (f32, f32)> = HashMap::new();
    for ((block, likely), (branch, _)) in page.blocks.iter().zip(&likely).zip(&branches) {
        let weight = block.weight as f32 + 1.0;
        let sum = sums.entry(*branch).or_default();
        *sum = (sum.0 + weight * likely, sum.1 + weight);
    }
    let branch = |at: usize| sums.get(&branches[at].0).map_or(0.0, |(sum, weight)| sum / weight);
    (0..likely.len()).filter(|at| OWN * likely[*at] + (1.0 - OWN) * branch(*at) > ENOUGH).collect()
}

/// Everything that is measured of blocks but the odds.
struct Measures<'a> {
    page: &'a Page,
    features: Features<'a>,
    outline: Outline<'a>,
    /// How many words of each group a kind of mark has.
    groups: Vec<[f32; groups::COUNT]>,
}

impl<'a> Measures<'a> {
    fn of(around: &'a Surroundings<'a>) -> Measures<'a> {
        let page = around.page;
        let features = Features::of(around);
        let outline = Outline::of(page, |number| features.closeness(number));
        let groups = page.marks.kinds().map(|words| {
            let mut counts = [0.0; groups::COUNT];
            // The first one is the element's name.
            let groups = words.skip(1).flat_map(groups::of);
            groups.for_each(|group| counts[usize::from(*group)] += 1.0);
            counts
        });
        let groups = groups.collect();
        Measures { page, features, outline, groups }
    }

    /// Adds the features of a block.
    fn row(&self, number: usize, rows: &mut Vec<f32>) {
        rows.extend(self.features.row(number));
        rows.extend(self.outline.row(number));
        let (mut near, mut any) = ([0.0; groups::COUNT], [0.0; groups::COUNT]);
        let (mut at, mut steps) = (self.page.blocks[number].mark, 0);
        while at != 0 {
            let mark = self.page.marks.get(at);
            for (group, count) in self.groups[mark.kind].iter().enumerate() {
                near[group] += if steps < 3 { *count } else { 0.0 };
                any[group] += count;
            }
            (at, steps) = (mark.parent, steps + 1);
        }
        rows.extend(near);
        rows.extend(any);
    }
}

/// What the marks of a page are known for.
struct Odds<'a> {
    page: &'a Page,
    /// By the kind of mark.
    known: Vec<f32>,
    /// Those of the block at hand and of what is around it; its room is used again.
    path: Vec<f32>,
}

impl Odds<'_> {
    fn of(page: &Page) -> Odds<'_> {
        let known = page.marks.kinds().map(|words| {
            let odds = words.filter_map(|word| JUDGE.odds.get(word).copied());
            let (sum, count) = odds.fold((0.0_f32, 0.0_f32), |(sum, count), odds| (sum + odds, count + 1.0));
            if count > 0.0 { sum / count.sqrt() } else { 0.0 }
        });
        Odds { page, known: known.collect(), path: Vec::new() }
    }

    fn row(&mut self, mark: usize, (branch, below): (usize, usize)) -> [f32; ODDS.len()] {
        let Odds { page, known, path } = self;
        let marks = &page.marks;
        let of = |at: usize| known[marks.get(at).kind];
        path.clear();
        let mut at = mark;
        while at != 0 {
            path.push(of(at));
            at = marks.get(at).parent;
        }
        let get = |at: usize| path.get(at).copied().unwrap_or(0.0);
        let near = &path[..path.len().min(NEAR)];
        let inner = &path[..path.len().min(below)];
        let least = |odds: &[f32]| odds.iter().copied().reduce(f32::min).unwrap_or(0.0);
        [
            get(0),
            get(1),
            get(2),
            least(near),
            near.iter().copied().reduce(f32::max).unwrap_or(0.0),
            near.iter().sum(),
            path.iter().take(3).sum(),
            of(branch),
            of(marks.get(branch).parent),
            least(inner),
            inner.iter().sum(),
            least(path),
        ]
    }
}

impl Judge {
    /// Reads the file: comments, `odds WORD VALUE`, and trees, a line a node: `FEATURE LIMIT HIGH` or one value.
    fn read(text: &'static str) -> Option<Judge> {
        let mut judge = Judge { odds: HashMap::new(), trees: Vec::new() };
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words[..] {
                ["odds", word, value] => _ = judge.odds.insert(word, value.parse().ok()?),
                ["tree"] => judge.trees.push(Vec::new()),
                [value] => judge.trees.last_mut()?.push(Node::Say(value.parse().ok()?)),
                [feature, limit, high] => judge.trees.last_mut()?.push(Node::Ask {
                    feature: feature.parse().ok()?,
                    limit: limit.parse().ok()?,
                    high: high.parse().ok()?,
                }),
                _ => return None,
            }
        }
        Some(judge)
    }

    /// How likely so many blocks with these features, one after the other, are the article's.
    fn probabilities(&self, rows: &[f32], count: usize) -> impl Iterator<Item = f32> {
        let mut sums = vec![0.0; count];
        for tree in &self.trees {
            let rows = rows.chunks_exact(rows.len() / count);
            sums.iter_mut().zip(rows).for_each(|(sum, row)| *sum += answer(tree, row));
        }
        sums.into_iter().map(|sum: f32| 1.0 / (1.0 + (-sum).exp()))
    }
}

fn answer(tree: &[Node], row: &[f32]) -> f32 {
    let mut at = 0;
    loop {
        match tree[at] {
            Node::Say(value) => return value,
            Node::Ask { feature, high, limit } => {
                at = if row[usize::from(feature)] <= limit { at + 1 } else { usize::from(high) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_judge_asks_for_what_is_measured() {
        assert!(!JUDGE.trees.is_empty() && !JUDGE.odds.is_empty());
        let features = names().len();
        for tree in &JUDGE.trees {
            for (at, node) in tree.iter().enumerate() {
                if let Node::Ask { feature, high, .. } = node {
                    assert!(usize::from(*feature) < features, "feature {feature} of {features}");
                    assert!((at + 1..tree.len()).contains(&usize::from(*high)), "every way ends");
                }
            }
        }
    }

    #[test]
    fn a_broken_file_is_refused() {
        for text in ["odds x", "1.0", "tree\n1 2 3 4", "tree\n1 a 2"] {
            assert!(Judge::read(text).is_none(), "{text}");
        }
    }
}
