"""What the worker does for the close: rating a period in the background, finding previews, telling who asked for it."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.operations.notifying import notify_user
from marketplace.billing.closing import workshop
from marketplace.billing.models import CloseRun, RunStatus
from marketplace.billing.preview_run import carry_out as carry_out_preview
from marketplace.billing.previews import PREVIEW, forget_old
from marketplace.billing.rating_run import begin, carry_out
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.period import Period
from marketplace.settings import Settings

RATE = "billing.rate"


def queue_rating(session: Session, *, period: Period, actor: Actor) -> CloseRun:
    """Ask the worker to rate a period. The run can be watched, and cancelled, from when the transaction commits."""
    run = begin(session, period=period, actor=actor)
    jobs.defer(session, RATE, queue=jobs.LONG, lock=RATE, run_id=run.id)
    audit.record(session, actor=actor, action="period.rate", subject="billing_period", subject_id=period)
    return run


@jobs.register(RATE)
def rate(database: Database, settings: Settings, *, run_id: int) -> None:
    """Carry out a run; a refusal is kept with the run and told to the person, it is no failure of the worker."""
    try:
        with suppress(Refusal):
            carry_out(database, run_id=run_id, workshop=workshop(settings), now=utc_now())
    finally:
        with database.owner_transaction() as session:
            _tell(session, session.get_one(CloseRun, run_id))


_ENDS = {
    RunStatus.DONE: N_("%(period)s is rated: its draft statements can be reviewed."),
    RunStatus.REFUSED: N_("The close of %(period)s was refused: %(error)s"),
    RunStatus.CANCELLED: N_("The close of %(period)s was cancelled."),
    RunStatus.FAILED: N_("The close of %(period)s failed; nothing was changed. It can be started again."),
}


def _tell(session: Session, run: CloseRun) -> None:
    """Tell whoever started a close how it ended."""
    sentence = _ENDS.get(RunStatus(run.status))
    if sentence is None or run.started_by_id is None:
        return
    period = Period.from_number(run.period)
    notify_user(
        session,
        user_id=run.started_by_id,
        audience=Audience.WHOLESALER,
        phrase=Phrase.of(sentence, period=period, error=run.error or ""),
        link=f"/admin/periods/{period}",
    )


@jobs.register(PREVIEW)
def preview(database: Database, settings: Settings, *, preview_id: str) -> None:
    """Find what somebody asked about a change or a closed month."""
    carry_out_preview(database, preview_id=UUID(preview_id), workshop=workshop(settings), now=utc_now())


@jobs.register("billing.forget_previews", every="35 2 * * *")
def forget_previews(database: Database, settings: Settings) -> None:
    """Delete what was asked so long ago that nobody decides by it."""
    del settings
    with database.owner_transaction() as session:
        forget_old(session, now=utc_now())
