"""Spans of days in which terms hold: the end is exclusive, blank ends are open, and two of a kind never overlap."""

from collections.abc import Sequence
from datetime import date
from heapq import heappop, heappush

from marketplace.core.cells import Entry, FaultyEntry, day_or_open
from marketplace.core.errors import N_, Phrase
from marketplace.core.period import DateRange

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


def overlaps(spans: Sequence[DateRange]) -> dict[int, int]:
    """Name each span that shares a day with one given before it: its position, and that of one such.

    Whoever asks gives what stands first, then the rows of a file in their order. What holds on no day overlaps
    nothing. Any number of spans that all overlap each other are named in the time it takes to sort them.
    """
    named: dict[int, int] = {}
    running: list[int] = []  # positions whose span goes on, the first given on top
    blameless: list[int] = []  # those of them not named yet, negated: the last given on top
    days = {i: (span.start or date.min, span.end) for i, span in enumerate(spans) if not span.is_empty}

    def is_over(position: int, day: date) -> bool:
        end = days[position][1]
        return end is not None and end <= day

    for position, (start, _) in sorted(days.items(), key=lambda one: (one[1][0], one[0])):
        while running and is_over(running[0], start):
            heappop(running)
        while blameless and -blameless[0] > position:
            later = -heappop(blameless)
            if not is_over(later, start):
                named[later] = position
        if running and running[0] < position:
            named[position] = running[0]
        else:
            heappush(blameless, -position)
        heappush(running, position)
    return named


def _is_reversed(span: DateRange) -> bool:
    return span.start is not None and span.end is not None and span.end < span.start


def _reversed(span: DateRange) -> Phrase:
    return Phrase.of(
        N_("lies before valid_from (%(start)s); valid_until is the first day after"), start=span.start
    )
