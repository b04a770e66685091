"""Which month a page is about: the one its address names, else the newest there is."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from marketplace.billing.queries.months import ESTIMATE, MonthRow
from marketplace.core.period import Period


@dataclass(frozen=True, kw_only=True)
class MonthChoice:
    """A month, and those beside it that have documents."""

    month: MonthRow | None
    # Next to it in time; None at the ends.
    before: Period | None
    after: Period | None

    @property
    def period(self) -> Period | None:
        """The month itself, None where there is none at all yet."""
        return self.month.period if self.month else None


def chosen_month(months: Sequence[MonthRow]) -> MonthChoice:
    """Read `?period=2024-09`. A month without documents is shown as empty; a text that is no month is refused."""
    text = request.args.get("period", "")
    month: MonthRow | None
    if text:
        period = Period.parse(text)
        empty = MonthRow(period=period, status=ESTIMATE, totals=(), documents=0, waiting=0)
        month = next((row for row in months if row.period == period), empty)
    else:
        month = months[0] if months else None
    if month is None:
        return MonthChoice(month=None, before=None, after=None)
    earlier = [row.period for row in months if row.period < month.period]
    later = [row.period for row in months if row.period > month.period]
    return MonthChoice(month=month, before=max(earlier, default=None), after=min(later, default=None))
