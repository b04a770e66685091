"""What an order costs at every hop: worked out while it is put together, kept once it is ordered."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.models import Plan
from catalog.queries.promotions import promoted_by
from marketplace.core.actor import Actor
from marketplace.core.money import Money
from marketplace.orders.models import Order, OrderLine, OrderPrice
from marketplace.orders.rules.change_data import from_data
from marketplace.orders.rules.seen import ShownLine
from marketplace.orders.words import PriceHop
from marketplace.subscriptions.prices import HopPrice, PlanPrices, Wanted, buyers, prices_of
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.rules.changes import Change
from marketplace.subscriptions.rules.history import Quoted, midnight


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with its prices; None where its plan has none that day."""

    line: OrderLine
    prices: PlanPrices | None


def lines_of(session: Session, orders: Iterable[Order]) -> list[OrderLine]:
    """Give the lines of orders, in their order."""
    return list(
        session.scalars(
            select(OrderLine)
            .where(OrderLine.order_id.in_({order.id for order in orders}))
            .order_by(OrderLine.order_id, OrderLine.number)
        )
    )


def starts_at(order: Order, now: datetime) -> datetime:
    """Give when what is ordered begins: now, or with the day it is for."""
    if order.starts_on is not None and order.starts_on > now.date():
        return midnight(order.starts_on)
    return now


def price_lines(
    session: Session, order: Order, lines: Sequence[OrderLine], *, now: datetime
) -> list[PricedLine]:
    """Price the lines of an order for the day it is for."""
    buyer = buyers(session, customer_ids=[order.customer_id])[order.customer_id]
    before = _ordered_before(session, lines)
    start = starts_at(order, now)
    wanted = {
        line.id: Wanted(buyer, line.plan_id, line.quantity, _end(line, start), before[line.id])
        for line in lines
    }
    prices = prices_of(session, list(wanted.values()), now=start)
    return [PricedLine(line, prices.get(wanted[line.id])) for line in lines]


def _end(line: OrderLine, start: datetime) -> date | None:
    """Give the end that was chosen. One that has come meanwhile has no price; the line says so when it is ordered."""
    return line.custom_end if line.custom_end and line.custom_end > start.date() else None


def _ordered_before(session: Session, lines: Sequence[OrderLine]) -> dict[int, int]:
    """Give how many units of its SKU the lines before each one order: a promotion counts them together."""
    plans = session.scalars(select(Plan).where(Plan.id.in_({line.plan_id for line in lines})))
    skus = {plan.id: plan.sku_id for plan in plans}
    seen: Counter[int] = Counter()
    before = {}
    for line in lines:
        before[line.id] = seen[skus[line.plan_id]]
        seen[skus[line.plan_id]] += line.quantity
    return before


def shown_to(actor: Actor, priced: Iterable[PricedLine]) -> dict[UUID, ShownLine]:
    """Give what an actor is shown of a priced order, to be compared with what they order."""
    shown: dict[UUID, ShownLine] = {}
    for one in priced:
        if one.prices is None:
            shown[one.line.public_id] = ShownLine(one.line.quantity, None, None)
            continue
        seen = one.prices.seen_by(actor)
        shown[one.line.public_id] = ShownLine(
            one.line.quantity,
            seen.wholesale.charge if seen.wholesale else None,
            seen.retail.charge if seen.retail else None,
        )
    return shown


def kept_quote(session: Session, line: OrderLine) -> Quoted:
    """Give what an ordered line is sold as, at the price of the moment of ordering."""
    offer = offers_of(session, [line.plan_id])[line.plan_id]
    cost = session.get_one(OrderPrice, (line.id, PriceHop.VENDOR.value))
    unit = cost.unit if cost.unit_term is None else cost.unit_term
    return Quoted(offer, unit, line.unit_list, cost.currency, promoted_by(session, line.promotion_id))


def ordered_change(session: Session, line: OrderLine) -> Change:
    """Give the change a line asks for."""
    return from_data(line.change or {}, kept_quote(session, line))


def keep_prices(session: Session, priced: Iterable[PricedLine]) -> None:
    """Keep what lines cost at every hop, and what they were sold as, in place of what was kept before."""
    priced = list(priced)
    session.execute(delete(OrderPrice).where(OrderPrice.line_id.in_({one.line.id for one in priced})))
    for one in priced:
        if one.prices is None:
            continue
        line, prices, offer = one.line, one.prices, one.prices.quoted.offer
        line.vendor, line.product, line.sku, line.unit = offer.vendor, offer.product, offer.sku, offer.unit
        line.term, line.billing_cycle = offer.term.value, offer.billing_cycle.value
        line.unit_list, line.list_currency = prices.quoted.unit_listed, prices.quoted.currency
        line.promotion_id = prices.quoted.promotion.id if prices.quoted.promotion else None
        line.term_end, line.charges = prices.term_end, prices.charges
        for hop, price in (
            (PriceHop.VENDOR, prices.vendor),
            (PriceHop.WHOLESALE, prices.wholesale),
            (PriceHop.RETAIL, prices.retail),
        ):
            if price is not None:
                unit_term = prices.quoted.unit_cost if hop is PriceHop.VENDOR else None
                session.add(_row(line, hop, price, unit_term=unit_term))
    session.flush()


def _row(line: OrderLine, hop: PriceHop, price: HopPrice, **facts: object) -> OrderPrice:
    return OrderPrice(
        line_id=line.id,
        hop=hop.value,
        currency=price.charge.currency,
        unit=price.unit,
        charge_minor=price.charge.minor,
        commitment_minor=price.commitment.minor,
        **facts,
    )


def commitments(session: Session, order_ids: Iterable[int]) -> Mapping[int, Mapping[PriceHop, Money]]:
    """Give what the first terms of ordered lines come to at each hop, by order."""
    found: dict[int, dict[PriceHop, Money]] = {}
    rows = session.execute(
        select(OrderLine.order_id, OrderPrice.hop, OrderPrice.currency, OrderPrice.commitment_minor)
        .join(OrderPrice, OrderPrice.line_id == OrderLine.id)
        .where(OrderLine.order_id.in_(set(order_ids)))
    )
    for order_id, hop, currency, minor in rows:
        of_order = found.setdefault(order_id, {})
        amount = Money(minor, currency)
        key = PriceHop(hop)
        of_order[key] = of_order[key] + amount if key in of_order else amount
    return found
