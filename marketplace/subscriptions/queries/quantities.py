"""How many units customers have of plans."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.words import STANDING


def quantities_by_plan(session: Session, *, vendor: str, currency: str) -> Mapping[int, Sequence[int]]:
    """Give the quantities of the subscriptions that stand, by plan, as far as the session may see them."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for plan_id, quantity in session.execute(
        select(Subscription.plan_id, Subscription.quantity).where(
            Subscription.vendor == vendor,
            Subscription.currency == currency,
            Subscription.status.in_(STANDING),
        )
    ):
        found[plan_id].append(quantity)
    return found
