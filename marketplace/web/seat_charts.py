"""A subscription's history as a picture: how many seats stood when, one colour a plan, its terms marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext
from markupsafe import Markup, escape

from marketplace.core.period import DateRange
from marketplace.subscriptions.rules.history import Segment
from marketplace.web import filters as shown
from marketplace.web.charts import NARROW, WIDE, figure

_HEIGHT = 170
_BASE = 138.0
_TOP = 22.0
_COLOURS = 6


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Seats from a day until another, for the picture."""

    start: date
    end: date
    seats: int
    sku: str
    what: str


def seats_chart(segments: Sequence[Segment], *, today: date) -> Markup:
    """Draw how many seats stood when. What was bought for good stands until today."""
    stretches = _stretches(segments, today)
    if not stretches:
        return Markup()
    drawing = _svg(stretches, segments, width=WIDE, cls="chart-wide") + _svg(
        stretches, segments, width=NARROW, cls="chart-narrow"
    )
    rows = [
        [shown.days(DateRange(one.start, one.end)), shown.count(one.seats), one.what] for one in stretches
    ]
    heads = [gettext("Days"), gettext("Seats"), gettext("Product")]
    return figure(gettext("Seats over time"), drawing, heads, rows)


def _stretches(segments: Sequence[Segment], today: date) -> list[_Stretch]:
    found = []
    for number, one in enumerate(segments):
        start = one.at.date()
        end = segments[number + 1].at.date() if number + 1 < len(segments) else one.term_end or today
        offer = one.quoted.offer
        if one.quantity and start < end:
            found.append(_Stretch(start, end, one.quantity, offer.sku, offer.product))
    return found


def _svg(stretches: Sequence[_Stretch], segments: Sequence[Segment], *, width: int, cls: str) -> Markup:
    first, last = stretches[0].start, max(one.end for one in stretches)
    span = max(1, (last - first).days)
    most = max(one.seats for one in stretches)
    colours = {sku: number for number, sku in enumerate(dict.fromkeys(one.sku for one in stretches))}

    def x(day: date) -> float:
        return (day - first).days / span * width

    body = [f'<line class="chart-axis" x1="0" x2="{width}" y1="{_BASE}" y2="{_BASE}"/>']
    for one in stretches:
        high = one.seats / most * (_BASE - _TOP)
        wide = max(1.0, x(one.end) - x(one.start) - 1)
        body.append(
            f'<rect class="chart-part series-{colours[one.sku] % _COLOURS + 1}" x="{x(one.start):.1f}" '
            f'y="{_BASE - high:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="2"><title>'
            f"{escape(shown.count(one.seats))} · {escape(one.what)}</title></rect>"
        )
        if wide > width / 12:
            body.append(
                f'<text class="chart-value" x="{x(one.start) + wide / 2:.1f}" y="{_BASE - high - 6:.1f}" '
                f'text-anchor="middle">{escape(shown.count(one.seats))}</text>'
            )
    begins = sorted({one.term_start for one in segments if first < one.term_start < last})
    body += [
        f'<line class="chart-grid" x1="{x(day):.1f}" x2="{x(day):.1f}" y1="{_TOP}" y2="{_BASE}"/>'
        for day in begins
    ]
    body.append(f'<text class="chart-label" x="0" y="{_HEIGHT - 12}">{escape(shown.day(first))}</text>')
    body.append(
        f'<text class="chart-label" x="{width}" y="{_HEIGHT - 12}" text-anchor="end">{escape(shown.day(last))}</text>'
    )
    return Markup(  # noqa: S704 - every text in it is escaped above
        f'<svg class="{cls}" viewBox="0 0 {width} {_HEIGHT}" role="img" '
        f'aria-label="{escape(gettext("Seats over time"))}" focusable="false">{"".join(body)}</svg>'
    )
