"""A line without axes, beside a figure."""

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup, escape


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
