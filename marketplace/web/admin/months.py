"""The month a wholesaler's page is about: the one its address names, else the newest that was rated."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask import request
from sqlalchemy.orm import Session

from marketplace.billing.queries.party_margins import PartyMargin
from marketplace.billing.queries.statements import rated_periods
from marketplace.core.clock import utc_now
from marketplace.core.period import Period


@dataclass(frozen=True, kw_only=True)
class RatedMonth:
    """A month, its status, and those beside it that have statements. As `month_switch` draws it."""

    period: Period | None
    status: str
    before: Period | None
    after: Period | None

    @property
    def month(self) -> "RatedMonth":
        """The month itself, which has a status."""
        return self


def is_over(month: Period) -> bool:
    """Whether a month has ended. One that has not is compared with none: it would always be less."""
    return month.end <= utc_now().date()


def comparable(rows: Iterable[PartyMargin], month: Period) -> list[PartyMargin]:
    """Give the rows of a month, compared with the month before only where the month is over."""
    return list(rows) if is_over(month) else [replace(row, margin_before=None) for row in rows]


def chosen_rated_month(session: Session) -> RatedMonth:
    """Read `?period=2024-09`; without it, the newest month with statements. A text that is no month is answered 404."""
    rated = rated_periods(session)
    text = request.args.get("period", "")
    period = Period.parse(text) if text else (rated[0][0] if rated else None)
    if period is None:
        return RatedMonth(period=None, status="open", before=None, after=None)
    return RatedMonth(
        period=period,
        status=dict(rated).get(period, "open"),
        before=max((one for one, _ in rated if one < period), default=None),
        after=min((one for one, _ in rated if one > period), default=None),
    )
