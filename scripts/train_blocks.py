#!/usr/bin/env python3
"""Trains the judge of blocks: writes src/extract/text/judge.txt.

    cargo bench --bench sights -- FOLDER… > sights.jsonl
    scripts/train_blocks.py sights.jsonl FOLDER… [--write src/extract/text/judge.txt] [--folds 5]

FOLDER holds html/ID.html and truth.jsonl, as for bench_extract.py. A block is the article's by the share of its 4-gram
shingles that are in the true text. Pages weigh the same, blocks in a page by their words. With --folds the pages of one
domain are judged by a forest that has seen none of them, and what that is worth is printed. Needs numpy and lightgbm.
"""

import argparse
import collections
import hashlib
import json
import math

import lightgbm
import numpy

from bench_extract import TOKEN, shingles

# Sets whose truth is another tool's output: they count less, and not in what is printed.
TOOLS = {"readab", "np4k"}
# A word says something when it stands on pages of so many domains.
DOMAINS = 4
# The share of text that is an article's, and how many domains that belief is worth.
PRIOR, BELIEF = 0.35, 2.0
LEAST = 0.25
NEAR = 8
OWN, ENOUGH = 0.6, 0.45
PARAMETERS = {
    "objective": "cross_entropy", "learning_rate": 0.08, "num_leaves": 15, "min_data_in_leaf": 100,
    "feature_fraction": 0.5, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5, "max_bin": 127,
    "verbose": -1, "num_threads": 2, "seed": 1, "deterministic": True,
}
ROUNDS = 160


def load(sights, folders):
    truths = {}
    for folder in folders:
        with open(f"{folder}/truth.jsonl", encoding="utf-8") as lines:
            truths.update((page["id"], page) for page in map(json.loads, lines))
    pages = []
    with open(sights, encoding="utf-8") as lines:
        names = json.loads(next(lines))["features"]
        for page in map(json.loads, lines):
            known = truths.get(page["id"])
            if known and known["truth"].get("text") is not None and page["blocks"]:
                page.update(domain=known["domain"], set=known["set"], truth=known["truth"]["text"])
                label(page)
                pages.append(page)
    return names, pages


def label(page):
    """How far each block is the article's, and what it weighs."""
    tokens = [TOKEN.findall(block[0].lower()) for block in page["blocks"]]
    true = TOKEN.findall(page["truth"].lower())
    grams = set(zip(*(true[at:] for at in range(4))))
    flat = f" {' '.join(true)} "
    lines = {" ".join(TOKEN.findall(line.lower())) for line in page["truth"].split("\n")}
    share = numpy.zeros(len(tokens))
    unsure = []
    for at, words in enumerate(tokens):
        if len(words) >= 6:
            found = [tuple(words[k:k + 4]) in grams for k in range(len(words) - 3)]
            share[at] = sum(found) / len(found)
        elif words and " ".join(words) in lines:
            share[at] = 0.9
        elif words and f" {' '.join(words)} " in flat:
            unsure.append(at)
    sure = [at for at in range(len(tokens)) if share[at] > 0.5 and len(tokens[at]) >= 6]
    first, last = (sure[0], sure[-1]) if sure else (0, -1)
    for at in unsure:
        near = lambda places: any(share[k] > 0.5 for k in places)
        inside = near(range(max(0, at - 3), at)) and near(range(at + 1, min(len(tokens), at + 4)))
        share[at] = 0.8 if inside else 0.0
    for at, words in enumerate(tokens):
        if len(words) < 6 and not first - 3 <= at <= last + 3:
            share[at] = 0.0
    alike = collections.defaultdict(list)
    for at, words in enumerate(tokens):
        if share[at] > 0.5:
            alike[" ".join(words)].append(at)
    for text, places in alike.items():
        # A headline that stands in a teaser too: the place with more of the article around it counts.
        spare = len(places) - max(1, flat.count(f" {text} "))
        around = lambda at: sum(share[k] * min(len(tokens[k]), 50)
                                for k in range(max(0, at - 6), min(len(tokens), at + 7)) if k not in places)
        for at in sorted(places, key=around)[:max(0, spare)]:
            share[at] = 0.0
    page["want"] = shingles(page["truth"])
    page["share"] = share
    page["words"] = numpy.array([len(words) for words in tokens])
    whole = max(60, sum(page["want"].values()))
    page["weight"] = (numpy.minimum(page["words"], whole) + 2.0) / whole * (0.3 if page["set"] in TOOLS else 1.0)


class Odds:
    """What words of marks are known for; a page is judged without what its own domain says."""

    def __init__(self, pages):
        counts = collections.defaultdict(lambda: collections.defaultdict(lambda: [0.0, 0.0]))
        for page in pages:
            for block, share, words in zip(page["blocks"], page["share"], page["words"]):
                weight = min(words, 60) + 1
                for word in {word for mark in block[2][:NEAR] for word in mark}:
                    count = counts[word][page["domain"]]
                    count[0] += weight * share
                    count[1] += weight * (1 - share)
        self.words = {word: {domain: yes / (yes + no) for domain, (yes, no) in domains.items()}
                      for word, domains in counts.items() if len(domains) >= DOMAINS}
        self.known = {}

    def of(self, word, domain=None):
        domains = self.words.get(word)
        if domains is None:
            return None
        key = (word, domain if domain in domains else None)
        if key not in self.known:
            shares = [share for one, share in domains.items() if one != domain]
            rate = (sum(shares) + BELIEF * PRIOR) / (len(shares) + BELIEF)
            odds = math.log(rate / (1 - rate)) - math.log(PRIOR / (1 - PRIOR))
            self.known[key] = odds if len(shares) >= DOMAINS and abs(odds) > LEAST else None
        return self.known[key]

    def rows(self, page):
        """The features that judge.rs calls ODDS, in that order."""
        of_mark = {}

        def mark(words):
            key = tuple(words)
            if key not in of_mark:
                odds = [odds for odds in (self.of(word, page["domain"]) for word in words) if odds is not None]
                of_mark[key] = sum(odds) / math.sqrt(len(odds)) if odds else 0.0
            return of_mark[key]

        rows = []
        for _, _, marks, (branch, below) in page["blocks"]:
            path = [mark(words) for words in marks]
            get = lambda at: path[at] if at < len(path) else 0.0
            near, inner = path[:NEAR], path[:below]
            rows.append([get(0), get(1), get(2), min(near, default=0.0), max(near, default=0.0), sum(near),
                         sum(path[:3]), get(branch), get(branch + 1), min(inner, default=0.0), sum(inner),
                         min(path, default=0.0)])
        return rows


def matrix(page, odds):
    return numpy.hstack([numpy.array([block[1] for block in page["blocks"]], dtype=numpy.float32),
                         numpy.array(odds.rows(page), dtype=numpy.float32)])


def train(pages):
    odds = Odds(pages)
    rows = numpy.vstack([matrix(page, odds) for page in pages])
    shares = numpy.concatenate([page["share"] for page in pages])
    weights = numpy.concatenate([page["weight"] for page in pages])
    return odds, lightgbm.train(PARAMETERS, lightgbm.Dataset(rows, shares, weight=weights), ROUNDS)


def judged(page, odds, forest):
    likely = forest.predict(matrix(page, odds))
    # Branches are told apart by what is known of them here: their marks and those above.
    keys = [tuple(map(tuple, block[2][block[3][0]:])) for block in page["blocks"]]
    sums = collections.defaultdict(lambda: [0.0, 0.0])
    for key, one, words in zip(keys, likely, page["words"]):
        sums[key][0] += one * (words + 1)
        sums[key][1] += words + 1
    branch = numpy.array([sums[key][0] / sums[key][1] for key in keys])
    return OWN * likely + (1 - OWN) * branch > ENOUGH


def worth(page, kept):
    found = shingles("\n".join(block[0] for block, is_kept in zip(page["blocks"], kept) if is_kept))
    both = sum((found & page["want"]).values())
    return both / max(1, sum(found.values())), both / max(1, sum(page["want"].values()))


def report(name, worths):
    precision, recall = numpy.mean(worths, axis=0)
    print(f"{name}: {len(worths)} pages, F1 {2 * precision * recall / (precision + recall):.4f}, "
          f"precision {precision:.4f}, recall {recall:.4f}")


def fold_of(domain, folds):
    return int(hashlib.md5(domain.encode()).hexdigest(), 16) % folds


def check(pages, folds):
    worths = []
    for fold in range(folds):
        odds, forest = train([page for page in pages if fold_of(page["domain"], folds) != fold])
        held = [page for page in pages if fold_of(page["domain"], folds) == fold]
        worths += [(page, worth(page, judged(page, odds, forest))) for page in held]
    for name in sorted({page["set"] for page in pages}):
        report(f"  {name}", [one for page, one in worths if page["set"] == name])
    report("short", [one for page, one in worths if page["set"] not in TOOLS and len(page["truth"]) < 1500])
    report("held out", [one for page, one in worths if page["set"] not in TOOLS])


def write(path, names, pages, odds, forest):
    domains = len({page["domain"] for page in pages})
    lines = [
        "# The judge of blocks (src/extract/text/judge.rs), written by scripts/train_blocks.py.",
        f"# Trained on {len(pages)} article pages of {domains} domains, labelled by hand or by site templates in the",
        "# published test data of other projects (article-extraction-benchmark, fundus, newspaper4k, Readability,",
        "# web-content-extraction-benchmark) and on Chinese, Japanese and Korean pages labelled for this project.",
        "# It holds no text of theirs: counts over words of class names, and limits of measures.",
    ]
    for word in sorted(odds.words):
        value = odds.of(word)
        if value is not None:
            lines.append(f"odds {word} {value:.2f}")
    for tree in forest.dump_model()["tree_info"]:
        lines.append("tree")
        lines += nodes(tree["tree_structure"])
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    print(f"{path}: {len(lines)} lines, {len(names)} features")


def nodes(tree):
    """The nodes of a tree, a line each, the root first."""
    lines = []

    def add(node):
        at = len(lines)
        lines.append("")
        if "leaf_value" in node:
            lines[at] = f"{node['leaf_value']:.4g}"
        else:
            # The left child is the next line.
            add(node["left_child"])
            high = add(node["right_child"])
            lines[at] = f"{node['split_feature']} {node['threshold']:.6g} {high}"
        return at

    add(tree)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sights")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--write")
    parser.add_argument("--folds", type=int, default=0)
    args = parser.parse_args()
    names, pages = load(args.sights, args.folders)
    if args.folds:
        check(pages, args.folds)
    if args.write:
        odds, forest = train(pages)
        write(args.write, names, pages, odds, forest)


if __name__ == "__main__":
    main()
