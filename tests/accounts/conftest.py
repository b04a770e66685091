"""The application with everybody in it."""

import pytest

from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.conftest import World
from tests.personas import PeopledSite, everybody


@pytest.fixture
def world() -> World:
    return everybody


@pytest.fixture
def site(settings: Settings, database: Database) -> PeopledSite:
    """The application with its own accounts, and the personas."""
    return PeopledSite(settings, database)


@pytest.fixture
def people(database: Database) -> Database:
    """The database with the personas in it."""
    return database
