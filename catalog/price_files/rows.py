"""What a row of a price list says, whatever file it came in."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from catalog.words import BillingCycle, BillingModel, PriceListKind, ProductKind, RelationKind, Segment, Term
from marketplace.core.errors import FaultyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuWords:
    """A SKU and its product in the vendor's words."""

    product: str
    sku: str
    kind: ProductKind
    product_title: str
    sku_title: str
    publisher: str
    description: str = ""
    category: str = ""
    unit: str = ""
    minimum_quantity: int = 1
    maximum_quantity: int | None = None
    customer_limit: int | None = None
    is_addon: bool = False
    is_trial: bool = False
    may_cancel: bool = True
    may_renew: bool = True


@dataclass(frozen=True, slots=True, order=True)
class PlanKey:
    """One way to buy, by the vendor's names."""

    product: str
    sku: str
    term: Term
    billing_cycle: BillingCycle
    segment: Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """The price of a plan for a band of quantities, for its whole term. No cost: it can be bought without one known."""

    number: int
    words: SkuWords
    plan: PlanKey
    market: str
    currency: str
    unit_cost: Decimal | None
    unit_list: Decimal | None
    quantity_from: int
    # Inclusive; None is without end.
    quantity_until: int | None
    valid_from: datetime
    valid_until: datetime | None
    billing_model: BillingModel = BillingModel.POSTPAID


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRow:
    """A step of the price of consumption."""

    number: int
    words: SkuWords
    meter: str
    market: str
    currency: str
    unit_list: Decimal
    quantity_from: Decimal
    quantity_until: Decimal | None
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """What one SKU is to another, each as (product, SKU)."""

    sku: tuple[str, str]
    kind: RelationKind
    target: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuLimits:
    """How many of a SKU may be bought at once, and had by one customer."""

    number: int
    sku: tuple[str, str]
    minimum_quantity: int
    maximum_quantity: int | None
    customer_limit: int | None
    # What needs another SKU beside it is an add-on.
    is_addon: bool


@dataclass(slots=True, kw_only=True)
class PriceFile:
    """All a file says: every row is in exactly one of `plans`, `meters`, `limits` and the rejected."""

    kind: PriceListKind
    rows: int = 0
    plans: list[PlanRow] = field(default_factory=list)
    meters: list[MeterRow] = field(default_factory=list)
    # Of an offer matrix, which has neither prices nor plans.
    limits: list[SkuLimits] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    rejects: list[FaultyRow] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """How many rows cannot be used: a row may have several faults."""
        return len({reject.row for reject in self.rejects})
