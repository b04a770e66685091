"""Quotes: versions behind links, signed off with a name, ordered at the price that was accepted."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from marketplace.accounts.models import Membership, User
from marketplace.core.actor import Actor
from marketplace.core.errors import NotFound
from marketplace.orders.models import Order, OrderEvent, Quote
from marketplace.orders.operations.answering import NameMissing, accept, decline, quote_by_token
from marketplace.orders.operations.cart import change_line
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.quoting import AddressUnusable, QuoteDayNotPossible, Sent, make_quote
from marketplace.orders.rules.quotes import QuoteNotOpen
from resellers.models import Hop
from tests.factories import make_rule
from tests.orders.shop import NOW, TODAY, Shop


@pytest.fixture
def seller(shop: Shop) -> Actor:
    """Rashid, who is really there: a quote is ordered in the name of who made it."""
    user = User(email="rashid@nord.example", name="Rashid")
    shop.session.add(user)
    shop.session.flush()
    shop.session.add(Membership(user_id=user.id, audience="reseller", role="owner", reseller_id=shop.nord.id))
    shop.session.flush()
    permissions = shop.rashid.permissions
    shop.rashid = Actor(
        "Rashid", shop.rashid.audience, shop.nord.id, user_id=user.id, permissions=permissions
    )
    return shop.rashid


def offer(shop: Shop, order: Order, *, days: int = 30, sent_to: str = "carla@example.com") -> Sent:
    return make_quote(
        shop.session,
        actor=shop.rashid,
        order_id=order.public_id,
        valid_until=TODAY + timedelta(days=days),
        sent_to=sent_to,
        language="en",
        words="As discussed",
        now=NOW,
    )


def words_of(shop: Shop, order: Order) -> list[str]:
    return [
        str(words)
        for words in shop.session.scalars(
            select(OrderEvent.words).where(OrderEvent.order_id == order.id).order_by(OrderEvent.id)
        )
        if words is not None
    ]


class TestMaking:
    """Offering what is in a cart."""

    def test_it_holds_the_customers_prices_alone(self, shop: Shop, seller: Actor) -> None:
        quote = offer(shop, shop.cart(10)).quote

        (line,) = quote.lines
        assert (quote.version, quote.commitment_minor, quote.currency) == (1, 237600, "EUR")
        assert (line["quantity"], line["unit_price"], line["charge"]) == (10, "19.8", 19800)
        assert "16.5" not in str(quote.lines)
        assert seller.name == quote.created_by

    def test_another_version_takes_the_place_of_the_first(self, shop: Shop, seller: Actor) -> None:
        del seller
        order = shop.cart(10)
        first = offer(shop, order)
        (line,) = shop.lines(order)

        change_line(
            shop.session,
            actor=shop.rashid,
            order_id=order.public_id,
            line_id=line.public_id,
            quantity=12,
            now=NOW,
        )
        assert order.state == "draft"
        second = offer(shop, order)

        assert second.quote.version == 2
        with pytest.raises(QuoteNotOpen, match="withdrawn"):
            accept(shop.session, quote=quote_by_token(shop.session, first.token), name="Carla", now=NOW)

    def test_the_customer_gets_another_cart_beside_it(self, shop: Shop, seller: Actor) -> None:
        del seller
        order = shop.cart(1)
        offer(shop, order)

        assert shop.cart(1).id != order.id

    def test_the_day_and_the_address_must_be_usable(self, shop: Shop, seller: Actor) -> None:
        del seller
        order = shop.cart()

        for days in (-1, 91):
            with pytest.raises(QuoteDayNotPossible):
                offer(shop, order, days=days)
        with pytest.raises(AddressUnusable):
            offer(shop, order, sent_to="carla at example")

    def test_the_link_is_kept_nowhere(self, shop: Shop, seller: Actor) -> None:
        del seller
        sent = offer(shop, shop.cart())

        assert sent.token not in str(vars(sent.quote))
        with pytest.raises(NotFound):
            quote_by_token(shop.session, sent.quote.token_hash)


class TestAnswering:
    """What the customer does with it."""

    def test_signed_off_it_is_ordered_with_both_names(self, shop: Shop, seller: Actor) -> None:
        order = shop.cart(10)
        sent = offer(shop, order)

        accept(shop.session, quote=quote_by_token(shop.session, sent.token), name="  Carla  Roux ", now=NOW)

        assert (sent.quote.accepted_by, sent.quote.accepted_at) == ("Carla Roux", NOW)
        assert (order.state, order.submitted_by) == ("provisioning", seller.name)
        assert words_of(shop, order)[1] == f"Accepted by Carla Roux for {shop.carla.legal_name}."

    def test_accepted_twice_it_is_ordered_once(self, shop: Shop, seller: Actor) -> None:
        del seller
        order = shop.cart()
        quote = quote_by_token(shop.session, offer(shop, order).token)

        accept(shop.session, quote=quote, name="Carla", now=NOW)
        accept(shop.session, quote=quote, name="Carla", now=NOW)

        assert len(shop.requests(order)) == 1

    def test_a_name_is_needed_and_the_day_is_kept(self, shop: Shop, seller: Actor) -> None:
        del seller
        quote = quote_by_token(shop.session, offer(shop, shop.cart(), days=3).token)

        with pytest.raises(NameMissing):
            accept(shop.session, quote=quote, name=" ", now=NOW)
        with pytest.raises(QuoteNotOpen, match="expired"):
            accept(shop.session, quote=quote, name="Carla", now=NOW + timedelta(days=4))

    def test_declined_it_says_why_and_can_be_offered_anew(self, shop: Shop, seller: Actor) -> None:
        del seller
        order = shop.cart()
        quote = quote_by_token(shop.session, offer(shop, order).token)

        decline(shop.session, quote=quote, name="Carla", reason="Too dear", now=NOW)

        assert words_of(shop, order)[-1].endswith("Too dear")
        with pytest.raises(QuoteNotOpen, match="declined"):
            accept(shop.session, quote=quote, name="Carla", now=NOW)
        assert offer(shop, order).quote.version == 2

    def test_at_another_price_the_acceptance_stands_and_nothing_is_ordered(
        self, shop: Shop, seller: Actor
    ) -> None:
        del seller
        order = shop.cart()
        quote = quote_by_token(shop.session, offer(shop, order).token)
        make_rule(shop.session, Hop.RETAIL, percent="30", customer=shop.carla)

        accept(shop.session, quote=quote, name="Carla", now=NOW)

        assert order.state == "quoted"
        assert shop.session.get_one(Quote, quote).accepted_by == "Carla"
        assert "the price is another by now" in words_of(shop, order)[-1]
        assert shop.requests(order) == []
        assert submit(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW).state == (
            "provisioning"
        )

    def test_who_made_it_and_has_left_orders_nothing(self, shop: Shop, seller: Actor) -> None:
        order = shop.cart()
        quote = quote_by_token(shop.session, offer(shop, order).token)
        shop.session.get_one(User, seller.user_id).is_active = False

        accept(shop.session, quote=quote, name="Carla", now=NOW)

        assert order.state == "quoted"
