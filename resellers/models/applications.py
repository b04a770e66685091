"""Tables of firms that wish to become resellers, and of how they were looked at."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base
from resellers.words import ApplicationStatus


class ResellerApplication(Base):
    """A firm's wish to become a reseller, written without an account behind a private link."""

    __tablename__ = "reseller_application"
    __table_args__ = (
        CheckConstraint(
            "status IN ('draft', 'submitted', 'in_review', 'more_asked', 'approved', 'refused')",
            name="status_is_known",
        ),
        CheckConstraint(
            "(status = 'approved') = (reseller_id IS NOT NULL)", name="approved_has_its_reseller"
        ),
        Index("ix_reseller_application_status", "status", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # Only the hash of the private link: who reads the table cannot open the applicant's page.
    token_hash: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(default=ApplicationStatus.DRAFT.value)
    # The applicant's language, for its mails.
    locale: Mapped[str] = mapped_column(default="")
    legal_name: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    vat_number: Mapped[str] = mapped_column(default="")
    registration_number: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(String(3), default="")
    website: Mapped[str] = mapped_column(default="")
    # The programme wished for, and at which vendor.
    vendor: Mapped[str] = mapped_column(default="")
    programme: Mapped[str] = mapped_column(default="")
    partner_id: Mapped[str] = mapped_column(default="")
    about: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(default="")
    # Why it was refused, as it was mailed.
    reason: Mapped[str] = mapped_column(default="")
    reseller_id: Mapped[int | None] = mapped_column(ForeignKey("reseller.id"), index=True)


class ApplicationContact(Base):
    """Whom to talk to at the applicant: one person for each purpose."""

    __tablename__ = "application_contact"
    __table_args__ = (UniqueConstraint("application_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("reseller_application.id", ondelete="CASCADE"))
    kind: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")


class ApplicationDocument(Base):
    """A file the applicant sent, as it came."""

    __tablename__ = "application_document"
    __table_args__ = (UniqueConstraint("application_id", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("reseller_application.id", ondelete="CASCADE"))
    kind: Mapped[str]
    file_name: Mapped[str]
    # What the bytes are, not what the browser said.
    content_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime]


class ApplicationCheck(Base):
    """A point of the checklist that somebody has looked at and found in order."""

    __tablename__ = "application_check"
    __table_args__ = (UniqueConstraint("application_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("reseller_application.id", ondelete="CASCADE"))
    kind: Mapped[str]
    done_at: Mapped[datetime]
    done_by: Mapped[str]


class ApplicationMessage(Base):
    """What staff asked and the applicant answered."""

    __tablename__ = "application_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    application_id: Mapped[int] = mapped_column(
        ForeignKey("reseller_application.id", ondelete="CASCADE"), index=True
    )
    is_from_applicant: Mapped[bool]
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
