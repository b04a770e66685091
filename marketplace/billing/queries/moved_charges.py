"""What a customer or a subscription that moves was charged last before the day, and is charged first from it on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from marketplace.billing.charges import ChargeRow, charges_billed
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.rating.hops import exact_amount
from marketplace.rating.statements import MissingRate
from marketplace.subscriptions.prices import Buyer, basis_of, price_terms_on

_MONTHS = 12


@dataclass(frozen=True, slots=True)
class MovedCharge:
    """A charge, and what the reseller pays for it; None where an exchange rate is missing."""

    row: ChargeRow
    wholesale: Money | None


@dataclass(frozen=True)
class BothSides:
    """The final charges of who is left, and the first of who takes over; none where there are none within a year."""

    final: Sequence[MovedCharge]
    first: Sequence[MovedCharge]


def both_sides(
    session: Session,
    *,
    moves_on: date,
    leaves: Buyer,
    takes: Buyer,
    subscription_id: int | None = None,
    customer_id: int | None = None,
) -> BothSides:
    """Find the last month with charges before a day, and the first with charges from it on: of a subscription, or all."""

    def billed(period: Period) -> list[ChargeRow]:
        return list(charges_billed(session, period, only=subscription_id, customer=customer_id))

    month = Period.of(moves_on)
    final = _first_found(
        [row for row in billed(period) if row.charge.billed_on < moves_on]
        for period in _walk(month, lambda one: one.previous())
    )
    first = _first_found(
        [row for row in billed(period) if row.charge.billed_on >= moves_on]
        for period in _walk(month, lambda one: one.next())
    )
    return BothSides(_priced(session, final, leaves), _priced(session, first, takes))


def _first_found(months: Iterable[list[ChargeRow]]) -> list[ChargeRow]:
    return next((rows for rows in months if rows), [])


def _walk(month: Period, step: Callable[[Period], Period]) -> Iterator[Period]:
    for _ in range(_MONTHS):
        yield month
        month = step(month)


def _priced(session: Session, rows: Sequence[ChargeRow], buyer: Buyer) -> list[MovedCharge]:
    """Price charges as the close does: by the rules of the day their term began, at the rates of their own month."""
    days = {day for row in rows for day in (row.segment.term_start, row.charge.billed_on)}
    terms = price_terms_on(session, [buyer], days=days)
    priced = []
    for row in rows:
        held = terms[row.segment.term_start].at_rates_of(terms[row.charge.billed_on])
        sold, basis = row.sold, basis_of([row.charge])
        try:
            formulas = held.formulas_of(
                buyer,
                vendor=sold.vendor,
                product=sold.product,
                sku=sold.sku,
                subscription=sold.subscription,
                currency=sold.currency,
                has_list_price=basis.listed is not None,
            )
        except MissingRate:
            priced.append(MovedCharge(row, None))
            continue
        amount = exact_amount(formulas.wholesale, basis)
        priced.append(MovedCharge(row, Money.rounded(amount, buyer.chain.reseller_currency)))
    return priced
