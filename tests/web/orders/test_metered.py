"""Ordering what is billed as it is used: from the offer's page to the subscription's, in every shell."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from catalog.models import Plan, Sku
from catalog.words import ProductKind
from marketplace.orders.models import CustomerBuying
from tests.factories import make_customer, make_subscription
from tests.offer_factories import make_azure_plan, make_meter, make_sku, priced
from tests.page import Page, Visitor
from tests.personas import customer_called, reseller_called
from tests.web.orders.conftest import SellingSite
from tests.web.orders.test_quote_papers import make, read

NOW = datetime.now(UTC)


@pytest.fixture
def machines(site: SellingSite) -> UUID:
    """Microsoft's machines by the hour, used under one Azure plan."""
    with site.database.owner_transaction() as session:
        sku = make_sku(session, "Virtual Machines", kind=ProductKind.CONSUMPTION)
        make_meter(session, sku, ("0", None, "0.096"), unit="1 hour")
        make_azure_plan(session)
        return sku.public_id


def put_in(
    visitor: Visitor, site: SellingSite, machines: UUID, *, under: str = "", status: int = 303
) -> Page:
    """Press the button of the offer's page."""
    page = visitor.get(f"{under}/shop/consumption/{machines}?customer={site.goods.carla}")
    form = {name: page.hidden(name) for name in ("customer", "plan")}
    return visitor.post(f"{under}/cart/add", {**form, "quantity": "1"}, status=status)


def azure_plan(site: SellingSite) -> UUID:
    with site.database.owner_transaction() as session:
        return session.scalars(select(Plan.public_id).join(Sku).where(Sku.title == "Azure plan")).one()


def let_buy(site: SellingSite) -> None:
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works")
        session.add(CustomerBuying(customer_id=carla.id, may_buy=True, needs_approval=False, set_at=NOW))


def have(site: SellingSite) -> UUID:
    """Let Carla's works have it already."""
    with site.database.owner_transaction() as session:
        plan = session.scalars(select(Plan).join(Sku).where(Sku.title == "Azure plan")).one()
        carla = customer_called(session, "carla-works")
        return make_subscription(
            session, carla, what=priced(session, plan), quantity=1, on=NOW, vendor_id="azure-1"
        ).public_id


def test_a_reseller_orders_it_for_a_customer(site: SellingSite, rashid: Visitor, machines: UUID) -> None:
    page = rashid.get(f"/shop/consumption/{machines}?customer={site.goods.carla}")
    assert "Order for Customer carla-works" in page.main
    assert "It is used under Azure plan" in page.main

    cart = str(put_in(rashid, site, machines).response.location)

    page = rashid.get(cart)
    ((what, *cells),) = page.rows("Lines")
    assert "Azure plan" in what
    assert "billed as it is used" in what
    assert cells.count("as it is used") == 2
    assert "Take it out" in page.main
    rashid.post(f"{cart}/submit", {"seen": page.hidden("seen")})
    (order,) = site.orders()
    assert order.state == "provisioning"
    assert "billed as it is used" in rashid.get(f"/orders/{order.public_id}").main


def test_a_line_is_taken_out_again(site: SellingSite, rashid: Visitor, machines: UUID) -> None:
    cart = str(put_in(rashid, site, machines).response.location)
    form = rashid.get(cart).one("form", **{"class": "inline-form"})

    rashid.post(str(form.get("action")), {"quantity": "0"})

    assert "The cart is empty" in rashid.get(cart).main


def test_without_a_customer_nothing_is_ordered(site: SellingSite, rashid: Visitor, machines: UUID) -> None:
    with site.database.owner_transaction() as session:
        # Where there is but one customer, it is the one that is meant.
        make_customer(session, reseller=reseller_called(session, "nord"))

    page = rashid.get(f"/shop/consumption/{machines}")

    assert "Choose a customer above" in page.main
    assert "Order for" not in page.main


def test_a_customer_orders_where_its_reseller_lets_it(
    site: SellingSite, carla: Visitor, machines: UUID
) -> None:
    looking = carla.get(f"/portal/shop/consumption/{machines}").main
    assert "Your reseller places orders for you" in looking
    assert "Add to the cart" not in looking

    let_buy(site)

    cart = str(put_in(carla, site, machines, under="/portal").response.location)
    carla.post(f"{cart}/submit", {"seen": carla.get(cart).hidden("seen")})
    (order,) = site.orders()
    assert (order.audience, order.state) == ("customer", "provisioning")


def test_a_second_one_is_refused_in_words(site: SellingSite, rashid: Visitor, machines: UUID) -> None:
    put_in(rashid, site, machines)

    assert "A customer has it once" in put_in(rashid, site, machines, status=422).text


def test_who_has_it_cannot_put_it_in_the_cart(site: SellingSite, rashid: Visitor, machines: UUID) -> None:
    subscription = have(site)

    page = rashid.get(f"/shop/consumption/{machines}?customer={site.goods.carla}")
    assert "Customer carla-works has it already" in page.main
    assert page.link("See the subscription") == f"/subscriptions/{subscription}"
    form = {"customer": str(site.goods.carla), "plan": str(azure_plan(site)), "quantity": "1"}
    assert "A customer has it once" in rashid.post("/cart/add", form, status=422).text
    assert site.orders() == []


def test_a_quote_offers_it_in_words(site: SellingSite, rashid: Visitor, machines: UUID) -> None:
    link = make(rashid, str(put_in(rashid, site, machines).response.location))

    assert "billed as it is used" in site.visitor().get(link).main
    _, paper = read(site.visitor().download(f"{link}/paper"))
    # Carla's works is in France.
    assert "facturé à l’usage" in paper


def test_a_stranger_orders_nothing_for_it(site: SellingSite, pavel: Visitor, machines: UUID) -> None:
    form = {"customer": str(site.goods.carla), "plan": str(azure_plan(site)), "quantity": "1"}

    pavel.post("/cart/add", form, status=404)


@pytest.mark.parametrize(("who", "shell"), [("wanda", "/admin"), ("rashid", ""), ("carla", "/portal")])
def test_its_page_speaks_of_no_seats_and_lets_it_be_cancelled(
    site: SellingSite, machines: UUID, who: str, shell: str
) -> None:
    let_buy(site)
    address = f"{shell}/subscriptions/{have(site)}"
    visitor = site.browser_of(who)

    page = visitor.get(address)

    assert "billed as it is used" in page.main
    assert "seat" not in page.main.casefold()
    preview = visitor.get(f"{address}/change?what=cancel")
    assert "can end on any day" in preview.main
    form = {name: preview.hidden(name) for name in ("what", "quantity", "key", "seen")}
    visitor.post(f"{address}/change", form)
    (order,) = site.orders()
    assert (order.kind, order.state) == ("cancel", "provisioning")
