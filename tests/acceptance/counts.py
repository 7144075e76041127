"""Holds what warcio's index lists against what the coordinator says of itself.

    counts.py EXPORT ARCHIVE SUMMARY JOB INDEX_OF_EXPORT INDEX_OF_ARCHIVE

EXPORT and ARCHIVE are folders, SUMMARY is the demo's, JOB the answer of `job show --json`, both
indexes are the output of `warcio index -f warc-type,warc-target-uri,http:status`.

A capture is a page or a robots.txt: one response or revisit with its request, the same for each
redirect on the way, and one metadata record, the verdict. A URL that came to nothing has only the
verdict. So in any file

    requests                         = responses + revisits
    responses + revisits - redirects = captures
    captures - robots.txt files      = pages

and every other record is a warcinfo. In the export each capture has its verdict; in the archive
each URL that ended, but those that robots.txt forbids: they were never leased, so nobody has said
anything of them. What the coordinator took back, when it caught who had vouched for it, stays in the
archive and is named in the journal; it is left out of the archive's figures here, and must be in no
export. Exits with 1 where a figure differs.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import warc


@dataclass
class Figures:
    """What an index lists."""

    kinds: Counter
    redirects: int
    robots: int
    page_revisits: int

    @property
    def pages(self) -> int:
        answers = self.kinds["response"] + self.kinds["revisit"]
        return answers - self.redirects - self.robots


def read(path: Path) -> Figures:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    answers = [line for line in lines if line["warc-type"] in ("response", "revisit")]
    captures = [line for line in answers if not line.get("http:status", "").startswith("3")]
    pages = [line for line in captures if not is_robots(line)]
    return Figures(
        kinds=Counter(line["warc-type"] for line in lines),
        redirects=len(answers) - len(captures),
        robots=len(captures) - len(pages),
        page_revisits=sum(line["warc-type"] == "revisit" for line in pages),
    )


def is_robots(line: dict[str, str]) -> bool:
    return urlsplit(line["warc-target-uri"]).path == "/robots.txt"


def taken_back(journal: Path) -> set[int]:
    """The tasks whose verdicts were taken back: a line is a checksum, a space and JSON."""
    lines = (json.loads(line.split(" ", 1)[1]) for line in journal.read_text().splitlines())
    entries = (line["entry"] for line in lines)
    return {one["page"]["task"] for one in entries if one["event"] == "retracted"}


def read_archive(archive: Path, retracted: set[int]) -> tuple[Counter, Figures]:
    """How URLs ended, robots.txt files apart, by the verdicts that stand; and what the others left."""
    ended, left = Counter(), Figures(Counter(), 0, 0, 0)
    for path in sorted(archive.glob("*.warc.gz")):
        group = []
        for record in warc.records(path):
            if record.kind != "warcinfo":
                group.append(record)
            if record.kind != "metadata":
                continue
            one = json.loads(record.block)["settlement"]
            if one["task"] in retracted:
                left.kinds.update(member.kind for member in group)
                left.redirects += sum(m.kind in ("response", "revisit") for m in group[1:])
                left.page_revisits += group[0].kind == "revisit"
            elif not one["robots"]:
                ended[one["outcome"]] += 1
            group = []
    return ended, left


def main() -> int:
    export, archive_folder, summary_file, job_file, *indexes = map(Path, sys.argv[1:])
    manifest = json.loads((export / "manifest.json").read_text())
    summary = json.loads(summary_file.read_text())
    counts = json.loads(job_file.read_text())["job"]["counts"]
    ours, archive = map(read, indexes)
    jsonl = sum(len(path.read_text().splitlines()) for path in export.glob("*.jsonl"))
    listed = {file["path"]: file["records"] for file in manifest["files"]}
    in_warcs = sum(count for path, count in listed.items() if path.endswith(".warc.gz"))
    ended = Counter(counts["outcomes"])
    retracted = taken_back(archive_folder.parent / "journal")
    verdicts, left = read_archive(archive_folder, retracted)
    archive.kinds.subtract(left.kinds)
    archive.redirects -= left.redirects
    archive.page_revisits -= left.page_revisits

    equal = []

    def same(what: str, *figures: int) -> None:
        equal.append(len(set(figures)) == 1)
        print(f"{'equal' if equal[-1] else 'DIFFER'}: {what}: {' '.join(map(str, figures))}")

    def captures_and_requests(where: str, found: Figures) -> None:
        answers = found.kinds["response"] + found.kinds["revisit"]
        same(f"{where}: requests, answers", found.kinds["request"], answers)
        others = sum(found.kinds.values()) - found.kinds["request"] - answers
        named = found.kinds["warcinfo"] + found.kinds["metadata"]
        same(f"{where}: records of other kinds, warcinfos and verdicts", others, named)

    captures_and_requests("export", ours)
    captures_and_requests("archive", archive)
    same("export: records by warcio, by the manifest", sum(ours.kinds.values()), in_warcs)
    same("export: verdicts, captures", ours.kinds["metadata"], ours.pages + ours.robots)
    same("archive, export: robots.txt files", archive.robots, ours.robots)
    same("archive, export: redirects that were followed", archive.redirects, ours.redirects)
    same(
        "pages by the export, archive, manifest, jsonl, summary, job, outcome ok",
        ours.pages,
        archive.pages,
        manifest["pages"],
        jsonl,
        summary["pages_accepted"],
        counts["pages"],
        ended["ok"],
    )
    same(
        "duplicates by the archive, manifest, summary, job",
        archive.page_revisits,
        manifest["duplicates"],
        summary["duplicates_exact"],
        counts["duplicates"],
    )
    # A revisit of what was taken back, or of another job's, is exported whole.
    most = min(ours.page_revisits, archive.page_revisits)
    same("revisits in the export, at most those of the archive", ours.page_revisits, most)
    for outcome in sorted(ended.keys() | verdicts.keys()):
        never_leased = ended["robots"] if outcome == "robots" else 0
        what = f"ended as {outcome}: verdicts and never leased, by the job"
        same(what, verdicts[outcome] + never_leased, ended[outcome])
    same("URLs that ended, were discovered", sum(ended.values()), counts["discovered"])
    print(
        f"export: {sum(ours.kinds.values())} records, archive: {sum(archive.kinds.values())};"
        f" {ours.pages} pages, {ours.page_revisits} of them revisits, {ours.redirects} redirects,"
        f" {ours.robots} robots.txt files; {len(retracted)} verdicts taken back"
    )
    return 0 if all(equal) and ours.pages and ours.page_revisits and ours.redirects else 1


if __name__ == "__main__":
    sys.exit(main())
