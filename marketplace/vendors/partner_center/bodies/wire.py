"""How Partner Center writes instants, days, names and words.

Instants come with seven decimals, sentinels stand for nothing, names begin with a small or a capital letter, and the
last day of a term stands where we say the first day after it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from catalog.words import BillingCycle, Term

Body = Mapping[str, Any]
Word = TypeVar("Word")

_FOREVER = 9000
"""Years from here on mean that there is no end."""


def instant(text: object) -> datetime | None:
    """Read an instant; the year 1 and an empty text are none."""
    if not text:
        return None
    value = datetime.fromisoformat(str(text))
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return value.astimezone(UTC) if value.year > 1 else None


def day_after(text: object) -> date | None:
    """Read a last day as the first day after it; the end of time is none."""
    last = instant(text)
    return None if last is None or last.year >= _FOREVER else last.date() + timedelta(days=1)


def last_day(first_after: date | None) -> str | None:
    """Write the first day after as the last day."""
    return f"{first_after - timedelta(days=1)}T00:00:00Z" if first_after else None


def plain_keys(body: Any) -> Any:
    """Give a body whose names all begin with a small letter, as most do."""
    match body:
        case dict():
            return {f"{name[:1].lower()}{name[1:]}": plain_keys(value) for name, value in body.items()}
        case list():
            return [plain_keys(one) for one in body]
        case _:
            return body


def term_of(text: object) -> Term | None:
    """Read a term; one we do not know is none."""
    return next((term for term in Term if term.value.casefold() == str(text or "").casefold()), None)


def cycle_of(text: object) -> BillingCycle | None:
    """Read a billing cycle, which is written `one_time` here and `OneTime` there."""
    plain = str(text or "").replace("_", "").casefold()
    return next((cycle for cycle in BillingCycle if cycle.value.replace("_", "") == plain), None)


def known(found: Iterable[Word | None]) -> tuple[Word, ...]:
    """Give what was recognised, each once."""
    return tuple(dict.fromkeys(one for one in found if one is not None))
