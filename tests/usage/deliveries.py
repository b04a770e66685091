"""Vendor files as the tests write them, and the lake as they read it."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from tests.oracle.commands import Marketplace
from tests.oracle.months import COLUMNS

Record = dict[str, str]

_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "own": {
        "account": "0042",
        "product": "Blob storage",
        "sku": "S1",
        "meter": "m-1",
        "usage_date": "2024-09-15",
        "quantity": "10",
        "unit": "GB",
        "list_unit_price": "0.5",
        "cost": "4",
        "currency": "EUR",
    },
    "focus": {
        "BilledCost": "1.5",
        "BillingAccountId": "0099",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2024-09-01 00:00:00",
        "BillingPeriodEnd": "2024-10-01 00:00:00",
        "ChargeCategory": "Usage",
        "ChargeClass": "NULL",
        "ChargePeriodStart": "2024-09-24 16:00:00",
        "ChargePeriodEnd": "2024-09-24 17:00:00",
        "CommitmentDiscountId": "NULL",
        "ListCost": "2",
        "PricingQuantity": "0.0002355203",
        "PricingUnit": "GB",
        "ProviderName": "AWS",
        "ServiceName": "Elastic Load Balancing",
        "SkuId": "9DEJHBACUYEYMVN8",
        "SkuPriceId": "9DEJHBACUYEYMVN8.JRTCKXETXF",
        "SubAccountId": "066362635077",
    },
    "daily": {
        "PartnerId": "0e195b37-4574-4539-bc42-0e539b9684c0",
        "CustomerId": "196e2273-9651-43a3-ba7e-7cbcd918fc40",
        "InvoiceNumber": "G016907411",
        "ProductId": "DZH318Z0BNZ5",
        "SkuId": "006G",
        "ProductName": "Tables",
        "PublisherName": "Microsoft",
        "SubscriptionId": "307628f1-d9d2-f09c-ea1f-4183f0cae308",
        "ChargeStartDate": "9/1/2024",
        "ChargeEndDate": "9/30/2024",
        "UsageDate": "9/15/2024",
        "MeterId": "3fd0c5b5-8a9c-4f7e-9d0e-6c7b4f6d5c11",
        "Unit": "1 GB",
        "ChargeType": "New",
        "UnitPrice": "0.045",
        "Quantity": "0.005001",
        "UnitType": "1 GB/Month",
        "BillingPreTaxTotal": "0.0001618",
        "BillingCurrency": "EUR",
        "PricingCurrency": "USD",
        "PCToBCExchangeRate": "0.846202666",
    },
    "reconciliation": {
        "PartnerId": "0e195b37-4574-4539-bc42-0e539b9684c0",
        "CustomerId": "196e2273-9651-43a3-ba7e-7cbcd918fc40",
        "InvoiceNumber": "G002297372",
        "OrderDate": "8/3/2024",
        "ProductId": "CFQ7TTC0LH18",
        "SkuId": "0001",
        "ProductName": "Microsoft 365 Business Basic",
        "ChargeType": "cycleFee",
        "UnitPrice": "5",
        "Quantity": "7",
        "Subtotal": "35",
        "TaxTotal": "7",
        "Total": "42",
        "Currency": "EUR",
        "PublisherName": "Microsoft",
        "PublisherId": "NA",
        "SubscriptionDescription": "Business Basic",
        "SubscriptionId": "9a0c-sub",
        "ChargeStartDate": "8/28/2024",
        "ChargeEndDate": "9/27/2024",
        "TermAndBillingCycle": "One-Year commitment for monthly/yearly billing",
        "UnitType": "Licenses",
        "BillableQuantity": "7",
        "BillingFrequency": "Monthly",
    },
}


def record(kind: str, **said: str) -> Record:
    """Give a good row of a kind of file, but for what is said."""
    unknown = said.keys() - set(COLUMNS[kind])
    assert not unknown, f"a {kind} file has no column {unknown}"
    return {**dict.fromkeys(COLUMNS[kind], ""), **_DEFAULTS[kind], **said}


def own(**said: str) -> Record:
    """Give a good row of the own form, but for what is said."""
    return record("own", **said)


def csv_text(records: Sequence[Mapping[str, str]], *, columns: Sequence[str] = (), **form: Any) -> str:
    """Write rows as CSV text, `form` as Python's csv takes it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or list(records[0]), restval="", **{"lineterminator": "\n", **form})
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def json_lines(records: Iterable[Mapping[str, object]]) -> str:
    """Write rows as JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in records)


def save(marketplace: Marketplace, content: str | bytes, name: str = "usage.csv") -> Path:
    """Put a file where the person who imports has it."""
    file = marketplace.drops / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def give(
    marketplace: Marketplace, content: str | bytes, *, name: str = "usage.csv", vendor: str = "", **told: Any
) -> dict[str, Any]:
    """Save a file and import it, from a vendor of its own unless one is named."""
    return marketplace.deliver(save(marketplace, content, name), vendor=vendor or f"vendor {uuid4()}", **told)


def lake_rows(marketplace: Marketplace, answer: Mapping[str, Any], columns: str = "*") -> list[Any]:
    """Read what a delivery has put into the lake, in the order of its rows; a single column as plain values."""
    folder = marketplace.home / "lake"
    files = sorted(map(str, folder.glob(f"usage/*/*/delivery={answer['delivery']}/*.parquet")))
    if not files:
        return []
    with duckdb.connect() as engine:
        rows = engine.execute(
            f'SELECT {columns} FROM read_parquet(?, hive_partitioning = false) ORDER BY file_no, "row"',
            [files],
        ).fetchall()
    return [row[0] for row in rows] if len(rows[0]) == 1 else rows


def cost_of(answer: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Give the cost of every period of an answer."""
    return {period["period"]: period["cost"] for period in answer["periods"]}
