"""Tables of orders. Prices are kept hop by hop as they were at the moment of ordering, and never change after it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models import Plan, Promotion
from marketplace.core.column_types import StoredPhrase
from marketplace.core.db import Base
from marketplace.core.errors import Phrase
from marketplace.core.money import Money
from marketplace.orders.words import OrderKind, OrderState
from marketplace.subscriptions.models import Subscription
from resellers.models import Customer, Reseller


class Order(Base):
    """Something asked for a customer: a cart while it is a draft, one a customer and an audience."""

    __tablename__ = "sales_order"
    __table_args__ = (
        Index(
            "uq_sales_order_cart",
            *("customer_id", "audience"),
            unique=True,
            postgresql_where=text("state = 'draft' AND kind = 'purchase' AND NOT is_apart"),
        ),
        Index("ix_sales_order_reseller_id", "reseller_id", "state"),
        Index("ix_sales_order_customer_id", "customer_id", "state"),
        Index("ix_sales_order_starts_on", "starts_on", postgresql_where=text("state = 'scheduled'")),
        CheckConstraint("kind IN ('purchase', 'change', 'cancel')", name="kind_is_known"),
        CheckConstraint(
            "state IN ('draft', 'quoted', 'submitted', 'awaiting_approval', 'scheduled', 'provisioning', "
            "'completed', 'rejected', 'failed', 'cancelled')",
            name="state_is_known",
        ),
        CheckConstraint("(state = 'draft') <= (submitted_at IS NULL)", name="drafts_are_not_submitted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    kind: Mapped[str] = mapped_column(default=OrderKind.PURCHASE.value)
    state: Mapped[str] = mapped_column(default=OrderState.DRAFT.value)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    # The customer's reseller when it was ordered: it answers for the order whoever sells to the customer later.
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"))
    # Whose cart it was: the wholesaler's staff, the reseller's people, or the customer itself.
    audience: Mapped[str]
    # A draft beside the cart, such as an order of a file.
    is_apart: Mapped[bool] = mapped_column(default=False)
    # The customer's own purchase order number.
    po_number: Mapped[str] = mapped_column(default="")
    # The day it is for; blank is at once.
    starts_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(default="")
    # Who placed it: a person of `audience`, named with the customer it is for, in the role they had.
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[str] = mapped_column(default="")
    submitted_by_id: Mapped[int | None]
    submitted_role: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    # Why it was rejected, failed or cancelled.
    reason: Mapped[Phrase | None] = mapped_column(StoredPhrase())

    customer: Mapped[Customer] = relationship(lazy="raise")
    reseller: Mapped[Reseller] = relationship(lazy="raise")
    lines: Mapped[list["OrderLine"]] = relationship(
        back_populates="order", lazy="raise", order_by="OrderLine.number"
    )

    @property
    def name(self) -> str:
        """What people call it."""
        return f"O-{self.id:06d}"


class OrderLine(Base):
    """One thing ordered: so many units of a plan, or a change of a subscription."""

    __tablename__ = "sales_order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        CheckConstraint("quantity >= 0", name="quantity_is_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Subscriptions and vendors know the line by it.
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id", ondelete="CASCADE"))
    number: Mapped[int]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), index=True)
    quantity: Mapped[int]
    # The first term's end (exclusive) where it is not its own.
    custom_end: Mapped[date | None]
    # What is changed, and how: see `orders.rules.change_data`. Blank for purchases.
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    change: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # As it was sold, kept with the prices when it was submitted.
    vendor: Mapped[str] = mapped_column(default="")
    product: Mapped[str] = mapped_column(default="")
    sku: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    term: Mapped[str] = mapped_column(default="")
    billing_cycle: Mapped[str] = mapped_column(default="")
    # The list price of a unit for a whole term, and its currency.
    unit_list: Mapped[Decimal | None]
    list_currency: Mapped[str] = mapped_column(String(3), default="")
    # The vendor's promotion that all its prices are after; its terms never change.
    promotion_id: Mapped[int | None] = mapped_column(ForeignKey("promotion.id"))
    term_end: Mapped[date | None]
    # How many charges the first term has.
    charges: Mapped[int] = mapped_column(default=0)
    # The subscription it became.
    became_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)

    order: Mapped[Order] = relationship(back_populates="lines", lazy="raise")
    plan: Mapped[Plan] = relationship(lazy="raise")
    promotion: Mapped[Promotion | None] = relationship(lazy="raise")
    became: Mapped[Subscription | None] = relationship(lazy="raise", foreign_keys=[became_id])


class OrderPrice(Base):
    """What a line costs at one hop, as it was when it was ordered. Row-level security shows each party its own hops."""

    __tablename__ = "sales_order_price"
    __table_args__ = (CheckConstraint("hop IN ('vendor', 'wholesale', 'retail')", name="hop_is_known"),)

    line_id: Mapped[int] = mapped_column(
        ForeignKey("sales_order_line.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hop: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    # Of one unit for a whole charge, exact.
    unit: Mapped[Decimal]
    # Of all units, for a whole charge and for the whole first term.
    charge_minor: Mapped[int]
    commitment_minor: Mapped[int]
    # The vendor's price of one unit for the whole term, which the subscription begins with.
    unit_term: Mapped[Decimal | None]


class OrderEvent(Base):
    """What happened to an order: its history, for everybody who may see it."""

    __tablename__ = "sales_order_event"
    __table_args__ = (Index("ix_sales_order_event_order_id", "order_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    # The state it led to.
    state: Mapped[str]
    by: Mapped[str]
    # Whom that person acted for: a kind of party, not a person.
    audience: Mapped[str]
    words: Mapped[Phrase | None] = mapped_column(StoredPhrase())


class Quote(Base):
    """A version of an order as it was offered to the customer, behind a link."""

    __tablename__ = "quote"
    __table_args__ = (
        UniqueConstraint("order_id", "version"),
        CheckConstraint("accepted_at IS NULL OR declined_at IS NULL", name="has_one_answer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    # Counts from 1 within the order.
    version: Mapped[int]
    # The link carries the token itself; who reads the table cannot accept.
    token_hash: Mapped[str] = mapped_column(unique=True)
    # The last day on which it can be accepted.
    valid_until: Mapped[date]
    sent_to: Mapped[str] = mapped_column(default="")
    # The language it is written in.
    language: Mapped[str] = mapped_column(String(2), default="en", server_default="en")
    # The PDF as it was sent, below the files folder; its name is its checksum.
    paper: Mapped[str] = mapped_column(default="", server_default="")
    words: Mapped[str] = mapped_column(default="")
    # The lines as they were offered, at the customer's prices alone: see `orders.rules.quotes`.
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    currency: Mapped[str] = mapped_column(String(3))
    commitment_minor: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(default="")
    created_by_id: Mapped[int | None]
    # The person at the customer who signed it off.
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str] = mapped_column(default="")
    declined_at: Mapped[datetime | None]
    declined_by: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    # Another version took its place, or the order went on without it.
    withdrawn_at: Mapped[datetime | None]

    @property
    def commitment(self) -> Money:
        """What its first terms come to."""
        return Money(self.commitment_minor, self.currency)


class OrderApproval(Base):
    """Something an order waits for, and who decided it."""

    __tablename__ = "order_approval"
    __table_args__ = (
        Index("ix_order_approval_order_id", "order_id"),
        Index("ix_order_approval_open", "party", postgresql_where=text("decided_at IS NULL")),
        CheckConstraint("party IN ('wholesaler', 'reseller')", name="party_is_known"),
        CheckConstraint("kind IN ('rule', 'credit', 'customer')", name="kind_is_known"),
        CheckConstraint("(decided_at IS NULL) = (decision = '')", name="decided_says_what"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("sales_order.id"))
    party: Mapped[str]
    kind: Mapped[str]
    words: Mapped[Phrase] = mapped_column(StoredPhrase())
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    # `orders.words.Decision`.
    decision: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")

    order: Mapped[Order] = relationship(lazy="raise")


class OrderRule(Base):
    """When an order needs approval, until the rule is ended. A reseller's rules hold in its own firm alone."""

    __tablename__ = "order_rule"
    __table_args__ = (
        Index("ix_order_rule_reseller_id", "reseller_id"),
        CheckConstraint("(above_minor IS NULL) = (currency IS NULL)", name="amount_has_a_currency"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # Blank: the wholesaler's.
    reseller_id: Mapped[int | None] = mapped_column(ForeignKey("reseller.id"))
    # Blank is any.
    kind: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="")
    above_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]


class CustomerBuying(Base):
    """Whether a customer may buy for itself, as its reseller allows. None says that it may not."""

    __tablename__ = "customer_buying"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, autoincrement=False)
    may_buy: Mapped[bool]
    # Whether its reseller approves each order first.
    needs_approval: Mapped[bool]
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(default="")
