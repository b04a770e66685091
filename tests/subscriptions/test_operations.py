"""Buying, changing and renewing in the database: once each, by whoever may, and never edited."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.words import Term
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.audit import AuditEntry
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.subscriptions.models import ScheduledChange, Subscription, SubscriptionSegment
from marketplace.subscriptions.operations.buying import CannotBeBought, Purchase, activate
from marketplace.subscriptions.operations.changing import ChangeNotPossible, change
from marketplace.subscriptions.operations.renewing import renew_due
from marketplace.subscriptions.queries.standing import other_terms, standings
from marketplace.subscriptions.rules.changes import (
    Cancel,
    ChangeAtRenewal,
    ChangeQuantity,
    SetTermEnd,
    Suspend,
)
from marketplace.subscriptions.rules.history import Quoted, Standing
from marketplace.subscriptions.words import AtTermEnd, SegmentKind, When
from tests.factories import make_customer
from tests.subscriptions.lives import E3, at, quoted

SYSTEM = Actor.system()


def buy(
    session: Session,
    what: Quoted | None = None,
    *,
    on: str = "2026-01-15 10:00",
    quantity: int = 10,
    line: str = "",
    customer_id: int | None = None,
    custom_end: date | None = None,
) -> Subscription:
    purchase = Purchase(
        customer_id=customer_id or make_customer(session).id,
        vendor_account=f"tenant-{uuid4()}",
        quoted=what or quoted(),
        quantity=quantity,
        order_line=line,
        custom_end=custom_end,
    )
    return activate(session, actor=SYSTEM, purchase=purchase, now=at(on))


def standing_of(session: Session, subscription: Subscription) -> Standing:
    return standings(session, [subscription], offers={})[subscription.id]


def kinds(session: Session, subscription: Subscription) -> list[str]:
    return [one.kind.value for one in standing_of(session, subscription).segments]


class TestBuying:
    """A subscription begins with its first segment."""

    def test_it_is_written_as_it_was_bought(self, session: Session) -> None:
        subscription = buy(session)

        first = standing_of(session, subscription).now
        assert (first.kind, first.quantity, first.since) == (SegmentKind.NEW, 10, date(2026, 1, 15))
        assert (first.term_end, subscription.term_end) == (date(2027, 1, 15), date(2027, 1, 15))
        assert (first.quoted.unit_cost, first.quoted.unit_listed) == (Decimal(360), Decimal(450))
        assert first.quoted.offer.sku == E3

    def test_the_same_order_line_gives_the_same_subscription(self, session: Session) -> None:
        customer = make_customer(session).id
        line = str(uuid4())

        once = buy(session, line=line, customer_id=customer)
        again = buy(session, line=line, customer_id=customer)

        assert once.id == again.id
        count = select(func.count()).select_from(Subscription).where(Subscription.customer_id == customer)
        assert session.scalar(count) == 1

    def test_the_customers_limit_counts_its_other_subscriptions(self, session: Session) -> None:
        customer = make_customer(session).id
        limited = quoted(customer_limit=300)
        buy(session, limited, quantity=280, customer_id=customer)

        with pytest.raises(CannotBeBought, match="20 are left"):
            buy(session, limited, quantity=21, customer_id=customer)
        assert buy(session, limited, quantity=20, customer_id=customer).quantity == 20

    def test_a_first_term_can_end_with_another_one(self, session: Session) -> None:
        customer = make_customer(session).id
        first = buy(session, customer_id=customer)

        second = buy(session, on="2026-03-02 09:00", customer_id=customer, custom_end=first.term_end)

        assert second.term_end == first.term_end
        assert len(other_terms(session, customer_id=customer, vendor="microsoft")) == 2
        with pytest.raises(CannotBeBought, match="own day, with the month"):
            buy(session, on="2026-03-02 09:00", customer_id=customer, custom_end=date(2026, 6, 12))

    def test_a_plan_the_vendor_does_not_sell_is_refused(self, session: Session) -> None:
        unsold = quoted(kind="software", term=Term.P1M)

        with pytest.raises(CannotBeBought, match="does not sell"):
            buy(session, unsold)


class TestChanging:
    """Changes add segments, or wait."""

    def test_seats_are_added_at_once_and_once(self, session: Session) -> None:
        subscription = buy(session)
        line = str(uuid4())

        for _ in range(2):
            made = change(
                session,
                actor=SYSTEM,
                subscription_id=subscription.public_id,
                change=ChangeQuantity(12),
                now=at("2026-02-01 08:00"),
                order_line=line,
            )

        assert made.decision is None
        assert kinds(session, subscription) == ["new", "addQuantity"]
        assert subscription.quantity == 12

    def test_fewer_seats_wait_for_the_renewal_and_another_change_does_away_with_them(
        self, session: Session
    ) -> None:
        subscription = buy(session)
        identity, later = subscription.public_id, at("2026-03-01 08:00")

        made = change(session, actor=SYSTEM, subscription_id=identity, change=ChangeQuantity(4), now=later)
        assert made.decision is not None
        assert made.decision.when is When.AT_RENEWAL
        assert subscription.quantity == 10
        waiting = standing_of(session, subscription).at_renewal
        assert waiting is not None
        assert waiting.quantity == 4

        change(session, actor=SYSTEM, subscription_id=identity, change=ChangeQuantity(11), now=later)
        assert standing_of(session, subscription).at_renewal is None

    def test_only_the_latest_instruction_waits(self, session: Session) -> None:
        subscription = buy(session)
        for quantity in (4, 5):
            change(
                session,
                actor=SYSTEM,
                subscription_id=subscription.public_id,
                change=ChangeAtRenewal(quantity=quantity),
                now=at("2026-03-01 08:00"),
            )

        rows = session.scalars(
            select(ScheduledChange.ended_at).where(ScheduledChange.subscription_id == subscription.id)
        ).all()
        assert sorted(row is None for row in rows) == [False, True]

    def test_what_the_rules_forbid_is_refused_in_words(self, session: Session) -> None:
        subscription = buy(session)

        with pytest.raises(ChangeNotPossible, match="seats already"):
            change(
                session,
                actor=SYSTEM,
                subscription_id=subscription.public_id,
                change=ChangeQuantity(10),
                now=at("2026-02-01 08:00"),
            )

    def test_cancelling_late_ends_it_with_its_term(self, session: Session) -> None:
        subscription = buy(session)

        change(
            session,
            actor=SYSTEM,
            subscription_id=subscription.public_id,
            change=Cancel(),
            now=at("2026-03-01 08:00"),
        )

        assert (subscription.status, subscription.at_term_end) == ("active", "end")

    def test_a_change_is_in_the_audit_trail_without_its_cost(self, session: Session) -> None:
        subscription = buy(session)
        change(
            session,
            actor=SYSTEM,
            subscription_id=subscription.public_id,
            change=Suspend(),
            now=at("2026-02-01 08:00"),
        )

        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject_id == str(subscription.public_id))
            .order_by(AuditEntry.id)
        ).all()
        assert [entry.action for entry in entries] == ["subscription.begin", "subscription.change"]
        assert (entries[1].after or {})["status"] == "suspended"
        assert "cost" not in str(entries[0].after)

    def test_nobody_elses_subscription_can_be_named(self, session: Session) -> None:
        with pytest.raises(NotFound):
            change(
                session, actor=SYSTEM, subscription_id=uuid4(), change=Cancel(), now=at("2026-02-01 08:00")
            )

    def test_only_who_may_manage_changes(self, session: Session) -> None:
        subscription = buy(session)
        rosa = Actor("Rosa", Audience.RESELLER, 1, permissions=frozenset({Permission.RESELLER_HOME_VIEW}))

        with pytest.raises(NotPermitted):
            change(
                session,
                actor=rosa,
                subscription_id=subscription.public_id,
                change=Cancel(),
                now=at("2026-02-01 08:00"),
            )


class TestRenewing:
    """Each term that ends is followed once, on whatever day the run comes by."""

    def renew(self, session: Session, day: date) -> int:
        return renew_due(session, actor=SYSTEM, day=day, now=at("2027-06-01 03:00"))

    def test_it_renews_once_with_what_waited(self, session: Session) -> None:
        subscription = buy(session)
        change(
            session,
            actor=SYSTEM,
            subscription_id=subscription.public_id,
            change=ChangeQuantity(4),
            now=at("2026-03-01 08:00"),
        )

        assert self.renew(session, date(2027, 1, 14)) == 0
        assert self.renew(session, date(2027, 1, 15)) == 1
        assert self.renew(session, date(2027, 1, 15)) == 0

        renewed = standing_of(session, subscription)
        assert (renewed.now.kind, renewed.now.quantity) == (SegmentKind.RENEW, 4)
        assert (renewed.now.at, renewed.now.term_end) == (at("2027-01-15 00:00"), date(2028, 1, 15))
        assert renewed.at_renewal is None

    def test_a_run_that_was_missed_is_made_up_for_term_by_term(self, session: Session) -> None:
        subscription = buy(session, quoted(Term.P1M, cost="36"), on="2026-01-31 10:00")

        self.renew(session, date(2026, 5, 2))

        starts = [one.term_start.isoformat() for one in standing_of(session, subscription).segments]
        assert starts == ["2026-01-31", "2026-02-28", "2026-03-28", "2026-04-28"]

    def test_one_that_is_to_end_ends(self, session: Session) -> None:
        subscription = buy(session)
        change(
            session,
            actor=SYSTEM,
            subscription_id=subscription.public_id,
            change=SetTermEnd(AtTermEnd.END),
            now=at("2026-03-01 08:00"),
        )

        self.renew(session, date(2027, 1, 20))

        assert (subscription.status, subscription.quantity) == ("expired", 0)
        assert kinds(session, subscription) == ["new", "expire"]

    def test_one_that_nobody_decided_about_goes_on_by_the_month_dearer(self, session: Session) -> None:
        subscription = buy(session, on="2025-06-10 10:00")
        change(
            session,
            actor=SYSTEM,
            subscription_id=subscription.public_id,
            change=SetTermEnd(AtTermEnd.EXTEND),
            now=at("2026-03-01 08:00"),
        )

        self.renew(session, date(2026, 7, 12))

        segments = standing_of(session, subscription).segments
        assert [one.term_start.isoformat() for one in segments] == [
            "2025-06-10",
            "2026-06-10",
            "2026-07-10",
        ]
        # 360 a year is 30 a month; no price by the month is known: 23 % more.
        assert {one.quoted.unit_cost for one in segments[1:]} == {Decimal("36.9")}
        assert all(one.quoted.offer.is_extended for one in segments[1:])

    def test_a_segment_is_never_changed(self, session: Session) -> None:
        subscription = buy(session)
        before = standing_of(session, subscription).segments[0]

        self.renew(session, date(2027, 1, 15))

        after = standing_of(session, subscription).segments[0]
        assert replace(before, quoted=after.quoted) == after
        assert (
            session.scalar(
                select(func.count())
                .select_from(SubscriptionSegment)
                .where(SubscriptionSegment.subscription_id == subscription.id)
            )
            == 2
        )
