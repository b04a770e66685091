"""The embedded PostgreSQL: shared, stopped by its last user, and not impressed by kill -9."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from marketplace.core import embedded_postgres
from marketplace.core.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresOtherVersion

START_AND_WAIT = """
import sys, time
from pathlib import Path
from marketplace.core import embedded_postgres
server = embedded_postgres.start(Path(sys.argv[1]), is_durable=False)
print(server.url, flush=True)
if sys.argv[2] == "wait":
    time.sleep(120)
server.stop()
"""


def run_user(home: Path, *, then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(home), then], stdout=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def server_pid(server: EmbeddedPostgres) -> int:
    return int((server.folder / "postmaster.pid").read_text().splitlines()[0])


def answer(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row and row[0]


def test_it_starts_below_folders_closed_to_everybody_else_and_opens_none_of_them(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "data" / "home"

    server = embedded_postgres.start(home, is_durable=False)

    try:
        assert answer(server, "SELECT 1") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
    finally:
        server.stop()


def test_it_listens_on_a_private_socket_and_not_on_the_network(tmp_path: Path) -> None:
    server = embedded_postgres.start(tmp_path, is_durable=False)

    try:
        assert answer(server, "SHOW listen_addresses") == ""
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
    finally:
        server.stop()
    assert not server.socket_folder.exists()


def test_it_is_durable_unless_a_test_says_otherwise(tmp_path: Path) -> None:
    server = embedded_postgres.start(tmp_path)

    try:
        assert answer(server, "SHOW fsync") == "on"
        assert answer(server, "SHOW synchronous_commit") == "on"
        assert answer(server, "SHOW data_checksums") == "on"
    finally:
        server.stop()


def test_the_last_user_stops_it_and_no_other(tmp_path: Path) -> None:
    first = embedded_postgres.start(tmp_path, is_durable=False)
    second = embedded_postgres.start(tmp_path, is_durable=False)

    first.stop()
    is_running_after_first = second.is_running
    second.stop()

    assert first.started_here
    assert not second.started_here
    assert is_running_after_first
    assert not second.is_running


def test_two_processes_starting_at_once_get_the_same_server(tmp_path: Path) -> None:
    processes = [run_user(tmp_path, then="wait") for _ in range(3)]
    try:
        urls = {first_line(process) for process in processes}
    finally:
        for process in processes:
            end(process)

    assert len(urls) == 1
    embedded_postgres.start(tmp_path, is_durable=False).stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes users")
def test_processes_that_make_the_servers_user_at_once_get_the_same_user() -> None:
    name = f"mkt-test-{os.getpid()}"
    ask = f"from marketplace.core import postgres_user as p; p.USER = {name!r}; print(p.own_user())"
    try:
        processes = [
            subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        users = {process.communicate()[0] for process in processes}
    finally:
        subprocess.run(["userdel", name], check=False, capture_output=True)

    assert len(users) == 1
    assert users.pop().startswith("ServerUser(uid=")


def test_a_user_killed_with_9_does_not_keep_it_running_for_ever(tmp_path: Path) -> None:
    user = run_user(tmp_path, then="wait")
    url = first_line(user).strip()
    end(user)

    server = embedded_postgres.start(tmp_path, is_durable=False)
    server.stop()

    assert server.url == url
    assert not server.started_here
    assert not server.is_running


def test_it_recovers_when_the_server_itself_was_killed_with_9(tmp_path: Path) -> None:
    server = embedded_postgres.start(tmp_path)
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server_pid(server), signal.SIGKILL)
    time.sleep(0.1)

    again = embedded_postgres.start(tmp_path)

    try:
        assert again.started_here
        assert answer(again, "SELECT answer FROM kept") == 42
        assert not server.socket_folder.exists()
    finally:
        again.stop()
        server.stop()


def test_a_stale_pid_that_belongs_to_another_program_is_not_believed(tmp_path: Path) -> None:
    embedded_postgres.start(tmp_path, is_durable=False).stop()
    folder = tmp_path / "postgres"
    (folder / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n1\n5432\n/tmp/gone\n\n\nready\n")

    server = embedded_postgres.start(tmp_path, is_durable=False)

    assert server.started_here
    server.stop()


def test_a_half_made_data_folder_is_never_used(tmp_path: Path) -> None:
    (tmp_path / "postgres.new-killed").mkdir()
    (tmp_path / "postgres.new-killed" / "PG_VERSION").write_text("18")

    embedded_postgres.start(tmp_path, is_durable=False).stop()

    assert not (tmp_path / "postgres.new-killed").exists()


def test_data_of_another_version_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("14\n")

    with pytest.raises(
        EmbeddedPostgresOtherVersion, match="made by PostgreSQL 14, and PostgreSQL 18 is installed"
    ):
        embedded_postgres.start(tmp_path)
