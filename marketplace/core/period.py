"""Months and spans of days. Days are dates, ends are exclusive, an empty span is allowed."""

import calendar
import re
from dataclasses import dataclass
from datetime import date

from marketplace.core.errors import N_, Refusal

# Years of four digits whose neighbours are days of the calendar too.
_MONTH = re.compile(r"([1-8]\d{3})-(0[1-9]|1[0-2])", re.ASCII)


class NotAPeriod(Refusal):
    """The text is not a month such as 2024-09."""

    sentence = N_('"%(value)s" is not a period. Write the year and the month, such as 2024-09.')


@dataclass(frozen=True, order=True)
class Period:
    """A billing period: one calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read `2024-09`. Raises `NotAPeriod`."""
        found = _MONTH.fullmatch(text.strip())
        if not found:
            raise NotAPeriod(value=text)
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> "Period":
        """Give the month a day lies in."""
        return cls(day.year, day.month)

    @classmethod
    def from_number(cls, number: int) -> "Period":
        """Give the period stored as 202409."""
        return cls(number // 100, number % 100)

    @property
    def number(self) -> int:
        """The period as it is stored: 202409."""
        return self.year * 100 + self.month

    @property
    def start(self) -> date:
        """The first day."""
        return date(self.year, self.month, 1)

    @property
    def end(self) -> date:
        """The first day of the next month: the end is exclusive."""
        return self.next().start

    @property
    def days(self) -> int:
        """How many days the month really has."""
        return calendar.monthrange(self.year, self.month)[1]

    def next(self) -> "Period":
        """Give the month after."""
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    def previous(self) -> "Period":
        """Give the month before."""
        return Period(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True)
class DateRange:
    """A span of days, the end exclusive, None for open ends."""

    start: date | None
    end: date | None

    def __contains__(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    @property
    def is_empty(self) -> bool:
        """Whether no day lies in the span."""
        return self.start is not None and self.end is not None and self.end <= self.start

    def overlaps(self, other: "DateRange") -> bool:
        """Whether some day lies in both."""
        if self.is_empty or other.is_empty:
            return False
        starts_before = self.start is None or other.end is None or self.start < other.end
        return starts_before and (other.start is None or self.end is None or other.start < self.end)
