"""When terms end and charges fall due: the vendor's printed days, awkward ones, and what holds for all of them."""

import csv
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.words import BillingCycle, Term
from marketplace.rating.terms import (
    calendar_end,
    charge_cycles,
    coterminous_end,
    cycles_in_term,
    months_later,
    term_end,
)
from tests.conformance.shared_data import shared

DAY = timedelta(days=1)
PAIRS = [
    (Term.P1M, BillingCycle.MONTHLY),
    (Term.P1Y, BillingCycle.MONTHLY),
    (Term.P1Y, BillingCycle.ANNUAL),
    (Term.P3Y, BillingCycle.MONTHLY),
    (Term.P3Y, BillingCycle.ANNUAL),
    (Term.P3Y, BillingCycle.TRIENNIAL),
]
days = st.dates(date(2019, 1, 1), date(2040, 12, 31))


def printed(name: str) -> list[dict[str, str]]:
    with shared(f"figures/{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.conformance
def test_monthly_terms_end_on_the_printed_days() -> None:
    rows = printed("p1m_term_end_dates")

    ends = {row["subscription_start"]: term_end(day(row["subscription_start"]), Term.P1M) for row in rows}

    assert len(ends) == 10
    assert ends == {row["subscription_start"]: day(row["renew_date"]) for row in rows}
    assert all(day(row["subscription_end"]) + DAY == ends[row["subscription_start"]] for row in rows)


@pytest.mark.conformance
@pytest.mark.parametrize("anchor", ["2021-01-31", "2021-01-30"])
def test_charges_of_a_year_paid_by_the_month_fall_on_the_printed_days(anchor: str) -> None:
    rows = [row for row in printed("p1y_monthly_plan_charge_cycles") if row["subscription_start"] == anchor]
    start = day(anchor)

    cycles = charge_cycles(start, term_end(start, Term.P1Y), Term.P1Y, BillingCycle.MONTHLY)

    assert [(cycle.start, cycle.end - DAY) for cycle in cycles] == [
        (day(row["charge_start"]), day(row["charge_end"])) for row in rows
    ]
    assert len(rows) == 12


@pytest.mark.conformance
def test_first_terms_are_aligned_as_printed() -> None:
    # The row of P1M aligned with a subscription is printed with a span that fits neither its days nor its term.
    rows = [row for row in printed("coterm_examples") if "do not use as oracle" not in row["note"]]
    others = {
        "one-year ending 2022-10-01": Term.P1Y,
        "three-year ending 2022-10-01": Term.P3Y,
        "1Y/3Y ending 2022-10-01": Term.P3Y,
    }

    assert len(rows) == 6
    for row in rows:
        start, term = day(row["purchase_date"]), Term(row["term"])
        if row["mode"] == "calendar":
            end: date | None = calendar_end(start, term)
        else:
            other = others[row["aligned_to"]]
            end = coterminous_end(start, term, other_end=date(2022, 10, 2), other_term=other)
        assert end == day(row["first_term_end"]) + DAY == day(row["next_term_start"]), row
        assert term_end(end, term) == day(row["next_term_end"]) + DAY, row


@pytest.mark.parametrize(
    ("start", "term", "end"),
    [
        ("2023-01-31", Term.P1M, "2023-02-28"),
        ("2024-01-31", Term.P1M, "2024-02-29"),
        ("2024-02-29", Term.P1Y, "2025-02-28"),
        ("2024-02-29", Term.P3Y, "2027-02-28"),
        ("2023-02-28", Term.P1Y, "2024-02-28"),
        ("2026-12-31", Term.P1M, "2027-01-31"),
        ("2026-03-29", Term.P1M, "2026-04-29"),
    ],
)
def test_terms_from_awkward_days(start: str, term: Term, end: str) -> None:
    assert term_end(day(start), term) == day(end)


@pytest.mark.parametrize(
    ("start", "starts"),
    [
        ("2023-01-29", ["2023-01-29", "2023-02-28", "2023-03-29", "2023-04-29"]),
        ("2024-01-29", ["2024-01-29", "2024-02-29", "2024-03-29"]),
        ("2023-01-28", ["2023-01-28", "2023-02-28", "2023-03-28", "2023-04-28"]),
        ("2023-06-29", ["2023-06-29", "2023-07-30", "2023-08-30", "2023-09-29"]),
        ("2023-06-28", ["2023-06-28", "2023-07-28", "2023-08-28"]),
        ("2023-02-28", ["2023-02-28", "2023-03-31", "2023-04-30"]),
        ("2024-02-28", ["2024-02-28", "2024-03-30", "2024-04-29"]),
        ("2024-02-29", ["2024-02-29", "2024-03-31", "2024-04-30"]),
        ("2022-02-21", ["2022-02-21", "2022-03-21", "2022-04-21"]),
    ],
)
def test_monthly_charges_of_terms_that_start_late_in_a_month(start: str, starts: list[str]) -> None:
    cycles = charge_cycles(day(start), term_end(day(start), Term.P1Y), Term.P1Y, BillingCycle.MONTHLY)

    assert [cycle.start.isoformat() for cycle in cycles[: len(starts)]] == starts


def test_three_years_paid_by_the_year_are_charged_on_the_anniversary() -> None:
    cycles = charge_cycles(date(2024, 2, 29), date(2027, 2, 28), Term.P3Y, BillingCycle.ANNUAL)

    assert [(cycle.start.isoformat(), cycle.whole_days) for cycle in cycles] == [
        ("2024-02-29", 365),
        ("2025-02-28", 365),
        ("2026-02-28", 365),
    ]


def test_a_first_term_that_was_cut_pays_for_its_days_of_a_whole_cycle() -> None:
    start = date(2022, 7, 15)

    monthly = charge_cycles(start, calendar_end(start, Term.P1Y), Term.P1Y, BillingCycle.MONTHLY)
    annual = charge_cycles(start, date(2022, 10, 2), Term.P1Y, BillingCycle.ANNUAL)

    assert (monthly[-1].start, monthly[-1].end) == (date(2023, 6, 15), date(2023, 7, 1))
    assert (monthly[-1].days, monthly[-1].whole_days) == (16, 30)
    assert [(cycle.days, cycle.whole_days) for cycle in annual] == [(79, 365)]


def test_a_term_ends_with_no_renewal_of_one_that_is_over_or_too_far() -> None:
    start = date(2026, 3, 10)

    assert coterminous_end(start, Term.P1M, other_end=date(2026, 6, 1), other_term=Term.P1Y) is None
    assert coterminous_end(start, Term.P1Y, other_end=date(2026, 3, 10), other_term=Term.P1Y) == date(
        2027, 3, 10
    )


def test_a_cycle_longer_than_its_term_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than the term"):
        cycles_in_term(Term.P1M, BillingCycle.ANNUAL)


@given(start=days, pair=st.sampled_from(PAIRS))
def test_cycles_fill_their_term_without_gap_or_overlap(start: date, pair: tuple[Term, BillingCycle]) -> None:
    term, billing_cycle = pair
    end = term_end(start, term)

    cycles = charge_cycles(start, end, term, billing_cycle)

    assert (cycles[0].start, cycles[-1].end) == (start, end)
    assert all(one.end == following.start for one, following in pairwise(cycles))
    assert all(cycle.days == cycle.whole_days > 0 for cycle in cycles)
    assert len(cycles) == cycles_in_term(term, billing_cycle)


@given(start=days, pair=st.sampled_from(PAIRS), share=st.floats(0, 1, exclude_min=True))
def test_cycles_of_a_cut_term_are_those_of_the_whole_one(
    start: date, pair: tuple[Term, BillingCycle], share: float
) -> None:
    term, billing_cycle = pair
    natural = term_end(start, term)
    end = start + max(DAY, timedelta(days=int((natural - start).days * share)))

    cut = charge_cycles(start, end, term, billing_cycle)
    whole = charge_cycles(start, natural, term, billing_cycle)

    assert cut[-1].end == end
    assert [(one.start, one.whole_days) for one in cut] == [
        (one.start, one.whole_days) for one in whole[: len(cut)]
    ]


@given(start=days, months=st.integers(0, 60))
def test_months_later_never_leaves_its_month(start: date, months: int) -> None:
    later = months_later(start, months)

    assert (later.year - start.year) * 12 + later.month - start.month == months
    assert later.day <= start.day


def test_what_is_billed_as_it_is_used_has_no_charges_of_its_own() -> None:
    start = date(2026, 6, 18)

    assert charge_cycles(start, date(2026, 6, 19), Term.ONE_TIME, BillingCycle.NONE) == []
