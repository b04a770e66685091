"""What the worker does for the catalogue by itself."""

from datetime import timedelta

from sqlalchemy import select

from catalog.jobs import ACTIVATE
from catalog.models import PriceList
from catalog.operations.price_lists import import_price_list, schedule
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import load_jobs
from marketplace.settings import Settings
from tests.catalog.lists import sheet

SYSTEM = Actor.system("tests")


def test_a_scheduled_version_is_put_in_force_once_its_moment_has_come(
    database: Database, settings: Settings
) -> None:
    now = utc_now()
    with database.transaction(SYSTEM) as session:
        for market, at in (("FR", now - timedelta(minutes=1)), ("DE", now + timedelta(days=1))):
            imported = import_price_list(
                session,
                actor=SYSTEM,
                vendor="microsoft",
                file="list.csv",
                content=sheet({"Market": market}),
            )
            assert imported.price_list_id is not None
            schedule(
                session,
                actor=SYSTEM,
                price_list_id=imported.price_list_id,
                at=at,
                now=now - timedelta(hours=1),
            )
    job = load_jobs()[ACTIVATE]
    assert job.every

    assert [job.run(database, settings), job.run(database, settings)] == [1, 0]

    with database.owner_transaction() as session:
        found = session.execute(select(PriceList.market, PriceList.status).order_by(PriceList.market))
        assert [tuple(row) for row in found] == [("DE", "scheduled"), ("FR", "active")]
