"""What a new version of a price list changes against the one in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from catalog.price_files.rows import PlanKey


class Kind(StrEnum):
    """What becomes of a price."""

    NEW = "new"
    ENDED = "ended"
    DEARER = "dearer"
    CHEAPER = "cheaper"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, order=True)
class BandKey:
    """A plan and the least quantity of a band of it."""

    plan: PlanKey
    quantity_from: Decimal
    # The meter, for steps of consumption.
    meter: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """What a unit costs and is suggested to be sold at."""

    cost: Decimal | None
    listed: Decimal | None

    @property
    def leading(self) -> Decimal | None:
        """What decides whether it is dearer: the cost, or the list price where there is no cost."""
        return self.listed if self.cost is None else self.cost


@dataclass(frozen=True, slots=True)
class Difference:
    """A price before and after."""

    kind: Kind
    key: BandKey
    title: str
    before: Price | None
    after: Price | None


def differences(
    before: Mapping[BandKey, Price], after: Mapping[BandKey, Price], titles: Mapping[BandKey, str]
) -> list[Difference]:
    """Compare two lists, in the order of their plans; what stays as it is is left out."""
    found = []
    for key in before.keys() | after.keys():
        was, becomes = before.get(key), after.get(key)
        kind = _kind(was, becomes)
        if kind is not Kind.UNCHANGED:
            found.append(Difference(kind, key, titles.get(key, ""), was, becomes))
    return sorted(found, key=lambda one: _place(one.key))


def _place(key: BandKey) -> tuple[str | Decimal, ...]:
    """Order bands by plan and quantity: tuples compare much faster than dataclasses, and lists are long."""
    plan = key.plan
    return (
        *(plan.product, plan.sku, plan.term, plan.billing_cycle, plan.segment),
        *(key.quantity_from, key.meter),
    )


def _kind(was: Price | None, becomes: Price | None) -> Kind:
    if was is None:
        return Kind.NEW
    if becomes is None:
        return Kind.ENDED
    if was == becomes:
        return Kind.UNCHANGED
    # Where the cost is the same, the suggested price decides; a price that was not known before is a change too.
    for old, new in ((was.leading, becomes.leading), (was.listed, becomes.listed)):
        if (old or Decimal(0)) != (new or Decimal(0)):
            return Kind.DEARER if (new or Decimal(0)) > (old or Decimal(0)) else Kind.CHEAPER
    return Kind.UNCHANGED
