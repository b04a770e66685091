"""Every page of the wholesaler on a month that was really rated, read as it is sent."""

import pytest
from sqlalchemy import select

from marketplace.billing.models import StatementLine
from marketplace.usage.models import Delivery
from resellers.models import Customer, Reseller
from tests.page import Visitor
from tests.web.admin.conftest import WholesalersSite
from tests.web.buyers import Statements

PAGES = [
    "/admin/",
    "/admin/periods",
    "/admin/periods/2024-09",
    "/admin/periods/2020-01",
    "/admin/periods/2024-09/reopen",
    "/admin/periods/2024-09/close",
    "/admin/statements",
    "/admin/statements?period=2020-01",
    "/admin/statements?needs=loss",
    "/admin/lines",
    "/admin/lines?hop=wholesale&gap=below",
    "/admin/lines?gap=any",
    "/admin/imports",
    "/admin/imports?period=2024-09",
    "/admin/imports/new",
    "/admin/unmapped",
    "/admin/unmapped?period=2024-09",
    "/admin/unmapped/account?vendor=cloud&account=orphan",
    "/admin/reconciliation",
    "/admin/reconciliation?period=2020-01",
    "/admin/questions",
    "/admin/rules",
    "/admin/resellers",
    "/admin/customers",
]
MOST_STATEMENTS = 32


@pytest.mark.parametrize("address", PAGES)
def test_each_page_can_be_read(wanda: Visitor, address: str) -> None:
    wanda.get(address)


def test_each_page_can_be_read_in_french_by_an_administrator(site: WholesalersSite) -> None:
    walter = site.browser_of("walter", language="fr")

    for address in PAGES:
        walter.get(address)


def test_nobody_else_finds_them(site: WholesalersSite) -> None:
    for persona in ("rashid", "carla"):
        browser = site.browser_of(persona)
        for address in PAGES:
            assert browser.client.get(address).status_code == 404


def test_objects_can_be_opened(site: WholesalersSite, wanda: Visitor) -> None:
    with site.database.owner_transaction() as session:
        reseller = session.scalars(select(Reseller.public_id)).first()
        lines = session.scalars(select(StatementLine.id)).all()
        customer = session.scalars(select(Customer.public_id)).first()
        delivery = session.scalars(select(Delivery.public_id)).one()

    wanda.get(f"/admin/statements/2024-09/{reseller}")
    wanda.get(f"/admin/resellers/{reseller}")
    wanda.get(f"/admin/customers/{customer}")
    wanda.get(f"/admin/lines?reseller={reseller}")
    wanda.get(f"/admin/lines?customer={customer}")
    wanda.get(f"/admin/imports/{delivery}")
    wanda.get(f"/admin/imports/{delivery}/undo")
    for line in lines:
        wanda.get(f"/admin/lines/{line}")


def test_a_text_that_is_no_month_is_no_page(wanda: Visitor) -> None:
    assert wanda.client.get("/admin/periods/september").status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_pages_ask_the_database_a_bounded_number_of_times(
    site: WholesalersSite, wanda: Visitor, address: str
) -> None:
    with Statements(site.database) as statements:
        wanda.client.get(address)

    assert len(statements.sent) <= MOST_STATEMENTS, f"{address}: {len(statements.sent)}"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "focus"])
@pytest.mark.parametrize("hop", ["wholesale", "retail"])
def test_statements_are_downloaded(wanda: Visitor, kind: str, hop: str) -> None:
    assert wanda.download(f"/admin/statements/2024-09/download?hop={hop}&as={kind}&reseller=nord")


@pytest.mark.parametrize(
    "address", ["periods", "statements", "lines", "imports", "unmapped", "reconciliation"]
)
@pytest.mark.parametrize("format_", ["csv", "xlsx"])
def test_lists_are_downloaded(wanda: Visitor, address: str, format_: str) -> None:
    assert wanda.download(f"/admin/{address}?format={format_}")


def test_parties_are_found_by_a_few_letters(wanda: Visitor) -> None:
    hits = wanda.json("/admin/palette?q=nord")["hits"]

    assert "Nord Cloud SARL" in {hit["label"] for hit in hits}
