"""Small lakes made by hand, for tests of the close that need no vendor file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
from sqlalchemy.orm import Session

from marketplace.core.period import Period
from marketplace.usage.models import Delivery, DeliverySlice


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One usage row; only what a test is about need be given."""

    account: str = "a1"
    cost: str = "1"
    quantity: str = "1"
    product: str = "Compute"
    sku: str = "D2"
    meter: str = "hours"
    unit: str = "Hours"
    category: str = "Usage"
    charge_type: str = ""
    day: date = date(2024, 9, 10)
    currency: str = "EUR"
    list_price: str | None = None
    list_cost: str | None = None
    list_fx: str | None = None
    committed: bool = False
    subscription: str = ""
    billing_account: str = ""
    invoice: str = ""
    kind: str = "own"


_COLUMNS = (
    "file_no INTEGER, row BIGINT, billing_account VARCHAR, account VARCHAR, subscription VARCHAR, product VARCHAR, "
    "sku VARCHAR, meter VARCHAR, unit VARCHAR, charge_category VARCHAR, charge_type VARCHAR, usage_date DATE, "
    "charge_from DATE, charge_until DATE, quantity DECIMAL(38, 18), cost DECIMAL(38, 18), currency VARCHAR, "
    "list_unit_price DECIMAL(38, 18), list_fx DECIMAL(38, 18), list_cost DECIMAL(38, 18), is_committed BOOLEAN, "
    "provider VARCHAR, invoice VARCHAR, file_kind VARCHAR"
)


def deliver(
    session: Session, lake: Path, rows: Iterable[Usage], *, vendor: str = "cloud", period: str = "2024-09"
) -> Delivery:
    """Put rows into the lake as a current delivery of one period."""
    rows = list(rows)
    number = Period.parse(period).number
    delivery = Delivery(vendor=vendor, status="current", rows=len(rows), accepted=len(rows))
    session.add(delivery)
    session.flush()
    path = f"usage/period={period}/vendor={vendor}/delivery={delivery.id}/1.parquet"
    (lake / path).parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE rows ({_COLUMNS})")
        for n, r in enumerate(rows, start=1):
            values = [1, n, r.billing_account, r.account, r.subscription, r.product, r.sku, r.meter, r.unit]
            values += [r.category, r.charge_type, r.day, r.day, r.day + timedelta(days=1), r.quantity, r.cost]
            values += [r.currency, r.list_price, r.list_fx, r.list_cost, r.committed, "", r.invoice, r.kind]
            db.execute(f"INSERT INTO rows VALUES ({', '.join('?' * len(values))})", values)
        db.execute(f"COPY rows TO '{lake / path}' (FORMAT parquet)")
    for key in sorted({(r.billing_account, r.kind) for r in rows}):
        own = [r for r in rows if (r.billing_account, r.kind) == key]
        session.add(
            DeliverySlice(
                delivery_id=delivery.id,
                vendor=vendor,
                billing_account=key[0],
                file_kind=key[1],
                period=number,
                is_current=True,
                accepted=len(own),
                cost=_sums(own),
                cost_by_invoice=_by_invoice(own),
                lake_files=[path],
                facts={
                    "first_day": min(r.day for r in own).isoformat(),
                    "last_day": max(r.day for r in own).isoformat(),
                    "usage_cost_by_invoice": _by_invoice([r for r in own if r.category == "Usage"]),
                },
            )
        )
    session.flush()
    return delivery


def _sums(rows: Iterable[Usage]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + Decimal(row.cost)
    return {currency: f"{cost:f}" for currency, cost in sums.items()}


def _by_invoice(rows: list[Usage]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for currency, invoice in {(row.currency, row.invoice) for row in rows}:
        own = [row for row in rows if (row.currency, row.invoice) == (currency, invoice)]
        found.setdefault(currency, {})[invoice] = _sums(own)[currency]
    return found
