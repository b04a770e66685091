"""A reseller's customers with what each was sold, what was paid for it, and what is left."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select, text
from sqlalchemy.orm import Session

from marketplace.billing.models import Statement
from marketplace.billing.queries.amounts import (
    Margin,
    MonthlyRates,
    Totals,
    added,
    load_rates,
    margin_of,
    totals_of,
)
from marketplace.billing.queries.visible import customers_visible_to, statements_visible_to
from marketplace.core.actor import Actor, Permission
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.models import Customer, Hop, Reseller


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
    """A customer with its month. Purchase and margin are None for whoever may not see them."""

    id: UUID
    number: int
    reference: str
    name: str
    country: str
    currency: str
    sale: Totals
    purchase: Totals | None
    margin: Margin | None
    # Why there is no margin though there are amounts: an exchange rate is missing.
    is_waiting: bool

    @property
    def sold(self) -> Money | None:
        """The sale in the customer's own currency."""
        return self.sale[0] if self.sale else None

    @property
    def margin_amount(self) -> Money | None:
        """The margin, in the reseller's currency."""
        return self.margin.amount if self.margin else None

    @property
    def margin_percent(self) -> Decimal | None:
        """The margin as a share of the sale."""
        return self.margin.percent if self.margin else None


@dataclass(frozen=True, kw_only=True)
class MarginMonth:
    """A reseller's month: sold, bought, left. No margin where a rate is missing."""

    period: Period
    sale: Totals
    purchase: Totals
    margin: Margin | None


def customers_with_margin(session: Session, *, actor: Actor, period: Period | None) -> list[CustomerRow]:
    """List all customers of a reseller with a month's figures, by name."""
    may = actor.may(Permission.RESELLER_MARGINS_VIEW)
    amounts = _totals(session, actor, period) if period else {}
    rates = load_rates(session, period)[period] if period and may else None
    currency = _currency(session, actor)
    rows = []
    for customer in session.scalars(customers_visible_to(actor).order_by(Customer.legal_name, Customer.id)):
        sale, sale_waits = amounts.get((customer.id, Hop.RETAIL.value), ((), False))
        purchase, purchase_waits = amounts.get((customer.id, Hop.WHOLESALE.value), ((), False))
        has_amounts = bool(sale or purchase)
        is_waiting = sale_waits or purchase_waits
        margin = None
        if rates and has_amounts and not is_waiting:
            margin = margin_of(sale, purchase, rates=rates, currency=currency)
        rows.append(
            CustomerRow(
                id=customer.public_id,
                number=customer.id,
                reference=customer.reference,
                name=customer.legal_name,
                country=customer.country,
                currency=customer.currency,
                sale=sale,
                purchase=purchase if may else None,
                margin=margin,
                is_waiting=is_waiting or bool(rates and has_amounts and margin is None),
            )
        )
    return rows


def margin_by_month(
    session: Session, *, actor: Actor, customer: int | None = None, most: int = 12
) -> list[MarginMonth]:
    """Give the last months of a reseller, or of one of its customers, the newest first.

    A customer whose month waits for a rate is left out of the margin, as it is on the page of customers: what is
    bought without knowing what it is sold for is no loss.
    """
    found = _by_month(session, actor, customer)
    periods = sorted(found, reverse=True)[:most]
    currency = _currency(session, actor)
    may = actor.may(Permission.RESELLER_MARGINS_VIEW)
    rates = load_rates(session, *periods) if periods and may else {}
    return [_month(period, found[period], rates=rates.get(period), currency=currency) for period in periods]


_OfCustomer = dict[str, tuple[Totals, bool]]


def _by_month(session: Session, actor: Actor, customer: int | None) -> dict[Period, dict[int, _OfCustomer]]:
    """Add documents up by month, customer and hop: (totals, whether one waits for a rate)."""
    statement = statements_visible_to(actor)
    if customer is not None:
        statement = statement.where(Statement.customer_id == customer)
    months: dict[Period, dict[int, _OfCustomer]] = defaultdict(lambda: defaultdict(dict))
    for (number, customer_id, hop), totals in _summed(session, statement).items():
        months[Period.from_number(number)][customer_id][hop] = totals
    return months


def _month(
    period: Period, customers: dict[int, _OfCustomer], *, rates: MonthlyRates | None, currency: str
) -> MarginMonth:
    sale = added(money for of in customers.values() for money in of.get(Hop.RETAIL.value, ((), False))[0])
    purchase = added(
        money for of in customers.values() for money in of.get(Hop.WHOLESALE.value, ((), False))[0]
    )
    if rates is None:
        return MarginMonth(period=period, sale=sale, purchase=(), margin=None)
    margins = [_margin(of, rates, currency) for of in customers.values()]
    known = [margin for margin in margins if margin]
    nothing = Money.zero(currency)
    total = Margin(sum((one.sale for one in known), nothing), sum((one.purchase for one in known), nothing))
    return MarginMonth(period=period, sale=sale, purchase=purchase, margin=total if known else None)


def _margin(hops: _OfCustomer, rates: MonthlyRates, currency: str) -> Margin | None:
    """Give a customer's margin; None while one of its documents, or a rate, is missing."""
    sale, sale_waits = hops.get(Hop.RETAIL.value, ((), False))
    purchase, purchase_waits = hops.get(Hop.WHOLESALE.value, ((), False))
    if sale_waits or purchase_waits or not (sale or purchase):
        return None
    return margin_of(sale, purchase, rates=rates, currency=currency)


@dataclass(frozen=True, kw_only=True)
class RuleFigures:
    """What a retail rule sold in a month, and what is left of it, in the reseller's currency."""

    sale: Totals
    margin: Margin | None


def figures_by_rule(session: Session, *, actor: Actor, period: Period) -> dict[int, RuleFigures]:
    """Give what each retail rule sold in a month, and the margin on it, by the rule's number.

    A sale that starts from the purchase knows it; of others, the purchase of the same rows is found beside them and
    shared by quantity where several rules sold parts of it.
    """
    if not actor.may(Permission.RESELLER_MARGINS_VIEW):
        return {}
    rates = load_rates(session, period)[period]
    currency = _currency(session, actor)
    sold: dict[int, dict[str, int]] = defaultdict(dict)
    bought: dict[int, Decimal | None] = {}
    for rule_id, in_currency, minor, purchase in session.execute(
        text(_BY_RULE), {"period": period.number, "reseller": actor.reseller_id}
    ):
        sold[rule_id][in_currency] = int(minor)
        before = bought.get(rule_id, Decimal(0))
        bought[rule_id] = None if purchase is None or before is None else before + purchase
    figures = {}
    for rule_id, minors in sold.items():
        sale, purchase = totals_of(minors), bought[rule_id]
        worth = rates.worth(sale, currency)
        margin = None
        if worth is not None and purchase is not None:
            margin = Margin(worth, Money.rounded(purchase, currency))
        figures[rule_id] = RuleFigures(sale=sale, margin=margin)
    return figures


_BY_RULE = """
    SELECT r.rule_id, r.currency, sum(r.amount_minor),
           CASE WHEN bool_or(r.basis <> 'cost' AND w.id IS NULL) THEN NULL
                ELSE sum(CASE WHEN r.basis = 'cost' THEN r.basis_amount
                              WHEN w.quantity = 0 THEN w.exact_amount
                              ELSE w.exact_amount * r.quantity / w.quantity END) END
    FROM statement_line r
    LEFT JOIN statement_line w ON w.period = r.period AND w.hop = 'wholesale' AND w.customer_id = r.customer_id
        AND w.reseller_id = r.reseller_id AND w.corrects IS NULL AND r.basis <> 'cost'
        AND w.rule_id IS NOT DISTINCT FROM r.upper_rule_id AND w.basis = r.upper_basis
        AND w.row_currency = r.row_currency AND w.vendor = r.vendor AND w.account = r.account
        AND w.subscription = r.subscription AND w.product = r.product AND w.sku = r.sku AND w.meter = r.meter
        AND w.unit = r.unit AND w.charge_category = r.charge_category AND w.charge_type = r.charge_type
    WHERE r.period = :period AND r.hop = 'retail' AND r.reseller_id = :reseller AND r.rule_id IS NOT NULL
        AND r.corrects IS NULL
    GROUP BY r.rule_id, r.currency
"""


def purchases_by_customer(
    session: Session, *, actor: Actor, period: Period
) -> dict[int, tuple[Totals, bool]]:
    """Give what a reseller paid for each customer in a month: (totals, whether one waits for a rate)."""
    found = _totals(session, actor, period)
    return {number: totals for (number, hop), totals in found.items() if hop == Hop.WHOLESALE.value}


def find_customer(session: Session, *, actor: Actor, customer_id: UUID) -> Customer | None:
    """Give one customer, None where there is none or it is somebody else's."""
    return session.scalars(customers_visible_to(actor).where(Customer.public_id == customer_id)).one_or_none()


def customers_called(session: Session, *, actor: Actor, text: str, most: int) -> Sequence[Customer]:
    """Find customers by a few letters of name or reference."""
    letters = "".join(letter for letter in text if letter not in "\\%_")
    pattern = f"%{letters}%"
    return session.scalars(
        customers_visible_to(actor)
        .where(or_(Customer.legal_name.ilike(pattern), Customer.reference.ilike(pattern)))
        .order_by(Customer.legal_name, Customer.id)
        .limit(most)
    ).all()


def _totals(session: Session, actor: Actor, period: Period) -> dict[tuple[int, str], tuple[Totals, bool]]:
    """Add a month's documents up by customer and hop: (totals, whether one waits for a rate)."""
    statement = statements_visible_to(actor).where(Statement.period == period.number)
    return {key[1:]: totals for key, totals in _summed(session, statement).items()}


def _summed(
    session: Session, statement: Select[*tuple[Any, ...]]
) -> dict[tuple[int, int, str], tuple[Totals, bool]]:
    """Add documents up by period, customer and hop."""
    minors: dict[tuple[int, int, str], dict[str, int]] = defaultdict(dict)
    waits: dict[tuple[int, int, str], bool] = defaultdict(bool)
    for number, customer_id, hop, currency, minor, parked_pair in session.execute(
        statement.with_only_columns(
            Statement.period,
            Statement.customer_id,
            Statement.hop,
            Statement.currency,
            Statement.total_minor,
            Statement.parked_pair,
        )
    ):
        key = (number, customer_id, hop)
        waits[key] |= bool(parked_pair)
        if minor is not None:
            minors[key][currency] = minors[key].get(currency, 0) + int(minor)
    return {key: (totals_of(minors.get(key)), waits[key]) for key in {*minors, *waits}}


def _currency(session: Session, actor: Actor) -> str:
    """Give the reseller's own currency, in which its margins are told."""
    return session.scalar(select(Reseller.currency).where(Reseller.id == actor.reseller_id)) or "EUR"
