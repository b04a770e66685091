"""Table of the floors under the wholesaler's own margins."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base


class MarginFloor(Base):
    """What is to be earned on a vendor's cost at least, in percent of it. A blank vendor is all that have none."""

    __tablename__ = "margin_floor"
    __table_args__ = (CheckConstraint("hard_percent <= soft_percent", name="hard_is_not_above_soft"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    vendor: Mapped[str] = mapped_column(default="", unique=True)
    # Below this a rule needs somebody whose role allows it.
    soft_percent: Mapped[Decimal]
    # Below this nobody enters a rule.
    hard_percent: Mapped[Decimal]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
