"""Recognising a price list by its header and reading it whole: CSV, zipped or not, or the offers as JSON."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.price_files import matrix
from catalog.price_files.bands import reject_overlaps
from catalog.price_files.matrix import MatrixReader
from catalog.price_files.offers import read_offers
from catalog.price_files.rows import PriceFile
from catalog.price_files.sheets import COLUMNS, METER_COLUMNS, SheetReader
from catalog.words import PriceListKind, Segment
from marketplace.core.errors import N_, Refusal

__all__ = ["PriceFile", "read_price_file"]

_MOST_BYTES = 512 * 1024 * 1024
_ENCODINGS = ("utf-8-sig", "cp1252")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: Quotation marks that word processors put in place of the plain one.
_QUOTES = "\"'\u201c\u201d\u2018\u2019"


class NotAPriceList(Refusal):
    """The header is none we know."""

    sentence = N_(
        "%(file)s is no price list: its first line lacks %(missing)s. A licence or software list has the columns "
        "%(columns)s; an Azure plan sheet has MeterIds too; a catalogue of offers is JSON with `items`."
    )


class BrokenArchive(Refusal):
    """The zip file cannot be opened, or holds something else than one list."""

    sentence = N_("%(file)s must be a zip file with exactly one CSV or JSON file in it: %(reason)s.")


class NotReadable(Refusal):
    """The text is broken."""

    sentence = N_("%(file)s cannot be read from line %(line)s on: %(reason)s.")


def read_price_file(content: bytes, *, file: str, segment: Segment = Segment.COMMERCIAL) -> PriceFile:
    """Read a price list. `segment` is whom plans are for where rows do not say.

    Raises `NotAPriceList`, `BrokenArchive`, `NotReadable`; faulty rows are rejects, they refuse nothing.
    """
    if zipfile.is_zipfile(io.BytesIO(content)):
        content = _unzipped(content, file=file)
    text = _decoded(content)
    if text.lstrip().startswith(("{", "[")):
        return read_offers(_parsed(text, file=file), file=file)
    return _sheet(text, file=file, segment=segment)


def _unzipped(content: bytes, *, file: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = [one for one in archive.infolist() if not one.is_dir()]
            if len(inside) != 1:
                raise BrokenArchive(file=file, reason=f"{len(inside)} files")
            if inside[0].file_size > _MOST_BYTES:
                raise BrokenArchive(file=file, reason=f"{inside[0].file_size} bytes")
            return archive.read(inside[0])
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise BrokenArchive(file=file, reason=error) from error


def _decoded(content: bytes) -> str:
    if content.startswith(_UTF16_MARKS):
        return content.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _parsed(text: str, *, file: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NotReadable(file=file, line=error.lineno, reason=error.msg) from error


def _sheet(text: str, *, file: str, segment: Segment) -> PriceFile:
    lines = csv.reader(io.StringIO(text, newline=""), strict=False)
    header = [_name(cell) for cell in next(lines, [])]
    if all(_name(column) in header for column in matrix.COLUMNS):
        read = PriceFile(kind=PriceListKind.OFFERS)
        _read_rows(lines, header, read, MatrixReader(read, file=file), file=file)
        return read
    missing = [column for column in COLUMNS if _name(column) not in header]
    if missing:
        raise NotAPriceList(file=file, missing=", ".join(missing), columns=", ".join(COLUMNS))
    is_consumption = all(_name(column) in header for column in METER_COLUMNS)
    kind = PriceListKind.CONSUMPTION if is_consumption else PriceListKind.LICENCE
    read = PriceFile(kind=kind)
    _read_rows(lines, header, read, SheetReader(read, file=file, segment=segment), file=file)
    if read.plans and all(row.words.kind == "software" for row in read.plans):
        read.kind = PriceListKind.SOFTWARE
    reject_overlaps(read, file=file)
    return read


def _read_rows(
    lines: Any, header: Sequence[str], read: PriceFile, reader: SheetReader | MatrixReader, *, file: str
) -> None:
    try:
        for number, cells in _rows(lines, header):
            read.rows += 1
            reader.take(number, cells)
    except csv.Error as error:
        raise NotReadable(file=file, line=lines.line_num, reason=error) from error


def _rows(lines: Iterator[list[str]], header: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, cells in enumerate(lines, start=1):
        if any(cells):
            yield number, dict(zip(header, cells, strict=False))


def _name(column: str) -> str:
    """Give a column's name as it is compared: whatever its case, quotes and spaces."""
    return "".join(column.split()).strip(_QUOTES).casefold()
