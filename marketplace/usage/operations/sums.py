"""What a delivery says of each billing account and month, added up exactly; and its rows moved into the lake."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb

from marketplace.rating.exact import add
from marketplace.usage.engine import open_engine, quoted
from marketplace.usage.errors import SumsTooLarge
from marketplace.usage.lake import Lake, rejects_path, usage_path
from marketplace.usage.models import Delivery, DeliveryFile
from marketplace.usage.reader import ReadFile, Resources

KindKey = tuple[str, int, str]  # billing account, period as 202409, file kind


@dataclass
class SliceSums:
    """Exact sums of a billing account and period of one file kind, as the delivery has them."""

    accepted: int = 0
    rejected: int = 0
    cost: dict[str, Decimal] = field(default_factory=dict)
    by_day: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    by_invoice: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    usage_by_invoice: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    providers: set[str] = field(default_factory=set)
    lake_files: list[str] = field(default_factory=list)


def into_lake(
    delivery: Delivery,
    files: Sequence[DeliveryFile],
    reads: Sequence[ReadFile],
    lake: Lake,
    resources: Resources,
) -> tuple[dict[KindKey, SliceSums], int]:
    """Add up what was read, then move the Parquet files to their places."""
    slices: dict[KindKey, SliceSums] = {}
    look_alikes = 0
    spill = resources.work_folder / "spill"
    with open_engine(
        memory_limit=resources.memory_limit, threads=resources.threads, spill_folder=spill
    ) as engine:
        try:
            for file, read in zip(files, reads, strict=True):
                for key, rejected in read.rejected_by_slice.items():
                    slices.setdefault(
                        (key.billing_account, key.period, file.file_kind), SliceSums()
                    ).rejected += rejected
                for key, paths in read.lake_files.items():
                    sums = slices.setdefault((key.billing_account, key.period, file.file_kind), SliceSums())
                    _add_up(engine, paths, sums)
            everything = [path for read in reads for paths in read.lake_files.values() for path in paths]
            look_alikes = _look_alikes(engine, everything)
        except duckdb.OutOfRangeException as error:
            raise SumsTooLarge from error
    for file, read in zip(files, reads, strict=True):
        for number, (key, paths) in enumerate(sorted(read.lake_files.items())):
            sums = slices[key.billing_account, key.period, file.file_kind]
            for part, path in enumerate(paths):
                is_only = len(paths) == 1 and len(read.lake_files) == 1
                place = usage_path(
                    period=key.period,
                    vendor=delivery.vendor,
                    delivery_id=delivery.id,
                    file=str(file.number) if is_only else f"{file.number}-{number:03d}-{part:05d}",
                )
                lake.put(path, place)
                sums.lake_files.append(place)
        if read.reject_file:
            lake.put(read.reject_file, rejects_path(delivery_id=delivery.id, file_no=file.number))
    return slices, look_alikes


def _add_up(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], sums: SliceSums) -> None:
    source = f"read_parquet([{', '.join(quoted(str(path)) for path in paths)}], hive_partitioning = false)"
    rows = engine.execute(
        f"SELECT currency, usage_date::VARCHAR, invoice, file_kind = 'reconciliation' AND charge_category = 'Usage', "
        f"provider, count(*), sum(cost) FROM {source} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for currency, day, invoice, is_usage_of_bill, provider, count, cost in rows:
        sums.accepted += count
        sums.cost[currency] = add(sums.cost.get(currency, Decimal(0)), cost)
        _add_to(sums.by_day, day, currency, cost)
        if invoice:
            _add_to(sums.by_invoice, currency, invoice, cost)
            if is_usage_of_bill:
                _add_to(sums.usage_by_invoice, currency, invoice, cost)
        if provider:
            sums.providers.add(provider)


def _add_to(sums: dict[str, dict[str, Decimal]], outer: str, inner: str, cost: Decimal) -> None:
    of_outer = sums.setdefault(outer, {})
    of_outer[inner] = add(of_outer.get(inner, Decimal(0)), cost)


def _look_alikes(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> int:
    """Count rows that look like another one in everything that is kept typed. All of them are billed."""
    if not paths:
        return 0
    source = f"read_parquet([{', '.join(quoted(str(path)) for path in paths)}], hive_partitioning = false)"
    row = engine.execute(
        "SELECT count(*) - count(DISTINCT hash(billing_account, account, subscription, product, sku, meter, "
        f"charge_type, usage_date, charge_from, charge_until, quantity, cost, currency, invoice)) FROM {source}"
    ).fetchone()
    return int(row[0]) if row else 0
