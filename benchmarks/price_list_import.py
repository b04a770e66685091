"""How long a large price list takes to import: 100,000 rows of licences, first a new list, then a month later.

Run as `make bench-price-list` (ARGS="--rows 100000"); it uses a throw-away database.
The second list has another price in one row of ten, one row of a hundred that cannot be used, and some that are gone.
"""

import argparse
import csv
import io
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
from sqlalchemy import func, select

from catalog.operations.price_lists import activate, import_price_list
from marketplace import schema
from marketplace.core import embedded_postgres
from marketplace.core.actor import Actor
from marketplace.core.db import Database

COLUMNS = (
    *("ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure"),
    *("TermDuration", "BillingPlan", "Market", "Currency", "UnitPrice", "PricingTierRangeMin"),
    *("PricingTierRangeMax", "EffectiveStartDate", "EffectiveEndDate", "Tags", "ERP Price"),
)
_PLANS = (
    *(("P1M", "Monthly", 1), ("P1Y", "Monthly", 12), ("P1Y", "Annual", 12)),
    *(("P3Y", "Monthly", 36), ("P3Y", "Annual", 36), ("P3Y", "Triennial", 36)),
)
_SKUS_A_PRODUCT = 4
_DESCRIPTION = "Everything a firm needs to write, count, meet and store, with help by telephone. " * 3
_ACTOR = Actor.system("benchmark")


def rows(number: int, *, month: int) -> Iterator[tuple[object, ...]]:
    """Give the rows of a month's list: six plans a SKU, four SKUs a product."""
    for n in range(number):
        sku, (term, plan, months) = n // len(_PLANS), _PLANS[n % len(_PLANS)]
        if month > 1 and sku % 500 == 0:
            continue  # sold no more
        product = sku // _SKUS_A_PRODUCT
        month_price = 200 + (n * 37) % 5_000 + (month if n % 10 == 0 else 0)
        cost = f"{month_price * months / 100:.4f}"
        if month > 1 and n % 100 == 1:
            cost = "n/a"
        yield (
            *(f"Product {product}", f"CFQ7TTC{product:05d}", f"{sku % _SKUS_A_PRODUCT + 1:04d}"),
            *(
                f"Product {product}, edition {sku % _SKUS_A_PRODUCT + 1}",
                f"Maker {product % 40}",
                _DESCRIPTION,
            ),
            *("1 License", term, plan, "FR", "EUR", cost, "", ""),
            *("2021-10-01T00:00:00.0000000Z", "9999-12-31T23:59:59.0000000Z", "License"),
            f"{month_price * months / 80:.4f}",
        )


def price_list(number: int, *, month: int) -> bytes:
    """Write a month's list."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(rows(number, month=month))
    return text.getvalue().encode()


def main() -> None:
    """Import two months and print seconds and the most memory this process held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    wanted = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        server = embedded_postgres.start(Path(folder))
        database = Database(server.url)
        try:
            schema.migrate(database)
            for month in (1, 2):
                _import_month(database, price_list(wanted, month=month), month)
        finally:
            database.dispose()
            server.stop()


def _import_month(database: Database, content: bytes, month: int) -> None:
    began, busy = time.perf_counter(), time.process_time()
    with database.transaction(_ACTOR) as session:
        server = psutil.Process(session.scalar(select(func.pg_backend_pid()))).cpu_times()
        result = import_price_list(
            session, actor=_ACTOR, vendor="microsoft", file=f"month-{month}.csv", content=content
        )
        served = psutil.Process(session.scalar(select(func.pg_backend_pid()))).cpu_times()
    elapsed, busy = time.perf_counter() - began, time.process_time() - busy
    with database.transaction(_ACTOR) as session:
        if result.price_list_id is not None:
            activate(session, actor=_ACTOR, price_list_id=result.price_list_id, now=datetime.now(UTC))
    database_busy = served.user + served.system - server.user - server.system
    print(
        f"month {month}: {result.rows:,} rows, {len(content) / 1e6:.0f} MB, {result.rejected:,} rejected, "
        f"{len(result.changes):,} changes\n"
        f"  {elapsed:.1f} s elapsed; of processor {busy:.1f} s here and {database_busy:.1f} s in PostgreSQL; "
        f"peak memory {_peak():,.0f} MB",
        flush=True,
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
