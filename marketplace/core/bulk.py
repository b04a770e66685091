"""Many rows in one statement: lists of Python values as a table that a statement can select from.

`INSERT ... SELECT` from it is nearly as fast as COPY, which row-level security forbids to the restricted role.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine


def table_of(
    columns: Mapping[str, tuple[TypeEngine[Any], Sequence[Any]]], *, name: str = "given"
) -> TableValuedAlias:
    """Make a table of columns given as (type, values). All columns have the same number of values."""
    arrays = [bindparam(None, list(values), ARRAY(type_)) for type_, values in columns.values()]
    heads = [column(head, type_) for head, (type_, _values) in columns.items()]
    return func.unnest(*arrays).table_valued(*heads, name=name).render_derived()


#: Below this, looking rows up one by one is quicker than reading whole tables.
_MANY = 100


@contextmanager
def many_at_once(session: Session, rows: int) -> Iterator[None]:
    """Have PostgreSQL join many given rows to tables by hashing or sorting, never row by row.

    Row-level security, and tables filled since they were last analysed, make it expect so few rows that it would
    compare every row of one side with every row of the other: 20,000 rows took minutes.
    """
    is_many = rows > _MANY
    if is_many:
        session.execute(select(func.set_config("enable_nestloop", "off", True)))  # noqa: FBT003 - until the end
    yield
    # After a failure nothing is to be put back: the transaction, or its savepoint, takes the setting with it.
    if is_many:
        session.execute(select(func.set_config("enable_nestloop", "on", True)))  # noqa: FBT003
