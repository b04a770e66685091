"""Files that are not proper CSV in UTF-8 are written anew: slower, row by row, and nothing is lost.

Python's own reader takes what DuckDB refuses: rows with too few or too many fields (which become rejects with their
number), another encoding, zero bytes, mixed line ends. Only the columns that are read are written, with the row's
number before them.
"""

import csv
import gzip
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from marketplace.core.errors import N_
from marketplace.usage.formats.format import TOO_LONG, WRONG_FIELD_COUNT
from marketplace.usage.header import Header

# Stands in place of a column where the row as a whole is at fault.
WHOLE_ROW = "(row)"
_LONGEST_VALUE = 100_000
# Lines that together are longer are not one row: a quotation mark was left open.
_LONGEST_ROW = 4_000_000
_SHOWN = 200

REPAIRED_ENCODING = N_("The file is not UTF-8; it was read as %(encoding)s.")
REMOVED_ZERO_BYTES = N_("The file contains zero bytes; they were left out.")


@dataclass(frozen=True)
class Repaired:
    """The rewritten file: row number first, then the columns at `places` of the header.

    `unreadable` rows cannot be taken apart into the header's columns; they stand in a file of their own.
    """

    rows: int
    unreadable: int
    places: tuple[int, ...]


def encoding_of(path: Path, header: Header) -> str:
    """Give the encoding a file can really be decoded with; Windows' western one takes every byte."""
    if header.encoding != "utf-8":
        return header.encoding
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            while stream.read(1 << 22):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


class _Lines:
    """Lines that can be gone back to, until the row they make is accepted."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.is_too_long:
            raise StopIteration
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        self._size += len(line)
        return line

    @property
    def is_too_long(self) -> bool:
        """Whether the lines taken for the row are more than any row has."""
        return self._size > _LONGEST_ROW

    @property
    def is_several(self) -> bool:
        """Whether more than one line was taken for the row."""
        return len(self._taken) > 1

    def accept(self) -> None:
        """Begin a new row."""
        self._taken.clear()
        self._size = 0

    def give_back(self) -> str:
        """Keep the first line alone, and let the others be taken again."""
        first, *others = self._taken
        self._again.extendleft(reversed(others))
        self.accept()
        return first


def rows_of(path: Path, header: Header, encoding: str) -> Iterator[list[str]]:
    """Read the data rows with Python's reader; blank lines are no rows.

    A quotation mark left open swallows the lines after it. Where several lines together do not make a row by the
    strict rules, the first of them is the faulty one, and the others are read for themselves. A line that makes a row
    alone may be sloppy with its quotation marks.
    """
    csv.field_size_limit(2**31 - 1)
    opened = gzip.open if header.is_gzip and _is_packed(path) else open
    with opened(path, "rt", encoding=encoding, errors="replace", newline="") as stream:
        lines = _Lines(islice((line.replace("\x00", "") for line in stream), header.lines, None))
        while (row := _next_row(lines, header)) is not None:
            if row:
                yield row


def _next_row(lines: _Lines, header: Header) -> list[str] | None:
    try:
        row = next(csv.reader(lines, delimiter=header.delimiter, strict=True), None)
    except csv.Error:
        if lines.is_several:
            return [lines.give_back().rstrip("\r\n")]
        return next(csv.reader([lines.give_back()], delimiter=header.delimiter))
    if lines.is_several and (lines.is_too_long or row is None or not _has_all_fields(row, header)):
        return [lines.give_back().rstrip("\r\n")]
    lines.accept()
    return row


def _has_all_fields(row: list[str], header: Header) -> bool:
    return len(_without_last_delimiter(row, header)) == len(header.names)


def _without_last_delimiter(row: list[str], header: Header) -> list[str]:
    """Leave out a delimiter at the end of every line: a habit of some exports, not a field."""
    return row[:-1] if len(row) == len(header.names) + 1 and row[-1] == "" else row


def _is_packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def count_rows(stream: io.RawIOBase, header: Header) -> int:
    """Count the rows of a run of UTF-8 lines with Python's reader."""
    csv.field_size_limit(2**31 - 1)
    text = io.TextIOWrapper(
        io.BufferedReader(stream, 1 << 20), encoding="utf-8", errors="replace", newline=""
    )
    return sum(1 for row in csv.reader(text, delimiter=header.delimiter) if row)


def repair(
    source: Path,
    target: Path,
    unreadable: Path,
    *,
    header: Header,
    encoding: str,
    advance: Callable[[int], None],
) -> Repaired:
    """Write the file anew, and the rows that cannot be taken apart as (row, column, value, reason) to `unreadable`."""
    places = header.places
    number = faulty = 0
    with (
        target.open("w", encoding="utf-8", newline="") as good,
        unreadable.open("w", encoding="utf-8", newline="") as bad,
    ):
        good_rows = csv.writer(good, lineterminator="\n", quoting=csv.QUOTE_ALL)
        bad_rows = csv.writer(bad, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for number, row in enumerate(rows_of(source, header, encoding), start=1):
            if number % 100_000 == 0:
                advance(number)
            fields = _without_last_delimiter(row, header)
            reason = ""
            if len(fields) != len(header.names):
                reason = WRONG_FIELD_COUNT
            elif any(len(fields[place]) > _LONGEST_VALUE for place in places):
                reason = TOO_LONG
            if reason:
                bad_rows.writerow([number, WHOLE_ROW, header.delimiter.join(row)[:_SHOWN], reason])
                faulty += 1
            else:
                good_rows.writerow([number, *(fields[place] for place in places)])
    return Repaired(rows=number, unreadable=faulty, places=places)
