"""What something is made of: bars by their length, or a ring."""

from collections.abc import Sequence
from decimal import Decimal
from math import cos, pi, sin

from flask_babel import gettext
from markupsafe import Markup, escape

from marketplace.web import filters as shown
from marketplace.web.charts import drawing
from marketplace.web.charts.values import Part, Parts


def ranked_bars(chart: Parts, *, most: int = 12) -> Markup:
    """Draw horizontal bars in the order given, with their values written out."""
    if not chart.parts:
        return drawing.nothing(chart.title)
    parts = list(chart.parts[:most])
    drawings = _ranked_svg(chart, parts, width=drawing.WIDE, narrow=False) + _ranked_svg(
        chart, parts, width=drawing.NARROW, narrow=True
    )
    return drawing.figure(chart.title, drawings, *_parts_table(chart))


def _ranked_svg(chart: Parts, parts: Sequence[Part], *, width: int, narrow: bool) -> Markup:
    largest = max(float(abs(part.value)) for part in parts) or 1.0
    row = 44.0 if narrow else 32.0
    values = [chart.write(part.value) for part in parts]
    names_wide = 0.0 if narrow else min(260.0, max(len(part.name) for part in parts) * drawing.LETTER + 16)
    letter = drawing.LETTER_NARROW if narrow else drawing.LETTER
    values_wide = max(len(value) for value in values) * (letter + 0.6) + 10
    room = width - names_wide - values_wide if not narrow else width * 1.0
    body: list[str] = []
    for at, (part, value) in enumerate(zip(parts, values, strict=True)):
        y = at * row
        name = drawing.cut(part.name, (width - values_wide if narrow else names_wide - 16) / letter)
        long = max(2.0, room * float(abs(part.value)) / largest)
        colour = "series-loss" if part.value < 0 else "series-1"
        bar_y = y + 22 if narrow else y + 7
        text_y = y + 15 if narrow else y + 20
        body.append(
            f'<text class="chart-name" x="0" y="{text_y:.1f}">{escape(name)}<title>{escape(part.name)}</title></text>'
            f'<rect class="chart-track" x="{names_wide:.1f}" y="{bar_y:.1f}" width="{room:.1f}" '
            f'height="{12 if narrow else 18}" rx="3"/>'
            f'<rect class="chart-part {colour}" x="{names_wide:.1f}" y="{bar_y:.1f}" width="{long:.1f}" '
            f'height="{12 if narrow else 18}" rx="3"/>'
            f'<text class="chart-value" x="{width}" y="{text_y:.1f}" text-anchor="end">{escape(value)}</text>'
        )
    summary = gettext("%(name)s is the largest with %(value)s.", name=parts[0].name, value=values[0])
    return drawing.svg(
        chart.title, summary, "".join(body), width=width, height=int(row * len(parts)), narrow=narrow
    )


def ring(chart: Parts) -> Markup:
    """Draw parts of a whole as a ring, the total in its middle. Parts below zero cannot be shares: use bars."""
    parts = [part for part in chart.parts if part.value > 0]
    total = sum((part.value for part in parts), Decimal(0))
    if not total:
        return drawing.nothing(chart.title)
    shown_parts = list(parts[: drawing.COLOURS - 1])
    rest = sum((part.value for part in parts[drawing.COLOURS - 1 :]), Decimal(0))
    if rest:
        shown_parts.append(Part(name=gettext("Others"), value=rest))
    centre, outer, inner = 100.0, 96.0, 62.0
    body, begun = [], 0.0
    for number, part in enumerate(shown_parts):
        share = float(part.value / total)
        body.append(
            f'<path class="chart-part series-{number % drawing.COLOURS + 1}" '
            f'd="{_arc(centre, outer=outer, inner=inner, begin=begun, end=begun + share)}">'
            f"<title>{escape(part.name)}: {escape(chart.write(part.value))}</title></path>"
        )
        begun += share
    total_text = chart.write(total)
    size = "chart-total" if len(total_text) < 11 else "chart-value"  # noqa: PLR2004 - what fits inside the ring
    body.append(f'<text class="{size}" x="100" y="104" text-anchor="middle">{escape(total_text)}</text>')
    if chart.total_label:
        body.append(f'<text x="100" y="122" text-anchor="middle">{escape(chart.total_label)}</text>')
    summary = gettext("%(count)s parts, %(total)s in all.", count=len(shown_parts), total=total_text)
    whole = drawing.svg(chart.title, summary, "".join(body), width=200, height=200)
    legend = drawing.legend(
        [part.name for part in shown_parts],
        [
            f"{chart.write(part.value)} · {shown.percent((part.value * 100 / total).quantize(Decimal('0.1')))}"
            for part in shown_parts
        ],
    )
    return drawing.figure(
        chart.title,
        Markup('<div class="chart-ring">{}{}</div>').format(whole, legend),
        *_parts_table(chart),
    )


def _arc(centre: float, *, outer: float, inner: float, begin: float, end: float) -> str:
    if end - begin >= 1:
        end = begin + 0.99999  # a full circle begins where it ends and would vanish

    def at(share: float, radius: float) -> str:
        angle = 2 * pi * share - pi / 2
        return f"{centre + radius * cos(angle):.2f} {centre + radius * sin(angle):.2f}"

    far = int(end - begin > 0.5)  # noqa: PLR2004 - more than half a turn
    return (
        f"M{at(begin, outer)}A{outer} {outer} 0 {far} 1 {at(end, outer)}"
        f"L{at(end, inner)}A{inner} {inner} 0 {far} 0 {at(begin, inner)}Z"
    )


def _parts_table(chart: Parts) -> tuple[list[str], list[list[str]]]:
    return [gettext("Name"), gettext("Value")], [[part.name, chart.write(part.value)] for part in chart.parts]
