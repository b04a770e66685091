"""FOCUS 1.2: one party's statement lines as cost data that FinOps tools read.

Specification: FinOps Open Cost and Usage Specification 1.2 (29 May 2025), column definitions. The buyer's own price
is the billed cost; what its seller paid is nowhere in the file.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from marketplace.core.period import Period
from marketplace.documents.tables import Cell

_CATEGORIES = {name.lower(): name for name in ("Usage", "Purchase", "Tax", "Credit", "Adjustment")}
_CORRECTION = "correction"

_WORDS = r"[A-Za-z][A-Za-z0-9]*(?: [A-Za-z][A-Za-z0-9]*)*"
_TIME = r"(?:Year|Month|Day|Hour|Minute|Second)"
#: FOCUS's unit format: `GB`, `1000 Requests`, `GB-Hours`, `Requests/Second`, `Units/3 Months`.
_UNIT = re.compile(rf"(?:[0-9]+ )?{_WORDS}|{_WORDS}-{_TIME}s|{_WORDS}/{_TIME}|{_WORDS}/[0-9]+ {_TIME}s")
_TIME_AT_END = re.compile(rf"-{_TIME}s$")
_NO_WORD = re.compile(r"[^A-Za-z0-9]+|(?<=[0-9])(?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class FocusLine:
    """What FOCUS wants to know of one statement line."""

    line: UUID
    statement: UUID
    period: Period
    seller: str
    buyer: str
    buyer_name: str
    customer: str
    customer_name: str
    vendor: str
    account: str
    product: str
    sku: str
    meter: str
    unit: str
    charge_category: str
    charge_type: str
    charge_from: date
    charge_until: date
    quantity: Decimal
    amount: Decimal
    # The public price of the same, where the buyer's own price was made from it.
    list_amount: Decimal | None
    currency: str
    source_rows: int
    is_correction: bool


def focus_rows(lines: Iterable[FocusLine]) -> Iterator[Sequence[Cell]]:
    """Give the rows of a FOCUS file, cells in the order of `FOCUS_COLUMNS`."""
    return (_row(line) for line in lines)


def _row(line: FocusLine) -> Sequence[Cell]:
    category = _CATEGORIES.get(line.charge_category.lower(), "Usage")
    is_correction = line.is_correction or line.charge_type.lower() == _CORRECTION
    is_usage = category == "Usage"
    has_price = category in {"Usage", "Purchase"}
    unit = focus_unit(line.unit)
    amount = _decimal(line.amount)
    list_cost = amount if line.list_amount is None else _decimal(line.list_amount)
    quantity = _decimal(line.quantity)
    return (
        amount,
        line.buyer,
        line.buyer_name,
        "Statement",
        line.currency,
        _instant(line.period.end),
        _instant(line.period.start),
        category,
        "Correction" if is_correction else None,
        _description(line),
        "Usage-Based" if is_usage else "One-Time",
        _instant(line.charge_until),
        _instant(line.charge_from),
        quantity if is_usage else None,
        unit if is_usage else None,
        amount,
        amount,
        str(line.statement),
        line.seller,
        list_cost,
        "Standard" if has_price else None,
        quantity if has_price else None,
        unit if has_price else None,
        line.vendor,
        line.vendor,
        "Other",
        line.product or line.vendor,
        "Other (Other)",
        line.sku or None,
        line.meter or line.sku or None,
        line.account or None,
        line.account or None,
        "Account" if line.account else None,
        line.customer,
        line.customer_name,
        str(line.line),
        str(line.source_rows),
        line.unit or None,
    )


def focus_unit(unit: str) -> str:
    """Write a vendor's unit in FOCUS's format: `Lambda-GB-Seconds` is `Lambda GB-Seconds`, `1 GB/Month` `1 GB Month`."""
    if _UNIT.fullmatch(unit):
        return unit
    at_end = _TIME_AT_END.search(unit)
    time = at_end[0] if at_end else ""
    words = _NO_WORD.sub(" ", unit.removesuffix(time)).strip()
    for plainer in (f"{words}{time}", f"{words} {time.removeprefix('-')}".strip()):
        if _UNIT.fullmatch(plainer):
            return plainer
    return "Units"


def _decimal(value: Decimal) -> Decimal:
    """Give a whole number a decimal: tools tell a column's type by its values."""
    return value if "." in f"{value:f}" else Decimal(f"{value:f}.0")


def _instant(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _description(line: FocusLine) -> str:
    return ", ".join(part for part in (line.product, line.sku, line.meter) if part) or line.vendor


#: What the specification types as a number.
FOCUS_NUMBERS = frozenset(
    {
        "BilledCost",
        "ConsumedQuantity",
        "ContractedCost",
        "EffectiveCost",
        "ListCost",
        "PricingQuantity",
    }
)

FOCUS_COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "x_CustomerId",
    "x_CustomerName",
    "x_StatementLineId",
    "x_SourceRows",
    "x_Unit",
)
