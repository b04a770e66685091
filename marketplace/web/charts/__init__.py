"""Charts, drawn on the server as SVG: nothing to load, they print, and the content policy allows them.

Each is drawn twice, wide and narrow, since one drawing shrunk to a phone has letters four pixels high; the stylesheet
shows one. Colours are classes (`series-1`), so both themes and forced colours work. Under each stands its data as a
table. Positions are floats, as pixels are; the values shown and listed stay exact.
"""

from flask import Flask

from marketplace.web.charts.bars import stacked_bars
from marketplace.web.charts.drawing import NARROW, WIDE, figure
from marketplace.web.charts.shares import ranked_bars, ring
from marketplace.web.charts.sparkline import sparkline
from marketplace.web.charts.steps import waterfall
from marketplace.web.charts.values import (
    Part,
    Parts,
    Series,
    StackedBars,
    Step,
    Waterfall,
    Writer,
    in_currency,
    plain,
)

__all__ = [
    "NARROW",
    "WIDE",
    "Part",
    "Parts",
    "Series",
    "StackedBars",
    "Step",
    "Waterfall",
    "Writer",
    "figure",
    "in_currency",
    "init_charts",
    "plain",
    "ranked_bars",
    "ring",
    "sparkline",
    "stacked_bars",
    "waterfall",
]


def init_charts(app: Flask) -> None:
    """Make the charts known to templates."""
    app.jinja_env.globals.update(
        stacked_bars=stacked_bars,
        ranked_bars=ranked_bars,
        ring=ring,
        waterfall=waterfall,
        sparkline=sparkline,
    )
