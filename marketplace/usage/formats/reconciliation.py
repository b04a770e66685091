"""Partner Center new-commerce invoice reconciliation, 46 columns: the vendor's bill, line by line.

Its charge dates are inclusive and do not tell the billing period (a licence line may start in another month), so the
period is told. What a line sells is read from its texts, in the order Microsoft's own documentation gives.
"""

from marketplace.usage.formats.daily import SKU
from marketplace.usage.formats.format import (
    MISSING,
    Check,
    Format,
    is_bad_day,
    is_missing,
    is_no_currency,
    is_no_day,
    is_no_decimal,
    text,
)

_IS_FIRST_PARTY = "lower(trim(coalesce({PublisherName}, ''))) IN ('microsoft', 'microsoft corporation', '')"
_IS_THIRD_PARTY = f"NOT ({_IS_FIRST_PARTY}) AND coalesce(trim({{PublisherId}}), '') <> ''"
_SAYS_TERM = (
    "regexp_matches(coalesce({TermAndBillingCycle}, ''), "
    "'reservation|savings plan|subscription|one-month|one-year|three-year', 'i')"
)
_IS_PERPETUAL = "coalesce(trim({TermAndBillingCycle}), '') = '' AND day_of({ChargeEndDate}) IS NULL"
_IS_AZURE_PLAN = "lower(trim(coalesce({SubscriptionDescription}, ''))) = 'azure plan'"

CHARGE_CATEGORY = (
    "CASE WHEN lower(trim(coalesce({ChargeType}, ''))) = 'customercredit' THEN 'Credit' "
    f"WHEN {_IS_THIRD_PARTY} THEN 'Purchase' "
    f"WHEN {_SAYS_TERM} THEN 'Purchase' "
    f"WHEN {_IS_PERPETUAL} AND NOT ({_IS_AZURE_PLAN}) THEN 'Purchase' "
    "ELSE 'Usage' END"
)

_START = "coalesce(day_of({ChargeStartDate}), day_of({OrderDate}))"

RECONCILIATION = Format(
    name="reconciliation",
    title="Partner Center invoice reconciliation",
    file_kind="reconciliation",
    required=(
        "CustomerId",
        "ProductId",
        "SkuId",
        "ProductName",
        "ChargeType",
        "Subtotal",
        "Currency",
        "SubscriptionDescription",
        "ChargeStartDate",
        "ChargeEndDate",
        "TermAndBillingCycle",
        "BillableQuantity",
    ),
    lake={
        "billing_account": text("PartnerId"),
        "account": text("CustomerId"),
        "subscription": text("SubscriptionId"),
        "product": text("ProductName"),
        "sku": SKU,
        "meter": "''",
        "unit": text("UnitType"),
        "charge_category": CHARGE_CATEGORY,
        "charge_type": text("ChargeType"),
        "usage_date": _START,
        "charge_from": _START,
        "charge_until": f"greatest(coalesce(day_of({{ChargeEndDate}}), {_START}), {_START}) + 1",
        "quantity": "exact(coalesce({BillableQuantity}, {Quantity}))",
        "cost": "exact({Subtotal})",
        "currency": "code_of({Currency})",
        "list_unit_price": "NULL",
        "list_fx": "NULL",
        "list_cost": "NULL",
        "is_committed": "false",
        "provider": text("PublisherName"),
        "invoice": text("InvoiceNumber"),
    },
    period_day="",
    checks=(
        is_missing("CustomerId"),
        is_bad_day("ChargeStartDate"),
        is_bad_day("ChargeEndDate"),
        is_no_day("ChargeStartDate", "usage_date"),
        is_no_decimal("BillableQuantity", "quantity"),
        is_no_decimal("Quantity", "quantity"),
        Check("BillableQuantity", "quantity IS NULL", MISSING),
        is_missing("Subtotal"),
        is_no_decimal("Subtotal", "cost"),
        is_missing("Currency"),
        is_no_currency("Currency"),
    ),
    decimals=(
        "UnitPrice",
        "Quantity",
        "Subtotal",
        "TaxTotal",
        "Total",
        "EffectiveUnitPrice",
        "BillableQuantity",
        "PCToBCExchangeRate",
    ),
)
