"""Months and spans of days: half-open, with real days in them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.core.period import DateRange, NotAPeriod, Period
from resellers.rules.spans import overlaps

periods = st.builds(Period, st.integers(1000, 8999), st.integers(1, 12))
#: A few days, so that spans meet, touch and repeat.
days = st.integers(0, 12).map(lambda n: date(2024, 2, 24) + timedelta(days=n))
spans = st.builds(DateRange, st.none() | days, st.none() | days)


@pytest.mark.parametrize(
    ("text", "days"), [("2024-02", 29), ("2023-02", 28), ("2100-02", 28), ("2000-02", 29), ("2024-12", 31)]
)
def test_a_month_has_its_real_days(text: str, days: int) -> None:
    assert Period.parse(text).days == days


@pytest.mark.parametrize(
    "text",
    ["2024-13", "0000-01", "9000-01", "2024-00", "2024-9", "24-09", "2024/09", "", "2024-09-01", "September"],
)
def test_what_is_not_a_month_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(NotAPeriod, match="such as 2024-09"):
        Period.parse(text)


@given(periods)
def test_months_follow_each_other_without_gap(period: Period) -> None:
    assert period.next().previous() == period
    assert period.end == period.next().start
    assert period.start + timedelta(days=period.days) == period.end
    assert period < period.next()


@given(periods)
def test_a_month_survives_being_stored_and_written(period: Period) -> None:
    assert Period.from_number(period.number) == period
    assert Period.parse(str(period)) == period


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(9000, 1, 1)))
def test_each_day_lies_in_one_month(day: date) -> None:
    period = Period.of(day)

    assert day in DateRange(period.start, period.end)
    assert day not in DateRange(period.next().start, period.next().end)


@given(spans, spans)
def test_spans_overlap_where_they_share_a_day(one: DateRange, other: DateRange) -> None:
    around = [date(2024, 2, 1) + timedelta(days=n) for n in range(60)]

    assert one.overlaps(other) == any(day in one and day in other for day in around)


@given(spans)
def test_an_empty_span_holds_no_day(span: DateRange) -> None:
    around = [date(2024, 2, 1) + timedelta(days=n) for n in range(60)]

    assert span.is_empty == (not any(day in span for day in around))


@given(st.lists(spans, max_size=12))
def test_each_span_that_meets_an_earlier_one_is_named_with_one_it_meets(some: list[DateRange]) -> None:
    named = overlaps(some)

    for later, span in enumerate(some):
        meets = {other for other in range(later) if some[other].overlaps(span)}
        assert (later in named) == bool(meets)
        assert later not in named or named[later] in meets


def test_twenty_thousand_spans_that_all_overlap_are_named_at_once() -> None:
    assert overlaps([DateRange(None, None)] * 20_000) == dict.fromkeys(range(1, 20_000), 0)
