"""Statements as the wholesaler reads them: one with its parties, and the months of a firm."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, select, text
from sqlalchemy.orm import Session, aliased

from marketplace.billing.models import Statement
from marketplace.billing.queries.amounts import Totals, totals_of
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.models import Customer, Reseller


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
