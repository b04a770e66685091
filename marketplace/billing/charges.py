"""What subscriptions are charged in a month, as rows of the lake: made from their histories, beside what vendors bill.

The rows of a vendor are kept as a delivery of our own, so that statements, explanations and corrections find them as
they find any others. They are made anew when a history has changed, and take the place of the older ones only where
they differ.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.csv import WriteOptions, write_csv
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from catalog.words import BillingCycle, Term
from marketplace.billing.sources import CHARGES
from marketplace.core.clock import utc_now
from marketplace.core.period import Period
from marketplace.rating.exact import add, plain
from marketplace.rating.proration import Charge, ChargeKind, Segment, UnitPrice, charges_of
from marketplace.usage.lake import Lake, usage_path
from marketplace.usage.models import Delivery, DeliverySlice, DeliveryStatus

_CATEGORY = "Purchase"
_AMOUNT = pa.decimal128(38, 18)
_LAKE = pa.schema(
    [
        ("file_no", pa.int32()),
        ("row", pa.int64()),
        ("billing_account", pa.string()),
        ("account", pa.string()),
        ("subscription", pa.string()),
        ("product", pa.string()),
        ("sku", pa.string()),
        ("meter", pa.string()),
        ("unit", pa.string()),
        ("charge_category", pa.string()),
        ("charge_type", pa.string()),
        ("usage_date", pa.date32()),
        ("charge_from", pa.date32()),
        ("charge_until", pa.date32()),
        ("quantity", _AMOUNT),
        ("cost", _AMOUNT),
        ("currency", pa.string()),
        ("list_unit_price", _AMOUNT),
        ("list_fx", _AMOUNT),
        ("list_cost", _AMOUNT),
        ("is_committed", pa.bool_()),
        ("provider", pa.string()),
        ("invoice", pa.string()),
        ("file_kind", pa.string()),
        # Beyond the lake's own columns: the day that chooses the price rule, and what made the amount.
        ("price_day", pa.date32()),
        ("term", pa.string()),
        ("billing_cycle", pa.string()),
        ("seats", pa.int64()),
        ("whole_days", pa.int32()),
    ]
)


class _Sold(NamedTuple):
    """What statements name a subscription's units by."""

    vendor: str
    account: str
    subscription: str
    currency: str
    product: str
    sku: str
    unit: str


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A charge, with what was sold."""

    sold: _Sold
    charge: Charge
    segment: Segment
    # What the vendor's promotion takes off the full price of the term, in percent.
    percent_off: Decimal = Decimal(0)


def charges_billed(
    session: Session, period: Period, *, only: int | None = None, customer: int | None = None
) -> Iterator[ChargeRow]:
    """Give the charges of subscriptions billed in a month, in one query: of all by their order, of one, of a customer."""
    rows = session.execute(
        text(_SEGMENTS),
        {"first": period.start, "until": period.end, "only": only, "customer": customer},
        execution_options={"yield_per": 10_000},
    )
    for _, of_subscription in groupby(rows, lambda row: row[0]):
        names: list[_Sold] = []
        history: list[Segment] = []
        percents: list[Decimal] = []
        for row in of_subscription:
            names.append(_Sold(*row[1:8]))
            percents.append(row[8])
            history.append(_segment(*row[9:]))
        for charge in _billed(history, period):
            place = charge.sold_as
            yield ChargeRow(names[place], charge, history[place], percents[place])


_SEGMENTS = """
    SELECT s.id, s.vendor, s.vendor_account, coalesce(nullif(s.vendor_subscription_id, ''), s.public_id::text),
           s.currency, g.product, g.sku, g.unit, coalesce(p.percent, 0),
           g.kind, (g.at AT TIME ZONE 'UTC')::date, g.since, g.quantity, g.term_start,
           coalesce(g.term_end, g.term_start + 1), g.term, g.billing_cycle, c.unit_cost, g.unit_list
    FROM subscription s
    JOIN subscription_segment g ON g.subscription_id = s.id
    JOIN segment_cost c ON c.segment_id = g.id
    LEFT JOIN promotion p ON p.id = g.promotion_id
    WHERE g.kind NOT IN ('suspend', 'resume', 'expire') AND g.at < CAST(:until AS date)
      AND (coalesce(g.term_end, g.term_start + 1) > :first OR g.at >= CAST(:first AS date))
      AND (CAST(:only AS bigint) IS NULL OR s.id = :only)
      AND (CAST(:customer AS bigint) IS NULL OR s.customer_id = :customer)
    ORDER BY s.id, g.number
"""


def _segment(
    kind: str,
    happened_on: date,
    since: date,
    quantity: int,
    term_start: date,
    term_end: date,
    term: str,
    billing_cycle: str,
    cost: Decimal,
    listed: Decimal | None,
) -> Segment:
    return Segment(
        _KINDS[kind],
        happened_on,
        since,
        quantity,
        UnitPrice(_TERMS[term], _CYCLES[billing_cycle], cost, listed),
        term_start,
        term_end,
    )


_KINDS = {kind.value: kind for kind in ChargeKind}
_TERMS = {term.value: term for term in Term}
_CYCLES = {cycle.value: cycle for cycle in BillingCycle}


def _billed(history: Sequence[Segment], period: Period) -> Iterator[Charge]:
    """Give what is billed in a month. Most subscriptions do not change: those that are alike are worked out once."""
    if len(history) == 1:
        for charge in _billed_alike(replace(history[0], quantity=1), period):
            yield replace(charge, quantity=history[0].quantity)
        return
    for charge in charges_of(history, until=period.end):
        if charge.billed_on >= period.start:
            yield charge


@lru_cache(maxsize=50_000)
def _billed_alike(one_seat: Segment, period: Period) -> tuple[Charge, ...]:
    return tuple(c for c in charges_of([one_seat], until=period.end) if c.billed_on >= period.start)


# --- As a delivery of our own ---------------------------------------------------------------------------------------


def refresh_charges(session: Session, period: Period, *, lake: Path) -> None:
    """Make the charges of a month anew where a history has changed since they were made."""
    fingerprint = charges_fingerprint(session, period)
    made = (
        select(Delivery)
        .join(DeliverySlice, DeliverySlice.delivery_id == Delivery.id)
        .where(DeliverySlice.period == period.number, DeliverySlice.is_current)
        .where(DeliverySlice.file_kind == CHARGES)
    )
    standing = {one.vendor: one for one in session.scalars(made)}
    if not fingerprint and not standing:
        return
    if standing and all(one.fingerprint.partition(":")[0] == fingerprint for one in standing.values()):
        return
    accounts = _billing_accounts(session, period)
    by_vendor: dict[str, list[ChargeRow]] = defaultdict(list)
    for row in charges_billed(session, period):
        by_vendor[row.sold.vendor].append(row)
    for vendor in sorted(by_vendor.keys() | standing.keys()):
        table, sums = _table(by_vendor.get(vendor, []), accounts.get(vendor, ""))
        content = f"{fingerprint}:{_digest(table)}"
        old = standing.get(vendor)
        if old is not None and old.fingerprint.partition(":")[2] == content.partition(":")[2]:
            old.fingerprint = content
            continue
        new = _write(session, vendor, period, content, table, sums, lake=lake)
        if old is not None:
            _retire(session, old, new)
    session.flush()


def charges_fingerprint(session: Session, period: Period) -> str:
    """Digest what charges of a month are made from; blank where no subscription's term reaches into it.

    Segments never change, so their number and ids are enough.
    """
    values = {"first": period.start, "until": period.end, "period": period.number}
    return session.scalar(text(_FINGERPRINT), values) or ""


# What a charge is billed by hangs on segments that began before the month ended and whose term reaches into it, on the
# names subscriptions go by, and on the billing account of the vendor's own bill.
_FINGERPRINT = """
    SELECT CASE WHEN count(*) > 0 THEN md5(concat_ws('|', count(*), sum(g.id),
        sum(hashtextextended(concat_ws(',', s.vendor_account, s.vendor_subscription_id), s.id)::numeric),
        (SELECT string_agg(DISTINCT d.vendor || ',' || d.billing_account, ';') FROM delivery_slice d
         WHERE d.period = :period AND d.is_current AND d.file_kind = 'reconciliation'))) END
    FROM subscription_segment g JOIN subscription s ON s.id = g.subscription_id
    WHERE g.kind NOT IN ('suspend', 'resume', 'expire') AND g.at < CAST(:until AS date)
      AND (coalesce(g.term_end, g.term_start + 1) > :first OR g.at >= CAST(:first AS date))
"""


def _billing_accounts(session: Session, period: Period) -> dict[str, str]:
    """Give the billing account of each vendor's own bill of the month, where it has one."""
    rows = session.execute(
        select(DeliverySlice.vendor, DeliverySlice.billing_account)
        .where(
            DeliverySlice.period == period.number,
            DeliverySlice.is_current,
            DeliverySlice.file_kind == "reconciliation",
        )
        .order_by(DeliverySlice.vendor, DeliverySlice.billing_account.desc())
    )
    return {vendor: billing_account for vendor, billing_account in rows}  # noqa: C416 - rows are no pairs to mypy


@dataclass(slots=True)
class _Sums:
    """What a slice says of its rows."""

    cost: dict[str, Decimal]
    by_day: dict[str, dict[str, Decimal]]


def _table(rows: Sequence[ChargeRow], billing_account: str) -> tuple[pa.Table, _Sums]:
    sums = _Sums({}, {})
    columns: dict[str, list[Any]] = {name: [] for name in _VARYING}
    for one in rows:
        sold, charge, segment = one.sold, one.charge, one.segment
        cost = charge.cost
        currency, day = sold.currency, charge.billed_on.isoformat()
        sums.cost[currency] = add(sums.cost.get(currency, Decimal(0)), cost)
        of_day = sums.by_day.setdefault(day, {})
        of_day[currency] = add(of_day.get(currency, Decimal(0)), cost)
        values = (
            *(sold.account, sold.subscription, sold.product, sold.sku, sold.unit, charge.kind.value),
            *(charge.billed_on, charge.start, charge.end, charge.cycles, cost, currency, charge.listed),
            *(segment.term_start, segment.price.term.value, segment.price.billing_cycle.value),
            *(charge.quantity, charge.whole_days),
        )
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    count = len(rows)
    constant: dict[str, Any] = {
        "file_no": 0,
        "billing_account": billing_account,
        "meter": "",
        "charge_category": _CATEGORY,
        "list_unit_price": None,
        "list_fx": None,
        "is_committed": False,
        "provider": "",
        "invoice": "",
        "file_kind": CHARGES,
    }
    arrays = {
        field.name: pa.repeat(pa.scalar(constant[field.name], field.type), count)
        if field.name in constant
        else pa.array(range(1, count + 1) if field.name == "row" else columns[field.name], field.type)
        for field in _LAKE
    }
    return pa.table(arrays, _LAKE), sums


_VARYING = (
    *("account", "subscription", "product", "sku", "unit", "charge_type"),
    *("usage_date", "charge_from", "charge_until", "quantity", "cost", "currency", "list_cost"),
    *("price_day", "term", "billing_cycle", "seats", "whole_days"),
)


def _digest(table: pa.Table) -> str:
    rows = pa.BufferOutputStream()
    write_csv(table, rows, WriteOptions(include_header=False))
    return sha256(rows.getvalue()).hexdigest()


def _write(
    session: Session,
    vendor: str,
    period: Period,
    fingerprint: str,
    table: pa.Table,
    sums: _Sums,
    *,
    lake: Path,
) -> Delivery:
    """Keep the rows in the lake, as a delivery that counts."""
    delivery = Delivery(
        vendor=vendor,
        period=period.number,
        status=DeliveryStatus.MADE.value,
        fingerprint=fingerprint,
        rows=len(table),
        accepted=len(table),
        current_at=utc_now(),
    )
    session.add(delivery)
    session.flush()  # its place in the lake is named by its id
    path = usage_path(period=period.number, vendor=vendor, delivery_id=delivery.id, file=CHARGES)
    made = lake / f".charges-{delivery.id}.parquet"
    made.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, made, compression="zstd")
    Lake(str(lake)).put(made, path)
    days = sorted(sums.by_day)
    first_price_day = str(pc.min(table["price_day"]).as_py())
    session.add(
        DeliverySlice(
            delivery_id=delivery.id,
            vendor=vendor,
            billing_account=table["billing_account"][0].as_py() if len(table) else "",
            period=period.number,
            file_kind=CHARGES,
            is_current=True,
            accepted=len(table),
            cost={currency: plain(cost) for currency, cost in sorted(sums.cost.items())},
            cost_by_day={
                day: {currency: plain(cost) for currency, cost in sorted(sums.by_day[day].items())}
                for day in days
            },
            lake_files=[path],
            facts={"first_day": days[0], "last_day": days[-1], "first_price_day": first_price_day}
            if days
            else {},
        )
    )
    return delivery


def _retire(session: Session, old: Delivery, new: Delivery) -> None:
    new.replaces_id = old.id
    session.execute(
        update(DeliverySlice)
        .where(DeliverySlice.delivery_id == old.id)
        .values(is_current=False, replaced_by_id=new.id)
        .execution_options(synchronize_session="fetch")
    )
