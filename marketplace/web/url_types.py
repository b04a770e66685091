"""Types of variables in addresses, beyond those Flask brings: what does not fit is no address of ours."""

from flask import Flask
from werkzeug.routing import BaseConverter


class PeriodConverter(BaseConverter):
    """A billing period: `<period:period>`, `2024-09`. Views receive the text and make a `Period` of it."""

    regex = r"[1-8][0-9]{3}-(?:0[1-9]|1[0-2])"
    part_isolating = True


def init_url_types(app: Flask) -> None:
    """Make the types known; before the pages are registered."""
    app.url_map.converters["period"] = PeriodConverter
