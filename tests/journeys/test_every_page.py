"""Every page of every audience, in both languages, light and dark, wide and narrow: nobody is shut out of any."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from marketplace.core.clock import utc_now
from marketplace.demo import firms
from marketplace.demo.vendor_files import _LICENCES, _METERS, _SERVICES
from marketplace.orders.operations.cart import discard
from tests.journeys.addresses import READERS, as_rashid, ids_of, pages_of, written_by_people
from tests.journeys.browser import PHONE, Person, at_a_browser
from tests.journeys.conftest import Server
from tests.journeys.english import english_on, is_english

#: What axe may find in one look, language or width and not in another: the rest was looked for in the first.
OF_A_LOOK = (
    "color-contrast",
    "target-size",
    "scrollable-region-focusable",
    "html-lang-valid",
    "valid-lang",
    "link-in-text-block",
    "label",
    "button-name",
    "link-name",
)
#: Names of products, units, charges and firms: they stay as they are in every language.
AS_THEY_ARE = [
    *{name for row in (*_METERS, *_LICENCES, *_SERVICES) for name in row if isinstance(name, str)},
    *(customer.name for customer in firms.CUSTOMERS),
    "new",
    "addQuantity",
]


@pytest.fixture(scope="module")
def ids(server: Server) -> Iterator[dict[str, str]]:
    """Give somebody's own object for every address. The cart among them must not be in others' stories."""
    found = ids_of(server.world)
    yield found
    with server.database.owner_transaction() as session:
        discard(
            session,
            actor=as_rashid(session),
            order_id=UUID(found["storefront:order_id"]),
            now=utc_now(),
        )


@pytest.fixture(params=list(READERS), ids=["wholesaler", "reseller", "customer", "visitor"])
def reader(request: pytest.FixtureRequest) -> str:
    """Give each reader's e-mail."""
    return str(request.param)


def _walk(person: Person, email: str, addresses: list[str]) -> Iterator[None]:
    """Open one page after the other, and expect each to be there."""
    if email:
        person.signs_in(email)
    for address in addresses:
        person.goes_to(address)
        assert person.status == 200, address
        yield


def test_pages_in_english_on_a_wide_screen_by_light(
    server: Server, browser: Browser, ids: dict[str, str], reader: str
) -> None:
    faults: list[str] = []

    with at_a_browser(browser, server.address) as person:
        for _ in _walk(person, reader, pages_of(reader, ids)):
            faults += person.axe() + person.refused_by_the_policy() + person.overflow()

    assert not faults, "\n".join(faults)


def test_pages_in_french_on_a_phone_by_night(
    server: Server, browser: Browser, ids: dict[str, str], reader: str
) -> None:
    faults: list[str] = []
    besides = [*AS_THEY_ARE, *written_by_people(server.world)]

    with at_a_browser(browser, server.address, language="fr", theme="dark", viewport=PHONE) as person:
        for _ in _walk(person, reader, pages_of(reader, ids)):
            faults += person.axe(*OF_A_LOOK) + person.refused_by_the_policy() + person.overflow()
            faults += english_on(person.page, besides=besides)

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Search customer", True),
        ("Nothing of the kind", True),
        ("Rechercher un client", False),
        ("Virtual Machines", False),
        ("Virtual Machines of the month", True),
        ("Total", False),
    ],
)
def test_english_is_told_from_french_and_from_names(text: str, is_found: bool) -> None:
    assert is_english(text, ["Virtual Machines"]) == is_found
