"""Microsoft's bill, checked by its own arithmetic: every printed line of its worked examples."""

import csv
import itertools
from datetime import date
from decimal import Decimal

import pytest

from marketplace.vendors.partner_center.bill_check import (
    CountedLine,
    LicenceLine,
    cut,
    effective_unit_price,
    licence_subtotal,
    seats_after,
    usage_effective_unit_price,
    usage_subtotal,
)
from tests.conformance.shared_data import shared

#: Printed by Microsoft with figures that do not follow from its own days: no test of anybody's arithmetic.
INCONSISTENT = {
    ("billing_plan_monthly_to_annual", "2"),
    ("legacy_to_nce_migration", "1"),
    ("legacy_to_nce_migration", "2"),
}
PROMOTED = {("promo_api_sample", "1"): Decimal(10)}
MARCH = [10, 15, 25, 23, 20, 30]


def printed(name: str) -> list[dict[str, str]]:
    with shared(f"figures/{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def line_of(row: dict[str, str]) -> LicenceLine:
    return LicenceLine(
        charge_type=row["charge_type"],
        unit_price=Decimal(row["unit_price"]),
        quantity=Decimal(row["billable_quantity"]),
        cycle_days=int(row["cycle_days"]),
        billed_days=int(row["billing_days"]),
        currency="EUR",
        is_taken_back=row["total_printed"].startswith("-"),
        discount_percent=PROMOTED.get((row["scenario"], row["seq"]), Decimal(0)),
    )


@pytest.mark.conformance
def test_every_printed_line_of_a_licence_comes_to_its_printed_total() -> None:
    rows = [
        row for row in printed("nce_worked_examples") if (row["scenario"], row["seq"]) not in INCONSISTENT
    ]

    found = {(row["scenario"], row["seq"]): licence_subtotal(line_of(row)) for row in rows}

    assert found == {(row["scenario"], row["seq"]): Decimal(row["total_printed"]) for row in rows}
    assert len(rows) >= 20


@pytest.mark.conformance
def test_the_printed_prices_of_days_are_those_of_the_days_to_the_digits_printed() -> None:
    rows = [
        row for row in printed("nce_worked_examples") if (row["scenario"], row["seq"]) not in INCONSISTENT
    ]

    for row in rows:
        exact, written = effective_unit_price(line_of(row)), Decimal(row["effective_unit_price_printed"])
        digits = -int(written.as_tuple().exponent)
        assert abs(exact - written) < Decimal(1).scaleb(-digits), row


@pytest.mark.conformance
def test_the_lines_that_are_no_oracle_are_indeed_inconsistent() -> None:
    rows = [row for row in printed("nce_worked_examples") if (row["scenario"], row["seq"]) in INCONSISTENT]
    months = {row["scenario"]: row for row in rows}["billing_plan_monthly_to_annual"]

    assert len(rows) == 3
    assert licence_subtotal(line_of(months)) != Decimal(months["total_printed"])


@pytest.mark.conformance
def test_effective_unit_prices_of_azure_meters() -> None:
    rows = printed("azure_plan_effective_unit_price")

    for row in rows:
        price = usage_effective_unit_price(
            Decimal(row["billable_consumption_units"]),
            Decimal(row["unit_price"]),
            earned_credit_percent=100 * (1 - Decimal(row["pec_factor"])),
            currency="USD",
        )
        assert price == Decimal(row["effective_unit_price_printed"])
    assert len(rows) == 3


def test_the_two_documented_formulas_differ_where_cents_are_cut() -> None:
    seats = LicenceLine("removeQuantity", Decimal("10.08"), Decimal(12), 30, 28, "EUR")
    cancelled = LicenceLine("cancelImmediate", Decimal("10.08"), Decimal(12), 30, 28, "EUR")

    assert licence_subtotal(seats) == Decimal("112.89")
    assert licence_subtotal(cancelled) == Decimal("112.80")


def test_charge_types_are_compared_whatever_their_case() -> None:
    line = LicenceLine("AddQuantity", Decimal("10.08"), Decimal(12), 30, 28, "EUR")

    assert licence_subtotal(line) == Decimal("112.89")


def test_usage_is_cut_before_and_after_the_exchange() -> None:
    amount = usage_subtotal(Decimal("0.333"), Decimal(10), fx_rate=Decimal("1.1"), currency="EUR")

    assert amount == Decimal("3.66")


@pytest.mark.parametrize(
    ("amount", "currency", "left"),
    [
        ("-94.299", "EUR", "-94.29"),
        ("0.019", "EUR", "0.01"),
        ("99.9", "JPY", "99"),
        ("1.2399", "KWD", "1.239"),
    ],
)
def test_cents_are_cut_towards_zero(amount: str, currency: str, left: str) -> None:
    assert cut(Decimal(amount), currency) == Decimal(left)


def march(changes: list[int], days: list[int]) -> list[CountedLine]:
    lines = [CountedLine("cycleCharge", date(2022, 3, 1), changes[0])]
    for (before, after), day in zip(itertools.pairwise(changes), days, strict=True):
        kind = "addQuantity" if after > before else "removeQuantity"
        on = date(2022, 3, day)
        lines += [CountedLine(kind, on, -before), CountedLine(kind, on, after)]
    return lines


def test_seats_are_counted_through_a_month_of_changes() -> None:
    lines = march(MARCH, [4, 9, 9, 15, 28])

    assert seats_after(lines) == 30
    assert seats_after([*lines, CountedLine("customerCredit", date(2022, 3, 30), -30)]) == 30


def test_changes_of_one_day_may_come_in_any_order() -> None:
    lines = march(MARCH, [4, 4, 4, 4, 4])

    assert seats_after([lines[0], *reversed(lines[1:])]) == 30


def test_a_new_cycle_starts_the_count_anew() -> None:
    lines = [*march(MARCH, [4, 9, 9, 15, 28]), CountedLine("Renew", date(2022, 4, 1), 28)]

    assert seats_after(lines) == 28


def test_a_subscription_without_a_whole_cycle_counts_what_changed() -> None:
    assert seats_after([CountedLine("convert", date(2022, 3, 4), 40)]) == 40
