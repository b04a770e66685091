"""Payments on the pages of credit: ticked, or from the file the page itself gives."""

from datetime import UTC, datetime
from io import BytesIO

from marketplace.billing.models import PeriodStatus
from resellers.models import Hop
from tests.page import Visitor
from tests.personas import customer_called
from tests.statement_factories import make_line, make_period
from tests.web.orders.conftest import SellingSite


def owe(site: SellingSite) -> None:
    """Let Nord owe 300 and 20 since long ago."""
    with site.database.owner_transaction() as session:
        period = make_period(session, "2026-04", status=PeriodStatus.CLOSED)
        period.closed_at = datetime(2026, 5, 3, tzinfo=UTC)
        carla = customer_called(session, "carla-works")
        make_line(session, period="2026-04", hop=Hop.WHOLESALE, customer=carla, amount="300")


def send(wanda: Visitor, content: bytes, step: str, status: int) -> str:
    return wanda.post(
        "/admin/credit/settlements",
        {"files": (BytesIO(content), "settlements.csv"), "step": step},
        status=status,
    ).text


def test_what_is_overdue_is_told_and_ticked_as_paid(wanda: Visitor, site: SellingSite) -> None:
    owe(site)
    address = wanda.get("/admin/credit").link("Nord Cloud SARL")
    page = wanda.get(address)
    assert "overdue" in page.main
    assert "2 Jun 2026" in page.main

    wanda.post(f"{address}/settle", {}, status=422)
    statement = page.one("input", name="statements").get("value", "")
    wanda.post(f"{address}/settle", {"statements": statement})

    assert "Nothing is to be paid" in wanda.get(address).main


def test_the_file_of_open_statements_is_tried_and_then_noted(wanda: Visitor, site: SellingSite) -> None:
    owe(site)
    address = wanda.get("/admin/credit").link("Nord Cloud SARL")
    file = wanda.download(f"{address}/settlements.csv")
    assert file.startswith(b"statement,amount,paid_on\r\n")

    assert "Faulty rows" in send(wanda, file.replace(b"300.00", b"300.01"), "save", 422)
    assert "1 would be noted" in send(wanda, file, "try", 200)
    assert "Nothing is to be paid" not in wanda.get(address).main
    send(wanda, file, "save", 303)

    assert "Nothing is to be paid" in wanda.get(address).main


def test_a_part_is_noted_and_taken_back_with_a_reason(wanda: Visitor, site: SellingSite) -> None:
    owe(site)
    credit = wanda.get("/admin/credit").link("Nord Cloud SARL")
    address = wanda.get(credit).link("April 2026 – Customer carla-works")
    assert wanda.get(address).one("input", name="amount").get("value") == "300.00"
    assert (
        "The amount is more than the"
        in wanda.post(address, {"amount": "300,01", "paid_on": "2026-06-10"}, status=422).main
    )

    wanda.post(address, {"amount": "100,50", "paid_on": "2026-06-10"})
    page = wanda.get(address)
    assert "199.50" in page.main
    assert "199.50" in wanda.get(credit).main
    assert wanda.get(credit).link("Customer carla-works, April 2026") == address

    undo = page.link("Take back")
    assert "Write a few words." in wanda.post(undo, {}, status=422).main
    wanda.post(undo, {"reason": "The bank took it back."})

    assert "Nothing is noted as paid yet" in wanda.get(address).main
    trail = wanda.get("/admin/audit").main
    assert "Took back that a statement was paid" in trail
    assert "The bank took it back." in trail


def test_payments_of_a_draft_are_not_noted(wanda: Visitor, site: SellingSite) -> None:
    with site.database.owner_transaction() as session:
        make_period(session, "2026-04", status=PeriodStatus.RATED)
        carla = customer_called(session, "carla-works")
        line = make_line(session, period="2026-04", hop=Hop.WHOLESALE, customer=carla, amount="300")
        address = f"/admin/credit/statements/{line.statement_id}"

    wanda.get(address, status=404)


def test_nobody_else_notes_payments(site: SellingSite, rashid: Visitor) -> None:
    rashid.get("/admin/credit/settlements", status=404)
    site.browser_of("clara").get("/admin/credit/settlements", status=403)
    owe(site)
    address = site.browser_of("wanda").get("/admin/credit").link("Nord Cloud SARL")
    statement = site.browser_of("wanda").get(address).link("April 2026 – Customer carla-works")
    rashid.get(statement, status=404)
    site.browser_of("clara").get(statement, status=403)
    site.browser_of("clara").post(statement, {"amount": "1", "paid_on": "2026-06-10"}, status=403)
