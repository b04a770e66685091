"""Opening the database for a process, and giving it back at its end."""

import atexit
import contextlib
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from marketplace.core import embedded_postgres
from marketplace.core.db import Database
from marketplace.core.embedded_postgres import EmbeddedPostgres
from marketplace.core.errors import N_, Refusal
from marketplace.schema import check_schema
from marketplace.settings import Settings


class DatabaseUnreachable(Refusal):
    """The server does not answer, or does not let us in."""

    sentence = N_(
        "The database cannot be reached: %(reason)s. Check DATABASE_URL where it is set, and that the server runs; "
        "then run the command again."
    )

    def __init__(self, error: OperationalError) -> None:
        super().__init__(reason=" ".join(str(error.orig).split()).rstrip(".?"))


@dataclass
class _Opened:
    database: Database
    server: EmbeddedPostgres | None


_opened: list[_Opened] = []
"""What this process has open. The one thing kept outside arguments: it must be given back however the process ends."""


def open_database(settings: Settings, *, needs_schema: bool = True) -> Database:
    """Give the database, starting or joining the embedded server where `DATABASE_URL` is empty.

    It is given back at the end of the command or of the process. Without the tables of this version the command is
    refused, unless it can do without.
    """
    server = None if settings.database_url else embedded_postgres.start(settings.home)
    database = Database(server.url if server else str(settings.database_url))
    _opened.append(_Opened(database, server))
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError as error:
        raise DatabaseUnreachable(error) from error
    if needs_schema:
        check_schema(database)
    return database


@atexit.register
def close_databases() -> None:
    """Close the connections, then give the server back. Harmless when repeated."""
    while _opened:
        one = _opened.pop()
        one.database.dispose()
        if one.server is not None:
            with contextlib.suppress(embedded_postgres.EmbeddedPostgresFailed):
                one.server.stop()
