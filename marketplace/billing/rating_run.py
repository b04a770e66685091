"""The close of a period up to its draft: rate, price, round, balance, write. One transaction, or nothing.

`rate` is what commands and jobs call. It rates every earlier period that nobody closed too, so that none is skipped,
and bills what changed in closed periods with the first of them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from marketplace.billing import summary
from marketplace.billing.attribution import Engine
from marketplace.billing.close_lock import lock_out_all
from marketplace.billing.comparison import write_charge_differences
from marketplace.billing.corrections import correct
from marketplace.billing.drafts import Draft
from marketplace.billing.figures import (
    CostBook,
    balance_delta,
    replace_figures,
    write_balances,
    write_costs,
    write_unmapped,
)
from marketplace.billing.inputs import current_fingerprint, load_inputs
from marketplace.billing.models import BillingPeriod, CloseRun, PeriodStatus, RunStatus
from marketplace.billing.rated_period import rate_period
from marketplace.billing.run_progress import RunCancelled, RunProgress
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.period import Period
from marketplace.rating.balance import balance


class NothingToRate(Refusal):
    """The period has no usage and no closed period changed."""

    sentence = N_(
        "There is no usage for %(period)s: import the vendor's files for it first "
        "(python -m marketplace usage import FILE --vendor NAME)."
    )


class ClosedAlready(Refusal):
    """Closed documents never change."""

    sentence = N_(
        "%(period)s is closed: what changes now is billed with the next open month. Reopen it to rate it again."
    )


class _DryRunOver(Exception):
    """Carries the figures of a run whose transaction is rolled back on purpose."""

    def __init__(self, summary: dict[str, Any]) -> None:
        super().__init__()
        self.summary = summary


def _roll_back(run: CloseRun) -> None:
    raise _DryRunOver(run.summary)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where the close finds the lake and what it may use."""

    lake: Path
    engine: Engine


def rate(
    database: Database,
    *,
    workshop: Workshop,
    period: Period,
    actor: Actor,
    now: datetime,
    dry_run: bool = False,
) -> list[CloseRun]:
    """Rate a period and every unclosed one before it; give their runs, the period asked for last.

    A dry run leaves nothing behind. Raises `NothingToRate`, `ClosedAlready`, `AlreadyRunning`, `RunCancelled`,
    `UsageLost`.
    """
    with database.owner_transaction() as session:
        run = begin(session, period=period, actor=actor)
        run.status, run.started_at = RunStatus.RUNNING.value, utc_now()  # it waits for no worker
        run_id = run.id
    return carry_out(database, run_id=run_id, workshop=workshop, now=now, dry_run=dry_run)


def carry_out(
    database: Database, *, run_id: int, workshop: Workshop, now: datetime, dry_run: bool = False
) -> list[CloseRun]:
    """Carry out a run that was begun, after runs of its own for the unclosed periods before.

    It may be repeated: what a killed process left behind counts for nothing, and a run that has ended is not done
    again.
    """
    with database.owner_transaction() as session:
        asked = session.get_one(CloseRun, run_id)
        if asked.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
            return [asked]
        period = Period.from_number(asked.period)
    ids = [run_id]
    try:
        with database.owner_transaction() as session:
            asked = session.get_one(CloseRun, run_id)
            begun = Actor(name=asked.started_by, audience=Audience.WHOLESALER, user_id=asked.started_by_id)
            periods = _periods_to_rate(session, period, today=now.date())
            runs = [asked if one == period else begin(session, period=one, actor=begun) for one in periods]
            for run in runs:
                run.status, run.started_at = RunStatus.RUNNING.value, utc_now()
            ids = [run.id for run in runs]
        return [
            run_draft(database, run_id=one, together_with=ids, workshop=workshop, now=now, dry_run=dry_run)
            for one in ids
        ]
    except Exception as error:
        _end_unended(database, ids, error)
        raise
    finally:
        if dry_run:
            with database.owner_transaction() as session:
                session.execute(delete(CloseRun).where(CloseRun.id.in_(ids)))


def _end_unended(database: Database, ids: Sequence[int], error: Exception) -> None:
    """End the runs that were not come to, as the one that failed did."""
    status = RunStatus.FAILED
    if isinstance(error, Refusal):
        status = RunStatus.CANCELLED if isinstance(error, RunCancelled) else RunStatus.REFUSED
    with database.owner_transaction() as session:
        unended = CloseRun.id.in_(ids), CloseRun.status.in_((RunStatus.QUEUED, RunStatus.RUNNING))
        session.execute(
            update(CloseRun)
            .where(*unended)
            .values(status=status.value, error=_words(error), ended_at=utc_now())
        )


def _words(error: Exception) -> Phrase:
    """Give what is kept of an error: a sentence of ours, or a library's words."""
    return error.phrase if isinstance(error, Refusal) else Phrase.verbatim(f"{type(error).__name__}: {error}")


def _periods_to_rate(session: Session, period: Period, *, today: date) -> list[Period]:
    """Give the unclosed periods up to this one that have usage, the earliest first.

    A period without usage bills what closed ones differ by, unless it has not begun: 2099-12 is a slip.
    """
    standing = session.get(BillingPeriod, period.number)
    if standing is not None and standing.status == PeriodStatus.CLOSED:
        raise ClosedAlready(period=period)
    rows = session.execute(text(_UNCLOSED), {"period": period.number}).scalars()
    periods = [Period.from_number(number) for number in rows]
    if period not in periods:
        if period.start > today or not changed_closed_periods(session, before=period):
            raise NothingToRate(period=period)
        periods.append(period)
    return periods


_UNCLOSED = """
    SELECT period FROM (
        SELECT period FROM delivery_slice WHERE is_current UNION SELECT period FROM billing_period
        UNION SELECT extract(year FROM month)::bigint * 100 + extract(month FROM month)::bigint
        FROM (SELECT date_trunc('month', min(at) AT TIME ZONE 'UTC') AS first FROM subscription_segment) begun,
             generate_series(begun.first, to_date(CAST(:period AS text), 'YYYYMM')::timestamp, interval '1 month') AS month
        WHERE EXISTS (
            SELECT FROM subscription_segment g WHERE g.quantity > 0 AND g.at < month + interval '1 month'
              AND (coalesce(g.term_end, g.term_start + 1) > month OR g.at >= month))
    ) known
    WHERE period <= :period
      AND period NOT IN (SELECT period FROM billing_period WHERE status = 'closed')
    ORDER BY period
"""


def changed_closed_periods(session: Session, *, before: Period) -> dict[Period, str]:
    """Give the closed periods whose differences a period bills, with their fingerprint as it is now.

    Those are the ones whose first unclosed successor it is, and whose amounts may differ from what was billed.
    """
    earlier = list(session.scalars(text(_UNCLOSED), {"period": before.number - 1}))
    closed = session.scalars(
        select(BillingPeriod)
        .where(
            BillingPeriod.status == PeriodStatus.CLOSED,
            BillingPeriod.period < before.number,
            BillingPeriod.period > max(earlier, default=0),
        )
        .order_by(BillingPeriod.period)
    )
    changed = {}
    for one in closed.all():
        period = Period.from_number(one.period)
        fingerprint = current_fingerprint(session, period)
        if fingerprint != one.fingerprint:
            changed[period] = fingerprint
    return changed


def begin(session: Session, *, period: Period, actor: Actor) -> CloseRun:
    """Note that a run is wanted, so that it can be queued and its progress watched."""
    run = CloseRun(period=period.number, started_by=actor.name, started_by_id=actor.user_id)
    session.add(run)
    session.flush()  # the id is needed before the transaction ends
    return run


def run_draft(
    database: Database,
    *,
    run_id: int,
    together_with: Sequence[int],
    workshop: Workshop,
    now: datetime,
    dry_run: bool = False,
) -> CloseRun:
    """Carry out one run: write the period's draft in one transaction, and note how it ended."""
    progress = RunProgress(database, run_id)
    try:
        with progress.running(), database.owner_transaction() as session:
            run = session.get_one(CloseRun, run_id)
            lock_out_all(session)
            progress.end_interrupted(but=together_with)
            _write_draft(session, run, workshop=workshop, progress=progress, now=now)
            if dry_run:
                _roll_back(run)
    except _DryRunOver as over:
        progress.end(RunStatus.DONE, summary={**over.summary, "dry_run": True})
    except RunCancelled:
        progress.end(RunStatus.CANCELLED)
        raise
    except Refusal as refusal:
        progress.end(RunStatus.REFUSED, error=refusal.phrase)
        raise
    except Exception as error:
        if progress.is_cancelled:  # whatever was interrupted has its own way of saying so
            progress.end(RunStatus.CANCELLED)
            raise RunCancelled(period=progress.period) from error
        progress.end(RunStatus.FAILED, error=_words(error))
        raise
    with database.owner_transaction() as session:
        return session.get_one(CloseRun, run_id)


def _write_draft(
    session: Session,
    run: CloseRun,
    *,
    workshop: Workshop,
    progress: RunProgress,
    now: datetime,
) -> None:
    """Rate, price, write and balance one period: the story of the close."""
    started = time.perf_counter()
    period = Period.from_number(run.period)
    standing = session.get(BillingPeriod, run.period) or BillingPeriod(period=run.period)
    if standing.status == PeriodStatus.CLOSED:
        raise ClosedAlready(period=period)
    before = session.get_one(CloseRun, standing.run_id).summary if standing.run_id else {}
    draft = Draft(session, period=period, run_id=run.id)
    changed = changed_closed_periods(session, before=period)
    corrections = [
        correct(
            session,
            draft=draft,
            billing_period=period,
            inputs=load_inputs(session, closed, lake=workshop.lake),
            engine=workshop.engine,
            progress=progress,
        )
        for closed in changed
    ]
    inputs = load_inputs(session, period, lake=workshop.lake)
    sources = inputs.sources
    costs = CostBook()
    with rate_period(
        inputs.book, sources, billing_period=period, engine=workshop.engine, progress=progress
    ) as (rated, parts_of):
        draft.write_lines(some.rows for some in costs.noting(draft, rated.priced))
        costs.note_costs(rated.costs())
        parts = parts_of()
    progress("write", 0, 1)
    balances = {
        key: balance(part, bill=sources.bills.get(key), currency=key.currency) for key, part in parts.items()
    }
    replace_figures(session, period)
    write_balances(session, period, balances, reconciled=sources.bills.keys(), corrects=None)
    write_charge_differences(session, period, sources)
    write_unmapped(session, period, period, rated.unmapped, balances)
    for correction in corrections:
        delta = balance_delta(session, correction)
        reconciled = correction.inputs.sources.bills.keys()
        write_balances(session, period, delta, reconciled=reconciled, corrects=correction.period)
        new = {key: balance(part, bill=None, currency=key.currency) for key, part in correction.parts.items()}
        write_unmapped(session, period, correction.period, correction.rated.unmapped, new)
        write_costs(session, period, draft, correction.costs, delta)
    write_costs(session, period, draft, costs.by_statement, balances)
    draft.finish(costs.parked)
    run.slice_ids = sources.slice_ids + [i for c in corrections for i in c.inputs.sources.slice_ids]
    run.corrects = {str(c.period.number): c.inputs.fingerprint for c in corrections}
    standing.status = PeriodStatus.RATED.value
    standing.run_id = run.id
    standing.fingerprint = inputs.fingerprint
    standing.rated_at, standing.rated_by, standing.rated_by_id = now, run.started_by, run.started_by_id
    standing.reviewed_at, standing.reviewed_by, standing.reviewed_by_id = None, "", None
    session.add(standing)
    session.flush()  # the summary is read back from what was written
    run.summary = summary.summarise(session, period, usage_rows=rated.rows)
    run.summary["seconds"] = int((time.perf_counter() - started) * 1000) / 1000
    run.summary["waiting"] = [
        {"period": str(c.period), "hop": key.hop, "customer_id": key.customer_id, "pair": pair}
        for c in corrections
        for key, pair in c.waiting
    ]
    run.changes = summary.changes(before, run.summary)
    run.status, run.ended_at = RunStatus.DONE.value, utc_now()  # with the draft, lest a kill comes between
    progress.stop_if_cancelled()
