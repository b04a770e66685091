"""What the simulator sells: the rows of a price list in the vendor's own format, or a small built-in one.

Which SKUs are add-ons, limited, or may be upgraded to which stands in no price list; it is written down below.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from catalog.words import BillingCycle, Term

PRICE_LIST = "price_list.csv"
AZURE_PLAN = "DZH318Z0BPS6:0001"
BILLING_CURRENCY = "EUR"
"""What the wholesaler is billed in, wherever its customers are."""
_SKU_LETTERS = 4

#: Seats a customer may have of a SKU, over all its subscriptions.
CUSTOMER_LIMITS = {
    "CFQ7TTC0LCHC:0002": 300,
    "CFQ7TTC0LDPB:0001": 300,
    "CFQ7TTC0LH18:0001": 300,
    "CFQ7TTC0LH33:0001": 3,
    "CFQ7TTC0HD4F:0002": 10,
    "CFQ7TTC0HD4F:0001": 6,
}
#: What a customer must have before it may have an add-on.
NEEDS = {
    "CFQ7TTC0HDK0:0001": ("CFQ7TTC0LCHC:0002", "CFQ7TTC0LF8R:0001", "CFQ7TTC0LFLX:0001", "CFQ7TTC0LFLZ:0002"),
    "CFQ7TTC0LHSL:0001": ("CFQ7TTC0LF8R:0001", "CFQ7TTC0LFLX:0001", "CFQ7TTC0LFLZ:0002"),
}
#: What a SKU may be upgraded to.
UPGRADES = {
    "CFQ7TTC0LH18:0001": ("CFQ7TTC0LDPB:0001", "CFQ7TTC0LCHC:0002", "CFQ7TTC0LFLX:0001"),
    "CFQ7TTC0LDPB:0001": ("CFQ7TTC0LCHC:0002", "CFQ7TTC0LFLX:0001", "CFQ7TTC0LFLZ:0002"),
    "CFQ7TTC0LCHC:0002": ("CFQ7TTC0LFLX:0001", "CFQ7TTC0LFLZ:0002"),
    "CFQ7TTC0LF8R:0001": ("CFQ7TTC0LFLX:0001", "CFQ7TTC0LFLZ:0002"),
    "CFQ7TTC0LFLX:0001": ("CFQ7TTC0LFLZ:0002",),
}
#: What a trial becomes.
PAID_TWINS = {"CFQ7TTC0LCHC:0003": "CFQ7TTC0LCHC:0002"}

# Product, its title, SKU, its title, a month's price in EUR of a year paid at once, how many at least.
_SOLD = (
    ("CFQ7TTC0LH18", "Microsoft 365 Business Basic", "0001", "Microsoft 365 Business Basic", "4.50"),
    ("CFQ7TTC0LDPB", "Microsoft 365 Business Standard", "0001", "Microsoft 365 Business Standard", "9.38"),
    ("CFQ7TTC0LCHC", "Microsoft 365 Business Premium", "0002", "Microsoft 365 Business Premium", "16.50"),
    ("CFQ7TTC0LF8R", "Office 365 E3", "0001", "Office 365 E3", "19.20"),
    ("CFQ7TTC0LFLX", "Microsoft 365 E3", "0001", "Microsoft 365 E3", "30.24"),
    ("CFQ7TTC0LFLZ", "Microsoft 365 E5", "0002", "Microsoft 365 E5", "47.90"),
    ("CFQ7TTC0H9MP", "Power BI Pro", "0001", "Power BI Pro", "7.90"),
    ("CFQ7TTC0HDK0", "Advanced Communications", "0001", "Advanced Communications", "9.60"),
    ("CFQ7TTC0LHSL", "Microsoft Defender for Office 365", "0001", "Defender for Office 365 Plan 2", "4.20"),
    ("CFQ7TTC0LH33", "Power Apps Developer", "0001", "Power Apps Developer Plan", "0"),
)
_TRIAL = (
    "CFQ7TTC0LCHC",
    "Microsoft 365 Business Premium",
    "0003",
    "Microsoft 365 Business Premium Trial",
    "0",
)
#: Months and what is added to the price of a year paid at once.
_PLANS = (
    (Term.P1M, BillingCycle.MONTHLY, 1, Decimal("1.20")),
    (Term.P1Y, BillingCycle.MONTHLY, 12, Decimal("1.05")),
    (Term.P1Y, BillingCycle.ANNUAL, 12, Decimal(1)),
    (Term.P3Y, BillingCycle.MONTHLY, 36, Decimal("1.05")),
    (Term.P3Y, BillingCycle.ANNUAL, 36, Decimal(1)),
    (Term.P3Y, BillingCycle.TRIENNIAL, 36, Decimal(1)),
)


@dataclass(frozen=True)
class Plan:
    """A term and a billing cycle, with its prices for the whole term, each from an instant until another."""

    term: Term
    cycle: BillingCycle
    segment: str
    market: str
    currency: str
    price: Decimal
    starts: datetime
    ends: datetime


@dataclass
class Sku:
    """A SKU with its plans."""

    product: str
    product_title: str
    sku: str
    title: str
    is_trial: bool = False
    is_consumption: bool = False
    plans: list[Plan] = field(default_factory=list)

    @property
    def reference(self) -> str:
        """Product and SKU."""
        return f"{self.product}:{self.sku}"

    def item(self, *, segment: str, country: str, day: date) -> str:
        """Give what an order names. It is another in each month, as the vendor's change too."""
        seed = f"{self.reference}:{segment}:{country}:{day.year}-{day.month}".encode()
        return f"{self.reference}:CFQ7TTC{hashlib.sha256(seed).hexdigest()[:5].upper()}"

    def plan(
        self, term: Term, cycle: BillingCycle, *, segment: str, country: str, at: datetime
    ) -> Plan | None:
        """Give what is sold at an instant: of rows that overlap, the older one holds while it runs.

        Of several currencies it is the one the wholesaler is billed in.
        """
        fitting = [
            plan
            for plan in self.plans
            if (plan.term, plan.cycle, plan.segment) == (term, cycle, segment)
            and plan.starts <= at < plan.ends
        ]
        here = [plan for plan in fitting if plan.market == country] or fitting
        return min(here, key=lambda plan: (plan.currency != BILLING_CURRENCY, plan.starts), default=None)

    def price(
        self, term: Term, cycle: BillingCycle, *, segment: str, country: str, at: datetime
    ) -> Decimal | None:
        """Give the price of a term, if it is sold."""
        plan = self.plan(term, cycle, segment=segment, country=country, at=at)
        return plan.price if plan else None


class Catalogue:
    """All SKUs by reference."""

    def __init__(self, skus: Sequence[Sku]) -> None:
        """Sell these."""
        self.skus: Mapping[str, Sku] = {sku.reference: sku for sku in skus}

    def of_product(self, product: str) -> list[Sku]:
        """Give a product's SKUs."""
        return [sku for sku in self.skus.values() if sku.product == product]

    def by_item(self, item: str, *, country: str, day: date) -> tuple[Sku, str] | None:
        """Give the SKU and segment an order names, if it names it by today's reference."""
        sku = self.skus.get(item.rpartition(":")[0])
        if sku is None:
            return None
        segments = {plan.segment for plan in sku.plans}
        found = [one for one in segments if sku.item(segment=one, country=country, day=day) == item]
        return (sku, found[0]) if found else None


def load(folder: Path | None) -> Catalogue:
    """Read the price list in the state folder; without one, sell the built-in list."""
    file = None if folder is None else folder / PRICE_LIST
    rows = list(_built_in())
    if file is not None and file.exists():
        rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    skus: dict[str, Sku] = {}
    for row in rows:
        _add(skus, {name.strip().strip('"“”'): value for name, value in row.items() if name})
    azure = Sku("DZH318Z0BPS6", "Azure plan", "0001", "Azure plan", is_consumption=True)
    azure.plans.append(
        Plan(
            Term.ONE_TIME,
            BillingCycle.ONE_TIME,
            "commercial",
            "",
            "USD",
            Decimal(0),
            _moment(""),
            _moment("9999"),
        )
    )
    skus.setdefault(AZURE_PLAN, azure)
    return Catalogue(list(skus.values()))


def _add(skus: dict[str, Sku], row: Mapping[str, str]) -> None:
    product, number = row["ProductId"], row["SkuId"].zfill(_SKU_LETTERS)
    sku = skus.setdefault(
        f"{product}:{number}",
        Sku(
            product, row["ProductTitle"], number, row["SkuTitle"], is_trial="trial" in row["Tags"].casefold()
        ),
    )
    terms = {term.value: term for term in Term}
    cycle = row.get("BillingPlan", "").casefold() or "one_time"
    if row["TermDuration"] not in terms or cycle not in {one.value for one in BillingCycle}:
        return
    sku.plans.append(
        Plan(
            term=terms[row["TermDuration"]],
            cycle=BillingCycle(cycle),
            segment=(row.get("Segment") or "commercial").casefold(),
            market=row["Market"],
            currency=row["Currency"],
            price=Decimal(row["UnitPrice"]),
            starts=_moment(row["EffectiveStartDate"]),
            ends=_moment(row["EffectiveEndDate"] or "9999"),
        )
    )


def _moment(text: str) -> datetime:
    """Read an instant of a price list: ISO, or as Americans write it; years alone are placeholders."""
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    if text == "9999" or "9999" in text:
        return datetime.max.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p")  # noqa: DTZ007 - UTC, set below
    return moment.replace(tzinfo=UTC)


def _built_in() -> Iterator[dict[str, str]]:
    for product, title, sku, sku_title, month in (*_SOLD, _TRIAL):
        is_trial = sku_title.endswith("Trial")
        plans = ((Term.P1M, BillingCycle.NONE, 1, Decimal(1)),) if is_trial else _PLANS
        for term, cycle, months, factor in plans:
            yield {
                "ProductTitle": title,
                "ProductId": product,
                "SkuId": sku,
                "SkuTitle": sku_title,
                "Tags": "License;Trial" if is_trial else "License",
                "TermDuration": term.value,
                "BillingPlan": cycle.value.capitalize(),
                "Market": "",
                "Currency": BILLING_CURRENCY,
                "UnitPrice": str(Decimal(month) * months * factor),
                "EffectiveStartDate": "",
                "EffectiveEndDate": "",
            }
