"""Periods: the list, and where one stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.close_lock import IS_HELD
from marketplace.billing.queries.amounts import (
    Margin,
    MonthlyRates,
    Totals,
    load_rates,
    margin_of,
    totals_of,
)
from marketplace.billing.run_progress import share_of
from marketplace.core.errors import Phrase
from marketplace.core.period import Period


@dataclass(frozen=True)
class PeriodRow:
    """A month, how far it is and what it comes to."""

    period: Period
    status: str
    deliveries: int
    lines: int
    cost: Totals
    wholesale: Totals
    retail: Totals
    unmapped: Totals
    parked: int
    gaps: int
    run_status: str
    closed_at: datetime | None
    margin: Margin | None
    rates: MonthlyRates

    @property
    def is_rated(self) -> bool:
        """Whether there are statements, drafts or final."""
        return self.status != "open"

    def missing_rates(self, currency: str) -> list[str]:
        """Name the exchange rates without which there is no margin in a currency."""
        amounts = {one.currency for one in (*self.cost, *self.wholesale)}
        return [f"{code} → {currency}" for code in sorted(amounts) if self.rates.rate(code, currency) is None]


_PERIODS = """
    WITH known AS (
        SELECT period FROM delivery_slice WHERE is_current
        UNION SELECT period FROM billing_period
        UNION SELECT period FROM close_run
    ),
    documents AS (
        SELECT period, hop, currency, sum(total_minor) AS minor, sum(lines) AS lines,
               count(*) FILTER (WHERE parked_pair <> '') AS parked
        FROM statement GROUP BY period, hop, currency
    ),
    hops AS (
        SELECT period, hop, jsonb_object_agg(currency, minor) FILTER (WHERE minor IS NOT NULL) AS totals,
               sum(lines) AS lines, sum(parked) AS parked
        FROM documents GROUP BY period, hop
    ),
    balances AS (
        SELECT period, currency, sum(cost_minor) AS cost,
               coalesce(sum(unmapped_minor) FILTER (WHERE corrects IS NULL), 0) AS unmapped
        FROM period_balance GROUP BY period, currency
    ),
    costs AS (
        SELECT period, jsonb_object_agg(currency, cost) AS cost,
               jsonb_object_agg(currency, unmapped) FILTER (WHERE unmapped <> 0) AS unmapped
        FROM balances GROUP BY period
    )
    SELECT k.period, coalesce(b.status, 'open'),
           (SELECT count(DISTINCT s.delivery_id) FROM delivery_slice s
            WHERE s.is_current AND s.period = k.period),
           coalesce(w.lines, 0) + coalesce(r.lines, 0), c.cost, w.totals, r.totals, c.unmapped,
           coalesce(w.parked, 0) + coalesce(r.parked, 0),
           coalesce((run.summary #>> '{rule_gaps,wholesale}')::bigint, 0)
             + coalesce((run.summary #>> '{rule_gaps,retail}')::bigint, 0),
           coalesce((SELECT l.status FROM close_run l WHERE l.period = k.period
                     ORDER BY l.id DESC LIMIT 1), ''),
           b.closed_at
    FROM known k
    LEFT JOIN billing_period b ON b.period = k.period
    LEFT JOIN close_run run ON run.id = b.run_id
    LEFT JOIN costs c ON c.period = k.period
    LEFT JOIN hops w ON w.period = k.period AND w.hop = 'wholesale'
    LEFT JOIN hops r ON r.period = k.period AND r.hop = 'retail'
    WHERE CAST(:only AS bigint) IS NULL OR k.period = :only
    ORDER BY k.period DESC
"""


def list_periods(session: Session, *, currency: str, only: Period | None = None) -> list[PeriodRow]:
    """Give every month that has usage or was rated, newest first, margins in the wholesaler's currency."""
    found = session.execute(text(_PERIODS), {"only": only.number if only else None}).all()
    periods = [Period.from_number(row[0]) for row in found]
    rates = load_rates(session, *periods) if periods else {}
    return [
        _period_row(row, rates=rates[period], currency=currency)
        for row, period in zip(found, periods, strict=True)
    ]


def _period_row(found: Any, *, rates: MonthlyRates, currency: str) -> PeriodRow:
    _, status, deliveries, lines, cost, wholesale, retail, unmapped, parked, gaps, *latest = found
    run_status, closed_at = latest
    bought, sold = totals_of(cost), totals_of(wholesale)
    return PeriodRow(
        period=rates.period,
        status=status,
        deliveries=deliveries,
        lines=int(lines),
        cost=bought,
        wholesale=sold,
        retail=totals_of(retail),
        unmapped=totals_of(unmapped),
        parked=int(parked),
        gaps=gaps,
        run_status=run_status,
        closed_at=closed_at,
        margin=margin_of(sold, bought, rates=rates, currency=currency) if sold or bought else None,
        rates=rates,
    )


@dataclass(frozen=True)
class RunRow:
    """A run of the close and how far it is."""

    id: UUID
    period: Period
    status: str
    stage: str
    done: int
    total: int
    error: Phrase | None
    cancel_requested: bool
    started_by: str
    created_at: datetime
    ended_at: datetime | None
    summary: Mapping[str, Any]
    changes: Mapping[str, Any]

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status in {"queued", "running"}

    @property
    def percent(self) -> int:
        """How far the whole run is, in percent: each stage has its share of the time runs take."""
        if self.status == "done":
            return 100
        return int(share_of(self.stage, self.done, self.total))


@dataclass(frozen=True)
class PeriodPage:
    """Where a month stands: who did what, the run whose draft stands, and the latest run."""

    period: Period
    status: str
    rated_at: datetime | None
    rated_by: str
    rated_by_id: int | None
    reviewed_at: datetime | None
    reviewed_by: str
    closed_at: datetime | None
    closed_by: str
    draft: RunRow | None
    latest: RunRow | None
    deliveries: int
    rejected: int
    reading: int
    earlier_open: Period | None
    four_eyes: bool


#: How long a run may take from its first word to holding the lock.
_STARTING = "10 seconds"
# A run that says it is at work while nobody holds the lock was killed: the page must not wait for it.
_RUN = f"""
    jsonb_build_object('id', {{0}}.public_id, 'period', {{0}}.period, 'status',
        CASE WHEN {{0}}.status = 'running' AND {{0}}.started_at < now() - interval '{_STARTING}' AND NOT {IS_HELD}
             THEN 'failed' ELSE {{0}}.status END, 'stage', {{0}}.stage,
        'done', {{0}}.done, 'total', {{0}}.total, 'error', {{0}}.error, 'cancel_requested', {{0}}.cancel_requested,
        'started_by', {{0}}.started_by, 'created_at', {{0}}.created_at, 'ended_at', {{0}}.ended_at,
        'summary', {{0}}.summary, 'changes', {{0}}.changes)
"""
_PERIOD = f"""
    SELECT coalesce(b.status, 'open'), b.rated_at, coalesce(b.rated_by, ''), b.rated_by_id, b.reviewed_at,
           coalesce(b.reviewed_by, ''), b.closed_at, coalesce(b.closed_by, ''),
           CASE WHEN draft.id IS NOT NULL THEN {_RUN.format("draft")} END,
           CASE WHEN latest.id IS NOT NULL THEN {_RUN.format("latest")} END,
           d.deliveries, d.rejected,
           (SELECT count(*) FROM delivery WHERE status IN ('queued', 'reading')),
           (SELECT min(k.period) FROM (
                SELECT period FROM delivery_slice WHERE is_current UNION SELECT period FROM billing_period) k
            WHERE k.period < q.period
              AND k.period NOT IN (SELECT period FROM billing_period WHERE status = 'closed')),
           (SELECT four_eyes FROM wholesaler WHERE id = 1)
    FROM (SELECT CAST(:period AS bigint) AS period) q
    LEFT JOIN billing_period b ON b.period = q.period
    LEFT JOIN close_run draft ON draft.id = b.run_id
    LEFT JOIN LATERAL (SELECT * FROM close_run l WHERE l.period = q.period ORDER BY l.id DESC LIMIT 1) latest
        ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS deliveries, coalesce(sum(rejected), 0) AS rejected FROM delivery WHERE id IN (
            SELECT s.delivery_id FROM delivery_slice s WHERE s.is_current AND s.period = q.period)
    ) d
"""


def find_period(session: Session, period: Period) -> PeriodPage:
    """Tell where a month stands. A month nobody touched is open and empty."""
    found = session.execute(text(_PERIOD), {"period": period.number}).one()
    status, rated_at, rated_by, rated_by_id, reviewed_at, reviewed_by, closed_at, closed_by, *rest = found
    draft, latest, deliveries, rejected, reading, earlier, four_eyes = rest
    return PeriodPage(
        period=period,
        status=status,
        rated_at=rated_at,
        rated_by=rated_by,
        rated_by_id=rated_by_id,
        reviewed_at=reviewed_at,
        reviewed_by=reviewed_by,
        closed_at=closed_at,
        closed_by=closed_by,
        draft=_run_row(draft),
        latest=_run_row(latest),
        deliveries=deliveries,
        rejected=int(rejected),
        reading=reading,
        earlier_open=None if earlier is None else Period.from_number(earlier),
        four_eyes=bool(four_eyes),
    )


def _run_row(found: dict[str, Any] | None) -> RunRow | None:
    if found is None:
        return None
    ended = found["ended_at"]
    return RunRow(
        id=UUID(found["id"]),
        period=Period.from_number(found["period"]),
        status=found["status"],
        stage=found["stage"],
        done=found["done"],
        total=found["total"],
        error=found["error"] and Phrase.from_data(found["error"]),
        cancel_requested=found["cancel_requested"],
        started_by=found["started_by"],
        created_at=datetime.fromisoformat(found["created_at"]),
        ended_at=datetime.fromisoformat(ended) if ended else None,
        summary=found["summary"],
        changes=found["changes"],
    )
