"""Numbers and days as vendors write them: taken exactly, or not at all."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, localcontext

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.usage.engine import open_engine

_WHOLE_DIGITS, _DECIMALS = 20, 18


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(memory_limit=1 << 28, threads=1) as engine:
        yield engine


def said(engine: duckdb.DuckDBPyConnection, macro: str, text: str) -> object:
    row = engine.execute(f"SELECT {macro}(x) FROM (VALUES (?::VARCHAR)) t(x)", [text]).fetchone()
    assert row
    return row[0]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("-0.00", "0"),
        ("12", "12"),
        ("+12.5", "12.5"),
        ("-0.0000000000000001", "-0.0000000000000001"),
        ("0.000235520300000", "0.0002355203"),
        (".5", "0.5"),
        ("5.", "5"),
        (" 7.25 ", "7.25"),
        ("007", "7"),
        ("1.5E-05", "0.000015"),
        ("1.5e+3", "1500"),
        ("-2e2", "-200"),
        ("0.1234567890123456780000", "0.123456789012345678"),
        ("000000000000000000000000012.5", "12.5"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("1e-18", "0.000000000000000001"),
        ("0e-400", "0"),
        ("1e19", "10000000000000000000"),
    ],
)
def test_a_number_is_taken_with_every_digit(
    engine: duckdb.DuckDBPyConnection, text: str, number: str
) -> None:
    found = said(engine, "exact", text)

    assert found == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "-",
        "n/a",
        "NaN",
        "inf",
        "-Infinity",
        "1,234.56",
        "1.234,56",
        "0,5",
        "1 234",
        "1_000",
        "1'000",
        "$12",
        "12 EUR",
        "(12.50)",
        "12-",
        "--1",
        "0x1F",
        "1e",
        "1e5.5",
        "½",
        "١٢",
        "1\u00a0000",
        "true",
        "0.0000000000000000001",
        "1.0000000000000000001",
        "1e-19",
        "100000000000000000000",
        "1e20",
        "1e999",
        "1e-999",
    ],
)
def test_what_is_not_exactly_a_number_is_none(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    found = said(engine, "exact", text)

    assert found is None


@given(
    digits=st.integers(-(10**38) + 1, 10**38 - 1),
    scale=st.integers(-6, 44),
    written=st.sampled_from(("plain", "E", "e+")),
)
def test_any_decimal_is_taken_exactly_or_not_at_all(
    engine: duckdb.DuckDBPyConnection, digits: int, scale: int, written: str
) -> None:
    with localcontext(prec=100):
        number = Decimal(digits).scaleb(-scale)
        text = format(number, "f") if written == "plain" else f"{digits}{written[0]}{-scale}"
        fits = abs(number) < 10**_WHOLE_DIGITS and number == round(number, _DECIMALS)

        found = said(engine, "exact", text)

        assert found == (number if fits else None)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-09-30", date(2024, 9, 30)),
        ("2024-09-30T23:59:59Z", date(2024, 9, 30)),
        ("2024-09-30T00:00:00", date(2024, 9, 30)),
        ("2024-09-30 17:00:00", date(2024, 9, 30)),
        ("2024-09-30 17:00", date(2024, 9, 30)),
        ("2024-09-30T18:30:06.6045692Z", date(2024, 9, 30)),
        ("2024-09-30T18:30:06.6045692", date(2024, 9, 30)),
        ("2024-09-30 00:00:00.000 UTC", date(2024, 9, 30)),
        ("2024-09-30T00:00:00+00:00", date(2024, 9, 30)),
        ("2024-10-01T01:00:00+02:00", date(2024, 9, 30)),
        ("2024-09-29T23:00:00-05:00", date(2024, 9, 30)),
        ("9/30/2024", date(2024, 9, 30)),
        ("09/30/2024", date(2024, 9, 30)),
        ("9/1/2024", date(2024, 9, 1)),
        ("9/30/2024 12:00:00 AM", date(2024, 9, 30)),
        ("9/30/2024 0:00", date(2024, 9, 30)),
        ("9/30/2024 23:59:59", date(2024, 9, 30)),
        ("2/29/2024", date(2024, 2, 29)),
        # A spreadsheet's short form, as the FOCUS specification's own examples have it.
        ("4/1/25", date(2025, 4, 1)),
        ("2/4/2021 8:35:31 PM", date(2021, 2, 4)),
    ],
)
def test_a_day_is_read_as_vendors_write_it(engine: duckdb.DuckDBPyConnection, text: str, day: date) -> None:
    found = said(engine, "day_of", text)

    assert found == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-13-01",
        "2024-02-30",
        "30/9/2024",
        "2/29/2023",
        "30.09.2024",
        "20240930",
        "45565",
        "2024-09",
        "2024-09-30Tnoon",
        "2024-09-30 and more",
        "9/30/2024 25:00",
        "0001-01-01T00:00:00",
        "0001-01-01",
        "1/1/0001",
        "1753-01-01 00:00:00",
        "9999-12-31",
    ],
)
def test_what_is_no_real_day_is_none(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    found = said(engine, "day_of", text)

    assert found is None


@given(moment=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(8999, 12, 31)))  # noqa: DTZ001 - UTC is meant
def test_every_way_to_write_an_instant_gives_its_day(
    engine: duckdb.DuckDBPyConnection, moment: datetime
) -> None:
    month_first = f"{moment.month}/{moment.day}/{moment:%Y %H:%M:%S}"
    written = [f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}1Z", str(moment.date()), month_first]

    found = {said(engine, "day_of", text) for text in written}

    assert found == {moment.date()}


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2024-09-24 17:00:00", date(2024, 9, 25)),
        ("2024-09-25 00:00:00", date(2024, 9, 25)),
        ("2024-09-25T00:00:00.0000000Z", date(2024, 9, 25)),
        ("2024-10-01", date(2024, 10, 1)),
    ],
)
def test_an_exclusive_end_within_a_day_includes_the_day(
    engine: duckdb.DuckDBPyConnection, text: str, end: date
) -> None:
    row = engine.execute("SELECT end_of(moment_of(?))", [text]).fetchone()

    assert row == (end,)
