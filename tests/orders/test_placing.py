"""From the cart to the subscription, in the database: once, at the price that was shown, and kept hop by hop."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from catalog.models import SkuRelation
from catalog.words import PlanStatus, RelationKind
from marketplace.core.audit import AuditEntry
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.core.money import Money
from marketplace.orders.models import CustomerBuying, Order, OrderPrice
from marketplace.orders.operations.cart import (
    BuyingNotAllowed,
    EndNotPossible,
    NotForSale,
    QuantityNotPossible,
    change_line,
    discard,
    put_in_cart,
)
from marketplace.orders.operations.checking import release_due
from marketplace.orders.operations.deciding import cancel
from marketplace.orders.operations.fulfilling import follow
from marketplace.orders.operations.placing import (
    CannotBeOrdered,
    DayNotPossible,
    OrderEmpty,
    submit,
)
from marketplace.orders.operations.pricing import lines_of, price_lines, shown_to
from marketplace.orders.rules.seen import PriceChanged
from marketplace.orders.rules.states import OrderHasMovedOn
from marketplace.orders.words import OrderState
from marketplace.subscriptions.models import SegmentCost, Subscription, SubscriptionSegment
from marketplace.vendors.provisioning.operations import give_up, retry
from marketplace.vendors.provisioning.requests import asked_from_data
from marketplace.vendors.values import Purchase
from resellers.models import Hop
from tests.factories import make_customer, make_rule
from tests.offer_factories import make_plan, make_sku
from tests.orders.shop import NOW, SYSTEM, TODAY, Shop, nobody


class TestTheCart:
    """What is put together before anybody is asked."""

    def test_the_same_plan_twice_is_one_line_with_both_quantities(self, shop: Shop) -> None:
        first = shop.cart(3)
        second = shop.cart(4)

        assert first.id == second.id
        assert [line.quantity for line in shop.lines(first)] == [7]

    def test_the_resellers_cart_and_the_customers_own_are_two(self, shop: Shop) -> None:
        shop.session.add(
            CustomerBuying(customer_id=shop.carla.id, may_buy=True, needs_approval=True, set_at=NOW)
        )
        shop.session.flush()

        assert shop.cart().id != shop.cart(actor=shop.carla_herself).id

    def test_a_line_with_nought_is_taken_out(self, shop: Shop) -> None:
        cart = shop.cart()
        (line,) = shop.lines(cart)

        change_line(
            shop.session,
            actor=shop.rashid,
            order_id=cart.public_id,
            line_id=line.public_id,
            quantity=0,
            now=NOW,
        )

        assert shop.lines(cart) == []
        with pytest.raises(OrderEmpty):
            submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)

    def test_a_first_term_ends_with_the_month_and_on_no_day_of_ones_own(self, shop: Shop) -> None:
        cart = shop.cart()
        (line,) = shop.lines(cart)

        def until(end: date) -> None:
            change_line(
                shop.session,
                actor=shop.rashid,
                order_id=cart.public_id,
                line_id=line.public_id,
                quantity=10,
                now=NOW,
                custom_end=end,
            )

        until(date(2027, 6, 1))
        order = submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)
        assert shop.requests(order)[0].asked["lines"][0]["ends_on"] == "2027-06-01"
        assert shop.lines(order)[0].term_end == date(2027, 6, 1)

        cart = shop.cart()
        (line,) = shop.lines(cart)
        with pytest.raises(EndNotPossible, match="with the month"):
            until(date(2027, 3, 17))

    def test_an_end_that_has_come_meanwhile_is_refused_when_it_is_ordered(self, shop: Shop) -> None:
        cart = shop.cart()
        shop.lines(cart)[0].custom_end = date(2026, 6, 1)
        shop.session.flush()

        with pytest.raises(CannotBeOrdered, match="with the month"):
            submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)

    def test_more_than_there_can_be_is_refused_with_the_limit(self, shop: Shop) -> None:
        with pytest.raises(QuantityNotPossible, match="No more than 300"):
            shop.cart(301)

    def test_what_is_not_on_sale_cannot_be_put_in(self, shop: Shop) -> None:
        ended = make_plan(shop.session, make_sku(shop.session), status=PlanStatus.ENDED)
        hidden = make_plan(shop.session, make_sku(shop.session, is_listed=False))

        for plan in (ended, hidden):
            with pytest.raises(NotForSale):
                shop.cart(plan=plan)

    def test_a_customer_buys_for_itself_only_where_its_reseller_allows_it(self, shop: Shop) -> None:
        with pytest.raises(BuyingNotAllowed):
            shop.cart(actor=shop.carla_herself)

    def test_nobody_orders_for_another_resellers_customer(self, shop: Shop) -> None:
        stranger = make_customer(shop.session)

        with pytest.raises(NotFound):
            put_in_cart(
                shop.session,
                actor=shop.rashid,
                customer_id=stranger.public_id,
                plan_id=shop.plan.public_id,
                quantity=1,
            )

    def test_a_discarded_cart_leaves_room_for_another(self, shop: Shop) -> None:
        cart = shop.cart()

        discard(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)
        shop.session.flush()

        assert cart.state == "cancelled"
        assert shop.cart().id != cart.id


class TestSubmitting:
    """Ordering what is in the cart."""

    def test_the_price_of_every_hop_is_kept(self, shop: Shop) -> None:
        order = shop.order(10)

        assert shop.history(order) == ["submitted", "provisioning"]
        (line,) = shop.lines(order)
        prices = {
            price.hop: (price.unit, price.charge_minor, price.commitment_minor, price.unit_term)
            for price in shop.session.scalars(select(OrderPrice).where(OrderPrice.line_id == line.id))
        }
        assert prices == {
            "vendor": (Decimal(15), 15000, 180000, Decimal(180)),
            "wholesale": (Decimal("16.5"), 16500, 198000, None),
            "retail": (Decimal("19.8"), 19800, 237600, None),
        }
        assert (line.term_end, line.charges, line.unit_list) == (date(2027, 6, 18), 12, Decimal(240))
        assert (order.submitted_by, order.audience) == ("Rashid", "reseller")

    def test_submitted_twice_it_is_ordered_once(self, shop: Shop) -> None:
        order = shop.order()

        again = submit(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)

        assert again.id == order.id
        assert len(shop.requests(order)) == 1
        assert shop.history(order) == ["submitted", "provisioning"]

    def test_a_price_that_changed_since_it_was_shown_is_refused_with_both(self, shop: Shop) -> None:
        cart = shop.cart(10)
        lines = lines_of(shop.session, [cart])
        seen = shown_to(shop.rosa, price_lines(shop.session, cart, lines, now=NOW))
        make_rule(shop.session, Hop.RETAIL, percent="30", customer=shop.carla)

        with pytest.raises(PriceChanged) as refused:
            submit(shop.session, actor=shop.rosa, order_id=cart.public_id, now=NOW, seen=seen)

        assert refused.value.rows[0].value == "10 × 198.00 EUR"
        assert refused.value.rows[0].reason == "is 10 × 214.50 EUR now"
        assert cart.state == "draft"

    def test_who_may_not_see_purchase_prices_is_not_told_by_a_change_of_them(self, shop: Shop) -> None:
        cart = shop.cart(10)
        lines = lines_of(shop.session, [cart])

        seen = shown_to(shop.rosa, price_lines(shop.session, cart, lines, now=NOW))

        assert [one.wholesale for one in seen.values()] == [None]
        assert [one.retail for one in seen.values()] == [Money(19800, "EUR")]

    def test_a_customer_without_an_account_at_the_vendor_is_named(self, shop: Shop) -> None:
        elsewhere = make_plan(shop.session, make_sku(shop.session, "Safe", vendor="backup"))
        cart = shop.cart(plan=elsewhere)

        with pytest.raises(CannotBeOrdered, match="needs an account of the customer at backup"):
            submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)

    def test_a_reseller_that_may_not_sell_is_told_why(self, shop: Shop) -> None:
        shop.nord.status = "suspended"
        cart = shop.cart()

        with pytest.raises(
            CannotBeOrdered, match="cannot be sold by this reseller: The reseller is “Suspended”"
        ):
            submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)

    def test_an_add_on_needs_what_it_adds_to(self, shop: Shop) -> None:
        base, addon = make_sku(shop.session, "Microsoft 365 E3"), make_sku(shop.session, "Audio")
        shop.session.add(
            SkuRelation(sku_id=addon.id, kind=RelationKind.PREREQUISITE.value, target_sku_id=base.id)
        )
        base_plan, addon_plan = make_plan(shop.session, base), make_plan(shop.session, addon)
        cart = shop.cart(plan=addon_plan)

        with pytest.raises(CannotBeOrdered, match="needs one of these beside it: Microsoft 365 E3"):
            submit(shop.session, actor=shop.rashid, order_id=cart.public_id, now=NOW)

        assert shop.order(plan=base_plan).state == "provisioning"

    def test_the_customers_limit_of_seats_is_looked_at(self, shop: Shop) -> None:
        limited = make_plan(shop.session, make_sku(shop.session, customer_limit=12))
        shop.fulfil(shop.order(10, plan=limited))

        with pytest.raises(CannotBeOrdered, match="2 are left here"):
            shop.order(3, plan=limited)

    def test_an_order_for_a_day_waits_for_it(self, shop: Shop) -> None:
        order = shop.order(starts_on=TODAY + timedelta(days=3))
        assert (order.state, shop.requests(order)) == ("scheduled", [])

        assert release_due(shop.session, actor=SYSTEM, now=NOW + timedelta(days=2)) == 0
        assert release_due(shop.session, actor=SYSTEM, now=NOW + timedelta(days=3)) == 1
        assert release_due(shop.session, actor=SYSTEM, now=NOW + timedelta(days=3)) == 0

        assert order.state == "provisioning"
        assert len(shop.requests(order)) == 1

    def test_a_day_in_the_past_is_refused(self, shop: Shop) -> None:
        with pytest.raises(DayNotPossible):
            shop.order(starts_on=TODAY - timedelta(days=1))

    def test_who_only_looks_cannot_order(self, shop: Shop) -> None:
        cart = shop.cart()
        clara = type(shop.wanda)("Clara", shop.wanda.audience, permissions=frozenset())

        with pytest.raises(NotPermitted):
            submit(shop.session, actor=clara, order_id=cart.public_id, now=NOW)

    def test_staff_order_on_behalf_in_their_own_name(self, shop: Shop) -> None:
        order = shop.order(actor=shop.wanda)

        assert (order.submitted_by, order.audience, order.customer_id) == (
            "Wanda",
            "wholesaler",
            shop.carla.id,
        )
        assert order.reseller_id == shop.nord.id

    def test_every_turn_is_in_the_audit_trail(self, shop: Shop) -> None:
        order = shop.order()

        acts = shop.session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.subject_id == str(order.public_id))
            .order_by(AuditEntry.id)
        ).all()
        assert acts == ["sales_order.add_line", "sales_order.submit", "sales_order.provision"]


class TestFulfilling:
    """What vendors make of it."""

    def test_the_vendor_is_asked_for_the_lines_in_catalogue_words(self, shop: Shop) -> None:
        order = shop.order(25)

        (request,) = shop.requests(order)
        asked = asked_from_data(request.kind, request.asked)
        assert isinstance(asked, Purchase)
        (line,) = asked.lines
        assert f"{line.product}:{line.sku}" == shop.lines(order)[0].sku
        assert (line.quantity, line.partner_id, line.segment) == (25, "4847383", "commercial")
        assert request.about == "25 × Microsoft 365 Business Premium"

    def test_what_is_done_becomes_a_subscription_at_the_price_of_the_order(self, shop: Shop) -> None:
        order = shop.order(10)
        (band,) = shop.session.scalars(select(OrderPrice).where(OrderPrice.hop == "vendor")).all()[-1:]
        assert band.unit_term == 180

        shop.fulfil(order)

        assert order.state == "completed"
        (line,) = shop.lines(order)
        subscription = shop.session.get_one(Subscription, line.became_id)
        assert (subscription.quantity, subscription.customer_id) == (10, shop.carla.id)
        assert subscription.vendor_subscription_id.startswith("sub-")
        cost = shop.session.scalar(
            select(SegmentCost.unit_cost)
            .join(SubscriptionSegment, SubscriptionSegment.id == SegmentCost.segment_id)
            .where(SubscriptionSegment.subscription_id == subscription.id)
        )
        assert cost == 180

    def test_told_twice_it_becomes_one_subscription(self, shop: Shop) -> None:
        order = shop.fulfil(shop.order())

        follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=NOW)

        count = (
            select(func.count()).select_from(Subscription).where(Subscription.customer_id == shop.carla.id)
        )
        assert shop.session.scalar(count) == 1
        assert shop.history(order) == ["submitted", "provisioning", "completed"]

    def test_what_failed_says_why_and_can_be_tried_again(self, shop: Shop) -> None:
        order = shop.order()
        (request,) = shop.requests(order)
        give_up(
            shop.session, actor=shop.wanda, request_id=request.public_id, reason="The vendor is gone", now=NOW
        )
        follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=NOW)
        assert order.state == "failed"
        assert "The vendor is gone" in str(order.reason)

        retry(shop.session, actor=shop.wanda, request_id=request.public_id, now=NOW)
        follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=NOW)
        assert (order.state, order.reason) == ("provisioning", None)

        shop.fulfil(order)
        assert order.state == "completed"

    def test_an_order_at_the_vendor_cannot_be_withdrawn(self, shop: Shop) -> None:
        order = shop.order()

        with pytest.raises(OrderHasMovedOn):
            cancel(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)

    def test_one_that_waits_for_its_day_can(self, shop: Shop) -> None:
        order = shop.order(starts_on=TODAY + timedelta(days=3))

        cancel(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)

        assert order.state == OrderState.CANCELLED
        assert str(order.reason) == "Withdrawn by Rashid."

    def test_an_order_nobody_knows_is_followed_to_nothing(self, shop: Shop) -> None:
        follow(shop.session, actor=SYSTEM, order_id=nobody(), now=NOW)

        assert shop.session.scalar(select(func.count()).select_from(Order)) == 0
