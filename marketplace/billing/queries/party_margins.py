"""What each reseller, and each customer, was sold in a month, and what is left of it for the wholesaler."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.billing.models import Statement
from marketplace.billing.queries.amounts import Margin, MonthlyRates, Totals, load_rates, margin_of, totals_of
from marketplace.core.period import Period
from resellers.models import Customer, Reseller


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
