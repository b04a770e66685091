"""One database for all tests of a module: each works in a transaction that is rolled back."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.db import Database
from tests.conftest import ThrowAwayPostgres


@pytest.fixture(scope="module")
def shared_database(postgres: ThrowAwayPostgres) -> Iterator[Database]:
    database = Database(postgres.fresh_database())
    yield database
    database.dispose()
    postgres.drop(database.url)


@pytest.fixture
def session(shared_database: Database) -> Iterator[Session]:
    """A transaction as the system itself, of which nothing is kept."""
    with shared_database.transaction(Actor.system()) as session:
        yield session
        session.rollback()
