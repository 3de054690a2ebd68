//! The judge of blocks: which of them are the article's text.
//!
//! What is measured of a block ([`super::features`], [`super::outline`], [`super::groups`]) and what the marks around it
//! are known for go through a small forest of decision trees, trained by `scripts/train_blocks.py`; its file says on
//! what. A block is kept when it, and the branch of the page it hangs on, are likely enough to be the article's.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::features::{self, Surroundings};
use super::outline::{self, Outline};
use super::{groups, tree::Page};

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
pub(super) struct Seen {
    pub rows: Vec<Vec<f32>>,
    /// For each block, the element of its branch and how far up that hangs.
    pub branches: Vec<(usize, usize)>,
}

/// The names of all features in their order.
pub(super) fn names() -> Vec<String> {
    let fixed = features::NAMES.iter().chain(&outline::NAMES).map(|name| (*name).to_owned());
    let near = groups::names().map(|name| format!("{name}_near"));
    let any = groups::names().map(|name| format!("{name}_any"));
    fixed.chain(near).chain(any).chain(ODDS.iter().map(|name| (*name).to_owned())).collect()
}

/// Measures a page's blocks.
pub(super) fn see(around: &Surroundings<'_>) -> Seen {
    let page = around.page;
    let base = features::rows(around);
    let closeness: Vec<f32> = base.iter().map(|row| row[features::TITLE_OVERLAP]).collect();
    let outline = Outline::of(page, &closeness);
    let mut known: HashMap<usize, [f32; groups::COUNT]> = HashMap::new();
    let rows = base.into_iter().zip(&page.blocks).enumerate().map(|(number, (base, block))| {
        let mut row = base.to_vec();
        row.extend(outline.row(number));
        let (mut near, mut any) = ([0.0; groups::COUNT], [0.0; groups::COUNT]);
        let (mut at, mut steps) = (block.mark, 0);
        while at != 0 {
            let own = known.entry(at).or_insert_with(|| {
                let mut counts = [0.0; groups::COUNT];
                let words = page.marks.get(at).words().skip(1);
                words.for_each(|word| groups::of(&word).iter().for_each(|group| counts[usize::from(*group)] += 1.0));
                counts
            });
            for (group, count) in own.iter().enumerate() {
                near[group] += if steps < 3 { *count } else { 0.0 };
                any[group] += count;
            }
            (at, steps) = (page.marks.get(at).parent, steps + 1);
        }
        row.extend(near);
        row.extend(any);
        row
    });
    let branches = page.blocks.iter().map(|block| outline.branch(block)).collect();
    Seen { rows: rows.collect(), branches }
}

/// The numbers of the blocks that are the article's, in order.
pub(super) fn kept(around: &Surroundings<'_>) -> Vec<usize> {
    let page = around.page;
    let Seen { rows, branches } = see(around);
    let mut odds = Odds { page, known: HashMap::new() };
    let mut rows = rows;
    for ((row, block), branch) in rows.iter_mut().zip(&page.blocks).zip(&branches) {
        row.extend(odds.row(block.mark, *branch));
    }
    let likely = JUDGE.probabilities(&rows);
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

/// What the marks of a page are known for.
struct Odds<'a> {
    page: &'a Page,
    known: HashMap<usize, f32>,
}

impl Odds<'_> {
    fn of(&mut self, at: usize) -> f32 {
        let page = self.page;
        *self.known.entry(at).or_insert_with(|| {
            let odds = page.marks.get(at).words().filter_map(|word| JUDGE.odds.get(word.as_str()).copied());
            let (sum, count) = odds.fold((0.0_f32, 0.0_f32), |(sum, count), odds| (sum + odds, count + 1.0));
            if count > 0.0 { sum / count.sqrt() } else { 0.0 }
        })
    }

    fn row(&mut self, mark: usize, (branch, below): (usize, usize)) -> [f32; ODDS.len()] {
        let mut path = Vec::new();
        let mut at = mark;
        while at != 0 {
            path.push(self.of(at));
            at = self.page.marks.get(at).parent;
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
            self.of(branch),
            self.of(self.page.marks.get(branch).parent),
            least(inner),
            inner.iter().sum(),
            least(&path),
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

    /// How likely the blocks with these features are the article's.
    fn probabilities(&self, rows: &[Vec<f32>]) -> Vec<f32> {
        let mut sums = vec![0.0; rows.len()];
        for tree in &self.trees {
            sums.iter_mut().zip(rows).for_each(|(sum, row)| *sum += answer(tree, row));
        }
        sums.into_iter().map(|sum: f32| 1.0 / (1.0 + (-sum).exp())).collect()
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
