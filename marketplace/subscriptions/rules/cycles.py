"""On which days a subscription is charged."""

from datetime import date

from marketplace.rating.terms import ChargeCycle, charge_cycles
from marketplace.subscriptions.rules.history import Segment


def cycles(segment: Segment) -> list[ChargeCycle]:
    """Give the charge cycles of the term a segment belongs to; none for what is bought once."""
    if segment.term_end is None:
        return []
    offer = segment.quoted.offer
    return charge_cycles(segment.term_start, segment.term_end, offer.term, offer.billing_cycle)


def next_cycle_start(segment: Segment, day: date) -> date | None:
    """Give the day of the next charge of the term after a day; None where the term has no more."""
    return next((cycle.start for cycle in cycles(segment) if cycle.start > day), None)
