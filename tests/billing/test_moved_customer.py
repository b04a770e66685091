"""A customer that has moved to another reseller: what was billed before stays where it was billed, for everybody."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from marketplace.billing.closing import close_period
from marketplace.billing.explanations import as_data, explain
from marketplace.billing.exports import Wanted, write_statements
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings
from resellers.models import Customer, Hop
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_fx, make_mapping, make_reseller

NOW = datetime(2024, 10, 5, 8, tzinfo=UTC)
SEPTEMBER = Period(2024, 9)


@pytest.fixture
def parties(database: Database, settings: Settings) -> dict[Audience, int]:
    """September closed for a reseller and its customer, who then moves to another reseller."""
    with database.owner_transaction() as session:
        first, second = make_reseller(session, "R1"), make_reseller(session, "R2")
        customer = make_customer(session, "C1", reseller=first)
        make_mapping(session, customer=customer, account="a1", vendor="cloud")
        make_fx(session, "0.5")
        deliver(session, Path(settings.lake), [Usage(cost="7.31", quantity="3", currency="USD")])
        ids = {Audience.RESELLER: first.id, Audience.CUSTOMER: customer.id}
        moved_to = second.id
    close_period(
        database, settings, period=SEPTEMBER, actor=Actor.system(), approve=True, dry_run=False, now=NOW
    )
    with database.owner_transaction() as session:
        session.get_one(Customer, ids[Audience.CUSTOMER]).reseller_id = moved_to
    return ids


def actor(audience: Audience, parties: dict[Audience, int]) -> Actor:
    return Actor("somebody", audience, party_id=parties[audience], permissions=frozenset(Permission))


@pytest.mark.parametrize(
    ("audience", "hop"), [(Audience.RESELLER, Hop.WHOLESALE), (Audience.CUSTOMER, Hop.RETAIL)]
)
def test_its_lines_stay_in_the_files_of_who_was_billed(
    database: Database, parties: dict[Audience, int], audience: Audience, hop: Hop
) -> None:
    file = io.BytesIO()

    with database.transaction(actor(audience, parties)) as session:
        buyer = {Hop.WHOLESALE: "R1", Hop.RETAIL: "C1"}[hop]
        wanted = Wanted(SEPTEMBER, hop, buyer=buyer, is_sellers_view=False)
        write_statements(session, wanted, format_="focus", file=file)

    (row,) = csv.DictReader(io.StringIO(file.getvalue().decode()))
    assert row["x_CustomerId"] == "C1"


@pytest.mark.parametrize(
    ("audience", "hop"), [(Audience.RESELLER, "wholesale"), (Audience.CUSTOMER, "retail")]
)
def test_its_lines_go_on_explaining_themselves(
    database: Database, parties: dict[Audience, int], audience: Audience, hop: str
) -> None:
    with database.owner_transaction() as session:
        line = session.scalar(text("SELECT id FROM statement_line WHERE hop = :hop"), {"hop": hop})
    viewer = actor(audience, parties)

    with database.transaction(viewer) as session:
        data = as_data(explain(session, line, actor=viewer), None)

    assert data["hops"][0]["buyer"] == {"wholesale": "R1", "retail": "C1"}[hop]
