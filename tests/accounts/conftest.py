"""The application with everybody in it."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from marketplace.accounts import passwords
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


@pytest.fixture
def hashes_as_served(hasher_as_served: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let hashes take as much work as where the product runs."""
    monkeypatch.setattr(passwords, "_hasher", hasher_as_served)
    passwords._nobodys_hash.cache_clear()
    yield
    passwords._nobodys_hash.cache_clear()
