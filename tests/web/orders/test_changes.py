"""Changing a subscription in every shell: what it comes to for whom, why not, and the order it becomes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from catalog.models import Plan
from marketplace.orders.models import CustomerBuying
from marketplace.subscriptions.models import Subscription
from tests.factories import make_subscription
from tests.offer_factories import priced
from tests.page import Page, Visitor
from tests.personas import customer_called
from tests.web.buyers import Statements
from tests.web.orders.conftest import COST, SellingSite

BOUGHT = datetime.now(UTC) - timedelta(days=31)
SHELLS = [("wanda", "/admin"), ("rashid", ""), ("rosa", ""), ("carla", "/portal")]


@pytest.fixture
def subscription(site: SellingSite) -> UUID:
    """Carla's works has had ten seats for a month, and may buy for itself without asking."""
    with site.database.owner_transaction() as session:
        plan = session.scalars(select(Plan).where(Plan.public_id == site.goods.plan)).one()
        carla = customer_called(session, "carla-works")
        session.add(CustomerBuying(customer_id=carla.id, may_buy=True, needs_approval=False, set_at=BOUGHT))
        made = make_subscription(session, carla, what=priced(session, plan), on=BOUGHT, vendor_id="vendor-1")
        return made.public_id


def look(visitor: Visitor, address: str, **asked: object) -> Page:
    """Look at what a change comes to."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return visitor.get(f"{address}/change?{query}")


def agreed(page: Page) -> dict[str, str]:
    """Give the form that orders what a page shows."""
    return {name: page.hidden(name) for name in ("what", "quantity", "key", "seen")}


def order(visitor: Visitor, address: str, **asked: object) -> str:
    """Order a change as it is shown; give the order's address."""
    page = visitor.post(f"{address}/change", agreed(look(visitor, address, **asked)))
    return str(page.response.location)


@pytest.mark.parametrize(("who", "shell"), SHELLS)
def test_every_audience_orders_seats_as_they_were_shown(
    site: SellingSite, subscription: UUID, who: str, shell: str
) -> None:
    visitor = site.browser_of(who)
    address = f"{shell}/subscriptions/{subscription}"
    assert "See what it comes to" in visitor.get(address).main

    preview = look(visitor, address, what="quantity", quantity=12)
    assert "10 → 12 seats" in preview.main
    assert "Seats added" in preview.main
    assert "can be given back until" in preview.main
    shown = visitor.get(order(visitor, address, what="quantity", quantity=12))

    assert "have 12 from now on" in shown.main
    assert "At the vendor" in shown.main
    assert [(one.kind, one.audience) for one in site.orders()] == [
        ("change", {"/admin": "wholesaler", "": "reseller", "/portal": "customer"}[shell])
    ]
    # Seats are there once the vendor says so.
    with site.database.owner_transaction() as session:
        assert session.scalars(select(Subscription.quantity)).one() == 10


@pytest.mark.parametrize(
    ("who", "shell", "sees", "not_sees"),
    [
        ("wanda", "/admin", ("You pay the vendor", "The reseller pays you", "The customer pays"), ()),
        ("rashid", "", ("You pay", "The customer pays"), ("You pay the vendor", "The reseller pays")),
        ("rosa", "", ("The customer pays",), ("You pay", "14.81")),
        ("carla", "/portal", ("You pay",), ("The customer pays", "14.81")),
    ],
)
def test_each_sees_the_money_of_its_own_hops_alone(
    site: SellingSite,
    subscription: UUID,
    who: str,
    shell: str,
    sees: tuple[str, ...],
    not_sees: tuple[str, ...],
) -> None:
    visitor = site.browser_of(who)

    page = look(visitor, f"{shell}/subscriptions/{subscription}", what="quantity", quantity=11)

    assert all(words in page.main for words in sees)
    assert not any(words in page.main for words in not_sees)
    assert who == "wanda" or not any(figure in page.text for figure in COST)


def test_a_preview_costs_as_many_queries_as_any_page(
    site: SellingSite, rashid: Visitor, subscription: UUID
) -> None:
    look(rashid, f"/subscriptions/{subscription}", what="quantity", quantity=11)

    with Statements(site.database) as statements:
        look(rashid, f"/subscriptions/{subscription}", what="quantity", quantity=12)

    assert len(statements.sent) <= 50


def test_two_clicks_are_one_order(site: SellingSite, rashid: Visitor, subscription: UUID) -> None:
    address = f"/subscriptions/{subscription}"
    form = agreed(look(rashid, address, what="quantity", quantity=12))

    once = rashid.post(f"{address}/change", form)
    again = rashid.post(f"{address}/change", form, changes=False)

    assert once.response.location == again.response.location
    assert len(site.orders()) == 1


def test_a_second_change_is_refused_while_the_first_is_on_its_way(
    rashid: Visitor, subscription: UUID
) -> None:
    address = f"/subscriptions/{subscription}"
    form = agreed(look(rashid, address, what="quantity", quantity=14))
    order(rashid, address, what="quantity", quantity=12)

    refused = rashid.post(f"{address}/change", form, status=422)

    assert "changes this subscription already" in refused.main


def test_what_comes_to_something_else_by_now_is_not_ordered(
    site: SellingSite, rashid: Visitor, subscription: UUID
) -> None:
    address = f"/subscriptions/{subscription}"
    form = agreed(look(rashid, address, what="quantity", quantity=12))

    refused = rashid.post(f"{address}/change", {**form, "quantity": "120"}, status=422)

    assert "has changed since you looked" in refused.main
    assert "10 → 120 seats" in refused.main
    assert site.orders() == []


@pytest.mark.parametrize("text", ["", "0", "-3", "1.5", "many", "99999999999"])
def test_what_is_no_number_of_seats_says_what_to_write(
    site: SellingSite, rashid: Visitor, subscription: UUID, text: str
) -> None:
    address = f"/subscriptions/{subscription}"

    assert "Write a whole number of seats." in look(rashid, address, what="quantity", quantity=text).main
    form = {"what": "quantity", "quantity": text, "key": str(uuid4()), "seen": ""}
    assert "Write a whole number" in rashid.post(f"{address}/change", form, status=422).main
    assert site.orders() == []


def test_what_cannot_be_done_says_why_and_offers_no_button(rashid: Visitor, subscription: UUID) -> None:
    page = look(rashid, f"/subscriptions/{subscription}", what="quantity", quantity=10)

    assert "seats already" in page.main
    assert "Back to the subscription" in page.main
    assert page.all("input", name="key") == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("cancel", "charged to the end of its term"),
        ("suspend", "The service stops and is charged all the same."),
        ("end", "The service stops when its term ends."),
    ],
)
def test_other_changes_are_orders_too(
    site: SellingSite, rashid: Visitor, subscription: UUID, what: str, words: str
) -> None:
    address = f"/subscriptions/{subscription}"
    assert words in rashid.get(address).main

    assert words in look(rashid, address, what=what).main
    order(rashid, address, what=what)

    assert [one.state for one in site.orders()] == ["provisioning"]


def test_a_customer_that_may_not_buy_changes_nothing(
    site: SellingSite, carla: Visitor, subscription: UUID
) -> None:
    address = f"/portal/subscriptions/{subscription}"
    form = agreed(look(carla, address, what="quantity", quantity=12))
    with site.database.owner_transaction() as session:
        session.scalars(select(CustomerBuying)).one().may_buy = False

    assert "See what it comes to" not in carla.get(address).main
    assert "Add a seat" in carla.get(address).main
    carla.get(f"{address}/change?what=cancel", status=404)
    carla.post(f"{address}/change", form, status=404)
    assert site.orders() == []


def test_a_customer_whose_reseller_approves_waits_for_it(
    site: SellingSite, carla: Visitor, subscription: UUID
) -> None:
    with site.database.owner_transaction() as session:
        session.scalars(select(CustomerBuying)).one().needs_approval = True

    order(carla, f"/portal/subscriptions/{subscription}", what="quantity", quantity=12)

    assert [one.state for one in site.orders()] == ["awaiting_approval"]


def test_outsiders_find_nothing(site: SellingSite, pavel: Visitor, subscription: UUID) -> None:
    form = {"what": "cancel", "quantity": "0", "key": str(uuid4()), "seen": ""}

    pavel.get(f"/subscriptions/{subscription}/change?what=cancel", status=404)
    pavel.post(f"/subscriptions/{subscription}/change", form, status=404)
    assert site.orders() == []
