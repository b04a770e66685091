"""Vendor files kept as they came, under the hash of their bytes, with an index into their rows.

One pass over the file copies, hashes and counts it. The counts find places where the file can be cut between two
rows, and later prove, independently of the reader, that no row was lost.
"""

import contextlib
import gzip
import hashlib
import os
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from marketplace.core.stored_files import path_of
from marketplace.usage.header import TruncatedFile

_BLOCK = 8 << 20
PART = 128 << 20
_SECONDS_UNTIL_ABANDONED = 3600


@dataclass(frozen=True)
class Original:
    """A stored file."""

    name: str
    sha256: str
    size: int
    # Below the files folder.
    path: str


@dataclass(frozen=True)
class Part:
    """A run of whole lines of a text file: its bytes, and how many lines end in it."""

    start: int
    end: int
    lines: int


@dataclass(frozen=True)
class TextIndex:
    """The parts of a text, and whether zero bytes are among its characters."""

    parts: tuple[Part, ...]
    has_nul: bool = False


@dataclass
class LineIndex:
    """Cuts a text into parts at line ends that lie outside quotation marks, while its bytes pass by."""

    body: int
    is_quoted: bool = True
    part_size: int = PART
    _parts: list[Part] = field(default_factory=list)
    _has_nul: bool = False
    _position: int = 0
    _start: int = 0
    _quotes: int = 0
    _lines: int = 0
    _ends_with_newline: bool = True

    def __post_init__(self) -> None:
        """Begin at the first row, after the header."""
        self._start = self.body

    def feed(self, block: bytes) -> None:
        """Look at the next bytes."""
        offset = max(self.body - self._position, 0)
        base = self._position
        self._position += len(block)
        if offset >= len(block):
            return
        if not self._has_nul and 0 in block:
            self._has_nul = True
        while (target := self._start + self.part_size - base) < len(block):
            cut = self._cut_after(block, offset, max(target, offset))
            if cut is None:
                break
            self._count(block, offset, cut)
            self._close_part(base + cut)
            offset = cut
        self._count(block, offset, len(block))
        self._ends_with_newline = block.endswith(b"\n")

    def finish(self) -> TextIndex:
        """Close the last part; a last line without an end of line counts too."""
        if self._position > self._start:
            if not self._ends_with_newline:
                self._lines += 1
            self._close_part(self._position)
        return TextIndex(tuple(self._parts), has_nul=self._has_nul)

    def _count(self, block: bytes, start: int, end: int) -> None:
        self._lines += block.count(b"\n", start, end)
        if self.is_quoted:
            self._quotes += block.count(b'"', start, end)

    def _cut_after(self, block: bytes, offset: int, target: int) -> int | None:
        """Find the end of the first line at or after the target where all quotation marks are closed."""
        quotes = self._quotes
        seen = offset
        found = block.find(b"\n", target)
        while found >= 0:
            if not self.is_quoted:
                return found + 1
            quotes += block.count(b'"', seen, found)
            seen = found
            if quotes % 2 == 0:
                return found + 1
            found = block.find(b"\n", found + 1)
        return None

    def _close_part(self, end: int) -> None:
        self._parts.append(Part(self._start, end, self._lines))
        self._start = end
        self._lines = 0


def store(
    source: Path,
    files_folder: Path,
    *,
    name: str,
    index: LineIndex | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Original:
    """Copy a file below the files folder under the hash of its bytes; the same bytes are kept once."""
    incoming = _incoming(files_folder)
    incoming.mkdir(parents=True, exist_ok=True)
    copy = incoming / uuid.uuid4().hex
    digest = hashlib.sha256()
    size = 0
    try:
        with source.open("rb") as stream, copy.open("xb") as target:
            for block in _blocks(stream):
                digest.update(block)
                if index is not None:
                    index.feed(block)
                target.write(block)
                size += len(block)
                advance(size)
            target.flush()
            os.fsync(target.fileno())
        sha256 = digest.hexdigest()
        path = path_of("deliveries", sha256)
        (files_folder / path).parent.mkdir(parents=True, exist_ok=True)
        copy.replace(files_folder / path)
    finally:
        copy.unlink(missing_ok=True)
    return Original(name=name, sha256=sha256, size=size, path=path)


def remove_abandoned_copies(files_folder: Path, *, now: datetime) -> None:
    """Remove copies whose program was killed while it wrote them. One that is being written was touched lately."""
    for copy in _incoming(files_folder).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # finished meanwhile
            if now.timestamp() - copy.stat().st_mtime > _SECONDS_UNTIL_ABANDONED:
                copy.unlink()


def _incoming(files_folder: Path) -> Path:
    return files_folder / "deliveries" / "incoming"


def unpack(
    source: Path, target: Path, *, name: str, index: LineIndex, advance: Callable[[int], None]
) -> None:
    """Unpack a gzip file whole, indexing it on the way. Raises `TruncatedFile` if its end is missing."""
    try:
        with source.open("rb") as packed, gzip.open(packed) as stream, target.open("wb") as plain:
            for block in _blocks(stream):
                index.feed(block)
                plain.write(block)
                advance(packed.tell())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        target.unlink(missing_ok=True)
        raise TruncatedFile(file=name, reason=str(error)) from error


def index_of(source: Path, index: LineIndex, advance: Callable[[int], None]) -> TextIndex:
    """Index a plain file that is stored already."""
    with source.open("rb") as stream:
        done = 0
        for block in _blocks(stream):
            index.feed(block)
            done += len(block)
            advance(done)
    return index.finish()


def _blocks(stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block
