"""What another reader sees in WARC files: `read_back.py warcio|fastwarc FILE…`.

Prints one JSON object a record: `file`, `type`, `id`, `date`, `target_uri`, `offset`, `length` (of the stored record;
null where the reader does not tell), `payload_digest`, `block_digest` (the fields as they stand, or null),
`content_length` (the field), `block_sha1` (base32, over the block as stored, HTTP head included) and `passed`: true or
false as the reader's own check of the digests says, null where it has nothing to check. A file the reader gives up on
ends with an object that has `error`, and the exit code is 1.
"""

import base64
import hashlib
import json
import sys


def base32_sha1(read):
    digest = hashlib.sha1()
    while piece := read(65536):
        digest.update(piece)
    return base64.b32encode(digest.digest()).decode()


def fields(header):
    length = header("Content-Length")
    return {
        "type": header("WARC-Type"),
        "id": header("WARC-Record-ID"),
        "date": header("WARC-Date"),
        "target_uri": header("WARC-Target-URI"),
        "payload_digest": header("WARC-Payload-Digest"),
        "block_digest": header("WARC-Block-Digest"),
        "content_length": int(length) if length and length.isdigit() else None,
    }


def by_warcio(path):
    from warcio.archiveiterator import ArchiveIterator

    # Twice: blocks as stored are only seen when records are not parsed, digests are only checked when they are.
    with open(path, "rb") as raw, open(path, "rb") as parsed:
        blocks = ArchiveIterator(raw, no_record_parse=True)
        checked = ArchiveIterator(parsed, check_digests=True)
        for block, record in zip(blocks, checked, strict=True):
            sha1 = base32_sha1(block.raw_stream.read)
            # The offset first: asking for the length reads on to the next record.
            place = {"offset": blocks.get_record_offset(), "length": blocks.get_record_length()}
            base32_sha1(record.content_stream().read)
            yield {**fields(block.rec_headers.get_header), **place, "block_sha1": sha1,
                   "passed": record.digest_checker.passed}


def by_fastwarc(path):
    from fastwarc.warc import ArchiveIterator

    with open(path, "rb") as stream:
        for record in ArchiveIterator(stream, parse_http=False):
            seen = fields(record.headers.get)
            checks = []
            if seen["block_digest"]:
                checks.append(record.verify_block_digest(consume=False))
            record.freeze()
            sha1 = base32_sha1(record.reader.read)
            # A revisit's payload is elsewhere.
            if seen["payload_digest"] and record.is_http and seen["type"] != "revisit":
                record.reader.seek(0)
                record.parse_http()
                checks.append(record.verify_payload_digest(consume=False))
            yield {**seen, "offset": record.stream_pos, "length": None, "block_sha1": sha1,
                   "passed": all(checks) if checks else None}


def main(reader, *paths):
    read = {"warcio": by_warcio, "fastwarc": by_fastwarc}[reader]
    failed = False
    for path in paths:
        try:
            for seen in read(path):
                print(json.dumps({"file": path, **seen}))
        except Exception as error:  # whatever a reader dislikes is its verdict
            print(json.dumps({"file": path, "error": f"{type(error).__name__}: {error}"}))
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
