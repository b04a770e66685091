"""What a price rule is about: a hop, and any of party, subscription and catalogue columns. Blank is any."""

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.core.cells import Entry, FaultyEntry, Unusable
from marketplace.core.errors import N_, Phrase
from resellers.words import Hop


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class Scope:
    """A scope as it was typed; parties by their references. Wrong ones cannot be made: they raise `FaultyEntry`."""

    hop: Hop
    reseller: str = ""
    customer: str = ""
    subscription: str = ""
    vendor: str = ""
    product: str = ""
    sku: str = ""

    def __post_init__(self) -> None:
        if fault := scope_fault(vendor=self.vendor, product=self.product, sku=self.sku):
            column, reason = fault
            raise FaultyEntry.of((column, getattr(self, column), reason))


def scope_fault(*, vendor: str, product: str, sku: str) -> tuple[str, Phrase] | None:
    """Say what is wrong with the catalogue columns: a sku needs its product, a product its vendor."""
    if sku and not product:
        return "sku", Phrase.of(N_("needs its product: the same SKU can belong to several"))
    if product and not vendor:
        return "product", Phrase.of(N_("needs its vendor: two vendors can use the same name"))
    return None


def read_scope(entry: Entry) -> Scope:
    """Read the scope columns; faults are noted on the entry."""
    hop = entry.take("hop", read_hop, Hop.WHOLESALE)
    names = {name: entry.text(name) for name in ("vendor", "product", "sku")}
    if fault := scope_fault(**names):
        entry.fault(*fault)
        names = {}
    return Scope(
        hop=hop,
        reseller=entry.text("reseller"),
        customer=entry.text("customer"),
        subscription=entry.text("subscription"),
        **names,
    )


def read_hop(text: str) -> Hop:
    """Read the word for a hop."""
    try:
        return Hop(text.lower())
    except ValueError:
        raise Unusable(Phrase.of(N_("is not a hop: write wholesale or retail"))) from None


def scope_words(scope: Scope) -> Phrase:
    """Say what a scope is about: "reseller R1, product X of aws"."""
    parts: list[Phrase] = []
    if scope.customer:
        parts.append(Phrase.of(N_("customer %(reference)s"), reference=scope.customer))
    if scope.reseller:
        parts.append(Phrase.of(N_("reseller %(reference)s"), reference=scope.reseller))
    if scope.subscription:
        parts.append(Phrase.of(N_("subscription %(id)s"), id=scope.subscription))
    if scope.sku:
        parts.append(
            Phrase.of(
                N_("SKU %(sku)s of %(product)s (%(vendor)s)"),
                sku=scope.sku,
                product=scope.product,
                vendor=scope.vendor,
            )
        )
    elif scope.product:
        parts.append(
            Phrase.of(N_("product %(product)s of %(vendor)s"), product=scope.product, vendor=scope.vendor)
        )
    elif scope.vendor:
        parts.append(Phrase.of(N_("vendor %(vendor)s"), vendor=scope.vendor))
    return listed(parts) if parts else Phrase.of(N_("everything"))


def listed(parts: Iterable[Phrase]) -> Phrase:
    """Join phrases by commas, each still to be translated."""
    first, *others = parts
    whole = first
    for part in others:
        whole = Phrase.of(N_("%(first)s, %(next)s"), first=whole, next=part)
    return whole
