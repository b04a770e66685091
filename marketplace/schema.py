"""The schema of the database: bringing it up to date, and telling whether it is.

Alembic is configured here, without an ini file. The tables of the job queue come with Procrastinate and are installed
beside ours.
"""

from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from marketplace.core.db import APP_ROLE, MAY_ACT_AS, VIEWS_ROLE, Database
from marketplace.core.errors import N_, Refusal
from marketplace.migrations.views import drop_views, has_views, make_views
from resellers.models import Wholesaler

MIGRATIONS = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 7_021_001
"""Key of the advisory lock that lets one process migrate at a time."""
OLDEST_SERVER = (15,)


class SchemaMissing(Refusal):
    """The database has no tables."""

    sentence = N_("The database has no tables yet: run `python -m marketplace migrate` first.")


class SchemaBehind(Refusal):
    """The database was made by an older version of the product."""

    sentence = N_(
        "The database is at step %(found)s and this version needs step %(wanted)s: "
        "make a backup, then run `python -m marketplace migrate`."
    )


class SchemaAhead(Refusal):
    """The database was made by a newer version of the product."""

    sentence = N_(
        "The database is at step %(found)s, which this version does not know: install the newer version."
    )


class MigrationBlocked(Refusal):
    """A step could not be done."""

    sentence = N_(
        "The database could not be migrated: %(reason)s. Nothing of the failed step was kept: "
        "give the user of DATABASE_URL the right it lacks, or stop what holds the lock, and run it again."
    )


class ServerTooOld(Refusal):
    """The PostgreSQL server lacks what the tables are made with."""

    sentence = N_(
        "The PostgreSQL server of DATABASE_URL is version %(found)s: version %(oldest)s or newer is needed. "
        "Upgrade it, or leave DATABASE_URL empty and the embedded one is used."
    )


def migrate(database: Database) -> list[str]:
    """Bring the database up to date; give the steps that were done. Doing it again does nothing."""
    with database.engine.connect() as guard:
        guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        try:
            return _migrate(database)
        except DBAPIError as error:
            raise MigrationBlocked(reason=" ".join(str(error.orig).split())) from error
        finally:
            guard.rollback()
            guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})


def _migrate(database: Database) -> list[str]:
    before = current_step(database)
    if before is not None and before not in all_steps():
        raise SchemaAhead(found=before)
    with database.engine.begin() as connection:
        if (connection.dialect.server_version_info or ()) < OLDEST_SERVER:
            found = connection.scalar(text("SHOW server_version"))
            raise ServerTooOld(found=found, oldest=OLDEST_SERVER[0])
        ensure_roles(connection)
    if before != newest_step():
        with database.engine.begin() as connection:
            drop_views(connection)
        with database.engine.connect() as connection:
            command.upgrade(_configuration(connection), "head")
    with database.engine.begin() as connection:
        if not has_views(connection):
            make_views(connection)
        _install_job_queue(connection)
        connection.execute(insert(Wholesaler).values(id=1).on_conflict_do_nothing())
    steps = all_steps()
    return steps[steps.index(before) + 1 :] if before else steps


def ensure_roles(connection: Connection) -> None:
    """Create the roles of screens and commands, which own no table and are bound by row-level security."""
    for role in (APP_ROLE, VIEWS_ROLE):
        if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
            connection.execute(
                text(f"""
                    DO $$ BEGIN CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS;
                    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
                """)
            )
        if not connection.scalar(text(f"SELECT {MAY_ACT_AS}"), {"role": role}):
            connection.execute(text(f"GRANT {role} TO CURRENT_USER"))


def _install_job_queue(connection: Connection) -> None:
    """Install Procrastinate's tables, and let the restricted role enqueue with them."""
    if connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None:
        # Straight to the driver, without parameters: the text contains percent signs.
        driver: Any = connection.connection.driver_connection
        driver.execute(SchemaManager.get_schema())
    tables = "procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers"
    connection.execute(text(f"GRANT SELECT, INSERT, UPDATE ON {tables} TO {APP_ROLE}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}"))


def current_step(database: Database) -> str | None:
    """Give the step the database is at; None while it has no tables."""
    with database.engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        step: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return step


def check_schema(database: Database) -> None:
    """Refuse to work on a database that is not up to date."""
    found = current_step(database)
    if found is None:
        raise SchemaMissing
    if found == newest_step():
        return
    if found in all_steps():
        raise SchemaBehind(found=found, wanted=newest_step())
    raise SchemaAhead(found=found)


def newest_step() -> str:
    """Give the step this version of the product needs."""
    return all_steps()[-1]


@cache
def all_steps() -> list[str]:
    """All steps, oldest first."""
    directory = ScriptDirectory.from_config(_configuration())
    return [script.revision for script in directory.walk_revisions()][::-1]


def has_data(database: Database) -> bool:
    """Whether anybody has entered anything: a reseller, a user, a delivery."""
    with database.engine.connect() as connection:
        for table in ("reseller", "delivery", "user_account"):
            is_there = connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}) is not None
            if is_there and connection.scalar(text(f"SELECT EXISTS (SELECT FROM {table})")):
                return True
    return False


def check_models(database: Database) -> None:
    """Raise when the models and the migrated database differ."""
    with database.engine.connect() as connection:
        command.check(_configuration(connection))


def write_step(database: Database, message: str) -> None:
    """Write a new step with what the models have and the migrated database lacks."""
    number = f"{len(all_steps()) + 1:04}"
    with database.engine.connect() as connection:
        command.revision(_configuration(connection), message=message, autogenerate=True, rev_id=number)


def undo_last_step(database: Database) -> None:
    """Go one step back. For tests: a database in use goes forward only."""
    with database.engine.begin() as connection:
        drop_views(connection)
    with database.engine.connect() as connection:
        command.downgrade(_configuration(connection), "-1")


def _configuration(connection: Connection | None = None) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    configuration.attributes["connection"] = connection
    return configuration
