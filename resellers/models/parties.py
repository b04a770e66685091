"""Tables of the parties, their accounts at vendors, and the prices between them."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core.db import Base
from resellers.words import BillingMode, ResellerStatus


class Wholesaler(Base):
    """The one firm that runs this marketplace."""

    __tablename__ = "wholesaler"
    __table_args__ = (CheckConstraint("id = 1", name="there_is_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    legal_name: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    vat_number: Mapped[str] = mapped_column(default="")
    registration_number: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    # The currency margins are told in.
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    # Whether the person who approves a period must be another than the one who rated it.
    four_eyes: Mapped[bool] = mapped_column(default=False)


class Reseller(Base):
    """A firm that buys from the wholesaler and sells to customers."""

    __tablename__ = "reseller"
    __table_args__ = (CheckConstraint("status IN ('active', 'suspended', 'ended')", name="status_is_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # The wholesaler's own name for the firm, used in files and commands.
    reference: Mapped[str] = mapped_column(unique=True)
    legal_name: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    vat_number: Mapped[str] = mapped_column(default="")
    registration_number: Mapped[str] = mapped_column(default="")
    # The firm's identity in the vendor's partner programme (Microsoft's PartnerID).
    partner_id: Mapped[str] = mapped_column(default="")
    # The currency of its wholesale statements.
    currency: Mapped[str] = mapped_column(String(3))
    # Who invoices customers unless a dated change or a customer's own says otherwise.
    billing_mode: Mapped[str] = mapped_column(default=BillingMode.RESALE.value)
    email: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(
        default=ResellerStatus.ACTIVE.value, server_default=ResellerStatus.ACTIVE.value
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    customers: Mapped[list["Customer"]] = relationship(back_populates="reseller", lazy="raise")


class Customer(Base):
    """An end customer: the firm that uses what is sold."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    reference: Mapped[str] = mapped_column(unique=True)
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"), index=True)
    legal_name: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    vat_number: Mapped[str] = mapped_column(default="")
    registration_number: Mapped[str] = mapped_column(default="")
    # The currency of its retail statements.
    currency: Mapped[str] = mapped_column(String(3))
    email: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    reseller: Mapped[Reseller] = relationship(back_populates="customers", lazy="raise")


class VendorAccount(Base):
    """An account at a vendor, in the name space of that vendor: a tenant, a subscription, a cloud account."""

    __tablename__ = "vendor_account"
    __table_args__ = (UniqueConstraint("vendor", "account"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vendor: Mapped[str]
    account: Mapped[str]


class AccountMapping(Base):
    """Whose an account is, from a day until a day (exclusive). Two mappings of an account never overlap."""

    __tablename__ = "account_mapping"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="ends_after_it_starts"),
        # int8range stands in for btree_gist, which the embedded PostgreSQL does not have.
        ExcludeConstraint(
            (text("int8range(vendor_account_id, vendor_account_id, '[]')"), "&&"),
            (text("daterange(valid_from, valid_until)"), "&&"),
            name="ex_account_mapping_overlap",
            using="gist",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    vendor_account_id: Mapped[int] = mapped_column(ForeignKey("vendor_account.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    # Blank start: since ever.
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]

    vendor_account: Mapped[VendorAccount] = relationship(lazy="raise")
    customer: Mapped[Customer] = relationship(lazy="raise")


class PriceRuleScope(Base):
    """What a price rule is about: a hop and any of party, subscription and catalogue columns. Blank is any."""

    __tablename__ = "price_rule_scope"
    __table_args__ = (
        Index(
            "uq_price_rule_scope",
            *("hop", "reseller_id", "customer_id", "subscription", "vendor", "product", "sku"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("hop IN ('wholesale', 'retail')", name="hop_is_known"),
        CheckConstraint("sku = '' OR product <> ''", name="sku_needs_its_product"),
        CheckConstraint("product = '' OR vendor <> ''", name="product_needs_its_vendor"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    hop: Mapped[str]
    reseller_id: Mapped[int | None] = mapped_column(ForeignKey("reseller.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    subscription: Mapped[str] = mapped_column(default="")
    vendor: Mapped[str] = mapped_column(default="")
    product: Mapped[str] = mapped_column(default="")
    sku: Mapped[str] = mapped_column(default="")

    reseller: Mapped[Reseller | None] = relationship(lazy="raise")
    customer: Mapped[Customer | None] = relationship(lazy="raise")


class PriceRule(Base):
    """A price for a scope and a span of usage days. Rules of one scope never overlap; a rule's price never changes."""

    __tablename__ = "price_rule"
    __table_args__ = (
        CheckConstraint("basis IN ('cost', 'list', 'fixed')", name="basis_is_known"),
        CheckConstraint(
            "(basis = 'fixed') = (unit_price IS NOT NULL AND currency IS NOT NULL) AND "
            "(basis = 'fixed') = (percent IS NULL)",
            name="fixed_has_a_price_others_a_percentage",
        ),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="ends_after_it_starts"),
        ExcludeConstraint(
            (text("int8range(scope_id, scope_id, '[]')"), "&&"),
            (text("daterange(valid_from, valid_until)"), "&&"),
            name="ex_price_rule_overlap",
            using="gist",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    scope_id: Mapped[int] = mapped_column(ForeignKey("price_rule_scope.id"))
    basis: Mapped[str]
    # In percent of the basis: 12.5 adds an eighth, -10 takes a tenth off.
    percent: Mapped[Decimal | None]
    # Per unit of quantity, in `currency`.
    unit_price: Mapped[Decimal | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(default="")

    scope: Mapped[PriceRuleScope] = relationship(lazy="raise")
