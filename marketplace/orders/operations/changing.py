"""Ordering a change of a subscription: it is checked, approved and carried out as a purchase is."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.money import Money
from marketplace.core.permit import require
from marketplace.core.rounding import EXACT
from marketplace.orders.models import Order, OrderLine, OrderPrice
from marketplace.orders.operations.cart import check_buying
from marketplace.orders.operations.placing import send
from marketplace.orders.queries.visible import PLACES
from marketplace.orders.rules.change_data import as_data, kind_of
from marketplace.orders.rules.states import ON_ITS_WAY
from marketplace.orders.words import PriceHop
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.changing import ChangeNotPossible
from marketplace.subscriptions.previews import COST, RETAIL, WHOLESALE, PricedPreview, price_change
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.rules.changes import Change, Upgrade
from marketplace.subscriptions.words import DecidedBy
from resellers.models import Customer

_HOPS = {PriceHop.VENDOR: COST, PriceHop.WHOLESALE: WHOLESALE, PriceHop.RETAIL: RETAIL}
_FORGOTTEN = N_("The catalogue does not know its plan any more: import the price list it is in.")
_NO_RATE = N_("The exchange rate %(pair)s of this month is missing: ask the wholesaler.")


class AnotherChangeWaits(Refusal):
    """One change at a time: the second would be decided on what the first makes of it."""

    sentence = N_("%(order)s changes this subscription already: wait until it is carried out, or cancel it.")


class ChangedSince(Refusal):
    """What was agreed to is not what it would be now."""

    sentence = N_("What it comes to has changed since you looked. Nothing was ordered: look at it again.")


def order_change(
    session: Session,
    *,
    actor: Actor,
    subscription_id: UUID,
    change: Change,
    key: UUID,
    now: datetime,
    po_number: str = "",
    seen: str | None = None,
    is_answer: bool = False,
    decided_by: DecidedBy = DecidedBy.NOBODY,
) -> Order:
    """Order a change of a subscription. The same key again gives the order it made.

    `seen` is the mark of the preview that was agreed to. A customer that answers for a renewal need not be one that
    buys for itself. `decided_by` names what decided, where it is not whoever orders. The session must be the owner's.
    Raises `NotFound`, `ChangeNotPossible` with the rule's reason, `AnotherChangeWaits`, `ChangedSince`.
    """
    require(actor, PLACES[actor.audience])
    subscription: Subscription | None = session.scalar(
        visible_to(actor)
        .where(Subscription.public_id == subscription_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if subscription is None:
        raise NotFound
    known = _known(session, subscription, key)
    if known is not None:
        return known
    customer = session.get_one(Customer, subscription.customer_id)
    if not is_answer:
        check_buying(session, actor=actor, customer=customer)
    _check_alone(session, subscription.public_id)
    if isinstance(change, Upgrade) and change.into_id is not None:
        _check_same_account(session, subscription, change.into_id)
        _check_alone(session, change.into_id)
    offers = offers_of(session, [subscription.plan_id])
    if subscription.plan_id not in offers:
        raise ChangeNotPossible(why=Phrase.of(_FORGOTTEN))
    standing = standings(session, [subscription], offers=offers)[subscription.id]
    priced = price_change(session, subscription, standing, change, now=now)
    decision = priced.preview.decision
    if not decision.is_possible:
        raise ChangeNotPossible(why=decision.why)
    if priced.missing_rate:
        raise ChangeNotPossible(why=Phrase.of(_NO_RATE, pair=priced.missing_rate))
    if seen is not None and seen != priced.seen_by(actor).mark:
        raise ChangedSince
    order = Order(
        public_id=key,
        kind=kind_of(change).value,
        customer_id=customer.id,
        reseller_id=customer.reseller_id,
        audience=actor.audience.value,
        is_apart=True,
        po_number=po_number.strip(),
        created_by=actor.name,
    )
    session.add(order)
    session.flush()  # its line needs its id
    line = _line(order, subscription, priced, change)
    if decided_by:
        line.change = {**(line.change or {}), "decided_by": decided_by.value}
    session.add(line)
    session.flush()  # its prices need its id
    session.add_all(_price(line, hop, priced) for hop in PriceHop)
    return send(session, order, actor=actor, now=now)


def known_order(session: Session, *, actor: Actor, subscription_id: UUID, key: UUID) -> Order | None:
    """Give the order a key has made for a subscription the actor may see; None where it made none."""
    subscription = session.scalar(visible_to(actor).where(Subscription.public_id == subscription_id))
    if subscription is None:
        raise NotFound
    return _known(session, subscription, key)


def _known(session: Session, subscription: Subscription, key: UUID) -> Order | None:
    """Give the order a key has made for a subscription. A key of something else is nobody's business."""
    found = session.execute(
        select(Order, OrderLine.subscription_id)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.public_id == key)
    ).first()
    if found is None:
        return None
    order, subscription_id = found
    if subscription_id != subscription.id:
        raise NotFound
    return order


def _check_same_account(session: Session, subscription: Subscription, into_id: UUID) -> None:
    """Raise `NotFound` unless seats stay with the customer, in its account."""
    into = session.scalar(select(Subscription).where(Subscription.public_id == into_id))
    if into is None or (into.customer_id, into.vendor_account) != (
        subscription.customer_id,
        subscription.vendor_account,
    ):
        raise NotFound


def _check_alone(session: Session, subscription_id: UUID) -> None:
    """Raise where an order on its way changes a subscription, or moves seats into it."""
    other = session.scalar(
        select(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Subscription, Subscription.id == OrderLine.subscription_id)
        .where(
            or_(
                Subscription.public_id == subscription_id,
                OrderLine.change["into"].astext == str(subscription_id),
            ),
            Order.state.in_(ON_ITS_WAY),
        )
        .limit(1)
    )
    if other is not None:
        raise AnotherChangeWaits(order=other.name)


def _line(order: Order, subscription: Subscription, priced: PricedPreview, change: Change) -> OrderLine:
    quoted = priced.quoted
    quantity: int | None = getattr(change, "quantity", None)
    return OrderLine(
        order_id=order.id,
        number=1,
        plan_id=quoted.offer.plan_id,
        quantity=subscription.quantity if quantity is None else quantity,
        subscription_id=subscription.id,
        change={**as_data(change), "when": priced.preview.decision.when.value},
        vendor=subscription.vendor,
        product=quoted.offer.product,
        sku=quoted.offer.sku,
        unit=quoted.offer.unit,
        term=quoted.offer.term.value,
        billing_cycle=quoted.offer.billing_cycle.value,
        unit_list=quoted.unit_listed,
        list_currency=quoted.currency,
        promotion_id=quoted.promotion.id if quoted.promotion else None,
        term_end=subscription.term_end,
    )


def _price(line: OrderLine, hop: PriceHop, priced: PricedPreview) -> OrderPrice:
    """Say what a unit costs at a hop, and by how much the change adds to what is committed already."""
    amounts = priced.hops[_HOPS[hop]]
    charge = Money.rounded(EXACT.multiply(amounts.unit, Decimal(line.quantity)), amounts.now.currency)
    return OrderPrice(
        line_id=line.id,
        hop=hop.value,
        currency=charge.currency,
        unit=amounts.unit,
        charge_minor=charge.minor,
        commitment_minor=amounts.added.minor,
        unit_term=priced.quoted.unit_cost if hop is PriceHop.VENDOR else None,
    )
