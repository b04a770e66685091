"""Table of the floors under margins: the wholesaler's own, and each reseller's."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base


class MarginFloor(Base):
    """What a party is to earn on what it pays for a vendor's products at least, in percent of it.

    Without a reseller it is the wholesaler's. A blank vendor is all that have none.
    """

    __tablename__ = "margin_floor"
    __table_args__ = (
        UniqueConstraint("reseller_id", "vendor", postgresql_nulls_not_distinct=True),
        CheckConstraint("hard_percent <= soft_percent", name="hard_is_not_above_soft"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    reseller_id: Mapped[int | None] = mapped_column(ForeignKey("reseller.id"))
    vendor: Mapped[str] = mapped_column(default="")
    # Below this a price needs somebody whose role allows it.
    soft_percent: Mapped[Decimal]
    # Below this nobody sells.
    hard_percent: Mapped[Decimal]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
