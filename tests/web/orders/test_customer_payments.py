"""What customers paid, on the pages of their reseller and on their own."""

from datetime import UTC, datetime

import pytest

from marketplace.billing.models import PeriodStatus
from resellers.models import Hop
from tests.page import Visitor
from tests.personas import customer_called
from tests.statement_factories import make_line, make_period
from tests.web.orders.conftest import SellingSite


@pytest.fixture
def address(site: SellingSite) -> str:
    """Give the page of a closed statement of 300 that Carla owes Nord, due on the second of June."""
    with site.database.owner_transaction() as session:
        period = make_period(session, "2026-04", status=PeriodStatus.CLOSED)
        period.closed_at = datetime(2026, 5, 3, tzinfo=UTC)
        carla = customer_called(session, "carla-works")
        line = make_line(session, period="2026-04", hop=Hop.RETAIL, customer=carla, amount="300")
        return f"/customer-statements/{line.statement_id}"


def test_a_part_is_noted_the_rest_too_and_the_customer_sees_it(
    rashid: Visitor, carla: Visitor, address: str
) -> None:
    assert "Overdue" in rashid.get("/customer-statements").main
    page = rashid.get(address)
    assert page.one("input", name="amount").get("value") == "300.00"

    rashid.post(address, {"amount": "100,50", "paid_on": "2026-06-10"})
    assert "199.50" in rashid.get(address).main
    theirs = carla.get(address.replace("/customer-statements/", "/portal/statements/")).main
    assert "199.50" in theirs
    assert "10 Jun 2026" in theirs
    assert "Rashid" not in theirs

    rashid.post(address, {"amount": "199,50", "paid_on": "2026-06-11"})
    assert "Paid" in carla.get("/portal/statements?payment=paid").main
    assert "There is no" not in rashid.get("/customer-statements?payment=paid").main


def test_a_payment_is_taken_back(rashid: Visitor, address: str) -> None:
    rashid.post(address, {"amount": "300", "paid_on": "2026-06-10"})
    undo = rashid.get(address).link("Take back")
    assert "noted by Rashid, is owed again" in rashid.get(undo).main
    assert "Write a few words." in rashid.post(undo, {}, status=422).main
    assert "Say why" in rashid.post(undo, {"reason": "no"}, status=422).main

    rashid.post(undo, {"reason": "It was paid for another month."})

    assert "Overdue" in rashid.get(address).main


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": "300,01", "paid_on": "2026-06-10"}, "The amount is more than the"),
        ({"amount": "", "paid_on": "2026-06-10"}, "Write how much was paid."),
        ({"amount": "1", "paid_on": ""}, "Write the day it was paid."),
        ({"amount": "1", "paid_on": "2999-01-01"}, "Choose a day until today."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    rashid: Visitor, address: str, fields: dict[str, str], words: str
) -> None:
    assert words in rashid.post(address, fields, status=422).main


def test_only_who_keeps_the_firms_money_may_note_it(
    rosa: Visitor, pavel: Visitor, carla: Visitor, address: str
) -> None:
    payment = {"amount": "300", "paid_on": "2026-06-10"}
    assert "Note the payment" not in rosa.get(address).main
    rosa.post(address, payment, status=403)
    pavel.post(address, payment, status=404)
    pavel.get(f"{address}/payments/1/undo", status=404)
    pavel.post(f"{address}/payments/1/undo", {"reason": "It was another month's."}, status=404)
    carla.post(address, payment, status=404)
