"""A waterfall: how one amount becomes another, step by step."""

from flask_babel import gettext
from markupsafe import Markup, escape

from marketplace.web.charts import drawing
from marketplace.web.charts.values import Step, Waterfall


def waterfall(chart: Waterfall) -> Markup:
    """Draw how one total becomes another."""
    if not chart.steps:
        return drawing.nothing(chart.title)
    drawings = _waterfall_wide(chart) + _waterfall_narrow(chart)
    rows = [[step.name, chart.write(step.value)] for step in chart.steps]
    return drawing.figure(chart.title, drawings, [gettext("Step"), gettext("Amount")], rows)


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
    width, top, bottom = drawing.WIDE, 26.0, 250.0
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
        for line, words in enumerate(drawing.wrapped(step.name, slot / 6.6)):
            body.append(
                f'<text x="{x + thick / 2:.1f}" y="{bottom + 20 + 15 * line:.1f}" text-anchor="middle">'
                f"{escape(words)}</text>"
            )
    return drawing.svg(chart.title, _waterfall_summary(chart), "".join(body), width=width, height=296)


def _waterfall_narrow(chart: Waterfall) -> Markup:
    spans = _spans(chart)
    low, high = min(0.0, *(min(span) for span in spans)), max(0.0, *(max(span) for span in spans))
    scale = drawing.NARROW / ((high - low) or 1)
    row = 44.0
    body: list[str] = []
    for at, (step, (begin, end)) in enumerate(zip(chart.steps, spans, strict=True)):
        y = at * row
        long = max(2.0, abs(end - begin) * scale)
        x = min((min(begin, end) - low) * scale, drawing.NARROW - long)
        value = chart.write(step.value)
        name = drawing.cut(
            step.name,
            (drawing.NARROW - len(value) * (drawing.LETTER_NARROW + 0.6) - 12) / drawing.LETTER_NARROW,
        )
        body.append(
            f'<text x="0" y="{y + 15:.1f}">{escape(name)}</text>'
            f'<text class="chart-value" x="{drawing.NARROW}" y="{y + 15:.1f}" text-anchor="end">{escape(value)}</text>'
            f'<rect class="chart-track" x="0" y="{y + 22:.1f}" width="{drawing.NARROW}" height="12" rx="3"/>'
            f'<rect class="chart-part {_step_colour(step)}" x="{x:.1f}" y="{y + 22:.1f}" width="{long:.1f}" '
            f'height="12" rx="3"/>'
        )
    return drawing.svg(
        chart.title,
        _waterfall_summary(chart),
        "".join(body),
        width=drawing.NARROW,
        height=int(row * len(spans)),
        narrow=True,
    )


def _waterfall_summary(chart: Waterfall) -> str:
    return "; ".join(f"{step.name}: {chart.write(step.value)}" for step in chart.steps)
