"""What an order says of the step before it: the vendor is asked about the reseller where its word is old."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from marketplace.orders.models import OrderEvent
from marketplace.subscriptions.rules.changes import Change, ChangeQuantity, SetTermEnd
from marketplace.subscriptions.words import AtTermEnd
from tests.orders.shop import NOW, Shop
from tests.orders.test_bulk_and_changes import bought, change


def words_of(shop: Shop, order_id: int) -> list[str]:
    events = shop.session.scalars(select(OrderEvent.words).where(OrderEvent.order_id == order_id))
    return [str(words) for words in events if words is not None]


def test_an_order_shows_that_the_vendor_is_asked_first_where_its_word_is_old(shop: Shop) -> None:
    fresh = shop.order(10)
    late = shop.order(10, now=NOW + timedelta(days=2))

    assert words_of(shop, fresh.id) == []
    assert any("asked again about the partner id 4847383" in words for words in words_of(shop, late.id))
    assert all(request.buys for order in (fresh, late) for request in shop.requests(order))
    assert late.state == "provisioning"


@pytest.mark.parametrize(
    ("what", "buys", "said"),
    [
        (ChangeQuantity(12), True, "Before anything is bought"),
        (ChangeQuantity(5), False, "Whatever it says, this goes on"),
        (SetTermEnd(AtTermEnd.END), False, "Whatever it says, this goes on"),
    ],
)
def test_a_change_says_whether_a_bad_word_would_stop_it(
    shop: Shop, what: Change, buys: bool, said: str
) -> None:
    subscription = bought(shop)

    order = change(shop, subscription, what)

    assert [request.buys for request in shop.requests(order)] == [buys]
    assert any(said in words for words in words_of(shop, order.id))
