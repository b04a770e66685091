"""Fixtures every test may ask for: a throw-away PostgreSQL per process, a fresh database and data folder per test."""

import contextlib
import gc
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from psycopg import sql
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import schema
from marketplace.accounts import passwords
from marketplace.core import embedded_postgres
from marketplace.core.actor import Actor
from marketplace.core.audit import AuditEntry
from marketplace.core.db import Database
from marketplace.core.errors import Refusal
from marketplace.settings import Settings, environment_name, load_settings

World = Callable[[Settings, Database], Any]
"""Fills an empty marketplace with what tests begin with, and gives what they want to know of it."""
TEST = "test"

LONGEST_FIRST = (
    *("test_every_page.py", "test_from_nothing.py", "test_from_an_empty_folder.py", "journeys", "oracle"),
    *("commands", "architecture", "test_embedded_postgres.py"),
)
"""Folders and files that take longest: begun first, they do not end last and alone. A file stays in one process."""


@pytest.hookimpl(trylast=True)  # after the tests were shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest."""
    ranks = {part: rank for rank, part in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: min(ranks.get(part, len(ranks)) for part in item.path.parts))


def pytest_collection_finish() -> None:
    """Let the collector of garbage look less often: all that was imported stays."""
    gc.set_threshold(20_000, 20, 50)


@dataclass
class ThrowAwayPostgres:
    """A server that makes a fresh migrated database in a few hundredths of a second, by copying one."""

    socket_folder: Path
    _made: int = 0

    def url(self, name: str) -> str:
        """SQLAlchemy's address of a database."""
        return f"postgresql+psycopg://{embedded_postgres.OWNER}@/{name}?host={self.socket_folder}&port=5432"

    def fresh_database(
        self, *, is_migrated: bool = True, template: str = embedded_postgres.DATABASE, name: str = ""
    ) -> str:
        """Make a database, give its address."""
        self._made += 1
        name = name or f"test_{self._made}"
        template = template if is_migrated else "template0"
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database and whatever is still connected to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", _name_in(url))

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(
            host=str(self.socket_folder), user=embedded_postgres.OWNER, dbname="postgres", autocommit=True
        ) as server:
            server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _name_in(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@dataclass(frozen=True)
class Kept:
    """A world that was made: the database and the data folder to copy, and what is known of it."""

    template: str
    home: Path
    facts: Any


@dataclass
class Worlds:
    """Makes each world once a process; what takes a test long is copied, and not made again."""

    postgres: ThrowAwayPostgres
    folder: Path
    _kept: dict[World, Kept] = field(default_factory=dict)
    _read: dict[World | None, Database] = field(default_factory=dict)

    def kept(self, world: World) -> Kept:
        """Give a world to copy from."""
        if world not in self._kept:
            database = Database(self.postgres.fresh_database())
            with pytest.MonkeyPatch.context() as patch:
                settings = settings_at(self.folder / f"world-{len(self._kept)}", patch)
            facts = world(settings, database)
            database.dispose()
            self._kept[world] = Kept(_name_in(database.url), settings.home, facts)
        return self._kept[world]

    def template(self, world: World | None) -> str:
        """Name the database to copy."""
        return self.kept(world).template if world else embedded_postgres.DATABASE

    def to_read(self, world: World | None) -> Database:
        """Give the database that all tests share which only read a world."""
        if world not in self._read:
            self._read[world] = Database(self.postgres.fresh_database(template=self.template(world)))
        return self._read[world]

    def dispose(self) -> None:
        """Close all connections."""
        for database in self._read.values():
            database.dispose()

    def unpack(self, world: World, home: Path) -> None:
        """Copy what a world has in its data folder."""
        shutil.copytree(self.kept(world).home, home, dirs_exist_ok=True)


def settings_at(home: Path, patch: pytest.MonkeyPatch) -> Settings:
    """Give settings with a data folder of the test's own; the machine's own settings and `.env` are not read."""
    for name in Settings.model_fields:
        patch.delenv(environment_name(name), raising=False)
    patch.setitem(Settings.model_config, "env_file", None)
    patch.setenv("MARKETPLACE_HOME", str(home))
    # Where nothing listens: a simulator that runs on this machine is somebody else's.
    patch.setenv("MARKETPLACE_SIMULATOR_PORT", "1")
    return load_settings()


MEMORY = Path("/dev/shm")  # noqa: S108 - folders made there have names nobody guesses
ROOM_NEEDED = 2_000_000_000
SECONDS_LEFT_ALONE = 3600


def _folder_in_memory() -> Path | None:
    """Make a folder in memory, where the machine has room there: databases are copied several times as fast.

    What test runs that were killed have left there for an hour is taken away.
    """
    if not MEMORY.is_dir():
        return None
    for left in MEMORY.glob("marketplace-tests-*"):
        with contextlib.suppress(OSError, Refusal):
            if time.time() - left.stat().st_mtime > SECONDS_LEFT_ALONE:
                _remove_unused(left)
    if shutil.disk_usage(MEMORY).free < ROOM_NEEDED:
        return None
    return Path(tempfile.mkdtemp(prefix="marketplace-tests-", dir=MEMORY))


def _remove_unused(home: Path) -> None:
    """Remove a data folder unless somebody uses its server: the last one to give it back ends it."""
    server = embedded_postgres.start(home, is_durable=False)
    server.stop()
    if not server.is_running:
        shutil.rmtree(home)


@pytest.fixture(scope="session", autouse=True)
def hasher_as_served() -> Iterator[PasswordHasher]:
    """Hash passwords with the least work, since that is made to take long; give the hasher of the product."""
    as_served = passwords._hasher
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield as_served


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowAwayPostgres]:
    """One server per test process, gone with all its data at the end."""
    in_memory = _folder_in_memory()
    server = embedded_postgres.start(in_memory or tmp_path_factory.mktemp("postgres"), is_durable=False)
    template = Database(server.url)
    schema.migrate(template)
    template.dispose()
    yield ThrowAwayPostgres(server.socket_folder)
    server.stop()
    if in_memory is not None:
        shutil.rmtree(in_memory)


@pytest.fixture(scope="session")
def worlds(postgres: ThrowAwayPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    """What was made before, to be copied."""
    worlds = Worlds(postgres, tmp_path_factory.mktemp("worlds"))
    yield worlds
    worlds.dispose()


@pytest.fixture
def world() -> World | None:
    """What a test begins with; folders and files whose tests need more than the wholesaler name it."""
    return None


@pytest.fixture
def facts(worlds: Worlds, world: World | None) -> Any:
    """What is known of the test's world."""
    return worlds.kept(world).facts if world else None


@pytest.fixture(scope="session")
def test_database(postgres: ThrowAwayPostgres) -> Database:
    """The database of every test, one after the other: under one name, so that statements are compiled once."""
    return Database(postgres.url(TEST))


@pytest.fixture
def database(
    request: pytest.FixtureRequest,
    postgres: ThrowAwayPostgres,
    test_database: Database,
    worlds: Worlds,
    world: World | None,
) -> Iterator[Database]:
    """A migrated database with the wholesaler in it, and with the test's world: fresh, unless the test only reads."""
    if request.node.get_closest_marker("only_reads") and not request.node.get_closest_marker("writes"):
        shared = worlds.to_read(world)
        before = _acts(shared)
        yield shared
        assert _acts(shared) == before, "a test that is marked as one that only reads has changed something"
        return
    postgres.fresh_database(template=worlds.template(world), name=TEST)
    yield test_database
    test_database.dispose()
    postgres.drop(test_database.url)


def _acts(database: Database) -> int:
    with database.owner_transaction() as session:
        return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction as the system itself, committed at the end of the test."""
    with database.transaction(Actor.system()) as session:
        yield session


@pytest.fixture
def settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World | None, worlds: Worlds
) -> Settings:
    """Settings with a data folder of the test's own, with what its world has there."""
    if world is not None:
        worlds.unpack(world, tmp_path / "home")
    return settings_at(tmp_path / "home", monkeypatch)


@pytest.fixture
def command_line(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Let `marketplace.cli.main([...])`, called in the test, work on the test's database and data folder."""
    monkeypatch.setenv("DATABASE_URL", database.url)
    del settings  # it has pointed MARKETPLACE_HOME at the test's own folder
    return load_settings()
