"""Amounts of documents: whole minor units and a currency, never mixed, never a float."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from marketplace.core.currency import minor_units
from marketplace.core.rounding import EXACT, to_minor


class MixedCurrencies(ValueError):
    """Two amounts of different currencies were added or compared."""


@dataclass(frozen=True, order=False)
class Money:
    """An amount in whole minor units: `Money(1250, "EUR")` is 12.50 EUR, `Money(1250, "JPY")` 1250 JPY."""

    minor: int
    currency: str

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Give nothing, in a currency."""
        return cls(0, currency)

    @classmethod
    def rounded(cls, exact: Decimal, currency: str) -> "Money":
        """Round an exact amount once, half away from zero."""
        return cls(to_minor(exact, currency), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in the currency's own unit, with exactly its decimals."""
        return EXACT.scaleb(Decimal(self.minor), -minor_units(self.currency))

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency}")


def total_by_currency(amounts: Iterable[Money]) -> dict[str, Money]:
    """Add amounts up, one total a currency, in the order of the currency codes."""
    totals: dict[str, int] = {}
    for money in amounts:
        totals[money.currency] = totals.get(money.currency, 0) + money.minor
    return {currency: Money(totals[currency], currency) for currency in sorted(totals)}
