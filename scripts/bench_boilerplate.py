#!/usr/bin/env python3
"""Measures what the pages of one host teach about each other: text F1 with and without `pressmark extract --learn`.

    scripts/bench_boilerplate.py [--pressmark FILE]

The pages are made here, in memory of kinds of boilerplate that stand inside the text of articles, where no single page
shows that they are not the article's: a box for a newsletter, words about the author, a legal notice, a list of what
others read, all of these; and two hosts where nothing may be left out: one without boilerplate, and one whose reports
say the same background again in one of six. Each page's text is known. F1 is that of 4-gram shingles of words, as in
scripts/bench_extract.py; precision and recall are averages over pages.
"""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile

PAGES = 24

NAMES = "Ada Bea Cleo Dora Emil Finn Gus Hal Ida Jon Kim Lea Max Nora Otto Pia Quin Rosa Sam Tilda Udo Vera Will Yara".split()
PLACES = "quay mill lock weir bridge market ferry school island harbour tower depot orchard chapel ditch meadow".split()
DEEDS = "measured repaired sold painted flooded opened counted closed moved mended drew lost found lit weighed".split()
TIMES = "at dawn|before noon|in the rain|on Sunday|last spring|in a storm|after dark|for a year|twice|in silence".split("|")

BOX = "Get the ten best stories of the week in your mail every Friday, free of charge and without a catch."
ABOUT = (
    "{name} has written about rivers and the people beside them since 1998, and lives near the old lock with two dogs.",
    "Send {name} your questions about the river, and the best of them will be answered in the paper next month.",
)
NOTICE = (
    "All figures are given without warranty, and no report in this paper is advice on buying land near the water.",
    "Reprints of this report are allowed for schools and associations that name the paper and send us a copy.",
)
BACKGROUND = "The dam was built in 1962, and since then the village below it has been flooded three times, worst in 1987."
READ = ("What others read", "The ferry that never came back", "Nine ways to dry a cellar", "How the mill got its clock")

# What a host has beside the text: before its last paragraph, and behind it.
HOSTS = {
    "newsletter": ([BOX], []),
    "author": ([], [line.format(name="Nora Finch") for line in ABOUT]),
    "legal": ([], list(NOTICE)),
    "read-more": ([READ[0], *READ[1:]], []),
    "everything": ([BOX], [line.format(name="Otto Lind") for line in ABOUT] + list(NOTICE)),
    "nothing": ([], []),
    "background": ([], []),
}


def sentence(chance):
    first, second = chance.sample(NAMES, 2)
    here, there = chance.sample(PLACES, 2)
    return (
        f"{first} {chance.choice(DEEDS)} the {here} {chance.choice(TIMES)}, and {second} said of the {there} that "
        f"{chance.randrange(2, 99)} of them had been {chance.choice(DEEDS)} {chance.choice(TIMES)}."
    )


def page(host, number, chance):
    """HTML and the text that is the article's."""
    own = [" ".join(sentence(chance) for _ in range(chance.randrange(2, 5))) for _ in range(chance.randrange(4, 8))]
    if host == "background" and number % 6 == 0:
        own.insert(2, BACKGROUND)
    before, behind = HOSTS[host]
    lines = own[:-1] + before + own[-1:] + behind
    title = f"{chance.choice(NAMES)} and the {chance.choice(PLACES)}, part {number}"
    body = "".join(f"<p>{line}</p>" for line in lines)
    date = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}"
    html = f"<!doctype html><title>{title}</title><article><h1>{title}</h1><time>{date}</time>{body}</article>"
    return html, "\n".join(own)


def shingles(text):
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return {tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3))}


def score(pairs):
    precision = recall = 0
    for found, truth in pairs:
        found, truth = shingles(found), shingles(truth)
        precision += len(found & truth) / max(1, len(found))
        recall += len(found & truth) / max(1, len(truth))
    precision, recall = precision / len(pairs), recall / len(pairs)
    return 2 * precision * recall / max(1e-9, precision + recall), precision, recall


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pressmark", default="target/release/pressmark")
    pressmark = parser.parse_args().pressmark
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        lines, truths = [], {}
        for host in HOSTS:
            for number in range(PAGES):
                html, text = page(host, number, chance)
                path = pathlib.Path(folder, f"{host}-{number}.html")
                path.write_text(html)
                truths[f"{host}-{number}"] = text
                url = f"https://{host}.example/{number}.html"
                lines.append(json.dumps({"id": f"{host}-{number}", "url": url, "path": str(path)}))
        found = {}
        for learn in [[], ["--learn"]]:
            command = [pressmark, "extract", "--jsonl", *learn]
            output = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True).stdout
            found[bool(learn)] = {answer["id"]: answer["text"] for answer in map(json.loads, output.splitlines())}
    print(f"{PAGES} pages of each host; text F1 (precision, recall)")
    print(f"{'host':14}{'alone':>22}{'learnt':>22}")
    for host in [*HOSTS, "all"]:
        ids = [one for one in truths if host in ("all", one.rsplit("-", 1)[0])]
        scores = [score([(found[learn][one], truths[one]) for one in ids]) for learn in (False, True)]
        cells = [f"{f1:.3f} ({precision:.3f}, {recall:.3f})" for f1, precision, recall in scores]
        print(f"{host:14}{cells[0]:>22}{cells[1]:>22}")


if __name__ == "__main__":
    main()
