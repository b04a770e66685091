"""What a subscription is charged: from its history, in segments, to charges of whole days.

Charges are made in advance, a cycle at a time. A change in the middle of one takes back what was charged for the days
from it on and charges them anew: two lines, for the old and for the new number of seats, as the vendor prints them.

A unit costs for some days of a cycle what is left of the cycle's price at their start less what is left at their end,
each rounded to 18 decimals. So what is charged for days and what is given back for the same days cancel exactly,
however often they were cut. The vendor cuts cents in its own ways, which its connector reproduces to check its bill.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from catalog.words import BillingCycle, Term
from marketplace.core.rounding import EXACT, round_ratio
from marketplace.rating.terms import ChargeCycle, charge_cycles, cycles_in_term

#: Prices of days keep as many decimals as the lake does.
DECIMALS = 18
_ONE = Decimal(1)


class ChargeKind(StrEnum):
    """Why a charge exists, in the words of the vendor's files."""

    NEW = "new"
    RENEW = "renew"
    CYCLE_CHARGE = "cycleCharge"
    ADD_QUANTITY = "addQuantity"
    REMOVE_QUANTITY = "removeQuantity"
    CANCEL_IMMEDIATE = "cancelImmediate"
    CONVERT = "convert"
    MOVE_QUANTITY = "moveQuantity"
    CHANGE_BILLING_PLAN = "changeBillingPlan"


#: What begins where nothing has been charged yet: there is nothing to take back.
_BEGINS_ANEW = frozenset({ChargeKind.NEW, ChargeKind.RENEW, ChargeKind.CHANGE_BILLING_PLAN})


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What one unit costs for a whole term: the wholesaler's cost, and the list price where it is known."""

    term: Term
    billing_cycle: BillingCycle
    cost: Decimal
    listed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one quantity at one price, until the next segment begins or the term ends.

    `since` is the first day that is charged so. It is the day of the event, or an earlier one where the whole price
    is given back. Nothing is charged after a segment of no quantity.
    """

    kind: ChargeKind
    happened_on: date
    since: date
    quantity: int
    price: UnitPrice
    term_start: date
    term_end: date


@dataclass(frozen=True, slots=True)
class Charge:
    """Some days of a cycle for a number of units: negative where they are taken back.

    `number` is the place in the history of the segment that made it, `sold_as` of the one whose units they are: what
    is taken back was sold as something before. `billed_on` is the day of the event, which decides the month;
    `price_day` is the day the term began, which decides the price rule.
    """

    number: int
    sold_as: int
    kind: ChargeKind
    billed_on: date
    price_day: date
    start: date
    end: date
    whole_days: int
    quantity: int
    unit_cost: Decimal
    unit_listed: Decimal | None
    # The part of the cycle that is charged: 1 for a whole one.
    part: Decimal

    @property
    def cost(self) -> Decimal:
        """The exact amount at cost."""
        return EXACT.multiply(self.unit_cost, Decimal(self.quantity))

    @property
    def listed(self) -> Decimal | None:
        """The exact amount at list price."""
        return None if self.unit_listed is None else EXACT.multiply(self.unit_listed, Decimal(self.quantity))

    @property
    def cycles(self) -> Decimal:
        """Units times the part of the cycle: what a fixed price, which is for a unit and a whole cycle, multiplies."""
        return EXACT.multiply(self.part, Decimal(self.quantity))


@dataclass(frozen=True, slots=True)
class _Charged:
    """Days that stand charged."""

    cycle: ChargeCycle
    start: date
    end: date
    quantity: int
    sold_as: int


def charges_of(history: Sequence[Segment], *, until: date = date.max) -> Iterator[Charge]:
    """Give the charges of a subscription's history that are billed before a day, in the order they are made."""
    standing: list[_Charged] = []
    for number, segment in enumerate(history):
        if segment.happened_on >= until:
            return
        following = history[number + 1] if number + 1 < len(history) else None
        if segment.kind not in _BEGINS_ANEW:
            kept: list[_Charged] = []
            for one in standing:
                if one.end <= segment.since:
                    kept.append(one)
                    continue
                start = max(one.start, segment.since)
                yield _charge(history, number, one.cycle, start, one.end, -one.quantity, sold_as=one.sold_as)
                if one.start < start:
                    kept.append(_Charged(one.cycle, one.start, start, one.quantity, one.sold_as))
            standing = kept
        if not segment.quantity:
            continue
        for cycle in _cycles(segment):
            is_first = cycle.start <= segment.since
            if cycle.start >= until and not is_first:
                break
            if cycle.end <= segment.since or (not is_first and _is_over(cycle.start, following)):
                continue
            start = segment.since if is_first else cycle.start
            yield _charge(history, number, cycle, start, cycle.end, segment.quantity, is_first=is_first)
            standing.append(_Charged(cycle, start, cycle.end, segment.quantity, number))


def _is_over(cycle_start: date, following: Segment | None) -> bool:
    """Whether a segment has ended before a cycle starts. A change on the very day comes after the cycle's charge."""
    if following is None:
        return False
    if following.kind in _BEGINS_ANEW:
        return following.since <= cycle_start
    return following.happened_on < cycle_start


def _charge(
    history: Sequence[Segment],
    number: int,
    cycle: ChargeCycle,
    start: date,
    end: date,
    quantity: int,
    *,
    sold_as: int | None = None,
    is_first: bool = True,
) -> Charge:
    segment = history[number]
    sold_as = number if sold_as is None else sold_as
    price = history[sold_as].price
    of_cycle = cycle.end, cycle.whole_days
    cycles = cycles_in_term(price.term, price.billing_cycle)
    return Charge(
        number=number,
        sold_as=sold_as,
        kind=segment.kind if is_first else ChargeKind.CYCLE_CHARGE,
        billed_on=segment.happened_on if is_first else start,
        price_day=history[sold_as].term_start,
        start=start,
        end=end,
        whole_days=cycle.whole_days,
        quantity=quantity,
        unit_cost=for_days(price.cost, cycles, start, end, *of_cycle),
        unit_listed=None if price.listed is None else for_days(price.listed, cycles, start, end, *of_cycle),
        part=for_days(_ONE, 1, start, end, *of_cycle),
    )


@lru_cache(maxsize=100_000)
def for_days(
    term_price: Decimal, cycles: int, start: date, end: date, cycle_end: date, whole_days: int
) -> Decimal:
    """Give what a unit costs from a day until another of one cycle, of a price for `cycles` of them."""
    divisor = cycles * whole_days
    left, left_then = (cycle_end - start).days, (cycle_end - end).days
    at_start = round_ratio(EXACT.multiply(term_price, Decimal(left)), divisor, DECIMALS)
    at_end = round_ratio(EXACT.multiply(term_price, Decimal(left_then)), divisor, DECIMALS)
    return EXACT.subtract(at_start, at_end)


def _cycles(segment: Segment) -> tuple[ChargeCycle, ...]:
    price = segment.price
    return _cycles_of(segment.term_start, segment.term_end, price.term, price.billing_cycle)


@lru_cache(maxsize=10_000)
def _cycles_of(start: date, end: date, term: Term, billing_cycle: BillingCycle) -> tuple[ChargeCycle, ...]:
    return tuple(charge_cycles(start, end, term, billing_cycle))
