"""Amounts of several currencies, and their worth in one by the month's rates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.money import Money, total_by_currency
from marketplace.core.period import Period
from marketplace.rating.exact import add, multiply

Totals = tuple[Money, ...]


def totals_of(amounts: Mapping[str, int] | None) -> Totals:
    """Give amounts that a query added up in minor units by currency, in the order of the codes."""
    return tuple(Money(int(minor), currency) for currency, minor in sorted((amounts or {}).items()))


def added(amounts: Iterable[Money]) -> Totals:
    """Add amounts up, one total a currency."""
    return tuple(total_by_currency(amounts).values())


@dataclass(frozen=True)
class MonthlyRates:
    """The exchange rates of a month, never inverted and never crossed."""

    period: Period
    rates: Mapping[tuple[str, str], Decimal]

    def rate(self, source: str, target: str) -> Decimal | None:
        """Give a rate, 1 for the same currency, None where nobody has set one."""
        return Decimal(1) if source == target else self.rates.get((source, target))

    def worth(self, amounts: Iterable[Money], currency: str) -> Money | None:
        """Give what amounts are worth in one currency; None where a rate is missing: a part is no answer."""
        exact = Decimal(0)
        for amount in amounts:
            rate = self.rate(amount.currency, currency)
            if rate is None:
                return None
            exact = add(exact, multiply(amount.amount, rate))
        return Money.rounded(exact, currency)


def load_rates(session: Session, *periods: Period) -> dict[Period, MonthlyRates]:
    """Read the rates of some months in one query."""
    found: dict[Period, dict[tuple[str, str], Decimal]] = {period: {} for period in periods}
    rows = session.execute(text(_RATES), {"months": [period.number for period in periods]})
    for month, source, target, rate in rows:
        found[Period.from_number(month)][source, target] = rate
    return {period: MonthlyRates(period, rates) for period, rates in found.items()}


_RATES = "SELECT month, from_currency, to_currency, rate FROM fx_rate WHERE month = ANY(:months)"


@dataclass(frozen=True)
class Margin:
    """What is left of a sale: sale less purchase, in the seller's currency at the month's rates."""

    sale: Money
    purchase: Money

    @property
    def amount(self) -> Money:
        """The margin."""
        return self.sale - self.purchase

    @property
    def percent(self) -> Decimal | None:
        """The margin as a share of the sale, in percent; None where nothing was sold."""
        if not self.sale.minor:
            return None
        return (Decimal(self.amount.minor) * 100 / Decimal(abs(self.sale.minor))).quantize(Decimal("0.1"))


def margin_of(sale: Totals, purchase: Totals, *, rates: MonthlyRates, currency: str) -> Margin | None:
    """Give the margin in a currency; None where a rate is missing."""
    sold, bought = rates.worth(sale, currency), rates.worth(purchase, currency)
    return None if sold is None or bought is None else Margin(sold, bought)
