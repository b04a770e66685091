"""Tables of periods, runs of the close, statements and their lines.

Statements and lines are partitioned by billing period. They are written by COPY, never row by row; a draft is
replaced whole by exchanging its partition.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATE, JSONB, NUMERIC
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core.column_types import StoredPhrase
from marketplace.core.db import Base
from marketplace.core.errors import Phrase
from marketplace.core.money import Money


class PeriodStatus(StrEnum):
    """How far a billing period is."""

    OPEN = "open"
    RATED = "rated"
    REVIEWED = "reviewed"
    CLOSED = "closed"


class RunStatus(StrEnum):
    """How a run of the close ended, or that it has not."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Gap(StrEnum):
    """Why a line was priced at cost without a rule saying so."""

    NO_RULE = "no_rule"
    NO_LIST_PRICE = "no_list_price"
    NOT_LIST_PRICED = "not_list_priced"


class BillingPeriod(Base):
    """A month that has been rated at least once, and where it stands."""

    __tablename__ = "billing_period"

    # As 202409.
    period: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(default=PeriodStatus.OPEN.value)
    # The run whose draft or documents stand.
    run_id: Mapped[int | None] = mapped_column(ForeignKey("close_run.id", use_alter=True))
    # Over everything the amounts came from; equal means rating again would change nothing.
    fingerprint: Mapped[str] = mapped_column(default="")
    rated_at: Mapped[datetime | None]
    rated_by: Mapped[str] = mapped_column(default="")
    rated_by_id: Mapped[int | None]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str] = mapped_column(default="")
    reviewed_by_id: Mapped[int | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(default="")


class CloseRun(Base):
    """One execution of the close for a period, with its progress."""

    __tablename__ = "close_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    period: Mapped[int] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(default=RunStatus.QUEUED.value)
    # rate, group, price, write: and how much of the stage is done.
    stage: Mapped[str] = mapped_column(default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    error: Mapped[Phrase | None] = mapped_column(StoredPhrase())
    started_by: Mapped[str] = mapped_column(default="")
    started_by_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # The slices the amounts came from, by id, so that source rows can be found again.
    slice_ids: Mapped[list[int]] = mapped_column(JSONB, default=list)
    # Closed periods this run bills differences for, with the fingerprint they had: {"202409": "ab12..."}.
    corrects: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    # The figures of the rating, as `close --json` prints them.
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    # What changed against the draft before: {"lines": {...}, "totals": {...}}.
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Preview(Base):
    """What a change would do to documents, or what a closed month would be corrected by: asked for, and kept a while.

    Screens see those of their own party. What was found is cut to what whoever asked may see before it is kept.
    """

    __tablename__ = "preview"
    __table_args__ = (Index("ix_preview_audience_party_id_link", "audience", "party_id", "link"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # Over who asks and what for: the same again is the same preview, worked out anew.
    key: Mapped[str] = mapped_column(unique=True)
    audience: Mapped[str]
    # The reseller's id; None for the wholesaler.
    party_id: Mapped[int | None]
    user_id: Mapped[int | None]
    asked_by: Mapped[str]
    # What whoever asked may do: the worker tries the change as they would make it.
    permissions: Mapped[list[str]] = mapped_column(JSONB)
    # A kind of change that `trials` knows, its facts as they were typed, and the file where one was given.
    kind: Mapped[str]
    facts: Mapped[dict[str, str]] = mapped_column(JSONB)
    content: Mapped[bytes | None] = mapped_column(deferred=True)
    # The page it was asked for on, where it opens again.
    link: Mapped[str]
    # Only months with usage on or after this day are compared.
    first_day: Mapped[date | None]
    status: Mapped[str] = mapped_column(default=RunStatus.QUEUED.value)
    stage: Mapped[str] = mapped_column(default="")
    percent: Mapped[int] = mapped_column(default=0)
    error: Mapped[Phrase | None] = mapped_column(StoredPhrase())
    # The fingerprint each compared month had: {"202409": "ab12..."}.
    made_from: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    # What was found; None while it is not known.
    found: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Statement(Base):
    """The document of one hop, buyer, customer, currency and billing period."""

    __tablename__ = "statement"
    __table_args__ = (
        PrimaryKeyConstraint("period", "id"),
        Index("ix_statement_reseller", "reseller_id", "hop", "period"),
        Index("ix_statement_customer", "customer_id", "hop", "period"),
        CheckConstraint("(parked_pair = '') = (total_minor IS NOT NULL)", name="parked_has_no_total"),
        {"postgresql_partition_by": "LIST (period)"},
    )

    # Derived from the business key, so that rating again gives the same id.
    id: Mapped[UUID]
    period: Mapped[int]
    hop: Mapped[str]
    # The reseller of the customer: buyer of a wholesale statement, seller of a retail one.
    reseller_id: Mapped[int]
    customer_id: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    # None while parked.
    total_minor: Mapped[int | None]
    # The lines' exact sum before the one rounding; differences of closed periods excluded.
    exact_total: Mapped[Decimal]
    lines: Mapped[int]
    # "USD>EUR 2024-09" where a rate is missing: the document waits and has no lines.
    parked_pair: Mapped[str] = mapped_column(default="")
    # Cost of what is parked, exact, by the vendor's currency: {"USD": "12.5"}.
    parked_cost: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    # The last day on which it is paid in time, by the terms of the day its month was closed; None before that.
    due_on: Mapped[date | None]


class StatementPayment(Base):
    """Something that was paid of a closed statement; below nought where a credit was paid out."""

    __tablename__ = "statement_payment"
    __table_args__ = (
        # The same file again notes nothing twice.
        UniqueConstraint("statement_id", "paid_on", "amount_minor"),
        CheckConstraint("amount_minor <> 0", name="is_an_amount"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID]
    # The statement's own, by which buyer and seller may see it.
    hop: Mapped[str]
    reseller_id: Mapped[int]
    customer_id: Mapped[int]
    amount_minor: Mapped[int]
    paid_on: Mapped[date]
    noted_at: Mapped[datetime]
    noted_by: Mapped[str] = mapped_column(default="")

    def amount(self, currency: str) -> Money:
        """Give it in the statement's currency."""
        return Money(self.amount_minor, currency)


class StatementLine(Base):
    """What one party owes for one thing in one period, with everything that made the amount."""

    __tablename__ = "statement_line"
    __table_args__ = (
        PrimaryKeyConstraint("id", "period"),
        Index("ix_statement_line_statement", "statement_id"),
        Index("ix_statement_line_reseller", "reseller_id", "hop", "period"),
        Index("ix_statement_line_customer", "customer_id", "hop", "period"),
        Index("ix_statement_line_corrects", "corrects", postgresql_where=text("corrects IS NOT NULL")),
        {"postgresql_partition_by": "LIST (period)"},
    )

    # Derived from the business key and the billing period.
    id: Mapped[UUID]
    # The billing period: the statement the line stands on.
    period: Mapped[int]
    # The closed period a difference is billed for; None for the period's own usage.
    corrects: Mapped[int | None]
    # The business key alone, the same in every billing period that bills something for it.
    group_id: Mapped[UUID]
    statement_id: Mapped[UUID]
    hop: Mapped[str]
    reseller_id: Mapped[int]
    customer_id: Mapped[int]
    vendor: Mapped[str]
    account: Mapped[str]
    subscription: Mapped[str]
    product: Mapped[str]
    sku: Mapped[str]
    meter: Mapped[str]
    unit: Mapped[str]
    charge_category: Mapped[str]
    charge_type: Mapped[str]
    charge_from: Mapped[date]
    # Exclusive.
    charge_until: Mapped[date]
    # Exact sum of the source rows.
    quantity: Mapped[Decimal]
    # The rule of this hop; None where none matched.
    rule_id: Mapped[int | None]
    # The basis the rule came down to for these rows.
    basis: Mapped[str]
    # Exact: cost or list sum for those bases, the quantity for a fixed price.
    basis_amount: Mapped[Decimal]
    # The currency the basis (or the fixed price) is in.
    basis_currency: Mapped[str] = mapped_column(String(3))
    percent: Mapped[Decimal | None]
    unit_price: Mapped[Decimal | None]
    # From `basis_currency` to `currency`; 1 where they are the same.
    fx_rate: Mapped[Decimal]
    # basis_amount x (100 + percent) / 100 x fx_rate, or quantity x unit_price x fx_rate: before rounding.
    exact_amount: Mapped[Decimal]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    source_rows: Mapped[int]
    # A `Gap`, or blank.
    gap: Mapped[str]
    # Retail lines: the wholesale rule and basis below which the same rows were bought.
    upper_rule_id: Mapped[int | None]
    upper_basis: Mapped[str]
    # What the vendor charged for the rows, exact, in the vendor's currency. The wholesaler's secret.
    cost: Mapped[Decimal]
    # The currency of the vendor's rows.
    row_currency: Mapped[str] = mapped_column(String(3))
    # The usage days behind the line, in no order, and the basis of each; amount of a day = basis x day_factor.
    days: Mapped[list[date]] = mapped_column(ARRAY(DATE))
    day_basis: Mapped[list[Decimal]] = mapped_column(ARRAY(NUMERIC))
    day_factor: Mapped[Decimal]
    # A difference: what the group is worth now and what had been billed for it, both exact.
    worth: Mapped[Decimal | None]
    billed: Mapped[Decimal | None]


class StatementCost(Base):
    """What the vendor charged for a wholesale statement, by vendor and currency: the balance's cost, shared out."""

    __tablename__ = "statement_cost"
    __table_args__ = (Index("ix_statement_cost_period", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[int]
    statement_id: Mapped[UUID] = mapped_column(index=True)
    reseller_id: Mapped[int]
    customer_id: Mapped[int]
    vendor: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    cost: Mapped[Decimal]
    cost_minor: Mapped[int]


class UnmappedAmount(Base):
    """Usage of an account that nobody owns on those days: never billed, never lost."""

    __tablename__ = "unmapped_amount"
    __table_args__ = (Index("ix_unmapped_amount_period", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # The period whose run found it, and the period the usage belongs to: an earlier one after a correction.
    period: Mapped[int]
    usage_period: Mapped[int]
    vendor: Mapped[str]
    billing_account: Mapped[str]
    account: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    source_rows: Mapped[int]
    cost: Mapped[Decimal]
    cost_minor: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    # The dearest product, to recognise the account by.
    product: Mapped[str]


class PeriodBalance(Base):
    """Vendor bill = cost on statements + tax + unmapped + parked + licences + vendor rounding, in minor units."""

    __tablename__ = "period_balance"
    __table_args__ = (Index("ix_period_balance_period", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[int]
    # The closed period whose parts changed, each figure being the difference; None for the period's own bill.
    corrects: Mapped[int | None]
    vendor: Mapped[str]
    billing_account: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    # From the reconciliation file where there is one, else the exact sum of the rows, rounded once.
    bill_minor: Mapped[int]
    bill_is_reconciled: Mapped[bool]
    detail: Mapped[Decimal]
    cost_minor: Mapped[int]
    tax_minor: Mapped[int]
    unmapped_minor: Mapped[int]
    parked_minor: Mapped[int]
    # What the vendor charged for subscriptions beyond our own charges for them.
    licences_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    rounding_minor: Mapped[int]


class ChargeDifference(Base):
    """What a vendor billed for a subscription in a month that differs from what it is charged here."""

    __tablename__ = "charge_difference"
    __table_args__ = (
        Index("ix_charge_difference_period", "period"),
        CheckConstraint(
            "kind IN ('timing', 'quantity', 'price', 'promotion', 'currency', 'unknown')",
            name="kind_is_known",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    period: Mapped[int]
    vendor: Mapped[str]
    account: Mapped[str]
    # As the vendor's bill names it; blank where it is not known here.
    subscription: Mapped[str]
    subscription_id: Mapped[int | None]
    # Who has the subscription, or the account it is billed for; blank where that is nobody's.
    customer_id: Mapped[int | None]
    product: Mapped[str]
    kind: Mapped[str]
    # Blank where whole subscriptions differ.
    charge_type: Mapped[str]
    charged_on: Mapped[date | None]
    # Exact, in `currency`.
    billed: Mapped[Decimal]
    own: Mapped[Decimal]
    billed_quantity: Mapped[Decimal]
    own_quantity: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    # Somebody looked at it and said what becomes of it.
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")


class Question(Base):
    """A question about a line, put by its buyer to its seller (or by staff), and answered there."""

    __tablename__ = "question"
    __table_args__ = (Index("ix_question_line", "line_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    period: Mapped[int]
    line_id: Mapped[UUID]
    hop: Mapped[str]
    reseller_id: Mapped[int] = mapped_column(index=True)
    customer_id: Mapped[int] = mapped_column(index=True)
    # Who is to answer: wholesaler or reseller.
    addressed_to: Mapped[str]
    asked_by: Mapped[str]
    asked_by_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    answered_at: Mapped[datetime | None]

    messages: Mapped[list["QuestionMessage"]] = relationship(
        back_populates="question", lazy="raise", order_by="QuestionMessage.id"
    )


class QuestionMessage(Base):
    """One message of the exchange about a line."""

    __tablename__ = "question_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), index=True)
    audience: Mapped[str]
    author: Mapped[str]
    author_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    text: Mapped[str]

    question: Mapped[Question] = relationship(back_populates="messages", lazy="raise")
