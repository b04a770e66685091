"""Which subscriptions an actor may see. Row-level security says the same once more."""

from typing import Any

from sqlalchemy import Select, false, select

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.subscriptions.models import Subscription
from resellers.models import Customer

_NEEDED = {
    Audience.WHOLESALER: Permission.WHOLESALER_SUBSCRIPTIONS_VIEW,
    Audience.RESELLER: Permission.RESELLER_SUBSCRIPTIONS_VIEW,
    Audience.CUSTOMER: Permission.CUSTOMER_SUBSCRIPTIONS_VIEW,
}
MANAGES = {
    Audience.WHOLESALER: Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE,
    Audience.RESELLER: Permission.RESELLER_SUBSCRIPTIONS_MANAGE,
    Audience.CUSTOMER: Permission.CUSTOMER_SUBSCRIPTIONS_MANAGE,
}


def visible_to(actor: Actor) -> Select[Subscription]:
    """Select the subscriptions an actor may see."""
    return narrowed(select(Subscription), actor)


def narrowed(statement: Select[Any], actor: Actor) -> Select[Any]:
    """Narrow a selection that has the subscription in it to what an actor may see."""
    if not actor.may(_NEEDED[actor.audience]):
        return statement.where(false())
    match actor.audience:
        case Audience.WHOLESALER:
            return statement
        case Audience.RESELLER:
            own = select(Customer.id).where(Customer.reseller_id == actor.party_id)
            return statement.where(Subscription.customer_id.in_(own))
        case Audience.CUSTOMER:
            return statement.where(Subscription.customer_id == actor.party_id)
