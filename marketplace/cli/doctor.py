"""`doctor`: what is configured, what is wrong with it, and the remedy of each fault. It shows no secrets."""

import argparse
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fsspec
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url

from marketplace import jobs, schema
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.db import APP_ROLE, MAY_ACT_AS, VIEWS_ROLE, Database
from marketplace.core.errors import Refusal
from marketplace.settings import Settings, environment_name, load_settings
from marketplace.usage.damage import files_gone
from marketplace.vendors.registry import MICROSOFT, connector_for

GOOD, NOTICE, FAULT = "good", "notice", "fault"
OLDEST_PYTHON = (3, 11)
SCREEN_ROLES = (APP_ROLE, VIEWS_ROLE)
LEAST_FREE = 2 * 10**9


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. A fault has a remedy; a notice is fine for a first try and not for production."""

    subject: str
    state: str
    words: str
    remedy: str = ""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    subparsers.add_parser("doctor", help="what is configured, and what is wrong with it")


def run(_args: argparse.Namespace) -> Result:
    """Look at everything; exit 1 if something is wrong."""
    settings = load_settings()
    findings = list(examine(settings))
    is_well = all(finding.state != FAULT for finding in findings)
    data: dict[str, object] = {
        "ok": is_well,
        "home": str(settings.home),
        "findings": [asdict(finding) for finding in findings],
    }
    return Result(data, "\n".join(_in_words(finding) for finding in findings), exit_code=0 if is_well else 1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Give what is found, one finding after the other."""
    yield from _python()
    yield from _home(settings)
    yield from _lake(settings)
    yield from _mail(settings)
    yield from _vendors(settings)
    yield from _database(settings)


def _python() -> Iterator[Finding]:
    words = f"Python {platform.python_version()}"
    if sys.version_info < OLDEST_PYTHON:
        yield Finding("python", FAULT, words, "install Python 3.11 or newer and remove .venv")
    else:
        yield Finding("python", GOOD, words)


def _home(settings: Settings) -> Iterator[Finding]:
    yield from _writable_folder("home", settings.home)
    yield from _writable_folder("files", settings.files)
    free = shutil.disk_usage(settings.home).free
    words = f"{free / 10**9:.1f} GB free at {settings.home}"
    if free < LEAST_FREE:
        yield Finding("disk", FAULT, words, "free some space, or move MARKETPLACE_HOME to a larger disk")
    else:
        yield Finding("disk", GOOD, words)
    secret = settings.home / "secret_key"
    if stat.S_IMODE(secret.stat().st_mode) & 0o077:
        yield Finding("secret key", FAULT, f"others can read {secret}", f"run `chmod 600 {secret}`")
    else:
        yield Finding("secret key", GOOD, "present, readable by its owner alone")


def _writable_folder(subject: str, folder: Path) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile(dir=folder):
            yield Finding(subject, GOOD, str(folder))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        yield Finding(
            subject,
            FAULT,
            f"{folder} cannot be written ({reason})",
            "give this user the right to write there",
        )


def _lake(settings: Settings) -> Iterator[Finding]:
    if settings.is_lake_local:
        yield from _writable_folder("lake", Path(settings.lake))
        return
    try:
        filesystem, path = fsspec.core.url_to_fs(settings.lake)
        filesystem.ls(path)
    except FileNotFoundError:
        yield Finding("lake", GOOD, f"{settings.lake} (empty)")
    except Exception as error:  # noqa: BLE001 - every kind of storage fails in its own way
        remedy = "check MARKETPLACE_LAKE and the credentials; the storage's fsspec package must be installed"
        yield Finding("lake", FAULT, f"{settings.lake} cannot be listed ({type(error).__name__})", remedy)
    else:
        yield Finding("lake", GOOD, settings.lake)


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_url:
        host = settings.smtp_url.rpartition("@")[2].rpartition("//")[2]
        yield Finding("mail", GOOD, f"sent by {host}")
    else:
        remedy = "set MARKETPLACE_SMTP_URL before people depend on mails"
        yield Finding("mail", NOTICE, f"written to {settings.mail}, not sent", remedy)


def _vendors(settings: Settings) -> Iterator[Finding]:
    """Say who fulfils orders of Microsoft's products, and whether that can be reached. Credentials are not shown."""
    remedy = "set MARKETPLACE_MICROSOFT_ADDRESS and the credentials before anything real is sold"
    if not settings.microsoft_address and not settings.has_simulator:
        yield Finding("microsoft", NOTICE, "fulfilled by hand", remedy)
        return
    blank = [
        environment_name(name)
        for name in ("microsoft_tenant", "microsoft_client_id", "microsoft_client_secret")
        if settings.microsoft_address and not _plain(getattr(settings, name))
    ]
    if blank:
        words = f"{settings.microsoft_address}, without credentials"
        yield Finding("microsoft", FAULT, words, f"set {', '.join(blank)}")
        return
    with closing(connector_for(settings, MICROSOFT)) as connector:
        health = connector.health()
    if settings.has_simulator:
        words = f"the simulator at {settings.simulator_url}"
        words = f"{words}, which runs" if health.is_well else f"{words}, which `serve` and `demo` start"
        yield Finding("microsoft", NOTICE, words, remedy)
    elif health.is_well:
        yield Finding("microsoft", GOOD, f"{settings.microsoft_address}, as {health.words}")
    else:
        yield Finding("microsoft", FAULT, health.words, "see the sentence")


def _plain(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        database = open_database(settings, needs_schema=False)
    except Refusal as refusal:
        yield Finding("database", FAULT, str(refusal), "see the sentence")
        return
    where = (
        make_url(database.url).render_as_string(hide_password=True) if settings.database_url else "embedded"
    )
    with database.engine.connect() as connection:
        version = str(connection.scalar(text("SHOW server_version")))
    yield Finding("database", GOOD, f"PostgreSQL {version}, {where}")
    try:
        schema.check_schema(database)
    except Refusal as refusal:
        words, _, remedy = str(refusal).partition(": ")
        yield Finding("schema", FAULT, words, remedy)
        return
    yield Finding("schema", GOOD, f"at step {schema.newest_step()}, the newest")
    yield from _role(database)
    yield from _open_tables(database)
    yield from _worker(database)
    if settings.is_lake_local:
        yield from _usage(database, Path(settings.lake))


def _role(database: Database) -> Iterator[Finding]:
    free = []
    for role in SCREEN_ROLES:
        with database.engine.connect() as connection:
            found = connection.execute(
                text(f"SELECT rolsuper OR rolbypassrls, {MAY_ACT_AS} FROM pg_roles WHERE rolname = :role"),
                {"role": role},
            ).one_or_none()
        if found is None or not found[1]:
            remedy = "run `python -m marketplace migrate`"
            yield Finding("role", FAULT, f"{role} is missing or not granted", remedy)
            return
        free += [role] if found[0] else []
    if free:
        remedy = " and ".join(f"`ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS`" for role in free)
        words = f"{' and '.join(free)} can step over row-level security"
        yield Finding("role", FAULT, words, f"run {remedy} in the database")
    else:
        yield Finding("role", GOOD, f"{' and '.join(SCREEN_ROLES)} are bound by row-level security")


def _open_tables(database: Database) -> Iterator[Finding]:
    """Find tables the restricted roles may read while nothing restricts the rows they see."""
    with database.engine.connect() as connection:
        tables = connection.scalars(
            text("""
                SELECT relname FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity
                  AND (has_table_privilege(:screens, oid, 'SELECT') OR has_table_privilege(:views, oid, 'SELECT'))
                  AND relname NOT LIKE 'procrastinate%' AND relname <> 'alembic_version'
                ORDER BY relname
            """),
            {"screens": APP_ROLE, "views": VIEWS_ROLE},
        ).all()
    if tables:
        remedy = f"run `REVOKE ALL ON {', '.join(tables)} FROM {', '.join(SCREEN_ROLES)}` in the database"
        yield Finding("isolation", FAULT, f"no row-level security on {', '.join(tables)}", remedy)
    else:
        yield Finding("isolation", GOOD, "every table screens can read has row-level security")


def _worker(database: Database) -> Iterator[Finding]:
    with database.engine.connect() as connection:
        alive, waiting, running, stalled, failed = connection.execute(
            text("""
                WITH alive AS (SELECT id FROM procrastinate_workers
                               WHERE last_heartbeat > now() - make_interval(secs => :seconds))
                SELECT (SELECT count(*) FROM alive), count(*) FILTER (WHERE status = 'todo'),
                       count(*) FILTER (WHERE status = 'doing'),
                       count(*) FILTER (
                           WHERE status = 'doing' AND coalesce(worker_id, 0) NOT IN (SELECT id FROM alive)),
                       count(*) FILTER (WHERE status = 'failed')
                FROM procrastinate_jobs
            """),
            {"seconds": jobs.STALLED_SECONDS},
        ).one()
    if alive:
        yield Finding("worker", GOOD, f"{alive} at work; {waiting} jobs waiting, {running} running")
    elif waiting or running:
        remedy = "run `python -m marketplace serve` or `worker`"
        yield Finding("worker", FAULT, f"none is running, and {waiting + running} jobs wait", remedy)
    else:
        yield Finding("worker", NOTICE, "none is running, and no job waits", "`serve` starts one")
    if stalled and alive:
        remedy = "nothing: the worker takes them over within a minute"
        yield Finding("stalled jobs", NOTICE, f"{stalled} were running when their worker died", remedy)
    if failed:
        remedy = "read the worker's log, mend the cause, and ask for the work again"
        yield Finding("failed jobs", NOTICE, f"{failed} failed in the last {jobs.DAYS_KEPT} days", remedy)


def _usage(database: Database, lake: Path) -> Iterator[Finding]:
    """Find imported files that count and are gone, before a close does."""
    with database.owner_transaction() as session:
        gone = files_gone(session, lake)
    if gone:
        remedy = "put them back from a backup, or undo their deliveries and import the files again"
        yield Finding(
            "usage",
            FAULT,
            f"{len(gone)} of the files that count are not in the lake, such as {gone[0]}",
            remedy,
        )
    else:
        yield Finding("usage", GOOD, "every file of the lake that counts is there")


def _in_words(finding: Finding) -> str:
    mark = {GOOD: "ok   ", NOTICE: "note ", FAULT: "WRONG"}[finding.state]
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    return f"{mark}  {finding.subject}: {finding.words}{remedy}"
