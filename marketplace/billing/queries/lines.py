"""Lines as the wholesaler reads them, with what the vendor charged for them beside."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, text
from sqlalchemy.orm import Session

from catalog.models import FxRate
from marketplace.billing.models import StatementLine
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.models import Customer, PriceRule, Reseller


@dataclass(frozen=True)
class LineRow:
    """A line of a statement as lists show it."""

    id: UUID
    statement_id: UUID
    period: Period
    corrects: Period | None
    hop: str
    reseller: str
    customer: str
    vendor: str
    account: str
    subscription: str
    product: str
    sku: str
    meter: str
    charge_category: str
    first_day: date
    last_day: date
    quantity: Decimal
    unit: str
    basis: str
    percent: Decimal | None
    unit_price: Decimal | None
    gap: str
    amount: Money
    # What the vendor charged for the rows, exact.
    cost: Decimal
    row_currency: str
    source_rows: int
    # What is left above the vendor's cost, in the line's currency at the month's rate; None without a rate.
    margin: Decimal | None
    rule_id: UUID | None


# A line's cost in its own currency; NULL where the month has no rate.
COST_IN_LINE_CURRENCY: ColumnElement[Any] = StatementLine.cost * case(
    (StatementLine.row_currency == StatementLine.currency, literal(1)), else_=FxRate.rate
)
LINE_MARGIN: ColumnElement[Any] = StatementLine.exact_amount - COST_IN_LINE_CURRENCY


def list_lines(period: Period) -> Select[*tuple[Any, ...]]:
    """Select `line_row`'s columns of a month's lines."""
    return (
        select(StatementLine, Reseller.legal_name, Customer.legal_name, PriceRule.public_id, LINE_MARGIN)
        .join(Reseller, Reseller.id == StatementLine.reseller_id)
        .join(Customer, Customer.id == StatementLine.customer_id)
        .outerjoin(PriceRule, PriceRule.id == StatementLine.rule_id)
        .outerjoin(
            FxRate,
            and_(
                FxRate.month == func.coalesce(StatementLine.corrects, StatementLine.period),
                FxRate.from_currency == StatementLine.row_currency,
                FxRate.to_currency == StatementLine.currency,
            ),
        )
        .where(StatementLine.period == period.number)
    )


def is_below_cost() -> ColumnElement[bool]:
    """Select lines that sell for less than their cost."""
    return and_(LINE_MARGIN < 0, StatementLine.corrects.is_(None))


def line_row(found: Any) -> LineRow:
    """Make the row of a list from what `list_lines` gives."""
    line, reseller, customer, rule_id, margin = found
    return LineRow(
        id=line.id,
        statement_id=line.statement_id,
        period=Period.from_number(line.period),
        corrects=Period.from_number(line.corrects) if line.corrects else None,
        hop=line.hop,
        reseller=reseller,
        customer=customer,
        vendor=line.vendor,
        account=line.account,
        subscription=line.subscription,
        product=line.product,
        sku=line.sku,
        meter=line.meter,
        charge_category=line.charge_category,
        first_day=line.charge_from,
        last_day=line.charge_until,
        quantity=line.quantity,
        unit=line.unit,
        basis=line.basis,
        percent=line.percent,
        unit_price=line.unit_price,
        gap=line.gap,
        amount=Money(line.amount_minor, line.currency),
        cost=line.cost,
        row_currency=line.row_currency,
        source_rows=line.source_rows,
        margin=margin,
        rule_id=rule_id,
    )


def vendors_of(session: Session, period: Period) -> list[str]:
    """Give the vendors a month has statements for."""
    return list(session.scalars(text(_VENDORS), {"period": period.number}))


_VENDORS = "SELECT DISTINCT vendor FROM statement_cost WHERE period = :period ORDER BY vendor"
