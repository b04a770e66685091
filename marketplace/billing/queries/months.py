"""The months of a buyer: what they came to, and whether they are final."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.orm import Session

from marketplace.billing.models import BillingPeriod, PeriodStatus, Statement
from marketplace.billing.queries.amounts import Totals
from marketplace.billing.queries.visible import statements_visible_to
from marketplace.core.actor import Actor
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.models import Hop

#: What buyers are told of a period: its documents stand, or they may still change.
FINAL = "closed"
ESTIMATE = "estimate"


@dataclass(frozen=True, kw_only=True)
class MonthRow:
    """One month of one hop."""

    period: Period
    status: str
    totals: Totals
    documents: int
    # Documents without a total, because an exchange rate is missing.
    waiting: int

    @property
    def is_final(self) -> bool:
        """Whether the documents stand for good."""
        return self.status == FINAL


def word_for(status: str) -> str:
    """Give the word buyers read: everything before the close is an estimate to them."""
    return FINAL if status == PeriodStatus.CLOSED else ESTIMATE


def months(session: Session, *, actor: Actor, hop: Hop, most: int | None = None) -> list[MonthRow]:
    """List the months that have documents of a hop, the newest first."""
    statement = (
        statements_visible_to(actor)
        .join(BillingPeriod, BillingPeriod.period == Statement.period)
        .where(Statement.hop == hop.value)
        .with_only_columns(
            Statement.period,
            BillingPeriod.status,
            Statement.currency,
            func.sum(Statement.total_minor),
            func.count(),
            func.count().filter(Statement.parked_pair != ""),
        )
        .group_by(Statement.period, BillingPeriod.status, Statement.currency)
        .order_by(Statement.period.desc(), Statement.currency)
    )
    found: dict[tuple[int, str], list[tuple[str, int | None, int, int]]] = defaultdict(list)
    for number, status, currency, minor, documents, waiting in session.execute(statement):
        found[number, status].append((currency, minor, documents, waiting))
    rows = [
        MonthRow(
            period=Period.from_number(number),
            status=word_for(status),
            totals=tuple(Money(int(minor), currency) for currency, minor, _, _ in parts if minor is not None),
            documents=sum(documents for _, _, documents, _ in parts),
            waiting=sum(waiting for _, _, _, waiting in parts),
        )
        for (number, status), parts in found.items()
    ]
    return rows[:most]


def running(rows: Sequence[MonthRow]) -> MonthRow | None:
    """Give the month that still changes: the newest that is not closed."""
    return next((row for row in rows if not row.is_final), None)
