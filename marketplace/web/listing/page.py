"""One page of a list as templates draw it, with the addresses of its other pages, orders and filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

from flask import request
from flask_babel import gettext

from marketplace.web import filters as shown
from marketplace.web.listing.columns import Column, Kind, Row
from marketplace.web.preferences import here

if TYPE_CHECKING:
    from marketplace.web.listing.view import ListView


@dataclass(frozen=True, kw_only=True)
class ListState:
    """What the address asks of a list, with everything unknown left out."""

    search: str = ""
    sort: str = ""
    is_descending: bool = False
    page: int = 1
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.search or self.filters)


@dataclass(frozen=True, kw_only=True)
class Chip:
    """An active filter, and the address without it."""

    label: str
    value: str
    href: str


@dataclass(frozen=True, kw_only=True)
class ListPage(Generic[Row]):
    """One page of a list, as templates need it."""

    view: "ListView[Row]"
    state: ListState
    rows: Sequence[Row]
    total: int
    page_size: int

    @property
    def id(self) -> str:
        """The id of the list's element on the page."""
        return f"list-{self.view.name}"

    @property
    def columns(self) -> Sequence[Column[Row]]:
        """The columns shown."""
        return [column for column in self.view.columns if column.is_shown]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.page_size))

    @property
    def first(self) -> int:
        """The number of the first row shown, counted from 1; 0 when there is none."""
        return (self.state.page - 1) * self.page_size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def is_never_used(self) -> bool:
        """Whether the list is empty without any filter."""
        return not self.total and not self.state.is_filtered

    def show(self, row: Row, column: Column[Row]) -> str:
        """Write a cell as its kind is written."""
        value = column.value(row)
        return shown.vendor(str(value)) if column.kind is Kind.VENDOR else shown.said(value)

    def aria_sort(self, column: Column[Row]) -> str:
        """Give the value of `aria-sort`, or nothing for columns that cannot be sorted."""
        if not column.is_sortable:
            return ""
        if column.key != self.state.sort:
            return "none"
        return "descending" if self.state.is_descending else "ascending"

    def sort_href(self, column: Column[Row]) -> str:
        """Give the address that sorts by a column, or turns its order round."""
        turned = column.key == self.state.sort and not self.state.is_descending
        return here(sort=f"-{column.key}" if turned else column.key, page=None)

    def page_href(self, number: int) -> str:
        """Give the address of another page."""
        return here(page=number if number > 1 else None)

    def page_numbers(self) -> list[int | None]:
        """Give the pages worth a link: first, last, and those around this one; None stands for a gap."""
        wanted = sorted(
            {1, self.pages, *range(self.state.page - 1, self.state.page + 2)} & set(range(1, self.pages + 1))
        )
        numbers: list[int | None] = []
        for number in wanted:
            if numbers and numbers[-1] is not None and number - numbers[-1] > 1:
                numbers.append(None)
            numbers.append(number)
        return numbers

    def chips(self) -> list[Chip]:
        """Give the active filters."""
        chips = []
        if self.state.search:
            chips.append(Chip(label=gettext("Search"), value=self.state.search, href=here(q=None, page=None)))
        for filter_ in self.view.filters:
            if filter_.key in self.state.filters:
                value = self.state.filters[filter_.key]
                label = dict(filter_.options()).get(value, value)
                chips.append(
                    Chip(
                        label=gettext(filter_.label),
                        value=label,
                        href=here(**{filter_.key: None, "page": None}),
                    )
                )
        return chips

    def clear_href(self) -> str:
        """Give the address without any filter."""
        return here(**dict.fromkeys((*(filter_.key for filter_ in self.view.filters), "q", "page")))

    def export_href(self, format_: str) -> str:
        """Give the address of the same rows as `csv` or `xlsx`."""
        return here(format=format_, page=None)

    def kept_fields(self) -> list[tuple[str, str]]:
        """Give what the filter form must carry along: everything of the address it does not itself ask for."""
        asked = {filter_.key for filter_ in self.view.filters} | {"q", "page", "format", "lang", "theme"}
        return [(name, value) for name, value in request.args.items(multi=True) if name not in asked]
