"""A subscription goes to a customer of another reseller on a day, and the rest of its customer stays."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from marketplace.billing.terms import inputs_fingerprint, load_book
from marketplace.core.actor import Actor, Audience
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.core.period import Period
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.moving import (
    cancel_subscription_move,
    carry_out_subscription_moves,
    move_subscription,
    waiting_subscription_move,
)
from resellers.conflicts import MovedThatDay
from resellers.models import Customer, Reseller, SubscriptionMove
from resellers.rules import moves as rules
from resellers.rules.applications import ReasonNeeded
from tests.factories import make_customer, make_reseller, make_subscription

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
STAFF = Actor.system("Walter")


@dataclass
class Firm:
    """A firm at two resellers, and two of its subscriptions at the first."""

    session: Session
    at_nord: Customer
    at_sud: Customer
    moved: Subscription
    other: Subscription

    def move(
        self,
        moves_on: date = date(2026, 4, 12),
        *,
        to: str = "",
        now: datetime = NOW,
        reason: str = "They asked",
        actor: Actor = STAFF,
    ) -> SubscriptionMove:
        """Move one of them."""
        return move_subscription(
            self.session,
            actor=actor,
            subscription_id=self.moved.public_id,
            customer=to or self.at_sud.reference,
            moves_on=moves_on,
            reason=reason,
            now=now,
        )


@pytest.fixture
def firm(session: Session) -> Firm:
    at_nord = make_customer(session, "at-nord", reseller=make_reseller(session, "nord"))
    at_sud = make_customer(session, "at-sud", reseller=make_reseller(session, "sud"))
    moved, other = (make_subscription(session, at_nord, on=NOW, vendor_id=one) for one in ("v-1", "v-2"))
    return Firm(session, at_nord, at_sud, moved, other)


@pytest.mark.parametrize(
    ("moves_on", "is_refused"),
    [
        (date(2026, 3, 1), False),
        (date(2026, 3, 20), False),
        (date(2026, 4, 12), False),
        (date(2026, 2, 28), True),
    ],
)
def test_which_days_a_subscription_can_move_on(moves_on: date, is_refused: bool) -> None:
    if not is_refused:
        rules.check_day(moves_on, today=NOW.date())
        return
    with pytest.raises(rules.MovesInThePast):
        rules.check_day(moves_on, today=NOW.date())


def test_it_becomes_the_others_on_its_day_and_once(session: Session, firm: Firm) -> None:
    firm.move()

    assert firm.moved.customer_id == firm.at_nord.id
    assert carry_out_subscription_moves(session, now=datetime(2026, 4, 11, 23, tzinfo=UTC)) == 0
    assert carry_out_subscription_moves(session, now=datetime(2026, 4, 12, 0, 4, tzinfo=UTC)) == 1
    assert carry_out_subscription_moves(session, now=datetime(2026, 4, 13, tzinfo=UTC)) == 0
    assert firm.moved.customer_id == firm.at_sud.id
    assert firm.other.customer_id == firm.at_nord.id


def test_a_day_that_has_come_moves_it_at_once(session: Session, firm: Firm) -> None:
    move = firm.move(date(2026, 3, 18))

    assert (firm.moved.customer_id, move.done_at) == (firm.at_sud.id, NOW)


def test_one_without_an_id_of_the_vendor_goes_by_its_own(session: Session, firm: Firm) -> None:
    firm.moved.vendor_subscription_id = ""
    firm.move()

    carry_out_subscription_moves(session, now=datetime(2026, 4, 12, tzinfo=UTC))

    assert firm.moved.customer_id == firm.at_sud.id


def test_what_a_month_comes_from_changes_from_the_month_of_the_move_on(session: Session, firm: Firm) -> None:
    def digest(month: int) -> str:
        period = Period(2026, month)
        return inputs_fingerprint(session, period, first_day=period.start, last_day=period.next().start)

    before = [digest(month) for month in (2, 5)]
    firm.move()

    assert [digest(month) == was for month, was in zip((2, 5), before, strict=True)] == [True, False]
    (span,) = load_book(session, Period(2026, 4)).moved
    assert (span.subscription, span.customer_id, span.start) == ("v-1", firm.at_sud.id, date(2026, 4, 12))


def test_one_that_moves_again_belongs_to_each_until_the_next(session: Session, firm: Firm) -> None:
    firm.move(date(2026, 3, 5))
    third = make_customer(session, "at-est", reseller=make_reseller(session, "est"))
    firm.move(date(2026, 3, 15), to="at-est")

    spans = sorted(load_book(session, Period(2026, 3)).moved, key=lambda span: span.start)

    assert [(one.customer_id, one.start.day) for one in spans] == [(firm.at_sud.id, 5), (third.id, 15)]
    assert spans[0].end == date(2026, 3, 15)


def test_it_moves_once_a_day(session: Session, firm: Firm) -> None:
    firm.move(date(2026, 3, 5))
    make_customer(session, "at-est", reseller=make_reseller(session, "est"))

    with pytest.raises(MovedThatDay), session.begin_nested():
        firm.move(date(2026, 3, 5), to="at-est")


def test_a_waiting_move_can_be_cancelled_and_made_again(session: Session, firm: Firm) -> None:
    firm.move()
    with pytest.raises(rules.SubscriptionMovesAlready, match="2026-04-12"):
        firm.move(date(2026, 5, 1))

    cancel_subscription_move(session, actor=STAFF, subscription_id=firm.moved.public_id)

    assert waiting_subscription_move(session, firm.moved) is None
    with pytest.raises(NotFound):
        cancel_subscription_move(session, actor=STAFF, subscription_id=firm.moved.public_id)
    firm.move(date(2026, 5, 1))


def test_within_a_reseller_nothing_moves(session: Session, firm: Firm) -> None:
    make_customer(session, "neighbour", reseller=session.get_one(Reseller, firm.at_nord.reseller_id))

    with pytest.raises(rules.StaysWithItsReseller):
        firm.move(to="neighbour")


def test_what_has_ended_moves_nowhere(firm: Firm) -> None:
    firm.moved.status = "cancelled"

    with pytest.raises(rules.NothingToMove):
        firm.move()


def test_a_suspended_reseller_takes_nothing_over(session: Session, firm: Firm) -> None:
    session.get_one(Reseller, firm.at_sud.reseller_id).status = "suspended"

    with pytest.raises(rules.NotASeller):
        firm.move()


def test_nobody_moves_what_is_not_there_or_without_a_reason(firm: Firm) -> None:
    with pytest.raises(rules.NoSuchCustomer):
        firm.move(to="nobody")
    with pytest.raises(ReasonNeeded):
        firm.move(reason=" ")


def test_only_who_keeps_parties_moves_them(firm: Firm) -> None:
    with pytest.raises(NotPermitted):
        firm.move(actor=Actor("Rashid", Audience.RESELLER, 1, user_id=1))
