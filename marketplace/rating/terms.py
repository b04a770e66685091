"""How long a term lasts, when its charges fall due, and which days terms may be made to end on together.

Ends are exclusive: a year from 18 June 2026 ends on 18 June 2027, which is the day it renews. Vendors print the last
day instead; their connectors convert it.
"""

import calendar
from dataclasses import dataclass
from datetime import date

from catalog.rules.metered import is_metered
from catalog.rules.plans import CYCLE_MONTHS, TERM_MONTHS
from catalog.words import BillingCycle, Term

#: Terms that start on one of the last two days of a month have their charges on that day of every month.
_STICKY_OFFSETS = (0, 1)


@dataclass(frozen=True, slots=True)
class ChargeCycle:
    """The days one charge pays for, end exclusive, and how many days the cycle has when nothing cuts it short.

    The first term of a subscription that was made to end together with another may end inside a cycle: it pays for
    `days` of `whole_days`.
    """

    start: date
    end: date
    whole_days: int

    @property
    def days(self) -> int:
        """The days that are paid for."""
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def term_end(start: date, term: Term) -> date:
    """Give the first day after a term: the same day some months later, or the last day of a shorter month."""
    return months_later(start, months_of(term))


def months_of(term: Term) -> int:
    """Give the months of a term. Raises `ValueError` for what is bought once: it has no end."""
    try:
        return TERM_MONTHS[term]
    except KeyError:
        raise ValueError("what is bought once has no term that ends") from None


def months_later(day: date, months: int) -> date:
    """Give the same day some months later; in a shorter month its last day."""
    year, month = _month_after(day, months)
    return date(year, month, min(day.day, _days_in(year, month)))


def cycles_in_term(term: Term, billing_cycle: BillingCycle) -> int:
    """Give how many charges a whole term is paid by: its price divided by this is one charge."""
    if billing_cycle not in CYCLE_MONTHS or term not in TERM_MONTHS:
        return 1
    cycles, rest = divmod(TERM_MONTHS[term], CYCLE_MONTHS[billing_cycle])
    if rest or not cycles:
        raise ValueError(
            f"a term of {term} cannot be paid {billing_cycle}: the cycle is longer than the term"
        )
    return cycles


def charge_cycles(start: date, end: date, term: Term, billing_cycle: BillingCycle) -> list[ChargeCycle]:
    """Cut a term into the spans its charges pay for, without gap or overlap.

    `end` is the term's own, which lies before its natural end where it was aligned with another's. A term has no more
    cycles than its price is divided by, so the last one ends with the term. What is not paid by the month or the year
    (trials, what is bought once) is one cycle, and what is billed as it is used has none.
    """
    if end <= start:
        raise ValueError("a term has at least a day")
    if is_metered(term, billing_cycle):
        return []
    if billing_cycle not in CYCLE_MONTHS:
        return [ChargeCycle(start, end, (end - start).days)]
    count = cycles_in_term(term, billing_cycle)
    months = months_of(term) // count
    starts = [_cycle_start(start, number, months) for number in range(count)]
    # One ends where the next starts, and the natural last one with the term.
    ends = [*starts[1:], term_end(start, term)]
    return [
        ChargeCycle(first, min(until, end), (until - first).days)
        for first, until in zip(starts, ends, strict=True)
        if first < end
    ]


def _cycle_start(anchor: date, number: int, months: int) -> date:
    """Give the day a cycle starts on.

    A term that starts on the last day of a month, or the day before, has its monthly charges at that distance from
    the end of every month; any other on the same number, or the last day of a month that has no such day. Charges
    by the year fall on the anniversary.
    """
    offset = _days_in(anchor.year, anchor.month) - anchor.day
    if months > 1 or offset not in _STICKY_OFFSETS:
        return months_later(anchor, months * number)
    year, month = _month_after(anchor, number)
    return date(year, month, _days_in(year, month) - offset)


def calendar_end(start: date, term: Term) -> date:
    """Give the end of a first term cut to whole months of the calendar: the last its natural length reaches."""
    return term_end(start, term).replace(day=1)


def coterminous_end(start: date, term: Term, *, other_end: date, other_term: Term) -> date | None:
    """Give the end of a first term that is to end together with another subscription's.

    That is the last of the other one's renewal days within the term's natural length; None where none lies in it.
    """
    natural = term_end(start, term)
    found = None
    day = other_end
    while day <= natural:
        if start < day:
            found = day
        day = term_end(day, other_term)
    return found


def _month_after(day: date, months: int) -> tuple[int, int]:
    years, month = divmod(day.month - 1 + months, 12)
    return day.year + years, month + 1


def _days_in(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
