"""The wholesaler of the stories: three closed months, one whose files are still to come, and one that has begun.

It is the demonstration as of a fixed day, so that the people of the stories are those a first visitor signs in as.
"""

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.operations.exchange_rates import import_fx_rates
from marketplace.accounts.operations.people import Party, create_user
from marketplace.billing.closing import close_period
from marketplace.core.actor import Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.demo import firms, vendor_files
from marketplace.demo.make import PASSWORD, STAFF, make
from marketplace.settings import Settings
from marketplace.usage.operations import GivenFile, import_files
from resellers.models import Customer, Reseller

TO_CLOSE = Period(2025, 12)
"""Over, not closed, and without a file: what Wanda's story is about."""
RUNNING = Period(2026, 1)
RUNNING_UNTIL = date(2026, 1, 13)
ARMOR = "armor-it"
CARNAC = "carnac-conserves"


@dataclass(frozen=True)
class World:
    """Where everything is kept."""

    database: Database
    settings: Settings


def make_world(database: Database, settings: Settings) -> World:
    """Make it. The database must be migrated and empty."""
    make(database, settings, today=TO_CLOSE.start, say=lambda _step: None)
    with database.transaction(STAFF) as session:
        import_fx_rates(session, actor=STAFF, file="fx.csv", content=rates(RUNNING))
    _deliver_running(database, settings)
    close_period(database, settings, period=RUNNING, actor=STAFF, approve=False, dry_run=False, now=utc_now())
    with database.owner_transaction() as session:
        add_person(session, "victor@demo.example", "Victor Le Bras", Audience.CUSTOMER, "viewer", CARNAC)
    return World(database, settings)


def make_world_of_today(database: Database, settings: Settings) -> World:
    """Make the demonstration as of today, for stories that close the month that runs."""
    today = utc_now().date()
    make(database, settings, today=today, say=lambda _step: None)
    with database.transaction(STAFF) as session:
        import_fx_rates(session, actor=STAFF, file="fx.csv", content=rates(Period.of(today)))
    return World(database, settings)


def add_person(
    session: Session, email: str, name: str, audience: Audience, role: str, party: str = ""
) -> None:
    """Let one more person sign in, with everybody's password."""
    table: dict[Audience, type[Reseller | Customer]] = {
        Audience.RESELLER: Reseller,
        Audience.CUSTOMER: Customer,
    }
    party_id = (
        session.scalars(select(table[audience].id).where(table[audience].reference == party)).one()
        if party
        else None
    )
    create_user(
        session,
        actor=STAFF,
        party=Party(audience, party_id),
        email=email,
        name=name,
        role=role,
        password=PASSWORD,
    )


def rates(month: Period) -> bytes:
    """Write the exchange rates of a month as a file."""
    pairs = ("USD,EUR,0.93", "GBP,EUR,1.17", "CHF,EUR,1.06", "EUR,CHF,0.94", "EUR,GBP,0.85", "USD,GBP,0.78")
    return "\n".join(["month,from,to,rate", *(f"{month},{pair}" for pair in pairs)]).encode()


def _deliver_running(database: Database, settings: Settings) -> None:
    usage = vendor_files.daily_usage(RUNNING, first=RUNNING.start, until=RUNNING_UNTIL)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "unbilled.csv"
        path.write_bytes(vendor_files.as_csv("daily", usage))
        import_files(database, settings, actor=STAFF, files=[GivenFile(path, path.name)], vendor=firms.AZURE)
