"""Work for the worker: enqueued in the transaction that asks for it, done once or more, so it must be idempotent.

A job is a plain function `f(database, settings, **arguments)` in a module `jobs.py` of its capability, under
`@register("name")`. There are two Procrastinate applications on purpose: the one that enqueues has no tasks and no
connection of its own, since one that a worker has opened cannot enqueue in somebody else's transaction.
"""

import asyncio
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal, cast

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from sqlalchemy.orm import Session

import marketplace
from marketplace.core.db import Database
from marketplace.settings import Settings

log = structlog.get_logger()

SHORT = "work"
LONG = "long work"
"""Work that takes minutes, such as a close: a worker does one of each kind at a time, so that neither waits for the other."""

MOST_ATTEMPTS = 5
"""A job that kills its worker this often is given up: the machine must stay usable."""

HEARTBEAT_SECONDS = 10.0
STALLED_SECONDS = 30.0
"""A worker that has not been heard of for so long is dead, and its jobs are taken over."""

DAYS_KEPT = 30

JobArguments = str | int | bool | list[str] | list[int] | dict[str, str] | None


@dataclass(frozen=True)
class Job:
    """A registered function.

    `retries` is how often it is tried again after an error, with growing pauses. `every` is when it is done by itself,
    without arguments, as cron writes it: `*/5 * * * *` is every five minutes, in UTC. `queue` is where it then waits.
    """

    name: str
    run: Callable[..., object]
    retries: int = 0
    every: str = ""
    queue: str = SHORT


#: Capabilities that lie beside this package.
_BESIDE = ("catalog", "resellers")

_registered: dict[str, Job] = {}
_enqueuing = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def register(
    name: str, *, retries: int = 0, every: str = "", queue: str = SHORT
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Make a function known to the worker under a name, which must not change while jobs are waiting."""

    def remember(run: Callable[..., object]) -> Callable[..., object]:
        known = _registered.get(name)
        if known is not None and known.run.__qualname__ != run.__qualname__:
            raise ValueError(f"two jobs are called {name}")
        _registered[name] = Job(name, run, retries, every, queue)
        return run

    return remember


def defer(
    session: Session,
    task: str,
    *,
    queue: str = SHORT,
    queueing_lock: str | None = None,
    lock: str | None = None,
    at: datetime | None = None,
    **arguments: JobArguments,
) -> int | None:
    """Enqueue a job in the session's transaction: it is there when the transaction commits, and only then.

    With `at` it is done then, not before. Of jobs with the same `queueing_lock` one waits at a time; None says that one
    waits already. Jobs with the same `lock` run one after the other. What takes minutes belongs in the queue `LONG`.
    Arguments must be fit for JSON.
    """
    try:
        with session.begin_nested():  # a refused duplicate must not spoil the caller's transaction
            driver = session.connection().connection.driver_connection  # asking for it sets the savepoint
            deferrer = _enqueuing.configure_task(
                task, queue=queue, queueing_lock=queueing_lock, lock=lock, schedule_at=at, connection=driver
            )
            return deferrer.defer(**cast("dict[str, Any]", arguments))
    except AlreadyEnqueued:
        return None


def load_jobs() -> dict[str, Job]:
    """Import the jobs of every capability, so that none can be forgotten; give what is registered."""
    inside = (f"marketplace.{one.name}" for one in pkgutil.iter_modules(marketplace.__path__) if one.ispkg)
    for package in (*_BESIDE, *inside):
        if importlib.util.find_spec(f"{package}.jobs") is not None:
            importlib.import_module(f"{package}.jobs")
    return dict(_registered)


def run_worker(
    database: Database,
    settings: Settings,
    *,
    jobs: Iterable[Job],
    is_waiting: bool = True,
    stalled_seconds: float = STALLED_SECONDS,
) -> None:
    """Do jobs until asked to stop by a signal; with `is_waiting=False`, until none is left."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=database.url.replace("+psycopg", "", 1), min_size=1, max_size=6
        )
    )
    for job in jobs:
        retry = (
            procrastinate.RetryStrategy(max_attempts=job.retries, exponential_wait=5) if job.retries else None
        )
        run = partial(job.run, database, settings)
        if job.every:
            _add_periodic(app, job, run, retry or False)
        else:
            app.task(name=job.name, queue=job.queue, retry=retry or False)(run)
    asyncio.run(_work(app, is_waiting=is_waiting, stalled_seconds=stalled_seconds))


def _add_periodic(
    app: procrastinate.App,
    job: Job,
    run: Callable[..., object],
    retry: procrastinate.RetryStrategy | Literal[False],
) -> None:
    """Have a job done by itself: of all workers one enqueues it, and while it waits it is not enqueued again."""

    def at_its_time(timestamp: int = 0) -> None:
        del timestamp  # when it was meant for; it looks at what is due by the clock
        run()

    task = app.task(name=job.name, queue=job.queue, queueing_lock=job.name, retry=retry)(at_its_time)
    app.periodic(cron=job.every)(task)


async def _work(app: procrastinate.App, *, is_waiting: bool, stalled_seconds: float) -> None:
    async with app.open_async():
        await take_over_stalled_jobs(app, stalled_seconds=stalled_seconds)
        do = partial(
            app.run_worker_async,
            concurrency=1,
            update_heartbeat_interval=min(HEARTBEAT_SECONDS, stalled_seconds / 3),
            stalled_worker_timeout=stalled_seconds,
        )
        # Where one fails all end, and the worker is started anew.
        async with asyncio.TaskGroup() as together:
            beside = [together.create_task(_keep_house(app, stalled_seconds=stalled_seconds))]
            if is_waiting:
                beside.append(together.create_task(do(queues=[LONG], install_signal_handlers=False)))
            await do(queues=[SHORT] if is_waiting else [SHORT, LONG], wait=is_waiting)
            for one in beside:
                one.cancel()  # a running job is finished first


async def _keep_house(app: procrastinate.App, *, stalled_seconds: float) -> None:
    """Look after what dead workers left, beside the running job rather than queued behind it."""
    while True:
        await asyncio.sleep(stalled_seconds / 2)
        try:
            await take_over_stalled_jobs(app, stalled_seconds=stalled_seconds)
            await app.job_manager.delete_old_jobs(
                nb_hours=24 * DAYS_KEPT, include_failed=True, include_cancelled=True
            )
        except ConnectorException:
            log.exception("housekeeping of the job queue failed")


async def take_over_stalled_jobs(app: procrastinate.App, *, stalled_seconds: float) -> None:
    """Put jobs back in the queue whose worker was killed; give up those that were tried too often."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_seconds):
        about = log.bind(job=job.task_name, job_id=job.id, attempts=job.attempts + 1)
        if job.attempts + 1 >= MOST_ATTEMPTS:
            about.error("job given up: it was running each time its worker died")
            await app.job_manager.finish_job(job=job, status=Status.FAILED, delete_job=False)
            continue
        try:
            await app.job_manager.retry_job(job=job)
            about.warning("job taken over from a dead worker")
        except UniqueViolation:
            about.warning("job of a dead worker dropped: the same work waits already")
            await app.job_manager.finish_job(job=job, status=Status.ABORTED, delete_job=False)
