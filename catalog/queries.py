"""What screens ask about the catalogue."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from catalog.models import FxRate
from marketplace.core.period import Period


@dataclass(frozen=True, slots=True)
class FxRow:
    """A rate of the list: one unit of `source` is `rate` of `target` in the month."""

    month: Period
    source: str
    target: str
    rate: Decimal

    @classmethod
    def of(cls, rate: FxRate) -> "FxRow":
        """Make it from the table's row."""
        return cls(Period.from_number(rate.month), rate.from_currency, rate.to_currency, rate.rate)


def fx_rates() -> Select[FxRate]:
    """Give the statement of all rates, newest month first. Rates are no secret of anybody."""
    return select(FxRate).order_by(FxRate.month.desc(), FxRate.from_currency, FxRate.to_currency)


def fx_rate(session: Session, *, period: Period, source: str, target: str) -> Decimal | None:
    """Give the rate of a month, 1 for the same currency, None where nobody has set one. Never inverted or crossed."""
    if source == target:
        return Decimal(1)
    conditions: list[Any] = [
        FxRate.month == period.number,
        FxRate.from_currency == source,
        FxRate.to_currency == target,
    ]
    return session.scalar(select(FxRate.rate).where(*conditions))
