"""Promotions from the cart to the subscription: kept with the line, asked of the vendor, and gone when they are over."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from marketplace.orders.operations.cart import put_in_cart
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.pricing import price_lines, shown_to
from marketplace.orders.operations.quoting import make_quote
from marketplace.orders.rules.seen import PriceChanged
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.queries.standing import standings
from tests.offer_factories import make_promotion
from tests.orders.shop import NOW, TODAY, Shop, euros


def test_the_order_line_and_its_subscription_keep_the_promotion(shop: Shop) -> None:
    promotion = make_promotion(shop.session, shop.plan, percent="10", title="Spring")

    order = shop.order(10)

    (line,) = shop.lines(order)
    assert (line.promotion_id, line.unit_list) == (promotion.id, Decimal(216))
    (request,) = shop.requests(order)
    assert request.asked["lines"][0]["promotion"] == promotion.reference
    shop.fulfil(order)
    subscription = shop.session.get_one(Subscription, line.became_id)
    quoted = standings(shop.session, [subscription], offers={})[subscription.id].now.quoted
    assert (quoted.unit_cost, quoted.unit_listed) == (Decimal(162), Decimal(216))
    assert quoted.promotion is not None
    assert quoted.promotion.terms.title == "Spring"


def test_a_promotion_that_is_over_by_the_time_of_ordering_is_a_changed_price(shop: Shop) -> None:
    make_promotion(shop.session, shop.plan, ends_on=TODAY + timedelta(days=1))
    cart = shop.cart(10)
    seen = shown_to(shop.rashid, price_lines(shop.session, cart, shop.lines(cart), now=NOW))

    with pytest.raises(PriceChanged):
        submit(
            shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW + timedelta(days=1), seen=seen
        )


def test_lines_of_one_sku_have_it_up_to_its_limit_together(shop: Shop) -> None:
    make_promotion(shop.session, shop.plan, maximum_quantity=15)
    cart = shop.cart(10)
    put_in_cart(
        shop.session,
        actor=shop.rashid,
        customer_id=shop.carla.public_id,
        plan_id=shop.plan.public_id,
        quantity=6,
        custom_end=date(2026, 12, 1),
    )

    first, second = price_lines(shop.session, cart, shop.lines(cart), now=NOW)

    assert first.prices is not None
    assert second.prices is not None
    assert first.prices.quoted.promotion is not None
    assert second.prices.quoted.promotion is None


def test_a_quote_says_it_and_keeps_its_price(shop: Shop) -> None:
    make_promotion(shop.session, shop.plan, title="Spring")
    sent = make_quote(
        shop.session,
        actor=shop.rashid,
        order_id=shop.cart(10).public_id,
        valid_until=TODAY + timedelta(days=30),
        sent_to="",
        words="",
        language="en",
        now=NOW,
    )

    (line,) = sent.quote.lines
    assert (line["promotion"], line["percent_off"]) == ("Spring", "10")
    # 237.60 a seat and year, less ten percent.
    assert sent.quote.commitment == euros("2138.40")
