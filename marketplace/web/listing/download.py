"""The rows of a list as CSV or Excel: exactly what is filtered, amounts beside their currencies."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any

from flask import Response, send_file
from flask_babel import gettext

from marketplace.core.money import Money
from marketplace.documents.tables import Cell, write_csv, write_xlsx
from marketplace.web.listing.columns import Column, Kind, Row
from marketplace.web.preferences import language

_IN_MEMORY = 4 * 1024 * 1024


def download(columns: Sequence[Column[Row]], rows: Iterable[Row], *, name: str, format_: str) -> Response:
    """Give rows as a file of one of the `EXPORTS`."""
    exported = [column for column in columns if column.is_exported and column.kind is not Kind.ACTION]
    heads = [head for column in exported for head in _heads(column)]
    cells = ([cell for column in exported for cell in _cells(column, row)] for row in rows)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - send_file closes it
    EXPORTS[format_](file, heads, cells)
    file.seek(0)
    return send_file(
        file, mimetype=_MEDIA_TYPES[format_], as_attachment=True, download_name=f"{name}.{format_}"
    )


def _heads(column: Column[Any]) -> list[str]:
    label = gettext(column.label)
    # An amount and its currency stand in two columns, so that a spreadsheet can add up the first.
    return [label, gettext("%(column)s, currency", column=label)] if column.kind is Kind.MONEY else [label]


def _cells(column: Column[Row], row: Row) -> list[Cell]:
    match column.value(row):
        case Money() as one if column.kind is Kind.MONEY:
            return [one.amount, one.currency]
        case (Money() as one,):
            return [one.amount, one.currency]
        case tuple() as several:  # amounts of several currencies are never added up
            return [
                "; ".join(f"{one.amount:f}" for one in several),
                "; ".join(one.currency for one in several),
            ]
        case cell:
            return [cell, None] if column.kind is Kind.MONEY else [cell]


def _write_csv(file: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write CSV as the reader's Excel takes it: a French one wants `;` between cells."""
    write_csv(file, heads, rows, delimiter=";" if language() == "fr" else ",")


EXPORTS: dict[str, Callable[[IO[bytes], Sequence[str], Iterable[Sequence[Cell]]], None]] = {
    "csv": _write_csv,
    "xlsx": write_xlsx,
}
_MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
