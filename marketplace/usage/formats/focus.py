"""FOCUS 1.0 to 1.2, the FinOps Open Cost and Usage Specification, as AWS, Microsoft, Oracle and others write it.

Ends are exclusive instants. A charge of 17:00 to 18:00 lies on its day, so its end is rounded up to a whole day.
"""

from marketplace.usage.formats.format import (
    MISSING,
    Check,
    Format,
    is_bad_day,
    is_blank,
    is_missing,
    is_no_currency,
    is_no_day,
    is_no_decimal,
    text,
)

# Some exports write them in another case; the specification's spelling is kept, so that one category is one line.
_CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
_CATEGORY = (
    "CASE lower(trim({ChargeCategory})) "
    + " ".join(f"WHEN '{category.lower()}' THEN '{category}'" for category in _CATEGORIES)
    + " ELSE coalesce({ChargeCategory}, '') END"
)

FOCUS = Format(
    name="focus",
    title="FOCUS 1.0 to 1.2",
    file_kind="focus",
    required=(
        "BilledCost",
        "BillingAccountId",
        "BillingCurrency",
        "BillingPeriodStart",
        "ChargeCategory",
        "ChargePeriodStart",
    ),
    lake={
        "billing_account": text("BillingAccountId"),
        "account": f"coalesce(CASE WHEN {is_blank('SubAccountId')} THEN {{BillingAccountId}} ELSE {{SubAccountId}} END, '')",
        "subscription": "''",
        "product": text("ServiceName"),
        "sku": text("SkuId"),
        "meter": text("SkuPriceId"),
        "unit": text("PricingUnit"),
        "charge_category": _CATEGORY,
        "charge_type": text("ChargeClass"),
        "usage_date": "day_of({ChargePeriodStart})",
        "charge_from": "day_of({ChargePeriodStart})",
        "charge_until": (
            "greatest(coalesce(end_of(moment_of({ChargePeriodEnd})), day_of({ChargePeriodStart}) + 1), "
            "day_of({ChargePeriodStart}) + 1)"
        ),
        "quantity": "CASE WHEN {PricingQuantity} IS NULL THEN 0::DECIMAL(38,18) ELSE exact({PricingQuantity}) END",
        "cost": "exact({BilledCost})",
        "currency": "code_of({BillingCurrency})",
        "list_unit_price": "NULL",
        "list_fx": "NULL",
        "list_cost": "exact({ListCost})",
        "is_committed": "{CommitmentDiscountId} IS NOT NULL",
        "provider": text("ProviderName"),
        "invoice": text("InvoiceId"),
    },
    period_day="day_of({BillingPeriodStart})",
    checks=(
        Check(
            "BillingAccountId", f"({is_blank('BillingAccountId')}) AND ({is_blank('SubAccountId')})", MISSING
        ),
        is_missing("BillingPeriodStart"),
        is_no_day("BillingPeriodStart", "day_of({BillingPeriodStart})"),
        is_missing("ChargePeriodStart"),
        is_no_day("ChargePeriodStart", "usage_date"),
        is_bad_day("ChargePeriodEnd"),
        is_missing("ChargeCategory"),
        is_missing("BilledCost"),
        is_no_decimal("BilledCost", "cost"),
        is_no_decimal("PricingQuantity", "quantity"),
        is_no_decimal("ListCost", "list_cost"),
        is_missing("BillingCurrency"),
        is_no_currency("BillingCurrency"),
    ),
    decimals=(
        "BilledCost",
        "ListCost",
        "PricingQuantity",
        "EffectiveCost",
        "ContractedCost",
        "ConsumedQuantity",
    ),
)
