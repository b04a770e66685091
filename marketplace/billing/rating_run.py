"""The close of a period up to its draft: rate, price, round, balance, write. One transaction, or nothing.

`rate` is what commands and jobs call. It rates every earlier period that nobody closed too, so that none is skipped,
and bills what changed in closed periods with the first of them.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.billing import summary
from marketplace.billing.attribution import BillKey, Engine
from marketplace.billing.corrections import Correction, correct
from marketplace.billing.drafts import Draft, Totals, copy_text, copying
from marketplace.billing.inputs import current_fingerprint, load_inputs
from marketplace.billing.models import BillingPeriod, CloseRun, PeriodStatus, RunStatus
from marketplace.billing.pricing import Priced
from marketplace.billing.rated_period import rate_period
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.currency import minor_units
from marketplace.core.db import Database
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.core.rounding import EXACT, allot
from marketplace.rating.balance import Balance, Parts, balance
from marketplace.rating.exact import add, plain, subtract
from marketplace.rating.statements import WHOLESALE

#: One close at a time: what a run bills depends on every period closed before it.
_LOCK = 7_202_201
_POLL_SECONDS = 0.5


class NothingToRate(Refusal):
    """The period has no usage and no closed period changed."""

    sentence = N_(
        "There is no usage for %(period)s: import the vendor's files for it first "
        "(python -m marketplace usage import FILE --vendor NAME)."
    )


class AlreadyRunning(Refusal):
    """Another close holds the lock."""

    sentence = N_("A close is running already: wait until it has ended, or cancel it.")


class RunCancelled(Refusal):
    """Somebody asked the run to stop."""

    sentence = N_("The close of %(period)s was cancelled. The draft from before stands.")


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

    A closed period is left as it is. Raises `NothingToRate`, `AlreadyRunning`, `RunCancelled`, `UsageLost`.
    """
    with database.owner_transaction() as session:
        run_id = begin(session, period=period, actor=actor).id
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
        try:
            periods = _periods_to_rate(session, period)
        except NothingToRate as refusal:
            asked.status, asked.error, asked.ended_at = RunStatus.REFUSED.value, str(refusal), now
            refused: Refusal | None = refusal
        else:
            refused = None
            begun = Actor(name=asked.started_by, audience=Audience.WHOLESALER, user_id=asked.started_by_id)
            runs = [asked if one == period else begin(session, period=one, actor=begun) for one in periods]
            ids = [one.id for one in runs]
    if refused is not None:
        raise refused
    return [
        run_draft(
            database,
            run_id=one,
            workshop=workshop,
            now=now,
            bills_differences=number == 0,
            dry_run=dry_run,
        )
        for number, one in enumerate(ids)
    ]


def _periods_to_rate(session: Session, period: Period) -> list[Period]:
    """Give the unclosed periods up to this one that have usage, the earliest first."""
    rows = session.execute(text(_UNCLOSED), {"period": period.number}).scalars()
    periods = [Period.from_number(number) for number in rows]
    if period not in periods:
        if not changed_closed_periods(session, before=period):
            raise NothingToRate(period=period)
        periods.append(period)
    return periods


_UNCLOSED = """
    SELECT period FROM (
        SELECT period FROM delivery_slice WHERE is_current UNION SELECT period FROM billing_period
    ) known
    WHERE period <= :period
      AND period NOT IN (SELECT period FROM billing_period WHERE status = 'closed')
    ORDER BY period
"""


def changed_closed_periods(session: Session, *, before: Period) -> dict[Period, str]:
    """Give the closed periods before this one whose amounts may differ from what was billed, with their fingerprint."""
    closed = session.scalars(
        select(BillingPeriod)
        .where(BillingPeriod.status == PeriodStatus.CLOSED, BillingPeriod.period < before.number)
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
    workshop: Workshop,
    now: datetime,
    bills_differences: bool,
    dry_run: bool = False,
) -> CloseRun:
    """Carry out one run: write the period's draft in one transaction, and note how it ended."""
    progress = RunProgress(database, run_id)
    try:
        with progress.running():
            with database.owner_transaction() as session:
                run = session.get_one(CloseRun, run_id)
                _write_draft(
                    session,
                    run,
                    workshop=workshop,
                    progress=progress,
                    now=now,
                    bills_differences=bills_differences,
                )
                if dry_run:
                    _roll_back(run)
            progress.end(RunStatus.DONE)
    except _DryRunOver as over:
        progress.end(RunStatus.DONE, summary={**over.summary, "dry_run": True})
    except duckdb.InterruptException:
        progress.end(RunStatus.CANCELLED)
        raise RunCancelled(period=progress.period) from None
    except RunCancelled:
        progress.end(RunStatus.CANCELLED)
        raise
    except Refusal as refusal:
        progress.end(RunStatus.REFUSED, error=str(refusal))
        raise
    except Exception as error:
        progress.end(RunStatus.FAILED, error=f"{type(error).__name__}: {error}")
        raise
    with database.owner_transaction() as session:
        return session.get_one(CloseRun, run_id)


def _write_draft(
    session: Session,
    run: CloseRun,
    *,
    workshop: Workshop,
    progress: "RunProgress",
    now: datetime,
    bills_differences: bool,
) -> None:
    """Rate, price, write and balance one period: the story of the close."""
    started = time.perf_counter()
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}):
        raise AlreadyRunning
    _end_interrupted(session, run)
    period = Period.from_number(run.period)
    standing = session.get(BillingPeriod, run.period) or BillingPeriod(period=run.period)
    if standing.status == PeriodStatus.CLOSED:
        return
    before = summary.totals_of(session, period)
    draft = Draft(session, period=period, run_id=run.id)
    changed = changed_closed_periods(session, before=period) if bills_differences else {}
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
    costs = _CostBook()
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
    _replace_figures(session, period)
    _write_balances(session, period, balances, reconciled=sources.bills.keys(), corrects=None)
    _write_unmapped(session, period, period, rated.unmapped, balances)
    for correction in corrections:
        delta = _balance_delta(session, correction)
        reconciled = correction.inputs.sources.bills.keys()
        _write_balances(session, period, delta, reconciled=reconciled, corrects=correction.period)
        new = {key: balance(part, bill=None, currency=key.currency) for key, part in correction.parts.items()}
        _write_unmapped(session, period, correction.period, correction.rated.unmapped, new)
        _write_costs(session, period, draft, correction.costs, delta)
    _write_costs(session, period, draft, costs.by_statement, balances)
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
    run.changes = summary.changes(before, summary.totals_of(session, period))


def _end_interrupted(session: Session, run: CloseRun) -> None:
    """Whoever holds the lock knows that no other run is at work: those that say so were killed."""
    session.execute(
        text(
            "UPDATE close_run SET status = 'failed', ended_at = now(), error = :error "
            "WHERE status = 'running' AND id < :id"
        ),
        {"error": _INTERRUPTED, "id": run.id},
    )


_INTERRUPTED = N_("It was interrupted before it had ended; nothing of it was kept.")


@dataclass(slots=True)
class _CostBook:
    """What each wholesale statement cost; statements are noted while the documents pass by."""

    by_statement: dict[str, dict[tuple[str, str], Decimal]] = field(default_factory=dict)
    _parked: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    _wholesale: dict[int, Totals] = field(default_factory=dict)

    def noting(self, draft: Draft, priced: Iterable[Priced]) -> Iterator[Priced]:
        """Let priced customers pass, adding up their statements."""
        for some in priced:
            for one in some.figures:
                statement = draft.statement(
                    one.statement_id, one.hop, one.reseller_id, one.customer_id, one.currency
                )
                statement.parked_pair = statement.parked_pair or one.parked_pair
                statement.minor += one.minor
                statement.exact = add(statement.exact, one.exact)
                statement.lines += one.lines
                if one.hop == WHOLESALE:
                    self._wholesale[one.customer_id] = statement
            yield some

    def note_costs(self, costs: Iterable[tuple[int, str, str, Decimal]]) -> None:
        """Give each customer's cost to its wholesale statement, once all documents have passed."""
        for customer_id, vendor, currency, cost in costs:
            statement = self._wholesale[customer_id]
            if statement.parked_pair:
                parked = self._parked.setdefault(statement.id, {})
                parked[currency] = add(parked.get(currency, Decimal(0)), cost)
            else:
                self.by_statement.setdefault(statement.id, {})[vendor, currency] = cost

    @property
    def parked(self) -> dict[str, str]:
        """The cost of parked statements by currency, as JSON with exact texts."""
        return {
            identity: json.dumps({currency: plain(costs[currency]) for currency in sorted(costs)})
            for identity, costs in self._parked.items()
        }


def _replace_figures(session: Session, period: Period) -> None:
    for table in ("period_balance", "unmapped_amount", "statement_cost"):
        session.execute(text(f"DELETE FROM {table} WHERE period = :period"), {"period": period.number})


def _balance_delta(session: Session, correction: Correction) -> dict[BillKey, Balance]:
    """Give what each part of a closed period's bills differs by from what was shown so far."""
    rows = session.execute(text(_BALANCES_SO_FAR), {"period": correction.period.number}).all()
    sofar = {BillKey(*row[:3]): row[3:] for row in rows}
    bills = correction.inputs.sources.bills
    deltas = {}
    for key in sorted(sofar.keys() | correction.parts.keys()):
        parts = correction.parts.get(key, Parts())
        new = balance(parts, bill=bills.get(key), currency=key.currency)
        bill, detail, cost, tax, unmapped, parked, rounding = sofar.get(key, (0, Decimal(0), 0, 0, 0, 0, 0))
        deltas[key] = Balance(
            new.bill - int(bill),
            subtract(new.detail, detail),
            new.cost - int(cost),
            new.tax - int(tax),
            new.unmapped - int(unmapped),
            new.parked - int(parked),
            new.rounding - int(rounding),
        )
    return {
        key: delta for key, delta in deltas.items() if any(delta_field for delta_field in _figures(delta))
    }


def _figures(one: Balance) -> tuple[Decimal | int, ...]:
    return (one.bill, one.detail, one.cost, one.tax, one.unmapped, one.parked, one.rounding)


_BALANCES_SO_FAR = """
    SELECT b.vendor, b.billing_account, b.currency, sum(bill_minor), sum(detail), sum(cost_minor), sum(tax_minor),
           sum(unmapped_minor), sum(parked_minor), sum(rounding_minor)
    FROM period_balance b JOIN billing_period p ON p.period = b.period AND p.status = 'closed'
    WHERE (b.period = :period AND b.corrects IS NULL) OR b.corrects = :period
    GROUP BY 1, 2, 3
"""


def _write_balances(
    session: Session,
    period: Period,
    balances: dict[BillKey, Balance],
    *,
    reconciled: Collection[BillKey],
    corrects: Period | None,
) -> None:
    columns = (
        "period, corrects, vendor, billing_account, currency, bill_is_reconciled, bill_minor, detail, cost_minor, "
        "tax_minor, unmapped_minor, parked_minor, rounding_minor"
    )
    with copying(session, "period_balance", columns) as copy:
        for key, one in balances.items():
            number = corrects.number if corrects else None
            copy.write(
                copy_text(
                    period.number,
                    number,
                    *key,
                    key in reconciled,
                    one.bill,
                    plain(one.detail),
                    *_figures(one)[2:],
                )
            )


def _write_unmapped(
    session: Session,
    period: Period,
    usage_period: Period,
    unmapped: Sequence[Any],
    balances: dict[BillKey, Balance],
) -> None:
    """List what nobody owns, each bill's unmapped part shared among its accounts."""
    of_bill: dict[BillKey, list[Any]] = defaultdict(list)
    for one in sorted(unmapped, key=lambda u: (u.vendor, u.billing_account, u.account, u.currency)):
        of_bill[BillKey(one.vendor, one.billing_account, one.currency)].append(one)
    columns = (
        "period, usage_period, vendor, billing_account, account, currency, source_rows, cost, cost_minor, first_day, "
        "last_day, product"
    )
    with copying(session, "unmapped_amount", columns) as copy:
        for key, accounts in of_bill.items():
            shift = minor_units(key.currency)
            minors = allot([EXACT.scaleb(one.cost, shift) for one in accounts], balances[key].unmapped)
            for one, minor in zip(accounts, minors, strict=True):
                copy.write(
                    copy_text(
                        *(period.number, usage_period.number, key.vendor, key.billing_account, one.account),
                        *(
                            key.currency,
                            one.rows,
                            plain(one.cost),
                            minor,
                            one.first_day,
                            one.last_day,
                            one.product,
                        ),
                    )
                )


def _write_costs(
    session: Session,
    period: Period,
    draft: Draft,
    by_statement: dict[str, dict[tuple[str, str], Decimal]],
    balances: dict[BillKey, Balance],
) -> None:
    """Share the cost on statements among the wholesale statements, to whole minor units that add up."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for key, one in balances.items():
        totals[key.vendor, key.currency] += one.cost
    shares: dict[tuple[str, str], list[tuple[str, Decimal]]] = defaultdict(list)
    for identity in sorted(by_statement):
        for vendor_currency, cost in by_statement[identity].items():
            shares[vendor_currency].append((identity, cost))
    statements = {s.id: s for s in draft.statements}
    columns = "period, statement_id, reseller_id, customer_id, vendor, currency, cost, cost_minor"
    with copying(session, "statement_cost", columns) as copy:
        for (vendor, currency), costs in shares.items():
            exacts = [EXACT.scaleb(cost, minor_units(currency)) for _, cost in costs]
            for (identity, cost), minor in zip(costs, allot(exacts, totals[vendor, currency]), strict=True):
                s = statements[identity]
                row = (
                    period.number,
                    identity,
                    s.reseller_id,
                    s.customer_id,
                    vendor,
                    currency,
                    plain(cost),
                    minor,
                )
                copy.write(copy_text(*row))


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
        self.period = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Note the progress, twice a second at most. Raises `RunCancelled`."""
        now = time.monotonic()
        if stage == self._stage and now - self._told < _POLL_SECONDS:
            return
        self._told, self._stage = now, stage
        if self._update(stage=stage, done=done, total=total):
            raise RunCancelled(period=self.period)

    def watch(self, interrupt: Callable[[], None]) -> None:
        """Interrupt long queries when somebody cancels."""
        self._interrupt = interrupt

    @contextmanager
    def running(self) -> Any:
        """Mark the run as running, and listen for cancellation beside it."""
        with self._database.owner_transaction() as session:
            run = session.get_one(CloseRun, self._run_id)
            run.status, run.started_at, run.error = RunStatus.RUNNING.value, utc_now(), ""
            self.period = str(Period.from_number(run.period))
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()
        try:
            yield
        finally:
            self._ended.set()
            listener.join()

    def end(self, status: RunStatus, *, error: str = "", summary: dict[str, Any] | None = None) -> None:
        """Note how the run ended; a summary is kept here only where the run itself was rolled back."""
        with self._database.owner_transaction() as session:
            run = session.get_one(CloseRun, self._run_id)
            run.status, run.error, run.ended_at = status.value, error, utc_now()
            if summary is not None:
                run.summary = summary

    def _listen(self) -> None:
        while not self._ended.wait(_POLL_SECONDS):
            if self._interrupt is not None and self._update():
                self._interrupt()

    def _update(self, **values: Any) -> bool:
        """Write progress and say whether the run is to stop."""
        with self._database.owner_transaction() as session:
            if values:
                session.execute(
                    text("UPDATE close_run SET stage = :stage, done = :done, total = :total WHERE id = :id"),
                    {**values, "id": self._run_id},
                )
            query = text("SELECT cancel_requested FROM close_run WHERE id = :id")
            return bool(session.scalar(query, {"id": self._run_id}))
