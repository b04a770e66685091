"""The database: declarative base, and transactions that know who is asking.

Screens and commands work as the role `marketplace_app`, which owns nothing and is bound by row-level security; the
actor's audience and party are set for the transaction, and where they are missing nothing can be seen. The owner's
role is for migrations and for the close, which writes by COPY.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Engine, MetaData, Text, create_engine, text
from sqlalchemy.orm import DeclarativeBase, Session

from marketplace.core.actor import Actor
from marketplace.core.column_types import ExactDecimal, UtcDateTime

APP_ROLE = "marketplace_app"
#: Owns the views through which screens read documents, and the schema they are found in first.
VIEWS_ROLE = "marketplace_lines"
SCREENS_SCHEMA = "screens"
#: Whether we may act as a role, named by the parameter `role`. Before PostgreSQL 16 every member could.
MAY_ACT_AS = (
    "pg_has_role(current_user, cast(:role AS name), "
    "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)"
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every model inherits: constraint names, and exact column types for plain annotations."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        Decimal: ExactDecimal(),
        datetime: UtcDateTime(),
        str: Text(),
        int: BigInteger(),
    }


class Database:
    """One PostgreSQL database and the ways to work in it."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """Connect lazily; `url` is a SQLAlchemy address with the owner's credentials."""
        self.url = url
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=10,
            pool_pre_ping=True,
            connect_args={"options": "-c timezone=UTC -c client_encoding=UTF8"},
        )

    @contextmanager
    def transaction(self, actor: Actor) -> Iterator[Session]:
        """Open a transaction as an actor; commit at the end, roll back on any error."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            enter(session, actor)
            yield session

    @contextmanager
    def owner_transaction(self) -> Iterator[Session]:
        """Open a transaction as the owner of the tables: no row-level security, COPY and DDL allowed."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def enter(session: Session, actor: Actor) -> None:
    """Bind the session's transaction to an actor: the restricted role, and what row-level security reads."""
    session.execute(
        text(
            "SELECT set_config('role', :role, true), set_config('search_path', :path, true), "
            "set_config('marketplace.audience', :audience, true), "
            "set_config('marketplace.party', :party, true), set_config('marketplace.user_id', :user_id, true)"
        ),
        {
            "role": APP_ROLE,
            "path": f"{SCREENS_SCHEMA}, public",
            "audience": actor.audience.value,
            "party": str(actor.party_id or 0),
            "user_id": str(actor.user_id or 0),
        },
    )
    if actor.is_read_only:
        # Staff who view as somebody else look: even a view that forgot would be refused by the database.
        session.execute(text("SET TRANSACTION READ ONLY"))
