"""Tables as CSV, Excel and Parquet: exact decimals, and no cell that a spreadsheet would take for a formula."""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import IO
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from marketplace.core.errors import N_, Refusal
from marketplace.core.money import Money
from marketplace.core.period import DateRange, Period
from marketplace.core.rounding import round_half_away

#: What a cell may hold. Floats are left out on purpose.
Cell = str | int | bool | Decimal | Money | date | datetime | DateRange | Period | UUID | None

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_XLSX_MOST_ROWS = 1_048_575
_XLSX_EXACT = 10**15
_PARQUET_GROUP = 50_000
_NUMBER = pa.decimal128(38, 18)


class TooManyRowsForExcel(Refusal):
    """A worksheet ends somewhere."""

    sentence = N_("Excel holds %(most)s rows at most: narrow the list with its filters, or take it as CSV.")


def guarded(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def exported(cell: Cell) -> str:
    """Write a cell for a file: exact, the same in every language, money as an amount with its currency's code."""
    match cell:
        case str():
            text = guarded(cell)
        case None:
            text = ""
        case bool():
            text = "yes" if cell else "no"
        case Money():
            text = f"{cell.amount} {cell.currency}"
        case Decimal():
            text = f"{cell:f}"
        case datetime() | date():
            text = cell.isoformat()
        case DateRange():
            text = f"{cell.start or ''}/{cell.end or ''}"
        case int() | Period() | UUID():
            text = str(cell)
    return text


def write_csv(
    file: IO[bytes],
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    delimiter: str = ",",
    has_byte_order_mark: bool = True,
) -> None:
    """Write UTF-8, with the byte-order mark by which Excel knows the encoding unless a program is to read the file."""
    encoding = "utf-8-sig" if has_byte_order_mark else "utf-8"
    text = io.TextIOWrapper(file, encoding=encoding, newline="", write_through=False)
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(guarded(head) for head in heads)
    writer.writerows([exported(cell) for cell in row] for row in rows)
    text.flush()
    text.detach()


def write_xlsx(file: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write an Excel workbook in constant memory; exact decimals as text, since Excel keeps 15 digits."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True, "bottom": 1})
        sheet.write_row(0, 0, heads, bold)
        for number, row in enumerate(rows, start=1):
            if number > _XLSX_MOST_ROWS:
                raise TooManyRowsForExcel(most=_XLSX_MOST_ROWS)
            for position, cell in enumerate(row):
                if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) < _XLSX_EXACT:
                    sheet.write_number(number, position, cell)
                else:
                    sheet.write_string(number, position, exported(cell))
        sheet.set_column(0, max(0, len(heads) - 1), 18)


def write_parquet(
    file: IO[bytes],
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    numbers: Collection[str] = (),
) -> None:
    """Write Parquet: whole numbers and days typed, exact decimals and everything else as text.

    Columns named in `numbers` become decimals of 18 places, for readers that add them up: the 38 digits of a Parquet
    decimal do not hold every exact one.
    """
    source = iter(rows)
    first = list(islice(source, _PARQUET_GROUP))
    schema = pa.schema(
        [
            (head, _NUMBER if head in numbers else _type(position, first))
            for position, head in enumerate(heads)
        ]
    )
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        chunk = first
        while True:
            writer.write_table(_table(chunk, schema))
            chunk = list(islice(source, _PARQUET_GROUP))
            if not chunk:
                return


def _type(position: int, rows: Sequence[Sequence[Cell]]) -> pa.DataType:
    """Give a column's type by its values; text where they are mixed or all missing."""
    kinds = {type(row[position]) for row in rows} - {type(None)}
    if kinds == {int}:
        return pa.int64()
    return pa.date32() if kinds == {date} else pa.string()


def _table(rows: Sequence[Sequence[Cell]], schema: pa.Schema) -> pa.Table:
    columns = []
    for position, column in enumerate(schema):
        values = [row[position] for row in rows]
        if column.type == pa.string():
            texts = [None if v is None else v if isinstance(v, str) else exported(v) for v in values]
            columns.append(pa.array(texts, pa.string()))
        elif column.type == _NUMBER:
            columns.append(pa.array([_number(v) for v in values], _NUMBER))
        else:
            columns.append(pa.array(values, column.type))
    return pa.table(columns, schema=schema)


def _number(value: Cell) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value if value is None else round_half_away(value, _NUMBER.scale)
    raise TypeError("a column of numbers holds decimals alone")


def write_plain_csv(file: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write CSV for programs: commas, no byte-order mark."""
    write_csv(file, heads, rows, has_byte_order_mark=False)


WRITERS: dict[str, Callable[[IO[bytes], Sequence[str], Iterable[Sequence[Cell]]], None]] = {
    "csv": write_plain_csv,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
}
