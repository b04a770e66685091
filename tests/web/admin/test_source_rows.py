"""From an amount to the very row of the vendor's file it was made from."""

import io

import pytest
from sqlalchemy import select

from marketplace import jobs
from marketplace.billing.closing import close_period
from marketplace.billing.models import StatementLine
from marketplace.core.actor import Actor
from marketplace.core.period import Period
from marketplace.usage.models import Delivery
from tests.page import Visitor
from tests.web.admin.conftest import NOW, WholesalersSite

FILE = (
    "account,product,sku,meter,usage_date,quantity,unit,list_unit_price,cost,currency,team\n"
    "a1,Mail,M1,boxes,2024-10-01,3,1 Month,,4.5,EUR,north\n"
    "a1,Mail,M1,boxes,2024-10-02,2,1 Month,,3,EUR,south\n"
    "a1,Mail,M1,boxes,never,2,1 Month,,3,EUR,south\n"
)


@pytest.fixture
def imported(site: WholesalersSite, wanda: Visitor) -> str:
    """A file that was sent on the page, read and rated; the address of its delivery."""
    file = (io.BytesIO(FILE.encode()), "mail.csv")
    wanda.post("/admin/imports/new", {"vendor": "cloud", "mode": "replace", "files": file})
    jobs.run_worker(site.database, site.settings, jobs=jobs.load_jobs().values(), is_waiting=False)
    close_period(
        site.database,
        site.settings,
        period=Period(2024, 10),
        actor=Actor.system(),
        approve=False,
        dry_run=False,
        now=NOW,
    )
    with site.database.owner_transaction() as session:
        delivery = session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
        assert delivery is not None
        return f"/admin/imports/{delivery.public_id}"


def mail_line(site: WholesalersSite) -> str:
    with site.database.owner_transaction() as session:
        found = select(StatementLine.id).where(
            StatementLine.product == "Mail", StatementLine.hop == "wholesale"
        )
        return f"/admin/lines/{session.scalars(found).one()}"


def test_a_line_names_the_file_and_row_of_each_source(
    site: WholesalersSite, wanda: Visitor, imported: str
) -> None:
    links = {link.get("href") for link in wanda.get(mail_line(site)).all("a")}

    assert {imported, f"{imported}/files/1/rows/1", f"{imported}/files/1/rows/2"} <= links


def test_a_unit_of_several_is_told_from_the_quantity(
    site: WholesalersSite, wanda: Visitor, imported: str
) -> None:
    assert "5\u00a0×\u00a01 Month" in wanda.get(mail_line(site)).main


def test_a_row_shows_what_the_vendor_wrote_with_columns_nobody_knows(wanda: Visitor, imported: str) -> None:
    page = wanda.get(f"{imported}/files/1/rows/2").main

    assert "x_team" in page
    assert "south" in page


def test_a_rejected_row_opens_as_it_was_written(wanda: Visitor, imported: str) -> None:
    links = {link.get("href") for link in wanda.get(imported).all("a")}

    assert f"{imported}/files/1/rows/3" in links
    assert "never" in wanda.get(f"{imported}/files/1/rows/3").main


@pytest.mark.parametrize("place", ["files/1/rows/4", "files/1/rows/0", "files/2/rows/1"])
def test_a_row_that_is_not_there_is_not_found(wanda: Visitor, imported: str, place: str) -> None:
    assert wanda.client.get(f"{imported}/{place}").status_code == 404
