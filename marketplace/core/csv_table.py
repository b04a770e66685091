"""Tables people prepare in a spreadsheet: UTF-8 CSV with a header, read whole or refused whole.

All named columns must be there, in any order; a column nobody knows is refused by name, since it may be a known one
misspelt, whose values would silently be lost.
"""

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from marketplace.core.cells import FaultyEntry
from marketplace.core.errors import N_, FaultyRow, Phrase, Refusal

_LONGEST_SHOWN = 200


class NotUtf8(Refusal):
    """The bytes are not UTF-8 text."""

    sentence = N_(
        "%(file)s is not UTF-8 text (line %(line)s). In a spreadsheet choose “Save as”, “CSV UTF-8 (comma delimited)”."
    )


class NoHeader(Refusal):
    """The file is empty."""

    sentence = N_("%(file)s is empty. Its first line must name these columns: %(columns)s.")


class WrongSeparator(Refusal):
    """Columns are separated by something else than commas."""

    sentence = N_("%(file)s separates its columns by “%(separator)s”. Save it with commas: %(columns)s.")


class UnknownColumns(Refusal):
    """The header names columns this kind of file does not have."""

    sentence = N_(
        "%(file)s has columns that are not known: %(unknown)s. Remove or rename them; known are: %(columns)s."
    )


class MissingColumns(Refusal):
    """The header lacks columns."""

    sentence = N_("%(file)s lacks the columns %(missing)s. Its first line must name: %(columns)s.")


class RepeatedColumns(Refusal):
    """The header names a column twice."""

    sentence = N_("%(file)s names a column twice: %(repeated)s. Remove one of them.")


class BrokenCsv(Refusal):
    """Quotes do not match, or a cell is longer than any cell can be."""

    sentence = N_(
        "%(file)s cannot be read from line %(line)s on (%(reason)s). Look for a quotation mark that is not closed."
    )


class FaultyFile(Refusal):
    """Some rows cannot be used, so nothing of the file was. `rows` names each."""

    sentence = N_(
        "Nothing of %(file)s was imported, since %(count)s of its values cannot be used. "
        "Row %(row)s, %(column)s “%(value)s”: %(reason)s"
    )


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row: its number, counted from 1 below the header, and its cells by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What an import did, or with `dry_run` would do. `warnings` name rows that were taken but look mistaken."""

    file: str
    kind: str
    rows: int
    added: int
    changed: int
    unchanged: int
    dry_run: bool
    warnings: tuple[FaultyRow, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Give the result as it is printed with `--json`."""
        return {**vars(self), "warnings": [warning.as_dict() for warning in self.warnings]}


@dataclass
class Faults:
    """The faulty values of a file, collected so that all can be told at once."""

    file: str
    rows: list[FaultyRow] = field(default_factory=list)

    def add(self, row: int, column: str, value: str, reason: Phrase) -> None:
        """Note one."""
        self.rows.append(faulty_row(self.file, row, column, value, reason))

    def add_entry(self, row: int, entry: FaultyEntry) -> None:
        """Note every faulty cell of a row."""
        self.rows.extend(
            replace(fault, file=self.file, row=row, value=fault.value[:_LONGEST_SHOWN])
            for fault in entry.rows
        )

    def check(self) -> None:
        """Raise `FaultyFile` if there are any, in the order of the rows."""
        if not self.rows:
            return
        rows = sorted(self.rows, key=lambda fault: fault.row)
        first = rows[0]
        raise FaultyFile(
            rows,
            file=self.file,
            count=len(rows),
            row=first.row,
            column=first.column,
            value=first.value,
            reason=first.reason,
        )


def faulty_row(file: str, row: int, column: str, value: str, reason: Phrase) -> FaultyRow:
    """Name a value of a file, cut where it is too long to show."""
    return FaultyRow(file=file, row=row, column=column, value=value[:_LONGEST_SHOWN], reason=reason)


def read_table(content: bytes, *, file: str, columns: Sequence[str]) -> tuple[list[TableRow], Faults]:
    """Give the rows that have the right cells, and the faults of the others. Blank lines count but are left out."""
    reader = csv.reader(io.StringIO(_decoded(content, file=file), newline=""), strict=True)
    faults = Faults(file)
    rows: list[TableRow] = []
    try:
        header = _header(next(reader, []), file=file, columns=columns)
        for number, cells in enumerate(reader, start=1):
            if any(map(str.strip, cells)):
                _read_row(number, cells, header, rows=rows, faults=faults)
    except csv.Error as error:
        raise BrokenCsv(file=file, line=reader.line_num, reason=error) from error
    return rows, faults


def _decoded(content: bytes, *, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotUtf8(file=file, line=content.count(b"\n", 0, error.start) + 1) from error


def _header(cells: Sequence[str], *, file: str, columns: Sequence[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    expected = ",".join(columns)
    if not any(header):
        raise NoHeader(file=file, columns=expected)
    for separator in (";", "\t", "|"):
        if len(header) == 1 and separator in header[0]:
            raise WrongSeparator(
                file=file, separator="tab" if separator == "\t" else separator, columns=expected
            )
    if unknown := [name or "(blank)" for name in header if name not in columns]:
        raise UnknownColumns(file=file, unknown=", ".join(unknown), columns=expected)
    if repeated := sorted({name for name in header if header.count(name) > 1}):
        raise RepeatedColumns(file=file, repeated=", ".join(repeated))
    if missing := [name for name in columns if name not in header]:
        raise MissingColumns(file=file, missing=", ".join(missing), columns=expected)
    return header


def _read_row(
    number: int, cells: list[str], header: list[str], *, rows: list[TableRow], faults: Faults
) -> None:
    if len(cells) != len(header):
        reason = N_("has %(cells)s cells where the header has %(columns)s: quote cells that contain commas")
        faults.add(number, "", ",".join(cells), Phrase.of(reason, cells=len(cells), columns=len(header)))
        return
    row = dict(zip(header, map(str.strip, cells), strict=True))
    strange = [name for name, cell in row.items() if not cell.isprintable() and _has_control_character(cell)]
    for name in strange:
        faults.add(
            number, name, row[name], Phrase.of(N_("contains a line break or another control character"))
        )
    if not strange:
        rows.append(TableRow(number, row))


def _has_control_character(text: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in text)
