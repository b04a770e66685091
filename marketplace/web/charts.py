"""Charts, drawn on the server as SVG: nothing to load, they print, and the content policy allows them.

Each is drawn twice, wide and narrow, since one drawing shrunk to a phone has letters four pixels high; the stylesheet
shows one. Colours are classes (`series-1`), so both themes and forced colours work. Under each stands its data as a
table. Positions are floats, as pixels are; the values shown and listed stay exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count as counter
from math import cos, floor, log10, pi, sin
from typing import Any

from flask import Flask, g
from flask_babel import gettext
from markupsafe import Markup, escape

from marketplace.web import filters as shown

WIDE = 860
NARROW = 360
_COLOURS = 6
_STEPS = (1, 2, 2.5, 5, 10)
_LETTER = 6.6  # average width of a 12 px letter of the figures, in pixels
_LETTER_NARROW = 9.2  # the same of the largest letters the stylesheet gives narrow drawings

Writer = Callable[[Decimal], str]


def plain(value: Decimal) -> str:
    """Write a value as a number."""
    return shown.quantity(value)


def in_currency(currency: str) -> Writer:
    """Give a writer of exact amounts in a currency."""
    return lambda value: shown.exact_money(value, currency)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One colour of a stacked chart: its name and a value for each label."""

    name: str
    values: Sequence[Decimal]


@dataclass(frozen=True, kw_only=True)
class StackedBars:
    """Stacked bars, one for each label, such as a day. Negative values stack below the axis."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    write: Writer = plain
    label_head: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a ranking or a ring: its name, its value, and where it leads."""

    name: str
    value: Decimal
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Parts to rank or to compare with their whole."""

    title: str
    parts: Sequence[Part]
    write: Writer = plain
    total_label: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a waterfall: a change, or, with `is_total`, a level drawn from zero."""

    name: str
    value: Decimal
    is_total: bool = False


@dataclass(frozen=True, kw_only=True)
class Waterfall:
    """How one total becomes another, step by step."""

    title: str
    steps: Sequence[Step]
    write: Writer = plain


def stacked_bars(chart: StackedBars) -> Markup:
    """Draw stacked bars."""
    if not chart.labels or not chart.series:
        return _nothing(chart.title)
    wide = _stacked_svg(chart, width=WIDE, height=300, narrow=False)
    narrow = _stacked_svg(chart, width=NARROW, height=260, narrow=True)
    heads = [chart.label_head, *(series.name for series in chart.series), gettext("Total")]
    rows = [
        [label, *(chart.write(series.values[at]) for series in chart.series), chart.write(_level(chart, at))]
        for at, label in enumerate(chart.labels)
    ]
    legend = _legend([series.name for series in chart.series]) if len(chart.series) > 1 else Markup()
    return figure(chart.title, legend + wide + narrow, heads, rows)


def _level(chart: StackedBars, at: int) -> Decimal:
    return sum((series.values[at] for series in chart.series), Decimal(0))


def _stacked_svg(chart: StackedBars, *, width: int, height: int, narrow: bool) -> Markup:
    highs = [
        float(sum(max(s.values[at], Decimal(0)) for s in chart.series)) for at in range(len(chart.labels))
    ]
    lows = [
        float(sum(min(s.values[at], Decimal(0)) for s in chart.series)) for at in range(len(chart.labels))
    ]
    ticks = _ticks(min(0.0, *lows), max(0.0, *highs))
    tick_labels = [_tick(tick, chart.write) for tick in ticks]
    letter = _LETTER_NARROW if narrow else _LETTER
    left = max(len(label) for label in tick_labels) * letter + 10
    top, bottom = 8.0, height - 24.0
    scale = (bottom - top) / ((ticks[-1] - ticks[0]) or 1)
    body: list[str] = []

    def y(value: float) -> float:
        return bottom - (value - ticks[0]) * scale

    for tick, label in zip(ticks, tick_labels, strict=True):
        line = "chart-axis" if tick == 0 else "chart-grid"
        body.append(
            f'<line class="{line}" x1="{left:.1f}" x2="{width}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        )
        body.append(
            f'<text x="{left - 8:.1f}" y="{y(tick) + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        )
    slot = (width - left) / len(chart.labels)
    thick = min(slot * 0.72, 48.0)
    longest = max(len(label) for label in chart.labels) * letter + 8
    every = max(1, -(-int(longest) // max(1, int(slot))))
    for at, label in enumerate(chart.labels):
        x = left + slot * at + (slot - thick) / 2
        up = down = 0.0
        for number, series in enumerate(chart.series):
            value = float(series.values[at])
            if not value:
                continue
            start = up if value > 0 else down
            end = start + value
            up, down = (end, down) if value > 0 else (up, end)
            hint = f"{label} · {series.name}: {chart.write(series.values[at])}"
            body.append(
                f'<rect class="chart-part series-{number % _COLOURS + 1}" x="{x:.1f}" '
                f'y="{min(y(start), y(end)):.1f}" width="{thick:.1f}" height="{abs(end - start) * scale:.1f}" rx="1.5">'
                f"<title>{escape(hint)}</title></rect>"
            )
        if at % every == 0:
            body.append(
                f'<text x="{x + thick / 2:.1f}" y="{height - 6}" text-anchor="middle">{escape(label)}</text>'
            )
    return _svg(chart.title, _summary(chart), "".join(body), width=width, height=height, narrow=narrow)


def _summary(chart: StackedBars) -> str:
    levels = [_level(chart, at) for at in range(len(chart.labels))]
    highest = max(range(len(levels)), key=levels.__getitem__)
    return gettext(
        "%(count)s bars from %(first)s to %(last)s. The highest is %(label)s with %(value)s.",
        count=len(levels),
        first=chart.labels[0],
        last=chart.labels[-1],
        label=chart.labels[highest],
        value=chart.write(levels[highest]),
    )


def ranked_bars(chart: Parts, *, most: int = 12) -> Markup:
    """Draw horizontal bars in the order given, with their values written out."""
    if not chart.parts:
        return _nothing(chart.title)
    parts = list(chart.parts[:most])
    drawings = _ranked_svg(chart, parts, width=WIDE, narrow=False) + _ranked_svg(
        chart, parts, width=NARROW, narrow=True
    )
    return figure(chart.title, drawings, *_parts_table(chart))


def _ranked_svg(chart: Parts, parts: Sequence[Part], *, width: int, narrow: bool) -> Markup:
    largest = max(float(abs(part.value)) for part in parts) or 1.0
    row = 44.0 if narrow else 32.0
    values = [chart.write(part.value) for part in parts]
    names_wide = 0.0 if narrow else min(260.0, max(len(part.name) for part in parts) * _LETTER + 16)
    letter = _LETTER_NARROW if narrow else _LETTER
    values_wide = max(len(value) for value in values) * (letter + 0.6) + 10
    room = width - names_wide - values_wide if not narrow else width * 1.0
    body: list[str] = []
    for at, (part, value) in enumerate(zip(parts, values, strict=True)):
        y = at * row
        name = _cut(part.name, (width - values_wide if narrow else names_wide - 16) / letter)
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
    return _svg(chart.title, summary, "".join(body), width=width, height=int(row * len(parts)), narrow=narrow)


def ring(chart: Parts) -> Markup:
    """Draw parts of a whole as a ring, the total in its middle. Parts below zero cannot be shares: use bars."""
    parts = [part for part in chart.parts if part.value > 0]
    total = sum((part.value for part in parts), Decimal(0))
    if not total:
        return _nothing(chart.title)
    shown_parts = list(parts[: _COLOURS - 1])
    rest = sum((part.value for part in parts[_COLOURS - 1 :]), Decimal(0))
    if rest:
        shown_parts.append(Part(name=gettext("Others"), value=rest))
    centre, outer, inner = 100.0, 96.0, 62.0
    body, begun = [], 0.0
    for number, part in enumerate(shown_parts):
        share = float(part.value / total)
        body.append(
            f'<path class="chart-part series-{number % _COLOURS + 1}" '
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
    drawing = _svg(chart.title, summary, "".join(body), width=200, height=200)
    legend = _legend(
        [part.name for part in shown_parts],
        [
            f"{chart.write(part.value)} · {shown.percent((part.value * 100 / total).quantize(Decimal('0.1')))}"
            for part in shown_parts
        ],
    )
    return figure(
        chart.title,
        Markup('<div class="chart-ring">{}{}</div>').format(drawing, legend),
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


def waterfall(chart: Waterfall) -> Markup:
    """Draw how one total becomes another."""
    if not chart.steps:
        return _nothing(chart.title)
    drawings = _waterfall_wide(chart) + _waterfall_narrow(chart)
    rows = [[step.name, chart.write(step.value)] for step in chart.steps]
    return figure(chart.title, drawings, [gettext("Step"), gettext("Amount")], rows)


def _spans(chart: Waterfall) -> list[tuple[float, float]]:
    spans, level = [], 0.0
    for step in chart.steps:
        value = float(step.value)
        spans.append((0.0, value) if step.is_total else (level, level + value))
        level = value if step.is_total else level + value
    return spans


def _step_colour(step: Step) -> str:
    if step.is_total:
        return "series-total"
    return "series-gain" if step.value > 0 else "series-loss"


def _waterfall_wide(chart: Waterfall) -> Markup:
    spans = _spans(chart)
    width, top, bottom = WIDE, 26.0, 250.0
    low, high = min(0.0, *(min(span) for span in spans)), max(0.0, *(max(span) for span in spans))
    scale = (bottom - top) / ((high - low) or 1)
    slot = width / len(spans)
    thick = min(slot * 0.62, 92.0)
    body = [
        f'<line class="chart-axis" x1="0" x2="{width}" y1="{bottom + low * scale:.1f}" y2="{bottom + low * scale:.1f}"/>'
    ]
    for at, (step, (begin, end)) in enumerate(zip(chart.steps, spans, strict=True)):
        x = slot * at + (slot - thick) / 2
        y = bottom - (max(begin, end) - low) * scale
        tall = max(2.0, abs(end - begin) * scale)
        value = chart.write(step.value)
        body.append(
            f'<rect class="chart-part {_step_colour(step)}" x="{x:.1f}" y="{y:.1f}" width="{thick:.1f}" '
            f'height="{tall:.1f}" rx="3"><title>{escape(step.name)}: {escape(value)}</title></rect>'
            f'<text class="chart-value" x="{x + thick / 2:.1f}" y="{y - 8:.1f}" text-anchor="middle">'
            f"{escape(value)}</text>"
        )
        if at + 1 < len(spans):
            level = bottom - (end - low) * scale
            body.append(
                f'<line class="chart-link" x1="{x + thick:.1f}" x2="{x + slot:.1f}" y1="{level:.1f}" y2="{level:.1f}"/>'
            )
        for line, words in enumerate(_wrapped(step.name, slot / 6.6)):
            body.append(
                f'<text x="{x + thick / 2:.1f}" y="{bottom + 20 + 15 * line:.1f}" text-anchor="middle">'
                f"{escape(words)}</text>"
            )
    return _svg(chart.title, _waterfall_summary(chart), "".join(body), width=width, height=296)


def _waterfall_narrow(chart: Waterfall) -> Markup:
    spans = _spans(chart)
    low, high = min(0.0, *(min(span) for span in spans)), max(0.0, *(max(span) for span in spans))
    scale = NARROW / ((high - low) or 1)
    row = 44.0
    body: list[str] = []
    for at, (step, (begin, end)) in enumerate(zip(chart.steps, spans, strict=True)):
        y = at * row
        long = max(2.0, abs(end - begin) * scale)
        x = min((min(begin, end) - low) * scale, NARROW - long)
        value = chart.write(step.value)
        name = _cut(step.name, (NARROW - len(value) * (_LETTER_NARROW + 0.6) - 12) / _LETTER_NARROW)
        body.append(
            f'<text x="0" y="{y + 15:.1f}">{escape(name)}</text>'
            f'<text class="chart-value" x="{NARROW}" y="{y + 15:.1f}" text-anchor="end">{escape(value)}</text>'
            f'<rect class="chart-track" x="0" y="{y + 22:.1f}" width="{NARROW}" height="12" rx="3"/>'
            f'<rect class="chart-part {_step_colour(step)}" x="{x:.1f}" y="{y + 22:.1f}" width="{long:.1f}" '
            f'height="12" rx="3"/>'
        )
    return _svg(
        chart.title,
        _waterfall_summary(chart),
        "".join(body),
        width=NARROW,
        height=int(row * len(spans)),
        narrow=True,
    )


def _waterfall_summary(chart: Waterfall) -> str:
    return "; ".join(f"{step.name}: {chart.write(step.value)}" for step in chart.steps)


def sparkline(values: Sequence[Decimal], label: str) -> Markup:
    """Draw how a figure moved, beside it. `label` says in words what is drawn."""
    if len(values) < 2:  # noqa: PLR2004 - a line needs two points
        return Markup()
    numbers = [float(value) for value in values]
    low, high = min(numbers), max(numbers)
    width, height, margin = 240.0, 40.0, 4.0
    span = (high - low) or 1.0
    points = [
        (
            margin + (width - 2 * margin) * at / (len(numbers) - 1),
            height - margin - (height - 2 * margin) * (number - low) / span,
        )
        for at, number in enumerate(numbers)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    last_x, last_y = points[-1]
    return Markup(  # noqa: S704 - numbers are ours, the label is escaped
        f'<svg class="spark" viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label)}" '
        f'focusable="false"><polygon class="spark-area" points="{margin},{height} {line} {width - margin},{height}"/>'
        f'<polyline class="spark-line" points="{line}"/>'
        f'<circle class="spark-end" cx="{last_x:.1f}" cy="{last_y:.1f}" r="2.5"/></svg>'
    )


def _ticks(low: float, high: float, *, wanted: int = 4) -> list[float]:
    """Give round values from below the lowest to above the highest."""
    span = (high - low) or 1.0
    rough = span / wanted
    power = 10.0 ** floor(log10(rough))
    step = next((factor * power for factor in _STEPS if factor * power >= rough), 10 * power)
    first = int(low // step)
    last = -int(-high // step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _tick(value: float, write: Writer) -> str:
    """Write a value of the axis without the zeros of its currency's decimals."""
    exact = Decimal(repr(value)).normalize()
    text = write(exact)
    whole = exact == exact.to_integral_value()
    for zeros in (".00", ",00", ".000", ",000") if whole else ():
        head, found, tail = text.rpartition(zeros)
        if found and not tail[:1].isdigit():
            return head + tail
    return text


def _parts_table(chart: Parts) -> tuple[list[str], list[list[str]]]:
    return [gettext("Name"), gettext("Value")], [[part.name, chart.write(part.value)] for part in chart.parts]


def _svg(
    title: str, summary: str, body: str, *, width: int, height: int, narrow: bool | None = None
) -> Markup:
    numbers = g.setdefault("chart_numbers", counter(1))
    ident = f"chart-{next(numbers)}"
    cls = "" if narrow is None and width <= NARROW else ("chart-narrow" if narrow else "chart-wide")
    return Markup(  # noqa: S704 - every text in it was escaped where it was put in
        f'<svg class="{cls}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="{ident}-title {ident}-summary" focusable="false"><title id="{ident}-title">{escape(title)}</title>'
        f'<desc id="{ident}-summary">{escape(summary)}</desc>{body}</svg>'
    )


def _legend(names: Sequence[str], values: Sequence[str] = ()) -> Markup:
    items = []
    for number, name in enumerate(names):
        key = Markup(
            '<svg viewBox="0 0 12 12" aria-hidden="true" focusable="false">'
            '<rect class="series-{}" width="12" height="12" rx="3"/></svg>'
        ).format(number % _COLOURS + 1)
        value = Markup('<span class="legend-value">{}</span>').format(values[number]) if values else ""
        items.append(Markup("<li>{}<span>{}</span>{}</li>").format(key, name, value))
    return Markup('<ul class="chart-legend">{}</ul>').format(Markup().join(items))


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


def _nothing(title: str) -> Markup:
    return Markup('<p class="hint">{}: {}</p>').format(title, gettext("nothing to show yet"))


def _cut(text: str, letters: float) -> str:
    most = max(4, int(letters))
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _wrapped(text: str, letters: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) > letters and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return [_cut(line, letters) for line in lines[:2]]


def init_charts(app: Flask) -> None:
    """Make the charts known to templates."""
    app.jinja_env.globals.update(
        stacked_bars=stacked_bars,
        ranked_bars=ranked_bars,
        ring=ring,
        waterfall=waterfall,
        sparkline=sparkline,
    )
