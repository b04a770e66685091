"""Files that are not proper CSV in UTF-8 are written anew: slower, row by row, and nothing is lost.

Python's own reader takes what DuckDB refuses: rows with too few or too many fields (which become rejects with their
number), another encoding, zero bytes, mixed line ends. Only the columns that are read are written, with the row's
number before them.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from marketplace.core.errors import N_
from marketplace.usage.formats.format import TOO_LONG, WRONG_FIELD_COUNT
from marketplace.usage.header import Header

# Stands in place of a column where the row as a whole is at fault.
WHOLE_ROW = "(row)"
_LONGEST_VALUE = 100_000
_SHOWN = 200

REPAIRED_ENCODING = N_("The file is not UTF-8; it was read as %(encoding)s.")
REMOVED_ZERO_BYTES = N_("The file contains zero bytes; they were left out.")


@dataclass(frozen=True)
class UnreadableRow:
    """A row that cannot be taken apart into the header's columns."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Repaired:
    """The rewritten file: row number first, then the columns at `places` of the header."""

    rows: int
    places: tuple[int, ...]
    unreadable: tuple[UnreadableRow, ...]
    encoding: str


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


def rows_of(path: Path, header: Header, encoding: str) -> Iterator[list[str]]:
    """Read the data rows with Python's reader; blank lines are no rows."""
    csv.field_size_limit(2**31 - 1)
    opened = gzip.open if header.is_gzip and _is_packed(path) else open
    with opened(path, "rt", encoding=encoding, errors="replace", newline="") as stream:
        lines = islice((line.replace("\x00", "") for line in stream), header.lines, None)
        yield from (row for row in csv.reader(lines, delimiter=header.delimiter) if row)


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
    source: Path, target: Path, *, header: Header, encoding: str, advance: Callable[[int], None]
) -> Repaired:
    """Write the file anew. Gives the rows that cannot be taken apart."""
    places = header.places
    unreadable: list[UnreadableRow] = []
    number = 0
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for number, row in enumerate(rows_of(source, header, encoding), start=1):
            if number % 100_000 == 0:
                advance(number)
            # A delimiter at the end of every line is a habit of some exports, not a field.
            fields = row[:-1] if len(row) == len(header.names) + 1 and row[-1] == "" else row
            if len(fields) != len(header.names):
                unreadable.append(_unreadable(number, row, header, WRONG_FIELD_COUNT))
            elif any(len(fields[place]) > _LONGEST_VALUE for place in places):
                unreadable.append(_unreadable(number, row, header, TOO_LONG))
            else:
                writer.writerow([number, *(fields[place] for place in places)])
    return Repaired(rows=number, places=places, unreadable=tuple(unreadable), encoding=encoding)


def _unreadable(number: int, row: list[str], header: Header, reason: str) -> UnreadableRow:
    return UnreadableRow(
        row=number, column=WHOLE_ROW, value=header.delimiter.join(row)[:_SHOWN], reason=reason
    )
