"""What something comes to on each hop: the same formulas as statements, for one sum instead of many lines."""

from dataclasses import dataclass
from decimal import Decimal

from marketplace.rating.exact import multiply
from marketplace.rating.price import Listing, Terms
from marketplace.rating.statements import (
    Chain,
    ExchangeRates,
    Formula,
    Sum,
    retail_formula,
    wholesale_formula,
)


@dataclass(frozen=True, slots=True)
class Basis:
    """What is priced, exact: its cost and its list price in the vendor's currency, and its units."""

    cost: Decimal
    listed: Decimal | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class HopFormulas:
    """How something is charged at both hops."""

    wholesale: Formula
    retail: Formula


def formulas(
    chain: Chain,
    *,
    currency: str,
    has_list_price: bool,
    wholesale: Terms,
    retail: Terms,
    rates: ExchangeRates,
) -> HopFormulas:
    """Say how a purchase is charged under the rules of both hops. Raises `MissingRate`."""
    listing = Listing.PRICED if has_list_price else Listing.WITHOUT_PRICE
    return HopFormulas(
        wholesale_formula(
            wholesale,
            listing,
            row_currency=currency,
            reseller_currency=chain.reseller_currency,
            rates=rates,
        ),
        retail_formula(
            retail,
            listing,
            wholesale=wholesale,
            row_currency=currency,
            reseller_currency=chain.reseller_currency,
            customer_currency=chain.customer_currency,
            rates=rates,
        ),
    )


def exact_amount(formula: Formula, basis: Basis) -> Decimal:
    """Give the exact amount a formula makes of what is priced."""
    match formula.sum:
        case Sum.COST:
            amount = basis.cost
        case Sum.LIST if basis.listed is not None:
            amount = basis.listed
        case Sum.QUANTITY:
            amount = basis.quantity
        case _:
            raise ValueError("a list price is asked for where there is none")
    return multiply(multiply(amount, formula.before), formula.factor)
