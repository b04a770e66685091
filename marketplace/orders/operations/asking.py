"""Having an order carried out: the vendors are asked, once for each thing, after the transaction commits."""

from collections import defaultdict
from datetime import date, datetime
from uuid import uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Plan, Promotion
from catalog.words import BillingCycle, Term
from marketplace import jobs
from marketplace.core.actor import Actor
from marketplace.core.errors import N_, Phrase
from marketplace.orders.models import Order, OrderLine
from marketplace.orders.operations.history import note
from marketplace.orders.operations.pricing import lines_of, ordered_change
from marketplace.orders.rules.change_data import change_words
from marketplace.orders.words import OrderKind
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    ConvertTrial,
    RenewAsItIs,
    Resume,
    SetTermEnd,
    Suspend,
    Upgrade,
)
from marketplace.subscriptions.words import When
from marketplace.vendors import values
from marketplace.vendors.provisioning.operations import ask
from marketplace.vendors.provisioning.partner_checks import buys
from marketplace.vendors.provisioning.requests import (
    Asked,
    NewRequest,
    SubscriptionChange,
    SubscriptionUpgrade,
)
from resellers.queries.accounts import account_at
from resellers.queries.standing import selling_state

#: The job that vendors' requests tell of every turn.
FOLLOW = "orders.follow"
_NO_PROMOTION = ("", "")
_CHANGED = N_("%(product)s: %(change)s")
_CHECKED_FIRST = N_("Before anything is bought, %(vendor)s is asked again about the partner id %(id)s.")
_CHECKED_ASIDE = N_(
    "%(vendor)s is asked again about the partner id %(id)s. Whatever it says, this goes on: it buys nothing."
)


def stop(session: Session, order: Order) -> None:
    """Have no vendor asked any more for anything in an order that was withdrawn."""
    jobs.defer(session, FOLLOW, request_id="", origin=str(order.public_id))


def begin(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """Ask the vendors for everything in an order. Asked again, it asks for nothing twice."""
    lines = lines_of(session, [order])
    if order.kind == OrderKind.PURCHASE:
        _ask_for_purchases(session, order, lines, actor=actor, now=now)
    else:
        for line in lines:
            _ask_for_change(session, order, line, actor=actor, now=now)
    session.flush()  # what follows looks at the requests


def _ask_for_purchases(
    session: Session, order: Order, lines: list[OrderLine], *, actor: Actor, now: datetime
) -> None:
    """Ask each vendor once, for all of its lines together."""
    by_vendor: dict[str, list[OrderLine]] = defaultdict(list)
    for line in lines:
        by_vendor[line.vendor].append(line)
    segments = {
        plan.id: plan.segment
        for plan in session.scalars(select(Plan).where(Plan.id.in_({line.plan_id for line in lines})))
    }
    promotions: dict[int | None, tuple[str, str]] = {
        one.id: (one.reference, one.title)
        for one in session.scalars(
            select(Promotion).where(Promotion.id.in_({line.promotion_id for line in lines}))
        )
    }
    for vendor, of_vendor in by_vendor.items():
        # Blank where the mapping has ended since: staff then do it by hand.
        account = account_at(session, customer_id=order.customer_id, vendor=vendor, day=now.date()) or ""
        partner_id = _partner_of(session, order, vendor, buys=True, now=now)
        purchase = values.Purchase(
            account,
            tuple(
                values.OrderLine(
                    number=line.number,
                    product=line.sku.rpartition(":")[0],
                    sku=line.sku.rpartition(":")[2],
                    term=Term(line.term),
                    billing_cycle=BillingCycle(line.billing_cycle),
                    quantity=line.quantity,
                    segment=segments[line.plan_id],
                    partner_id=partner_id,
                    friendly_name=line.product,
                    ends_on=line.custom_end,
                    promotion=promotions.get(line.promotion_id, _NO_PROMOTION)[0],
                    promotion_title=promotions.get(line.promotion_id, _NO_PROMOTION)[1],
                )
                for line in of_vendor
            ),
        )
        about = Phrase.verbatim(", ".join(f"{line.quantity} × {line.product}" for line in of_vendor))
        _ask(session, order, vendor, account, purchase, about=about, name=vendor, buys=True, actor=actor)


def _partner_of(session: Session, order: Order, vendor: str, *, buys: bool, now: datetime) -> str:
    """Give the partner on record, and write down where the vendor is asked about it before anything is done."""
    selling = selling_state(session, order.reseller_id, vendor, now=now)
    if selling.needs_check:
        words = Phrase.of(_CHECKED_FIRST if buys else _CHECKED_ASIDE, vendor=vendor, id=selling.partner_id)
        note(session, order, actor=Actor.system(), now=now, words=words)
    return selling.partner_id


def _ask_for_change(session: Session, order: Order, line: OrderLine, *, actor: Actor, now: datetime) -> None:
    subscription = session.get_one(Subscription, line.subscription_id)
    name = subscription.vendor_subscription_id
    change = ordered_change(session, line)
    asked: Asked
    if isinstance(change, Upgrade | ConvertTrial) and not _waits_for_renewal(line):
        into = _target(session, change)
        makes_another = isinstance(change, Upgrade) and not into and change.quantity < subscription.quantity
        asked = SubscriptionUpgrade(name, _upgrade(line, change.quantity, into), makes_another=makes_another)
    else:
        asked = SubscriptionChange(name, _asked_change(subscription, line, change))
    is_more = buys(asked, seats=subscription.quantity)
    _partner_of(session, order, subscription.vendor, buys=is_more, now=now)
    _ask(
        session,
        order,
        subscription.vendor,
        subscription.vendor_account,
        asked,
        about=Phrase.of(
            _CHANGED,
            product=subscription.friendly_name or line.product,
            change=change_words(line.change or {}),
        ),
        name=str(line.public_id),
        buys=is_more,
        actor=actor,
    )


def _waits_for_renewal(line: OrderLine) -> bool:
    return (line.change or {}).get("when") == When.AT_RENEWAL


def _asked_change(subscription: Subscription, line: OrderLine, change: Change) -> values.Change:
    """Say a change in the vendor's terms."""
    match change:
        case SetTermEnd(choice):
            return values.Change(at_term_end=values.TermEnd(choice.value))
        case Cancel() if _waits_for_renewal(line):
            return values.Change(at_term_end=values.TermEnd.END)
        case Cancel():
            return values.Change(is_cancelled=True)
        case Suspend() | Resume():
            return values.Change(is_suspended=isinstance(change, Suspend))
        case RenewAsItIs():
            return values.Change(drops_next_term=True)
        case ChangeQuantity(quantity) if not _waits_for_renewal(line):
            return values.Change(quantity=quantity)
        case ChangeTerm() | ChangeBilling() if not _waits_for_renewal(line):
            return values.Change(plan=values.OtherPlan(Term(line.term), BillingCycle(line.billing_cycle)))
        case _:
            quantity = getattr(change, "quantity", None) or subscription.quantity
            return values.Change(next_term=_next_term(line, quantity, getattr(change, "custom_end", None)))


def _next_term(line: OrderLine, quantity: int, ends_on: date | None) -> values.NextTerm:
    product, _, sku = line.sku.rpartition(":")
    term, cycle = Term(line.term), BillingCycle(line.billing_cycle)
    return values.NextTerm(product, sku, term, cycle, quantity, ends_on)


def _target(session: Session, change: Upgrade | ConvertTrial) -> str:
    """Give the vendor's id of the subscription that is to take the seats; blank where none is named."""
    if isinstance(change, ConvertTrial) or change.into_id is None:
        return ""
    return session.scalars(
        select(Subscription.vendor_subscription_id).where(Subscription.public_id == change.into_id)
    ).one()


def _upgrade(line: OrderLine, quantity: int, into: str) -> values.Upgrade:
    product, _, sku = line.sku.rpartition(":")
    return values.Upgrade(product, sku, quantity, Term(line.term), BillingCycle(line.billing_cycle), into)


def _ask(
    session: Session,
    order: Order,
    vendor: str,
    account: str,
    asked: Asked,
    *,
    about: Phrase,
    name: str,
    buys: bool,
    actor: Actor,
) -> None:
    ask(
        session,
        actor=actor,
        request=NewRequest(
            key=uuid5(order.public_id, name),
            vendor=vendor,
            account=account,
            reseller_id=order.reseller_id,
            customer_id=order.customer_id,
            asked=asked,
            about=about,
            buys=buys,
            told_job=FOLLOW,
            origin=str(order.public_id),
        ),
    )
