"""The application as it is served, for tests that walk everything in it."""

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
    """The application with its own accounts, and everybody."""
    return PeopledSite(settings, database)
