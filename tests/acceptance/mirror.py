"""Compares a corpus with a mirror that wget made of the same site.

    mirror.py EXPORT SUMMARY WGET_WARC WGET_DIR

Both must hold the same HTML pages (status 200), by path, with equal bodies; the corpus in its WARC
and in its JSONL. Prints the figures. Exits with 1 where anything differs, after naming it.
"""

import gzip
import hashlib
import json
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import warc

# Differences that are named; more are only counted.
NAMED = 20


def key(url: str) -> bytes:
    """What tells pages of one host apart, however their URLs are escaped."""
    parts = urlsplit(url)
    path = unquote_to_bytes(parts.path or "/")
    return path + (b"?" + unquote_to_bytes(parts.query) if parts.query else b"")


def by_path(pages: list[warc.Page]) -> dict[bytes, set[str]]:
    found = defaultdict(set)
    for page in pages:
        found[key(page.url)].add(page.sha256)
    return dict(found)


def read_jsonl(export: Path) -> dict[bytes, set[str]]:
    """The corpus by its JSONL, after looking each line's record up in the WARC."""
    found = defaultdict(set)
    for path in export.glob("*.jsonl"):
        for text in path.open():
            line = json.loads(text)
            digest = line["payload_digest"].removeprefix("sha256:")
            found[key(line["final_url"])].add(digest)
            with open(export / line["warc_file"], "rb") as file:
                file.seek(line["warc_offset"])
                member = gzip.GzipFile(fileobj=file)
                member.readline()
                record = warc.record(member)
            if record.target != line["final_url"]:
                raise ValueError(f"{line['final_url']} leads to the record of {record.target}")
            if record.fields["warc-payload-digest"] != line["payload_digest"]:
                raise ValueError(f"{line['final_url']} leads to a record of another digest")
    return dict(found)


def differences(ours: dict[bytes, set[str]], theirs: dict[bytes, set[str]]) -> list[str]:
    found = [f"only in the corpus: {path!r}" for path in sorted(ours.keys() - theirs.keys())]
    found += [f"only in wget's mirror: {path!r}" for path in sorted(theirs.keys() - ours.keys())]
    both = sorted(ours.keys() & theirs.keys())
    return found + [f"another body: {path!r}" for path in both if ours[path] != theirs[path]]


def main() -> int:
    export, summary, wget_warc, wget_dir = map(Path, sys.argv[1:])
    figures = json.loads(summary.read_text())
    wget_pages = warc.pages(wget_warc)
    theirs = by_path(wget_pages)
    our_pages = [page for path in export.glob("*.warc.gz") for page in warc.pages(path)]
    wrong = [f"warc: {text}" for text in differences(by_path(our_pages), theirs)]
    wrong += [f"jsonl: {text}" for text in differences(read_jsonl(export), theirs)]
    if len(our_pages) != figures["pages_accepted"]:
        wrong.append(f"{len(our_pages)} pages, but {figures['pages_accepted']} in the summary")

    # wget's own record of what it got, against the files that it left.
    files = (path for path in wget_dir.rglob("*") if path.is_file())
    on_disk = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    missing = {page.sha256 for page in wget_pages} - on_disk
    if missing:
        wrong.append(f"{len(missing)} of wget's pages are in its WARC but not among its files")

    for text in wrong[:NAMED]:
        print(text, file=sys.stderr)
    size = sum(page.size for page in wget_pages)
    print(
        f"{len(theirs)} pages ({size} bytes) by wget, {len(by_path(our_pages))} in the corpus,"
        f" {len(wrong)} differences; {figures['pages_served']} files served,"
        f" {figures['fetches_per_accepted']} fetches a page, {figures['elapsed_s']} s"
    )
    return 1 if wrong or len(theirs) < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
