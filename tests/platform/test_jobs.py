"""Jobs: enqueued with the data or not at all, done after the commit, and not lost when a worker is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace import jobs
from marketplace.core.actor import Actor
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.jobs import Job
from marketplace.settings import Settings

WORKER = """
import sys, time
from marketplace import jobs
from marketplace.cli import logs
from marketplace.core.db import Database
from marketplace.settings import load_settings
from sqlalchemy import text

def note(database, settings, *, words, seconds):
    with database.owner_transaction() as session:
        session.execute(text("INSERT INTO audit_entry (name, audience, action, subject, subject_id, staff_name, reason)"
                             " VALUES ('worker', 'wholesaler', 'note', 'job', '', '', :words)"), {"words": words})
    time.sleep(seconds)

logs.configure()
jobs.run_worker(Database(sys.argv[1]), load_settings(), jobs=[jobs.Job("note", note)],
                is_waiting=sys.argv[2] == "wait", stalled_seconds=1.5)
"""


def start_worker(database: Database, *, then: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, database.url, then])


def notes(database: Database) -> list[str]:
    with database.owner_transaction() as session:
        return list(session.scalars(text("SELECT reason FROM audit_entry WHERE action = 'note' ORDER BY id")))


def statuses(database: Database) -> list[str]:
    with database.owner_transaction() as session:
        return list(session.scalars(text("SELECT status::text FROM procrastinate_jobs ORDER BY id")))


def wait_until(is_so: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def work(database: Database, settings: Settings, *known: Job) -> None:
    jobs.run_worker(database, settings, jobs=known, is_waiting=False)


def test_a_job_exists_only_when_its_transaction_commits(database: Database) -> None:
    class ChangedMindError(Exception):
        pass

    with pytest.raises(ChangedMindError), database.transaction(Actor.system()) as session:
        jobs.defer(session, "note", words="never")
        raise ChangedMindError
    after_rollback = statuses(database)
    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "note", words="soon")

    assert after_rollback == []
    assert statuses(database) == ["todo"]


def test_the_same_work_waits_once_and_the_transaction_goes_on(database: Database) -> None:
    with database.transaction(Actor.system()) as session:
        first = jobs.defer(session, "note", queueing_lock="september")
        second = jobs.defer(session, "note", queueing_lock="september")
        third = jobs.defer(session, "note", queueing_lock="october")

    assert first is not None
    assert second is None
    assert third is not None
    assert statuses(database) == ["todo", "todo"]


def test_a_job_for_later_is_not_done_before(database: Database, settings: Settings) -> None:
    done: list[str] = []

    def note(_database: Database, _settings: Settings, *, words: str) -> None:
        done.append(words)

    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "note", at=utc_now() + timedelta(hours=1), words="later")
        jobs.defer(session, "note", at=utc_now() - timedelta(hours=1), words="due")
        jobs.defer(session, "note", words="now")
    work(database, settings, Job("note", note))

    assert sorted(done) == ["due", "now"]


def test_what_is_done_by_itself_is_done_when_a_worker_starts(database: Database, settings: Settings) -> None:
    done: list[str] = []

    def look(_database: Database, _settings: Settings) -> None:
        done.append("looked")
        os.kill(os.getpid(), signal.SIGTERM)

    jobs.run_worker(database, settings, jobs=[Job("look", look, every="* * * * *")])

    assert done[0] == "looked"


def test_a_worker_hands_over_database_settings_and_arguments(database: Database, settings: Settings) -> None:
    seen: list[object] = []

    def remember(database: Database, settings: Settings, *, period: str) -> None:
        seen.extend([database, settings, period])

    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "remember", period="2024-09")
    work(database, settings, Job("remember", remember))

    assert seen == [database, settings, "2024-09"]
    assert statuses(database) == ["succeeded"]


def test_a_job_that_fails_is_kept_as_failed_and_does_not_stop_the_next(
    database: Database, settings: Settings
) -> None:
    done: list[int] = []

    def divide(_database: Database, _settings: Settings, *, by: int) -> None:
        done.append(1 // by)

    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "divide", by=0)
        jobs.defer(session, "divide", by=1)
    work(database, settings, Job("divide", divide))

    assert done == [1]
    assert statuses(database) == ["failed", "succeeded"]


def test_a_job_whose_worker_is_killed_with_9_is_done_by_the_next(
    database: Database, settings: Settings
) -> None:
    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "note", words="again", seconds=1)
    victim = start_worker(database, then="wait")
    wait_until(lambda: notes(database) == ["again"])
    victim.kill()
    victim.wait()
    after_kill = statuses(database)

    successor = start_worker(database, then="wait")
    try:
        wait_until(lambda: statuses(database) == ["succeeded"])
    finally:
        successor.terminate()
        ended = successor.wait(20)

    assert after_kill == ["doing"]
    assert notes(database) == ["again", "again"]
    assert ended == 0


def test_long_work_keeps_nobody_waiting(database: Database, settings: Settings) -> None:
    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "note", queue=jobs.LONG, words="close", seconds=3600)
    worker = start_worker(database, then="wait")
    try:
        wait_until(lambda: notes(database) == ["close"])
        with database.transaction(Actor.system()) as session:
            jobs.defer(session, "note", words="mail", seconds=0)
        wait_until(lambda: statuses(database) == ["doing", "succeeded"])
    finally:
        worker.kill()
        worker.wait()

    assert notes(database) == ["close", "mail"]


def test_a_worker_ends_with_its_long_work_done(database: Database, settings: Settings) -> None:
    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "note", queue=jobs.LONG, words="close", seconds=2)
    worker = start_worker(database, then="wait")
    wait_until(lambda: notes(database) == ["close"])
    worker.terminate()

    assert worker.wait(20) == 0
    assert statuses(database) == ["succeeded"]


def test_a_job_that_kills_every_worker_is_given_up(database: Database, settings: Settings) -> None:
    with database.transaction(Actor.system()) as session:
        jobs.defer(session, "note", words="poison", seconds=0)
    with database.owner_transaction() as session:
        session.execute(
            text("UPDATE procrastinate_jobs SET status = 'doing', attempts = :attempts"),
            {"attempts": jobs.MOST_ATTEMPTS - 1},
        )

    work(database, settings)

    assert statuses(database) == ["failed"]


def test_two_jobs_may_not_share_a_name() -> None:
    jobs.register("twice")(test_two_jobs_may_not_share_a_name)

    with pytest.raises(ValueError, match="two jobs are called twice"):
        jobs.register("twice")(test_a_job_that_kills_every_worker_is_given_up)
    jobs._registered.pop("twice")
