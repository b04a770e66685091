"""Statements as files: the same lines in every format, exact, whole or not at all, and no cell that acts."""

import csv
import re
import zipfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest

from tests.commands.conftest import Month
from tests.commands.month import PERIOD
from tests.oracle.commands import STATEMENT_COLUMNS

PLAIN_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")
EXACT_COLUMNS = ("quantity", "basis_amount", "percent", "unit_price", "fx_rate")
FORMULA = '=HYPERLINK("http://x")'
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def export(month: Month, hop: str, format_: str, output: Path, *options: str, code: int = 0) -> Path:
    arguments = ["statements", "export", PERIOD, "--hop", hop, "--format", format_, "--output", str(output)]
    month.marketplace.run(*arguments, *options, code=code)
    return output


def worksheet(file: Path) -> list[list[tuple[str, str]]]:
    """Every cell of a workbook as its kind (`inlineStr`, `n`) and its text."""
    with zipfile.ZipFile(file) as book:
        root = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
    assert not list(root.iter(f"{SHEET}f")), "a workbook of statements holds no formula"
    return [
        [(cell.get("t", "n"), "".join(cell.itertext())) for cell in row.iter(f"{SHEET}c")]
        for row in root.iter(f"{SHEET}row")
    ]


def test_a_csv_begins_with_its_columns_and_no_byte_order_mark(month: Month, tmp_path: Path) -> None:
    file = export(month, "wholesale", "csv", tmp_path / "statements.csv")

    assert file.read_bytes().startswith(",".join(STATEMENT_COLUMNS).encode() + b"\r\n")


@pytest.mark.parametrize("hop", ["wholesale", "retail"])
def test_exact_numbers_have_no_exponent_and_no_trailing_noughts(month: Month, hop: str) -> None:
    numbers = [line[column] for line in month.lines(hop) for column in EXACT_COLUMNS if line[column]]

    assert [number for number in numbers if not PLAIN_DECIMAL.fullmatch(number)] == []


@pytest.mark.parametrize("hop", ["wholesale", "retail"])
def test_amounts_have_the_decimals_of_their_currency(month: Month, hop: str) -> None:
    decimals = {(line["currency"], len(line["amount"].partition(".")[2])) for line in month.lines(hop)}

    assert decimals <= {("EUR", 2), ("USD", 2), ("JPY", 0), ("KWD", 3)}


def test_who_sells_to_whom_is_told_by_reference(month: Month) -> None:
    wholesale = {(line["seller"], line["buyer"]) for line in month.lines("wholesale")}
    retail = {(line["seller"], line["buyer"]) for line in month.lines("retail")}

    assert wholesale == {("wholesaler", "R1"), ("wholesaler", "R2")}
    assert retail == {("R1", "C1"), ("R1", "C2"), ("R1", "C5"), ("R1", "C6"), ("R2", "C3")}


@pytest.mark.parametrize(
    ("hop", "options", "customers"),
    [
        ("wholesale", ["--seller", "wholesaler"], {"C1", "C2", "C3", "C4", "C5", "C6"}),
        ("wholesale", ["--buyer", "R2"], {"C3"}),
        ("wholesale", ["--seller", "wholesaler", "--buyer", "R1"], {"C1", "C2", "C4", "C5", "C6"}),
        ("retail", ["--seller", "R2"], {"C3"}),
        ("retail", ["--buyer", "C2"], {"C2"}),
        ("retail", ["--seller", "R1", "--buyer", "C1"], {"C1"}),
        ("retail", ["--seller", "R2", "--buyer", "C1"], set()),
    ],
)
def test_a_seller_and_a_buyer_narrow_the_file(
    month: Month, hop: str, options: list[str], customers: set[str]
) -> None:
    assert {line["customer"] for line in month.lines(hop, *options)} == customers


def test_a_cell_that_a_spreadsheet_would_run_is_guarded_in_csv(month: Month) -> None:
    (line,) = (line for line in month.lines("wholesale") if "HYPERLINK" in line["product"])

    assert (line["product"], line["sku"], line["meter"], line["unit"]) == (
        f"'{FORMULA}",
        "'@sku",
        "'+meter",
        "'-Hours",
    )


def test_negative_numbers_stay_numbers_in_csv(month: Month) -> None:
    (line,) = (line for line in month.lines("wholesale") if line["product"] == "Refund")

    assert (line["quantity"], line["basis_amount"], line["amount"]) == ("-1", "-0.005", "-0.01")


def test_a_workbook_holds_exact_decimals_and_guarded_texts_as_text(month: Month, tmp_path: Path) -> None:
    lines = month.lines("retail")

    heads, *rows = worksheet(export(month, "retail", "xlsx", tmp_path / "statements.xlsx"))

    assert [text for _, text in heads] == STATEMENT_COLUMNS
    assert [[text for _, text in row] for row in rows] == [list(line.values()) for line in lines]
    kinds = [dict(zip(STATEMENT_COLUMNS, (kind for kind, _ in row), strict=True)) for row in rows]
    assert {kind["amount"] for kind in kinds} | {kind["quantity"] for kind in kinds} == {"inlineStr"}


def test_parquet_holds_the_texts_as_they_are_and_every_digit(month: Month, tmp_path: Path) -> None:
    lines = month.lines("wholesale")

    table = pq.read_table(export(month, "wholesale", "parquet", tmp_path / "statements.parquet")).to_pylist()

    assert list(table[0]) == STATEMENT_COLUMNS
    assert FORMULA in [row["product"] for row in table]
    exact = ("line", "amount", "quantity", "basis_amount", "currency")
    assert [[row[name] for name in exact] for row in table] == [
        [line[name] for name in exact] for line in lines
    ]


@pytest.mark.parametrize("hop", ["wholesale", "retail"])
def test_focus_bills_the_buyers_own_price(month: Month, tmp_path: Path, hop: str) -> None:
    lines = {line["line"]: line for line in month.lines(hop)}

    with export(month, hop, "focus", tmp_path / "focus.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["x_StatementLineId"]: row for row in csv.DictReader(stream)}

    assert {line: (Fraction(row["BilledCost"]), row["BillingCurrency"]) for line, row in rows.items()} == {
        line: (Fraction(one["amount"]), one["currency"]) for line, one in lines.items()
    }
    assert {row["BillingAccountId"] for row in rows.values()} == {line["buyer"] for line in lines.values()}


def test_focus_says_nothing_of_what_the_seller_paid(month: Month, tmp_path: Path) -> None:
    paid = {line["basis_amount"] for line in month.lines("retail") if line["basis"] == "cost"}
    paid |= {line["amount"] for line in month.lines("wholesale") if Fraction(line["amount"])}
    sold = {line[name] for line in month.lines("retail") for name in ("amount", "quantity")}

    with export(month, "retail", "focus", tmp_path / "focus.csv").open(
        encoding="utf-8", newline=""
    ) as stream:
        cells = {cell for row in csv.DictReader(stream) for cell in row.values()}

    assert cells & (paid - sold) == set()


def test_focus_as_parquet_where_the_name_says_so(month: Month, tmp_path: Path) -> None:
    table = pq.read_table(export(month, "wholesale", "focus", tmp_path / "focus.parquet"))

    lines = month.lines("wholesale")
    assert table.num_rows == len(lines)
    assert sum(table["BilledCost"].to_pylist()) == sum(Decimal(line["amount"]) for line in lines)
    assert sum(table["PricingQuantity"].drop_null().to_pylist()) > 0


def test_a_file_appears_in_folders_that_were_not_there(month: Month, tmp_path: Path) -> None:
    file = export(month, "retail", "csv", tmp_path / "new" / "folder" / "statements.csv")

    assert [path.name for path in file.parent.iterdir()] == ["statements.csv"]


@pytest.mark.parametrize("place", ["", "old.csv/statements.csv", f"{'n' * 300}.csv"])
def test_where_nothing_can_be_written_nothing_is_left(month: Month, tmp_path: Path, place: str) -> None:
    (tmp_path / "old.csv").write_text("as it was")

    export(month, "retail", "csv", tmp_path / place, code=1)

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old.csv", "as it was")]
    assert not list(tmp_path.parent.glob(f".{tmp_path.name}*"))


def test_a_refused_export_leaves_the_old_file(month: Month, tmp_path: Path) -> None:
    file = tmp_path / "statements.csv"
    file.write_text("as it was")

    export(month, "retail", "csv", file, "--buyer", "nobody", code=1)

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("statements.csv", "as it was")]
