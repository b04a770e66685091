"""One close at a time, and no step of a period meanwhile: a run and a step would undo each other's work.

The lock lasts as long as the transaction that took it, so a killed process leaves none behind.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.core.errors import N_, Refusal

#: What a run bills depends on every period closed before it, so the lock is one for all periods.
_LOCK = 7_202_201


class AlreadyRunning(Refusal):
    """Another close holds the lock."""

    sentence = N_("A close is running already: wait until it has ended, or cancel it.")


def lock_out_all(session: Session) -> None:
    """Let nobody else run a close or take a step until the transaction ends. Raises `AlreadyRunning`."""
    _take(session, "pg_try_advisory_xact_lock")


def lock_out_runs(session: Session) -> None:
    """Let no close run until the transaction ends; steps of other periods may go on. Raises `AlreadyRunning`."""
    _take(session, "pg_try_advisory_xact_lock_shared")


def _take(session: Session, how: str) -> None:
    if not session.scalar(text(f"SELECT {how}(:lock)"), {"lock": _LOCK}):
        raise AlreadyRunning


#: Whether a close is at work in this database, as SQL.
IS_HELD = f"""
    EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = {_LOCK} AND objsubid = 1
            AND mode = 'ExclusiveLock'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
