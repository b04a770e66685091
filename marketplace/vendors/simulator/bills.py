"""The vendor's bill of a month: its lines, its invoice, and the deliberate errors it was asked to make."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from catalog.words import BillingCycle, Term
from marketplace.core.period import Period
from marketplace.vendors.simulator.desk import CENTS, OWN_PARTNER_ID, OWN_TENANT, Desk
from marketplace.vendors.simulator.documents import BillError, Charge, Customer, Subscription
from marketplace.vendors.simulator.shown import moment
from marketplace.vendors.simulator.usage import daily_rows

INVOICED_ON_DAY = 6
_TERM_WORDS = {Term.P1M: "One-Month", Term.P1Y: "One-Year", Term.P3Y: "Three-Year"}
_SENTINEL = "0001-01-01T00:00:00"
#: What a bill can be made to get wrong.
BILL_ERRORS = (
    *("wrong_price", "wrong_quantity", "twice", "missing", "unknown_subscription"),
    "missing_promotion",
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Invoice:
    """A month's bill."""

    number: str
    period: Period
    rows: Sequence[Row]

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return sum((Decimal(row["Total"]) for row in self.rows), Decimal(0))

    def shown(self) -> Row:
        """Show it as a body."""
        return {
            "id": self.number,
            "invoiceDate": f"{self.period.end + timedelta(days=INVOICED_ON_DAY - 1)}T00:00:00Z",
            "billingPeriodStartDate": f"{self.period.start}T00:00:00Z",
            "billingPeriodEndDate": f"{self.period.end - timedelta(days=1)}T00:00:00Z",
            "totalCharges": self.total,
            "paidAmount": 0,
            "currencyCode": self.rows[0]["Currency"] if self.rows else "EUR",
            "documentType": "Invoice",
            "invoiceType": "one_time",
            "status": "active",
            "invoiceDetails": [
                {"billingProvider": "onetime", "invoiceLineItemType": "billing_line_items"},
                {"billingProvider": "onetime", "invoiceLineItemType": "usage_line_items"},
            ],
        }


def number_of(period: Period) -> str:
    """Give the number of a month's invoice."""
    return f"G{period.number:09d}"


def invoices(desk: Desk) -> list[Invoice]:
    """Give the bills of all months that are over and have one by now, the newest first."""
    charges = desk.store.all(Charge)
    starts = [charge.at.date() for charge in charges]
    starts += [one.term_start for one in desk.store.all(Subscription) if one.is_consumption]
    if not starts:
        return []
    period, found = Period.of(min(starts)), []
    while period.end + timedelta(days=INVOICED_ON_DAY - 1) <= desk.today:
        found.append(Invoice(number_of(period), period, rows_of(desk, period)))
        period = period.next()
    return found[::-1]


def rows_of(desk: Desk, period: Period) -> list[Row]:
    """Give the lines of a month, in the 46 columns of the file."""
    customers = {one.id: one for one in desk.store.all(Customer)}
    subscriptions = {one.id: one for one in desk.store.all(Subscription)}
    rows = [
        _licence_row(charge, subscriptions[charge.subscription], customers[charge.account], period)
        for charge in desk.store.all(Charge)
        if Period.of(charge.at.date()) == period
    ]
    rows += _azure_rows(desk, period)
    for error in desk.store.all(BillError):
        if error.period == period.number:
            rows = _spoilt(rows, error.kind)
    return rows


def _licence_row(charge: Charge, one: Subscription, customer: Customer, period: Period) -> Row:
    end = one.term_end or charge.last_day
    return {
        **_who(customer, one.partner_id, number_of(period)),
        "OrderId": one.order,
        "OrderDate": moment(charge.at),
        "ProductId": one.product,
        "SkuId": one.sku,
        "AvailabilityId": one.item.rpartition(":")[2],
        "SkuName": one.name,
        "ProductName": one.name,
        "ChargeType": charge.kind,
        "UnitPrice": charge.unit_price,
        "Quantity": charge.quantity,
        "Subtotal": charge.subtotal,
        "TaxTotal": Decimal("0.00"),
        "Total": charge.subtotal,
        "Currency": one.currency,
        "PriceAdjustmentDescription": json.dumps([f"{charge.percent_off:.1f}% Promotion"])
        if charge.promotion
        else "",
        "PublisherName": "Microsoft",
        "PublisherId": "NA",
        "SubscriptionDescription": one.name,
        "SubscriptionId": one.id,
        "ChargeStartDate": _day(charge.from_day),
        "ChargeEndDate": _day(charge.last_day),
        "TermAndBillingCycle": (
            f"{_TERM_WORDS.get(one.term, '')} commitment for {_rhythm(one.cycle)} billing"
        ),
        "EffectiveUnitPrice": charge.effective_price,
        "UnitType": "Licenses",
        "AlternateId": one.order[:12].replace("-", ""),
        "BillableQuantity": charge.quantity,
        "BillingFrequency": _rhythm(one.cycle).capitalize(),
        "PricingCurrency": one.currency,
        "PCToBCExchangeRate": 1,
        "PCToBCExchangeRateDate": _day(charge.at.date()),
        "MeterDescription": "",
        "ReservationOrderId": "",
        "CreditReasonCode": "",
        "SubscriptionStartDate": _day(one.term_start),
        "SubscriptionEndDate": _day(end - timedelta(days=1)),
        "ReferenceID": charge.reference,
        "ProductQualifiers": "[]",
        "PromotionID": charge.promotion,
    }


def _azure_rows(desk: Desk, period: Period) -> list[Row]:
    """Give one line a meter of each Azure plan: its cost cut in dollars, then cut again in the billing currency."""
    sums: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in daily_rows(desk, period, until=period.end):
        sums[row["SubscriptionId"], row["MeterId"]].append(row)
    customers = {one.id: one for one in desk.store.all(Customer)}
    found = []
    for rows in sums.values():
        first = rows[0]
        quantity = sum((Decimal(row["Quantity"]) for row in rows), Decimal(0))
        rate = Decimal(first["PCToBCExchangeRate"])
        dollars = sum((Decimal(row["PricingPreTaxTotal"]) for row in rows), Decimal(0))
        cut = dollars.quantize(CENTS, rounding=ROUND_DOWN)
        subtotal = (cut * rate).quantize(CENTS, rounding=ROUND_DOWN)
        names = (
            "ProductId",
            "SkuId",
            "AvailabilityId",
            "SkuName",
            "ProductName",
            "UnitPrice",
            "SubscriptionId",
        )
        found.append(
            {
                **dict.fromkeys(_COLUMNS, ""),
                **_who(customers[first["CustomerId"]], first["Tier2MpnId"], number_of(period)),
                **{name: first[name] for name in names},
                "OrderDate": moment(datetime.combine(period.end - timedelta(days=1), datetime.min.time())),
                "ChargeType": "new",
                "Quantity": 1,
                "Subtotal": subtotal,
                "TaxTotal": Decimal("0.00"),
                "Total": subtotal,
                "Currency": first["BillingCurrency"],
                "PublisherName": "Microsoft",
                "PublisherId": "NA",
                "SubscriptionDescription": "Azure plan",
                "ChargeStartDate": _day(period.start),
                "ChargeEndDate": _day(period.end - timedelta(days=1)),
                "TermAndBillingCycle": f"{first['MeterName']} ({first['UnitType']})",
                "EffectiveUnitPrice": cut / quantity if quantity else Decimal(0),
                "UnitType": first["UnitType"],
                "BillableQuantity": quantity,
                "PricingCurrency": "USD",
                "PCToBCExchangeRate": rate,
                "PCToBCExchangeRateDate": _day(period.end - timedelta(days=1)),
                "MeterDescription": first["MeterName"],
                "SubscriptionStartDate": _SENTINEL,
                "SubscriptionEndDate": _SENTINEL,
                "ProductQualifiers": "[]",
            }
        )
    return found


def _who(customer: Customer, reseller: str, invoice: str) -> Row:
    company = customer.body["companyProfile"]
    return {
        "PartnerId": OWN_TENANT,
        "CustomerId": customer.id,
        "CustomerName": company["companyName"],
        "CustomerDomainName": company["domain"],
        "CustomerCountry": customer.country,
        "InvoiceNumber": invoice,
        "MPNID": OWN_PARTNER_ID,
        "ResellerMPNID": reseller or "0",
    }


def _spoilt(rows: Sequence[Row], kind: str) -> list[Row]:
    """Get the first licence line of the bill wrong, or the first one with a promotion."""
    licences = (i for i, row in enumerate(rows) if row["UnitType"] == "Licenses")
    if kind == "missing_promotion":
        licences = (i for i in licences if rows[i]["PromotionID"])
    number = next(licences, None)
    if number is None:
        return list(rows)
    row, others = rows[number], [*rows[:number], *rows[number + 1 :]]
    quantity, price = Decimal(row["BillableQuantity"]), Decimal(row["EffectiveUnitPrice"])
    match kind:
        case "missing":
            return others
        case "twice":
            return [row, row, *others]
        case "unknown_subscription":
            return [{**row, "SubscriptionId": f"ffffffff{row['SubscriptionId'][8:]}"}, *others]
        case "wrong_price":
            price = price * Decimal("1.1")
        case "wrong_quantity":
            quantity += 1
        case "missing_promotion":
            price = Decimal(row["UnitPrice"])
            row = {**row, "PromotionID": "", "PriceAdjustmentDescription": ""}
    subtotal = price.quantize(CENTS, rounding=ROUND_DOWN) * quantity
    changed = {
        "EffectiveUnitPrice": price,
        "BillableQuantity": quantity,
        "Subtotal": subtotal,
        "Total": subtotal,
    }
    return [{**row, **changed}, *others]


def as_line_item(row: Mapping[str, Any]) -> Row:
    """Show a line as the older interface does: other names, real lists, numbers as texts or numbers."""
    special = {"Total": "totalForCustomer", "MPNID": "mpnId", "ResellerMPNID": "resellerMpnId"}
    special |= {"ReferenceID": "referenceId", "PromotionID": "promotionId"}
    special |= {name: f"pcTo{name[4:]}" for name in ("PCToBCExchangeRate", "PCToBCExchangeRateDate")}
    shown = {special.get(name, f"{name[:1].lower()}{name[1:]}"): value for name, value in row.items()}
    return {**shown, "productQualifiers": json.loads(row["ProductQualifiers"] or "[]")}


def _rhythm(cycle: BillingCycle) -> str:
    return cycle.value.replace("_", "-")


def _day(value: date) -> str:
    return f"{value.isoformat()}T00:00:00Z"


_COLUMNS = (
    *("PartnerId", "CustomerId", "CustomerName", "CustomerDomainName", "CustomerCountry", "InvoiceNumber"),
    *("MPNID", "ResellerMPNID", "OrderId", "OrderDate", "ProductId", "SkuId", "AvailabilityId", "SkuName"),
    *("ProductName", "ChargeType", "UnitPrice", "Quantity", "Subtotal", "TaxTotal", "Total", "Currency"),
    *("PriceAdjustmentDescription", "PublisherName", "PublisherId", "SubscriptionDescription"),
    *("SubscriptionId", "ChargeStartDate", "ChargeEndDate", "TermAndBillingCycle", "EffectiveUnitPrice"),
    *("UnitType", "AlternateId", "BillableQuantity", "BillingFrequency", "PricingCurrency"),
    *("PCToBCExchangeRate", "PCToBCExchangeRateDate", "MeterDescription", "ReservationOrderId"),
    *("CreditReasonCode", "SubscriptionStartDate", "SubscriptionEndDate", "ReferenceID"),
    *("ProductQualifiers", "PromotionID"),
)
