"""Daily rated usage of Azure plans: the same rows for the same plan and day, however often they are asked for."""

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from marketplace.core.period import Period
from marketplace.vendors.simulator.catalogue import AZURE_PLAN
from marketplace.vendors.simulator.desk import OWN_PARTNER_ID, OWN_TENANT, Desk
from marketplace.vendors.simulator.documents import Customer, Subscription

# Product, SKU, its title, meter, category, unit, price in USD, usual quantity a day.
_METERS = (
    (
        "DZH318Z0BQ4L",
        "004M",
        "Virtual Machines Dv5 Series",
        "D4s v5",
        "Virtual Machines",
        "1 Hour",
        "0.23",
        24,
    ),
    ("DZH318Z0BNZH", "00GB", "Blob Storage", "Hot LRS Data Stored", "Storage", "1 GB/Month", "0.0196", 31),
    ("DZH318Z0BNZF", "003J", "Bandwidth", "Standard Data Transfer Out", "Bandwidth", "1 GB", "0.087", 14),
    ("DZH318Z0BQJ7", "00JF", "SQL Database", "S3 DTUs", "SQL Database", "1/Day", "4.8393", 1),
)
_RATES = {"EUR": Decimal("0.92"), "GBP": Decimal("0.79")}
_KEPT = Decimal("0.85")
"""What is left of a price where the partner earns its credit."""
_CREDIT = 15
_DECIMALS = Decimal("0.000001")


def daily_rows(desk: Desk, period: Period, *, until: date) -> Iterator[dict[str, Any]]:
    """Give the rows of a month's days until a day, with all attributes of the second interface."""
    customers = {one.id: one for one in desk.store.all(Customer)}
    for one in desk.store.all(Subscription):
        if not one.is_consumption:
            continue
        ends = one.status_since if one.status == "deleted" else until
        day = max(period.start, one.term_start)
        while day < min(until, period.end, ends):
            if not any(pause.since <= day < (pause.until or until) for pause in one.pauses):
                for meter in _METERS:
                    yield _row(one, customers[one.account], period, day, meter)
            day += timedelta(days=1)


def _row(
    one: Subscription, customer: Customer, period: Period, day: date, meter: tuple[Any, ...]
) -> dict[str, Any]:
    product, sku, title, name, category, unit, price, usual = meter
    chance = Random(f"{one.id} {day} {name}")  # noqa: S311 - made-up usage
    quantity = (Decimal(usual) * Decimal(chance.randrange(60, 140)) / 100).quantize(_DECIMALS)
    effective = Decimal(price) * _KEPT
    dollars = quantity * effective
    rate = _RATES.get(one.currency, Decimal(1))
    company = customer.body["companyProfile"]
    return {
        "PartnerId": OWN_TENANT,
        "PartnerName": "Wholesaler",
        "CustomerId": customer.id,
        "CustomerName": company["companyName"],
        "CustomerDomainName": company["domain"],
        "CustomerCountry": customer.country,
        "MpnId": OWN_PARTNER_ID,
        "Tier2MpnId": one.partner_id or "0",
        "InvoiceNumber": f"G{period.number:09d}",
        "ProductId": product,
        "SkuId": sku,
        "AvailabilityId": "DZH318Z08B80",
        "SkuName": f"{title} - EU West",
        "ProductName": title,
        "PublisherName": "Microsoft",
        "PublisherId": "",
        "SubscriptionDescription": "Azure plan",
        "SubscriptionId": one.id,
        "ChargeStartDate": f"{period.start}T00:00:00Z",
        "ChargeEndDate": f"{period.end}T00:00:00Z",
        "UsageDate": f"{day}T00:00:00Z",
        "MeterType": name,
        "MeterCategory": category,
        "MeterId": _guid(name),
        "MeterSubCategory": title,
        "MeterName": name,
        "MeterRegion": "EU West",
        "Unit": unit,
        "ResourceLocation": "EUWEST",
        "ConsumedService": f"Microsoft.{category.replace(' ', '')}",
        "ResourceGroup": "production",
        "ResourceURI": f"/subscriptions/{one.id}/resourceGroups/production",
        "ChargeType": "new",
        "UnitPrice": Decimal(price),
        "Quantity": quantity,
        "UnitType": unit,
        "BillingPreTaxTotal": dollars * rate,
        "BillingCurrency": one.currency,
        "PricingPreTaxTotal": dollars,
        "PricingCurrency": "USD",
        "ServiceInfo1": "",
        "ServiceInfo2": "",
        "Tags": "",
        "AdditionalInfo": "",
        "EffectiveUnitPrice": effective,
        "PCToBCExchangeRate": rate,
        "EntitlementId": one.id,
        "EntitlementDescription": one.friendly_name,
        "PartnerEarnedCreditPercentage": _CREDIT,
        "CreditPercentage": 0,
        "CreditType": "",
        "BenefitOrderId": "",
        "BenefitId": "",
        "BenefitType": "",
    }


def _guid(name: str) -> str:
    digest = hashlib.sha256(f"{AZURE_PLAN} {name}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
