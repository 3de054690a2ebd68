#!/usr/bin/env python3
"""Measures extraction over a file of small cases, through the built binary only.

    scripts/bench_cases.py FILE|DIR [--kind image] [--wrong] [--pressmark FILE]

FILE (or cases_public.json in DIR) holds {"cases": [{"id", "kind", "level", "input", "base_url", "expected"}]}; when
MANIFEST.json stands beside it, its pages and posts are measured for their pictures as well. `must` and `should` are
counted apart.

    image          originals equal in order, all that must be captured known, nothing that must not be an original
    proxy          the innermost address; `explain` answers
    referrer       the Referer of a picture on a page with that policy
    charset        the name, and the text
    canonical-url  an address resolved, the page's address of record, the SURT key
    date, byline   a line between a headline and a text
"""

import argparse
import base64
import collections
import json
import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
BODY = "<p>" + "春天的河水比往年清了许多，住在岸边的人们又开始在傍晚散步。" * 4 + "</p>"


class Asked:
    """`extract --jsonl`: a line in, a line out."""

    def __init__(self, binary):
        self.binary = binary
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([binary, "extract", "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)

    def extract(self, data, url=None, **known):
        if not isinstance(data, Path):
            path = Path(self.folder.name) / "page.html"
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
            if isinstance(data, str):
                known.setdefault("content_type", "text/html; charset=utf-8")
            data = path
        line = {"id": "case", "path": str(data), **known}
        if url:
            line["url"] = url
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def explain(self, url):
        done = subprocess.run([self.binary, "explain", "--json", "--archive", self.folder.name, url],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return json.loads(done.stdout or "{}")


def image(asked, case):
    found, want = asked.extract(case["input"]["html"], case["base_url"]), case["expected"]
    originals = [one["url"] for one in found["images"]]
    known = originals + [one["url"] for one in found["requisites"]]
    known += [other["url"] for one in found["images"] for other in one["alternates"]]
    faults = []
    if originals != want["primary"]:
        faults.append(f"originals {originals}")
    faults += [f"unknown {url}" for url in want.get("must_capture", []) if url not in known]
    faults += [f"original {url}" for url in want.get("must_not_be_primary", []) if url in originals]
    faults += [f"not derived {url}" for url in want.get("derived_candidates", []) if url not in known]
    if "lead" in want and found["lead_image"] != want["lead"]:
        faults.append(f"lead {found['lead_image']}")
    for side in ("width", "height"):
        if side in want and originals and found["images"][0][side] != want[side]:
            faults.append(f"{side} {found['images'][0][side]}")
    return faults


def proxy(asked, case):
    layers = asked.explain(case["input"]["url"]).get("unwrapped", [])
    inner, want = (layers[-1] if layers else None), case["expected"]
    accepted = want.get("inner_any_of") or [want.get("inner")]
    return [] if inner in accepted else [f"{inner}"]


def referrer(asked, case):
    given = case["input"]
    if given.get("initiator") == "stylesheet":
        return None
    meta = f"<meta name=referrer content='{given['meta']}'>" if given.get("meta") else ""
    attribute = f" referrerpolicy='{given['attribute']}'" if given.get("attribute") else ""
    html = f"{meta}<p><img src='{given['target_url']}'{attribute}></p>"
    headers = {"Referrer-Policy": given["header"]} if given.get("header") else {}
    found = asked.extract(html, given["document_url"], headers=headers)
    referer = found["images"][0]["referer"] if found["images"] else "no picture"
    return [] if referer == case["expected"]["referer"] else [f"{referer}"]


def charset(asked, case):
    found = asked.extract(base64.b64decode(case["input"]["bytes_b64"]), case["base_url"],
                          content_type=case["input"].get("content_type"))
    want, faults = case["expected"], []
    if found["charset"]["name"].lower() != want["encoding"].lower():
        faults.append(found["charset"]["name"])
    text = " ".join([found["text"], found["title"] or ""])
    if want.get("text_contains") and want["text_contains"] not in text:
        faults.append(text[:60])
    return faults


def canonical(asked, case):
    given, want = case["input"], case["expected"]
    if "surt" in want or "fetch_url" in want:
        found = asked.explain(given["url"])
        return [f"{found}" for key, named in (("surt", "surt"), ("fetch_url", "canonical"))
                if key in want and found.get(named) != want[key]]
    if "html" in given:
        found = asked.extract(given["html"], case["base_url"])
        record = found["canonical_url"] or case["base_url"]
        return [] if record == want["canonical"] else [record]
    # An address that only links can have is read as a link; a picture shows every other one, the page's own included.
    charset = given.get("page_charset", "utf-8")
    data = f"<p><a href='{given['href']}'>x</a><img src='{given['href']}'></p>".encode(charset, "xmlcharrefreplace")
    found = asked.extract(data, case["base_url"], content_type=f"text/html; charset={charset}")
    urls = found["outlinks"] + [one["url"] for one in found["images"]]
    if want.get("url") is None or want.get("crawlable") is False:
        return [f"{urls}"] if urls else []
    if want["url"].split("#")[0] == case["base_url"]:
        return None
    return [] if want["url"].split("#")[0] in urls else [f"{urls}"]


def date(asked, case):
    given, want = case["input"], case["expected"]
    line = given.get("html") or f"<p>{given['text']}</p>"
    found = asked.extract(f"<article><h1>河水清了</h1>{line}{BODY}</article>", "https://news.example.com/a/1.html",
                          fetched=given["now"], timezone=given["default_tz"])["published"] or {}
    faults = [] if found.get("precision") == want["precision"] else [f"precision {found.get('precision')}"]
    if want.get("utc"):
        faults += [] if (found.get("utc") or "")[:19] == want["utc"][:19] else [f"utc {found.get('utc')}"]
    if want.get("local_date"):
        faults += [] if (found.get("local") or "")[:10] == want["local_date"] else [f"local {found.get('local')}"]
    return faults


def byline(asked, case):
    given, want = case["input"], case["expected"]
    line = given.get("html") or f"<p>{given['text']}</p>"
    found = asked.extract(f"<article><h1>河水清了</h1>{line}{BODY}</article>", "https://news.example.com/a/1.html")
    people = [{"name": one["name"], "role": one["role"]} for one in found["byline"]]
    faults = [] if people == want["people"] else [f"{people}"]
    if "source" in want and found["source"] != want["source"]:
        faults.append(f"source {found['source']}")
    return faults


KINDS = {"image": image, "proxy": proxy, "referrer": referrer, "charset": charset, "canonical-url": canonical,
         "date": date, "byline": byline}


def pages(asked, folder, wrong):
    """Pages and posts of a manifest: the originals in order, and the lead, which is never a random filler."""
    manifest, right, total = json.loads((folder / "MANIFEST.json").read_text()), collections.Counter(), 0
    # A page says itself where its post is from; the post has the same pictures.
    both = [(one, one["file"]) for one in manifest["pages"]]
    both += [(one, one["reconstructed_post"]) for one in manifest["pages"] if one.get("reconstructed_post")]
    for one, file in both:
        found = asked.extract(folder / file, one["url"] if file.endswith(".html") else None)
        originals = [image["url"] for image in found["images"]]
        answers = {"originals": originals == one["expected_originals"]}
        answers["lead"] = found["lead_image"] == (one["expected_lead"] or next(iter(one["expected_originals"]), None))
        total += 1
        for name, is_right in answers.items():
            right[name] += is_right
            if wrong and not is_right:
                missing = [url for url in one["expected_originals"] if url not in originals]
                more = [url for url in originals if url not in one["expected_originals"]]
                print(f"  {file} {name}: missing {missing[:3]} more {more[:3]} lead {found['lead_image']} "
                      f"for {one['expected_lead']}")
    for name in ("originals", "lead"):
        print(f"{'pages, ' + name:16}{right[name]:>4} of {total}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--wrong", action="store_true", help="list what went wrong")
    parser.add_argument("--pressmark", default=os.environ.get("PRESSMARK", HERE / "target/release/pressmark"))
    args = parser.parse_args()
    file = args.cases / "cases_public.json" if args.cases.is_dir() else args.cases
    asked, counts = Asked(str(args.pressmark)), collections.defaultdict(collections.Counter)
    for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
        if args.kind and case["kind"] not in args.kind:
            continue
        faults = KINDS[case["kind"]](asked, case)
        # A larger form is a guess: it is listed, and counts for nothing.
        held = [fault for fault in faults or [] if not fault.startswith("not derived")]
        outcome = "not asked" if faults is None else "wrong" if held else "right"
        counts[case["kind"], case["level"]][outcome] += 1
        if args.wrong and faults:
            print(f"  {case['level']:7}{case['id']}: {'; '.join(faults)}")
    for (kind, level), count in sorted(counts.items()):
        asked_of = count["right"] + count["wrong"]
        rest = f" ({count['not asked']} not asked)" if count["not asked"] else ""
        print(f"{kind:16}{level:8}{count['right']:>4} of {asked_of}{rest}")
    if not args.kind and (file.parent / "MANIFEST.json").exists():
        pages(asked, file.parent, args.wrong)


if __name__ == "__main__":
    main()
