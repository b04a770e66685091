"""What the worker does for subscriptions: terms that end, and what vendors say they have, every day."""

from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import LONG, register
from marketplace.settings import Settings
from marketplace.subscriptions.operations.comparing import compare_all
from marketplace.subscriptions.operations.moving import carry_out_subscription_moves
from marketplace.subscriptions.operations.reminding import remind
from marketplace.subscriptions.operations.renewing import renew_due
from marketplace.vendors.registry import connector_for

RENEW = "subscriptions.renew"
REMIND = "subscriptions.remind"
COMPARE = "subscriptions.compare"
MOVE = "subscriptions.carry_out_moves"


@register(RENEW, retries=5, every="7 * * * *", queue=LONG)
def renew(database: Database, settings: Settings) -> int:
    """Let every term that has ended be followed by what was decided. Doing it again does nothing."""
    del settings
    now = utc_now()
    renewed = 0
    while True:
        with database.owner_transaction() as session:
            done = renew_due(session, actor=Actor.system(), day=now.date(), now=now)
        renewed += done
        if not done:
            return renewed


@register(MOVE, retries=5, every="4 0 * * *")
def move(database: Database, settings: Settings) -> None:
    """Give subscriptions whose day has come to their new customer."""
    del settings
    with database.owner_transaction() as session:
        carry_out_subscription_moves(session, now=utc_now())


@register(COMPARE, retries=5, every="20 3 * * *", queue=LONG)
def compare(database: Database, settings: Settings) -> int:
    """Compare our subscriptions with what vendors have; what differs is kept for staff to see."""
    return compare_all(database, connect=lambda vendor: connector_for(settings, vendor), now=utc_now())


@register(REMIND, retries=5, every="30 6 * * *")
def remind_of_renewals(database: Database, settings: Settings) -> int:
    """Tell people of terms that end soon, once for each distance."""
    now = utc_now()
    with database.owner_transaction() as session:
        return remind(session, actor=Actor.system(), site_url=settings.site_url, day=now.date(), now=now)
