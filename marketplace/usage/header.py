"""The first look at a file: how it is packed and written, what its columns are, and so which format it is."""

import codecs
import csv
import gzip
import json
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb

from marketplace.core.errors import N_, Refusal
from marketplace.usage.engine import open_engine, quoted
from marketplace.usage.formats import Format, recognise

_HEAD = 1 << 20
_PARQUET_MEMORY = 1 << 28
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Quotation marks that word processors and portals put around names: “ ” „ ‟ ″ « » and their single kin.
_TYPOGRAPHIC = dict.fromkeys(map(ord, "“”„‟″«»"), '"')
_AROUND_NAMES = " \t\r\n\ufeff\"'‘’‚‛"
_DELIMITERS = (",", ";", "\t", "|")
_EXCEL_HINT = re.compile(r"sep=(.)\r?", re.IGNORECASE)


class EmptyFile(Refusal):
    """The file has no bytes, or no text at all."""

    sentence = N_("%(file)s is empty: not even a header is in it. Fetch it again from the vendor.")


class TruncatedFile(Refusal):
    """A gzip or Parquet file ends before its end."""

    sentence = N_("%(file)s ends too early or is damaged (%(reason)s). Fetch it again from the vendor.")


class PackedFile(Refusal):
    """An archive or a workbook that is not read as it is."""

    sentence = N_(
        "%(file)s is a zip archive or a workbook: unpack it, or save the sheet as CSV, and give that file."
    )


class JsonArray(Refusal):
    """One JSON document instead of one object a line."""

    sentence = N_(
        "%(file)s is one JSON document. JSON lines are read: one object on each line, as the vendor exports."
    )


class RepeatedColumn(Refusal):
    """A column that is read stands twice in the header."""

    sentence = N_(
        "%(file)s has the column %(column)s twice, so it is not known which one is meant. Remove one."
    )


class Packing(StrEnum):
    """How the file's text is stored."""

    CSV = "csv"
    JSON_LINES = "json lines"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Header:
    """What is known of a file before its rows are read."""

    format: Format
    packing: Packing
    is_gzip: bool
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    # Where the rows begin in the unpacked text, in bytes. Only meaningful for UTF-8.
    body: int
    # How many lines stand before the first row.
    lines: int

    def position(self, column: str) -> int | None:
        """Give the place of a column of the format, whatever its case in this file."""
        for place, name in enumerate(self.names):
            if name.casefold() == column.casefold():
                return place
        return None

    @property
    def places(self) -> tuple[int, ...]:
        """The places of the columns that are read, in the order of the file."""
        found = (self.position(column) for column in self.format.columns)
        return tuple(sorted(place for place in found if place is not None))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns the format does not read: kept in the stored original and shown with `x_` before their name."""
        read = {column.casefold() for column in self.format.columns}
        return tuple(name for name in self.names if name.casefold() not in read)


def read_header(path: Path, *, name: str) -> Header:
    """Look at the beginning of a file. Raises a refusal that names the remedy."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise EmptyFile(file=name)
    is_gzip = head[:2] == b"\x1f\x8b"
    if is_gzip:
        head = _unpacked_head(path, name=name)
    if head[:4] == b"PK\x03\x04":
        raise PackedFile(file=name)
    if head[:4] == b"PAR1":
        return _parquet_header(path, name=name)
    encoding, mark = _encoding(head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head[mark:])
    start = len(text) - len(text.lstrip("\r\n \t\x00"))
    if start == len(text):
        raise EmptyFile(file=name)
    is_over_lines = text[start:].partition("\n")[0].strip() == "{"
    if text[start] == "[" or is_over_lines:
        raise JsonArray(file=name)
    if text[start] == "{":
        names = _json_names(text)
        return Header(recognise(names, file=name), Packing.JSON_LINES, is_gzip, encoding, "", names, mark, 0)
    return _csv_header(text, start=start, mark=mark, encoding=encoding, is_gzip=is_gzip, name=name)


def _unpacked_head(path: Path, *, name: str) -> bytes:
    try:
        with gzip.open(path) as stream:
            head = stream.read(1)
            if not head:
                raise EmptyFile(file=name)
            # A truncated file may still show its header; that it is truncated is found when it is unpacked whole.
            while len(head) < _HEAD and (more := stream.read1(_HEAD)):
                head += more
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TruncatedFile(file=name, reason=str(error)) from error
    return head


def _encoding(head: bytes) -> tuple[str, int]:
    """Tell the encoding and the length of the byte-order mark. UTF-16 without one shows by its zero bytes."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    sample = head[:400]
    if sample[1::2].count(0) > len(sample) // 3:
        return "utf-16-le", 0
    if sample[0::2].count(0) > len(sample) // 3:
        return "utf-16-be", 0
    return "utf-8", 0


def _csv_header(text: str, *, start: int, mark: int, encoding: str, is_gzip: bool, name: str) -> Header:
    start, line = _first_line(text, start)
    delimiters: tuple[str, ...] = _DELIMITERS
    if hint := _EXCEL_HINT.fullmatch(line):
        delimiters = (hint[1],)
        start, line = _first_line(text, start + len(line) + 1)
    delimiter, names = max(
        ((delimiter, _names_in(line, delimiter)) for delimiter in delimiters), key=lambda read: len(read[1])
    )
    found = recognise(names, file=name)
    _refuse_repeated(names, found, name=name)
    # Bytes up to the end of the header's line. `errors=replace` keeps positions right only for valid text, which
    # is all that is read without being repaired first.
    _, original = _first_line(text, start)
    end = start + len(original)
    body = mark + len(text[:end].encode(encoding, errors="replace"))
    lines = len((text[:end] + "\n").splitlines())
    ending = text[end : end + 2]
    body += len(("\r\n" if ending == "\r\n" else ending[:1]).encode(encoding))
    return Header(found, Packing.CSV, is_gzip, encoding, delimiter, names, body, lines)


def _names_in(line: str, delimiter: str) -> tuple[str, ...]:
    """Take a header's line apart. Quotation marks of any kind count; one without its twin stands for nothing."""
    line = line.translate(_TYPOGRAPHIC)
    if line.count('"') % 2:
        line = line.replace('"', "")
    return tuple(column.strip(_AROUND_NAMES) for column in next(csv.reader([line], delimiter=delimiter)))


def _first_line(text: str, start: int) -> tuple[int, str]:
    while start < len(text) and text[start] in "\r\n":
        start += 1
    found = re.compile(r"[^\r\n]*").match(text, start)
    return start, found[0] if found else ""


def _refuse_repeated(names: tuple[str, ...], found: Format, *, name: str) -> None:
    lowered = [column.casefold() for column in names]
    for column in found.columns:
        if lowered.count(column.casefold()) > 1:
            raise RepeatedColumn(file=name, column=column)


def _json_names(text: str) -> tuple[str, ...]:
    """Gather the attributes of the first lines: a vendor may leave out what is empty."""
    names: dict[str, None] = {}
    for line in text.splitlines()[:1000]:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            names |= dict.fromkeys(row)
    return tuple(names)


def _parquet_header(path: Path, *, name: str) -> Header:
    try:
        with open_engine(memory_limit=_PARQUET_MEMORY, threads=1) as connection:
            rows = connection.execute(
                f"SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet({quoted(str(path))}))"
            ).fetchall()
    except duckdb.Error as error:
        raise TruncatedFile(file=name, reason=str(error).splitlines()[0]) from error
    names = tuple(row[0] for row in rows)
    return Header(
        recognise(names, file=name),
        Packing.PARQUET,
        is_gzip=False,
        encoding="utf-8",
        delimiter="",
        names=names,
        lines=0,
        body=0,
    )
