"""From the usage of one customer to its two documents: price each line's exact sum once, round each document once.

The wholesale document is what the reseller owes for the customer, the retail one what the customer owes. A line is a
sum over its rows, under one rule of its hop (and one of the hop above). What kind of line it is decides its
`Formula`; the formula times the sum is the amount. A document for which an exchange rate is missing is parked whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from operator import mul
from typing import NamedTuple

from marketplace.core.currency import minor_units
from marketplace.core.rounding import share, whole_numbers, whole_units
from marketplace.rating.exact import multiply
from marketplace.rating.price import COST, FIXED, Effective, Listing, Terms, effective

WHOLESALE = "wholesale"
RETAIL = "retail"
_ONE = Decimal(1)
#: Stands between the fields an id is derived from.
SEPARATOR = "\x1f"


class Sum(StrEnum):
    """Which exact sum over its rows a line is priced from."""

    COST = "cost"
    LIST = "list"
    QUANTITY = "quantity"


@dataclass(frozen=True, slots=True)
class Chain:
    """A customer and its reseller: who buys at each hop and in which currency."""

    customer_id: int
    customer: str
    customer_currency: str
    reseller_id: int
    reseller: str
    reseller_currency: str


class Formula(NamedTuple):
    """How lines of one kind are priced.

    basis amount = sum x `before` (1, or for the retail basis `cost` what makes the wholesale amount of the sum)
    exact amount = basis amount x `factor` (the rule's factor times the exchange rate)
    """

    sum: Sum
    before: Decimal
    effective: Effective
    basis_currency: str
    fx_rate: Decimal
    factor: Decimal


class MissingRate(LookupError):
    """There is no exchange rate for a pair in the month."""

    def __init__(self, source: str, target: str) -> None:
        """Keep the pair."""
        super().__init__(f"{source}>{target}")


class ExchangeRates:
    """The rates of one month. A rate is never inverted or crossed."""

    def __init__(self, rates: dict[tuple[str, str], Decimal]) -> None:
        """Keep the rates by (from, to)."""
        self._rates = rates

    def rate(self, source: str, target: str) -> Decimal:
        """Give the rate; 1 for the same currency. Raises `MissingRate`."""
        if source == target:
            return _ONE
        try:
            return self._rates[source, target]
        except KeyError:
            raise MissingRate(source, target) from None


def wholesale_formula(
    terms: Terms, listing: Listing, *, row_currency: str, reseller_currency: str, rates: ExchangeRates
) -> Formula:
    """Say how the reseller is charged for rows of a currency under a rule. Raises `MissingRate`."""
    price = effective(terms, listing)
    return _formula(_SUM_OF[price.basis], _ONE, price, _source(terms, row_currency), reseller_currency, rates)


def retail_formula(
    terms: Terms,
    listing: Listing,
    *,
    wholesale: Terms,
    row_currency: str,
    reseller_currency: str,
    customer_currency: str,
    rates: ExchangeRates,
) -> Formula:
    """Say how the customer is charged for rows that were bought under a wholesale rule. Raises `MissingRate`.

    The basis `cost` is the reseller's cost: the exact wholesale amount before rounding, in the reseller's currency.
    """
    price = effective(terms, listing)
    if price.basis != COST:
        source = _source(terms, row_currency)
        return _formula(_SUM_OF[price.basis], _ONE, price, source, customer_currency, rates)
    bought = wholesale_formula(
        wholesale, listing, row_currency=row_currency, reseller_currency=reseller_currency, rates=rates
    )
    return _formula(bought.sum, bought.factor, price, reseller_currency, customer_currency, rates)


def _source(terms: Terms, row_currency: str) -> str:
    """A fixed price is in the rule's currency, everything else in the row's."""
    return terms.currency if terms.basis == FIXED else row_currency


def _formula(
    amount: Sum, before: Decimal, price: Effective, source: str, target: str, rates: ExchangeRates
) -> Formula:
    rate = rates.rate(source, target)
    return Formula(amount, before, price, source, rate, multiply(price.factor, rate))


_SUM_OF = {"cost": Sum.COST, "list": Sum.LIST, "fixed": Sum.QUANTITY}


class Amounts(NamedTuple):
    """Amounts as whole numbers with so many decimals."""

    numbers: list[int]
    decimals: int


class FormulaTable:
    """Formulas by number, to price many lines with: in whole numbers of one scale, which are as exact as decimals."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        """Bring what sums are multiplied by to one scale."""
        self._before = Amounts(*whole_numbers(formula.before for formula in formulas))
        self._factor = Amounts(*whole_numbers(formula.factor for formula in formulas))
        self._whole = [b * f for b, f in zip(self._before.numbers, self._factor.numbers, strict=True)]

    def price(self, formulas: Sequence[int], sums: Amounts) -> tuple[Amounts, Amounts]:
        """Give the basis amount and the exact amount of lines, from the number of each one's formula and its sum."""
        basis = map(mul, sums.numbers, map(self._before.numbers.__getitem__, formulas))
        decimals = sums.decimals + self._before.decimals
        return Amounts(list(basis), decimals), self.times_factors(formulas, sums)

    def times_factors(self, formulas: Sequence[int], sums: Amounts) -> Amounts:
        """Give the exact amounts alone: of lines, or of what is a part of one."""
        exact = map(mul, sums.numbers, map(self._whole.__getitem__, formulas))
        return Amounts(list(exact), sums.decimals + self._before.decimals + self._factor.decimals)


def round_document(exacts: Sequence[int], decimals: int, currency: str) -> tuple[int, list[int]]:
    """Round the total of a document's exact amounts once, to minor units, and share it among the lines.

    Lines come in the order of their business fields, which decides ties of the largest remainder.
    """
    shift = decimals - minor_units(currency)
    unit = 10 ** max(shift, 0)
    if shift < 0:
        exacts = [exact * 10**-shift for exact in exacts]
    total = whole_units(sum(exacts), unit)
    return total, share(exacts, unit, total) if len(exacts) > 1 else [total]


def list_unit_amount(list_price: Decimal, list_fx: Decimal | None) -> Decimal:
    """Give what one unit comes to at list price in the currency of the rows: the list basis is quantity x this."""
    return list_price if list_fx is None else multiply(list_price, list_fx)


def digest(*fields: str) -> str:
    """Derive an id (32 hexadecimal digits, a UUID) from texts: the same texts always give the same."""
    return sha256(SEPARATOR.join(fields).encode()).hexdigest()[:32]
