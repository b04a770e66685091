"""Spans of days in which terms hold: the end is exclusive, blank ends are open, and two of a kind never overlap."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TypeVar

from marketplace.core.cells import Entry, FaultyEntry, day_or_open
from marketplace.core.errors import N_, Phrase
from marketplace.core.period import DateRange

T = TypeVar("T")

ALWAYS = DateRange(None, None)


def check_span(span: DateRange) -> None:
    """Raise `FaultyEntry` where a span ends before it starts. One that ends on its first day holds on no day."""
    if _is_reversed(span):
        raise FaultyEntry.of(("valid_until", str(span.end), _reversed(span)))


def read_span(entry: Entry) -> DateRange:
    """Read `valid_from` and `valid_until`; faults are noted on the entry."""
    start = entry.take("valid_from", day_or_open, None)
    end = entry.take("valid_until", day_or_open, None)
    span = DateRange(start, end)
    if _is_reversed(span):
        entry.fault("valid_until", _reversed(span))
        return ALWAYS
    return span


def span_words(span: DateRange) -> Phrase:
    """Say when something holds: "from 2024-01-01 until 2024-07-01" (that day excluded)."""
    match span.start, span.end:
        case None, None:
            return Phrase.of(N_("for all time"))
        case None, date() as end:
            return Phrase.of(N_("until %(end)s"), end=end)
        case date() as start, None:
            return Phrase.of(N_("from %(start)s"), start=start)
        case start, end:
            return Phrase.of(N_("from %(start)s until %(end)s"), start=start, end=end)


def overlaps(spans: Iterable[tuple[DateRange, T]]) -> Iterator[tuple[T, T]]:
    """Give pairs that overlap in time: each one that begins before an earlier one has ended, with that earlier one.

    What holds on no day overlaps nothing. Order: by start.
    """
    furthest: tuple[date, T] | None = None
    in_order = sorted((one for one in spans if not one[0].is_empty), key=lambda one: one[0].start or date.min)
    for span, what in in_order:
        start, end = span.start or date.min, span.end or date.max
        if furthest is not None and start < furthest[0]:
            yield furthest[1], what
        if furthest is None or end > furthest[0]:
            furthest = (end, what)


def _is_reversed(span: DateRange) -> bool:
    return span.start is not None and span.end is not None and span.end < span.start


def _reversed(span: DateRange) -> Phrase:
    return Phrase.of(
        N_("lies before valid_from (%(start)s); valid_until is the first day after"), start=span.start
    )
