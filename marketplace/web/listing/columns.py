"""What a list is made of: its columns, and the filters that narrow it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from flask_babel import gettext
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import SQLCoreOperations

from marketplace.core.money import Money
from marketplace.documents.tables import Cell

Row = TypeVar("Row")
SqlValue = SQLCoreOperations[Any] | ColumnElement[Any] | InstrumentedAttribute[Any]


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
