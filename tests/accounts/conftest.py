"""The application with everybody in it."""

import pytest

from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.personas import PeopledSite, make_personas


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    """The application with its own accounts, and the personas."""
    return PeopledSite(settings, database)


@pytest.fixture
def people(database: Database) -> Database:
    """The database with the personas in it."""
    with database.owner_transaction() as session:
        make_personas(session)
    return database
