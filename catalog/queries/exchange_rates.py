"""Lists of the catalogue for pages: statements to filter, sort and page."""

from typing import Any

from sqlalchemy import Select, select

from catalog.models import FxRate


def fx_list() -> Select[*tuple[Any, ...]]:
    """Give exchange rates. They are no secret of anybody."""
    return select(FxRate.id, FxRate.month, FxRate.from_currency, FxRate.to_currency, FxRate.rate)
