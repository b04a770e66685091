"""What is billed as it is used, ordered: once for a customer, for nothing, and its usage then finds the customer."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from catalog.models import Plan, Sku
from catalog.words import ProductKind
from marketplace.accounts.roles import Role
from marketplace.billing.charges import charges_billed
from marketplace.core.actor import Audience
from marketplace.core.errors import NotPermitted
from marketplace.core.period import Period
from marketplace.orders.models import CustomerBuying, Order, OrderPrice
from marketplace.orders.operations.cart import BuyingNotAllowed, QuantityNotPossible
from marketplace.orders.operations.changing import order_change
from marketplace.orders.operations.fulfilling import follow
from marketplace.orders.operations.placing import CannotBeOrdered
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.changing import ChangeNotPossible
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeQuantity,
    Resume,
    SetTermEnd,
    Suspend,
)
from marketplace.subscriptions.words import AtTermEnd
from marketplace.vendors.provisioning.operations import complete_by_hand
from resellers.queries.accounts import account_at
from tests.factories import make_customer, make_mapping
from tests.offer_factories import make_azure_plan, make_meter, make_metered, make_sku
from tests.orders.shop import NOW, SYSTEM, TODAY, Shop, somebody

LATER = NOW + timedelta(days=30)


@pytest.fixture
def azure(shop: Shop) -> Plan:
    """Microsoft sells machines by the hour, all under one Azure plan."""
    make_meter(
        shop.session,
        make_sku(shop.session, "Virtual Machines", kind=ProductKind.CONSUMPTION),
        ("0", None, "0.096"),
    )
    return make_azure_plan(shop.session)


@pytest.fixture
def backup(shop: Shop) -> Plan:
    """A vendor without an interface sells a backup by the gigabyte; no customer has an account there yet."""
    return make_metered(shop.session)


def done(shop: Shop, order: Order, reference: str = "coffre-7") -> Order:
    """Have staff do it by hand under a reference, and the order take it in."""
    for request in shop.requests(order):
        request.state = "by_hand"
        references = {line.number: reference for line in shop.lines(order)}
        complete_by_hand(
            shop.session,
            actor=shop.wanda,
            request_id=request.public_id,
            order="V-1",
            references=references,
            now=NOW,
        )
    follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=NOW)
    return order


def became(shop: Shop, order: Order) -> Subscription:
    (line,) = shop.lines(order)
    return shop.session.get_one(Subscription, line.became_id)


def change(shop: Shop, subscription: Subscription, what: Change) -> Order:
    return order_change(
        shop.session,
        actor=shop.rashid,
        subscription_id=subscription.public_id,
        change=what,
        key=uuid4(),
        now=LATER,
    )


class TestOrdering:
    """From the cart to the subscription."""

    def test_it_is_had_once_without_a_term_and_for_nothing(self, shop: Shop, azure: Plan) -> None:
        order = shop.fulfil(shop.order(1, plan=azure))

        has = became(shop, order)
        assert (order.state, has.status, has.quantity) == ("completed", "active", 1)
        assert (has.term_end, has.window_until) == (None, None)
        prices = shop.session.scalars(select(OrderPrice)).all()
        assert {(one.hop, one.charge_minor, one.commitment_minor) for one in prices} == {
            ("vendor", 0, 0),
            ("wholesale", 0, 0),
            ("retail", 0, 0),
        }
        assert list(charges_billed(shop.session, Period.of(TODAY))) == []

    def test_the_vendor_is_asked_for_one_of_it_without_a_term(self, shop: Shop, azure: Plan) -> None:
        (request,) = shop.requests(shop.order(1, plan=azure))

        (line,) = request.asked["lines"]
        assert (line["product"], line["sku"], line["quantity"]) == ("DZH318Z0BPS6", "0001", 1)
        assert (line["term"], line["billing_cycle"]) == ("OneTime", "none")

    def test_it_goes_beside_licences_in_one_order(self, shop: Shop, azure: Plan) -> None:
        shop.cart(10)

        order = shop.order(1, plan=azure)

        assert [line.quantity for line in shop.lines(order)] == [10, 1]
        assert len(shop.requests(order)) == 1

    def test_a_customer_that_may_buy_buys_it_for_itself(self, shop: Shop, azure: Plan) -> None:
        with pytest.raises(BuyingNotAllowed):
            shop.cart(1, plan=azure, actor=shop.carla_herself)

        shop.session.add(
            CustomerBuying(customer_id=shop.carla.id, may_buy=True, needs_approval=False, set_at=NOW)
        )
        shop.session.flush()

        assert shop.order(1, plan=azure, actor=shop.carla_herself).state == "provisioning"


class TestRefusals:
    """What cannot be ordered, in words."""

    def test_who_places_no_orders_puts_nothing_in_a_cart(self, shop: Shop, azure: Plan) -> None:
        viewer = somebody("Vera", Audience.CUSTOMER, Role.VIEWER, shop.carla.id)

        with pytest.raises(NotPermitted):
            shop.cart(1, plan=azure, actor=viewer)

    def test_two_of_it_are_refused(self, shop: Shop, azure: Plan) -> None:
        with pytest.raises(QuantityNotPossible, match="has it once"):
            shop.cart(2, plan=azure)

        shop.cart(1, plan=azure)
        with pytest.raises(QuantityNotPossible, match="has it once"):
            shop.cart(1, plan=azure)

    def test_who_has_it_does_not_order_it_again(self, shop: Shop, azure: Plan) -> None:
        shop.fulfil(shop.order(1, plan=azure))

        with pytest.raises(QuantityNotPossible, match="has it once"):
            shop.cart(1, plan=azure)

    def test_while_it_is_on_its_way_it_is_not_ordered_again(self, shop: Shop, azure: Plan) -> None:
        shop.order(1, plan=azure)

        with pytest.raises(CannotBeOrdered, match="on its way"):
            shop.order(1, plan=azure)

    def test_another_customer_may_have_it_too(self, shop: Shop, azure: Plan) -> None:
        shop.fulfil(shop.order(1, plan=azure))
        other = make_customer(shop.session, reseller=shop.nord)
        make_mapping(shop.session, customer=other, account=str(uuid4()))

        shop.carla = other

        assert shop.order(1, plan=azure).state == "provisioning"

    def test_where_nothing_is_sold_under_it_there_is_no_price(self, shop: Shop) -> None:
        with pytest.raises(CannotBeOrdered, match="has no price in this customer's country"):
            shop.order(1, plan=make_azure_plan(shop.session))

    def test_a_vendor_with_accounts_of_its_own_needs_one_first(self, shop: Shop, azure: Plan) -> None:
        shop.carla = make_customer(shop.session, reseller=shop.nord)

        with pytest.raises(CannotBeOrdered, match="needs an account"):
            shop.order(1, plan=azure)

    def test_what_two_orders_bought_at_once_fails_for_the_second(self, shop: Shop, azure: Plan) -> None:
        first = shop.order(1, plan=azure)
        for line in shop.lines(first):
            # As an order placed in the same instant, which saw nothing of the first.
            line.plan_id = shop.plan.id
        shop.session.flush()
        second = shop.order(1, plan=azure)
        for line in shop.lines(first):
            line.plan_id = azure.id
        shop.session.flush()

        shop.fulfil(first)
        shop.fulfil(second)

        assert (first.state, second.state) == ("completed", "failed")
        assert "has it once" in str(second.reason)


class TestTheAccount:
    """What is bought is mapped to its customer, so that what it uses is billed there."""

    def test_the_reference_of_what_was_bought_becomes_the_customers_account(
        self, shop: Shop, backup: Plan
    ) -> None:
        order = done(shop, shop.order(1, plan=backup))

        assert (order.state, became(shop, order).vendor_account) == ("completed", "coffre-7")
        assert account_at(shop.session, customer_id=shop.carla.id, vendor="backup", day=TODAY) == "coffre-7"

    def test_an_account_that_is_mapped_already_stays_as_it_is(self, shop: Shop, backup: Plan) -> None:
        standing = make_mapping(shop.session, customer=shop.carla, account="coffre-1", vendor="backup")

        order = done(shop, shop.order(1, plan=backup))

        assert became(shop, order).vendor_account == "coffre-1"
        assert standing.valid_until is None

    def test_the_account_of_another_customer_is_not_taken(self, shop: Shop, backup: Plan) -> None:
        make_mapping(shop.session, customer=make_customer(shop.session), account="coffre-7", vendor="backup")

        order = done(shop, shop.order(1, plan=backup))

        assert order.state == "failed"
        assert "another customer's" in str(order.reason)
        assert shop.lines(order)[0].became_id is None


class TestItsLife:
    """What can be done with it afterwards."""

    def test_it_is_cancelled_on_any_day_and_may_be_had_again(self, shop: Shop, azure: Plan) -> None:
        has = became(shop, shop.fulfil(shop.order(1, plan=azure)))

        shop.fulfil(change(shop, has, Cancel()), now=LATER)

        shop.session.refresh(has)
        assert (has.status, has.quantity) == ("cancelled", 0)
        assert list(charges_billed(shop.session, Period.of(LATER.date()))) == []
        assert shop.order(1, plan=azure, now=LATER).state == "provisioning"

    @pytest.mark.parametrize("sold", ["azure", "backup"])
    def test_it_stands_still_and_goes_on(self, shop: Shop, sold: str, request: pytest.FixtureRequest) -> None:
        has = became(shop, done(shop, shop.order(1, plan=request.getfixturevalue(sold))))

        done(shop, change(shop, has, Suspend()))
        shop.session.refresh(has)
        assert (has.status, has.quantity) == ("suspended", 1)
        with pytest.raises(ChangeNotPossible, match="suspended already"):
            change(shop, has, Suspend())
        done(shop, change(shop, has, Resume()))

        shop.session.refresh(has)
        assert (has.status, has.quantity) == ("active", 1)
        assert list(charges_billed(shop.session, Period.of(LATER.date()))) == []

    def test_one_whose_offer_says_otherwise_does_not_stand_still(self, shop: Shop, azure: Plan) -> None:
        has = became(shop, shop.fulfil(shop.order(1, plan=azure)))
        shop.session.get_one(Sku, azure.sku_id).may_suspend = False
        shop.session.flush()

        with pytest.raises(ChangeNotPossible, match="does not suspend it"):
            change(shop, has, Suspend())

    @pytest.mark.parametrize(
        ("what", "why"),
        [
            (ChangeQuantity(2), "has it once"),
            (SetTermEnd(AtTermEnd.END), "goes on until it is cancelled"),
        ],
    )
    def test_nothing_else_is_to_be_changed(self, shop: Shop, azure: Plan, what: Change, why: str) -> None:
        has = became(shop, shop.fulfil(shop.order(1, plan=azure)))

        with pytest.raises(ChangeNotPossible, match=why):
            change(shop, has, what)
