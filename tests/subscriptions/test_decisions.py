"""What may be done with a subscription, when, and why not: a table of lives and questions."""

from dataclasses import replace
from datetime import date

import pytest

from catalog.words import BillingCycle, Term
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeAtRenewal,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    ConvertTrial,
    Resume,
    SetTermEnd,
    Suspend,
    Upgrade,
)
from marketplace.subscriptions.rules.decisions import decide
from marketplace.subscriptions.rules.history import Standing
from marketplace.subscriptions.rules.windows import lots
from marketplace.subscriptions.words import AtTermEnd, When
from tests.subscriptions.lives import E5, GUIDES, at, bought, hours, quoted, then

NOW, RENEWAL, NEXT_CHARGE, NEVER = When.NOW, When.AT_RENEWAL, When.AT_NEXT_CHARGE, When.NEVER
P1M, P1Y, P3Y = Term.P1M, Term.P1Y, Term.P3Y
MONTHLY, ANNUAL = BillingCycle.MONTHLY, BillingCycle.ANNUAL
#: Bought at ten on 15 January: whole price until ten on the 16th, window until ten on the 22nd.
IN_A_DAY, IN_WINDOW, LATER = "2026-01-16 09:59", "2026-01-22 09:59", "2026-01-22 10:00"
TERM_END = date(2027, 1, 15)
SOFTWARE = quoted(kind="software")
TRIAL = quoted(
    P1M, BillingCycle.NONE, cost="0", is_trial=True, minimum_quantity=25, converts_to=frozenset({GUIDES})
)
MONTHS = quoted(P1M)
GROWN = then(bought(), ChangeQuantity(14), "2026-03-01 08:00")


def judged(change: Change, standing: Standing, now: str) -> tuple[When, date | None]:
    decision = decide(change, standing, at(now))
    return decision.when, decision.on


@pytest.mark.parametrize(
    ("standing", "now", "quantity", "when"),
    [
        (bought(), LATER, 11, NOW),
        (bought(), LATER, 10, NEVER),
        (bought(), LATER, 0, NEVER),
        (bought(), LATER, 1001, NEVER),
        (bought(), IN_A_DAY, 1, NOW),
        (bought(), IN_WINDOW, 9, NOW),
        (bought(), LATER, 9, RENEWAL),
        (bought(at_term_end=AtTermEnd.END), LATER, 9, NEVER),
        (bought(what=quoted(may_increase=False)), LATER, 11, NEVER),
        (bought(what=quoted(may_decrease=False)), IN_WINDOW, 9, RENEWAL),
        (bought(what=quoted(minimum_quantity=10)), IN_WINDOW, 9, NEVER),
        (bought(what=quoted(customer_limit=300), seats_elsewhere=280), LATER, 20, NOW),
        (bought(what=quoted(customer_limit=300), seats_elsewhere=280), LATER, 21, NEVER),
        # Only the four seats that were added in March can go back in March.
        (GROWN, "2026-03-08 07:59", 10, NOW),
        (GROWN, "2026-03-08 07:59", 9, RENEWAL),
        (GROWN, "2026-03-08 08:00", 13, RENEWAL),
        # A suspended subscription, software, and a trial.
        (then(bought(), Suspend(), IN_A_DAY), LATER, 11, NEVER),
        (bought(what=SOFTWARE), IN_WINDOW, 9, RENEWAL),
        (bought(what=SOFTWARE), LATER, 11, NOW),
        (bought(what=TRIAL, quantity=25), IN_A_DAY, 26, NEVER),
    ],
)
def test_seats(standing: Standing, now: str, quantity: int, when: When) -> None:
    assert decide(ChangeQuantity(quantity), standing, at(now)).when is when


def test_what_waits_says_the_day_and_the_seats_that_cannot_go_back() -> None:
    decision = decide(ChangeQuantity(8), GROWN, at("2026-03-08 07:59"))

    assert (decision.when, decision.on) == (RENEWAL, TERM_END)
    assert "2 of these seats" in decision.why


def test_a_limit_says_how_many_seats_are_left() -> None:
    standing = bought(what=quoted(customer_limit=300), seats_elsewhere=280)

    assert "20 are left" in decide(ChangeQuantity(21), standing, at(LATER)).why


@pytest.mark.parametrize(
    ("standing", "now", "expected"),
    [
        (bought(), IN_A_DAY, (NOW, date(2026, 1, 16))),
        (bought(), IN_WINDOW, (NOW, date(2026, 1, 22))),
        (bought(), LATER, (RENEWAL, TERM_END)),
        (bought(at_term_end=AtTermEnd.END), LATER, (NEVER, None)),
        (GROWN, "2026-03-01 09:00", (RENEWAL, TERM_END)),
        (then(bought(), Suspend(), IN_A_DAY), IN_WINDOW, (NOW, date(2026, 1, 22))),
        (bought(what=quoted(may_cancel=False)), IN_A_DAY, (RENEWAL, TERM_END)),
        (then(bought(), Cancel(), IN_A_DAY), IN_WINDOW, (NEVER, None)),
        (bought(what=TRIAL, quantity=25), LATER, (NOW, date(2026, 1, 22))),
        (bought(what=quoted(P1M, is_extended=True)), "2026-02-10 10:00", (NOW, date(2026, 2, 10))),
        (bought(what=quoted(Term.ONE_TIME, BillingCycle.ONE_TIME)), LATER, (NOW, date(2026, 1, 22))),
        (bought(what=quoted(Term.ONE_TIME, BillingCycle.ONE_TIME)), "2026-02-14 10:00", (NEVER, None)),
    ],
)
def test_cancelling(standing: Standing, now: str, expected: tuple[When, date | None]) -> None:
    assert judged(Cancel(), standing, now) == expected


def test_an_earlier_year_had_a_shorter_window() -> None:
    assert judged(Cancel(), bought("2022-02-01 10:00"), "2022-02-04 09:59")[0] is NOW
    assert judged(Cancel(), bought("2022-02-01 10:00"), "2022-02-04 10:00")[0] is RENEWAL


E5_YEAR = quoted(cost="600", sku=E5, product="Microsoft 365 E5")
TARGET = bought("2025-12-01 09:00", 5, E5_YEAR, custom_end=date(2027, 6, 1))
FIXED = quoted(cost="600", sku=E5, product="Microsoft 365 E5", may_increase=False)


@pytest.mark.parametrize(
    ("standing", "change", "when"),
    [
        (bought(), Upgrade(E5_YEAR, 10), NOW),
        (bought(), Upgrade(E5_YEAR, 4), NOW),
        (bought(), Upgrade(E5_YEAR, 11), NEVER),
        (bought(), Upgrade(quoted(sku=GUIDES), 10), NEVER),
        (bought(), Upgrade(quoted(P1M, sku=E5), 10), NEVER),
        (bought(what=quoted(may_upgrade=False)), Upgrade(E5_YEAR, 10), NEVER),
        (bought(what=quoted(minimum_quantity=8)), Upgrade(E5_YEAR, 4), NEVER),
        (then(bought(), Suspend(), IN_A_DAY), Upgrade(E5_YEAR, 10), NEVER),
        (bought(), Upgrade(E5_YEAR, 10, into=TARGET), NOW),
        # The vendor's four conditions on the subscription that takes the seats, and its product.
        (bought(), Upgrade(E5_YEAR, 10, into=then(TARGET, Suspend(), LATER)), NEVER),
        (
            bought(),
            Upgrade(E5_YEAR, 10, into=bought("2025-12-01 09:00", 5, FIXED, custom_end=date(2027, 6, 1))),
            NEVER,
        ),
        (bought(), Upgrade(E5_YEAR, 10, into=then(TARGET, ChangeQuantity(6), LATER)), NEVER),
        (bought(what=quoted(P3Y)), Upgrade(quoted(P3Y, sku=E5), 10, into=TARGET), NEVER),
        (bought(), Upgrade(E5_YEAR, 10, into=bought("2025-12-01 09:00", 5, E5_YEAR)), NEVER),
        (bought(), Upgrade(E5_YEAR, 10, into=bought("2025-12-01 09:00", 5)), NEVER),
        (bought(), ChangeTerm(quoted(P3Y)), NOW),
        (bought(what=MONTHS), ChangeTerm(quoted(P1Y, ANNUAL)), NOW),
        (bought(), ChangeTerm(quoted(P1M)), RENEWAL),
        (bought(what=quoted(P3Y)), ChangeTerm(quoted(P1Y)), RENEWAL),
        (bought(), ChangeTerm(E5_YEAR), NEVER),
        (bought(), ChangeTerm(quoted(P1M, ANNUAL)), NEVER),
        (bought(what=TRIAL, quantity=25), ChangeTerm(quoted(P1Y)), NEVER),
        (bought(what=quoted(P3Y)), ChangeBilling(quoted(P3Y, ANNUAL)), NEXT_CHARGE),
        (bought(what=quoted(P3Y, ANNUAL)), ChangeBilling(quoted(P3Y)), NEXT_CHARGE),
        (bought(), ChangeBilling(quoted(P1Y, ANNUAL)), RENEWAL),
        (bought(), ChangeBilling(quoted(P1Y)), NEVER),
        (bought(), ChangeBilling(quoted(P3Y, ANNUAL)), NEVER),
        (bought(what=TRIAL, quantity=25), ConvertTrial(quoted(sku=GUIDES), 25), NOW),
        (bought(what=TRIAL, quantity=25), ConvertTrial(quoted(sku=GUIDES), 24), RENEWAL),
        (bought(what=TRIAL, quantity=25), ConvertTrial(quoted(), 25), NEVER),
        (bought(), ConvertTrial(quoted(sku=GUIDES), 25), NEVER),
        (bought(), ChangeAtRenewal(quantity=3), RENEWAL),
        (bought(), ChangeAtRenewal(quantity=0), NEVER),
        (bought(), ChangeAtRenewal(quoted=quoted(P1M, ANNUAL)), NEVER),
        (bought(at_term_end=AtTermEnd.END), ChangeAtRenewal(quantity=3), NEVER),
        (bought(), Suspend(), NOW),
        (then(bought(), Suspend(), IN_A_DAY), Suspend(), NEVER),
        (bought(what=TRIAL, quantity=25), Suspend(), NEVER),
        (bought(), Resume(), NEVER),
        (then(bought(), Suspend(), IN_A_DAY), Resume(), NOW),
        (bought(), SetTermEnd(AtTermEnd.END), NOW),
        (bought(), SetTermEnd(AtTermEnd.RENEW), NEVER),
        (bought(), SetTermEnd(AtTermEnd.EXTEND), NOW),
        (then(bought(), Suspend(), IN_A_DAY), SetTermEnd(AtTermEnd.RENEW), NEVER),
        (bought(what=SOFTWARE), SetTermEnd(AtTermEnd.EXTEND), NEVER),
        (bought(), Upgrade(replace(E5_YEAR, currency="USD"), 10), NEVER),
    ],
)
def test_plans_terms_and_turns(standing: Standing, change: Change, when: When) -> None:
    decision = decide(change, standing, at(LATER))

    assert decision.when is when, decision.why
    assert decision.why


def test_extended_service_is_for_what_was_bought_since_april_2025_and_ends_after_4_may_2026() -> None:
    for bought_on, when in (("2025-03-31 10:00", NEVER), ("2025-05-04 10:00", NOW)):
        standing = bought(bought_on)
        assert decide(SetTermEnd(AtTermEnd.EXTEND), standing, at("2025-06-01 10:00")).when is when
    early = bought("2025-04-01 10:00", what=quoted(P1M))
    assert decide(SetTermEnd(AtTermEnd.EXTEND), early, at("2025-04-15 10:00")).when is NEVER


def test_another_billing_plan_waits_for_the_next_charge() -> None:
    decision = decide(ChangeBilling(quoted(P3Y, ANNUAL)), bought(what=quoted(P3Y)), at(LATER))

    assert decision.on == date(2026, 2, 15)


def test_what_has_ended_cannot_be_changed() -> None:
    ended = then(bought(), Cancel(), IN_A_DAY)

    changes: list[Change] = [ChangeQuantity(11), Suspend(), Upgrade(E5_YEAR, 1), SetTermEnd(AtTermEnd.END)]
    assert {decide(change, ended, at(LATER)).when for change in changes} == {NEVER}


class TestLotsOfSeats:
    """Each lot has its own window; those bought last go back first."""

    def test_each_addition_has_its_own_window(self) -> None:
        first, added = lots(GROWN.segments)

        assert (first.quantity, first.until) == (10, at("2026-01-15 10:00") + hours(168))
        assert (added.quantity, added.until) == (4, at("2026-03-01 08:00") + hours(168))
        assert added.full_refund_until == at("2026-03-02 08:00")

    def test_those_bought_last_go_back_first(self) -> None:
        less = then(GROWN, ChangeQuantity(11), "2026-03-02 08:00")

        assert [lot.quantity for lot in lots(less.segments)] == [10, 1]

    def test_an_upgrade_ends_every_window(self) -> None:
        upgraded = then(GROWN, Upgrade(E5_YEAR, 14), "2026-03-02 08:00")

        assert not any(lot.is_open(at("2026-03-02 08:01")) for lot in lots(upgraded.segments))

    def test_what_is_left_of_a_partial_upgrade_comes_back_by_the_day(self) -> None:
        parted = then(bought(), Upgrade(E5_YEAR, 4), "2026-01-15 20:00")

        (lot,) = lots(parted.segments)
        assert lot.is_open(at("2026-01-16 08:00"))
        assert not lot.is_refunded_whole(at("2026-01-15 20:01"))

    def test_a_window_is_hours_across_a_change_of_clocks(self) -> None:
        # Paris moved its clocks on 29 March 2026; windows are in UTC and do not notice.
        standing = bought("2026-03-27 23:30")

        assert lots(standing.segments)[0].until == at("2026-04-03 23:30")
