"""Subscriptions as decisions need them: whole histories, read for many at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from catalog.models import Promotion
from catalog.queries.promotions import terms_of
from catalog.rules.promotions import Promoted
from catalog.words import BillingCycle, Term
from marketplace.subscriptions.models import (
    ScheduledChange,
    SegmentCost,
    Subscription,
    SubscriptionSegment,
)
from marketplace.subscriptions.rules.ends import OtherTerm
from marketplace.subscriptions.rules.history import Offer, Quoted, Segment, Standing, Waiting
from marketplace.subscriptions.words import STANDING, AtTermEnd, SegmentKind, Status, When


def standings(
    session: Session, subscriptions: Sequence[Subscription], *, offers: Mapping[int, Offer]
) -> dict[int, Standing]:
    """Give subscriptions with their histories by id, in three queries whatever their number.

    `offers` say what the plans they have now allow, as the catalogue sells them today; without one, only what was
    kept when it was bought is known. Where costs may not be seen they are nought.
    """
    ids = [one.id for one in subscriptions]
    rows: dict[int, list[tuple[SubscriptionSegment, Decimal | None, Promotion | None]]] = defaultdict(list)
    found = session.execute(
        select(SubscriptionSegment, SegmentCost.unit_cost, Promotion)
        .outerjoin(SegmentCost, SegmentCost.segment_id == SubscriptionSegment.id)
        .outerjoin(Promotion, Promotion.id == SubscriptionSegment.promotion_id)
        .where(SubscriptionSegment.subscription_id.in_(ids))
        .order_by(SubscriptionSegment.subscription_id, SubscriptionSegment.number)
    )
    for segment, cost, promotion in found:
        rows[segment.subscription_id].append((segment, cost, promotion))
    waiting: dict[tuple[int, str], Waiting] = {
        (change.subscription_id, change.waits_for): Waiting(
            due_on=change.due_on,
            quantity=change.quantity,
            plan_id=change.plan_id,
            custom_end=change.custom_end,
        )
        for change in session.scalars(
            select(ScheduledChange).where(
                ScheduledChange.subscription_id.in_(ids), ScheduledChange.ended_at.is_(None)
            )
        )
    }
    seats = _seats_by_sku(session, subscriptions, {one: rows[one][-1][0].sku for one in ids if rows[one]})
    return {
        one.id: Standing(
            segments=_with_offer(
                tuple(_segment(one, *row) for row in rows[one.id]),
                offers.get(one.plan_id),
            ),
            at_term_end=AtTermEnd(one.at_term_end),
            at_renewal=waiting.get((one.id, When.AT_RENEWAL)),
            at_next_charge=waiting.get((one.id, When.AT_NEXT_CHARGE)),
            seats_elsewhere=seats.get(one.id, 0),
        )
        for one in subscriptions
    }


def _segment(
    subscription: Subscription,
    row: SubscriptionSegment,
    cost: Decimal | None,
    promotion: Promotion | None,
) -> Segment:
    offer = Offer(
        plan_id=row.plan_id,
        vendor=subscription.vendor,
        product=row.product,
        sku=row.sku,
        unit=row.unit,
        kind=row.product_kind,
        term=Term(row.term),
        billing_cycle=BillingCycle(row.billing_cycle),
        is_trial=row.is_trial,
        is_extended=row.is_extended,
    )
    return Segment(
        number=row.number,
        kind=SegmentKind(row.kind),
        at=row.at,
        since=row.since,
        status=Status(row.status),
        quantity=row.quantity,
        quoted=Quoted(
            offer,
            cost if cost is not None else Decimal(0),
            row.unit_list,
            subscription.currency,
            Promoted(promotion.id, terms_of(promotion)) if promotion else None,
        ),
        term_start=row.term_start,
        term_end=row.term_end,
        order_line=row.order_line,
    )


def _with_offer(segments: tuple[Segment, ...], offer: Offer | None) -> tuple[Segment, ...]:
    """Let the last segment know what the catalogue allows of its plan; what it was sold as stays."""
    if offer is None or not segments:
        return segments
    last = segments[-1]
    sold = last.quoted.offer
    known = replace(
        offer,
        product=sold.product,
        sku=sold.sku,
        unit=sold.unit,
        kind=sold.kind,
        term=sold.term,
        billing_cycle=sold.billing_cycle,
        is_trial=sold.is_trial,
        is_extended=sold.is_extended,
    )
    return (*segments[:-1], replace(last, quoted=replace(last.quoted, offer=known)))


def _seats_by_sku(
    session: Session, subscriptions: Sequence[Subscription], skus: Mapping[int, str]
) -> dict[int, int]:
    """Give for each subscription the seats of its SKU that its customer has in others."""
    pairs = {(one.customer_id, skus[one.id]) for one in subscriptions if one.id in skus}
    if not pairs:
        return {}
    last = (
        select(
            SubscriptionSegment.subscription_id,
            SubscriptionSegment.sku,
            func.row_number()
            .over(
                partition_by=SubscriptionSegment.subscription_id,
                order_by=SubscriptionSegment.number.desc(),
            )
            .label("place"),
        )
        .join(Subscription, Subscription.id == SubscriptionSegment.subscription_id)
        .where(
            Subscription.customer_id.in_({customer for customer, _ in pairs}),
            Subscription.status.in_(STANDING),
        )
        .subquery()
    )
    totals = {
        (customer, sku): int(quantity)
        for customer, sku, quantity in session.execute(
            select(Subscription.customer_id, last.c.sku, func.sum(Subscription.quantity))
            .join(last, last.c.subscription_id == Subscription.id)
            .where(last.c.place == 1, tuple_(Subscription.customer_id, last.c.sku).in_(pairs))
            .group_by(Subscription.customer_id, last.c.sku)
        )
    }
    return {
        one.id: totals.get((one.customer_id, skus[one.id]), 0)
        - (one.quantity if Status(one.status) in STANDING else 0)
        for one in subscriptions
        if one.id in skus
    }


def seats_of(session: Session, *, customer_id: int, sku: str) -> int:
    """Give the seats of a SKU a customer has in all its subscriptions: what a new order adds to."""
    last = (
        select(SubscriptionSegment.sku)
        .where(SubscriptionSegment.subscription_id == Subscription.id)
        .order_by(SubscriptionSegment.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    total = select(func.coalesce(func.sum(Subscription.quantity), 0)).where(
        Subscription.customer_id == customer_id, Subscription.status.in_(STANDING), last == sku
    )
    return int(session.scalar(total) or 0)


def other_terms(session: Session, *, customer_id: int, vendor: str) -> list[OtherTerm]:
    """Give the terms of a customer's other active subscriptions at a vendor, for ends in common."""
    last = (
        select(SubscriptionSegment.term)
        .where(SubscriptionSegment.subscription_id == Subscription.id)
        .order_by(SubscriptionSegment.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    is_trial = (
        select(SubscriptionSegment.is_trial)
        .where(SubscriptionSegment.subscription_id == Subscription.id)
        .order_by(SubscriptionSegment.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Subscription.public_id, last, Subscription.term_end).where(
            Subscription.customer_id == customer_id,
            Subscription.vendor == vendor,
            Subscription.status == Status.ACTIVE.value,
            Subscription.term_end.is_not(None),
            ~is_trial,
        )
    )
    return [
        OtherTerm(str(public_id), Term(term), end)
        for public_id, term, end in rows
        if term != Term.ONE_TIME and end is not None
    ]
