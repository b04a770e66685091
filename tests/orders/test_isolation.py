"""Who can read what of orders in the database itself, whatever a page does."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience
from marketplace.core.db import enter
from marketplace.core.money import Money
from marketplace.orders.operations.ruling import add_rule
from marketplace.vendors.models import PromotionRefusal
from tests.factories import make_customer, make_reseller
from tests.offer_factories import make_promotion
from tests.orders.shop import NOW, TODAY, Shop

TABLES = (
    *("sales_order", "sales_order_line", "sales_order_price", "sales_order_event"),
    *("order_approval", "order_rule", "statement_payment", "customer_buying", "promotion_refusal"),
)


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """Give how many rows of each table an actor can read."""
    with session.begin_nested() as look:
        enter(session, actor)
        found = {table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in TABLES}
        look.rollback()
    return found


def hops(session: Session, actor: Actor) -> set[str]:
    """Give the hops whose prices an actor can read."""
    with session.begin_nested() as look:
        enter(session, actor)
        found = set(session.scalars(text("SELECT DISTINCT hop FROM sales_order_price")))
        look.rollback()
    return found


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """An order that was held back, a cart, a limit and rules of both parties."""
    add_rule(shop.session, actor=shop.wanda, kind=None, role="", above=Money(1, "EUR"), now=NOW)
    add_rule(shop.session, actor=shop.rashid, kind=None, role="sales", above=None, now=NOW)
    shop.limit("1")
    promotion = make_promotion(shop.session, shop.plan)
    shop.session.add(
        PromotionRefusal(
            customer_id=shop.carla.id, promotion_id=promotion.id, why="bought_before", refused_on=TODAY
        )
    )
    shop.order(3)
    shop.cart(4)
    return shop


def test_the_reseller_sees_its_own_hops_rules_and_limit(filled: Shop) -> None:
    seen = counts(filled.session, filled.rashid)

    assert hops(filled.session, filled.rashid) == {"wholesale", "retail"}
    assert seen["sales_order"] == 2
    assert (seen["order_rule"], seen["order_approval"]) == (1, 2)
    assert seen["statement_payment"] == 0
    assert seen["promotion_refusal"] == 1


def test_the_customer_sees_its_own_prices_and_neither_carts_nor_approvals(filled: Shop) -> None:
    seen = counts(filled.session, filled.carla_herself)

    assert hops(filled.session, filled.carla_herself) == {"retail"}
    assert seen["sales_order"] == 1
    assert (seen["order_rule"], seen["order_approval"]) == (0, 0)


def test_strangers_see_nothing(filled: Shop) -> None:
    other = make_reseller(filled.session)
    customer = make_customer(filled.session, reseller=other)

    for actor in (
        Actor("Pavel", Audience.RESELLER, other.id),
        Actor("Stella", Audience.CUSTOMER, customer.id),
    ):
        assert set(counts(filled.session, actor).values()) == {0}


@pytest.mark.parametrize("table", TABLES)
def test_no_screen_writes_them(filled: Shop, table: str) -> None:
    with filled.session.begin_nested() as look:
        enter(filled.session, filled.wanda)
        with pytest.raises(ProgrammingError, match="permission denied"):
            filled.session.execute(text(f"DELETE FROM {table}"))
        look.rollback()
