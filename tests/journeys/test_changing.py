"""Seats up by the reseller: ordered, done by the vendor, charged in the month that is closed, and explained."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from marketplace.billing.closing import close_period
from marketplace.core.clock import utc_now
from marketplace.core.period import Period
from marketplace.demo.make import STAFF
from tests.conftest import ThrowAwayPostgres
from tests.journeys.addresses import written_by_people
from tests.journeys.browser import PHONE, Person
from tests.journeys.conftest import Server, serving
from tests.journeys.english import english_on
from tests.journeys.test_every_page import AS_THEY_ARE
from tests.journeys.test_ordering import is_well
from tests.journeys.test_vendor_asks import comes
from tests.journeys.world import make_world_of_today

PRODUCT = "Microsoft 365 Business Standard"

#: It makes a world of its own; the story from nothing tells of seats and their statement each time.
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def server(postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the demonstration as of today: this story closes the month that runs."""
    with serving(postgres, tmp_path_factory.mktemp("changing"), make_world_of_today) as served:
        yield served


def test_seats_up_by_the_reseller_stand_in_its_statement_and_explain_themselves(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    rashid = sits_down("rashid@demo.example")
    rashid.goes_to("/subscriptions?q=Carnac")
    rashid.opens(PRODUCT)
    rashid.reads("15 seats")
    is_well(rashid)
    rashid.opens("One seat more")
    rashid.reads("15 → 16 seats")
    rashid.page.get_by_label("Seats", exact=True).fill("18")
    # What it comes to follows what is typed, without a button.
    rashid.reads("15 → 18 seats")
    rashid.opens("One seat fewer")
    rashid.reads("15 → 17 seats")
    rashid.reads("The customer pays")
    is_well(rashid)
    rashid.page.locator("main").get_by_role("button", name="Order it").dblclick()
    rashid.reads("It is ordered.", within="#toasts")
    rashid.reads("have 17 from now on")
    is_well(rashid)
    comes(rashid, rashid.page.locator(".page-actions").get_by_text("Completed"))
    rashid.opens(PRODUCT)
    rashid.reads("17 seats")

    month = Period.of(utc_now().date())
    close_period(
        server.database,
        server.settings,
        period=month,
        actor=STAFF,
        approve=True,
        dry_run=False,
        now=utc_now(),
    )

    rashid.goes_to(f"/owed?period={month}&by=line")
    rashid.row("Seats added").get_by_role("link").last.click()
    rashid.reads("Charged from the subscription")
    rashid.reads("5 × 1 licence")
    for seats in ("−12", "15", "−15", "17"):
        # Once in what it is charged for, once among the rows that make the line.
        expect(rashid.page.get_by_role("cell", name=seats, exact=True)).to_have_count(1)
        expect(rashid.page.get_by_role("cell", name=f"{seats} × 1 licence", exact=True)).to_have_count(1)
    is_well(rashid)


def test_every_change_is_read_in_french_on_a_phone_by_night(
    server: Server, sits_down: Callable[..., Person]
) -> None:
    faults: list[str] = []
    besides = [*AS_THEY_ARE, *written_by_people(server.world)]
    rashid = sits_down("rashid@demo.example", language="fr", theme="dark", viewport=PHONE)
    rashid.goes_to("/subscriptions?q=Carnac")
    rashid.opens(PRODUCT)
    where = rashid.path

    for what in (
        "quantity&quantity=20",
        "upgrade",
        "upgrade&quantity=4",
        "plan",
        "at_renewal",
        "cancel",
        "suspend",
    ):
        rashid.goes_to(f"{where}/change?what={what}")
        faults += rashid.axe() + rashid.refused_by_the_policy() + rashid.overflow()
        faults += english_on(rashid.page, besides=besides)

    assert not faults, "\n".join(faults)
