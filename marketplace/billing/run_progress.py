"""How far a run is, told in transactions of its own beside the run's one; and hearing that somebody cancels it."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
from sqlalchemy import text, update

from marketplace.billing.models import CloseRun, RunStatus
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.period import Period

_POLL_SECONDS = 0.5


class RunCancelled(Refusal):
    """Somebody asked the run to stop."""

    sentence = N_("The close of %(period)s was cancelled. The draft from before stands.")


class RunProgress:
    """Tells people how far a run is, in transactions of its own, and hears when they cancel it."""

    def __init__(self, database: Database, run_id: int) -> None:
        """Watch one run."""
        self._database = database
        self._run_id = run_id
        self._told = 0.0
        self._stage = ""
        self._interrupt: Callable[[], None] | None = None
        self._ended = threading.Event()
        self.is_cancelled = False
        self.period = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note the progress, twice a second at most. Raises `RunCancelled`."""
        now = time.monotonic()
        if stage == self._stage and now - self._told < _POLL_SECONDS:
            return
        self._told, self._stage = now, stage
        self._update(stage=stage, done=done, total=total)
        if self.is_cancelled:
            raise RunCancelled(period=self.period)

    def stop_if_cancelled(self) -> None:
        """Hear once more, before what was done is kept. Raises `RunCancelled`."""
        self._update()
        if self.is_cancelled:
            raise RunCancelled(period=self.period)

    def watch(self, interrupt: Callable[[], None]) -> None:
        """Interrupt long queries when somebody cancels."""
        self._interrupt = interrupt

    @contextmanager
    def running(self) -> Any:
        """Mark the run as running, and listen for cancellation beside it."""
        with self._database.owner_transaction() as session:
            run = session.get_one(CloseRun, self._run_id)
            run.status, run.started_at, run.error = RunStatus.RUNNING.value, utc_now(), None
            self.period = str(Period.from_number(run.period))
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()
        try:
            yield
        finally:
            self._ended.set()
            listener.join()

    def end(
        self, status: RunStatus, *, error: Phrase | None = None, summary: dict[str, Any] | None = None
    ) -> None:
        """Note how the run ended; a summary is kept here only where the run itself was rolled back."""
        with self._database.owner_transaction() as session:
            run = session.get_one(CloseRun, self._run_id)
            run.status, run.error, run.ended_at = status.value, error, utc_now()
            if summary is not None:
                run.summary = summary

    def end_interrupted(self, *, but: Sequence[int]) -> None:
        """Note that runs that say they are at work were killed, but ours: whoever holds the lock knows that none is.

        This is a transaction of its own, lest a run that is just being refused waits for this one's end.
        """
        with self._database.owner_transaction() as session:
            session.execute(
                update(CloseRun)
                .where(CloseRun.status == RunStatus.RUNNING.value, CloseRun.id.not_in(but))
                .values(status=RunStatus.FAILED.value, ended_at=utc_now(), error=Phrase.of(_INTERRUPTED))
            )

    def _listen(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            self._update()
            if self.is_cancelled and self._interrupt is not None:
                with suppress(duckdb.Error):  # the query, and its connection, may just have ended
                    self._interrupt()

    def _update(self, **values: Any) -> None:
        """Write progress and hear whether the run is to stop."""
        with self._database.owner_transaction() as session:
            if values:
                session.execute(
                    text("UPDATE close_run SET stage = :stage, done = :done, total = :total WHERE id = :id"),
                    {**values, "id": self._run_id},
                )
            query = text("SELECT cancel_requested FROM close_run WHERE id = :id")
            self.is_cancelled = self.is_cancelled or bool(session.scalar(query, {"id": self._run_id}))


_INTERRUPTED = N_("It was interrupted before it had ended; nothing of it was kept.")
