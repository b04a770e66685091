"""The month a wholesaler's page is about: the one its address names, else the newest that was rated."""

from dataclasses import dataclass

from flask import request
from sqlalchemy.orm import Session

from marketplace.billing.queries.statements import rated_periods
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
