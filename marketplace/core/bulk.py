"""Many rows in one statement: lists of Python values as a table that a statement can select from.

`INSERT ... SELECT` from it is nearly as fast as COPY, which row-level security forbids to the restricted role.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, column, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine


def table_of(
    columns: Mapping[str, tuple[TypeEngine[Any], Sequence[Any]]], *, name: str = "given"
) -> TableValuedAlias:
    """Make a table of columns given as (type, values). All columns have the same number of values."""
    arrays = [bindparam(None, list(values), ARRAY(type_)) for type_, values in columns.values()]
    heads = [column(head, type_) for head, (type_, _values) in columns.items()]
    return func.unnest(*arrays).table_valued(*heads, name=name).render_derived()
