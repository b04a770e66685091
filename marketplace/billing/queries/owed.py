"""What a buyer owes for a month: by customer, by product, by day, and line by line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from marketplace.billing.models import BillingPeriod, PeriodStatus, Statement, StatementLine
from marketplace.billing.queries.consumption import amounts_by_day
from marketplace.billing.queries.months import FINAL, word_for
from marketplace.billing.queries.paid import IS_CLOSED, LEFT
from marketplace.billing.queries.selection import Selection
from marketplace.billing.queries.visible import lines_visible_to, statements_visible_to
from marketplace.core.actor import Actor
from marketplace.core.money import Money
from marketplace.core.period import DateRange, Period
from resellers.models import Customer, Hop, Reseller


@dataclass(frozen=True, kw_only=True)
class OwedForCustomer:
    """What is owed for one customer."""

    id: UUID
    customer: str
    reference: str
    lines: int
    amount: Money


@dataclass(frozen=True, kw_only=True)
class OwedForProduct:
    """What is owed for one product."""

    vendor: str
    product: str
    customers: int
    lines: int
    amount: Money


@dataclass(frozen=True, kw_only=True)
class OwedForDay:
    """What is owed for one day; no day for corrections of earlier months."""

    day: date | None
    amount: Money


@dataclass(frozen=True, kw_only=True)
class StatementRow:
    """A document as lists show it."""

    id: UUID
    period: Period
    status: str
    hop: str
    customer_id: UUID
    customer: str
    # Who bought it, or sold it to the customer: another than today's where the customer has moved since.
    reseller: str
    has_moved: bool
    lines: int
    currency: str
    # None while it waits for an exchange rate.
    total: Money | None
    parked_pair: str
    # The last day on which it is paid in time, and what is left of it; None before its month is closed.
    due_on: date | None
    left: Money | None

    @property
    def word(self) -> str:
        """The one word that says where the document stands."""
        return "parked" if self.parked_pair else self.status

    @property
    def payment(self) -> str:
        """The one word that says how far it is paid; blank before its month is closed."""
        if self.left is None or self.total is None:
            return ""
        if not self.left.minor:
            return "paid"
        return "unpaid" if self.left == self.total else "partly_paid"

    def is_overdue(self, today: date) -> bool:
        """Whether something of it should have been paid by now."""
        return bool(self.due_on and self.left and self.due_on < today and self.left.minor > 0)


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """A line as its buyer sees it in lists: nothing of cost, basis or percentage."""

    id: UUID
    period: Period
    corrects: Period | None
    customer_id: UUID
    customer: str
    vendor: str
    account: str
    subscription: str
    product: str
    sku: str
    meter: str
    charge_category: str
    charge_type: str
    days: DateRange
    quantity: Decimal
    unit: str
    amount: Money
    source_rows: int

    @property
    def name(self) -> str:
        """The product, or whatever else the vendor called it."""
        return self.product or self.sku or self.meter or self.charge_category


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a month's lines can be narrowed to."""

    customers: tuple[tuple[UUID, str], ...]
    vendors: tuple[str, ...]
    products: tuple[str, ...]
    accounts: tuple[str, ...]


def owed_by_customer(session: Session, *, actor: Actor, selection: Selection) -> list[OwedForCustomer]:
    """Give what is owed for each customer of a selection, the largest amount first."""
    names = {
        number: (public_id, name, reference)
        for number, public_id, name, reference in session.execute(
            select(Customer.id, Customer.public_id, Customer.legal_name, Customer.reference)
        )
    }
    totals = _by(session, actor, selection, "customer")
    rows = [
        OwedForCustomer(
            id=names[key][0], customer=names[key][1], reference=names[key][2], lines=lines, amount=amount
        )
        for (key,), amount, lines, _ in totals
    ]
    return sorted(rows, key=lambda row: (-row.amount.minor, row.customer))


def owed_by_product(session: Session, *, actor: Actor, selection: Selection) -> list[OwedForProduct]:
    """Give what is owed for each product of a selection, the largest amount first."""
    rows = [
        OwedForProduct(vendor=vendor, product=product, customers=customers, lines=lines, amount=amount)
        for (vendor, product), amount, lines, customers in _by(session, actor, selection, "vendor", "product")
    ]
    return sorted(rows, key=lambda row: (-row.amount.minor, row.vendor, row.product))


def owed_by_day(session: Session, *, actor: Actor, selection: Selection) -> list[OwedForDay]:
    """Give what is owed for each day of a selection, in their order, corrections of earlier months last."""
    rows = [
        OwedForDay(day=found.day, amount=found.amount)
        for found in amounts_by_day(session, actor=actor, selection=selection, keep=())
    ]
    return sorted(rows, key=lambda row: (row.day is None, row.day or date.max, row.amount.currency))


def _by(
    session: Session, actor: Actor, selection: Selection, *keep: str
) -> Iterable[tuple[tuple[Any, ...], Money, int, int]]:
    """Add a selection up by some keys: (keys, amount, lines, customers).

    For one day the amounts are the parts of lines that fall on it; how many lines that are is not told then.
    """
    columns = {
        "customer": StatementLine.customer_id,
        "vendor": StatementLine.vendor,
        "product": StatementLine.product,
    }
    kept = [columns[name] for name in keep]
    if selection.day:
        found = amounts_by_day(session, actor=actor, selection=selection, keep=keep)
        names = {"customer": "customer_id"}
        return [
            (tuple(getattr(one, names.get(name, name)) for name in keep), one.amount, 0, 0) for one in found
        ]
    statement = (
        selection.lines(actor)
        .with_only_columns(
            *kept,
            StatementLine.currency,
            func.sum(StatementLine.amount_minor),
            func.count(),
            func.count(StatementLine.customer_id.distinct()),
        )
        .group_by(*kept, StatementLine.currency)
    )
    rows: list[tuple[Any, ...]] = [tuple(row) for row in session.execute(statement)]
    width = len(keep)
    return [
        (row[:width], Money(int(row[width + 1]), row[width]), row[width + 2], row[width + 3]) for row in rows
    ]


def choices_of(session: Session, *, actor: Actor, selection: Selection) -> Choices:
    """Give what a month can be narrowed to: whatever it has lines for, whatever else is chosen."""
    whole = Selection(hop=selection.hop, period=selection.period)
    return _choices(session, whole.lines(actor))


def choices_of_statement(session: Session, *, actor: Actor, statement: StatementRow) -> Choices:
    """Give what the lines of a document can be narrowed to."""
    return _choices(session, _lines_on(actor, statement))


def _choices(session: Session, lines: Select[*tuple[Any, ...]]) -> Choices:
    found = session.execute(
        lines.join(Customer, Customer.id == StatementLine.customer_id)
        .with_only_columns(
            Customer.public_id,
            Customer.legal_name,
            StatementLine.vendor,
            StatementLine.product,
            StatementLine.account,
        )
        .distinct()
    ).all()
    return Choices(
        customers=tuple(sorted({(row[0], row[1]) for row in found}, key=lambda one: one[1].casefold())),
        vendors=tuple(sorted({row[2] for row in found if row[2]})),
        products=tuple(sorted({row[3] for row in found if row[3]}, key=str.casefold)),
        accounts=tuple(sorted({row[4] for row in found if row[4]})),
    )


def statements(actor: Actor, *, hop: Hop) -> Select[*tuple[Any, ...]]:
    """Select `statement_row`'s columns of the documents of a hop."""
    return (
        statements_visible_to(actor)
        .where(Statement.hop == hop.value)
        .join(Customer, Customer.id == Statement.customer_id)
        .join(Reseller, Reseller.id == Statement.reseller_id)
        .join(BillingPeriod, BillingPeriod.period == Statement.period)
        .with_only_columns(
            Statement.id,
            Statement.period,
            BillingPeriod.status,
            Statement.hop,
            Customer.public_id,
            Customer.legal_name,
            Reseller.legal_name,
            Customer.reseller_id != Statement.reseller_id,
            Statement.lines,
            Statement.currency,
            Statement.total_minor,
            Statement.parked_pair,
            Statement.due_on,
            LEFT,
        )
    )


def has_status(word: str) -> ColumnElement[bool]:
    """Narrow documents to `closed` or `estimate`."""
    return IS_CLOSED if word == FINAL else ~IS_CLOSED


def is_paid(word: str) -> ColumnElement[bool]:
    """Narrow documents to closed ones that are `paid`, or of which something is left."""
    return IS_CLOSED & (LEFT == 0 if word == "paid" else LEFT != 0)


def statement_row(found: Any) -> StatementRow:
    """Make the row of a list from what `statements` gives."""
    id_, period, status, hop, customer_id, customer, reseller, has_moved, lines, currency, *rest = found
    minor, parked_pair, due_on, left = rest
    return StatementRow(
        id=id_,
        period=Period.from_number(period),
        status=word_for(status),
        hop=hop,
        customer_id=customer_id,
        customer=customer,
        reseller=reseller,
        has_moved=has_moved,
        lines=lines,
        currency=currency,
        total=None if minor is None else Money(minor, currency),
        parked_pair=parked_pair,
        due_on=due_on,
        left=Money(int(left), currency) if status == PeriodStatus.CLOSED else None,
    )


def statements_of_month(
    session: Session, *, actor: Actor, hop: Hop, periods: Sequence[Period]
) -> list[StatementRow]:
    """Give the documents of some months, the newest first."""
    wanted = statements(actor, hop=hop).where(Statement.period.in_([period.number for period in periods]))
    return [
        statement_row(found)
        for found in session.execute(wanted.order_by(Statement.period.desc(), Statement.id))
    ]


def find_statement(session: Session, *, actor: Actor, hop: Hop, statement_id: UUID) -> StatementRow | None:
    """Give one document, None where there is none or it is somebody else's."""
    found = session.execute(statements(actor, hop=hop).where(Statement.id == statement_id)).one_or_none()
    return statement_row(found) if found else None


def lines_of(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Select `line_row`'s columns of some visible lines."""
    return statement.join(Customer, Customer.id == StatementLine.customer_id).with_only_columns(
        StatementLine.id,
        StatementLine.period,
        StatementLine.corrects,
        Customer.public_id,
        Customer.legal_name,
        StatementLine.vendor,
        StatementLine.account,
        StatementLine.subscription,
        StatementLine.product,
        StatementLine.sku,
        StatementLine.meter,
        StatementLine.charge_category,
        StatementLine.charge_type,
        StatementLine.charge_from,
        StatementLine.charge_until,
        StatementLine.quantity,
        StatementLine.unit,
        StatementLine.amount_minor,
        StatementLine.currency,
        StatementLine.source_rows,
    )


def lines_of_statement(actor: Actor, statement: StatementRow) -> Select[*tuple[Any, ...]]:
    """Select the lines of one document."""
    return lines_of(_lines_on(actor, statement))


def _lines_on(actor: Actor, statement: StatementRow) -> Select[*tuple[Any, ...]]:
    return lines_visible_to(actor).where(
        StatementLine.period == statement.period.number, StatementLine.statement_id == statement.id
    )


def line_row(found: Any) -> LineRow:
    """Make the row of a list from what `lines_of` gives."""
    (
        id_,
        period,
        corrects,
        customer_id,
        customer,
        vendor,
        account,
        subscription,
        product,
        sku,
        meter,
        *rest,
    ) = found
    category, type_, first, until, quantity, unit, minor, currency, source_rows = rest
    return LineRow(
        id=id_,
        period=Period.from_number(period),
        corrects=Period.from_number(corrects) if corrects else None,
        customer_id=customer_id,
        customer=customer,
        vendor=vendor,
        account=account,
        subscription=subscription,
        product=product,
        sku=sku,
        meter=meter,
        charge_category=category,
        charge_type=type_,
        days=DateRange(first, until),
        quantity=quantity,
        unit=unit,
        amount=Money(minor, currency),
        source_rows=source_rows,
    )


@dataclass(frozen=True, kw_only=True)
class LinePage:
    """A line with the document it stands on."""

    line: LineRow
    hop: Hop
    statement_id: UUID
    # The firm that bought it, or sold it to the customer.
    reseller: str
    status: str

    @property
    def is_final(self) -> bool:
        """Whether the amount stands for good."""
        return self.status == "closed"


def find_line(session: Session, *, actor: Actor, line_id: UUID) -> LinePage | None:
    """Give one line of the actor's own hops, None where there is none or it is somebody else's."""
    statement = lines_of(lines_visible_to(actor).where(StatementLine.id == line_id))
    statement = (
        statement.join(BillingPeriod, BillingPeriod.period == StatementLine.period)
        .join(Reseller, Reseller.id == StatementLine.reseller_id)
        .add_columns(StatementLine.hop, StatementLine.statement_id, Reseller.legal_name, BillingPeriod.status)
    )
    found = session.execute(statement).one_or_none()
    if found is None:
        return None
    *line, hop, statement_id, reseller, status = found
    return LinePage(
        line=line_row(line),
        hop=Hop(hop),
        statement_id=statement_id,
        reseller=reseller,
        status=word_for(status),
    )
