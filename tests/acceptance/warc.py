"""Reads WARC files, so that no code of Sward's own judges what Sward wrote.

Knows gzip members, WARC headers and HTTP heads, as ISO 28500:2017 lays them out, and nothing else.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Iterator


@dataclass
class Record:
    kind: str
    fields: dict[str, str]
    block: bytes

    @property
    def target(self) -> str:
        # wget puts the URL between angle brackets, as WARC 1.0's grammar had it by mistake.
        return self.fields.get("warc-target-uri", "").strip("<>")

    def http(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body of a response."""
        head, _, body = self.block.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(split_field(line) for line in lines if ":" in line)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = unchunked(body)
        return int(first.split()[1]), headers, body


@dataclass
class Page:
    """An HTML page that was answered with 200."""

    url: str
    sha256: str
    size: int


def records(path: Path) -> Iterator[Record]:
    """Every record of a .warc.gz."""
    with gzip.open(path) as stream:
        while line := stream.readline():
            if line == b"\r\n":
                continue
            if not line.startswith(b"WARC/1."):
                raise ValueError(f"{path}: no record begins with {line[:40]!r}")
            yield record(stream)


def record(stream: BinaryIO) -> Record:
    fields = {}
    while (line := stream.readline().strip()) != b"":
        name, value = split_field(line.decode())
        fields[name] = value
    size = int(fields["content-length"])
    block = stream.read(size)
    if len(block) != size:
        raise ValueError(f"a record of {size} bytes ends after {len(block)}")
    return Record(fields["warc-type"], fields, block)


def pages(path: Path) -> list[Page]:
    """The pages of a file. A revisit has the body of the record that it refers to."""
    found, bodies = [], {}
    for item in records(path):
        if item.kind not in ("response", "revisit"):
            continue
        status, headers, body = item.http()
        media_type = headers.get("content-type", "").split(";")[0].strip().lower()
        if status != 200 or media_type not in ("text/html", "application/xhtml+xml"):
            continue
        if item.kind == "revisit":
            page = bodies[item.fields["warc-refers-to"]]
        else:
            page = (hashlib.sha256(body).hexdigest(), len(body))
            bodies[item.fields["warc-record-id"]] = page
        found.append(Page(item.target, *page))
    return found


def split_field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        whole, body = whole + rest[:length], rest[length + 2 :]
    return whole
