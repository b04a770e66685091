"""A price rule as it is typed: what is taken, what is refused and why, and how it is said."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.cells import FaultyEntry
from resellers.rules.price_rules import COLUMNS, read_rule, rule_as_json, rule_words

COST = {"hop": "retail", "basis": "cost", "percent": "12.5"}
FIXED = {"hop": "retail", "basis": "fixed", "unit_price": "0.05", "currency": "EUR"}


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (COST, "cost +12.5 % for everything"),
        ({**COST, "percent": "0"}, "cost for everything"),
        ({**COST, "percent": "-10.00"}, "cost -10 % for everything"),
        ({**COST, "basis": "LIST", "percent": "-10"}, "list -10 % for everything"),
        (FIXED, "0.05 EUR a unit for everything"),
        ({**FIXED, "unit_price": "1e-7"}, "0.0000001 EUR a unit for everything"),
        ({**COST, "percent": "12.345678901234567890"}, "cost +12.34567890123456789 % for everything"),
        ({**COST, "reseller": "R1", "vendor": "aws"}, "cost +12.5 % for reseller R1, vendor aws"),
        (
            {**COST, "customer": "C1", "vendor": "aws", "product": "EC2", "sku": "K"},
            "cost +12.5 % for customer C1, SKU K of EC2 (aws)",
        ),
        (
            {**COST, "valid_from": "2024-01-01", "valid_until": "2024-07-01"},
            "cost +12.5 % for everything, from 2024-01-01 until 2024-07-01",
        ),
        ({**COST, "valid_until": "2024-07-01"}, "cost +12.5 % for everything, until 2024-07-01"),
    ],
)
def test_a_rule_is_said_in_a_line(cells: dict[str, str], words: str) -> None:
    assert rule_words(read_rule(cells)) == words


@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        ({**COST, "hop": "both"}, ["hop"]),
        ({**COST, "hop": ""}, ["hop"]),
        ({**COST, "basis": "price"}, ["basis"]),
        ({**COST, "percent": ""}, ["percent"]),
        ({**COST, "percent": "12.5%"}, ["percent"]),
        ({**COST, "unit_price": "1"}, ["unit_price"]),
        ({**COST, "currency": "EUR"}, ["currency"]),
        ({**COST, "basis": "list", "currency": "EUR"}, ["currency"]),
        ({**FIXED, "percent": "1"}, ["percent"]),
        ({**FIXED, "currency": ""}, ["currency"]),
        ({**FIXED, "unit_price": ""}, ["unit_price"]),
        ({**FIXED, "currency": "EUX"}, ["currency"]),
        ({**COST, "sku": "K"}, ["sku"]),
        ({**COST, "sku": "K", "vendor": "aws"}, ["sku"]),
        ({**COST, "product": "EC2"}, ["product"]),
        ({**COST, "valid_from": "2024-07-01", "valid_until": "2024-06-30"}, ["valid_until"]),
        ({**COST, "valid_from": "1 July"}, ["valid_from"]),
        ({"hop": "x", "basis": "y", "percent": "z", "sku": "K"}, ["hop", "sku", "basis", "percent"]),
    ],
)
def test_each_faulty_cell_is_named(cells: dict[str, str], columns: list[str]) -> None:
    with pytest.raises(FaultyEntry) as raised:
        read_rule(cells)

    assert [fault.column for fault in raised.value.rows] == columns


def test_a_comma_is_a_decimal_point_in_forms_alone() -> None:
    assert read_rule({**COST, "percent": "12,5 %"}, allow_comma=True).price.percent == Decimal("12.5")
    with pytest.raises(FaultyEntry):
        read_rule({**COST, "percent": "12,5"})


def test_a_rule_that_ends_on_its_first_day_holds_on_no_day() -> None:
    assert read_rule({**COST, "valid_from": "2024-07-01", "valid_until": "2024-07-01"}).span.is_empty


@given(st.decimals(min_value=-1000, max_value=1000, places=20, allow_nan=False, allow_infinity=False))
def test_what_the_audit_keeps_reads_as_the_same_rule(percent: Decimal) -> None:
    terms = read_rule({**COST, "percent": f"{percent:f}", "valid_from": "2024-07-01"})

    cells = rule_as_json(terms)

    assert set(cells) == set(COLUMNS)
    assert read_rule(cells) == terms
