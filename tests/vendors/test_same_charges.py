"""What the simulated vendor bills for a change is what our own history charges for it: the same seats and days."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from catalog.words import BillingCycle, ProductKind, Term
from marketplace.subscriptions.rules.changes import (
    Cancel,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    ConvertTrial,
)
from marketplace.subscriptions.rules.changes import Change as OurChange
from marketplace.subscriptions.rules.changes import Upgrade as OurUpgrade
from marketplace.subscriptions.rules.cycles import next_cycle_start
from marketplace.subscriptions.rules.history import Offer, Quoted, Segment, Standing, charges
from marketplace.subscriptions.rules.steps import begin, carry_out, pay_otherwise
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import Change, OtherPlan, Upgrade
from tests.vendors.simulated import BASIC, PREMIUM, Simulator, bought, line, open_account

BOUGHT = datetime(2025, 3, 10, 9, tzinfo=UTC)
UNTIL = date(2025, 5, 1)
TRIAL = ("CFQ7TTC0LCHC", "0003")
P1M, P1Y, P3Y = Term.P1M, Term.P1Y, Term.P3Y
MONTHLY, ANNUAL, NONE = BillingCycle.MONTHLY, BillingCycle.ANNUAL, BillingCycle.NONE

Line = tuple[str, int, str, str]


def plan(sku: tuple[str, str], term: Term, cycle: BillingCycle) -> Quoted:
    """Give a plan as we know it; what it costs makes no difference here."""
    offer = Offer(
        plan_id=1,
        vendor="microsoft",
        product="",
        sku=":".join(sku),
        unit="",
        kind=ProductKind.LICENCE.value,
        term=term,
        billing_cycle=cycle,
        is_trial=sku == TRIAL,
    )
    return Quoted(offer, Decimal(120), None, "EUR")


@dataclass(frozen=True)
class Story:
    """What is bought, what is changed after how many days, asked of the vendor and done here."""

    first: tuple[tuple[str, str], Term, BillingCycle, int]
    days: float
    asked: Change | Upgrade
    ours: OurChange

    @property
    def is_partial(self) -> bool:
        """Whether some seats stay what they were."""
        return isinstance(self.ours, OurUpgrade) and self.ours.quantity < self.first[3]


def upgraded(quantity: int, term: Term, cycle: BillingCycle) -> tuple[Upgrade, OurUpgrade]:
    """Give an upgrade to Business Premium, theirs and ours."""
    return Upgrade(*PREMIUM, quantity, term, cycle), OurUpgrade(plan(PREMIUM, term, cycle), quantity)


def other(term: Term, cycle: BillingCycle) -> Change:
    """Ask for another plan of the same SKU."""
    return Change(plan=OtherPlan(term, cycle))


YEAR = (BASIC, P1Y, MONTHLY, 10)
STORIES = {
    "seats up": Story(YEAR, 10, Change(quantity=13), ChangeQuantity(13)),
    "seats up after a cycle": Story(YEAR, 40, Change(quantity=13), ChangeQuantity(13)),
    "seats down": Story(YEAR, 5, Change(quantity=4), ChangeQuantity(4)),
    "seats down within a day, on the next": Story(YEAR, 0.9, Change(quantity=4), ChangeQuantity(4)),
    "seats down after a day": Story(YEAR, 1.1, Change(quantity=4), ChangeQuantity(4)),
    "cancelled within a day, on the next": Story(YEAR, 0.9, Change(is_cancelled=True), Cancel()),
    "cancelled": Story(YEAR, 5, Change(is_cancelled=True), Cancel()),
    "cancelled at once": Story(YEAR, 0, Change(is_cancelled=True), Cancel()),
    "all upgraded": Story(YEAR, 12, *upgraded(10, P1Y, MONTHLY)),
    "some upgraded": Story(YEAR, 12, *upgraded(4, P1Y, MONTHLY)),
    "all upgraded, paid by the year": Story(YEAR, 12, *upgraded(10, P1Y, ANNUAL)),
    "some upgraded, paid by the year": Story(YEAR, 12, *upgraded(4, P1Y, ANNUAL)),
    "upgraded from a year at once": Story((BASIC, P1Y, ANNUAL, 10), 12, *upgraded(10, P1Y, MONTHLY)),
    "upgraded for longer": Story(YEAR, 12, *upgraded(10, P3Y, ANNUAL)),
    "some upgraded for longer": Story(YEAR, 12, *upgraded(4, P3Y, MONTHLY)),
    "a longer term": Story(
        (BASIC, P1M, MONTHLY, 10), 12, other(P1Y, MONTHLY), ChangeTerm(plan(BASIC, P1Y, MONTHLY))
    ),
    "a longer term at once": Story(
        (BASIC, P1Y, MONTHLY, 10), 33, other(P3Y, ANNUAL), ChangeTerm(plan(BASIC, P3Y, ANNUAL))
    ),
    "paid otherwise": Story(
        (BASIC, P3Y, MONTHLY, 10), 12, other(P3Y, ANNUAL), ChangeBilling(plan(BASIC, P3Y, ANNUAL))
    ),
    "paid by the month": Story(
        (BASIC, P3Y, ANNUAL, 10), 12, other(P3Y, MONTHLY), ChangeBilling(plan(BASIC, P3Y, MONTHLY))
    ),
    "a trial converted": Story(
        (TRIAL, P1M, NONE, 25),
        12,
        Upgrade(*PREMIUM, 30, P1Y, MONTHLY),
        ConvertTrial(plan(PREMIUM, P1Y, MONTHLY), 30),
    ),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_same_seats_for_the_same_days(
    simulator: Simulator, connector: PartnerCenter, story: Story
) -> None:
    sku, term, cycle, quantity = story.first
    account = open_account(connector).account
    one = bought(connector, account, line(sku, quantity, term=term, cycle=cycle))
    now = BOUGHT + timedelta(days=story.days)
    simulator.at(now.isoformat())
    if isinstance(story.asked, Upgrade):
        assert connector.upgrade(account, one.reference, story.asked, key=uuid4()).is_done
    else:
        connector.change(account, one.reference, story.asked, key=uuid4())
    simulator.at("2025-05-07T00:00:00Z")

    assert summed(billed(connector), story) == summed(charged(story, now), story)


@pytest.mark.parametrize("seats", [4, 10])
def test_seats_upgraded_into_a_subscription_there_is_are_charged_alike(
    simulator: Simulator, connector: PartnerCenter, seats: int
) -> None:
    account = open_account(connector).account
    one = bought(connector, account, line(BASIC, 10))
    there = bought(connector, account, line(PREMIUM, 5))
    now = BOUGHT + timedelta(days=12)
    simulator.at(now.isoformat())
    connector.upgrade(
        account, one.reference, Upgrade(*PREMIUM, seats, P1Y, MONTHLY, there.reference), key=uuid4()
    )
    simulator.at("2025-05-07T00:00:00Z")

    before = Standing(segments=(begin(plan(BASIC, P1Y, MONTHLY), 10, at=BOUGHT),))
    into = Standing(segments=(begin(plan(PREMIUM, P1Y, MONTHLY), 5, at=BOUGHT),))
    outcome = carry_out(OurUpgrade(into.now.quoted, seats, into=into), before, now)
    assert outcome.other is not None
    ours = (before.segments + outcome.segments, (*into.segments, outcome.other))
    story = Story(YEAR, 12, *upgraded(4, P1Y, MONTHLY))

    assert summed(billed(connector), story) == summed(lines_of(ours), story)


def billed(connector: PartnerCenter) -> Iterator[Line]:
    """Give what the vendor bills for March and April."""
    yield from (
        (
            str(row["chargeType"]),
            int(str(row["billableQuantity"])),
            str(row["chargeStartDate"])[:10],
            str(row["chargeEndDate"])[:10],
        )
        for invoice in ("G000202503", "G000202504")
        for row in connector.bill_lines(invoice)
    )


def charged(story: Story, now: datetime) -> Iterator[Line]:
    """Give what our own history charges in March and April, with the last day as the vendor writes it."""
    sku, term, cycle, quantity = story.first
    before = Standing(segments=(begin(plan(sku, term, cycle), quantity, at=BOUGHT),))
    histories: list[Sequence[Segment]]
    if isinstance(story.ours, ChangeBilling):
        on = next_cycle_start(before.now, now.date())
        assert on is not None
        histories = [(*before.segments, pay_otherwise(story.ours, before, on))]
    else:
        outcome = carry_out(story.ours, before, now)
        histories = [(*before.segments, *outcome.segments), *([(outcome.other,)] if outcome.other else [])]
    yield from lines_of(histories)


def lines_of(histories: Iterable[Sequence[Segment]]) -> Iterator[Line]:
    """Give what histories charge in March and April."""
    yield from (
        (
            one.kind.value,
            one.quantity,
            one.start.isoformat(),
            (one.end - timedelta(days=1)).isoformat(),
        )
        for history in histories
        for one in charges(history)
        if one.billed_on < UNTIL
    )


def summed(lines: Iterable[Line], story: Story) -> list[Line]:
    """Add up what is given back, and apart from it what is charged.

    Where some seats are upgraded the vendor gives back those; we give all back, and charge those that stay anew.
    """
    seats: Counter[tuple[str, bool, str, str]] = Counter()
    for kind, quantity, start, end in lines:
        seats[kind, quantity < 0 and not story.is_partial, start, end] += quantity
    return sorted((kind, quantity, start, end) for (kind, _, start, end), quantity in seats.items())
