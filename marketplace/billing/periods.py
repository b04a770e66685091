"""The life of a period after its draft: approve, close, reopen."""

from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.billing.close_lock import lock_out_runs
from marketplace.billing.inputs import current_fingerprint
from marketplace.billing.models import BillingPeriod, CloseRun, PeriodStatus, RunStatus
from marketplace.billing.rating_run import changed_closed_periods
from marketplace.core import audit
from marketplace.core.actor import Actor
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from resellers.models import Wholesaler
from resellers.queries.standing import USUAL_PAYMENT_DAYS


class UnknownPeriod(Refusal):
    """Nobody rated the period."""

    sentence = N_("%(period)s has not been rated: run `python -m marketplace close %(period)s` first.")


class WrongStatus(Refusal):
    """The period is not where the step starts from."""

    sentence = N_("%(period)s is %(status)s; this step needs it to be %(needed)s.")


class DraftIsStale(Refusal):
    """Something the amounts come from changed since they were made."""

    sentence = N_("Usage or terms of %(period)s changed since it was rated: rate it again before approving.")


class StatementsParked(Refusal):
    """Exchange rates are missing."""

    sentence = N_(
        "%(count)s statements of %(period)s wait for an exchange rate (%(pairs)s): import the rates "
        "(python -m marketplace import fx FILE), then rate again."
    )


class SecondPersonNeeded(Refusal):
    """The wholesaler wants four eyes, and these are the same two."""

    sentence = N_("%(name)s rated %(period)s: another person must approve it.")


class EarlierPeriodOpen(Refusal):
    """Periods are closed in their order."""

    sentence = N_("%(earlier)s is not closed yet: close it before %(period)s.")


class LaterPeriodClosed(Refusal):
    """What a later period billed stands on this one."""

    sentence = N_("%(later)s is closed already and stands on %(period)s: reopen %(later)s first.")


class ReasonMissing(Refusal):
    """A closed period is reopened only for a reason that others can read."""

    sentence = N_("Say why %(period)s is reopened.")


def approve(session: Session, *, period: Period, actor: Actor, now: datetime) -> BillingPeriod:
    """Approve a rated period after its review. Raises where the draft is stale, parked, or seen by two eyes only."""
    standing = _standing(session, period)
    _require(standing, period, PeriodStatus.RATED)
    _refuse_stale(session, standing, period)
    _refuse_parked(session, standing, period)
    wholesaler = session.get_one(Wholesaler, 1)
    if wholesaler.four_eyes and _has_rated(actor, standing):
        raise SecondPersonNeeded(name=actor.name, period=period)
    standing.status = PeriodStatus.REVIEWED.value
    standing.reviewed_at, standing.reviewed_by, standing.reviewed_by_id = now, actor.name, actor.user_id
    _audit(session, actor, "period.approve", period)
    return standing


def close(session: Session, *, period: Period, actor: Actor, now: datetime) -> BillingPeriod:
    """Close an approved period: its documents never change again."""
    standing = _standing(session, period)
    _require(standing, period, PeriodStatus.REVIEWED)
    _refuse_stale(session, standing, period)
    if (earlier := _first_open_before(session, period)) is not None:
        raise EarlierPeriodOpen(earlier=earlier, period=period)
    standing.status = PeriodStatus.CLOSED.value
    standing.closed_at, standing.closed_by = now, actor.name
    _fix_due_days(session, period, closed_on=now.date())
    run = session.get_one(CloseRun, standing.run_id)
    for number, fingerprint in run.corrects.items():
        session.get_one(BillingPeriod, int(number)).fingerprint = fingerprint
    _audit(session, actor, "period.close", period)
    return standing


def reopen(session: Session, *, period: Period, actor: Actor, reason: str) -> BillingPeriod:
    """Open the last closed period again, for a reason. Its documents become a draft."""
    if not reason.strip():
        raise ReasonMissing(period=period)
    standing = _standing(session, period)
    if standing.status == PeriodStatus.OPEN:
        raise WrongStatus(period=period, status=standing.status, needed=PeriodStatus.CLOSED.value)
    if standing.status == PeriodStatus.CLOSED:
        query = select(BillingPeriod.period).where(
            BillingPeriod.period > period.number, BillingPeriod.status == PeriodStatus.CLOSED
        )
        if (later := session.scalar(query.order_by(BillingPeriod.period.desc()).limit(1))) is not None:
            raise LaterPeriodClosed(later=Period.from_number(later), period=period)
        # What it billed for earlier periods is a draft again, so those are due to be compared anew.
        for number in session.get_one(CloseRun, standing.run_id).corrects:
            session.get_one(BillingPeriod, int(number)).fingerprint = ""
    before = standing.status
    standing.status = PeriodStatus.RATED.value
    standing.reviewed_at, standing.reviewed_by, standing.reviewed_by_id = None, "", None
    standing.closed_at, standing.closed_by = None, ""
    _fix_due_days(session, period, closed_on=None)
    _audit(session, actor, "period.reopen", period, before=before, after=standing.status, reason=reason)
    return standing


def cancel_run(session: Session, *, run: CloseRun, actor: Actor) -> None:
    """Ask a run to stop; it does so within a second or so, and leaves the old draft."""
    if run.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
        raise WrongStatus(
            period=Period.from_number(run.period), status=run.status, needed=RunStatus.RUNNING.value
        )
    run.cancel_requested = True
    _audit(session, actor, "period.cancel_run", Period.from_number(run.period))


def is_stale(session: Session, period: Period) -> bool:
    """Whether rating the period again would see other inputs than its draft did."""
    standing = session.get(BillingPeriod, period.number)
    if standing is None or standing.status == PeriodStatus.CLOSED:
        return False
    if standing.fingerprint != current_fingerprint(session, period):
        return True
    return _differences_changed(session, standing, period)


def _differences_changed(session: Session, standing: BillingPeriod, period: Period) -> bool:
    """Whether the closed periods it corrects differ otherwise than its draft says."""
    run = session.get_one(CloseRun, standing.run_id)
    changed = {str(p.number): f for p, f in changed_closed_periods(session, before=period).items()}
    return changed != run.corrects


def _refuse_stale(session: Session, standing: BillingPeriod, period: Period) -> None:
    if standing.fingerprint != current_fingerprint(session, period) or _differences_changed(
        session, standing, period
    ):
        raise DraftIsStale(period=period)


def _fix_due_days(session: Session, period: Period, *, closed_on: date | None) -> None:
    """Say by the terms of today until when each statement is to be paid; a draft has no such day."""
    values = {"period": period.number, "closed_on": closed_on, "usual_days": USUAL_PAYMENT_DAYS}
    session.execute(
        text("SELECT fix_due_days(:period, CAST(:closed_on AS date), CAST(:usual_days AS int))"), values
    )


def _has_rated(actor: Actor, standing: BillingPeriod) -> bool:
    """Whether it was the same person; programs have a name alone."""
    if actor.user_id is not None or standing.rated_by_id is not None:
        return actor.user_id == standing.rated_by_id
    return actor.name == standing.rated_by


def _standing(session: Session, period: Period) -> BillingPeriod:
    """Give the period for a step, and let no run change it meanwhile. Raises `UnknownPeriod`, `AlreadyRunning`."""
    lock_out_runs(session)
    standing = session.get(BillingPeriod, period.number, with_for_update=True)
    if standing is None or standing.run_id is None:
        raise UnknownPeriod(period=period)
    return standing


def _require(standing: BillingPeriod, period: Period, needed: PeriodStatus) -> None:
    if standing.status != needed:
        raise WrongStatus(period=period, status=standing.status, needed=needed.value)


def _refuse_parked(session: Session, standing: BillingPeriod, period: Period) -> None:
    query = text("SELECT parked_pair FROM statement WHERE period = :period AND parked_pair <> ''")
    pairs = list(session.scalars(query, {"period": period.number}))
    run = session.get_one(CloseRun, standing.run_id)
    pairs += [f"{waiting['pair']} {waiting['period']}" for waiting in run.summary.get("waiting", [])]
    if pairs:
        raise StatementsParked(count=len(pairs), period=period, pairs=", ".join(sorted(set(pairs))))


def _first_open_before(session: Session, period: Period) -> Period | None:
    number = session.scalar(text(_FIRST_OPEN_BEFORE), {"period": period.number})
    return None if number is None else Period.from_number(number)


_FIRST_OPEN_BEFORE = """
    SELECT min(period) FROM (
        SELECT period FROM delivery_slice WHERE is_current UNION SELECT period FROM billing_period
    ) known
    WHERE period < :period AND period NOT IN (SELECT period FROM billing_period WHERE status = 'closed')
"""


def _audit(
    session: Session,
    actor: Actor,
    action: str,
    period: Period,
    *,
    before: str = "",
    after: str = "",
    reason: str = "",
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="billing_period",
        subject_id=period,
        before={"status": before} if before else None,
        after={"status": after} if after else None,
        reason=reason,
    )
