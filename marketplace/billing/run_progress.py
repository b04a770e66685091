"""How far long work is, told in transactions of its own beside the work's one; and hearing that somebody cancels it."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from marketplace.billing.models import CloseRun, RunStatus
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.period import Period

_POLL_SECONDS = 0.5
#: Where each stage of a rating begins and ends on a scale of a hundred.
_SPANS = {
    "read": (2, 30),
    "attribute": (30, 40),
    "group": (40, 55),
    "price": (55, 90),
    "write": (90, 99),
}


def share_of(stage: str, done: int, total: int) -> float:
    """Say how far a rating is, in percent: each stage has its share of the time ratings take."""
    begin, end = _SPANS.get(stage, (0, 2))
    within = done / total if total else 0
    return begin + (end - begin) * min(within, 1)


class RunCancelled(Refusal):
    """Somebody asked the run to stop."""

    sentence = N_("The close of %(period)s was cancelled. The draft from before stands.")


class WatchedProgress(ABC):
    """Tells people how far work is, in transactions of its own, and hears when they cancel it."""

    def __init__(self, database: Database) -> None:
        """Watch one piece of work, of whose row a subclass knows."""
        self._database = database
        self._told = 0.0
        self._stage = ""
        self._interrupt: Callable[[], None] | None = None
        self._ended = threading.Event()
        self.is_cancelled = False

    @abstractmethod
    def note(self, session: Session, stage: str, done: int, total: int) -> None:
        """Write how far the work is."""

    @abstractmethod
    def hears_cancel(self, session: Session) -> bool:
        """Whether somebody asks it to stop."""

    @abstractmethod
    def cancelled(self) -> Refusal:
        """Give what is raised when it stops because of that."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note the progress, twice a second at most. Raises what `cancelled` gives."""
        now = time.monotonic()
        if stage == self._stage and now - self._told < _POLL_SECONDS:
            return
        self._told, self._stage = now, stage
        with self._database.owner_transaction() as session:
            self.note(session, stage, done, total)
            self.is_cancelled = self.is_cancelled or self.hears_cancel(session)
        if self.is_cancelled:
            raise self.cancelled()

    def stop_if_cancelled(self) -> None:
        """Hear once more, before what was done is kept. Raises what `cancelled` gives."""
        self._hear()
        if self.is_cancelled:
            raise self.cancelled()

    def watch(self, interrupt: Callable[[], None]) -> None:
        """Interrupt long queries when somebody cancels."""
        self._interrupt = interrupt

    @contextmanager
    def listening(self) -> Any:
        """Listen for cancellation beside the work."""
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()
        try:
            yield
        finally:
            self._ended.set()
            listener.join()

    def _listen(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            self._hear()
            if self.is_cancelled and self._interrupt is not None:
                with suppress(duckdb.Error):  # the query, and its connection, may just have ended
                    self._interrupt()

    def _hear(self) -> None:
        with self._database.owner_transaction() as session:
            self.is_cancelled = self.is_cancelled or self.hears_cancel(session)


class RunProgress(WatchedProgress):
    """How far a run of the close is."""

    def __init__(self, database: Database, run_id: int) -> None:
        """Watch one run."""
        super().__init__(database)
        self._run_id = run_id
        self.period = ""

    def note(self, session: Session, stage: str, done: int, total: int) -> None:
        """Write it with the run."""
        session.execute(
            text("UPDATE close_run SET stage = :stage, done = :done, total = :total WHERE id = :id"),
            {"stage": stage, "done": done, "total": total, "id": self._run_id},
        )

    def hears_cancel(self, session: Session) -> bool:
        """Whether the run is asked to stop."""
        query = text("SELECT cancel_requested FROM close_run WHERE id = :id")
        return bool(session.scalar(query, {"id": self._run_id}))

    def cancelled(self) -> Refusal:
        """Name the period whose close it was."""
        return RunCancelled(period=self.period)

    @contextmanager
    def running(self) -> Any:
        """Mark the run as running, and listen for cancellation beside it."""
        with self._database.owner_transaction() as session:
            run = session.get_one(CloseRun, self._run_id)
            run.status, run.started_at, run.error = RunStatus.RUNNING.value, utc_now(), None
            self.period = str(Period.from_number(run.period))
        with self.listening():
            yield

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


_INTERRUPTED = N_("It was interrupted before it had ended; nothing of it was kept.")
