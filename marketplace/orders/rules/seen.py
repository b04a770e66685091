"""What a buyer saw before ordering, and what has changed since: nobody buys at a price they were not shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from marketplace.core.errors import N_, FaultyRow, Phrase, Refusal
from marketplace.core.money import Money


class PriceChanged(Refusal):
    """A price is another by now; `rows` name each line with both."""

    sentence = N_(
        "The price changed since you looked: nothing was ordered. Look at the new price below and order again."
    )


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as it was shown: how many, and what a charge costs at each hop that the viewer may see."""

    quantity: int
    wholesale: Money | None
    retail: Money | None


Shown = Mapping[UUID, ShownLine]


def as_text(shown: Shown) -> str:
    """Write what is shown for the form that orders it."""
    return ";".join(
        ",".join((str(line), str(one.quantity), _money(one.wholesale), _money(one.retail)))
        for line, one in sorted(shown.items(), key=lambda item: str(item[0]))
    )


def from_text(text: str) -> dict[UUID, ShownLine]:
    """Read what was shown. Raises `ValueError` for what nobody wrote."""
    found: dict[UUID, ShownLine] = {}
    for part in filter(None, text.split(";")):
        line, quantity, wholesale, retail = part.split(",")
        found[UUID(line)] = ShownLine(int(quantity), _read(wholesale), _read(retail))
    return found


def check_unchanged(seen: Shown, now: Shown, *, names: Mapping[UUID, str]) -> None:
    """Raise `PriceChanged` where what would be ordered is not what was shown."""
    rows = [
        FaultyRow(
            file="",
            row=number,
            column=names.get(line, ""),
            value=_said(seen.get(line)),
            reason=Phrase.of(N_("is %(now)s now"), now=_said(one)),
        )
        for number, (line, one) in enumerate(now.items(), start=1)
        if seen.get(line) != one
    ]
    gone = len(set(seen) - set(now))
    if rows or gone:
        raise PriceChanged(rows)


def _said(line: ShownLine | None) -> str:
    if line is None:
        return "–"
    amounts = [str(one) for one in (line.wholesale, line.retail) if one is not None]
    return f"{line.quantity} × {' / '.join(amounts)}"


def _money(amount: Money | None) -> str:
    return f"{amount.minor} {amount.currency}" if amount else ""


def _read(text: str) -> Money | None:
    if not text:
        return None
    minor, currency = text.split(" ")
    return Money(int(minor), currency)
