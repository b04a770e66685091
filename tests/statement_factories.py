"""Periods, statements and lines made directly, for tests of pages that show them.

The close writes these tables as their owner, so the session must be the owner's (`owner_transaction()`).
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.billing.models import (
    BillingPeriod,
    CloseRun,
    PeriodBalance,
    PeriodStatus,
    RunStatus,
    Statement,
    StatementCost,
    StatementLine,
    UnmappedAmount,
)
from marketplace.core.currency import minor_units
from marketplace.core.errors import Phrase
from marketplace.core.period import Period
from marketplace.core.rounding import to_minor
from marketplace.usage.models import Delivery, DeliveryFile, DeliverySlice, DeliveryStatus
from resellers.models import Basis, Customer, Hop, PriceRule
from resellers.queries.standing import USUAL_PAYMENT_DAYS

_accounts = count(1)
NOON = datetime(2024, 10, 2, 12, 0, tzinfo=UTC)


def make_period(
    session: Session,
    period: str = "2024-09",
    *,
    status: PeriodStatus = PeriodStatus.RATED,
    rated_by: str = "Wanda",
    rated_by_id: int | None = 1,
    summary: dict[str, object] | None = None,
    changes: dict[str, object] | None = None,
) -> BillingPeriod:
    """Make a period with the run that rated it, and room for its statements and lines."""
    number = Period.parse(period).number
    for table in ("statement", "statement_line"):
        part = f"{table}_p{number}_t"
        values = f"FOR VALUES IN ({number})"
        session.execute(text(f"CREATE TABLE IF NOT EXISTS {part} PARTITION OF {table} {values}"))
    run = make_run(session, period, summary=summary, changes=changes, started_by=rated_by)
    is_closed = status is PeriodStatus.CLOSED
    stored = session.merge(
        BillingPeriod(
            period=number,
            status=status.value,
            run_id=run.id,
            fingerprint="f1",
            rated_at=NOON,
            rated_by=rated_by,
            rated_by_id=rated_by_id,
            closed_at=NOON + timedelta(days=1) if is_closed else None,
            closed_by="Walter" if is_closed else "",
        )
    )
    session.flush()
    return stored


def make_run(
    session: Session,
    period: str = "2024-09",
    *,
    status: RunStatus = RunStatus.DONE,
    stage: str = "",
    done: int = 0,
    total: int = 0,
    error: str | None = None,
    started_by: str = "Wanda",
    summary: dict[str, object] | None = None,
    changes: dict[str, object] | None = None,
) -> CloseRun:
    """Make a run of the close."""
    has_ended = status not in {RunStatus.QUEUED, RunStatus.RUNNING}
    run = CloseRun(
        public_id=uuid4(),
        period=Period.parse(period).number,
        status=status.value,
        stage=stage,
        done=done,
        total=total,
        error=error and Phrase.verbatim(error),
        started_by=started_by,
        started_by_id=1,
        created_at=NOON - timedelta(minutes=2),
        started_at=NOON - timedelta(minutes=2),
        ended_at=NOON if has_ended else None,
        slice_ids=[],
        corrects={},
        summary=summary or {},
        changes=changes or {},
    )
    session.add(run)
    session.flush()
    return run


def make_line(
    session: Session,
    *,
    customer: Customer,
    hop: Hop = Hop.WHOLESALE,
    period: str = "2024-09",
    amount: Decimal | str = "110",
    cost: Decimal | str = "100",
    currency: str = "EUR",
    row_currency: str = "EUR",
    vendor: str = "microsoft",
    account: str = "tenant-1",
    product: str = "Azure plan",
    sku: str = "",
    meter: str = "",
    basis: Basis = Basis.COST,
    percent: Decimal | str | None = "10",
    rule: PriceRule | None = None,
    gap: str = "",
    quantity: Decimal | str = "30",
    days: int = 30,
    corrects: str | None = None,
    charge_category: str = "Usage",
) -> StatementLine:
    """Make a line, spread evenly over the first days of its period, on the statement of its document."""
    month = Period.parse(period)
    exact = Decimal(amount)
    line = StatementLine(
        id=uuid4(),
        period=month.number,
        corrects=Period.parse(corrects).number if corrects else None,
        group_id=uuid4(),
        statement_id=_statement(session, customer=customer, hop=hop, period=month, currency=currency).id,
        hop=hop.value,
        reseller_id=customer.reseller_id,
        customer_id=customer.id,
        vendor=vendor,
        account=account,
        subscription="",
        product=product,
        sku=sku,
        meter=meter,
        unit="Hours",
        charge_category=charge_category,
        charge_type="",
        charge_from=month.start,
        charge_until=month.start + timedelta(days=days),
        quantity=Decimal(quantity),
        rule_id=rule.id if rule else None,
        basis=basis.value,
        basis_amount=Decimal(cost),
        basis_currency=row_currency,
        percent=None if percent is None else Decimal(percent),
        unit_price=None,
        fx_rate=Decimal(1),
        exact_amount=exact,
        amount_minor=to_minor(exact, currency),
        currency=currency,
        source_rows=days,
        gap=gap,
        upper_rule_id=None,
        upper_basis="" if hop is Hop.WHOLESALE else Basis.COST.value,
        cost=Decimal(cost),
        row_currency=row_currency,
        days=[month.start + timedelta(days=day) for day in range(days)],
        day_basis=[Decimal(cost) / days] * days,
        day_factor=exact / Decimal(cost) if Decimal(cost) else Decimal(0),
        worth=exact if corrects else None,
        billed=Decimal(0) if corrects else None,
    )
    session.add(line)
    session.flush()
    _add_up(session, line)
    return line


def make_parked(
    session: Session,
    *,
    customer: Customer,
    hop: Hop = Hop.WHOLESALE,
    period: str = "2024-09",
    currency: str = "EUR",
    pair: str = "USD>EUR",
    cost: str = "12.50",
) -> Statement:
    """Make a document that waits for an exchange rate."""
    statement = Statement(
        id=uuid4(),
        period=Period.parse(period).number,
        hop=hop.value,
        reseller_id=customer.reseller_id,
        customer_id=customer.id,
        currency=currency,
        total_minor=None,
        exact_total=Decimal(0),
        lines=0,
        parked_pair=f"{pair} {period}",
        parked_cost={pair[:3]: cost},
    )
    session.add(statement)
    session.flush()
    return statement


def make_unmapped(
    session: Session,
    *,
    account: str | None = None,
    vendor: str = "microsoft",
    cost: str = "42.10",
    currency: str = "EUR",
    period: str = "2024-09",
    product: str = "Azure plan",
    first_day: date | None = None,
    last_day: date | None = None,
) -> UnmappedAmount:
    """Make usage of an account that nobody owns."""
    month = Period.parse(period)
    amount = UnmappedAmount(
        period=month.number,
        usage_period=month.number,
        vendor=vendor,
        billing_account="",
        account=account or f"account-{next(_accounts)}",
        currency=currency,
        source_rows=12,
        cost=Decimal(cost),
        cost_minor=to_minor(Decimal(cost), currency),
        first_day=first_day or month.start,
        last_day=last_day or month.start + timedelta(days=9),
        product=product,
    )
    session.add(amount)
    session.flush()
    return amount


def make_balance(
    session: Session,
    *,
    period: str = "2024-09",
    vendor: str = "microsoft",
    billing_account: str = "",
    currency: str = "EUR",
    cost: str = "100",
    tax: str = "0",
    unmapped: str = "0",
    parked: str = "0",
    rounding: str = "0",
    is_reconciled: bool = True,
    corrects: str | None = None,
) -> PeriodBalance:
    """Make a balance whose bill is the sum of its parts."""
    parts = [to_minor(Decimal(part), currency) for part in (cost, tax, unmapped, parked, rounding)]
    balance = PeriodBalance(
        period=Period.parse(period).number,
        corrects=Period.parse(corrects).number if corrects else None,
        vendor=vendor,
        billing_account=billing_account,
        currency=currency,
        bill_minor=sum(parts),
        bill_is_reconciled=is_reconciled,
        detail=Decimal(sum(parts)).scaleb(-minor_units(currency)),
        cost_minor=parts[0],
        tax_minor=parts[1],
        unmapped_minor=parts[2],
        parked_minor=parts[3],
        rounding_minor=parts[4],
    )
    session.add(balance)
    session.flush()
    return balance


def make_delivery(
    session: Session,
    *,
    name: str = "usage.csv",
    vendor: str = "microsoft",
    billing_account: str = "",
    period: str = "2024-09",
    status: DeliveryStatus = DeliveryStatus.CURRENT,
    rows: int = 100,
    rejected: int = 0,
    cost: str = "100",
    currency: str = "EUR",
    file_kind: str = "own",
    error: str | None = None,
    replaces: Delivery | None = None,
    notes: list[str] | None = None,
    look_alikes: int = 0,
    created_by: str = "Wanda",
) -> Delivery:
    """Make a delivery of one file for one period."""
    month = Period.parse(period)
    delivery = Delivery(
        public_id=uuid4(),
        vendor=vendor,
        billing_account=billing_account,
        period=None,
        status=status.value,
        fingerprint=uuid4().hex,
        replaces_id=replaces.id if replaces else None,
        rows=rows,
        accepted=rows - rejected,
        rejected=rejected,
        look_alikes=look_alikes,
        error=error and Phrase.verbatim(error),
        created_by=created_by,
        created_by_id=1,
        created_at=NOON,
        current_at=NOON if status is DeliveryStatus.CURRENT else None,
    )
    session.add(delivery)
    session.flush()
    session.add(
        DeliveryFile(
            delivery_id=delivery.id,
            number=1,
            name=name,
            sha256="0" * 64,
            size=12_345,
            path=f"{delivery.public_id}/1",
            format="own form",
            file_kind=file_kind,
            rows=rows,
            accepted=rows - rejected,
            rejected=rejected,
            notes=notes or [],
        )
    )
    if status in {DeliveryStatus.CURRENT, DeliveryStatus.REPLACED, DeliveryStatus.UNDONE}:
        by_day = Decimal(cost) / 10
        session.add(
            DeliverySlice(
                delivery_id=delivery.id,
                vendor=vendor,
                billing_account=billing_account,
                period=month.number,
                file_kind=file_kind,
                is_current=status is DeliveryStatus.CURRENT,
                accepted=rows - rejected,
                cost={currency: cost},
                cost_by_day={
                    (month.start + timedelta(days=day)).isoformat(): {currency: f"{by_day:f}"}
                    for day in range(10)
                },
                cost_by_invoice={},
                lake_files=[],
                facts={},
            )
        )
    session.flush()
    return delivery


def _statement(session: Session, *, customer: Customer, hop: Hop, period: Period, currency: str) -> Statement:
    statement = session.scalar(
        select(Statement).where(
            Statement.period == period.number,
            Statement.hop == hop.value,
            Statement.customer_id == customer.id,
            Statement.currency == currency,
            Statement.parked_pair == "",
        )
    )
    if statement is None:
        standing = session.get(BillingPeriod, period.number)
        closed_at = standing.closed_at if standing else None
        statement = Statement(
            id=uuid4(),
            period=period.number,
            hop=hop.value,
            reseller_id=customer.reseller_id,
            customer_id=customer.id,
            currency=currency,
            total_minor=0,
            exact_total=Decimal(0),
            lines=0,
            parked_pair="",
            parked_cost={},
            due_on=closed_at and closed_at.date() + timedelta(days=USUAL_PAYMENT_DAYS),
        )
        session.add(statement)
        session.flush()
    return statement


def _add_up(session: Session, line: StatementLine) -> None:
    """Keep the statement's total and its cost in step with its lines."""
    statement = session.get_one(Statement, (line.period, line.statement_id))
    statement.total_minor = (statement.total_minor or 0) + line.amount_minor
    statement.exact_total += line.exact_amount
    statement.lines += 1
    if line.hop != Hop.WHOLESALE.value:
        session.flush()
        return
    cost = session.scalar(
        select(StatementCost).where(
            StatementCost.statement_id == statement.id,
            StatementCost.vendor == line.vendor,
            StatementCost.currency == line.row_currency,
        )
    )
    if cost is None:
        cost = StatementCost(
            period=line.period,
            statement_id=statement.id,
            reseller_id=line.reseller_id,
            customer_id=line.customer_id,
            vendor=line.vendor,
            currency=line.row_currency,
            cost=Decimal(0),
            cost_minor=0,
        )
        session.add(cost)
    cost.cost += line.cost
    cost.cost_minor = to_minor(cost.cost, cost.currency)
    session.flush()
