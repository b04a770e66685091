"""The way on from a promotion the vendor refuses: an order that fails with words, and one press to order without it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from catalog.models import Plan, Sku
from catalog.words import BillingCycle
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.orders.operations.fulfilling import follow
from marketplace.subscriptions.models import SubscriptionSegment
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.advancing import advance
from marketplace.vendors.provisioning.rules import MOVING
from tests.offer_factories import make_plan, make_promotion, make_sku
from tests.page import Visitor
from tests.vendors.simulated import STANDARD, Simulator, buy, line, running_simulator
from tests.web.orders.conftest import SellingSite
from tests.web.orders.test_shop import order

FIRST = "CFQ7TTC0LDPB:0001:39NFJQT1Q5KN"
CARLA = "tenant-carla-works"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A vendor that has Carla's account, and takes ten percent off a customer's first year of Standard."""
    (tmp_path / "customers.csv").write_text(
        f"account,name,domain,country\n{CARLA},Carla's Works,carla.onmicrosoft.com,FR\n"
    )
    (tmp_path / "promotions.csv").write_text(
        "reference,percent,starts_on,ends_on,terms,maximum_quantity,first_purchase\n"
        f"{FIRST},10,2020-01-01,2040-01-01,P1Y,,yes\n"
    )
    with running_simulator(tmp_path) as simulator:
        yield simulator


@pytest.fixture
def standard(site: SellingSite) -> Plan:
    """A year of Standard at 112.56 a seat, promoted in our books too."""
    with site.database.owner_transaction() as session:
        sku = make_sku(session, "Microsoft 365 Business Standard", reference=STANDARD[0])
        plan = make_plan(session, sku, billing_cycle=BillingCycle.ANNUAL, cost="112.56", listed="150")
        promotion = make_promotion(session, plan, title="First year", is_first_purchase_only=True)
        promotion.reference = FIRST
        return plan


@pytest.fixture
def works(site: SellingSite, simulator: Simulator) -> Callable[[], None]:
    """Let the workers do everything that waits."""

    def work() -> None:
        while True:
            with site.database.owner_transaction() as session:
                waiting = session.scalars(
                    select(ProvisioningRequest.id).where(ProvisioningRequest.state.in_(list(MOVING)))
                ).all()
            if not waiting:
                break
            for request_id in waiting:
                advance(
                    site.database,
                    request_id=request_id,
                    connect=lambda _vendor: simulator.connector(),
                    clock=utc_now,
                )
        for one in site.orders():
            with site.database.owner_transaction() as session:
                follow(session, actor=Actor.system("orders"), order_id=one.public_id, now=utc_now())

    return work


def put_in(visitor: Visitor, site: SellingSite, plan: Plan) -> str:
    facts = {"customer": str(site.goods.carla), "plan": str(plan.public_id), "quantity": "10"}
    return str(visitor.post("/cart/add", facts).response.location)


def test_a_refused_promotion_is_left_out_and_what_was_ordered_is_had_after_all(
    site: SellingSite,
    rashid: Visitor,
    carla: Visitor,
    simulator: Simulator,
    standard: Plan,
    works: Callable[[], None],
) -> None:
    with closing(simulator.connector()) as another_partner:
        buy(another_partner, CARLA, line(STANDARD, 1, cycle=BillingCycle.ANNUAL))
    cart = put_in(rashid, site, standard)
    # 112.56 a seat, less ten percent, plus 10.77 percent.
    assert "€1,122.14" in rashid.get(cart).main
    order(rashid, cart)

    works()

    failed = rashid.get(cart)
    assert "Microsoft does not give the customer the promotion First year (bought before)" in failed.main
    assert "Nothing was bought. Put it into the cart again and order" in failed.main
    again = str(rashid.post(f"{cart}/again", {}).response.location)
    page = rashid.get(again)
    assert "First year is left out of the prices" in page.main
    assert "Microsoft: not for this customer, bought before." in page.main
    assert "€1,246.83" in page.main
    offer = carla.get(f"/portal/shop/{sku_of(site, standard)}?quantity=10")
    (shown,) = offer.rows("promotions")
    assert shown[5] == "Microsoft: not for this customer, bought before."

    order(rashid, again)
    works()

    assert "Completed" in rashid.get(again).main
    with site.database.owner_transaction() as session:
        (bought,) = session.scalars(select(SubscriptionSegment)).all()
        assert (bought.quantity, bought.promotion_id) == (10, None)


def sku_of(site: SellingSite, plan: Plan) -> str:
    with site.database.owner_transaction() as session:
        return str(session.get_one(Sku, plan.sku_id).public_id)
