"""What people type in a cell: read exactly, or refused with what to write instead."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.cells import (
    Unusable,
    country_code,
    currency_code,
    day_or_open,
    decimal_number,
    email_or_blank,
    with_decimal_comma,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.5", "12.5"),
        ("-12.5", "-12.5"),
        ("+.5", "0.5"),
        ("7.", "7"),
        ("0.0000000123", "0.0000000123"),
        ("12.3456789012345678901234567890123", None),
        ("12.34567890123456789012345678901", "12.34567890123456789012345678901"),
        ("1e-7", "0.0000001"),
        ("99999999999999999999", "99999999999999999999"),
        ("100000000000000000000", None),
        ("1e400", None),
        ("1,5", None),
        ("12.5 %", None),
        ("1 000", None),
        ("nan", None),
        ("Infinity", None),
        ("\u0661", None),
        ("--1", None),
        ("", None),
    ],
)
def test_a_number_is_exact_or_refused(text: str, number: str | None) -> None:
    try:
        read = decimal_number(text)
    except Unusable:
        assert number is None
    else:
        assert number is not None
        assert read == Decimal(number)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=12))
def test_a_number_that_is_written_plainly_is_read_as_it_is(number: Decimal) -> None:
    assert decimal_number(f"{number:f}") == number


@pytest.mark.parametrize(
    ("typed", "read"),
    [("12,5", "12.5"), ("12,5 %", "12.5"), ("1\u202f234,5", "1234.5"), ("1.234,5", "1.234,5"), ("7", "7")],
)
def test_forms_take_a_comma_where_it_means_one_thing(typed: str, read: str) -> None:
    assert with_decimal_comma(typed) == read


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024-02-29", date(2024, 2, 29)), ("", None), ("0001-01-01", date(1, 1, 1))],
)
def test_a_day_is_read(text: str, day: date | None) -> None:
    assert day_or_open(text) == day


@pytest.mark.parametrize("text", ["2023-02-29", "20240901", "2024-W36-1", "01/09/2024", "2024-9-1", "today"])
def test_what_is_not_a_day_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(Unusable, match="write 2024-09-01"):
        day_or_open(text)


@pytest.mark.parametrize(("text", "code"), [("eur", "EUR"), ("KWD", "KWD")])
def test_a_currency_is_read_in_either_case(text: str, code: str) -> None:
    assert currency_code(text) == code


@pytest.mark.parametrize("text", ["", "EURO", "XXX", "DEM", "€"])
def test_what_is_no_currency_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match="ISO 4217"):
        currency_code(text)


@pytest.mark.parametrize(
    ("text", "remedy"), [("UK", "write GB"), ("EL", "write GR"), ("XX", "such as FR"), ("", "FR")]
)
def test_what_is_no_country_is_refused_with_what_was_meant(text: str, remedy: str) -> None:
    with pytest.raises(Unusable, match=remedy):
        country_code(text)


@pytest.mark.parametrize("text", ["", "a@example.test", "first.last+tag@sub.example.co.uk", "é@exemple.fr"])
def test_an_address_is_looked_at_for_its_form_alone(text: str) -> None:
    assert email_or_blank(text) == text


@pytest.mark.parametrize(
    "text", ["a@b", "@example.com", "a b@example.com", "a@@example.com", "a..b@example.com", "a@example."]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match="is not an e-mail address"):
        email_or_blank(text)
