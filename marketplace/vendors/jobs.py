"""What the worker does for vendors: requests one step at a time, and whatever was left lying."""

import time
from uuid import UUID

from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import LONG, register
from marketplace.settings import Settings
from marketplace.vendors.connector import Capability
from marketplace.vendors.customer_accounts.following import follow_account
from marketplace.vendors.customer_accounts.opening import FOLLOW
from marketplace.vendors.enrolments import check_enrolments
from marketplace.vendors.provisioning.advancing import advance, take_up_what_is_due
from marketplace.vendors.provisioning.operations import ADVANCE
from marketplace.vendors.queries import vendor_of
from marketplace.vendors.registry import CONNECTED, can, connector_for

TAKE_UP = "vendors.take_up"
CHECK = "vendors.check_enrolments"


@register(ADVANCE)
def advance_request(database: Database, settings: Settings, *, request_id: int) -> None:
    """Take one request a step further."""
    advance(
        database,
        request_id=request_id,
        connect=lambda vendor: connector_for(settings, vendor),
        clock=utc_now,
    )


@register(FOLLOW, retries=5)
def follow(database: Database, settings: Settings, *, request_id: str, origin: str) -> None:
    """Take in what became of an account that was asked for, or of an agreement."""
    del origin
    with database.owner_transaction() as session:
        vendor = vendor_of(session, UUID(request_id))
        follow_account(
            session,
            actor=Actor.system(),
            request_id=UUID(request_id),
            keeps_agreements=can(settings, vendor, Capability.AGREEMENTS),
            now=utc_now(),
        )


@register(TAKE_UP, every="*/5 * * * *")
def take_up(database: Database, _settings: Settings) -> None:
    """Have everything taken up that is due."""
    take_up_what_is_due(database, now=utc_now())


@register(CHECK, retries=2, every="40 2 * * *", queue=LONG)
def check(database: Database, settings: Settings) -> None:
    """Ask every connected vendor about every reseller."""
    for vendor in CONNECTED:
        check_enrolments(
            database,
            vendor=vendor,
            connect=lambda name: connector_for(settings, name),
            clock=utc_now,
            pause=time.sleep,
        )
