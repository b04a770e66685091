"""Tables of what a reseller may do and on what terms: enrolments, agreements, billing, credit, brand, moves."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.db import Base


class Enrolment(Base):
    """A reseller's place in a vendor's partner programme, and what the vendor said of it when last asked."""

    __tablename__ = "enrolment"
    __table_args__ = (
        UniqueConstraint("reseller_id", "vendor"),
        CheckConstraint("status IN ('pending', 'active', 'suspended', 'ended')", name="status_is_known"),
        CheckConstraint(
            "programme IN ('indirect_reseller', 'direct_partner', 'advisor')", name="programme_is_known"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"))
    vendor: Mapped[str]
    programme: Mapped[str]
    status: Mapped[str]
    # The partner on record of what this reseller orders at the vendor.
    partner_id: Mapped[str] = mapped_column(default="")
    # What the vendor said: None until it was asked.
    is_known: Mapped[bool | None]
    has_signed: Mapped[bool | None]
    known_as: Mapped[str] = mapped_column(default="")
    checked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EnrolmentPrerequisite(Base):
    """Something a vendor asks of a direct partner, met on a day."""

    __tablename__ = "enrolment_prerequisite"
    __table_args__ = (UniqueConstraint("enrolment_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    kind: Mapped[str]
    met_on: Mapped[date]
    recorded_by: Mapped[str]


class Agreement(Base):
    """A version of the text resellers accept. A text never changes: another version is published."""

    __tablename__ = "agreement"
    __table_args__ = (UniqueConstraint("version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    version: Mapped[str]
    title: Mapped[str]
    text: Mapped[str]
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class AgreementAcceptance(Base):
    """That a reseller's owner accepted a version: who, when, from where."""

    __tablename__ = "agreement_acceptance"
    __table_args__ = (UniqueConstraint("reseller_id", "agreement_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"))
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), index=True)
    accepted_at: Mapped[datetime]
    accepted_by: Mapped[str]
    user_id: Mapped[int | None]
    ip: Mapped[str] = mapped_column(default="")


class BillingModeChange(Base):
    """From which day who invoices: a reseller's customers, or one of them. No mode: as the reseller's others."""

    __tablename__ = "billing_mode_change"
    __table_args__ = (
        Index(
            "uq_billing_mode_change",
            *("reseller_id", "customer_id", "valid_from"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("mode IS NOT NULL OR customer_id IS NOT NULL", name="only_a_customer_follows"),
        CheckConstraint(
            "mode IN ('resale', 'mandate', 'on_behalf', 'agent', 'direct')", name="mode_is_known"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    mode: Mapped[str | None]
    valid_from: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str]


class CreditTerms(Base):
    """How much may be owed to the wholesaler and for how long: by a reseller, or by a customer it invoices itself."""

    __tablename__ = "credit_terms"
    __table_args__ = (
        Index(
            "uq_credit_terms",
            *("reseller_id", "customer_id"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("credit_limit >= 0", name="limit_is_not_negative"),
        CheckConstraint("payment_days BETWEEN 0 AND 365", name="days_are_within_a_year"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    # In the party's currency. None: no limit.
    credit_limit: Mapped[Decimal | None]
    payment_days: Mapped[int]


class CustomerAgreement(Base):
    """That a customer accepted a vendor's terms: which text, who, when, and who vouched for it. Never changed."""

    __tablename__ = "customer_agreement"
    __table_args__ = (Index("ix_customer_agreement_customer_id", "customer_id", "agreed_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    vendor: Mapped[str]
    template: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    agreed_on: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]


class Brand(Base):
    """What a reseller's storefront and its customers' portal wear."""

    __tablename__ = "brand"
    __table_args__ = (
        Index("uq_brand_host", "host", unique=True, postgresql_where=text("host <> ''")),
        Index("uq_brand_path", "path", unique=True, postgresql_where=text("path <> ''")),
        CheckConstraint("(logo IS NULL) = (logo_type = '')", name="logo_has_its_type"),
    )

    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"), primary_key=True)
    # What addresses of its logo and colours are made of: it tells no reference, and changes with each change.
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    name: Mapped[str] = mapped_column(default="")
    # As #rrggbb; blank is the marketplace's own.
    accent: Mapped[str] = mapped_column(default="")
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    logo_type: Mapped[str] = mapped_column(default="")
    # Where it is found: a host name of its own, or a word of our address.
    host: Mapped[str] = mapped_column(default="")
    path: Mapped[str] = mapped_column(default="")
    sender_name: Mapped[str] = mapped_column(default="")
    support_email: Mapped[str] = mapped_column(default="")
    support_phone: Mapped[str] = mapped_column(default="")


class CustomerMove(Base):
    """That a customer goes from one reseller to another: usage from that day on is the new one's."""

    __tablename__ = "customer_move"
    __table_args__ = (
        UniqueConstraint("customer_id", "moves_on"),
        CheckConstraint("from_reseller_id <> to_reseller_id", name="goes_somewhere"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    from_reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"), index=True)
    to_reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"), index=True)
    moves_on: Mapped[date]
    # Set once the customer is the new reseller's on all pages.
    done_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str]


class SubscriptionMove(Base):
    """That one subscription goes to a customer of another reseller, whoever has the account: its rows from that day on."""

    __tablename__ = "subscription_move"
    __table_args__ = (
        UniqueConstraint("vendor", "subscription", "moves_on"),
        CheckConstraint("from_customer_id <> to_customer_id", name="goes_somewhere"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    vendor: Mapped[str]
    # As statements and usage name it.
    subscription: Mapped[str]
    from_customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    to_customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    moves_on: Mapped[date]
    # Set once the subscription is the other customer's on all pages.
    done_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str]
