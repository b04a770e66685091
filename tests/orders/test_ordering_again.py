"""What failed or was refused goes into the cart again, and only what became nothing."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from catalog.words import PlanStatus
from marketplace.accounts.roles import Role
from marketplace.core.actor import Audience
from marketplace.core.audit import AuditEntry
from marketplace.core.errors import NotFound
from marketplace.orders.models import Order
from marketplace.orders.operations.cart import NotForSale, change_line
from marketplace.orders.operations.deciding import refuse
from marketplace.orders.operations.fulfilling import follow
from marketplace.orders.operations.ordering_again import put_in_cart_again
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.ruling import add_rule
from marketplace.orders.rules.states import OrderHasMovedOn, may_be_put_again
from marketplace.orders.words import OrderKind, OrderState
from marketplace.vendors.provisioning.operations import RequestHasMovedOn, give_up, retry
from tests.factories import make_reseller
from tests.offer_factories import make_plan, make_sku
from tests.orders.shop import NOW, SYSTEM, Shop, somebody


def let_fail(shop: Shop, order: Order) -> None:
    """Have staff give up what vendors have not done of an order."""
    for request in shop.requests(order):
        if request.state != "done":
            give_up(shop.session, actor=shop.wanda, request_id=request.public_id, reason="No", now=NOW)
    follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=NOW)
    assert order.state == "failed"


def contents(shop: Shop, cart: Order) -> list[tuple[int, int, date | None]]:
    return [(line.plan_id, line.quantity, line.custom_end) for line in shop.lines(cart)]


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        (OrderKind.PURCHASE, {OrderState.FAILED, OrderState.REJECTED}),
        (OrderKind.CHANGE, set()),
        (OrderKind.CANCEL, set()),
    ],
)
def test_what_bought_and_came_to_nothing_may_be_put_again(kind: OrderKind, states: set[OrderState]) -> None:
    assert {state for state in OrderState if may_be_put_again(kind, state)} == states


def test_a_failed_order_is_withdrawn_and_its_lines_join_what_is_in_the_cart(shop: Shop) -> None:
    other = make_plan(shop.session, make_sku(shop.session, "Other"), cost="60")
    failed = shop.order(10)
    let_fail(shop, failed)
    shop.cart(2)
    shop.cart(3, plan=other)

    cart = put_in_cart_again(shop.session, actor=shop.rashid, order_id=failed.public_id, now=NOW)

    assert contents(shop, cart) == [(shop.plan.id, 12, None), (other.id, 3, None)]
    assert failed.state == "cancelled"
    assert str(failed.reason) == "Put into the cart again by Rashid."
    acts = shop.session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_id == str(failed.public_id))
    ).all()
    assert "sales_order.put_again" in acts
    with pytest.raises(OrderHasMovedOn):
        put_in_cart_again(shop.session, actor=shop.rashid, order_id=failed.public_id, now=NOW)
    assert submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW).state == "provisioning"


def test_nobody_can_have_carried_out_what_was_withdrawn(shop: Shop) -> None:
    failed = shop.order(10)
    let_fail(shop, failed)
    put_in_cart_again(shop.session, actor=shop.rashid, order_id=failed.public_id, now=NOW)

    follow(shop.session, actor=SYSTEM, order_id=failed.public_id, now=NOW)

    (request,) = shop.requests(failed)
    assert request.state == "withdrawn"
    with pytest.raises(RequestHasMovedOn):
        retry(shop.session, actor=shop.wanda, request_id=request.public_id, now=NOW)


def test_a_refused_order_stays_as_it_is(shop: Shop) -> None:
    add_rule(shop.session, actor=shop.wanda, kind=None, role="", above=None, now=NOW)
    shop.session.flush()
    order = shop.order(10)
    (approval,) = shop.approvals(order)
    refuse(shop.session, actor=shop.wanda, approval_id=approval.public_id, reason="Too many", now=NOW)

    cart = put_in_cart_again(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)

    assert contents(shop, cart) == [(shop.plan.id, 10, None)]
    assert order.state == "rejected"


def test_what_became_a_subscription_is_not_bought_twice(shop: Shop) -> None:
    first = shop.fulfil(shop.order(1))
    other = make_plan(shop.session, make_sku(shop.session, "Other"), cost="60")
    shop.cart(10)
    order = shop.order(4, plan=other)
    done, _ = shop.lines(order)
    done.became_id = shop.lines(first)[0].became_id
    let_fail(shop, order)

    cart = put_in_cart_again(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)

    assert contents(shop, cart) == [(other.id, 4, None)]


def test_an_end_that_has_come_meanwhile_is_left_out(shop: Shop) -> None:
    cart = shop.cart(10)
    (line,) = shop.lines(cart)
    change_line(
        shop.session,
        actor=shop.rashid,
        order_id=cart.public_id,
        line_id=line.public_id,
        quantity=10,
        custom_end=date(2027, 6, 1),
        now=NOW,
    )
    order = submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)
    let_fail(shop, order)

    later = NOW + timedelta(days=360)
    cart = put_in_cart_again(shop.session, actor=shop.rashid, order_id=order.public_id, now=later)

    assert contents(shop, cart) == [(shop.plan.id, 10, None)]


def test_what_is_not_sold_any_more_is_refused(shop: Shop) -> None:
    order = shop.order(10)
    let_fail(shop, order)
    shop.plan.status = PlanStatus.ENDED.value
    shop.session.flush()

    with pytest.raises(NotForSale):
        put_in_cart_again(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)


def test_an_order_on_its_way_and_one_of_strangers_are_left_alone(shop: Shop) -> None:
    order = shop.order(10)
    stranger = somebody("Pavel", Audience.RESELLER, Role.OWNER, make_reseller(shop.session, "sud").id)

    with pytest.raises(OrderHasMovedOn):
        put_in_cart_again(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)
    with pytest.raises(NotFound):
        put_in_cart_again(shop.session, actor=stranger, order_id=order.public_id, now=NOW)
