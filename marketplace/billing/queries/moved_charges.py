"""What a subscription that moves was charged last before the day, and is charged first from it on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from marketplace.billing.charges import ChargeRow, charges_billed
from marketplace.core.period import Period

_MONTHS = 12


@dataclass(frozen=True)
class BothSides:
    """The final charges of who is left, and the first of who takes over; none where there are none within a year."""

    final: Sequence[ChargeRow]
    first: Sequence[ChargeRow]


def both_sides(session: Session, subscription_id: int, *, moves_on: date) -> BothSides:
    """Find the last month with charges before a day, and the first with charges from it on."""
    month = Period.of(moves_on)
    final: list[ChargeRow] = []
    for period in _walk(month, lambda one: one.previous()):
        rows = charges_billed(session, period, only=subscription_id)
        final = [row for row in rows if row.charge.billed_on < moves_on]
        if final:
            break
    first: list[ChargeRow] = []
    for period in _walk(month, lambda one: one.next()):
        rows = charges_billed(session, period, only=subscription_id)
        first = [row for row in rows if row.charge.billed_on >= moves_on]
        if first:
            break
    return BothSides(final, first)


def _walk(month: Period, step: Callable[[Period], Period]) -> Iterator[Period]:
    for _ in range(_MONTHS):
        yield month
        month = step(month)
