"""A month's files are fetched from the vendor and imported like any others: usage and bill agree to the cent."""

from contextlib import closing
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings
from marketplace.usage.models import Delivery, DeliverySlice
from marketplace.usage.operations import fetch_month
from marketplace.usage.operations.fetching import NothingToFetch
from marketplace.usage.operations.receiving import Received
from marketplace.vendors.errors import NotOffered, VendorBusy
from marketplace.vendors.manual.connector import ByHand
from marketplace.vendors.partner_center.connector import PartnerCenter
from tests.vendors.simulated import Simulator, azure_plan, bought, open_account

MARCH = Period(2025, 3)
STAFF = Actor.system("Wanda")


@pytest.fixture
def month(simulator: Simulator, connector: PartnerCenter) -> Simulator:
    """A month with seats and with consumption, and its bill."""
    account = open_account(connector).account
    bought(connector, account)
    bought(connector, account, azure_plan())
    simulator.at("2025-04-06T00:00:00Z")
    return simulator


def fetched(
    database: Database,
    settings: Settings,
    connector: PartnerCenter,
    *,
    period: Period = MARCH,
    today: date = date(2025, 4, 6),
    key: UUID | None = None,
    pauses: list[float] | None = None,
) -> list[Received]:
    """Fetch a month, without really waiting."""
    return fetch_month(
        database,
        settings,
        actor=STAFF,
        connector=connector,
        period=period,
        today=today,
        currency="EUR",
        key=key or uuid4(),
        pause=(pauses if pauses is not None else []).append,
    )


def deliveries(database: Database) -> dict[str, tuple[str, int, int, dict[str, str]]]:
    """Give status, rows, rejects and cost of each delivery by the kind of its files."""
    found = {}
    with database.owner_transaction() as session:
        for one, piece in session.query(Delivery, DeliverySlice).join(
            DeliverySlice, DeliverySlice.delivery_id == Delivery.id
        ):
            found[piece.file_kind] = (one.status, one.accepted, one.rejected, piece.cost)
    return found


def test_usage_and_bill_of_a_month_are_imported(
    database: Database, settings: Settings, month: Simulator, connector: PartnerCenter
) -> None:
    del month

    fetched(database, settings, connector)

    found = deliveries(database)
    (bill,) = connector.invoices()
    assert found["daily"][:3] == ("current", 22 * 4, 0)
    assert found["reconciliation"][:3] == ("current", 1 + 4, 0)
    assert Decimal(found["reconciliation"][3]["EUR"]) == bill.total


def test_fetched_again_nothing_changes(
    database: Database, settings: Settings, month: Simulator, connector: PartnerCenter
) -> None:
    del month
    fetched(database, settings, connector)

    again = fetched(database, settings, connector)

    assert [one.is_duplicate for one in again] == [True, True]


def test_a_running_month_has_usage_and_no_bill(
    database: Database, settings: Settings, month: Simulator, connector: PartnerCenter
) -> None:
    month.at("2025-03-20T12:00:00Z")

    fetched(database, settings, connector, today=date(2025, 3, 20))

    assert set(deliveries(database)) == {"daily"}


def test_a_month_without_anything_is_said_to_have_nothing(
    database: Database, settings: Settings, month: Simulator, connector: PartnerCenter
) -> None:
    del month

    with pytest.raises(NothingToFetch, match="2024-01"):
        fetched(database, settings, connector, period=Period(2024, 1))


def test_files_that_take_long_are_fetched_by_whoever_asks_again_with_the_same_key(
    database: Database, settings: Settings, month: Simulator, connector: PartnerCenter
) -> None:
    month.tell("provisioning", seconds=60)
    pauses: list[float] = []
    key = uuid4()

    with pytest.raises(VendorBusy):
        fetched(database, settings, connector, key=key, pauses=pauses)
    month.tell("clock", seconds=60)
    month.tell("provisioning", seconds=10_000)
    with pytest.raises(VendorBusy):  # the usage is there; the bill was asked for only now
        fetched(database, settings, connector, key=key)

    assert pauses == [1, 2, 5, 10, 20]
    assert set(deliveries(database)) == {"daily"}


def test_a_vendor_served_by_hand_has_no_files_to_fetch(database: Database, settings: Settings) -> None:
    with closing(ByHand("backup-house")) as by_hand, pytest.raises(NotOffered):
        fetch_month(
            database,
            settings,
            actor=STAFF,
            connector=by_hand,
            period=MARCH,
            today=date(2025, 4, 6),
            currency="EUR",
            key=uuid4(),
            pause=lambda _seconds: None,
        )
