#!/usr/bin/env python3
"""Measures extraction over a folder of pages with known truths, beside other extractors in the same run.

    scripts/bench_extract.py DIR [--only pressmark] [--worst FIELD] [--pressmark FILE] [--rivals FILE]

DIR holds html/ID.html and truth.jsonl, one object a line: {"id", "url", "truth": {"text", "title", "byline",
"published", "lang", "lead", "images", "with", "without"}}. A page is scored for the fields its truth has.

    text     4-gram shingles of words (of characters where words are not divided by spaces), each page's precision and
             recall averaged, F1 of the averages, as article-extraction-benchmark does
    short    the same over texts below 1,500 characters
    title    equal but for case, quotation marks and punctuation
    byline   the set of writers' names equal; wrong: names given, and not those
    day      the day equal; wrong: a day given, and not that
    lang     the primary language equal
    lead     one of the accepted pictures, in whatever size; exact: one of the accepted addresses
    images   precision and recall over pictures, in whatever size
    segments text of the page that must be in, and must not be
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

HERE = Path(__file__).resolve().parent.parent
EAST = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
WRITERS = {"author", "reporter", "correspondent", "intern", "translator"}


def shingles(text):
    tokens = TOKEN.findall(text or "")
    if len(tokens) < 4:
        return collections.Counter([tuple(tokens)] if tokens else [])
    return collections.Counter(zip(*(tokens[at:] for at in range(4))))


def overlap(true, found):
    true, found = shingles(true), shingles(found)
    both = sum((true & found).values())
    if not true and not found:
        return 1.0, 1.0
    precision = both / sum(found.values()) if found else 0.0
    recall = both / sum(true.values()) if true else 0.0
    return precision, recall


def plain(text):
    text = unicodedata.normalize("NFKC", text or "").casefold()
    return " ".join(re.sub(r"[\W_]+", " ", text).split())


def names(byline):
    one = lambda name: plain(re.sub(r"^by\s+", "", name.strip(), flags=re.I))
    return {one(name) for name in byline or [] if one(name)}


def address(url, base):
    return urljoin(base or "", url.strip()) if url else ""


SIZE = re.compile(r"([-_@=~,.!](w|h|s|x|q|r|rs|fit|crop|scaled|resize|large|medium|small|thumb|full|orig|original)?"
                  r"\d{0,4}(x\d{1,4})?(px|w|x|q)?)+$|[-_]?\d{2,4}x\d{0,4}$", re.I)


def picture(url):
    """What stays the same over the sizes and formats of one picture: the name of its file, else its longest part."""
    path = re.sub(r"^https?:", "", unquote(urlsplit(url).path)).rstrip("/")
    parts = [re.sub(r"\.[a-z]{3,4}(\.[a-z]{3,4})?$", "", part, flags=re.I) for part in path.split("/")]
    parts = [SIZE.sub("", part) for part in parts]
    good = [part for part in parts if len(part) >= 6 and re.search(r"\d", part) or len(part) >= 10]
    return good[-1].lower() if good else path.lower()


def same_address(a, b):
    """Addresses are equal but for the scheme."""
    cut = lambda url: re.sub(r"^https?:", "", url).split("#")[0]
    return cut(a) == cut(b)


def same_picture(a, b):
    return bool(a and b) and (same_address(a, b) or picture(a) == picture(b))


class Scores:
    def __init__(self):
        self.sums = collections.defaultdict(list)
        self.worst = collections.defaultdict(list)

    def add(self, field, value, page, note=""):
        self.sums[field].append(float(value))
        self.worst[field].append((float(value), page, note))

    def mean(self, field):
        values = self.sums.get(field)
        return sum(values) / len(values) if values else None

    def f1(self, field):
        precision, recall = self.mean(field + " p"), self.mean(field + " r")
        if precision is None or recall is None:
            return None
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def score(scores, page, found):
    truth, base, name = page["truth"], page.get("url"), page["id"]
    text = found.get("text") or ""
    if truth.get("text") is not None:
        precision, recall = overlap(truth["text"], text)
        note = f"p {precision:.2f} r {recall:.2f}"
        fields = ["text"] + (["short"] if len(truth["text"]) < 1500 else [])
        for field in fields:
            scores.add(field + " p", precision, name)
            scores.add(field + " r", recall, name)
        both = precision + recall
        scores.add("text page f1", 2 * precision * recall / both if both else 0.0, name, note)
    if truth.get("with") or truth.get("without"):
        flat = " ".join(text.split())
        is_in = lambda segment: " ".join(segment.split()) in flat
        for segment in truth.get("with") or []:
            scores.add("segments in", is_in(segment), name, segment[:60])
        for segment in truth.get("without") or []:
            scores.add("segments out", not is_in(segment), name, segment[:60])
    if truth.get("title") is not None:
        equal = plain(truth["title"]) == plain(found.get("title"))
        scores.add("title", equal, name, f"{truth['title']!r} {found.get('title')!r}")
    if truth.get("byline") is not None:
        people = [one["name"] for one in found.get("byline") or [] if one.get("role", "author") in WRITERS]
        want, have = names(truth["byline"]), names(people)
        note = f"{sorted(want)} {sorted(have)}"
        scores.add("byline", want == have, name, note)
        scores.add("byline wrong", bool(have) and want != have, name, note)
    elif truth.get("roles") is not None:
        people = [one["name"] for one in found.get("byline") or [] if one.get("role", "author") in WRITERS]
        scores.add("byline invented", bool(names(people)), name, f"{people}")
    if truth.get("published"):
        day = published(found.get("published"))
        want = truth["published"][:10]
        scores.add("day", day == want, name, f"{want} {day}")
        scores.add("day wrong", day is not None and day != want, name, f"{want} {day}")
    if truth.get("lang"):
        language = (found.get("language") or "").lower().split("-")[0]
        scores.add("lang", language == truth["lang"].lower().split("-")[0], name, f"{truth['lang']} {language}")
    if truth.get("lead"):
        accepted = truth["lead"] if isinstance(truth["lead"], list) else [truth["lead"]]
        lead = address(found.get("lead_image"), base)
        accepted = [address(one, base) for one in accepted]
        scores.add("lead", any(same_picture(one, lead) for one in accepted), name, f"{accepted[0]} {lead}")
        scores.add("lead exact", any(same_address(one, lead) for one in accepted), name, f"{accepted[0]} {lead}")
    if truth.get("images") is not None:
        pictures(scores, name, base, truth["images"], found.get("images") or [])


def pictures(scores, name, base, truth, found):
    wanted = [[address(one, base) for one in accepted] for accepted in truth]
    left = list(range(len(wanted)))
    right = 0
    for image in found:
        url = address(image.get("url"), base)
        hit = next((at for at in left if any(same_picture(url, one) for one in wanted[at])), None)
        if hit is not None:
            left.remove(hit)
            right += 1
    note = f"want {len(wanted)} found {len(found)} right {right}"
    scores.add("images p", right / len(found) if found else 1.0, name, note)
    scores.add("images r", right / len(wanted) if wanted else 1.0, name, note)


def published(value):
    if isinstance(value, dict):
        value = value.get("local")
    found = re.match(r"\d{4}-\d\d-\d\d", value or "")
    return found.group(0) if found else None


class Asked:
    """An extractor that answers each line before the next is written; its own CPU time is read from the kernel."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.times = []

    def cpu(self):
        """Nanoseconds on a processor, all threads."""
        total = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
        return total

    def ask(self, line):
        before = self.cpu()
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.process.args} ended at {line['id']}")
        self.times.append((self.cpu() - before) / 1e6)
        return json.loads(answer)

    def end(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        self.process.stdin.close()
        self.process.wait()
        return int(peak.group(1)) / 1024 if peak else 0.0


TRAFILATURA = r"""
import json, sys, trafilatura, logging
from trafilatura.metadata import extract_metadata
logging.disable(logging.CRITICAL)
for line in sys.stdin:
    line = json.loads(line)
    data = open(line["path"], "rb").read()
    answer = {"id": line["id"]}
    try:
        found = trafilatura.bare_extraction(data, url=line.get("url"), include_comments=False, include_images=True,
                                            with_metadata=True)
        if found is not None:
            found = found.as_dict()
            text, images = [], []
            for row in (found.get("text") or "").split("\n"):
                if row.startswith("!["):
                    images.append({"url": row[row.rfind("(") + 1:-1]})
                else:
                    text.append(row)
            answer.update(text="\n".join(text), images=images, title=found.get("title"),
                          published=found.get("date"), language=found.get("language"),
                          lead_image=found.get("image"),
                          byline=[{"name": name.strip()} for name in (found.get("author") or "").split(";")
                                  if name.strip()])
    except Exception as cause:
        answer["error"] = str(cause)
    print(json.dumps(answer), flush=True)
"""

ROWS = [
    ("text F1", lambda s: s.f1("text")), ("  precision", lambda s: s.mean("text p")),
    ("  recall", lambda s: s.mean("text r")), ("short text F1", lambda s: s.f1("short")),
    ("segments kept", lambda s: s.mean("segments in")), ("segments left out", lambda s: s.mean("segments out")),
    ("title", lambda s: s.mean("title")), ("byline", lambda s: s.mean("byline")),
    ("  wrong", lambda s: s.mean("byline wrong")), ("  invented", lambda s: s.mean("byline invented")),
    ("day", lambda s: s.mean("day")),
    ("  wrong", lambda s: s.mean("day wrong")), ("language", lambda s: s.mean("lang")),
    ("lead image", lambda s: s.mean("lead")),
    ("  exact address", lambda s: s.mean("lead exact")), ("images precision", lambda s: s.mean("images p")),
    ("images recall", lambda s: s.mean("images r")),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", action="append")
    parser.add_argument("--worst", help="list the pages that a field went wrong on")
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--pressmark", default=os.environ.get("PRESSMARK", HERE / "target/release/pressmark"))
    parser.add_argument("--rivals", default=HERE / "target/rivals/release/rivals")
    parser.add_argument("--python", default=HERE / "target/bench-venv/bin/python")
    parser.add_argument("--answers", type=Path, help="keep what pressmark answered, one line a page")
    args = parser.parse_args()
    with open(args.folder / "truth.jsonl", encoding="utf-8") as lines:
        pages = [json.loads(line) for line in lines]
    commands = {
        "pressmark": [args.pressmark, "extract", "--jsonl"],
        "trafilatura (Python)": [args.python, "-c", TRAFILATURA],
        "trafilatura (crate)": [args.rivals, "trafilatura"],
        "dom_smoothie": [args.rivals, "dom_smoothie"],
    }
    chosen = {name: command for name, command in commands.items()
              if not args.only or any(name.startswith(one) for one in args.only)}
    results = {}
    for name, command in chosen.items():
        asked, scores = Asked([str(part) for part in command]), Scores()
        kept = open(args.answers, "w", encoding="utf-8") if args.answers and name == "pressmark" else None
        for page in pages:
            path = args.folder / "html" / f"{page['id']}.html"
            line = {"id": page["id"], "path": str(path)}
            if page.get("url"):
                line["url"] = page["url"]
            answer = asked.ask(line)
            score(scores, page, answer)
            if kept:
                kept.write(json.dumps(answer, ensure_ascii=False) + "\n")
        peak = asked.end()
        times = sorted(asked.times[3:] or asked.times)
        results[name] = (scores, times[len(times) // 2], sum(times) / len(times), peak)
    print(f"{len(pages)} pages in {args.folder.name}")
    print(f"{'':20}" + "".join(f"{name:>22}" for name in results))
    number = lambda value, form: f"{'–':>22}" if value is None else f"{value:>22{form}}"
    for row, of in ROWS:
        values = [of(scores) for scores, *_ in results.values()]
        if any(value is not None for value in values):
            print(f"{row:20}" + "".join(number(value, ".3f") for value in values))
    for row, at in (("CPU ms, median", 1), ("CPU ms, mean", 2), ("peak MiB", 3)):
        print(f"{row:20}" + "".join(number(result[at], ".1f") for result in results.values()))
    if args.worst:
        for name, (scores, *_) in results.items():
            rows = sorted(scores.worst[args.worst], key=lambda row: row[0])
            if args.worst.endswith(("wrong", "invented")):
                rows = [row for row in rows[::-1] if row[0]]
            print(f"\n{args.worst}, {name}")
            for value, page, note in rows[:args.lines]:
                print(f"  {value:.2f} {page} {note}")


if __name__ == "__main__":
    main()
