"""Vendor files of a month, as vendors write them: daily usage, the bill, and a second vendor's FOCUS export.

Amounts come from a seeded generator, so that every demonstration of a month is the same.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random

from marketplace.core.period import Period
from marketplace.demo.firms import (
    CUSTOMERS,
    ORPHAN_AWS,
    ORPHAN_TENANT,
    DemoCustomer,
    cloud_account,
    tenant,
)

PARTNER = "0e195b37-4574-4539-bc42-0e539b9684c0"

# Product, SKU, meter, unit, list price in USD, usual quantity a day.
_METERS = (
    ("Virtual Machines Dv5 Series", "DZH318Z0BQ4L", "004M", "D4s v5 - EU West", "1 Hour", "0.2300", 24),
    ("Virtual Machines BS Series", "DZH318Z0BPS6", "00TG", "B2ms - EU West", "1 Hour", "0.0960", 48),
    ("SQL Database Single Standard", "DZH318Z0BQJ7", "00JF", "S3 DTUs", "1/Day", "4.8393", 1),
    ("Premium SSD Managed Disks", "DZH318Z0BP04", "00QD", "P20 LRS Disk", "1/Month", "76.8000", 0),
    ("Blob Storage", "DZH318Z0BNZH", "00GB", "Hot LRS Data Stored", "1 GB/Month", "0.0196", 31),
    ("Bandwidth", "DZH318Z0BNZF", "003J", "Standard Data Transfer Out", "1 GB", "0.0870", 14),
    ("Backup", "DZH318Z0BNZK", "002S", "LRS Data Stored", "1 GB/Month", "0.0224", 60),
)
# Product, SKU, monthly price in EUR.
_LICENCES = (
    ("Microsoft 365 Business Premium", "CFQ7TTC0LCHC", "0002", "17.60"),
    ("Microsoft 365 E3", "CFQ7TTC0LFLX", "0001", "33.12"),
    ("Power BI Pro", "CFQ7TTC0H9MP", "0001", "8.70"),
)
# Service, category, SKU, price id, unit, list price in USD, usual quantity a day.
_SERVICES = (
    ("Amazon Elastic Compute Cloud", "Compute", "SNA2C9ZKZQUUAPF8", "m7g.large hours", "Hours", "0.0816", 24),
    (
        "Amazon Simple Storage Service",
        "Storage",
        "WP9ANXZGBYYSGJEA",
        "TimedStorage",
        "GB-Month",
        "0.0230",
        40,
    ),
    (
        "Amazon Relational Database Service",
        "Databases",
        "AFJWBJ2NYDYHV3TX",
        "db.t4g.medium",
        "Hours",
        "0.0650",
        24,
    ),
    ("AWS Data Transfer", "Networking", "9DEJHBACUYEYMVN8", "DataTransfer-Out", "GB", "0.0900", 9),
)
_DAILY = [
    "PartnerId",
    "PartnerName",
    "CustomerId",
    "CustomerName",
    "CustomerDomainName",
    "CustomerCountry",
    "MPNID",
    "ResellerMPNID",
    "InvoiceNumber",
    "ProductId",
    "SkuId",
    "AvailabilityId",
    "SkuName",
    "ProductName",
    "PublisherName",
    "PublisherId",
    "SubscriptionDescription",
    "SubscriptionId",
    "ChargeStartDate",
    "ChargeEndDate",
    "UsageDate",
    "MeterType",
    "MeterCategory",
    "MeterId",
    "MeterSubCategory",
    "MeterName",
    "MeterRegion",
    "Unit",
    "ResourceLocation",
    "ConsumedService",
    "ResourceGroup",
    "ResourceURI",
    "ChargeType",
    "UnitPrice",
    "Quantity",
    "UnitType",
    "BillingPreTaxTotal",
    "BillingCurrency",
    "PricingPreTaxTotal",
    "PricingCurrency",
    "ServiceInfo1",
    "ServiceInfo2",
    "Tags",
    "AdditionalInfo",
    "EffectiveUnitPrice",
    "PCToBCExchangeRate",
    "PCToBCExchangeRateDate",
    "EntitlementId",
    "EntitlementDescription",
    "PartnerEarnedCreditPercentage",
    "CreditPercentage",
    "CreditType",
    "BenefitOrderId",
    "BenefitId",
    "BenefitType",
]
_BILL = [
    "PartnerId",
    "CustomerId",
    "CustomerName",
    "CustomerDomainName",
    "CustomerCountry",
    "InvoiceNumber",
    "MPNID",
    "ResellerMPNID",
    "OrderId",
    "OrderDate",
    "ProductId",
    "SkuId",
    "AvailabilityId",
    "SkuName",
    "ProductName",
    "ChargeType",
    "UnitPrice",
    "Quantity",
    "Subtotal",
    "TaxTotal",
    "Total",
    "Currency",
    "PriceAdjustmentDescription",
    "PublisherName",
    "PublisherId",
    "SubscriptionDescription",
    "SubscriptionId",
    "ChargeStartDate",
    "ChargeEndDate",
    "TermAndBillingCycle",
    "EffectiveUnitPrice",
    "UnitType",
    "AlternateId",
    "BillableQuantity",
    "BillingFrequency",
    "PricingCurrency",
    "PCToBCExchangeRate",
    "PCToBCExchangeRateDate",
    "MeterDescription",
    "ReservationOrderId",
    "CreditReasonCode",
    "SubscriptionStartDate",
    "SubscriptionEndDate",
    "ReferenceID",
    "ProductQualifiers",
    "PromotionID",
]
_FOCUS = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountId",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
]
_RATE = Decimal("0.9187")
_EARNED_CREDIT = Decimal("0.85")
_CENT = Decimal("0.01")
Row = dict[str, str]


def invoice_number(period: Period) -> str:
    """Give the number of the vendor's invoice for a month."""
    return f"G{period.number}7301"


def daily_usage(period: Period, *, first: date, until: date) -> list[Row]:
    """Give the rated usage of some days of a month, one row a meter and day, and the same for the orphan tenant."""
    rows = []
    for customer in CUSTOMERS:
        for number in range(customer.azure):
            rows += list(_meter_days(customer, number, period, first, until))
    rows += list(_meter_days(None, 0, period, first, until))
    return rows


def _meter_days(
    customer: DemoCustomer | None, number: int, period: Period, first: date, until: date
) -> Iterator[Row]:
    name = customer.reference if customer else "unknown"
    random = Random(f"{name}/{number}")  # noqa: S311 - a demonstration, not a secret
    product, product_id, sku, meter, unit, price, usual = _METERS[(number + len(name)) % len(_METERS)]
    size = Decimal(random.randint(60, 420)) / 100
    # Every month of a customer has its own pace: growth, and a seasonal dip.
    pace = Decimal(100 + (period.month * 7 + number * 3) % 19) / 100
    for offset in range((until - first).days):
        day = first + timedelta(days=offset)
        random = Random(f"{name}/{number}/{day}")  # noqa: S311
        weekend = Decimal("0.55") if day.isoweekday() > 5 and "Hour" in unit else Decimal(1)  # noqa: PLR2004
        noise = Decimal(random.randint(8200, 11800)) / 10000
        quantity = (Decimal(usual or Decimal("0.0333")) * size * pace * weekend * noise).quantize(
            Decimal("0.000001")
        )
        is_covered = number == 3 and customer is not None  # noqa: PLR2004 - the reserved machine of the larger ones
        list_cost = Decimal(price) * quantity
        pricing = Decimal(0) if is_covered else list_cost * _EARNED_CREDIT
        billing = (pricing * _RATE).quantize(Decimal("0.0000000001"))
        yield {
            "PartnerId": PARTNER,
            "CustomerId": tenant(customer) if customer else ORPHAN_TENANT,
            "CustomerName": customer.name if customer else "",
            "CustomerCountry": customer.country if customer else "",
            "InvoiceNumber": invoice_number(period),
            "ProductId": product_id,
            "SkuId": sku,
            "SkuName": meter,
            "ProductName": product,
            "PublisherName": "Microsoft",
            "SubscriptionDescription": "Azure plan",
            "SubscriptionId": f"az-{name}",
            "ChargeStartDate": _american(period.start),
            "ChargeEndDate": _american(period.end - timedelta(days=1)),
            "UsageDate": _american(day),
            "MeterId": f"{product_id.lower()}-{sku.lower()}",
            "MeterName": meter,
            "Unit": unit,
            "ResourceURI": f"/subscriptions/az-{name}/resource-{number}",
            "ChargeType": "new",
            "UnitPrice": price,
            "Quantity": f"{quantity:f}",
            "UnitType": unit,
            "BillingPreTaxTotal": f"{billing:f}",
            "BillingCurrency": "EUR",
            "PricingPreTaxTotal": f"{pricing:f}",
            "PricingCurrency": "USD",
            "PCToBCExchangeRate": str(_RATE),
            "PCToBCExchangeRateDate": _american(period.start),
            "PartnerEarnedCreditPercentage": "15",
            "BenefitOrderId": f"RIOderId-{name}" if is_covered else "",
        }


def bill(period: Period, usage: Sequence[Row]) -> list[Row]:
    """Give the vendor's bill of a month: licences, and one line a subscription and meter for the daily usage.

    The usage lines are cut to the cent, as the vendor does, so that the bill and its detail differ by some cents.
    """
    sums: dict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    facts: dict[tuple[str, ...], Row] = {}
    for row in usage:
        key = (row["CustomerId"], row["SubscriptionId"], row["ProductId"], row["SkuId"])
        sums[key][0] += Decimal(row["BillingPreTaxTotal"])
        sums[key][1] += Decimal(row["Quantity"])
        facts[key] = row
    rows = [
        _bill_row(
            period, customer=row["CustomerId"], name=row["CustomerName"], country=row["CustomerCountry"]
        )
        | {
            "ProductId": row["ProductId"],
            "SkuId": row["SkuId"],
            "ProductName": row["ProductName"],
            "ChargeType": "new",
            "Subtotal": f"{cost.quantize(_CENT, rounding=ROUND_DOWN):f}",
            "BillableQuantity": f"{quantity:f}",
            "SubscriptionDescription": "Azure plan",
            "SubscriptionId": row["SubscriptionId"],
            "UnitType": row["UnitType"],
            "MeterDescription": row["MeterName"],
        }
        for key, row in facts.items()
        for cost, quantity in (sums[key],)
    ]
    return rows + [line for customer in CUSTOMERS for line in _licences(customer, period)]


def _licences(customer: DemoCustomer, period: Period) -> Iterator[Row]:
    """Give the licence lines of a customer: a cycle charge a product, and seats added in the month."""
    if not customer.seats:
        return
    random = Random(f"{customer.reference}/{period}")  # noqa: S311
    for number, (product, product_id, sku, price) in enumerate(_LICENCES):
        seats = (customer.seats, customer.seats // 6, customer.seats // 9)[number]
        if not seats:
            continue
        day = 1 + (len(customer.reference) + number * 5) % 20
        starts = period.start.replace(day=day)
        common = _bill_row(
            period, customer=tenant(customer), name=customer.name, country=customer.country
        ) | {
            "ProductId": product_id,
            "SkuId": sku,
            "ProductName": product,
            "SubscriptionDescription": product,
            "SubscriptionId": f"nce-{customer.reference}-{number}",
            "TermAndBillingCycle": "One-Year commitment for monthly/yearly billing",
            "BillingFrequency": "Monthly",
            "UnitPrice": price,
            "EffectiveUnitPrice": price,
            "ChargeStartDate": _american(starts),
            "ChargeEndDate": _american(period.next().start.replace(day=day) - timedelta(days=1)),
        }
        yield common | _amount("cycleCharge", seats, Decimal(price))
        if random.random() < 0.3:  # noqa: PLR2004
            more = random.randint(1, 5)
            part = (Decimal(price) * random.randint(8, 28) / 30).quantize(Decimal("0.0001"))
            yield common | _amount("addQuantity", more, part)


def _amount(charge_type: str, seats: int, price: Decimal) -> Row:
    cost = (price * seats).quantize(_CENT, rounding=ROUND_DOWN)
    return {
        "ChargeType": charge_type,
        "Quantity": str(seats),
        "BillableQuantity": str(seats),
        "Subtotal": f"{cost:f}",
        "EffectiveUnitPrice": f"{price:f}",
        "UnitType": "Licenses",
    }


def _bill_row(period: Period, *, customer: str, name: str, country: str) -> Row:
    return {
        "PartnerId": PARTNER,
        "CustomerId": customer,
        "CustomerName": name,
        "CustomerCountry": country,
        "InvoiceNumber": invoice_number(period),
        "OrderDate": _american(period.start),
        "PublisherName": "Microsoft",
        "Currency": "EUR",
        "TaxTotal": "0",
        "ChargeStartDate": _american(period.start),
        "ChargeEndDate": _american(period.end - timedelta(days=1)),
    }


def focus(period: Period, *, until: date) -> list[Row]:
    """Give the second vendor's FOCUS export of a month: usage by day, support bought once, tax."""
    rows = []
    users = [(c.reference, cloud_account(c), c.name, c.aws) for c in CUSTOMERS if c.aws]
    users.append(("unknown", ORPHAN_AWS, "", 1))
    for name, account, title, size in users:
        for number, (service, category, sku, price_id, unit, price, usual) in enumerate(
            _SERVICES[: size + 1]
        ):
            for offset in range((until - period.start).days):
                day = period.start + timedelta(days=offset)
                random = Random(f"{name}/{number}/{day}")  # noqa: S311
                quantity = Decimal(usual) * size * Decimal(random.randint(7000, 13000)) / 10000
                listed = Decimal(price) * quantity
                rows.append(
                    _focus_row(period, account=account, name=title, first=day, last=day + timedelta(days=1))
                    | {
                        "ChargeCategory": "Usage",
                        "ChargeFrequency": "Usage-Based",
                        "ServiceName": service,
                        "ServiceCategory": category,
                        "SkuId": sku,
                        "SkuPriceId": price_id,
                        "PricingUnit": unit,
                        "PricingQuantity": f"{quantity:f}",
                        "ListUnitPrice": price,
                        "ListCost": f"{listed:f}",
                        "BilledCost": f"{listed * Decimal('0.91'):f}",
                    }
                )
    rows.append(
        _focus_row(period, account=users[0][1], name="", first=period.start, last=period.end)
        | {"ChargeCategory": "Tax", "ServiceName": "Tax", "BilledCost": "41.27", "ListCost": "0"}
    )
    return rows


def _focus_row(period: Period, *, account: str, name: str, first: date, last: date) -> Row:
    return {
        "BillingAccountId": "aws-payer-01",
        "BillingAccountName": "Payer account",
        "BillingCurrency": "USD",
        "BillingPeriodStart": f"{period.start}T00:00:00Z",
        "BillingPeriodEnd": f"{period.end}T00:00:00Z",
        "ChargePeriodStart": f"{first}T00:00:00Z",
        "ChargePeriodEnd": f"{last}T00:00:00Z",
        "InvoiceIssuerName": "Amazon Web Services EMEA SARL",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "SubAccountId": account,
        "SubAccountName": name,
    }


def as_csv(kind: str, rows: Sequence[Row]) -> bytes:
    """Write rows as the `daily`, `bill` or `focus` file; what a row does not say is blank."""
    columns = {"daily": _DAILY, "bill": _BILL, "focus": _FOCUS}[kind]
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    # The vendor's portal puts a byte-order mark before its files.
    return file.getvalue().encode("utf-8-sig" if kind != "focus" else "utf-8")


def _american(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"
