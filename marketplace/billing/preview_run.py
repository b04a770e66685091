"""A preview as the worker finds it: with progress, cancelled when somebody says so, done again after a kill."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_user
from marketplace.billing.models import Preview, RunStatus
from marketplace.billing.previews import AT_WORK, DIFFERENCES, Asked, address_of, find
from marketplace.billing.rating_run import Workshop
from marketplace.billing.run_progress import WatchedProgress, share_of
from marketplace.core.actor import Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal


class PreviewCancelled(Refusal):
    """Nobody wants to know any more."""

    sentence = N_("This was cancelled.")


class PreviewProgress(WatchedProgress):
    """How far a preview is, over all the months it rates."""

    def __init__(self, database: Database, preview_id: int) -> None:
        """Watch one preview."""
        super().__init__(database)
        self._preview_id = preview_id
        self._number, self._of = 0, 1

    def part(self, number: int, of: int) -> "PreviewProgress":
        """Go on to one of so many ratings."""
        self._number, self._of = number, of
        return self

    def note(self, session: Session, stage: str, done: int, total: int) -> None:
        """Write it with the preview."""
        percent = (100 * self._number + share_of(stage, done, total)) / self._of
        session.execute(
            update(Preview).where(Preview.id == self._preview_id).values(stage=stage, percent=int(percent))
        )

    def hears_cancel(self, session: Session) -> bool:
        """Whether it was cancelled, or is no longer there."""
        status = session.scalar(select(Preview.status).where(Preview.id == self._preview_id))
        return status not in AT_WORK

    def cancelled(self) -> Refusal:
        """Say so."""
        return PreviewCancelled()


def carry_out(database: Database, *, preview_id: UUID, workshop: Workshop, now: datetime) -> None:
    """Find what a preview asks, and tell whoever asked. What has ended is not done again."""
    with database.owner_transaction() as session:
        preview = _at_work(session, preview_id)
        if preview is None:
            return
        preview.status = RunStatus.RUNNING.value
        asked, number = Asked.of(preview), preview.id
    progress = PreviewProgress(database, number)
    try:
        with progress.listening():
            found = find(database, asked, workshop=workshop, progress=progress.part, now=now)
    except PreviewCancelled:
        return
    except Refusal as refusal:
        _end(database, preview_id, RunStatus.REFUSED, error=refusal.phrase)
    except Exception as error:
        if progress.is_cancelled:  # whatever was interrupted has its own way of saying so
            return
        words = Phrase.verbatim(f"{type(error).__name__}: {error}")
        _end(database, preview_id, RunStatus.FAILED, error=words)
        raise
    else:
        _end(database, preview_id, RunStatus.DONE, found=found.data, made_from=found.made_from)


_EFFECT_ENDS = {
    RunStatus.DONE: N_("The effect you asked for is worked out."),
    RunStatus.REFUSED: N_("The effect you asked for could not be worked out: %(error)s"),
    RunStatus.FAILED: N_("The effect you asked for could not be worked out. It can be asked for again."),
}
_DIFFERENCES_END = {
    RunStatus.DONE: N_("The differences of %(period)s are worked out."),
    RunStatus.REFUSED: N_("The differences of %(period)s could not be worked out: %(error)s"),
    RunStatus.FAILED: N_(
        "The differences of %(period)s could not be worked out. They can be asked for again."
    ),
}


def _end(database: Database, preview_id: UUID, status: RunStatus, **values: object) -> None:
    """Keep how it ended and tell whoever asked, together: a worker killed before does it again, and one after nothing."""
    with database.owner_transaction() as session:
        preview = _at_work(session, preview_id)
        if preview is None:
            return
        preview.status, preview.percent, preview.ended_at = status.value, 100, utc_now()
        for name, value in values.items():
            setattr(preview, name, value)
        if preview.user_id is not None:
            notify_user(
                session,
                user_id=preview.user_id,
                audience=Audience(preview.audience),
                party_id=preview.party_id,
                phrase=_words(preview, status),
                link=address_of(preview.link, preview.public_id),
            )


def _words(preview: Preview, status: RunStatus) -> Phrase:
    error = preview.error or ""
    if preview.kind == DIFFERENCES:
        return Phrase.of(_DIFFERENCES_END[status], period=preview.facts["period"], error=error)
    return Phrase.of(_EFFECT_ENDS[status], error=error)


def _at_work(session: Session, preview_id: UUID) -> Preview | None:
    found = select(Preview).where(Preview.public_id == preview_id, Preview.status.in_(AT_WORK))
    return session.scalars(found.with_for_update()).one_or_none()
