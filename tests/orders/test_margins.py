"""What a reseller's people quote and order is held to the floor their firm has set on its own margin."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.core.actor import Actor
from marketplace.orders.models import Order
from marketplace.orders.operations.margins import PricedTooLow
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.quoting import make_quote
from resellers.operations.floors import set_floor
from resellers.rules.floors import Floor
from tests.orders.shop import NOW, TODAY, Shop


def set_floors(shop: Shop, soft: str, hard: str, *, vendor: str = "") -> None:
    """Nord earns twenty percent on what it pays."""
    set_floor(shop.session, actor=shop.rashid, vendor=vendor, floor=Floor(Decimal(soft), Decimal(hard)))


def order(shop: Shop, cart: Order, actor: Actor) -> str:
    return submit(shop.session, actor=actor, order_id=cart.public_id, now=NOW).state


def test_sales_people_do_not_order_below_the_soft_floor_and_the_owner_does(shop: Shop) -> None:
    set_floors(shop, "25", "10")
    cart = shop.cart(10)

    with pytest.raises(PricedTooLow, match="have an owner quote or order it") as refused:
        order(shop, cart, shop.rosa)

    (row,) = refused.value.rows
    assert (row.row, row.value) == (1, "10")
    # Who sells without seeing margins learns no figure.
    assert not any(figure in str(refused.value) for figure in ("25", "20", "198", "237"))
    assert order(shop, cart, shop.rashid) != "draft"


def test_nobody_orders_below_the_hard_floor(shop: Shop) -> None:
    set_floors(shop, "30", "21")

    with pytest.raises(PricedTooLow, match="have an owner change its price rule"):
        order(shop, shop.cart(10), shop.rashid)


def test_a_quote_is_held_to_it_too(shop: Shop) -> None:
    set_floors(shop, "25", "10")

    with pytest.raises(PricedTooLow):
        make_quote(
            shop.session,
            actor=shop.rosa,
            order_id=shop.cart(10).public_id,
            valid_until=TODAY + timedelta(days=9),
            sent_to="",
            words="",
            language="en",
            now=NOW,
        )


def test_the_floor_is_that_of_the_vendor_and_exactly_on_it_is_enough(shop: Shop) -> None:
    set_floors(shop, "90", "80")
    set_floors(shop, "20", "20", vendor="microsoft")

    assert order(shop, shop.cart(10), shop.rosa) != "draft"


def test_the_wholesaler_orders_on_behalf_whatever_the_firms_floor(shop: Shop) -> None:
    set_floors(shop, "90", "80")

    assert order(shop, shop.cart(10, actor=shop.wanda), shop.wanda) != "draft"
