"""An Azure plan at the vendor, over HTTP: ordered for nothing and without a term, used, compared and cancelled."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from catalog.words import BillingCycle, ProductKind, Term
from marketplace.core.db import Database
from marketplace.orders.models import Order
from marketplace.orders.operations.changing import order_change
from marketplace.orders.operations.fulfilling import follow
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.comparing import compare_all
from marketplace.subscriptions.rules.changes import Cancel
from marketplace.vendors.errors import VendorRefused
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import SubscriptionStatus
from resellers.models import VendorAccount
from tests.offer_factories import make_azure_plan, make_meter, make_sku
from tests.orders.shop import NOW, SYSTEM, open_shop
from tests.vendors.asking import Desk
from tests.vendors.simulated import AZURE, Simulator, azure_plan, bought, buy, line, open_account


@pytest.fixture
def account(connector: PartnerCenter) -> str:
    return open_account(connector).account


@pytest.fixture
def desk(database: Database, simulator: Simulator) -> Desk:
    return Desk(database, simulator, now=NOW)


def test_it_is_sold_without_a_term(connector: PartnerCenter, account: str) -> None:
    has = bought(connector, account, azure_plan())

    assert (has.quantity, has.status, has.auto_renew) == (1, SubscriptionStatus.ACTIVE, False)
    assert (has.term, has.ends_on, has.may_cancel_until) == (None, None, None)


def test_two_of_it_are_refused(connector: PartnerCenter, account: str) -> None:
    two = line(AZURE, 2, term=Term.ONE_TIME, cycle=BillingCycle.NONE)

    with pytest.raises(VendorRefused, match="quantity"):
        buy(connector, account, two)


def work(desk: Desk, order_id: UUID) -> None:
    """Take every request of an order to its end, and the order with it."""
    with desk.database.owner_transaction() as session:
        origin = str(order_id)
        ids = session.scalars(
            select(ProvisioningRequest.id).where(ProvisioningRequest.origin == origin)
        ).all()
    for id_ in ids:
        while desk.request(id_).state == "queued":
            desk.work(id_)
    with desk.database.owner_transaction() as session:
        follow(session, actor=SYSTEM, order_id=order_id, now=desk.now)


def test_an_order_of_it_is_carried_out_compared_and_cancelled(desk: Desk, account: str) -> None:
    desk.simulator.at(NOW.isoformat())
    with desk.database.owner_transaction() as session:
        shop = open_shop(session)
        session.scalars(select(VendorAccount)).one().account = account
        machines = make_sku(session, "Virtual Machines", kind=ProductKind.CONSUMPTION)
        make_meter(session, machines, ("0", None, "0.096"))
        order_id = shop.order(1, plan=make_azure_plan(session)).public_id
        rashid = shop.rashid

    work(desk, order_id)

    with desk.database.owner_transaction() as session:
        order = session.scalars(select(Order).where(Order.public_id == order_id)).one()
        has = session.scalars(select(Subscription)).one()
        assert (order.state, has.status, has.vendor_account) == ("completed", "active", account)
    assert compare_all(desk.database, connect=desk.connect, now=desk.now) == 0

    with desk.database.owner_transaction() as session:
        cancelled = order_change(
            session,
            actor=rashid,
            subscription_id=has.public_id,
            change=Cancel(),
            key=uuid4(),
            now=desk.now,
        ).public_id
    work(desk, cancelled)

    with desk.database.owner_transaction() as session:
        assert session.scalars(select(Subscription.status)).one() == "cancelled"
    found = desk.simulator.connector().subscription(account, has.vendor_subscription_id)
    assert found.status is SubscriptionStatus.DELETED
    assert compare_all(desk.database, connect=desk.connect, now=desk.now) == 0
