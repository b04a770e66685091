"""Partner Center daily rated usage: the 55-column CSV and the JSON lines with full or basic attributes.

`Quantity` and `UnitPrice` are in the pricing currency's terms; the exchange rate of the row leads to the billing
currency. A row is the use of one day; `ChargeStartDate` tells the month it is billed in, and `ChargeEndDate` is the
last day of that month in some files and the first of the next in others.
"""

from marketplace.usage.formats.format import (
    Format,
    is_bad_day,
    is_missing,
    is_no_currency,
    is_no_day,
    is_no_decimal,
    text,
)

SKU = "CASE WHEN {SkuId} IS NULL THEN coalesce({ProductId}, '') ELSE coalesce({ProductId}, '') || ':' || {SkuId} END"

DAILY = Format(
    name="daily",
    title="Partner Center daily rated usage",
    file_kind="daily",
    required=(
        "CustomerId",
        "UsageDate",
        "ChargeStartDate",
        "Quantity",
        "BillingPreTaxTotal",
        "BillingCurrency",
    ),
    lake={
        "billing_account": text("PartnerId"),
        "account": text("CustomerId"),
        "subscription": text("SubscriptionId"),
        "product": text("ProductName"),
        "sku": SKU,
        "meter": text("MeterId"),
        "unit": "coalesce({UnitType}, {Unit}, '')",
        "charge_category": "'Usage'",
        "charge_type": text("ChargeType"),
        "usage_date": "day_of({UsageDate})",
        "charge_from": "day_of({UsageDate})",
        "charge_until": "day_of({UsageDate}) + 1",
        "quantity": "exact({Quantity})",
        "cost": "exact({BillingPreTaxTotal})",
        "currency": "code_of({BillingCurrency})",
        "list_unit_price": "exact({UnitPrice})",
        "list_fx": "exact({PCToBCExchangeRate})",
        "list_cost": "NULL",
        "is_committed": "{BenefitOrderId} IS NOT NULL OR {BenefitId} IS NOT NULL",
        "provider": text("PublisherName"),
        "invoice": text("InvoiceNumber"),
    },
    period_day="day_of({ChargeStartDate})",
    checks=(
        is_missing("CustomerId"),
        is_missing("UsageDate"),
        is_no_day("UsageDate", "usage_date"),
        is_missing("ChargeStartDate"),
        is_no_day("ChargeStartDate", "day_of({ChargeStartDate})"),
        is_bad_day("ChargeEndDate"),
        is_missing("Quantity"),
        is_no_decimal("Quantity", "quantity"),
        is_missing("BillingPreTaxTotal"),
        is_no_decimal("BillingPreTaxTotal", "cost"),
        is_missing("BillingCurrency"),
        is_no_currency("BillingCurrency"),
        is_no_decimal("UnitPrice", "list_unit_price"),
        is_no_decimal("PCToBCExchangeRate", "list_fx"),
    ),
    decimals=(
        "UnitPrice",
        "Quantity",
        "BillingPreTaxTotal",
        "PricingPreTaxTotal",
        "EffectiveUnitPrice",
        "PCToBCExchangeRate",
    ),
)
