"""What the worker does for orders: following what vendors make of them, and letting those go whose day has come."""

from uuid import UUID

from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import register
from marketplace.orders.operations.asking import FOLLOW
from marketplace.orders.operations.checking import release_due
from marketplace.orders.operations.deciding import look_at_credit_again
from marketplace.orders.operations.fulfilling import follow
from marketplace.orders.operations.renewal_policies import follow_policies
from marketplace.settings import Settings
from marketplace.subscriptions.operations.policies import FOLLOW_POLICIES

RELEASE = "orders.release"
LOOK_AT_CREDIT = "orders.look_at_credit"


@register(FOLLOW, retries=5)
def follow_order(database: Database, _settings: Settings, *, request_id: str, origin: str) -> None:
    """Take in what a vendor's request has become. Doing it again changes nothing."""
    del request_id
    with database.owner_transaction() as session:
        follow(session, actor=Actor.system(), order_id=UUID(origin), now=utc_now())


@register(RELEASE, every="7 0 * * *")
def release_orders(database: Database, _settings: Settings) -> int:
    """Let the orders go whose day has come."""
    with database.owner_transaction() as session:
        return release_due(session, actor=Actor.system(), now=utc_now())


@register(LOOK_AT_CREDIT, every="*/10 * * * *")
def look_at_credit(database: Database, _settings: Settings) -> int:
    """Let held orders go on that credit reaches by now."""
    with database.owner_transaction() as session:
        return look_at_credit_again(session, actor=Actor.system(), now=utc_now())


@register(FOLLOW_POLICIES, retries=5, every="40 * * * *")
def follow_renewal_policies(database: Database, _settings: Settings) -> None:
    """Let subscriptions follow what their resellers want done when terms end; doing it again changes nothing."""
    last: int | None = 0
    while last is not None:
        with database.owner_transaction() as session:
            last = follow_policies(
                session, actor=Actor.system(Machine.RENEWAL_POLICY), now=utc_now(), after=last
            )
