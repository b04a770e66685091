"""The description of a list: what its address may ask of it, and the answer to it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from marketplace.core.money import Money
from marketplace.core.period import DateRange
from marketplace.documents.tables import Cell
from marketplace.web.listing.columns import Column, Filter, Row, SqlValue
from marketplace.web.listing.download import EXPORTS, download
from marketplace.web.listing.page import ListPage, ListState

PAGE_SIZE = 50
_LONGEST_SEARCH = 200
_LONGEST_PAGE = 7


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
            made = (self._made(row) for row in found)
            return download(self.columns, made, name=self.name, format_=format_)
        return render_template(template, page=self.page(session, statement), **context)

    def respond_with_rows(self, rows: Iterable[Row], template: str, **context: Any) -> ResponseReturnValue:
        """Answer as `respond` does, from rows that are already here."""
        format_ = request.args.get("format")
        if format_ in EXPORTS:
            kept = self._kept(rows, self.state(request.args))
            return download(self.columns, kept, name=self.name, format_=format_)
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
