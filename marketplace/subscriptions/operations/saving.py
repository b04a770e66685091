"""Adding segments to a history, and keeping what lists show of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from marketplace.subscriptions.models import (
    ScheduledChange,
    SegmentCost,
    Subscription,
    SubscriptionSegment,
)
from marketplace.subscriptions.rules.history import Segment
from marketplace.subscriptions.rules.windows import window_after
from marketplace.subscriptions.words import DecidedBy, When


def lock_order_line(session: Session, order_line: str) -> Subscription | None:
    """Wait for whoever carries out the same order line; give the subscription it was carried out on already, if any."""
    if not order_line:
        return None
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:line, 0))"), {"line": order_line})
    return session.scalar(
        select(Subscription)
        .join(SubscriptionSegment, SubscriptionSegment.subscription_id == Subscription.id)
        .where(SubscriptionSegment.order_line == order_line)
        .order_by(SubscriptionSegment.order_part)
        .limit(1)
    )


def add_segments(
    session: Session, subscription: Subscription, segments: Sequence[Segment], *, first_part: int = 0
) -> None:
    """Add segments with their costs, and let the subscription show what it has become."""
    for part, segment in enumerate(segments, start=first_part):
        offer = segment.quoted.offer
        row = SubscriptionSegment(
            subscription_id=subscription.id,
            number=segment.number,
            kind=segment.kind.value,
            at=segment.at,
            since=segment.since,
            status=segment.status.value,
            quantity=segment.quantity,
            term_start=segment.term_start,
            term_end=segment.term_end,
            plan_id=offer.plan_id,
            product=offer.product,
            sku=offer.sku,
            unit=offer.unit,
            product_kind=offer.kind,
            term=offer.term.value,
            billing_cycle=offer.billing_cycle.value,
            is_trial=offer.is_trial,
            is_extended=offer.is_extended,
            unit_list=segment.quoted.unit_listed,
            promotion_id=segment.quoted.promotion.id if segment.quoted.promotion else None,
            order_line=segment.order_line,
            order_part=part if segment.order_line else 0,
        )
        session.add(row)
        session.flush()  # the cost needs the segment's id
        session.add(SegmentCost(segment_id=row.id, unit_cost=segment.quoted.unit_cost))
        subscription.window_until = window_after(
            subscription.window_until, seats_before=subscription.quantity, segment=segment
        )
        subscription.status = segment.status.value
        subscription.plan_id = offer.plan_id
        subscription.quantity = segment.quantity
        subscription.term_start, subscription.term_end = segment.term_start, segment.term_end
    session.flush()


@dataclass(frozen=True, slots=True)
class Decided:
    """Who decided what happens when a term ends, and when."""

    by: DecidedBy
    name: str
    at: datetime


def note_decision(subscription: Subscription, decided: Decided | None) -> None:
    """Keep who decided what happens when the term ends; None forgets it, since another term has begun."""
    subscription.decided_by = decided.by.value if decided else DecidedBy.NOBODY.value
    subscription.decided_name = decided.name if decided else ""
    subscription.decided_at = decided.at if decided else None


def end_waiting(
    session: Session, subscription: Subscription, waits_for: When, *, now: datetime, was_carried_out: bool
) -> None:
    """Do away with what waits, or note that it was carried out."""
    session.execute(
        update(ScheduledChange)
        .where(
            ScheduledChange.subscription_id == subscription.id,
            ScheduledChange.waits_for == waits_for.value,
            ScheduledChange.ended_at.is_(None),
        )
        .values(ended_at=now, was_carried_out=was_carried_out)
        .execution_options(synchronize_session=False)
    )


def as_json(segment: Segment) -> dict[str, object]:
    """Say a segment for the audit trail, without what it costs."""
    offer = segment.quoted.offer
    return {
        "kind": segment.kind.value,
        "product": offer.product,
        "sku": offer.sku,
        "term": offer.term.value,
        "billing_cycle": offer.billing_cycle.value,
        "quantity": segment.quantity,
        "status": segment.status.value,
        "since": segment.since.isoformat(),
        "term_end": segment.term_end.isoformat() if segment.term_end else "",
    }
