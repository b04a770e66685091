"""What a change of terms would do to documents and to the wholesaler's totals, before it is saved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.billing.closing import workshop
from marketplace.billing.previews import preview
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.web.session import database, wiring
from resellers.models import Customer, Reseller

_LATEST_PERIODS = 2
_MOST_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class DocumentChange:
    """What one customer's document of one hop and month would become. None: it waits for an exchange rate."""

    customer: str
    reseller: str
    hop: str
    period: Period
    before: Money | None
    after: Money | None
    difference: Money | None


@dataclass(frozen=True, kw_only=True)
class TermsEffect:
    """What would change in the latest months."""

    changes: Sequence[DocumentChange]
    # All documents that change; `changes` holds the first of them.
    documents: int
    customers: int
    # Differences by hop and currency.
    differences: Sequence[tuple[str, Money]]
    # Closed months among them: there the difference would be billed with the next open month.
    closed: Sequence[Period]
    first_day: date | None


def effect_of(
    session: Session, change: Callable[[Session], object], *, first_day: date | None = None
) -> TermsEffect:
    """Try a change and compare everybody's documents of the latest months. Nothing is kept."""
    found = preview(
        database(),
        change,
        workshop=workshop(wiring().settings),
        first_day=first_day,
        most_periods=_LATEST_PERIODS,
    )
    shown = sorted(
        found.customers,
        key=lambda one: (
            -one.period.number,
            -abs(one.difference.minor) if one.difference else 0,
            one.customer_id,
        ),
    )[:_MOST_SHOWN]
    names = {
        number: (name, reseller)
        for number, name, reseller in session.execute(
            select(Customer.id, Customer.legal_name, Reseller.legal_name)
            .join(Reseller)
            .where(Customer.id.in_({one.customer_id for one in shown}))
        )
    }
    periods = {one.period for one in found.customers}
    return TermsEffect(
        changes=[
            DocumentChange(
                customer=names.get(one.customer_id, ("", ""))[0],
                reseller=names.get(one.customer_id, ("", ""))[1],
                hop=one.hop,
                period=one.period,
                before=one.before,
                after=one.after,
                difference=one.difference,
            )
            for one in shown
        ],
        documents=len(found.customers),
        customers=len({one.customer_id for one in found.customers}),
        differences=[(hop, amount) for (hop, _), amount in found.differences.items()],
        closed=[period for period in found.closed_periods if period in periods],
        first_day=first_day,
    )
