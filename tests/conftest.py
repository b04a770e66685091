"""Fixtures every test may ask for: a throw-away PostgreSQL per process, a fresh database and data folder per test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.orm import Session

from marketplace import schema
from marketplace.core import embedded_postgres
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.settings import Settings, environment_name, load_settings


@dataclass
class ThrowAwayPostgres:
    """A server that makes a fresh migrated database in a few hundredths of a second, by copying one."""

    socket_folder: Path
    _made: int = 0

    def url(self, name: str) -> str:
        """SQLAlchemy's address of a database."""
        return f"postgresql+psycopg://{embedded_postgres.OWNER}@/{name}?host={self.socket_folder}&port=5432"

    def fresh_database(self, *, is_migrated: bool = True) -> str:
        """Make a database, give its address."""
        self._made += 1
        name = f"test_{self._made}"
        template = embedded_postgres.DATABASE if is_migrated else "template0"
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


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowAwayPostgres]:
    """One server per test process, gone with all its data at the end."""
    server = embedded_postgres.start(tmp_path_factory.mktemp("postgres"), is_durable=False)
    template = Database(server.url)
    schema.migrate(template)
    template.dispose()
    yield ThrowAwayPostgres(server.socket_folder)
    server.stop()


@pytest.fixture
def database(postgres: ThrowAwayPostgres) -> Iterator[Database]:
    """A fresh migrated database with the wholesaler in it."""
    database = Database(postgres.fresh_database())
    yield database
    database.dispose()
    postgres.drop(database.url)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction as the system itself, committed at the end of the test."""
    with database.transaction(Actor.system()) as session:
        yield session


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a data folder of the test's own; the machine's own settings and `.env` are not read."""
    for field in Settings.model_fields:
        monkeypatch.delenv(environment_name(field), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "home"))
    # Where nothing listens: a simulator that runs on this machine is somebody else's.
    monkeypatch.setenv("MARKETPLACE_SIMULATOR_PORT", "1")
    return load_settings()


@pytest.fixture
def command_line(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Let `marketplace.cli.main([...])`, called in the test, work on the test's database and data folder."""
    monkeypatch.setenv("DATABASE_URL", database.url)
    del settings  # it has pointed MARKETPLACE_HOME at the test's own folder
    return load_settings()
