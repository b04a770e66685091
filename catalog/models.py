"""Tables of the catalogue."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base


class FxRate(Base):
    """The rate of a month from one currency to another. Never inverted, never crossed."""

    __tablename__ = "fx_rate"
    __table_args__ = (
        UniqueConstraint("month", "from_currency", "to_currency"),
        CheckConstraint("rate > 0", name="rate_is_positive"),
        CheckConstraint("from_currency <> to_currency", name="currencies_differ"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # The billing period the rate is for, as 202409.
    month: Mapped[int]
    from_currency: Mapped[str] = mapped_column(String(3))
    to_currency: Mapped[str] = mapped_column(String(3))
    # One unit of `from_currency` is this many of `to_currency`.
    rate: Mapped[Decimal]
