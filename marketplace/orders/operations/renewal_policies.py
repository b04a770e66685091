"""Letting subscriptions follow what their resellers want done when terms end: a change of that is an order."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import Refusal
from marketplace.core.permit import require
from marketplace.orders.models import Order
from marketplace.orders.operations.changing import order_change
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.saving import Decided, note_decision
from marketplace.subscriptions.queries.policies import undecided_under_policies
from marketplace.subscriptions.rules.changes import SetTermEnd
from marketplace.subscriptions.words import AtTermEnd, DecidedBy

#: How many subscriptions one transaction looks at.
BATCH = 200


def follow_policies(session: Session, *, actor: Actor, now: datetime, after: int = 0) -> int | None:
    """Let up to a batch of subscriptions follow their policies, those with the lowest ids above `after`.

    Give the last id; None where there is no more. Where the vendor renews as the policy says, it is only noted that it
    was decided; else it is ordered, once for a term. What the rules do not allow stays as the vendor has it. Doing it
    again orders nothing twice.
    """
    require(actor, Permission.WHOLESALER_ORDERS_PLACE)
    rows = session.execute(
        undecided_under_policies()
        .where(Subscription.id > after, Subscription.term_end > now.date())
        .order_by(Subscription.id)
        .limit(BATCH)
        .with_for_update(of=Subscription, skip_locked=True)
    ).all()
    differing = []
    for subscription, choice in rows:
        if subscription.at_term_end == choice:
            note_decision(subscription, Decided(DecidedBy.POLICY, actor.name, now))
        else:
            differing.append((subscription, AtTermEnd(choice)))
    _order(session, differing, actor=actor, now=now)
    return rows[-1][0].id if rows else None


def _order(
    session: Session, differing: Sequence[tuple[Subscription, AtTermEnd]], *, actor: Actor, now: datetime
) -> None:
    keys = {
        uuid5(subscription.public_id, f"{subscription.term_end} {choice.value}"): (subscription, choice)
        for subscription, choice in differing
    }
    known = set(session.scalars(select(Order.public_id).where(Order.public_id.in_(keys))))
    for key, (subscription, choice) in keys.items():
        if key in known:
            continue
        try:
            with session.begin_nested():
                order_change(
                    session,
                    actor=actor,
                    subscription_id=subscription.public_id,
                    change=SetTermEnd(choice),
                    key=key,
                    now=now,
                    decided_by=DecidedBy.POLICY,
                )
        except Refusal:
            continue  # not possible, or another change is on its way: looked at again tomorrow
