"""Every page of the wholesaler on a month that was really rated, read as it is sent."""

import csv
import io
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.billing.models import StatementLine
from marketplace.usage.models import Delivery
from resellers.models import Customer, Reseller
from tests.billing.lake import Usage, deliver
from tests.page import Visitor
from tests.web.admin.conftest import WholesalersSite
from tests.web.buyers import Statements

pytestmark = pytest.mark.only_reads

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
    "/admin/provisioning",
    "/admin/vendors",
    "/admin/vendors/microsoft",
    "/admin/outside-changes",
    "/admin/rules",
    "/admin/resellers",
    "/admin/customers",
    "/admin/accounts",
    "/admin/exchange-rates",
    "/admin/rules/new",
    "/admin/users",
]
# How often a page may ask the database; whoever it is for and what it may show take three of these.
MOST_STATEMENTS = 8
MORE_STATEMENTS = {
    "/admin/": 28,
    "/admin/periods/2024-09": 27,
    "/admin/statements": 12,
    "/admin/statements?period=2020-01": 12,
    "/admin/statements?needs=loss": 12,
    "/admin/reconciliation": 12,
    "/admin/reconciliation?period=2020-01": 12,
}


def test_each_page_can_be_read(wanda: Visitor) -> None:
    for address in PAGES:
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


def asked(site: WholesalersSite, browser: Visitor, address: str) -> int:
    """Count what a page asks the database, once it has been shown before."""
    browser.client.get(address)
    with Statements(site.database) as statements:
        browser.client.get(address)
    return len(statements.sent)


def test_pages_ask_the_database_within_their_budget(site: WholesalersSite, wanda: Visitor) -> None:
    counts = {address: asked(site, wanda, address) for address in PAGES}

    over = {
        address: count
        for address, count in counts.items()
        if count > MORE_STATEMENTS.get(address, MOST_STATEMENTS)
    }
    assert over == {}


@pytest.mark.writes
def test_more_rows_ask_no_more(site: WholesalersSite, wanda: Visitor) -> None:
    addresses = [
        "/admin/periods/2024-09",
        "/admin/lines",
        "/admin/imports",
        "/admin/unmapped",
        "/admin/reconciliation",
    ]
    before = {address: asked(site, wanda, address) for address in addresses}
    with site.database.owner_transaction() as session:
        rows = [
            Usage(account=account, product=f"Product {number}", cost="1.01", billing_account=f"b{number}")
            for number in range(6)
            for account in ("a1", f"orphan-{number}")
        ]
        deliver(session, Path(site.settings.lake), rows)
    site.rate()

    assert {address: asked(site, wanda, address) for address in addresses} == before


def test_statements_are_downloaded(wanda: Visitor) -> None:
    for kind, hop in product(("csv", "xlsx", "focus"), ("wholesale", "retail")):
        assert wanda.download(f"/admin/statements/2024-09/download?hop={hop}&as={kind}&reseller=nord")


def test_lists_are_downloaded(wanda: Visitor) -> None:
    lists = ("periods", "statements", "lines", "imports", "unmapped", "reconciliation", "users", "rules")
    for address, format_ in product(lists, ("csv", "xlsx")):
        assert wanda.download(f"/admin/{address}?format={format_}")


@pytest.mark.writes
def test_files_hold_amounts_of_every_currency(site: WholesalersSite, wanda: Visitor) -> None:
    with site.database.owner_transaction() as session:
        deliver(session, Path(site.settings.lake), [Usage(cost="4", account="other", currency="USD")])
    site.rate()

    (row,) = csv.DictReader(io.StringIO(wanda.download("/admin/periods?format=csv").decode("utf-8-sig")))

    assert (row["Unmapped"], row["Unmapped, currency"]) == ("7.77; 4.00", "EUR; USD")


def test_parties_are_found_by_a_few_letters(wanda: Visitor) -> None:
    hits = wanda.json("/admin/palette?q=nord")["hits"]

    assert "Nord Cloud SARL" in {hit["label"] for hit in hits}
