"""Lists: filter, sort, search and page from the address alone, and the same rows as CSV or Excel.

A page describes its list once, as a `ListView`; what can be sorted and filtered is what is named there, so nothing
a visitor types reaches SQL except as a bound value. Works without JavaScript; htmx only makes it smoother.
"""

from flask import Flask

from marketplace.web.listing.columns import Column, Filter, Kind, OnPhone
from marketplace.web.listing.download import EXPORTS
from marketplace.web.listing.view import ListView

__all__ = [
    "EXPORTS",
    "Column",
    "Filter",
    "Kind",
    "ListView",
    "OnPhone",
    "init_listing",
]


def init_listing(app: Flask) -> None:
    """Make the kinds known to templates."""
    app.jinja_env.globals.update(Kind=Kind, OnPhone=OnPhone)
