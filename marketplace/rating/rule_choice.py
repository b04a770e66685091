"""Which price rule wins where several match: the most specific one.

The ladder (most specific first) is subscription, customer+sku, customer+product, customer+vendor, customer,
reseller+sku, reseller+product, reseller+vendor, reseller, sku, product, vendor, default. All filled columns of a
scope must match. A scope that fills more columns of the same rung (a subscription with a customer, a customer with
its reseller) comes before one that fills fewer, so the choice is a total order and never a tie.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

#: The columns of a scope, in the order in which they are printed and compared.
SCOPE_COLUMNS = ("reseller_id", "customer_id", "subscription", "vendor", "product", "sku")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule is about. None or blank matches anything."""

    reseller_id: int | None = None
    customer_id: int | None = None
    subscription: str = ""
    vendor: str = ""
    product: str = ""
    sku: str = ""

    @property
    def filled(self) -> tuple[str, ...]:
        """The columns that must match."""
        return tuple(column for column in SCOPE_COLUMNS if getattr(self, column))


def specificity(filled: Iterable[str]) -> tuple[bool, int, int, bool]:
    """Rank a scope by the columns it fills; the greater wins.

    The parts are: a subscription is named; the narrowest party (customer, reseller, nobody); the narrowest catalogue
    column (sku, product, vendor, none); a reseller is named beside the customer.
    """
    columns = frozenset(filled)
    party = 2 if "customer_id" in columns else 1 if "reseller_id" in columns else 0
    catalogue = 3 if "sku" in columns else 2 if "product" in columns else 1 if "vendor" in columns else 0
    return "subscription" in columns, party, catalogue, {"reseller_id", "customer_id"} <= columns


class RuleTable(Generic[T]):
    """What scopes stand for, looked up by the most specific one that matches: once a rung, however many there are."""

    def __init__(self, entries: Iterable[tuple[Scope, T]]) -> None:
        """Sort scopes by the columns they fill."""
        rungs: dict[tuple[str, ...], dict[tuple[object, ...], T]] = {}
        for scope, value in entries:
            rungs.setdefault(scope.filled, {})[_values(scope, scope.filled)] = value
        self._rungs = sorted(rungs.items(), key=lambda rung: specificity(rung[0]), reverse=True)

    def choose(self, subject: Scope) -> T | None:
        """Give what wins for a subject, which is told as a scope that names all of it; None where nothing matches."""
        for columns, values in self._rungs:
            key = _values(subject, columns)
            if key in values:
                return values[key]
        return None


def _values(scope: Scope, columns: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(getattr(scope, column) for column in columns)
