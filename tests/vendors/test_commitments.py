"""What vendors hold their buyers to, by day: a table of what is written in the files, and that they make sense."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from catalog.words import BillingCycle, Term
from marketplace.vendors.commitments import KINDS, Rulebook, rulebook, rules_kind

P1M, P1Y, P3Y = Term.P1M, Term.P1Y, Term.P3Y
MONTHLY, ANNUAL, TRIENNIAL = BillingCycle.MONTHLY, BillingCycle.ANNUAL, BillingCycle.TRIENNIAL
MICROSOFT = rulebook("microsoft")
HOURS = timedelta(hours=1)


@pytest.mark.parametrize(
    ("day", "kind", "window", "full_refund"),
    [
        (date(2021, 10, 13), "licence", 0, 0),
        (date(2022, 2, 28), "licence", 72, 24),
        (date(2022, 3, 1), "licence", 168, 24),
        (date(2026, 11, 25), "licence", 168, 24),
        (date(2026, 11, 25), "software", 168, 0),
        (date(2026, 11, 25), "perpetual", 720, 720),
        (date(2026, 11, 25), "trial", 0, 0),
    ],
)
def test_windows(day: date, kind: str, window: int, full_refund: int) -> None:
    rules = MICROSOFT.on(day, kind)

    assert (rules.window, rules.full_refund) == (window * HOURS, full_refund * HOURS)


@pytest.mark.parametrize(
    ("day", "term", "billing_cycle", "percent"),
    [
        (date(2022, 2, 28), P1M, MONTHLY, 0),
        (date(2022, 3, 1), P1M, MONTHLY, 20),
        (date(2025, 3, 31), P1Y, MONTHLY, 0),
        (date(2025, 4, 1), P1Y, MONTHLY, 5),
        (date(2025, 4, 1), P1M, MONTHLY, 20),
        (date(2025, 4, 1), P1Y, ANNUAL, 0),
    ],
)
def test_premiums(day: date, term: Term, billing_cycle: BillingCycle, percent: int) -> None:
    assert MICROSOFT.on(day, "licence").premium(term, billing_cycle) == percent


def test_a_year_paid_by_the_month_costs_what_was_printed() -> None:
    premium = MICROSOFT.on(date(2026, 1, 15), "licence").premium(P1Y, MONTHLY)

    assert Decimal(150) * (100 + premium) / 100 / 12 == Decimal("13.125")


@pytest.mark.parametrize(
    ("day", "grace", "percents"),
    [(date(2026, 5, 3), 30, None), (date(2026, 5, 4), 0, (3, 23))],
)
def test_extended_service_takes_the_place_of_the_free_grace(
    day: date, grace: int, percents: tuple[int, int] | None
) -> None:
    rules = MICROSOFT.on(day, "licence")
    service = rules.extended_service
    found = service and (service.percent_with_monthly_plan, service.percent_without_monthly_plan)

    assert rules.grace == timedelta(days=grace)
    assert found == (percents and tuple(map(Decimal, percents)))


@pytest.mark.parametrize(
    ("term", "billing_cycle", "is_sold"),
    [
        (P1M, MONTHLY, True),
        (P1M, ANNUAL, False),
        (P1Y, MONTHLY, True),
        (P1Y, ANNUAL, True),
        (P1Y, TRIENNIAL, False),
        (P3Y, MONTHLY, True),
        (P3Y, ANNUAL, True),
        (P3Y, TRIENNIAL, True),
        (Term.ONE_TIME, BillingCycle.ONE_TIME, False),
    ],
)
def test_plans_of_licences(term: Term, billing_cycle: BillingCycle, is_sold: bool) -> None:
    assert ((term, billing_cycle) in MICROSOFT.on(date(2026, 11, 25), "licence").pairs) is is_sold


def test_what_may_change_within_a_term() -> None:
    rules = MICROSOFT.on(date(2026, 11, 25), "licence")

    assert rules.term_changes == {(P1M, P1Y), (P1M, P3Y), (P1Y, P3Y)}
    assert rules.billing_changes == {(P3Y, MONTHLY, ANNUAL), (P3Y, ANNUAL, MONTHLY)}
    assert rules.may_increase
    assert rules.may_decrease_in_window
    assert rules.may_upgrade
    assert rules.is_charged_while_suspended
    assert rules.suspension_stops_renewal


def test_seats_of_software_are_never_taken_away_within_its_term() -> None:
    rules = MICROSOFT.on(date(2026, 11, 25), "software")

    assert rules.may_increase
    assert not rules.may_decrease_in_window


def test_trials() -> None:
    trial = MICROSOFT.on(date(2026, 11, 25), "trial").trial

    assert trial is not None
    assert (trial.quantity, trial.days, trial.converts_to) == (25, 30, (P1Y, MONTHLY))


def test_longer_terms_do_not_end_together_with_a_monthly_one() -> None:
    rules = MICROSOFT.on(date(2026, 11, 25), "licence")

    assert (P1M, P1Y) in rules.coterminous
    assert (P1Y, P1M) not in rules.coterminous
    assert rules.months_never_end_on == {28, 29, 30}


@pytest.mark.parametrize("vendor", ["microsoft", "a vendor nobody knows"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_rule_in_force_says_where_it_was_read(vendor: str, kind: str) -> None:
    rules = rulebook(vendor).on(date(2026, 11, 25), kind)

    assert all(source.text and source.since <= date(2026, 11, 25) for source in rules.sources.values())


def test_a_vendor_whose_rules_nobody_wrote_down_keeps_to_the_term() -> None:
    rules = rulebook("a vendor nobody knows").on(date(2026, 11, 25), "service")

    assert (rules.window, rules.may_increase, rules.may_upgrade) == (timedelta(0), True, False)


@pytest.mark.parametrize(("vendor", "comes_with_it"), [("microsoft", False), ("a vendor nobody knows", True)])
def test_consumption_is_had_once_and_may_open_the_account(vendor: str, comes_with_it: bool) -> None:
    rules = rulebook(vendor).on(date(2026, 11, 25), "consumption")

    assert rules.pairs == {(Term.ONE_TIME, BillingCycle.NONE)}
    assert rules.account_comes_with_purchase is comes_with_it


def test_nothing_is_allowed_before_the_first_rule() -> None:
    assert not MICROSOFT.on(date(1999, 1, 1), "licence").pairs


def test_a_rule_that_makes_no_sense_is_refused() -> None:
    rule = {"topic": "cancellation", "kinds": ["licence"], "from": date(2026, 1, 1), "source": "somewhere"}

    with pytest.raises(ValueError, match="makes no sense"):
        Rulebook([{**rule, "topic": "weather"}])
    with pytest.raises(ValueError, match="makes no sense"):
        Rulebook([{**rule, "kinds": ["hardware"]}])
    with pytest.raises(ValueError, match="only within the window"):
        Rulebook([{**rule, "window_hours": 1, "full_refund_hours": 2}])


@pytest.mark.parametrize(
    ("kind", "term", "is_trial", "known_as"),
    [
        ("licence", P1Y, False, "licence"),
        ("licence", P1M, True, "trial"),
        ("software", P1Y, False, "software"),
        ("software", Term.ONE_TIME, False, "perpetual"),
        ("consumption", Term.ONE_TIME, False, "consumption"),
    ],
)
def test_the_kind_rules_know_a_plan_by(kind: str, term: Term, is_trial: bool, known_as: str) -> None:
    assert rules_kind(kind, term, is_trial=is_trial) == known_as
