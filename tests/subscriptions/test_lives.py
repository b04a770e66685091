"""Random lives of a subscription, on awkward days: what is charged for each day is what stood on that day, once.

The model keeps how many seats count on each day, what a seat costs that day as a fraction, and when each seat was
bought. It decides by itself from which day a seat that goes back counts no more, and shares no arithmetic with charges.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalog.words import BillingCycle, Term
from marketplace.core.period import Period
from marketplace.rating.proration import Charge
from marketplace.rating.terms import charge_cycles, cycles_in_term
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    Resume,
    SetTermEnd,
    Suspend,
    Upgrade,
)
from marketplace.subscriptions.rules.decisions import decide
from marketplace.subscriptions.rules.ends import allowed_ends
from marketplace.subscriptions.rules.history import Quoted, Segment, Standing, charges
from marketplace.subscriptions.rules.preview import preview
from marketplace.subscriptions.rules.renewals import at_term_end, is_due
from marketplace.subscriptions.rules.steps import begin, carry_out, pay_otherwise
from marketplace.subscriptions.rules.windows import window_after
from marketplace.subscriptions.words import AtTermEnd, SegmentKind, When
from tests.subscriptions.lives import E5, quoted

DAY = timedelta(days=1)
#: Each rounded price of days is off by half of the last of 18 decimals at most.
ROUNDING = Fraction(1, 10**17)
PLANS = [
    quoted(Term.P1M, cost="36.01", listed="45"),
    quoted(Term.P1Y, cost="360.07"),
    quoted(Term.P1Y, BillingCycle.ANNUAL, cost="343"),
    quoted(Term.P3Y, cost="1000"),
    quoted(Term.P3Y, BillingCycle.ANNUAL, cost="999.99"),
    quoted(Term.P3Y, BillingCycle.TRIENNIAL, cost="900"),
]
UPGRADES = [
    replace(plan, offer=replace(plan.offer, sku=E5, plan_id=100 + number), unit_cost=plan.unit_cost * 2)
    for number, plan in enumerate(PLANS)
]
#: The ends of months, leap days, and the nights on which clocks change.
AWKWARD = st.sampled_from(
    [date(2024, 1, day) for day in (28, 29, 30, 31)]
    + [date(2024, 2, day) for day in (27, 28, 29)]
    + [date(2023, 2, 27), date(2023, 2, 28), date(2025, 6, 29), date(2025, 6, 30), date(2025, 12, 31)]
    + [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25), date(2025, 4, 2), date(2022, 2, 26)]
)
TIMES = st.integers(0, 24 * 60 - 1)
STEPS = st.one_of(
    st.integers(1, 60 * 30).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(60 * 5, 60 * 24).map(lambda minutes: timedelta(minutes=minutes)),
    st.integers(1, 8).map(lambda days: timedelta(days=days)),
    st.integers(9, 45).map(lambda days: timedelta(days=days)),
    st.integers(100, 400).map(lambda days: timedelta(days=days)),
)


class Days:
    """The model: seats and their price by day, and each seat with the instant and the day it was bought."""

    def __init__(self) -> None:
        self.seats: dict[date, int] = {}
        self.price: dict[date, Fraction] = {}
        self.bought: list[tuple[datetime, date]] = []

    def stand(self, segment: Segment) -> None:
        """Have a segment's seats stand from its first day to the end of its term, in place of any others."""
        self.leave(segment.since)
        # What was upgraded or committed for longer is never given back whole.
        at = segment.at if segment.kind in (SegmentKind.NEW, SegmentKind.RENEW) else segment.at - 9 * DAY
        self.bought = [(at, segment.since)] * segment.quantity
        if not segment.quantity or segment.term_end is None:
            return
        offer = segment.quoted.offer
        parts = cycles_in_term(offer.term, offer.billing_cycle)
        for cycle in charge_cycles(segment.term_start, segment.term_end, offer.term, offer.billing_cycle):
            a_day = Fraction(segment.quoted.unit_cost) / parts / cycle.whole_days
            day = max(cycle.start, segment.since)
            while day < cycle.end:
                self.seats[day], self.price[day] = segment.quantity, a_day
                day += DAY

    def leave(self, since: date) -> None:
        """Have no seat count from a day on."""
        for day in [day for day in self.seats if day >= since]:
            del self.seats[day]

    def have(self, quantity: int, now: datetime) -> None:
        """Buy seats, or give back those bought last: within a day they never counted."""
        while len(self.bought) < quantity:
            self.bought.append((now, now.date()))
            self._count(now.date(), 1)
        while len(self.bought) > quantity:
            at, day = self.bought.pop()
            self._count(day if now - at < DAY else now.date(), -1)

    def move(self, quantity: int, now: datetime) -> None:
        """Move the seats bought last elsewhere, from today; the others come back by the day from now on."""
        self._count(now.date(), quantity - len(self.bought))
        self.bought = [(at - DAY, day) for at, day in self.bought[:quantity]]

    def cancel(self, now: datetime) -> None:
        """Give everything back: within a day of the term's beginning it never counted."""
        at, day = self.bought[0]
        self.leave(day if now - at < DAY else now.date())

    def _count(self, since: date, number: int) -> None:
        for day in [day for day in self.seats if day >= since]:
            self.seats[day] += number

    def worth(self) -> Fraction:
        """Give what all days come to."""
        return sum((seats * self.price[day] for day, seats in self.seats.items()), Fraction(0))


def by_day(some: list[Charge]) -> dict[date, int]:
    """Add up the seats that are charged for each day."""
    seats: dict[date, int] = {}
    for charge in some:
        day = charge.start
        while day < charge.end:
            seats[day] = seats.get(day, 0) + charge.quantity
            day += DAY
    return {day: number for day, number in seats.items() if number}


class Life(RuleBasedStateMachine):
    """One subscription and, where seats were upgraded apart, the ones they went to."""

    standing: Standing
    now: datetime

    @initialize(
        day=AWKWARD, minute=TIMES, what=st.sampled_from(PLANS), seats=st.integers(1, 9), cut=st.booleans()
    )
    def buy(self, day: date, minute: int, what: Quoted, seats: int, cut: bool) -> None:
        self.now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
        ends = allowed_ends(what.offer, day, ()) if cut else []
        first = begin(what, seats, at=self.now, custom_end=ends[0].end if ends else None)
        self.standing = Standing(segments=(first,))
        self.days = Days()
        self.days.stand(first)
        self.apart: list[tuple[tuple[Segment, ...], Days]] = []
        self.made: list[Charge] = []

    def do(self, change: Change) -> None:
        """Make a change as it may be made, and compare it with its preview."""
        before = self.standing
        seen = preview(change, before, self.now)
        assert seen.decision == decide(change, before, self.now)
        if seen.decision.when is When.NEVER:
            assert not seen.made_now
            return
        if seen.decision.when is When.AT_RENEWAL:
            assert not seen.made_now
            if isinstance(change, ChangeQuantity):
                waiting = before.at_renewal
                assert waiting is None or waiting.due_on == seen.decision.on
            return
        if isinstance(change, ChangeBilling):
            assert seen.decision.on is not None
            added: tuple[Segment, ...] = (pay_otherwise(change, before, seen.decision.on),)
            other = None
            self.standing = before.followed_by(*added)
            self.now = max(self.now, added[0].at)
        else:
            outcome = carry_out(change, before, self.now)
            added, other = outcome.segments, outcome.other
            self.standing = outcome.applied_to(before)
        match change:
            case ChangeQuantity():
                self.days.have(change.quantity, self.now)
            case Cancel():
                self.days.cancel(self.now)
            case Upgrade() if added[0].quantity < before.now.quantity and added[0].quantity:
                self.days.move(added[0].quantity, self.now)
            case _:
                for segment in added:
                    if segment.kind.is_charged:
                        self.days.stand(segment)
        into = change.into.segments if isinstance(change, Upgrade) and change.into else ()
        history = self.note_apart(into, other)
        self.compare(
            seen.made_now, seen.on_bill, seen.until_end, before.charges() + charges(into), charges(history)
        )

    def note_apart(self, into: tuple[Segment, ...], other: Segment | None) -> tuple[Segment, ...]:
        """Note the subscription that seats went to, a new one or one there was; give its history."""
        if other is None:
            return into
        history, model = (*into, other), Days()
        for segment in history:
            model.stand(segment)
        self.apart.append((history, model))
        return history

    def compare(
        self,
        made_now: tuple[Charge, ...],
        on_bill: tuple[Charge, ...],
        until_end: tuple[Charge, ...],
        before: list[Charge],
        apart: list[Charge],
    ) -> None:
        """Compare a preview with what is then charged, as bills: the preview never saw these histories."""
        after = self.standing.charges() + apart
        today = self.standing.now.at.date() if made_now else self.now.date()
        billed = total([c for c in after if c.billed_on <= today])
        billed_before = total([c for c in before if c.billed_on <= today])
        if not isinstance_of_billing(self.standing):
            assert total(list(made_now)) == billed - billed_before
        month = Period.of(today)
        if on_bill:
            period = Period.of(on_bill[0].billed_on)
            assert total(list(on_bill)) == total([c for c in after if Period.of(c.billed_on) == period])
            assert period >= month
        if made_now:
            assert total(list(until_end)) == total([c for c in after if c.billed_on >= today])

    @rule(step=STEPS)
    def wait(self, step: timedelta) -> None:
        self.wait_for(step)

    def wait_for(self, step: timedelta) -> None:
        """Let time go by, and terms end."""
        self.now += step
        for _ in range(40):
            if not is_due(self.standing, self.now.date()):
                return
            renewed = at_term_end(self.standing, {}, PLANS[0])
            self.standing = self.standing.followed_by(renewed)
            if renewed.kind.is_charged:
                self.days.stand(renewed)

    @rule(minutes=st.integers(60, 60 * 16))
    def sleep(self, minutes: int) -> None:
        """Wait for less than a day, mostly past midnight."""
        self.wait_for(timedelta(minutes=minutes))

    @precondition(lambda self: not self.standing.is_standing)
    @rule(day=AWKWARD, minute=TIMES, what=st.sampled_from(PLANS), seats=st.integers(1, 9))
    def buy_again(self, day: date, minute: int, what: Quoted, seats: int) -> None:
        self.buy(day, minute, what, seats, cut=False)

    @precondition(lambda self: self.standing.is_standing)
    @rule(fewer=st.integers(1, 3))
    def give_seats_back(self, fewer: int) -> None:
        self.do(ChangeQuantity(max(1, self.standing.now.quantity - fewer)))

    @precondition(lambda self: self.standing.is_standing)
    @rule(seats=st.integers(1, 12))
    def change_seats(self, seats: int) -> None:
        self.do(ChangeQuantity(seats))

    @precondition(lambda self: self.standing.is_standing)
    @rule(more=st.integers(1, 3))
    def add_seats(self, more: int) -> None:
        self.do(ChangeQuantity(self.standing.now.quantity + more))

    @precondition(lambda self: self.standing.is_standing and len(self.standing.segments) > 2)
    @rule()
    def cancel(self) -> None:
        self.do(Cancel())

    @precondition(lambda self: self.standing.is_standing and len(self.standing.segments) > 2)
    @rule(what=st.sampled_from(UPGRADES), share=st.integers(1, 12))
    def upgrade(self, what: Quoted, share: int) -> None:
        self.do(Upgrade(what, min(share, self.standing.now.quantity)))

    @precondition(lambda self: self.standing.is_standing and len(self.standing.segments) > 2)
    @rule(what=st.sampled_from(UPGRADES), share=st.integers(1, 12), days=st.integers(8, 60))
    def upgrade_into_another(self, what: Quoted, share: int, days: int) -> None:
        there = Standing(segments=(begin(what, 3, at=self.now - days * DAY),))
        self.do(Upgrade(what, min(share, self.standing.now.quantity), into=there))

    @precondition(lambda self: self.standing.is_standing and len(self.standing.segments) > 2)
    @rule(what=st.sampled_from(PLANS))
    def commit_for_longer(self, what: Quoted) -> None:
        self.do(ChangeTerm(what))

    @precondition(lambda self: self.standing.is_standing and len(self.standing.segments) > 2)
    @rule(what=st.sampled_from(PLANS[3:5]))
    def pay_otherwise(self, what: Quoted) -> None:
        self.do(ChangeBilling(what))

    @precondition(lambda self: self.standing.is_standing)
    @rule(change=st.sampled_from([Suspend(), Resume(), *map(SetTermEnd, AtTermEnd)]))
    def turn(self, change: Change) -> None:
        self.do(change)

    @invariant()
    def every_day_is_charged_once(self) -> None:
        assert by_day(self.standing.charges()) == self.days.seats
        for history, model in self.apart:
            assert by_day(charges(history)) == model.seats

    @invariant()
    def charges_come_to_what_the_days_are_worth(self) -> None:
        found = self.standing.charges()
        seats = sum(abs(c.quantity) for c in found)
        assert abs(Fraction(total(found)) - self.days.worth()) <= seats * ROUNDING

    @invariant()
    def the_window_that_lists_show_is_the_one_in_which_it_can_be_given_up(self) -> None:
        until, seats = None, 0
        for segment in self.standing.segments:
            until, seats = window_after(until, seats_before=seats, segment=segment), segment.quantity
        is_open = until is not None and self.now < until
        if self.standing.is_standing and not self.standing.offer.is_extended:
            assert is_open == (decide(Cancel(), self.standing, self.now).when is When.NOW)

    @invariant()
    def a_bill_once_made_stays(self) -> None:
        # What was billed up to yesterday is the beginning of what is billed up to today.
        yesterday = [c for c in self.standing.charges() if c.billed_on < self.now.date()]
        assert self.made == yesterday[: len(self.made)]
        self.made = yesterday


def isinstance_of_billing(standing: Standing) -> bool:
    """Whether the last change begins with a later charge."""
    return standing.now.kind is SegmentKind.CHANGE_BILLING_PLAN


def total(some: list[Charge]) -> Decimal:
    """Add charges up at cost."""
    return sum((c.cost for c in some), Decimal(0))


Life.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLife = Life.TestCase


@pytest.mark.long
def test_thousands_of_lives() -> None:
    more = settings(Life.TestCase.settings, max_examples=3000, stateful_step_count=40)

    run_state_machine_as_test(Life, settings=more)
