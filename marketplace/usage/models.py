"""Tables of deliveries. The rows themselves are in the lake."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core.column_types import StoredPhrase
from marketplace.core.db import Base
from marketplace.core.errors import Phrase


class DeliveryStatus(StrEnum):
    """How far a delivery is, or what became of it."""

    QUEUED = "queued"
    READING = "reading"
    CURRENT = "current"
    REPLACED = "replaced"
    UNDONE = "undone"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    # Not delivered by anybody: charges made from the histories of subscriptions.
    MADE = "made"


class Delivery(Base):
    """One file, or several given together, as a vendor's bill or usage for some periods."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_fingerprint", "fingerprint"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # The name space of the accounts in the files.
    vendor: Mapped[str]
    # What the person said; blank where the files tell.
    billing_account: Mapped[str] = mapped_column(default="")
    # As 202409, where the person had to say it.
    period: Mapped[int | None]
    # Adds to what is there instead of replacing it.
    is_addition: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(default=DeliveryStatus.QUEUED.value)
    # SHA-256 over vendor, billing account, period and the files' hashes in any order.
    fingerprint: Mapped[str] = mapped_column(default="")
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    rows: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    # Accepted rows that look like another one; all are billed.
    look_alikes: Mapped[int] = mapped_column(default=0)
    # Why it was refused or failed, as a sentence.
    error: Mapped[Phrase | None] = mapped_column(StoredPhrase())
    # Progress of the reading: stage, and how much of it is done.
    stage: Mapped[str] = mapped_column(default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(default="")
    created_by_id: Mapped[int | None]
    current_at: Mapped[datetime | None]

    files: Mapped[list["DeliveryFile"]] = relationship(back_populates="delivery", lazy="raise")
    slices: Mapped[list["DeliverySlice"]] = relationship(
        back_populates="delivery", lazy="raise", foreign_keys="DeliverySlice.delivery_id"
    )


class DeliveryFile(Base):
    """One file of a delivery, kept as it came."""

    __tablename__ = "delivery_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    # Counts from 1 within the delivery.
    number: Mapped[int]
    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    # Where the original is kept, below the files folder.
    path: Mapped[str]
    format: Mapped[str] = mapped_column(default="")
    file_kind: Mapped[str] = mapped_column(default="")
    rows: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    # Remarks a person should read, such as a repaired encoding.
    notes: Mapped[list[str]] = mapped_column(JSONB, default=list)

    delivery: Mapped[Delivery] = relationship(back_populates="files", lazy="raise")


class DeliverySlice(Base):
    """What a delivery says about one billing account and period: the unit that a newer delivery replaces."""

    __tablename__ = "delivery_slice"
    __table_args__ = (
        Index("ix_delivery_slice_current", "period", postgresql_where=text("is_current")),
        Index("ix_delivery_slice_key", "vendor", "billing_account", "period", "file_kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    vendor: Mapped[str]
    billing_account: Mapped[str]
    period: Mapped[int]
    file_kind: Mapped[str]
    is_addition: Mapped[bool] = mapped_column(default=False)
    is_current: Mapped[bool] = mapped_column(default=False)
    # The delivery that took this slice's place.
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    accepted: Mapped[int] = mapped_column(default=0)
    # Exact sums as text: {"USD": "13.7076"} and {"2024-09-24": {"USD": "0.5"}}.
    cost: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    cost_by_day: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB, default=dict)
    # Cost by currency and invoice number, for files that name invoices: {"EUR": {"G01": "12.5"}}.
    cost_by_invoice: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB, default=dict)
    # Lake files that hold the slice's rows, below the lake: shared with other billing accounts of the same delivery.
    lake_files: Mapped[list[str]] = mapped_column(JSONB, default=list)
    # What billing relies on: {"first_day": "2024-09-01", "last_day": "2024-09-30"} (usage days) and, for
    # reconciliation slices, {"usage_cost_by_invoice": {"EUR": {"G01": "12.5"}}}: the part of `cost_by_invoice`
    # that is of category Usage (invoice "" where the row names none). Providers and the like may stand beside.
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)

    delivery: Mapped[Delivery] = relationship(
        back_populates="slices", lazy="raise", foreign_keys=[delivery_id]
    )


class FetchOutcome(StrEnum):
    """What became of fetching a month's files from a vendor."""

    RUNNING = "running"
    IMPORTED = "imported"
    # The vendor gave what counts here already.
    UNCHANGED = "unchanged"
    # The vendor has no files of the month yet.
    NOTHING = "nothing"
    REFUSED = "refused"
    # The vendor did not answer, or is still making the files: it is asked again.
    AWAY = "away"


class VendorFetch(Base):
    """A month's files, fetched from a vendor: by whom, and what became of it."""

    __tablename__ = "vendor_fetch"
    __table_args__ = (
        Index("ix_vendor_fetch_vendor", "vendor", "started_at"),
        CheckConstraint(
            "outcome IN ('running', 'imported', 'unchanged', 'nothing', 'refused', 'away')",
            name="outcome_is_known",
        ),
    )

    # The key the vendor is asked with, so that a repeated job goes on with the same files and the same row.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor: Mapped[str]
    period: Mapped[int]
    outcome: Mapped[str]
    # Why it came to nothing, or waits.
    words: Mapped[Phrase | None] = mapped_column(StoredPhrase())
    # How many deliveries it made.
    deliveries: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    started_by: Mapped[str]
