"""Orders from files, all or nothing; and changes of subscriptions, which are orders too."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from marketplace.core.csv_table import FaultyFile
from marketplace.orders.models import Order, OrderPrice
from marketplace.orders.operations.bulk import order_from_file
from marketplace.orders.operations.changing import AnotherChangeWaits, order_change
from marketplace.subscriptions.models import ScheduledChange, Subscription
from marketplace.subscriptions.operations.changing import ChangeNotPossible
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeQuantity,
)
from tests.factories import make_customer, make_mapping
from tests.orders.shop import NOW, Shop, nobody

HEAD = "customer,sku,term,billing_cycle,quantity,po_number\n"


def sku_of(shop: Shop) -> str:
    return offers_of(shop.session, [shop.plan.id])[shop.plan.id].sku


def send(shop: Shop, rows: str, *, dry_run: bool = False) -> tuple[Order, ...]:
    return order_from_file(
        shop.session,
        actor=shop.rashid,
        file="orders.csv",
        content=(HEAD + rows).encode(),
        now=NOW,
        dry_run=dry_run,
    ).orders


class TestFiles:
    """A file is ordered whole or not at all."""

    def test_rows_of_a_customer_and_number_become_one_order(self, shop: Shop) -> None:
        sku = sku_of(shop)
        other = make_customer(shop.session, reseller=shop.nord)
        make_mapping(shop.session, customer=other, account=str(uuid4()))

        orders = send(
            shop,
            f"{shop.carla.reference},{sku},P1Y,monthly,10,PO-1\n"
            f"{other.reference},{sku},P1Y,monthly,3,\n"
            f"{shop.carla.reference},{sku},P1Y,monthly,4,PO-1\n"
            f"{shop.carla.reference},{sku},P1Y,monthly,5,PO-2\n",
        )

        assert [(order.po_number, [line.quantity for line in shop.lines(order)]) for order in orders] == [
            ("PO-1", [10, 4]),
            ("", [3]),
            ("PO-2", [5]),
        ]
        assert {order.state for order in orders} == {"provisioning"}

    def test_every_faulty_row_is_named_and_nothing_is_ordered(self, shop: Shop) -> None:
        sku = sku_of(shop)
        lost = make_customer(shop.session, reseller=shop.nord)
        before = shop.session.scalar(select(func.count()).select_from(Order))

        with pytest.raises(FaultyFile) as refused:
            send(
                shop,
                f"{shop.carla.reference},{sku},P1Y,monthly,10,\n"
                f"nobody,{sku},P1Y,monthly,10,\n"
                f"{shop.carla.reference},NOPE:0001,P1Y,monthly,10,\n"
                f"{shop.carla.reference},{sku},P3Y,monthly,10,\n"
                f"{shop.carla.reference},{sku},P1Y,monthly,301,\n"
                f"{shop.carla.reference},{sku},P1Y,monthly,none,\n",
            )
        assert [(row.row, row.column) for row in refused.value.rows] == [
            (2, "customer"),
            (3, "sku"),
            (4, "billing_cycle"),
            (5, "quantity"),
            (6, "quantity"),
        ]

        # What only the whole order tells is named by its row too.
        with pytest.raises(FaultyFile, match=r"Row 2.*needs an account"):
            send(
                shop,
                f"{shop.carla.reference},{sku},P1Y,monthly,1,\n{lost.reference},{sku},P1Y,monthly,1,\n",
            )
        assert shop.session.scalar(select(func.count()).select_from(Order)) == before

    def test_a_dry_run_orders_nothing(self, shop: Shop) -> None:
        sku = sku_of(shop)
        before = shop.session.scalar(select(func.count()).select_from(Order))

        assert send(shop, f"{shop.carla.reference},{sku},P1Y,monthly,10,\n", dry_run=True) == ()

        assert shop.session.scalar(select(func.count()).select_from(Order)) == before


def bought(shop: Shop, quantity: int = 10) -> Subscription:
    order = shop.fulfil(shop.order(quantity))
    return shop.session.get_one(Subscription, shop.lines(order)[0].became_id)


def change(shop: Shop, subscription: Subscription, what: Change, **facts: object) -> Order:
    return order_change(
        shop.session,
        actor=shop.rashid,
        subscription_id=subscription.public_id,
        change=what,
        **{"key": uuid4(), "now": NOW + timedelta(days=30), **facts},  # type: ignore[arg-type]
    )


class TestChanges:
    """Every change of a subscription is an order."""

    def test_more_seats_are_added_once_the_vendor_has_done_so(self, shop: Shop) -> None:
        subscription = bought(shop)

        order = change(shop, subscription, ChangeQuantity(12))
        assert (order.kind, order.state, subscription.quantity) == ("change", "provisioning", 10)
        shop.fulfil(order, now=NOW + timedelta(days=30))

        assert (order.state, subscription.quantity) == ("completed", 12)

    def test_only_what_it_adds_is_committed(self, shop: Shop) -> None:
        subscription = bought(shop)

        # On the first day of the second of twelve charges: eleven are left for two seats more at 16.50.
        order = change(shop, subscription, ChangeQuantity(12))

        added = shop.session.scalars(
            select(OrderPrice.commitment_minor).where(
                OrderPrice.line_id == shop.lines(order)[0].id, OrderPrice.hop == "wholesale"
            )
        ).one()
        assert added == 2 * 11 * 1650

    def test_it_is_checked_against_credit(self, shop: Shop) -> None:
        subscription = bought(shop)
        shop.limit("2000")

        assert change(shop, subscription, ChangeQuantity(20)).state == "awaiting_approval"

    def test_what_can_only_be_at_renewal_waits_for_it(self, shop: Shop) -> None:
        subscription = bought(shop)

        order = change(shop, subscription, ChangeQuantity(5))
        shop.fulfil(order, now=NOW + timedelta(days=30))

        waiting = shop.session.scalars(
            select(ScheduledChange).where(ScheduledChange.subscription_id == subscription.id)
        ).one()
        assert (subscription.quantity, waiting.quantity) == (10, 5)

    def test_what_is_never_possible_is_refused_with_the_reason(self, shop: Shop) -> None:
        subscription = bought(shop)

        with pytest.raises(ChangeNotPossible, match="It has 10 seats already"):
            change(shop, subscription, ChangeQuantity(10))

    def test_one_change_at_a_time(self, shop: Shop) -> None:
        subscription = bought(shop)
        change(shop, subscription, ChangeQuantity(12))

        with pytest.raises(AnotherChangeWaits):
            change(shop, subscription, ChangeQuantity(13))

    def test_the_same_form_sent_twice_is_one_order(self, shop: Shop) -> None:
        subscription = bought(shop)
        key = nobody()

        once = change(shop, subscription, ChangeQuantity(12), key=key)
        again = change(shop, subscription, ChangeQuantity(12), key=key)

        assert once.id == again.id
        assert len(shop.requests(once)) == 1

    def test_a_cancellation_in_its_window_is_carried_out(self, shop: Shop) -> None:
        subscription = bought(shop)

        order = change(shop, subscription, Cancel(), now=NOW + timedelta(hours=3))
        shop.fulfil(order, now=NOW + timedelta(hours=3))

        assert (order.kind, subscription.status) == ("cancel", "cancelled")
