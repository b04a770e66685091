"""The ends a first term may be given: the last month-end it reaches, and ends of the customer's other subscriptions."""

import calendar
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.words import Term
from marketplace.core.errors import N_, Phrase
from marketplace.rating.terms import calendar_end, coterminous_end
from marketplace.subscriptions.rules.history import Offer


@dataclass(frozen=True, slots=True)
class OtherTerm:
    """The term of another subscription of the same customer that is active and no trial."""

    subscription: str
    term: Term
    end: date


@dataclass(frozen=True, slots=True)
class AllowedEnd:
    """An end a first term may be given (exclusive), and the subscriptions it would end with; none: the calendar."""

    end: date
    subscriptions: tuple[str, ...] = ()

    @property
    def is_calendar(self) -> bool:
        """Whether it is the end of a month rather than of another subscription."""
        return not self.subscriptions


def allowed_ends(offer: Offer, start: date, others: Iterable[OtherTerm]) -> list[AllowedEnd]:
    """Give the ends a term that starts on a day may be given instead of its own, the earliest first."""
    rules = offer.commitments(start)
    if offer.term is Term.ONE_TIME or offer.is_trial:
        return []
    found: dict[date, list[str]] = defaultdict(list)
    for other in others:
        if (offer.term, other.term) not in rules.coterminous:
            continue
        end = coterminous_end(start, offer.term, other_end=other.end, other_term=other.term)
        if end is not None and _may_end(offer, end, rules.months_never_end_on):
            found[end].append(other.subscription)
    ends = [AllowedEnd(end, tuple(subscriptions)) for end, subscriptions in found.items()]
    if offer.term in rules.calendar_terms:
        end = calendar_end(start, offer.term)
        if start < end and end not in found:
            ends.append(AllowedEnd(end))
    return sorted(ends, key=lambda one: one.end)


def end_fault(offer: Offer, start: date, end: date, others: Iterable[OtherTerm]) -> Phrase | None:
    """Say why a first term cannot end on a day; None where it can."""
    if end == offer.natural_end(start) or end in {one.end for one in allowed_ends(offer, start, others)}:
        return None
    return Phrase.of(
        N_("The term can end on its own day, with the month, or with another subscription of the customer.")
    )


def _may_end(offer: Offer, end: date, never_on: frozenset[int]) -> bool:
    """Whether a monthly term may end there: not late in a month, unless on its last day."""
    if offer.term is not Term.P1M:
        return True
    last = end - timedelta(days=1)
    is_last_of_month = last.day == calendar.monthrange(last.year, last.month)[1]
    return is_last_of_month or last.day not in never_on
