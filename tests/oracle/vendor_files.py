"""Vendor files read a second time, by Python's `csv` alone, into the rows of the model."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from tests.oracle.model import Row

Record = Mapping[str, str]


def read(
    file: Path, *, kind: str, vendor: str, billing_account: str | None = None, period: str | None = None
) -> list[Row]:
    """Read a file of known kind. What is said on the command line goes before what the file says."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        records = list(csv.DictReader(stream))
    return rows(records, kind=kind, vendor=vendor, billing_account=billing_account, period=period)


def rows(
    records: Iterable[Record],
    *,
    kind: str,
    vendor: str,
    billing_account: str | None = None,
    period: str | None = None,
) -> list[Row]:
    """Turn the records of a file into rows."""
    readers = {"own": own_form, "focus": focus, "daily": daily, "reconciliation": reconciliation}
    found = [readers[kind](vendor, record) for record in records]
    if billing_account is not None:
        found = [replace(row, billing_account=billing_account) for row in found]
    return [replace(row, period=period) for row in found] if period else found


def own_form(vendor: str, record: Record) -> Row:
    """The plain form: a list price per unit, where given."""
    quantity = Fraction(record["quantity"])
    list_unit_price = record["list_unit_price"]
    return Row(
        vendor=vendor,
        billing_account="",
        period=record["usage_date"][:7],
        account=record["account"],
        day=date.fromisoformat(record["usage_date"]),
        quantity=quantity,
        cost=Fraction(record["cost"]),
        currency=record["currency"],
        list_amount=quantity * Fraction(list_unit_price) if list_unit_price else None,
        product=record["product"],
        sku=record["sku"],
        meter=record["meter"],
        unit=record["unit"],
    )


def focus(vendor: str, record: Record) -> Row:
    """FOCUS: nulls are blank or the word NULL; charge periods are instants, their end exclusive."""
    record = {name: "" if value in ("NULL", None) else value for name, value in record.items()}
    start, end = instant(record["ChargePeriodStart"]), instant(record["ChargePeriodEnd"])
    return Row(
        vendor=vendor,
        billing_account=record["BillingAccountId"],
        period=record["BillingPeriodStart"][:7],
        account=record["SubAccountId"] or record["BillingAccountId"],
        day=start.date(),
        quantity=Fraction(record["PricingQuantity"] or 0),
        cost=Fraction(record["BilledCost"]),
        currency=record["BillingCurrency"],
        list_amount=Fraction(record["ListCost"]) if record["ListCost"] else None,
        is_committed=bool(record["CommitmentDiscountId"]),
        product=record["ServiceName"],
        sku=record["SkuId"],
        meter=record["SkuPriceId"],
        unit=record["PricingUnit"],
        category=record["ChargeCategory"],
        charge_type=record["ChargeClass"],
        charge_from=start.date(),
        charge_until=(end - timedelta(microseconds=1)).date() + timedelta(days=1),
        provider=record["ProviderName"],
        kind="focus",
    )


def daily(vendor: str, record: Record) -> Row:
    """Partner Center's daily rated usage: list prices in the pricing currency, at the vendor's rate."""
    quantity = Fraction(record["Quantity"])
    list_amount = None
    if record["UnitPrice"]:
        list_amount = quantity * Fraction(record["UnitPrice"]) * Fraction(record["PCToBCExchangeRate"] or 1)
    return Row(
        vendor=vendor,
        billing_account=record["PartnerId"],
        period=partner_center_day(record["ChargeStartDate"]).isoformat()[:7],
        account=record["CustomerId"],
        day=partner_center_day(record["UsageDate"]),
        quantity=quantity,
        cost=Fraction(record["BillingPreTaxTotal"]),
        currency=record["BillingCurrency"],
        list_amount=list_amount,
        is_committed=bool(record["BenefitId"] or record["BenefitOrderId"]),
        subscription=record["SubscriptionId"],
        product=record["ProductName"],
        sku=f"{record['ProductId']}:{record['SkuId']}",
        meter=record["MeterId"],
        unit=record["UnitType"],
        charge_type=record["ChargeType"],
        invoice=record["InvoiceNumber"],
        kind="daily",
    )


def reconciliation(vendor: str, record: Record) -> Row:
    """Partner Center's new-commerce reconciliation: the vendor's bill."""
    return Row(
        vendor=vendor,
        billing_account=record["PartnerId"],
        period="",
        account=record["CustomerId"],
        day=partner_center_day(record["ChargeStartDate"]),
        quantity=Fraction(record["BillableQuantity"]),
        cost=Fraction(record["Subtotal"]),
        currency=record["Currency"],
        subscription=record["SubscriptionId"],
        product=record["ProductName"],
        sku=f"{record['ProductId']}:{record['SkuId']}",
        unit=record["UnitType"],
        category=_reconciliation_category(record),
        charge_type=record["ChargeType"],
        charge_from=partner_center_day(record["ChargeStartDate"]),
        # Microsoft's ends are inclusive.
        charge_until=partner_center_day(record["ChargeEndDate"]) + timedelta(days=1),
        invoice=record["InvoiceNumber"],
        kind="reconciliation",
    )


def _reconciliation_category(record: Record) -> str:
    if record["ChargeType"] == "customerCredit":
        return "Credit"
    return "Usage" if record["SubscriptionDescription"] == "Azure plan" else "Purchase"


def instant(text: str) -> datetime:
    """Read an instant with or without its Z."""
    return datetime.fromisoformat(text.replace("Z", "")).replace(tzinfo=None)


def partner_center_day(text: str) -> date:
    """Read a day as `9/30/2024` or `2024-09-30`, with or without a time."""
    day = text.replace("T", " ").partition(" ")[0]
    if "/" in day:
        month, day_of_month, year = map(int, day.split("/"))
        return date(year, month, day_of_month)
    return date.fromisoformat(day)
