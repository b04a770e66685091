"""A small shop for tests of orders: Nord sells to Carla, at plus ten and plus twenty percent."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.models import Plan
from marketplace.accounts.roles import Role, permissions_of
from marketplace.core.actor import Actor, Audience
from marketplace.core.money import Money
from marketplace.orders.models import Order, OrderApproval, OrderEvent, OrderLine
from marketplace.orders.operations.cart import put_in_cart
from marketplace.orders.operations.fulfilling import follow
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.ruling import set_credit
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.operations import complete_by_hand
from resellers.models import Customer, Hop, Reseller
from resellers.models.standing import Enrolment
from resellers.words import EnrolmentStatus, Programme
from tests.factories import make_customer, make_mapping, make_reseller, make_rule, make_wholesaler
from tests.offer_factories import make_plan, make_sku, noon

TODAY = date(2026, 6, 18)
NOW = noon(TODAY)
SYSTEM = Actor.system("orders")


def somebody(
    name: str, audience: Audience, role: Role, party_id: int | None = None, *, user_id: int = 1
) -> Actor:
    """Give a person as an actor, who need not be in the database."""
    return Actor(name, audience, party_id, user_id=user_id, permissions=permissions_of(audience, role))


@dataclass
class Shop:
    """Everything a test of an order needs. A seat-year costs 180, Nord pays 198 for it and Carla 237.60."""

    session: Session
    nord: Reseller
    carla: Customer
    plan: Plan
    rashid: Actor = field(init=False)
    rosa: Actor = field(init=False)
    carla_herself: Actor = field(init=False)
    wanda: Actor = field(init=False)
    walter: Actor = field(init=False)

    def __post_init__(self) -> None:
        """Name the people."""
        self.rashid = somebody("Rashid", Audience.RESELLER, Role.OWNER, self.nord.id, user_id=901)
        self.rosa = somebody("Rosa", Audience.RESELLER, Role.SALES, self.nord.id, user_id=902)
        self.carla_herself = somebody("Carla", Audience.CUSTOMER, Role.OWNER, self.carla.id, user_id=903)
        self.wanda = somebody("Wanda", Audience.WHOLESALER, Role.FINANCE, user_id=904)
        self.walter = somebody("Walter", Audience.WHOLESALER, Role.ADMINISTRATOR, user_id=905)

    def cart(self, quantity: int = 10, *, actor: Actor | None = None, plan: Plan | None = None) -> Order:
        """Put something into Carla's cart."""
        return put_in_cart(
            self.session,
            actor=actor or self.rashid,
            customer_id=self.carla.public_id,
            plan_id=(plan or self.plan).public_id,
            quantity=quantity,
        )

    def order(
        self,
        quantity: int = 10,
        *,
        actor: Actor | None = None,
        plan: Plan | None = None,
        now: datetime = NOW,
        starts_on: date | None = None,
    ) -> Order:
        """Order for Carla."""
        cart = self.cart(quantity, actor=actor, plan=plan)
        return submit(
            self.session,
            actor=actor or self.rashid,
            order_id=cart.public_id,
            now=now,
            starts_on=starts_on,
        )

    def limit(
        self, amount: str, *, customer: str = "", actor: Actor | None = None, payment_days: int = 30
    ) -> int:
        """Say how much Nord, or a customer of its, may owe."""
        return set_credit(
            self.session,
            actor=actor or self.wanda,
            reseller_id=self.nord.public_id,
            limit=Decimal(amount),
            payment_days=payment_days,
            customer=customer,
            now=NOW,
        )

    def approvals(self, order: Order) -> list[OrderApproval]:
        """Give what an order waited for."""
        return list(
            self.session.scalars(
                select(OrderApproval).where(OrderApproval.order_id == order.id).order_by(OrderApproval.id)
            )
        )

    def lines(self, order: Order) -> list[OrderLine]:
        """Give its lines."""
        return list(self.session.scalars(select(OrderLine).where(OrderLine.order_id == order.id)))

    def history(self, order: Order) -> list[str]:
        """Give the states an order went through."""
        return list(
            self.session.scalars(
                select(OrderEvent.state).where(OrderEvent.order_id == order.id).order_by(OrderEvent.id)
            )
        )

    def requests(self, order: Order) -> list[ProvisioningRequest]:
        """Give what vendors were asked for an order."""
        return list(
            self.session.scalars(
                select(ProvisioningRequest)
                .where(ProvisioningRequest.origin == str(order.public_id))
                .order_by(ProvisioningRequest.id)
            )
        )

    def fulfil(self, order: Order, *, now: datetime = NOW) -> Order:
        """Have staff do what the vendor was asked, by hand, and the order take it in."""
        for request in self.requests(order):
            request.state = "by_hand"
            complete_by_hand(
                self.session,
                actor=self.wanda,
                request_id=request.public_id,
                order="V-1",
                references={line.number: f"sub-{uuid4()}" for line in self.lines(order)},
                now=now,
            )
        follow(self.session, actor=SYSTEM, order_id=order.public_id, now=now)
        return order

    def jobs(self) -> list[str]:
        """Give the jobs that wait."""
        return list(self.session.scalars(text("SELECT task_name FROM procrastinate_jobs ORDER BY id")))


def open_shop(session: Session) -> Shop:
    """Make it. The transaction goes on as the owner of the tables, as orders are placed."""
    session.execute(
        text("SELECT set_config('role', 'none', true), set_config('search_path', 'public', true)")
    )
    make_wholesaler(session)
    nord = make_reseller(session)
    carla = make_customer(session, reseller=nord)
    make_mapping(session, customer=carla, account=f"tenant-{uuid4()}")
    for vendor in ("microsoft", "backup"):
        session.add(
            Enrolment(
                reseller_id=nord.id,
                vendor=vendor,
                programme=Programme.INDIRECT_RESELLER.value,
                status=EnrolmentStatus.ACTIVE.value,
                partner_id="4847383",
                is_known=True,
                has_signed=True,
                checked_at=NOW,
            )
        )
    make_rule(session, Hop.WHOLESALE, percent="10", reseller=nord)
    make_rule(session, Hop.RETAIL, percent="20", reseller=nord)
    return Shop(session, nord, carla, make_plan(session, make_sku(session), cost="180", listed="240"))


def euros(amount: str) -> Money:
    """Give an amount."""
    return Money(int(Decimal(amount) * 100), "EUR")


def nobody() -> UUID:
    """Give an id nobody has."""
    return uuid4()
