"""What all drawings share: their sizes, axes, letters, legends, and the table below."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import count as counter
from math import floor, log10
from typing import Any

from flask import g
from flask_babel import gettext
from markupsafe import Markup, escape

from marketplace.web.charts.values import Writer

WIDE = 860
NARROW = 360
COLOURS = 6
_STEPS = (1, 2, 2.5, 5, 10)
LETTER = 6.6  # average width of a 12 px letter of the figures, in pixels
LETTER_NARROW = 9.2  # the same of the largest letters the stylesheet gives narrow drawings


def figure(title: str, drawing: Markup, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    """Put a drawing and its data as a table into a figure."""
    head = Markup().join(
        Markup('<th scope="col"{}>{}</th>').format(
            Markup(' class="cell-number"') if at else "", text or gettext("Name")
        )
        for at, text in enumerate(heads)
    )
    lines = Markup().join(
        Markup("<tr>{}</tr>").format(
            Markup().join(
                Markup('<td class="cell-number">{}</td>').format(cell)
                if at
                else Markup('<th scope="row">{}</th>').format(cell)
                for at, cell in enumerate(row)
            )
        )
        for row in rows
    )
    return Markup(
        '<figure class="chart" aria-label="{title}">{drawing}<details><summary>{open}</summary>'
        '<div class="table-scroll chart-data" role="region" tabindex="0" aria-label="{title}"><table class="table">'
        '<caption class="visually-hidden">{title}</caption><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'
        "</div></details></figure>"
    ).format(title=title, drawing=drawing, open=gettext("Show the data"), head=head, lines=lines)


def nothing(title: str) -> Markup:
    """Say that there is nothing to draw."""
    return Markup('<p class="hint">{}: {}</p>').format(title, gettext("nothing to show yet"))


def svg(
    title: str, summary: str, body: str, *, width: int, height: int, narrow: bool | None = None
) -> Markup:
    """Put a drawing into its frame, with its title and what it says in words."""
    numbers = g.setdefault("chart_numbers", counter(1))
    ident = f"chart-{next(numbers)}"
    cls = "" if narrow is None and width <= NARROW else ("chart-narrow" if narrow else "chart-wide")
    return Markup(  # noqa: S704 - every text in it was escaped where it was put in
        f'<svg class="{cls}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{ident}-title {ident}-summary" focusable="false"><title id="{ident}-title">{escape(title)}</title>'
        f'<desc id="{ident}-summary">{escape(summary)}</desc>{body}</svg>'
    )


def legend(names: Sequence[str], values: Sequence[str] = ()) -> Markup:
    """Name the colours, with their values where there is room."""
    items = []
    for number, name in enumerate(names):
        key = Markup(
            '<svg viewBox="0 0 12 12" aria-hidden="true" focusable="false">'
            '<rect class="series-{}" width="12" height="12" rx="3"/></svg>'
        ).format(number % COLOURS + 1)
        value = Markup('<span class="legend-value">{}</span>').format(values[number]) if values else ""
        items.append(Markup("<li>{}<span>{}</span>{}</li>").format(key, name, value))
    return Markup('<ul class="chart-legend">{}</ul>').format(Markup().join(items))


def ticks(low: float, high: float, *, wanted: int = 4) -> list[float]:
    """Give round values from below the lowest to above the highest."""
    span = (high - low) or 1.0
    rough = span / wanted
    power = 10.0 ** floor(log10(rough))
    step = next((factor * power for factor in _STEPS if factor * power >= rough), 10 * power)
    first = int(low // step)
    last = -int(-high // step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def tick(value: float, write: Writer) -> str:
    """Write a value of the axis without the zeros of its currency's decimals."""
    exact = Decimal(repr(value)).normalize()
    text = write(exact)
    whole = exact == exact.to_integral_value()
    for zeros in (".00", ",00", ".000", ",000") if whole else ():
        head, found, tail = text.rpartition(zeros)
        if found and not tail[:1].isdigit():
            return head + tail
    return text


def cut(text: str, letters: float) -> str:
    """Shorten a text to so many letters."""
    # Room reckoned from just so many letters may come back a hair's breadth short of them.
    most = max(4, int(letters + 0.01))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def wrapped(text: str, letters: float) -> list[str]:
    """Break a text into two lines at most."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) > letters and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return [cut(line, letters) for line in lines[:2]]
