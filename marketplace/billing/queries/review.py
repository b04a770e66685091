"""What the review of a period has to look at before it is approved."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.queries.amounts import Totals, added, totals_of
from marketplace.core.money import Money
from marketplace.core.period import Period

# A change from one month to the next that a reviewer should look at: a quarter, and not of pennies.
OUTLIER_PERCENT = 25
OUTLIER_LEAST_UNITS = 10
MOST_SHOWN = 12


@dataclass(frozen=True)
class GapRow:
    """Lines of one kind that were priced at cost because no rule said otherwise."""

    hop: str
    reason: str
    vendor: str
    product: str
    lines: int
    amount: Totals


@dataclass(frozen=True)
class LossRow:
    """Wholesale lines of a customer's product that sell below their cost."""

    customer_id: UUID
    customer: str
    reseller: str
    vendor: str
    product: str
    lines: int
    sale: Money
    loss: Money


@dataclass(frozen=True)
class OutlierRow:
    """A customer whose wholesale statement moved far against last month."""

    customer_id: UUID
    customer: str
    reseller: str
    before: Money
    now: Money

    @property
    def change(self) -> Money:
        """By how much."""
        return self.now - self.before

    @property
    def percent(self) -> Decimal | None:
        """By how much of last month, in percent; None for somebody new."""
        if not self.before.minor:
            return None
        return (Decimal(self.change.minor) * 100 / Decimal(abs(self.before.minor))).quantize(Decimal(1))


@dataclass(frozen=True)
class ParkedRow:
    """A document that waits for an exchange rate."""

    statement_id: UUID
    hop: str
    reseller: str
    customer: str
    currency: str
    source: str
    month: Period
    cost: Totals


@dataclass(frozen=True)
class SurpriseRow:
    """A currency that a party or a vendor did not have last month."""

    kind: str
    name: str
    currency: str
    before: str


@dataclass(frozen=True)
class CorrectionRow:
    """What this month bills for a closed one."""

    period: Period
    hop: str
    lines: int
    amount: Totals


@dataclass(frozen=True)
class ReviewPage:
    """Everything a reviewer looks at before approving."""

    gaps: Sequence[GapRow]
    losses: Sequence[LossRow]
    outliers: Sequence[OutlierRow]
    parked: Sequence[ParkedRow]
    surprises: Sequence[SurpriseRow]
    corrections: Sequence[CorrectionRow]


def load_review(session: Session, period: Period, *, is_over: bool) -> ReviewPage:
    """Read what the review shows, one query for each part. A month that is not over moved far by being short."""
    values: dict[str, Any] = {
        "period": period.number,
        "before": period.previous().number,
        "most": MOST_SHOWN,
        "percent": OUTLIER_PERCENT,
        "least": OUTLIER_LEAST_UNITS,
    }
    return ReviewPage(
        gaps=[_gap_row(row) for row in session.execute(text(_GAPS), values)],
        losses=[_loss_row(row) for row in session.execute(text(_LOSSES), values)],
        outliers=[_outlier_row(row) for row in session.execute(text(_OUTLIERS), values)] if is_over else [],
        parked=[_parked_row(row) for row in session.execute(text(_PARKED), values)],
        surprises=[SurpriseRow(*row) for row in session.execute(text(_SURPRISES), values)],
        corrections=[
            CorrectionRow(Period.from_number(corrects), hop, int(lines), totals_of(amount))
            for corrects, hop, lines, amount in session.execute(text(_CORRECTIONS), values)
        ],
    )


def _gap_row(found: Any) -> GapRow:
    hop, reason, vendor, product, lines, amount = found
    return GapRow(hop, reason, vendor, product, int(lines), totals_of(amount))


def _loss_row(found: Any) -> LossRow:
    customer_id, customer, reseller, vendor, product, lines, sale, loss, currency = found
    sold, lost = Money(int(sale), currency), Money.rounded(loss, currency)
    return LossRow(customer_id, customer, reseller, vendor, product, lines, sold, lost)


def _outlier_row(found: Any) -> OutlierRow:
    customer_id, customer, reseller, before, now, currency = found
    return OutlierRow(
        customer_id, customer, reseller, Money(int(before), currency), Money(int(now), currency)
    )


def _parked_row(found: Any) -> ParkedRow:
    statement_id, hop, reseller, customer, currency, pair, cost = found
    currencies, _, month = pair.partition(" ")
    source, _, target = currencies.partition(">")
    amounts = added(Money.rounded(Decimal(value), code) for code, value in (cost or {}).items())
    return ParkedRow(
        statement_id=statement_id,
        hop=hop,
        reseller=reseller,
        customer=customer,
        currency=target or currency,
        source=source,
        month=Period.parse(month),
        cost=amounts,
    )


_GAPS = """
    SELECT hop, gap, vendor, product, sum(lines), jsonb_object_agg(currency, minor) FROM (
        SELECT hop, gap, vendor, product, currency, count(*) AS lines, sum(amount_minor) AS minor
        FROM statement_line WHERE period = :period AND gap <> '' GROUP BY 1, 2, 3, 4, 5
    ) found GROUP BY 1, 2, 3, 4 ORDER BY sum(lines) DESC, 1, 2, 3, 4 LIMIT :most
"""
_LOSSES = """
    SELECT c.public_id, c.legal_name, r.legal_name, l.vendor, l.product, count(*),
           sum(l.amount_minor), sum(l.exact_amount - l.cost * coalesce(f.rate, 1)), l.currency
    FROM statement_line l
    JOIN customer c ON c.id = l.customer_id JOIN reseller r ON r.id = l.reseller_id
    LEFT JOIN fx_rate f ON f.month = coalesce(l.corrects, l.period) AND f.from_currency = l.row_currency
        AND f.to_currency = l.currency
    WHERE l.period = :period AND l.hop = 'wholesale' AND l.corrects IS NULL
      AND (l.row_currency = l.currency OR f.rate IS NOT NULL)
      AND l.exact_amount < l.cost * coalesce(f.rate, 1)
    GROUP BY 1, 2, 3, 4, 5, l.currency
    HAVING sum(l.exact_amount - l.cost * coalesce(f.rate, 1)) < 0
    ORDER BY 8, 2, 5 LIMIT :most
"""
_OUTLIERS = """
    SELECT c.public_id, c.legal_name, r.legal_name, t.before, t.now, t.currency FROM (
        SELECT customer_id, currency,
               coalesce(sum(total_minor) FILTER (WHERE period = :before), 0) AS before,
               coalesce(sum(total_minor) FILTER (WHERE period = :period), 0) AS now
        FROM statement
        WHERE period IN (:before, :period) AND hop = 'wholesale' AND total_minor IS NOT NULL
          AND EXISTS (SELECT FROM billing_period WHERE period = :before AND status <> 'open')
        GROUP BY customer_id, currency
    ) t
    JOIN customer c ON c.id = t.customer_id JOIN reseller r ON r.id = c.reseller_id
    WHERE abs(t.now - t.before) * 100 >= abs(t.before) * :percent AND abs(t.now - t.before) >= :least * 100
    ORDER BY abs(t.now - t.before) DESC, c.id LIMIT :most
"""
_PARKED = """
    SELECT s.id, s.hop, r.legal_name, c.legal_name, s.currency, s.parked_pair, s.parked_cost
    FROM statement s JOIN reseller r ON r.id = s.reseller_id JOIN customer c ON c.id = s.customer_id
    WHERE s.period = :period AND s.parked_pair <> ''
    ORDER BY s.parked_pair, r.legal_name, c.legal_name, s.hop LIMIT 100
"""
_SURPRISES = """
    WITH documents AS (
        SELECT DISTINCT period, hop, currency,
               CASE WHEN hop = 'wholesale' THEN reseller_id ELSE customer_id END AS party
        FROM statement WHERE period IN (:before, :period)
    ),
    vendors AS (
        SELECT DISTINCT period, vendor, currency FROM period_balance
        WHERE period IN (:before, :period) AND corrects IS NULL
    )
    SELECT d.hop, CASE WHEN d.hop = 'wholesale' THEN r.legal_name ELSE c.legal_name END, d.currency,
           (SELECT string_agg(o.currency, ', ' ORDER BY o.currency) FROM documents o
            WHERE o.period = :before AND o.hop = d.hop AND o.party = d.party)
    FROM documents d
    LEFT JOIN reseller r ON d.hop = 'wholesale' AND r.id = d.party
    LEFT JOIN customer c ON d.hop = 'retail' AND c.id = d.party
    WHERE d.period = :period
      AND EXISTS (SELECT FROM documents o WHERE o.period = :before AND o.hop = d.hop AND o.party = d.party)
      AND NOT EXISTS (SELECT FROM documents o WHERE o.period = :before AND o.hop = d.hop AND o.party = d.party
                      AND o.currency = d.currency)
    UNION ALL
    SELECT 'vendor', v.vendor, v.currency,
           (SELECT string_agg(o.currency, ', ' ORDER BY o.currency) FROM vendors o
            WHERE o.period = :before AND o.vendor = v.vendor)
    FROM vendors v
    WHERE v.period = :period
      AND EXISTS (SELECT FROM vendors o WHERE o.period = :before AND o.vendor = v.vendor)
      AND NOT EXISTS (SELECT FROM vendors o WHERE o.period = :before AND o.vendor = v.vendor
                      AND o.currency = v.currency)
    ORDER BY 1, 2, 3 LIMIT 50
"""
_CORRECTIONS = """
    SELECT corrects, hop, sum(lines), jsonb_object_agg(currency, minor) FROM (
        SELECT corrects, hop, currency, count(*) AS lines, sum(amount_minor) AS minor
        FROM statement_line WHERE period = :period AND corrects IS NOT NULL GROUP BY 1, 2, 3
    ) found GROUP BY 1, 2 ORDER BY 1, 2 DESC
"""
