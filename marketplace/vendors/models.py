"""Tables of what is asked of vendors, of each try, and of what was changed at vendors behind our back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.column_types import StoredPhrase
from marketplace.core.db import Base
from marketplace.core.errors import Phrase


class ProvisioningRequest(Base):
    """One thing asked of a vendor for a customer, and how far it is."""

    __tablename__ = "provisioning_request"
    __table_args__ = (
        Index("ix_provisioning_request_customer_id", "customer_id"),
        Index("ix_provisioning_request_reseller_id", "reseller_id"),
        Index(
            "ix_provisioning_request_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('queued', 'sent', 'waiting')"),
        ),
        CheckConstraint(
            "state IN ('queued', 'sent', 'waiting', 'inquiry', 'by_hand', 'done', 'failed', 'withdrawn')",
            name="state_is_known",
        ),
        CheckConstraint(
            "(state IN ('done', 'failed', 'withdrawn')) = (ended_at IS NOT NULL)", name="ends_when_it_ended"
        ),
        CheckConstraint("state <> 'inquiry' OR question <> ''", name="inquiry_has_a_question"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # Who asks twice with the same key has asked once; the vendor is told it too.
    key: Mapped[UUID] = mapped_column(unique=True)
    vendor: Mapped[str]
    # The customer's account at the vendor; blank while it has none.
    account: Mapped[str] = mapped_column(default="")
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    # purchase, change, upgrade, customer, account, attestation: and what is asked, as `requests.py` writes it.
    kind: Mapped[str]
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Whether it buys more: then a bad word of the vendor's on the reseller stops it.
    buys: Mapped[bool] = mapped_column(default=False, server_default=false())
    # For people: "10 × Microsoft 365 Business Premium".
    about: Mapped[Phrase] = mapped_column(StoredPhrase())
    # The job that is told of every turn, and what it knows the request by.
    told_job: Mapped[str] = mapped_column(default="")
    origin: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    # The vendor's own references of the orders, once it gave them.
    orders: Mapped[list[str]] = mapped_column(JSONB, default=list)
    # What it became, as `requests.py` writes it.
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # Why it failed, or why it has to wait.
    error: Mapped[Phrase | None] = mapped_column(StoredPhrase())
    error_code: Mapped[str] = mapped_column(default="")
    # What the vendor wants to know, and what it was told.
    question: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[str] = mapped_column(default="")
    # Where people do it: who, until when.
    assigned_to: Mapped[str] = mapped_column(default="")
    assigned_to_id: Mapped[int | None]
    due_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]


class ProvisioningAttempt(Base):
    """One try: what was said and what came back."""

    __tablename__ = "provisioning_attempt"
    __table_args__ = (Index("ix_provisioning_attempt_request_id", "request_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("provisioning_request.id", ondelete="CASCADE"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # check, ask, look, answer, by_hand.
    step: Mapped[str]
    # The state it led to; blank while it runs, `interrupted` where its worker died.
    outcome: Mapped[str] = mapped_column(default="")
    words: Mapped[Phrase | None] = mapped_column(StoredPhrase())
    # What came back, in few words.
    received: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class PromotionRefusal(Base):
    """That a vendor does not give a promotion to a customer, as it said last. It counts for some days alone.

    Where the number of seats may be why, it counts for that number: with another one the vendor is asked anew.
    """

    __tablename__ = "promotion_refusal"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, autoincrement=False)
    promotion_id: Mapped[int] = mapped_column(
        ForeignKey("promotion.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
    # Of its SKU in the purchase, up to the line it was asked for; 0 where it counts for any number.
    seats: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=0, server_default=text("0")
    )
    # `values.Ineligibility`.
    why: Mapped[str]
    refused_on: Mapped[date]


class OutsideChange(Base):
    """A subscription that is otherwise at the vendor than here: somebody changed it there, or we missed something."""

    __tablename__ = "outside_change"
    __table_args__ = (
        Index(
            "uq_outside_change_open",
            *("vendor", "subscription", "kind"),
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_outside_change_customer_id", "customer_id"),
        CheckConstraint(
            "kind IN ('quantity', 'status', 'auto_renew', 'ends_on', 'next_term', 'unknown', 'missing')",
            name="kind_is_known",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    vendor: Mapped[str]
    account: Mapped[str]
    # The vendor's id of it, and its name for people.
    subscription: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    # What differs, and how it is on each side.
    kind: Mapped[str]
    ours: Mapped[str] = mapped_column(default="")
    theirs: Mapped[str] = mapped_column(default="")
    seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    # Set once both sides agree again, or somebody says that it is as it should be.
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
