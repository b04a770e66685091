"""Ordering a change of a subscription: it is checked, approved and carried out as a purchase is."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.money import Money
from marketplace.core.permit import require
from marketplace.core.rounding import EXACT
from marketplace.orders.models import Order, OrderLine, OrderPrice
from marketplace.orders.operations.cart import check_buying
from marketplace.orders.operations.placing import send
from marketplace.orders.queries.visible import PLACES
from marketplace.orders.rules.change_data import Orderable, as_data, kind_of
from marketplace.orders.rules.states import ON_ITS_WAY
from marketplace.orders.words import PriceHop
from marketplace.rating.hops import Basis, exact_amount
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.changing import ChangeNotPossible
from marketplace.subscriptions.prices import basis_of, buyers, price_terms
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.rules.changes import ChangeAtRenewal, ChangeQuantity
from marketplace.subscriptions.rules.decisions import Decision
from marketplace.subscriptions.rules.history import Standing
from marketplace.subscriptions.rules.preview import Preview, preview
from marketplace.subscriptions.words import When
from resellers.models import Customer

_NOTHING = Basis(Decimal(0), Decimal(0), Decimal(0))


class AnotherChangeWaits(Refusal):
    """One change at a time: the second would be decided on what the first makes of it."""

    sentence = N_("%(order)s changes this subscription already: wait until it is carried out, or cancel it.")


def order_change(
    session: Session,
    *,
    actor: Actor,
    subscription_id: UUID,
    change: Orderable,
    key: UUID,
    now: datetime,
    po_number: str = "",
) -> Order:
    """Order a change of a subscription. The same key again gives the order it made.

    Raises `NotFound`, `ChangeNotPossible` with the rule's reason, `AnotherChangeWaits`.
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
    known = session.scalar(select(Order).where(Order.public_id == key))
    if known is not None:
        return known
    customer = session.get_one(Customer, subscription.customer_id)
    check_buying(session, actor=actor, customer=customer)
    _check_alone(session, subscription)
    offers = offers_of(session, [subscription.plan_id])
    standing = standings(session, [subscription], offers=offers)[subscription.id]
    seen = preview(change, standing, now)
    if not seen.decision.is_possible:
        raise ChangeNotPossible(why=seen.decision.why)
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
    line = _line(order, subscription, standing, change, seen.decision)
    session.add(line)
    session.flush()  # its prices need its id
    session.add_all(_prices(session, subscription, standing, line, seen))
    return send(session, order, actor=actor, now=now)


def _check_alone(session: Session, subscription: Subscription) -> None:
    other = session.scalar(
        select(Order)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(OrderLine.subscription_id == subscription.id, Order.state.in_(ON_ITS_WAY))
        .limit(1)
    )
    if other is not None:
        raise AnotherChangeWaits(order=other.name)


def _line(
    order: Order, subscription: Subscription, standing: Standing, change: Orderable, decision: Decision
) -> OrderLine:
    offer, quoted = standing.offer, standing.now.quoted
    quantity = change.quantity if isinstance(change, ChangeQuantity | ChangeAtRenewal) else None
    return OrderLine(
        order_id=order.id,
        number=1,
        plan_id=subscription.plan_id,
        quantity=subscription.quantity if quantity is None else quantity,
        subscription_id=subscription.id,
        change={**as_data(change), "when": decision.when.value},
        vendor=subscription.vendor,
        product=offer.product,
        sku=offer.sku,
        unit=offer.unit,
        term=offer.term.value,
        billing_cycle=offer.billing_cycle.value,
        unit_list=quoted.unit_listed,
        list_currency=quoted.currency,
        term_end=subscription.term_end,
    )


def _prices(
    session: Session, subscription: Subscription, standing: Standing, line: OrderLine, seen: Preview
) -> list[OrderPrice]:
    """Say at every hop what a unit costs, and by how much the change adds to what is committed already."""
    buyer = buyers(session, customer_ids=[subscription.customer_id])[subscription.customer_id]
    quoted = standing.now.quoted
    terms = price_terms(session, [buyer], day=standing.now.term_start)
    formulas = terms.formulas(buyer, quoted, subscription=subscription.statement_id)
    whole = next(iter(standing.charges()), None)
    unit = Basis(whole.unit_cost, whole.unit_listed, Decimal(1)) if whole else _NOTHING
    added = _less(basis_of(seen.until_end), basis_of(seen.without))
    if seen.decision.when is not When.NOW:
        added = _NOTHING
    rows = [_row(line, PriceHop.VENDOR, unit.cost, added.cost, quoted.currency)]
    for hop, formula, currency in (
        (PriceHop.WHOLESALE, formulas.wholesale, buyer.chain.reseller_currency),
        (PriceHop.RETAIL, formulas.retail, buyer.chain.customer_currency),
    ):
        rows.append(_row(line, hop, exact_amount(formula, unit), exact_amount(formula, added), currency))
    rows[0].unit_term = quoted.unit_cost
    return rows


def _less(after: Basis, before: Basis) -> Basis:
    listed = None
    if after.listed is not None and before.listed is not None:
        listed = EXACT.subtract(after.listed, before.listed)
    return Basis(
        EXACT.subtract(after.cost, before.cost),
        listed,
        EXACT.subtract(after.quantity, before.quantity),
    )


def _row(line: OrderLine, hop: PriceHop, unit: Decimal, added: Decimal, currency: str) -> OrderPrice:
    charge = Money.rounded(EXACT.multiply(unit, Decimal(line.quantity)), currency)
    return OrderPrice(
        line_id=line.id,
        hop=hop.value,
        currency=currency,
        unit=unit,
        charge_minor=charge.minor,
        commitment_minor=Money.rounded(added, currency).minor,
    )
