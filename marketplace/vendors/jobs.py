"""What the worker does for vendors: requests one step at a time, and whatever was left lying."""

import time

from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import LONG, register
from marketplace.settings import Settings
from marketplace.vendors.enrolments import check_enrolments
from marketplace.vendors.provisioning.advancing import advance, take_up_what_is_due
from marketplace.vendors.provisioning.operations import ADVANCE
from marketplace.vendors.registry import CONNECTED, connector_for

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
