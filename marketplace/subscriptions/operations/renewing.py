"""Terms that end: each is renewed, extended or over, once, on whatever day the run comes by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.permit import require
from marketplace.subscriptions.models import ScheduledChange, Subscription
from marketplace.subscriptions.operations.saving import add_segments, as_json, end_waiting, note_decision
from marketplace.subscriptions.queries.offers import monthly_plans, offers_of, quotes
from marketplace.subscriptions.queries.promotions import Asked, asked_at_renewal
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.changes import ChangeBilling
from marketplace.subscriptions.rules.history import Quoted, Segment, Standing
from marketplace.subscriptions.rules.renewals import at_term_end, is_due, plan_of_renewal
from marketplace.subscriptions.rules.steps import pay_otherwise
from marketplace.subscriptions.words import STANDING, SegmentKind, When
from resellers.models import Customer

#: How many subscriptions one transaction renews.
BATCH = 200


@dataclass(frozen=True, slots=True)
class _Due:
    subscription: Subscription
    standing: Standing
    market: str


def renew_due(session: Session, *, actor: Actor, day: date, now: datetime) -> int:
    """Let up to a batch of terms that have ended by a day be followed by what was decided; give how many.

    A run that was missed is made up for, term by term. Others that run at the same time take other subscriptions.
    """
    require(actor, Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE)
    due = _due(session, day)
    while standing := [one for one in due if is_due(one.standing, day) or _pays_otherwise(one, day)]:
        prices, monthly = _prices(session, standing)
        due = [_follow(session, one, prices, monthly, actor=actor, day=day, now=now) for one in standing]
    return len(due)


def _due(session: Session, day: date) -> list[_Due]:
    waits = select(ScheduledChange.subscription_id).where(
        ScheduledChange.ended_at.is_(None),
        ScheduledChange.waits_for == When.AT_NEXT_CHARGE.value,
        ScheduledChange.due_on <= day,
    )
    rows = session.execute(
        select(Subscription, Customer.country)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(
            Subscription.status.in_(STANDING),
            or_(Subscription.term_end <= day, Subscription.id.in_(waits)),
        )
        .order_by(Subscription.id)
        .limit(BATCH)
        .with_for_update(of=Subscription, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    subscriptions = [row[0] for row in rows]
    offers = offers_of(session, {one.plan_id for one in subscriptions})
    known = standings(session, subscriptions, offers=offers)
    return [_Due(one, known[one.id], market) for one, market in rows]


def _pays_otherwise(one: _Due, day: date) -> bool:
    waiting = one.standing.at_next_charge
    return waiting is not None and waiting.due_on <= day


def _prices(session: Session, due: Sequence[_Due]) -> tuple[dict[int, dict[int, Quoted]], dict[int, Quoted]]:
    """Give, by subscription, the prices of the plans it may go on with, and of its SKU by the month."""
    months = monthly_plans(session, {one.subscription.plan_id for one in due})
    asked: dict[int, list[Asked]] = {}
    for one in due:
        standing, end = one.standing, one.standing.now.term_end
        waiting = standing.at_next_charge
        wanted = {plan_of_renewal(standing), months.get(one.subscription.plan_id)}
        if waiting is not None:
            wanted.add(waiting.plan_id)
            end = min(waiting.due_on, end or waiting.due_on)
        asked[one.subscription.id] = [
            asked_at_renewal(
                standing, plan, customer_id=one.subscription.customer_id, market=one.market, day=end
            )
            for plan in wanted
            if plan is not None and end is not None
        ]
    found = quotes(session, {ask for asks in asked.values() for ask in asks})
    prices = {
        identity: {ask.plan_id: found[ask] for ask in asks if ask in found}
        for identity, asks in asked.items()
    }
    by_month = {
        one.subscription.id: price
        for one in due
        if (plan := months.get(one.subscription.plan_id)) is not None
        and (price := prices[one.subscription.id].get(plan)) is not None
    }
    return prices, by_month


def _follow(
    session: Session,
    one: _Due,
    prices: dict[int, dict[int, Quoted]],
    monthly: dict[int, Quoted],
    *,
    actor: Actor,
    day: date,
    now: datetime,
) -> _Due:
    """Add what follows for one subscription; give it as it stands then."""
    subscription, standing = one.subscription, one.standing
    waiting = standing.at_next_charge
    if waiting is not None and _pays_otherwise(one, day):
        kind = When.AT_NEXT_CHARGE
        quoted = prices[subscription.id].get(waiting.plan_id or 0)
        segment = (
            pay_otherwise(ChangeBilling(quoted), standing, waiting.due_on) if quoted is not None else None
        )
        after = replace(standing, at_next_charge=None)
    else:
        kind = When.AT_RENEWAL
        segment = at_term_end(standing, prices[subscription.id], monthly.get(subscription.id))
        after = replace(standing, at_renewal=None, at_next_charge=None)
    end_waiting(session, subscription, kind, now=now, was_carried_out=segment is not None)
    if segment is None:
        return replace(one, standing=after)
    _add(session, subscription, standing.now, segment, actor=actor)
    if kind is When.AT_RENEWAL and not segment.quoted.offer.is_extended:
        note_decision(subscription, None)  # it was about the term that has ended
    if segment.kind is SegmentKind.EXPIRE:
        end_waiting(session, subscription, When.AT_NEXT_CHARGE, now=now, was_carried_out=False)
    return replace(one, standing=replace(after, segments=(*standing.segments, segment)))


def _add(
    session: Session, subscription: Subscription, before: Segment, segment: Segment, *, actor: Actor
) -> None:
    add_segments(session, subscription, [segment])
    audit.record(
        session,
        actor=actor,
        action="subscription.end" if segment.kind is SegmentKind.EXPIRE else "subscription.renew",
        subject="subscription",
        subject_id=subscription.public_id,
        before=as_json(before),
        after=as_json(segment),
    )
