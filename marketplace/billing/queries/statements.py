"""Statements as the wholesaler reads them: by reseller, by customer, by line, with cost and margin beside."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, text
from sqlalchemy.orm import Session, aliased

from catalog.models import FxRate
from marketplace.billing.models import Statement, StatementLine
from marketplace.billing.queries.amounts import Margin, MonthlyRates, Totals, load_rates, margin_of, totals_of
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.models import Customer, PriceRule, Reseller


@dataclass(frozen=True)
class PartyMargin:
    """What a reseller, or one of its customers, was sold in a month, and what is left of it."""

    id: UUID
    reference: str
    name: str
    reseller: str
    customers: int
    lines: int
    gaps: int
    parked: int
    cost: Totals
    wholesale: Totals
    retail: Totals
    # The wholesaler's, in its currency; None where a rate is missing.
    margin: Margin | None
    # The wholesaler's a month before, to compare with.
    margin_before: Margin | None
    # The documents, where the row is one customer's.
    wholesale_id: UUID | None = None
    retail_id: UUID | None = None

    @property
    def percent_change(self) -> Decimal | None:
        """By how many percent the sale moved against the month before; None where there is nothing to compare."""
        if self.margin is None or self.margin_before is None or not self.margin_before.sale.minor:
            return None
        moved = self.margin.sale.minor - self.margin_before.sale.minor
        return (Decimal(moved) * 100 / Decimal(abs(self.margin_before.sale.minor))).quantize(Decimal("0.1"))


@dataclass
class _Sums:
    customers: int = 0
    lines: int = 0
    parked: int = 0
    cost: Totals = ()
    wholesale: Totals = ()
    retail: Totals = ()
    before_cost: Totals = ()
    before_wholesale: Totals = ()


# One row a party and hop; `{party}` is the column to group by. Costs come as a hop of their own.
_BY_PARTY = """
    SELECT party, period, hop, sum(customers), sum(lines), sum(parked),
           jsonb_object_agg(currency, minor) FILTER (WHERE minor IS NOT NULL)
    FROM (
        SELECT {party} AS party, period, hop, currency, count(DISTINCT customer_id) AS customers,
               sum(lines) AS lines, count(*) FILTER (WHERE parked_pair <> '') AS parked,
               sum(total_minor) AS minor
        FROM statement
        WHERE period IN (:before, :period) AND (CAST(:reseller AS bigint) IS NULL OR reseller_id = :reseller)
        GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT {party}, period, 'cost', currency, 0, 0, 0, sum(cost_minor)
        FROM statement_cost
        WHERE period IN (:before, :period) AND (CAST(:reseller AS bigint) IS NULL OR reseller_id = :reseller)
        GROUP BY 1, 2, 4
    ) documents
    GROUP BY party, period, hop
"""
_GAPS = """
    SELECT {party}, count(*) FROM statement_line
    WHERE period = :period AND gap <> '' AND (CAST(:reseller AS bigint) IS NULL OR reseller_id = :reseller)
    GROUP BY 1
"""


def margins_by_reseller(session: Session, period: Period, *, currency: str) -> list[PartyMargin]:
    """Give what every reseller owes for a month and what the wholesaler keeps, the largest first."""
    sums, gaps = _sums(session, period, party="reseller_id", reseller_id=None)
    names = {
        row.id: (row.public_id, row.reference, row.legal_name, "")
        for row in session.execute(
            select(Reseller.id, Reseller.public_id, Reseller.reference, Reseller.legal_name).where(
                Reseller.id.in_(sums)
            )
        )
    }
    rates = load_rates(session, period, period.previous())
    return _largest_first(
        _party_margin(names[party], found, gaps.get(party, 0), rates=rates, period=period, currency=currency)
        for party, found in sums.items()
    )


def margins_by_customer(
    session: Session, period: Period, *, reseller_id: int | None, currency: str
) -> list[PartyMargin]:
    """Give what every customer's documents come to in a month, for one reseller or for all."""
    sums, gaps = _sums(session, period, party="customer_id", reseller_id=reseller_id)
    names = {
        row.id: (row.public_id, row.reference, row.legal_name, row.reseller)
        for row in session.execute(
            select(
                Customer.id,
                Customer.public_id,
                Customer.reference,
                Customer.legal_name,
                Reseller.legal_name.label("reseller"),
            )
            .join(Reseller)
            .where(Customer.id.in_(sums))
        )
    }
    documents: dict[tuple[int, str], UUID] = {
        (customer_id, hop): id_
        for customer_id, hop, id_ in session.execute(
            select(Statement.customer_id, Statement.hop, Statement.id).where(
                Statement.period == period.number, Statement.customer_id.in_(sums)
            )
        )
    }
    rates = load_rates(session, period, period.previous())
    return _largest_first(
        _party_margin(
            names[party],
            found,
            gaps.get(party, 0),
            rates=rates,
            period=period,
            currency=currency,
            documents=(documents.get((party, "wholesale")), documents.get((party, "retail"))),
        )
        for party, found in sums.items()
    )


def _sums(
    session: Session, period: Period, *, party: str, reseller_id: int | None
) -> tuple[dict[int, _Sums], dict[int, int]]:
    values = {"period": period.number, "before": period.previous().number, "reseller": reseller_id}
    sums: dict[int, _Sums] = defaultdict(_Sums)
    rows = session.execute(text(_BY_PARTY.format(party=party)), values)
    for one, month, hop, customers, lines, parked, minors in rows:
        found, totals = sums[one], totals_of(minors)
        if month != period.number:
            if hop == "cost":
                found.before_cost = totals
            elif hop == "wholesale":
                found.before_wholesale = totals
            continue
        setattr(found, hop, totals)
        found.lines += int(lines)
        found.parked += int(parked)
        found.customers = max(found.customers, int(customers))
    gaps: dict[int, int] = {
        one: int(count) for one, count in session.execute(text(_GAPS.format(party=party)), values)
    }
    return {one: found for one, found in sums.items() if found.lines or found.parked or found.cost}, gaps


def _party_margin(
    names: tuple[UUID, str, str, str],
    sums: _Sums,
    gaps: int,
    *,
    rates: dict[Period, MonthlyRates],
    period: Period,
    currency: str,
    documents: tuple[UUID | None, UUID | None] = (None, None),
) -> PartyMargin:
    before = None
    if sums.before_wholesale or sums.before_cost:
        before = margin_of(
            sums.before_wholesale, sums.before_cost, rates=rates[period.previous()], currency=currency
        )
    return PartyMargin(
        *names,
        customers=sums.customers,
        lines=sums.lines,
        gaps=gaps,
        parked=sums.parked,
        cost=sums.cost,
        wholesale=sums.wholesale,
        retail=sums.retail,
        margin=margin_of(sums.wholesale, sums.cost, rates=rates[period], currency=currency),
        margin_before=before,
        wholesale_id=documents[0],
        retail_id=documents[1],
    )


def _largest_first(rows: Iterable[PartyMargin]) -> list[PartyMargin]:
    return sorted(rows, key=lambda row: (-row.margin.sale.minor if row.margin else 0, row.name.casefold()))


@dataclass(frozen=True)
class StatementPage:
    """One document: who owes whom what for which month."""

    id: UUID
    period: Period
    period_status: str
    hop: str
    reseller_id: UUID
    reseller: str
    reseller_reference: str
    customer_id: UUID
    customer: str
    customer_reference: str
    currency: str
    total: Money | None
    exact_total: Decimal
    lines: int
    parked_pair: str
    cost: Totals
    sibling_id: UUID | None
    sibling_total: Money | None


def find_statement(session: Session, *, statement_id: UUID) -> StatementPage | None:
    """Give a document with its parties, None where there is none."""
    sibling = aliased(Statement)
    found = session.execute(
        select(Statement, Reseller, Customer, sibling.id, sibling.total_minor, sibling.currency)
        .join(Reseller, Reseller.id == Statement.reseller_id)
        .join(Customer, Customer.id == Statement.customer_id)
        .outerjoin(
            sibling,
            and_(
                sibling.period == Statement.period,
                sibling.customer_id == Statement.customer_id,
                sibling.reseller_id == Statement.reseller_id,
                sibling.hop != Statement.hop,
            ),
        )
        .where(Statement.id == statement_id)
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    statement, reseller, customer, sibling_id, sibling_minor, sibling_currency = found
    wholesale_id = statement.id if statement.hop == "wholesale" else sibling_id
    status, cost = session.execute(text(_COST), {"period": statement.period, "statement": wholesale_id}).one()
    total = None if statement.total_minor is None else Money(statement.total_minor, statement.currency)
    return StatementPage(
        id=statement.id,
        period=Period.from_number(statement.period),
        period_status=status or "open",
        hop=statement.hop,
        reseller_id=reseller.public_id,
        reseller=reseller.legal_name,
        reseller_reference=reseller.reference,
        customer_id=customer.public_id,
        customer=customer.legal_name,
        customer_reference=customer.reference,
        currency=statement.currency,
        total=total,
        exact_total=statement.exact_total,
        lines=statement.lines,
        parked_pair=statement.parked_pair,
        cost=totals_of(cost),
        sibling_id=sibling_id,
        sibling_total=None if sibling_minor is None else Money(sibling_minor, sibling_currency),
    )


_COST = """
    SELECT (SELECT status FROM billing_period WHERE period = :period),
           (SELECT jsonb_object_agg(currency, minor) FROM (
                SELECT currency, sum(cost_minor) AS minor FROM statement_cost
                WHERE statement_id = :statement GROUP BY currency) costs)
"""


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


def rated_periods(session: Session) -> list[tuple[Period, str]]:
    """Give the months that have statements with their status, newest first."""
    rows = session.execute(
        text("SELECT period, status FROM billing_period WHERE status <> 'open' ORDER BY period DESC")
    )
    return [(Period.from_number(number), status) for number, status in rows]


@dataclass(frozen=True)
class PartyMonth:
    """What a reseller's or a customer's documents of a month come to, on both hops."""

    period: Period
    status: str
    cost: Totals
    wholesale: Totals
    retail: Totals


_MONTHS_OF_PARTY = """
    SELECT f.period, b.status, f.hop, jsonb_object_agg(f.currency, f.minor) FROM (
        SELECT period, hop, currency, sum(total_minor) AS minor FROM statement
        WHERE total_minor IS NOT NULL AND {party} = :party GROUP BY 1, 2, 3
        UNION ALL
        SELECT period, 'cost', currency, sum(cost_minor) FROM statement_cost WHERE {party} = :party GROUP BY 1, 3
    ) f JOIN billing_period b ON b.period = f.period
    GROUP BY 1, 2, 3 ORDER BY f.period DESC
"""


def months_of_reseller(session: Session, reseller_id: int, *, most: int) -> list[PartyMonth]:
    """Give a reseller's latest months, the newest first."""
    return _months_of(session, "reseller_id", reseller_id)[:most]


def months_of_customer(session: Session, customer_id: int, *, most: int) -> list[PartyMonth]:
    """Give a customer's latest months, the newest first."""
    return _months_of(session, "customer_id", customer_id)[:most]


def _months_of(session: Session, column: str, party: int) -> list[PartyMonth]:
    found: dict[tuple[int, str], dict[str, Totals]] = {}
    for number, status, hop, minors in session.execute(
        text(_MONTHS_OF_PARTY.format(party=column)), {"party": party}
    ):
        found.setdefault((number, status), {})[hop] = totals_of(minors)
    return [
        PartyMonth(
            period=Period.from_number(number),
            status=status,
            cost=hops.get("cost", ()),
            wholesale=hops.get("wholesale", ()),
            retail=hops.get("retail", ()),
        )
        for (number, status), hops in found.items()
    ]
