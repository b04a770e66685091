"""Tables of the catalogue."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.words import BillingModel, PlanStatus, PriceListStatus, Segment
from marketplace.core.column_types import StoredPhrase
from marketplace.core.db import Base
from marketplace.core.errors import Phrase


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


class Publisher(Base):
    """Whoever makes products: Microsoft, or a maker whose software a vendor sells."""

    __tablename__ = "publisher"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    name: Mapped[str] = mapped_column(unique=True)


class Product(Base):
    """What a vendor sells. Imports keep the vendor's words up to date and never touch the wholesaler's own."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("vendor", "reference"),
        Index("ix_product_words", "words", postgresql_using="gin"),
        CheckConstraint("kind IN ('licence', 'software', 'consumption', 'service')", name="kind_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    vendor: Mapped[str]
    # The vendor's id, such as CFQ7TTC0LH18.
    reference: Mapped[str]
    publisher_id: Mapped[int] = mapped_column(ForeignKey("publisher.id"), index=True)
    # `catalog.words.ProductKind`.
    kind: Mapped[str]
    # The vendor's words when it was first imported: statements and price rules know the product by this title until
    # staff take the vendor's new one.
    title: Mapped[str]
    # What the vendor calls it now; blank where nobody said otherwise.
    vendor_title: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    # The wholesaler's own words, shown instead where they are filled.
    own_title: Mapped[str] = mapped_column(default="")
    own_category: Mapped[str] = mapped_column(default="")
    # What is searched in.
    words: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('simple', title || ' ' || vendor_title || ' ' || own_title || ' ' || reference || ' ' || "
            "category || ' ' || own_category)",
            persisted=True,
        ),
        deferred=True,
    )
    # Whether the shop shows it.
    is_listed: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def new_title(self) -> str:
        """What the vendor calls it now, where that is another name; else blank."""
        return "" if self.vendor_title == self.title else self.vendor_title

    publisher: Mapped[Publisher] = relationship(lazy="raise")
    skus: Mapped[list["Sku"]] = relationship(back_populates="product", lazy="raise")


class Sku(Base):
    """An edition of a product, with what may be done with it as data."""

    __tablename__ = "sku"
    __table_args__ = (
        UniqueConstraint("product_id", "reference"),
        CheckConstraint("minimum_quantity >= 1", name="minimum_is_positive"),
        CheckConstraint("maximum_quantity >= minimum_quantity", name="maximum_is_not_below_minimum"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    # Four characters at Microsoft, leading zeros kept: 0001.
    reference: Mapped[str]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    minimum_quantity: Mapped[int] = mapped_column(default=1)
    maximum_quantity: Mapped[int | None]
    # Seats a customer may have of it in all its subscriptions together.
    customer_limit: Mapped[int | None]
    is_addon: Mapped[bool] = mapped_column(default=False)
    is_trial: Mapped[bool] = mapped_column(default=False)
    may_increase: Mapped[bool] = mapped_column(default=True)
    may_decrease: Mapped[bool] = mapped_column(default=True)
    may_cancel: Mapped[bool] = mapped_column(default=True)
    may_suspend: Mapped[bool] = mapped_column(default=True)
    may_renew: Mapped[bool] = mapped_column(default=True)

    product: Mapped[Product] = relationship(back_populates="skus", lazy="raise")
    plans: Mapped[list["Plan"]] = relationship(back_populates="sku", lazy="raise")


class SkuRelation(Base):
    """What another SKU is to one: `catalog.words.RelationKind`."""

    __tablename__ = "sku_relation"
    __table_args__ = (
        UniqueConstraint("sku_id", "kind", "target_sku_id"),
        CheckConstraint("kind IN ('prerequisite', 'upgrade', 'conversion')", name="kind_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    kind: Mapped[str]
    target_sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), index=True)

    sku: Mapped[Sku] = relationship(lazy="raise", foreign_keys=[sku_id])
    target: Mapped[Sku] = relationship(lazy="raise", foreign_keys=[target_sku_id])


class Plan(Base):
    """One way to buy a SKU: for how long, paid how often, by whom."""

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("sku_id", "term", "billing_cycle", "segment"),
        CheckConstraint("status IN ('on_sale', 'private', 'ended')", name="status_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"))
    term: Mapped[str]
    billing_cycle: Mapped[str]
    segment: Mapped[str] = mapped_column(default=Segment.COMMERCIAL.value)
    billing_model: Mapped[str] = mapped_column(default=BillingModel.POSTPAID.value)
    status: Mapped[str] = mapped_column(default=PlanStatus.ON_SALE.value)

    sku: Mapped[Sku] = relationship(back_populates="plans", lazy="raise")


class PriceList(Base):
    """A version of a vendor's price list for a market and a currency."""

    __tablename__ = "price_list"
    __table_args__ = (
        UniqueConstraint("vendor", "kind", "market", "currency", "version"),
        Index(
            "uq_price_list_active",
            *("vendor", "kind", "market", "currency"),
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
        CheckConstraint(
            "status IN ('draft', 'scheduled', 'active', 'superseded', 'discarded')", name="status_is_known"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    vendor: Mapped[str]
    # `catalog.words.PriceListKind`.
    kind: Mapped[str]
    # The customer's country.
    market: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    # Counts from 1 for each vendor, kind, market and currency.
    version: Mapped[int]
    status: Mapped[str] = mapped_column(default=PriceListStatus.DRAFT.value)
    # From when it holds, once it is scheduled or active; and until when it did.
    active_from: Mapped[datetime | None]
    active_until: Mapped[datetime | None]
    file: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str] = mapped_column(default="")
    rows: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(default="")


class PriceListReject(Base):
    """A value of the file that could not be used, kept with the version it was left out of."""

    __tablename__ = "price_list_reject"
    __table_args__ = (Index("ix_price_list_reject_price_list_id", "price_list_id", "row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    price_list_id: Mapped[int] = mapped_column(ForeignKey("price_list.id", ondelete="CASCADE"))
    # Data rows count from 1.
    row: Mapped[int]
    column_name: Mapped[str]
    value: Mapped[str]
    reason: Mapped[Phrase] = mapped_column(StoredPhrase())


class PlanPrice(Base):
    """The list price of one unit of a plan for its whole term, for a band of quantities. Its cost is a table apart."""

    __tablename__ = "plan_price"
    __table_args__ = (
        UniqueConstraint("price_list_id", "plan_id", "quantity_from", "valid_from"),
        Index("ix_plan_price_plan_id", "plan_id", "valid_from"),
        CheckConstraint("quantity_until IS NULL OR quantity_until >= quantity_from", name="band_has_a_unit"),
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from", name="ends_after_it_starts"),
        CheckConstraint("unit_list >= 0", name="list_is_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    price_list_id: Mapped[int] = mapped_column(ForeignKey("price_list.id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    # Inclusive, as vendors print them; blank is without end.
    quantity_from: Mapped[int] = mapped_column(default=1)
    quantity_until: Mapped[int | None]
    # What the vendor suggests that the customer pays; blank where the list does not say.
    unit_list: Mapped[Decimal | None]
    valid_from: Mapped[datetime]
    # Exclusive; blank is until further notice.
    valid_until: Mapped[datetime | None]


class PlanCost(Base):
    """What one unit costs the wholesaler for the whole term: nobody else's business, so a table of its own."""

    __tablename__ = "plan_cost"
    __table_args__ = (CheckConstraint("unit_cost >= 0", name="cost_is_not_negative"),)

    plan_price_id: Mapped[int] = mapped_column(
        ForeignKey("plan_price.id"), primary_key=True, autoincrement=False
    )
    unit_cost: Mapped[Decimal]


class MeterPrice(Base):
    """A step of what a unit of consumption costs: units of the step have its price, whatever the whole quantity."""

    __tablename__ = "meter_price"
    __table_args__ = (
        UniqueConstraint("price_list_id", "sku_id", "meter", "quantity_from", "valid_from"),
        CheckConstraint("quantity_until > quantity_from", name="step_has_a_width"),
        CheckConstraint("unit_list >= 0", name="list_is_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    price_list_id: Mapped[int] = mapped_column(ForeignKey("price_list.id"))
    sku_id: Mapped[int] = mapped_column(ForeignKey("sku.id"), index=True)
    meter: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    # From so many units on, up to so many: a step ends where the next begins. Blank is without end.
    quantity_from: Mapped[Decimal]
    quantity_until: Mapped[Decimal | None]
    unit_list: Mapped[Decimal]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]


class Promotion(Base):
    """A percentage off the wholesaler's cost, for who is eligible."""

    __tablename__ = "promotion"
    __table_args__ = (
        UniqueConstraint("vendor", "reference"),
        CheckConstraint("percent > 0 AND percent <= 100", name="percent_is_a_discount"),
        CheckConstraint("ends_on > starts_on", name="ends_after_it_starts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    vendor: Mapped[str]
    reference: Mapped[str]
    title: Mapped[str]
    percent: Mapped[Decimal]
    starts_on: Mapped[date]
    # Exclusive.
    ends_on: Mapped[date]
    segment: Mapped[str] = mapped_column(default="")
    # Seats of the customer in all its subscriptions of the SKU together.
    minimum_quantity: Mapped[int] = mapped_column(default=1)
    maximum_quantity: Mapped[int | None]
    is_first_purchase_only: Mapped[bool] = mapped_column(default=False)

    plans: Mapped[list["PromotionPlan"]] = relationship(back_populates="promotion", lazy="raise")


class PromotionPlan(Base):
    """A plan a promotion is for."""

    __tablename__ = "promotion_plan"

    promotion_id: Mapped[int] = mapped_column(
        ForeignKey("promotion.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    plan_id: Mapped[int] = mapped_column(
        ForeignKey("plan.id"), primary_key=True, autoincrement=False, index=True
    )

    promotion: Mapped[Promotion] = relationship(back_populates="plans", lazy="raise")
    plan: Mapped[Plan] = relationship(lazy="raise")
