"""Vendors' files are fetched every night, and each fetch is told with what became of it."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from marketplace.accounts.models import Notification
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings
from marketplace.usage.jobs import fetch, fetch_every_night
from marketplace.usage.models import Delivery, DeliverySlice, VendorFetch
from marketplace.usage.operations.fetch_log import EVERY_NIGHT, last_fetches, next_night, periods_due
from marketplace.vendors.errors import VendorUnavailable
from marketplace.vendors.partner_center.connector import PartnerCenter
from tests.factories import make_wholesaler
from tests.personas import make_personas
from tests.vendors.simulated import Simulator, azure_plan, bought, open_account


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (datetime(2026, 6, 18, 4, 19, tzinfo=UTC), datetime(2026, 6, 18, 4, 20, tzinfo=UTC)),
        (datetime(2026, 6, 18, 4, 20, tzinfo=UTC), datetime(2026, 6, 19, 4, 20, tzinfo=UTC)),
    ],
)
def test_the_next_night_is_as_the_schedule_says(now: datetime, then: datetime) -> None:
    assert next_night(now) == then
    assert EVERY_NIGHT == "20 4 * * *"


def test_the_last_month_is_fetched_until_its_bill_is_here(database: Database) -> None:
    def due() -> list[Period]:
        with database.owner_transaction() as session:
            return periods_due(session, "microsoft", today=date(2026, 6, 18))

    assert due() == [Period(2026, 5), Period(2026, 6)]
    with database.owner_transaction() as session:
        delivery = Delivery(vendor="microsoft", status="current")
        session.add(delivery)
        session.flush()
        session.add_all(
            DeliverySlice(
                delivery_id=delivery.id,
                vendor="microsoft",
                billing_account="b",
                period=202605,
                file_kind=kind,
                is_current=is_current,
            )
            for kind, is_current in (("daily", True), ("reconciliation", False))
        )
    assert len(due()) == 2
    with database.owner_transaction() as session:
        for one in session.scalars(select(DeliverySlice)):
            one.is_current = True
    assert due() == [Period(2026, 6)]


@pytest.fixture
def connected(settings: Settings, simulator: Simulator) -> Settings:
    """Settings that lead to the simulator of the test."""
    return settings.model_copy(update={"simulator_port": int(simulator.address.rpartition(":")[2])})


def fetched(database: Database, settings: Settings, period: str, *, key: UUID | None = None) -> VendorFetch:
    key = key or uuid4()
    fetch(
        database,
        settings,
        vendor="microsoft",
        period=period,
        key=str(key),
        user_id=None,
        name="Marketplace",
    )
    with database.owner_transaction() as session:
        return session.get_one(VendorFetch, key)


def test_what_became_of_each_fetch_is_kept(
    database: Database, connected: Settings, simulator: Simulator, connector: PartnerCenter
) -> None:
    with database.owner_transaction() as session:
        make_wholesaler(session)
    account = open_account(connector).account
    bought(connector, account, azure_plan())
    simulator.at("2025-04-06T00:00:00Z")

    first = fetched(database, connected, "2025-03")
    assert (first.outcome, first.deliveries, first.started_by) == ("imported", 2, "Marketplace")
    again = fetched(database, connected, "2025-03")
    assert (again.outcome, again.deliveries) == ("unchanged", 0)
    early = fetched(database, connected, "2024-01")
    assert early.outcome == "nothing"
    assert "no files of 2024-01" in str(early.words)
    with database.owner_transaction() as session:
        assert len(last_fetches(session, "microsoft")) == 3


def test_a_vendor_that_is_away_is_told_and_the_repeated_job_goes_on_in_the_same_row(
    database: Database, connected: Settings, simulator: Simulator
) -> None:
    with database.owner_transaction() as session:
        make_wholesaler(session)
    # As long as it is away, nobody is reached at all.
    away = connected.model_copy(update={"simulator_port": 1})
    key = uuid4()

    with pytest.raises(VendorUnavailable):
        fetched(database, away, "2025-03", key=key)
    with database.owner_transaction() as session:
        waits = session.get_one(VendorFetch, key)
        assert waits.outcome == "away"
        assert "cannot be reached" in str(waits.words)
    simulator.at("2025-04-06T00:00:00Z")

    assert fetched(database, connected, "2025-03", key=key).outcome != "away"
    with database.owner_transaction() as session:
        assert len(last_fetches(session, "microsoft")) == 1


def test_every_night_enqueues_each_month_once_and_where_nothing_is_connected_nothing(
    database: Database, connected: Settings, settings: Settings
) -> None:
    def waiting() -> int:
        with database.owner_transaction() as session:
            counted = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'usage.fetch'"
            return int(session.scalar(text(counted)) or 0)

    fetch_every_night(database, settings.model_copy(update={"simulator_port": 0}))
    assert waiting() == 0
    fetch_every_night(database, connected)
    fetch_every_night(database, connected)
    assert waiting() == 2


def test_staff_are_told_of_a_night_that_was_refused(database: Database, settings: Settings) -> None:
    with database.owner_transaction() as session:
        make_personas(session)

    by_hand = settings.model_copy(update={"simulator_port": 0})
    assert fetched(database, by_hand, "2025-03").outcome == "refused"

    with database.owner_transaction() as session:
        told = {str(one.phrase) for one in session.scalars(select(Notification))}
    assert any("could not be fetched" in words for words in told)
