"""Bars that stand beside each other, of parts that stand on each other."""

from decimal import Decimal

from flask_babel import gettext
from markupsafe import Markup, escape

from marketplace.web.charts import drawing
from marketplace.web.charts.values import StackedBars


def stacked_bars(chart: StackedBars) -> Markup:
    """Draw stacked bars."""
    if not chart.labels or not chart.series:
        return drawing.nothing(chart.title)
    wide = _stacked_svg(chart, width=drawing.WIDE, height=300, narrow=False)
    narrow = _stacked_svg(chart, width=drawing.NARROW, height=260, narrow=True)
    heads = [chart.label_head, *(series.name for series in chart.series), gettext("Total")]
    rows = [
        [label, *(chart.write(series.values[at]) for series in chart.series), chart.write(_level(chart, at))]
        for at, label in enumerate(chart.labels)
    ]
    legend = drawing.legend([series.name for series in chart.series]) if len(chart.series) > 1 else Markup()
    return drawing.figure(chart.title, legend + wide + narrow, heads, rows)


def _level(chart: StackedBars, at: int) -> Decimal:
    return sum((series.values[at] for series in chart.series), Decimal(0))


def _stacked_svg(chart: StackedBars, *, width: int, height: int, narrow: bool) -> Markup:
    highs = [
        float(sum(max(s.values[at], Decimal(0)) for s in chart.series)) for at in range(len(chart.labels))
    ]
    lows = [
        float(sum(min(s.values[at], Decimal(0)) for s in chart.series)) for at in range(len(chart.labels))
    ]
    ticks = drawing.ticks(min(0.0, *lows), max(0.0, *highs))
    tick_labels = [drawing.tick(tick, chart.write) for tick in ticks]
    letter = drawing.LETTER_NARROW if narrow else drawing.LETTER
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
                f'<rect class="chart-part series-{number % drawing.COLOURS + 1}" x="{x:.1f}" '
                f'y="{min(y(start), y(end)):.1f}" width="{thick:.1f}" height="{abs(end - start) * scale:.1f}" rx="1.5">'
                f"<title>{escape(hint)}</title></rect>"
            )
        if at % every == 0:
            body.append(
                f'<text x="{x + thick / 2:.1f}" y="{height - 6}" text-anchor="middle">{escape(label)}</text>'
            )
    return drawing.svg(chart.title, _summary(chart), "".join(body), width=width, height=height, narrow=narrow)


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
