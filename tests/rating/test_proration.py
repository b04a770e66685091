"""What a subscription's history is charged: Microsoft's examples without its cut cents, and what holds for all."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from catalog.words import BillingCycle, Term
from marketplace.rating.exact import plain
from marketplace.rating.proration import Charge, ChargeKind, Segment, UnitPrice, charges_of
from marketplace.rating.terms import term_end

NEW, RENEW, ADD, REMOVE = (
    ChargeKind.NEW,
    ChargeKind.RENEW,
    ChargeKind.ADD_QUANTITY,
    ChargeKind.REMOVE_QUANTITY,
)
MONTH = UnitPrice(Term.P1M, BillingCycle.MONTHLY, Decimal("10.08"), Decimal("12.60"))
YEAR = UnitPrice(Term.P1Y, BillingCycle.MONTHLY, Decimal("120.96"))
PREPAID = UnitPrice(Term.P1Y, BillingCycle.ANNUAL, Decimal("120.96"))


def day(text: str) -> date:
    return date.fromisoformat(text)


def segment(
    kind: ChargeKind,
    on: str,
    quantity: int,
    *,
    price: UnitPrice = MONTH,
    term: str = "",
    since: str = "",
    until: str = "",
) -> Segment:
    start = day(term or on)
    end = day(until) if until else term_end(start, price.term)
    return Segment(kind, day(on), day(since or on), quantity, price, start, end)


def figures(charges: list[Charge]) -> list[tuple[str, str, str, int, str]]:
    """Give kind, days, signed quantity and exact amount of each charge."""
    return [
        (c.kind.value, c.start.isoformat(), c.end.isoformat(), c.quantity, plain(c.cost)) for c in charges
    ]


def test_a_month_is_charged_whole() -> None:
    charges = list(charges_of([segment(NEW, "2021-06-18", 10)]))

    assert figures(charges) == [("new", "2021-06-18", "2021-07-18", 10, "100.8")]
    assert charges[0].listed == Decimal(126)


def test_a_year_paid_by_the_month_is_charged_twelve_times() -> None:
    charges = list(charges_of([segment(NEW, "2021-01-30", 10, price=YEAR)]))

    assert [c.kind.value for c in charges] == ["new", *["cycleCharge"] * 11]
    assert [c.billed_on.isoformat() for c in charges[:4]] == [
        "2021-01-30",
        "2021-02-27",
        "2021-03-30",
        "2021-04-29",
    ]
    assert {c.cost for c in charges} == {Decimal("100.8")}


def test_a_year_paid_at_once_is_charged_once() -> None:
    charges = list(charges_of([segment(NEW, "2021-06-18", 10, price=PREPAID)]))

    assert figures(charges) == [("new", "2021-06-18", "2022-06-18", 10, "1209.6")]


def test_seats_up_and_down_are_two_lines_each() -> None:
    history = [
        segment(NEW, "2021-06-18", 10),
        segment(ADD, "2021-06-20", 12, term="2021-06-18"),
        segment(REMOVE, "2021-06-20", 8, term="2021-06-18"),
    ]

    assert figures(list(charges_of(history))) == [
        ("new", "2021-06-18", "2021-07-18", 10, "100.8"),
        ("addQuantity", "2021-06-20", "2021-07-18", -10, "-94.08"),
        ("addQuantity", "2021-06-20", "2021-07-18", 12, "112.896"),
        ("removeQuantity", "2021-06-20", "2021-07-18", -12, "-112.896"),
        ("removeQuantity", "2021-06-20", "2021-07-18", 8, "75.264"),
    ]


def test_a_cancellation_gives_the_days_left_back() -> None:
    history = [
        segment(NEW, "2021-07-15", 10),
        segment(ChargeKind.CANCEL_IMMEDIATE, "2021-07-17", 0, term="2021-07-15"),
    ]

    charges = list(charges_of(history))

    assert figures(charges)[1][:4] == ("cancelImmediate", "2021-07-17", "2021-08-15", -10)
    assert abs(charges[1].cost + Decimal("100.8") * 29 / 31) < Decimal("1e-12")


def test_the_whole_price_comes_back_exactly_whatever_happened_in_between() -> None:
    history = [
        segment(NEW, "2021-07-15", 10),
        segment(ADD, "2021-07-15", 11, term="2021-07-15"),
        segment(ADD, "2021-07-16", 17, term="2021-07-15"),
        segment(ChargeKind.CANCEL_IMMEDIATE, "2021-07-16", 0, term="2021-07-15", since="2021-07-15"),
    ]

    charges = list(charges_of(history))

    assert sum(c.cost for c in charges) == 0
    assert sum(c.cycles for c in charges) == 0
    assert sum(c.listed or 0 for c in charges) == 0
    assert [(c.start.isoformat(), c.end.isoformat(), c.quantity) for c in charges[-2:]] == [
        ("2021-07-15", "2021-07-16", -11),
        ("2021-07-16", "2021-08-15", -17),
    ]


def test_an_upgrade_takes_back_the_old_and_charges_the_new_in_the_same_cycle() -> None:
    e1 = UnitPrice(Term.P1M, BillingCycle.MONTHLY, Decimal("6.43"))
    history = [
        segment(NEW, "2021-06-18", 300),
        segment(ChargeKind.CONVERT, "2021-06-25", 300, price=e1, term="2021-06-18"),
    ]

    taken_back, charged = list(charges_of(history))[1:]

    assert (taken_back.cost, taken_back.whole_days) == (Decimal("-2318.4"), 30)
    assert charged.quantity == 300
    assert abs(charged.unit_cost - Decimal("6.43") * 23 / 30) < Decimal("1e-15")


def test_a_longer_term_begins_at_once_and_takes_the_rest_of_the_shorter_one_back() -> None:
    history = [
        segment(NEW, "2026-01-10", 5),
        segment(ChargeKind.CONVERT, "2026-01-20", 5, price=YEAR),
    ]

    charges = list(charges_of(history))

    assert figures(charges)[1][:4] == ("convert", "2026-01-20", "2026-02-10", -5)
    assert figures(charges)[2] == ("convert", "2026-01-20", "2026-02-20", 5, "50.4")
    assert len(charges) == 3 + 11


def test_a_change_on_the_day_a_cycle_starts_comes_after_its_charge() -> None:
    history = [
        segment(NEW, "2026-01-10", 5, price=YEAR),
        segment(ADD, "2026-02-10", 6, price=YEAR, term="2026-01-10"),
    ]

    assert figures(list(charges_of(history)))[1:4] == [
        ("cycleCharge", "2026-02-10", "2026-03-10", 5, "50.4"),
        ("addQuantity", "2026-02-10", "2026-03-10", -5, "-50.4"),
        ("addQuantity", "2026-02-10", "2026-03-10", 6, "60.48"),
    ]


def test_a_renewal_on_the_day_its_term_ends_takes_nothing_back() -> None:
    history = [segment(NEW, "2026-01-31", 5), segment(RENEW, "2026-02-28", 4)]

    assert figures(list(charges_of(history))) == [
        ("new", "2026-01-31", "2026-02-28", 5, "50.4"),
        ("renew", "2026-02-28", "2026-03-28", 4, "40.32"),
    ]


def test_another_billing_plan_begins_with_the_next_charge_and_keeps_the_term() -> None:
    yearly = UnitPrice(Term.P3Y, BillingCycle.ANNUAL, Decimal(750))
    monthly = UnitPrice(Term.P3Y, BillingCycle.MONTHLY, Decimal(720))
    change = ChargeKind.CHANGE_BILLING_PLAN
    to_months = [
        segment(NEW, "2021-09-20", 10, price=yearly),
        segment(change, "2022-09-20", 10, price=monthly, term="2021-09-20"),
    ]
    to_years = [
        segment(NEW, "2021-09-20", 10, price=monthly),
        segment(change, "2021-10-20", 10, price=yearly, term="2021-09-20"),
    ]

    months, years = list(charges_of(to_months)), list(charges_of(to_years))

    assert figures(months)[:2] == [
        ("new", "2021-09-20", "2022-09-20", 10, "2500"),
        ("changeBillingPlan", "2022-09-20", "2022-10-20", 10, "200"),
    ]
    assert len(months) == 1 + 24
    # Days, not months: the vendor prints eleven twelfths of the year here.
    assert figures(years)[1][:4] == ("changeBillingPlan", "2021-10-20", "2022-09-20", 10)
    assert abs(years[1].cost - 2500 * Decimal(335) / 365) < Decimal("1e-12")
    assert len(years) == 2 + 2


def test_a_first_term_that_was_cut_pays_for_its_days() -> None:
    charges = list(charges_of([segment(NEW, "2022-07-15", 10, price=YEAR, until="2023-07-01")]))

    assert figures(charges)[-1][1:4] == ("2023-06-15", "2023-07-01", 10)
    assert charges[-1].part == Decimal("0.533333333333333333")
    assert abs(charges[-1].cost - Decimal("100.8") * 16 / 30) < Decimal("1e-12")


def test_a_trial_costs_nothing_and_its_conversion_begins_a_term() -> None:
    trial = UnitPrice(Term.P1M, BillingCycle.NONE, Decimal(0))
    paid = UnitPrice(Term.P1Y, BillingCycle.MONTHLY, Decimal("631.32"))
    history = [
        segment(NEW, "2021-06-25", 25, price=trial, until="2021-07-25"),
        segment(ChargeKind.CONVERT, "2021-06-25", 25, price=paid),
    ]

    assert figures(list(charges_of(history)))[:3] == [
        ("new", "2021-06-25", "2021-07-25", 25, "0"),
        ("convert", "2021-06-25", "2021-07-25", -25, "0"),
        ("convert", "2021-06-25", "2021-07-25", 25, "1315.25"),
    ]


@pytest.mark.parametrize("price", [MONTH, YEAR, PREPAID])
def test_the_price_of_days_is_right_to_eighteen_decimals(price: UnitPrice) -> None:
    history = [
        segment(NEW, "2024-01-30", 7, price=price),
        segment(ADD, "2024-02-13", 8, price=price, term="2024-01-30"),
    ]
    cycles = {"P1M": 1, "P1Y": 12}[price.term] if price.billing_cycle is BillingCycle.MONTHLY else 1

    for charge in list(charges_of(history))[:3]:
        exact = Fraction(price.cost) / cycles * (charge.end - charge.start).days / charge.whole_days
        assert abs(Fraction(charge.unit_cost) - exact) <= Fraction(1, 2 * 10**18)
