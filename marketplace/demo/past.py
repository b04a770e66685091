"""What happened to subscriptions before today: bought a year ago and renewed, changed, given up; and what renews next.

Each step is an order of its day, carried out by the simulated vendor, whose clock is set to that day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from catalog.words import BillingCycle, Term
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.demo import simulated_vendor
from marketplace.demo.orders import customer_called, owner_of, plan_called
from marketplace.orders.models import Order, OrderApproval
from marketplace.orders.operations.cart import put_in_cart
from marketplace.orders.operations.changing import order_change
from marketplace.orders.operations.deciding import approve
from marketplace.orders.operations.fulfilling import follow
from marketplace.orders.operations.placing import submit
from marketplace.orders.operations.renewal_answers import answer_renewals, signer
from marketplace.settings import Settings
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.policies import set_default_policy
from marketplace.subscriptions.operations.renewal_links import ask_customers
from marketplace.subscriptions.operations.renewing import renew_due
from marketplace.subscriptions.rules.answers import Answer
from marketplace.subscriptions.rules.changes import Cancel, Change, ChangeQuantity
from marketplace.subscriptions.words import AtTermEnd, Policy
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.advancing import advance
from marketplace.vendors.provisioning.rules import MOVING
from marketplace.vendors.registry import connector_for
from resellers.models import Customer, Reseller

_MACHINE = Actor.system()
_MOST_STEPS = 10
# Each month has this day.
_IN_EVERY_MONTH = 28
Act = Callable[[Session, datetime], Order | None]


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that happened at an instant; None of an order: there is nothing to carry out."""

    at: datetime
    act: Act


@dataclass(frozen=True, slots=True)
class _Bought:
    """What a reseller ordered for a customer."""

    reseller: str
    customer: str
    sku: str
    cycle: BillingCycle
    seats: int

    def __call__(self, session: Session, at: datetime) -> Order:
        """Order it."""
        actor = owner_of(session, self.reseller)
        cart = put_in_cart(
            session,
            actor=actor,
            customer_id=customer_called(session, self.customer).public_id,
            plan_id=plan_called(session, self.sku, Term.P1Y, self.cycle).public_id,
            quantity=self.seats,
        )
        return submit(session, actor=actor, order_id=cart.public_id, now=at)


_RENEWED = _Bought("armor-it", "transports-kerbrat", "CFQ7TTC0LF8R:0001", BillingCycle.MONTHLY, 25)
_CHANGED = _Bought("rhone-cloud", "lyon-logistique", "CFQ7TTC0LDPB:0001", BillingCycle.MONTHLY, 30)
_GIVEN_UP = _Bought("rhone-cloud", "menuiserie-saone", "CFQ7TTC0LH18:0001", BillingCycle.MONTHLY, 9)
_UNDECIDED = _Bought("armor-it", "carnac-conserves", "CFQ7TTC0LF8R:0001", BillingCycle.ANNUAL, 14)
_ANSWERED = _Bought("armor-it", "hotel-voyageurs", "CFQ7TTC0LDPB:0001", BillingCycle.ANNUAL, 10)
_IN_ITS_WINDOW = _Bought("rhone-cloud", "lycee-ampere", "CFQ7TTC0LH18:0001", BillingCycle.ANNUAL, 60)


def make(database: Database, settings: Settings, *, last: Period, today: date) -> None:
    """Let it happen, up to today. Where it did already, nothing is done.

    Terms run by the clock: a demonstration of another day than today has no past.
    """
    if today != utc_now().date():
        return
    with database.owner_transaction() as session:
        if session.scalar(select(exists(select(Order.id)))):
            return
    steps = [*_of_the_month(last), *_coming(today)]
    with simulated_vendor.running(settings) as reachable:
        for step in sorted(steps, key=lambda one: one.at):
            simulated_vendor.set_clock(settings, step.at)
            _renew(database, step.at)
            with database.owner_transaction() as session:
                order = step.act(session, step.at)
                order_id = order.public_id if order else None
            if order_id is not None:
                _carry_out(database, reachable, order_id, step.at)
        _renew(database, utc_now())
        simulated_vendor.set_clock(settings, None)
        _decide(database, reachable)
    simulated_vendor.get_a_bill_wrong(settings, last)


def _of_the_month(last: Period) -> list[_Step]:
    """A renewal, seats added and given back, and something given up within its window."""
    renewed_on, bought_on, given_up_on = (last.start + timedelta(days=days) for days in (9, 2, 17))
    return [
        _Step(_noon(_year_before(renewed_on)), _RENEWED),
        _Step(_noon(bought_on), _CHANGED),
        _Step(_noon(bought_on + timedelta(days=9)), partial(_change, _CHANGED, ChangeQuantity(36))),
        _Step(_noon(bought_on + timedelta(days=12)), partial(_change, _CHANGED, ChangeQuantity(34))),
        _Step(_noon(given_up_on), _GIVEN_UP),
        _Step(_noon(given_up_on + timedelta(days=3)), partial(_change, _GIVEN_UP, Cancel())),
    ]


def _coming(today: date) -> list[_Step]:
    """One renewal that nobody has decided, one that will be answered, and one of three days ago."""
    return [
        _Step(_noon(_year_before(today + timedelta(days=days))), bought)
        for days, bought in ((25, _UNDECIDED), (47, _ANSWERED), (-3, _IN_ITS_WINDOW))
    ]


def _decide(database: Database, settings: Settings) -> None:
    """Have policies set, a customer asked, and another answer; its reseller approves."""
    now = utc_now()
    with database.owner_transaction() as session:
        for reference, policy in (("armor-it", Policy.ASK), ("rhone-cloud", Policy.RENEW)):
            reseller = session.scalars(select(Reseller).where(Reseller.reference == reference)).one()
            set_default_policy(
                session,
                actor=owner_of(session, reference),
                reseller_id=reseller.public_id,
                choice=policy,
                now=now,
            )
        undecided, answered = (_subscription(session, one) for one in (_UNDECIDED, _ANSWERED))
        ask_customers(
            session,
            actor=owner_of(session, "armor-it"),
            subscription_ids=[undecided.public_id, answered.public_id],
            site_url=settings.site_url,
            now=now,
        )
        host = customer_called(session, _ANSWERED.customer)
        (said,) = answer_renewals(
            session,
            actor=signer(session, customer_id=host.id, name="Hélène Maréchal"),
            answers=[Answer(answered.public_id, AtTermEnd.RENEW, 8)],
            now=now,
            sent_to=host.email,
        )
        session.flush()  # its approval is looked up
        order = said.order
        if order is None:
            return
        order_id = order.public_id
        for approval in session.scalars(
            select(OrderApproval.public_id).where(OrderApproval.order_id == order.id)
        ):
            approve(session, actor=owner_of(session, "armor-it"), approval_id=approval, now=now)
    _carry_out(database, settings, order_id, now)


def _change(bought: _Bought, change: Change, session: Session, at: datetime) -> Order:
    return order_change(
        session,
        actor=owner_of(session, bought.reseller),
        subscription_id=_subscription(session, bought).public_id,
        change=change,
        key=uuid4(),
        now=at,
    )


def _subscription(session: Session, bought: _Bought) -> Subscription:
    return session.scalars(
        select(Subscription)
        .join(Customer, Customer.id == Subscription.customer_id)
        .where(Customer.reference == bought.customer)
        .order_by(Subscription.id)
    ).one()


def _carry_out(database: Database, settings: Settings, order_id: UUID, at: datetime) -> None:
    """Take an order to its end as of an instant: the worker would do it by today's clock."""
    for minute in range(_MOST_STEPS):
        now = at + timedelta(minutes=minute)
        with database.owner_transaction() as session:
            follow(session, actor=_MACHINE, order_id=order_id, now=now)
            moving = session.scalars(
                select(ProvisioningRequest.id).where(
                    ProvisioningRequest.origin == str(order_id), ProvisioningRequest.state.in_(MOVING)
                )
            ).all()
        if not moving:
            return
        for request_id in moving:
            advance(
                database,
                request_id=request_id,
                connect=partial(connector_for, settings),
                clock=partial(_the_same, now),
            )


def _the_same(at: datetime) -> datetime:
    return at


def _renew(database: Database, at: datetime) -> None:
    with database.owner_transaction() as session:
        renew_due(session, actor=_MACHINE, day=at.date(), now=at)


def _year_before(day: date) -> date:
    """Give a day on which a term of a year begins that ends on a day, or on one of the days before it."""
    return date(day.year - 1, day.month, min(day.day, _IN_EVERY_MONTH))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
