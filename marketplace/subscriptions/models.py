"""Tables of subscriptions. Segments are only ever added: what a subscription is follows from them."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core.db import Base
from marketplace.subscriptions.words import AtTermEnd, DecidedBy, Status
from resellers.models import Customer


class Subscription(Base):
    """What a customer has for a term at a vendor. The columns below `at_term_end` repeat its last segment, for lists."""

    __tablename__ = "subscription"
    __table_args__ = (
        # What makes a renewal due: whatever stands and has an end.
        Index(
            "ix_subscription_due",
            "term_end",
            postgresql_where=text("status IN ('active', 'suspended')"),
        ),
        Index(
            "uq_subscription_vendor_subscription_id",
            "vendor",
            "vendor_subscription_id",
            unique=True,
            postgresql_where=text("vendor_subscription_id <> ''"),
        ),
        CheckConstraint(
            "decided_by IN ('', 'policy', 'customer', 'reseller', 'wholesaler')", name="decided_by_is_known"
        ),
        CheckConstraint("(decided_by = '') = (decided_at IS NULL)", name="decided_on_a_day"),
        CheckConstraint("at_term_end IN ('renew', 'end', 'extend')", name="term_end_is_known"),
        CheckConstraint("status IN ('active', 'suspended', 'cancelled', 'expired')", name="status_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    vendor: Mapped[str]
    # The customer's account at the vendor, whose owner on the day of a charge pays it.
    vendor_account: Mapped[str]
    # The vendor's own id; blank where the vendor has none.
    vendor_subscription_id: Mapped[str] = mapped_column(default="")
    friendly_name: Mapped[str] = mapped_column(default="")
    # Of the prices its segments keep.
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    at_term_end: Mapped[str] = mapped_column(default=AtTermEnd.RENEW.value)
    # Who decided that for this term, of which party, and when. Blank: nobody, the vendor renews by itself.
    decided_by: Mapped[str] = mapped_column(default=DecidedBy.NOBODY.value)
    decided_name: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default=Status.ACTIVE.value)
    # Without a foreign key: what was sold stays when the catalogue forgets the plan.
    plan_id: Mapped[int] = mapped_column(index=True)
    quantity: Mapped[int]
    term_start: Mapped[date]
    # Exclusive; blank for what was bought once.
    term_end: Mapped[date | None]
    # Until when all of it can be given up; blank where it never could, or not any more whatever the hour.
    window_until: Mapped[datetime | None]

    customer: Mapped[Customer] = relationship(lazy="raise")

    @property
    def statement_id(self) -> str:
        """The id that statements and price rules know it by: the vendor's, or its own."""
        return self.vendor_subscription_id or str(self.public_id)


class SubscriptionSegment(Base):
    """What stands from an instant on, with what it was sold as and its list price; its cost is a table of its own."""

    __tablename__ = "subscription_segment"
    __table_args__ = (
        UniqueConstraint("subscription_id", "number"),
        # An order line that is carried out again adds nothing; one line can make several segments, of one part each.
        Index(
            "uq_subscription_segment_order_line",
            "order_line",
            "order_part",
            unique=True,
            postgresql_where=text("order_line <> ''"),
        ),
        Index("ix_subscription_segment_at", "at"),
        CheckConstraint("quantity >= 0", name="quantity_is_not_negative"),
        CheckConstraint("term_end IS NULL OR term_end > term_start", name="term_has_a_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    # From 1, without gaps.
    number: Mapped[int]
    # What began it: `subscriptions.words.SegmentKind`.
    kind: Mapped[str]
    at: Mapped[datetime]
    # The first day that is charged so: the day of the event, or an earlier one where the whole price comes back.
    since: Mapped[date]
    status: Mapped[str]
    quantity: Mapped[int]
    term_start: Mapped[date]
    term_end: Mapped[date | None]
    plan_id: Mapped[int]
    # As statements name it, kept as it was sold: a product that is renamed keeps its name on what was billed.
    product: Mapped[str]
    sku: Mapped[str]
    unit: Mapped[str]
    product_kind: Mapped[str]
    term: Mapped[str]
    billing_cycle: Mapped[str]
    is_trial: Mapped[bool] = mapped_column(default=False)
    is_extended: Mapped[bool] = mapped_column(default=False)
    # Of one unit for the whole term, after the promotion, whose terms never change.
    unit_list: Mapped[Decimal | None]
    promotion_id: Mapped[int | None] = mapped_column(ForeignKey("promotion.id"))
    order_line: Mapped[str] = mapped_column(default="")
    order_part: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    subscription: Mapped[Subscription] = relationship(lazy="raise")


class SegmentCost(Base):
    """What one unit costs the wholesaler for the whole term: nobody else's business, so a table of its own."""

    __tablename__ = "segment_cost"

    segment_id: Mapped[int] = mapped_column(ForeignKey("subscription_segment.id"), primary_key=True)
    unit_cost: Mapped[Decimal]


class ScheduledChange(Base):
    """A change that waits for the renewal or for the next charge. One of each waits at a time."""

    __tablename__ = "scheduled_change"
    __table_args__ = (
        Index(
            "uq_scheduled_change_waiting",
            "subscription_id",
            "waits_for",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("waits_for IN ('renewal', 'next_charge')", name="waits_for_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), index=True)
    waits_for: Mapped[str]
    due_on: Mapped[date]
    # What is to change; blank stays as it is.
    quantity: Mapped[int | None]
    plan_id: Mapped[int | None]
    custom_end: Mapped[date | None]
    order_line: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str] = mapped_column(default="")
    # When it was carried out, or done away with by another change.
    ended_at: Mapped[datetime | None]
    was_carried_out: Mapped[bool] = mapped_column(default=False)


class RenewalReminder(Base):
    """Somebody was told that a term ends, so many days before: once."""

    __tablename__ = "renewal_reminder"
    __table_args__ = (UniqueConstraint("subscription_id", "term_end", "days_before"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    term_end: Mapped[date]
    days_before: Mapped[int]
    told_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RenewalAnswer(Base):
    """What the customer said to a renewal, and when. The latest counts; none is ever changed."""

    __tablename__ = "renewal_answer"
    __table_args__ = (
        Index("ix_renewal_answer_subscription_id", "subscription_id", "term_end"),
        CheckConstraint("choice IN ('renew', 'end', 'extend')", name="choice_is_known"),
        CheckConstraint("quantity IS NULL OR (quantity > 0 AND choice = 'renew')", name="seats_renew"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    # Of the term it answers for.
    term_end: Mapped[date]
    choice: Mapped[str]
    # How many seats to renew with; blank as many as there are.
    quantity: Mapped[int | None]
    answered_at: Mapped[datetime]
    answered_by: Mapped[str]
    # The address the link was sent to through which it was said; blank for somebody who had signed in.
    sent_to: Mapped[str] = mapped_column(default="")
    # The order it made (`Order.public_id`); none where nothing was to be changed.
    order_id: Mapped[UUID | None]


class RenewalPolicy(Base):
    """What a reseller wants done when terms of a customer end, or of all its customers, until it says otherwise."""

    __tablename__ = "renewal_policy"
    __table_args__ = (
        Index(
            "uq_renewal_policy_standing",
            "reseller_id",
            text("coalesce(customer_id, 0)"),
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_renewal_policy_customer_id", "customer_id"),
        CheckConstraint("choice IN ('renew', 'end', 'extend', 'ask')", name="choice_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Whose wish it is: a customer that goes to another reseller falls under that one's.
    reseller_id: Mapped[int] = mapped_column(ForeignKey("reseller.id"))
    # Blank: all its customers without one of their own.
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    choice: Mapped[str]
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    ended_at: Mapped[datetime | None]


class RenewalLink(Base):
    """A link with which a customer answers for one renewal, or for all of a month, without signing in."""

    __tablename__ = "renewal_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    # Blank: all that ends in the month.
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    # As 202609.
    period: Mapped[int]
    # The link carries the token itself; who reads the table cannot answer.
    token_hash: Mapped[str] = mapped_column(unique=True)
    # When the last of the terms it is about ends.
    expires_at: Mapped[datetime]
    sent_to: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
