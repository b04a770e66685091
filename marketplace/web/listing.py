"""Lists: filter, sort, search and page from the address alone, and the same rows as CSV or Excel.

A page describes its list once, as a `ListView`; what can be sorted and filtered is what is named there, so nothing
a visitor types reaches SQL except as a bound value. Works without JavaScript; htmx only makes it smoother.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import IO, Any, Generic, TypeVar

from flask import Flask, Response, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import SQLCoreOperations

from marketplace.core.money import Money
from marketplace.core.period import DateRange
from marketplace.documents.tables import Cell, write_csv, write_xlsx
from marketplace.web import filters as shown
from marketplace.web.preferences import here, language

Row = TypeVar("Row")
SqlValue = SQLCoreOperations[Any] | ColumnElement[Any] | InstrumentedAttribute[Any]

PAGE_SIZE = 50
_LONGEST_SEARCH = 200
_LONGEST_PAGE = 7
_IN_MEMORY = 4 * 1024 * 1024


class Kind(StrEnum):
    """How a column's cells are shown and aligned."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DAY = "day"
    STATUS = "status"
    ACTION = "action"
    # Shown by its name; exports know it by its key.
    VENDOR = "vendor"


class OnPhone(StrEnum):
    """Where a cell stands when a row becomes a card: heading, to its right, a labelled line, or nowhere."""

    TITLE = "title"
    SIDE = "side"
    LINE = "line"
    HIDDEN = "hidden"


@dataclass(frozen=True, kw_only=True)
class Column(Generic[Row]):
    """A column: its name in the address, its heading (marked with `N_`), its value, and what it sorts by.

    `value` is what exports contain and what the page shows unless its template draws the cell itself. `sort` is an
    SQL expression; for lists made in memory (`respond_with_rows`), `sort=True` sorts by `value`.
    """

    key: str
    label: str
    # Amounts of several currencies come as a tuple.
    value: Callable[[Row], Cell | tuple[Money, ...]]
    sort: SqlValue | bool | None = None
    kind: Kind = Kind.TEXT
    phone: OnPhone = OnPhone.LINE
    is_exported: bool = True
    # What another cell of the page shows as well is for exports alone.
    is_shown: bool = True

    @property
    def is_sortable(self) -> bool:
        """Whether the heading is a link."""
        return self.sort is not None and self.sort is not False

    @property
    def is_numeric(self) -> bool:
        """Whether cells are set flush right, in figures of one width."""
        return self.kind in {Kind.NUMBER, Kind.MONEY}


@dataclass(frozen=True, kw_only=True)
class Filter(Generic[Row]):
    """A filter: a choice, a text or a day, allow-listed by name.

    `where` makes the SQL condition from the text in the address; `keeps` does the same for lists made in memory.
    `choices` are (value in the address, label marked with `N_`); a function is asked on each request.
    """

    key: str
    label: str
    where: Callable[[str], ColumnElement[bool]] | None = None
    keeps: Callable[[Row, str], bool] | None = None
    choices: Sequence[tuple[str, str]] | Callable[[], Sequence[tuple[str, str]]] = ()
    input: str = "text"

    def options(self) -> list[tuple[str, str]]:
        """Give the choices in the reader's language."""
        choices = self.choices() if callable(self.choices) else self.choices
        return [(value, gettext(label) if label else label) for value, label in choices]

    @property
    def is_choice(self) -> bool:
        """Whether only listed values are taken."""
        return callable(self.choices) or bool(self.choices)


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


@dataclass(frozen=True, kw_only=True)
class ListView(Generic[Row]):
    """The description of a list. `sort` is the first order: a column's key, with `-` for descending.

    `search` are the SQL expressions a search looks in; `finds` does it for lists made in memory. `tie_break` keeps
    rows that sort alike in one order, so that no row is on two pages: name the primary key. `row` makes this page's
    row from what the select gives; a select of one thing gives that thing.
    """

    name: str
    columns: Sequence[Column[Row]]
    filters: Sequence[Filter[Row]] = ()
    search: Sequence[SqlValue] = ()
    finds: Callable[[Row, str], bool] | None = None
    search_label: str = ""
    sort: str = ""
    tie_break: Sequence[SqlValue] = ()
    page_size: int = PAGE_SIZE
    row: Callable[[Any], Row] | None = None

    @property
    def is_searchable(self) -> bool:
        """Whether there is a search field."""
        return bool(self.search) or self.finds is not None

    def state(self, args: Mapping[str, str]) -> ListState:
        """Read the address. What is not allow-listed is ignored, never an error: addresses get old."""
        sort = args.get("sort", "") or self.sort
        sortable = {column.key for column in self.columns if column.is_sortable}
        if sort.removeprefix("-") not in sortable:
            sort = self.sort
        chosen = {}
        for filter_ in self.filters:
            value = args.get(filter_.key, "").strip()
            if value and (not filter_.is_choice or value in dict(filter_.options())):
                chosen[filter_.key] = value
        number = args.get("page", "1")
        return ListState(
            search=args.get("q", "").strip()[:_LONGEST_SEARCH] if self.is_searchable else "",
            sort=sort.removeprefix("-"),
            is_descending=sort.startswith("-"),
            page=max(1, int(number))
            if number.isascii() and number.isdigit() and len(number) <= _LONGEST_PAGE
            else 1,
            filters=chosen,
        )

    def narrowed(self, statement: Select[*tuple[Any, ...]], state: ListState) -> Select[Any]:
        """Add the conditions of search and filters to a select."""
        if state.search:
            pattern = f"%{_escaped(state.search)}%"
            statement = statement.where(or_(*(column.ilike(pattern, escape="\\") for column in self.search)))
        for filter_ in self.filters:
            if filter_.key in state.filters and filter_.where is not None:
                statement = statement.where(filter_.where(state.filters[filter_.key]))
        return statement

    def ordered(self, statement: Select[*tuple[Any, ...]], state: ListState) -> Select[Any]:
        """Add the order, with the tie-break after it."""
        orders: list[Any] = []
        orders += [
            column.sort.desc().nulls_last() if state.is_descending else column.sort.asc().nulls_last()
            for column in self.columns
            if column.key == state.sort and column.sort is not None and not isinstance(column.sort, bool)
        ]
        orders.extend(self.tie_break)
        return statement.order_by(None).order_by(*orders) if orders else statement

    def page(
        self, session: Session, statement: Select[*tuple[Any, ...]], args: Mapping[str, str] | None = None
    ) -> ListPage[Row]:
        """Read one page, and how many rows there are in all."""
        state = self.state(request.args if args is None else args)
        narrowed = self.narrowed(statement, state)
        total = session.scalar(select(func.count()).select_from(narrowed.order_by(None).subquery())) or 0
        state = _within(state, total=total, page_size=self.page_size)
        cut = self.ordered(narrowed, state).limit(self.page_size).offset((state.page - 1) * self.page_size)
        rows = [self._made(found) for found in session.execute(cut)]
        return ListPage(view=self, state=state, rows=rows, total=total, page_size=self.page_size)

    def page_of_rows(self, rows: Iterable[Row], args: Mapping[str, str] | None = None) -> ListPage[Row]:
        """Cut a page from rows that are already here, such as totals a query added up."""
        state = self.state(request.args if args is None else args)
        kept = self._kept(rows, state)
        state = _within(state, total=len(kept), page_size=self.page_size)
        start = (state.page - 1) * self.page_size
        return ListPage(
            view=self,
            state=state,
            rows=kept[start : start + self.page_size],
            total=len(kept),
            page_size=self.page_size,
        )

    def respond(
        self, session: Session, statement: Select[*tuple[Any, ...]], template: str, **context: Any
    ) -> ResponseReturnValue:
        """Answer with the page (`page` in the template), or with the whole filtered list as CSV or Excel."""
        format_ = request.args.get("format")
        if format_ in EXPORTS:
            ordered = self.ordered(
                self.narrowed(statement, self.state(request.args)), self.state(request.args)
            )
            found = session.execute(ordered.execution_options(yield_per=1000))
            return self._download((self._made(row) for row in found), format_)
        return render_template(template, page=self.page(session, statement), **context)

    def respond_with_rows(self, rows: Iterable[Row], template: str, **context: Any) -> ResponseReturnValue:
        """Answer as `respond` does, from rows that are already here."""
        format_ = request.args.get("format")
        if format_ in EXPORTS:
            return self._download(self._kept(rows, self.state(request.args)), format_)
        return render_template(template, page=self.page_of_rows(rows), **context)

    def _made(self, found: Any) -> Row:
        if self.row is not None:
            return self.row(found)
        made: Row = found[0] if len(found) == 1 else found
        return made

    def _kept(self, rows: Iterable[Row], state: ListState) -> list[Row]:
        kept = [
            row
            for row in rows
            if (not state.search or self.finds is None or self.finds(row, state.search.casefold()))
            and all(
                filter_.keeps(row, state.filters[filter_.key])
                for filter_ in self.filters
                if filter_.key in state.filters and filter_.keeps is not None
            )
        ]
        for column in self.columns:
            if column.key == state.sort:
                kept.sort(key=lambda row: _sort_key(column.value(row)), reverse=state.is_descending)
                # What has no value comes last, whichever way the rest is sorted.
                kept.sort(key=lambda row: column.value(row) is None)
        return kept

    def _download(self, rows: Iterable[Row], format_: str) -> Response:
        columns = [column for column in self.columns if column.is_exported and column.kind is not Kind.ACTION]
        heads = [head for column in columns for head in _heads(column)]
        cells = ([cell for column in columns for cell in _cells(column, row)] for row in rows)
        file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - send_file closes it
        EXPORTS[format_](file, heads, cells)
        file.seek(0)
        return send_file(
            file, mimetype=_MEDIA_TYPES[format_], as_attachment=True, download_name=f"{self.name}.{format_}"
        )


def _heads(column: Column[Any]) -> list[str]:
    label = gettext(column.label)
    # An amount and its currency stand in two columns, so that a spreadsheet can add up the first.
    return [label, gettext("%(column)s, currency", column=label)] if column.kind is Kind.MONEY else [label]


def _cells(column: Column[Row], row: Row) -> list[Cell]:
    match column.value(row):
        case Money() as one if column.kind is Kind.MONEY:
            return [one.amount, one.currency]
        case (Money() as one,):
            return [one.amount, one.currency]
        case tuple() as several:  # amounts of several currencies are never added up
            return [
                "; ".join(f"{one.amount:f}" for one in several),
                "; ".join(one.currency for one in several),
            ]
        case cell:
            return [cell, None] if column.kind is Kind.MONEY else [cell]


def _write_csv(file: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write CSV as the reader's Excel takes it: a French one wants `;` between cells."""
    write_csv(file, heads, rows, delimiter=";" if language() == "fr" else ",")


EXPORTS: dict[str, Callable[[IO[bytes], Sequence[str], Iterable[Sequence[Cell]]], None]] = {
    "csv": _write_csv,
    "xlsx": write_xlsx,
}
_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def init_listing(app: Flask) -> None:
    """Make the kinds known to templates."""
    app.jinja_env.globals.update(Kind=Kind, OnPhone=OnPhone)


def _escaped(search: str) -> str:
    return search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _within(state: ListState, *, total: int, page_size: int) -> ListState:
    last = max(1, -(-total // page_size))
    return state if state.page <= last else ListState(**{**vars(state), "page": last})


def _sort_key(cell: Cell | tuple[Money, ...]) -> tuple[Any, ...]:
    match cell:
        case None:
            return (1,)
        case tuple():
            return (0, *((one.currency, one.minor) for one in cell))
        case Money():
            return (0, cell.currency, cell.minor)
        case str():
            return (0, cell.casefold())
        case DateRange():
            return (0, cell.start or date.min, cell.end or date.max)
        case _:
            return (0, cell)
