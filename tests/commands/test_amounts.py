"""The month worked out by hand: every line, every document and every part of the vendor's bill, at both hops."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

import pytest

from tests.commands.conftest import Month
from tests.commands.month import RETAIL, WHOLESALE, Expected

DECIMALS = {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}
EXPECTED = {"wholesale": WHOLESALE, "retail": RETAIL}


def half_away(exact: Fraction, decimals: int) -> Fraction:
    unit = Fraction(1, 10**decimals)
    whole, rest = divmod(abs(exact), unit)
    rounded = (whole + (1 if rest * 2 >= unit else 0)) * unit
    return rounded if exact >= 0 else -rounded


def charge_of(line: dict[str, str]) -> str:
    """What tells lines of one product apart in this month."""
    if line["charge_category"] == "Credit" or line["charge_type"]:
        return line["charge_type"] or line["charge_category"]
    if line["basis"] == "fixed":
        return "from 2024-09-16" if line["charge_from"] == "2024-09-16" else "until 2024-09-16"
    return "committed" if line["charge_from"] == "2024-09-05" and line["customer"] == "C2" else ""


def found(lines: Iterable[dict[str, str]]) -> dict[tuple[str, str, str], dict[str, str]]:
    """Lines by what names them; a guard against formulas is taken off."""
    return {(line["customer"], line["product"].lstrip("'"), charge_of(line)): line for line in lines}


def named(expected: Expected) -> tuple[str, str, str]:
    return expected.customer, expected.product, expected.charge


@pytest.mark.parametrize("hop", EXPECTED)
def test_there_is_a_line_for_each_thing_bought_and_no_other(month: Month, hop: str) -> None:
    lines = month.lines(hop)

    assert sorted(found(lines)) == sorted(map(named, EXPECTED[hop]))
    assert len(lines) == len(EXPECTED[hop])


@pytest.mark.parametrize("hop", EXPECTED)
def test_each_line_bills_what_was_worked_out_by_hand(month: Month, hop: str) -> None:
    lines = found(month.lines(hop))

    assert {name: lines[name]["amount"] for name in map(named, EXPECTED[hop])} == {
        named(expected): expected.amount for expected in EXPECTED[hop]
    }


@pytest.mark.parametrize("hop", EXPECTED)
def test_the_printed_facts_of_a_line_multiply_to_its_exact_amount(month: Month, hop: str) -> None:
    lines = found(month.lines(hop))

    for expected in EXPECTED[hop]:
        line = lines[named(expected)]
        factor = Fraction(line["unit_price"]) if line["unit_price"] else 1 + Fraction(line["percent"]) / 100
        exact = Fraction(line["basis_amount"]) * factor * Fraction(line["fx_rate"])
        assert (line["basis"], exact) == (expected.basis, expected.exact), named(expected)


@pytest.mark.parametrize("hop", EXPECTED)
def test_each_document_is_its_exact_sum_rounded_once(month: Month, hop: str) -> None:
    billed: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for line in month.lines(hop):
        billed[line["customer"], line["currency"]] += Fraction(line["amount"])

    exact: dict[str, Fraction] = defaultdict(Fraction)
    for expected in EXPECTED[hop]:
        exact[expected.customer] += expected.exact
    assert billed == {
        (customer, currency): half_away(exact[customer], DECIMALS[currency]) for customer, currency in billed
    }


def test_totals_are_the_sums_of_the_documents(month: Month) -> None:
    totals = month.answers["close"]["totals"]

    # C1 5.23, C2 4.16, C4 0.78, C5 0.02, C6 -0.01.
    assert totals["wholesale"] == {"EUR": "10.18", "JPY": "2625"}
    # C1 6.28, C5 0.02, C6 -0.01; C2; C3. C4 waits for EUR>CHF.
    assert totals["retail"] == {"EUR": "6.29", "KWD": "5.532", "USD": "4.49"}


def test_the_vendors_bill_is_the_sum_of_its_parts(month: Month) -> None:
    figures = month.answers["close"]

    # B1 in USD: 21.70000004 is 21.70, of which 18.36500004 is on statements and 3.335 unmapped (the larger fraction,
    # .500004, gets the cent). B2 adds 1.50 on statements and 1.10 of tax.
    assert figures["totals"]["cost"] == {"EUR": "6.01", "GBP": "0.00", "USD": "19.87"}
    assert figures["unmapped"] == {"EUR": "0.00", "GBP": "0.00", "USD": "3.33"}
    assert figures["vendor_tax"] == {"EUR": "0.00", "GBP": "0.00", "USD": "1.10"}
    # C7 paid in pounds, and there is no rate from GBP to EUR.
    assert figures["parked"] == {"EUR": "0.00", "GBP": "4.00", "USD": "0.00"}
    assert figures["vendor_rounding"] == {"EUR": "0.00", "GBP": "0.00", "USD": "0.00"}
    assert figures["balance"] == {"ok": True, "difference": {"EUR": "0.00", "GBP": "0.00", "USD": "0.00"}}


def test_documents_without_a_rate_are_named_with_the_pair_they_wait_for(month: Month) -> None:
    waiting = month.answers["close"]["parked_documents"]

    assert {(one["hop"], one["customer"], one["pair"]) for one in waiting} == {
        ("retail", "C4", "EUR>CHF 2024-09"),
        ("wholesale", "C7", "GBP>EUR 2024-09"),
        ("retail", "C7", "GBP>EUR 2024-09"),
    }


def test_gaps_are_lines_priced_at_cost_for_want_of_a_rule_or_a_list_price(month: Month) -> None:
    # Retail: C2's formula (no list price), its credit and its committed usage; C3's storage (no rule).
    assert month.answers["close"]["rule_gaps"] == {"wholesale": 0, "retail": 4}


def test_rows_that_look_alike_are_all_billed(month: Month) -> None:
    line = found(month.lines("wholesale"))["C1", "Compute", ""]

    assert (line["source_rows"], line["quantity"], line["basis_amount"]) == ("3", "10.0000002", "1.00500004")


def test_usage_goes_to_whoever_had_the_account_on_its_day(month: Month) -> None:
    backups = [line for line in month.lines("wholesale") if line["product"] == "Backup"]

    assert [(line["customer"], line["quantity"]) for line in backups] == [("C1", "3")]
