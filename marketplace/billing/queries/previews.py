"""Previews as screens show them: how far one is, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.billing.models import Preview
from marketplace.billing.previews import AT_WORK, DIFFERENCES, changed_since
from marketplace.core.actor import Actor, Permission
from marketplace.core.db import Database
from marketplace.core.errors import Phrase
from marketplace.core.period import Period


@dataclass(frozen=True, kw_only=True)
class PreviewRow:
    """What was asked, how far it is and what was found."""

    id: UUID
    kind: str
    facts: Mapping[str, str]
    link: str
    first_day: date | None
    status: str
    stage: str
    percent: int
    error: Phrase | None
    made_from: Mapping[str, str]
    found: Mapping[str, Any] | None
    asked_at: datetime

    @property
    def is_at_work(self) -> bool:
        """Whether the worker has not ended with it."""
        return self.status in AT_WORK


def find_preview(session: Session, *, actor: Actor, preview_id: UUID) -> Preview | None:
    """Give a preview the actor asked for; what closed months differ by is for all who see them."""
    mine = Preview.user_id.is_not_distinct_from(actor.user_id)
    if actor.may(Permission.WHOLESALER_PERIODS_VIEW):
        mine = or_(mine, Preview.kind == DIFFERENCES)
    return session.scalars(_of(actor).where(mine, Preview.public_id == preview_id)).one_or_none()


def latest_differences(session: Session, *, actor: Actor, period: Period) -> PreviewRow | None:
    """Give what is known of a closed month's differences."""
    found = _of(actor).where(Preview.kind == DIFFERENCES, Preview.facts["period"].astext == str(period))
    preview = session.scalars(found.order_by(Preview.asked_at.desc()).limit(1)).one_or_none()
    return None if preview is None else row_of(preview)


def at_work_on(session: Session, *, actor: Actor, links: Sequence[str]) -> list[PreviewRow]:
    """Give what the actor asked for on a page and the worker has not ended with."""
    mine = _of(actor).where(
        Preview.user_id.is_not_distinct_from(actor.user_id),
        Preview.link.in_(links),
        Preview.status.in_(AT_WORK),
    )
    return [row_of(preview) for preview in session.scalars(mine.order_by(Preview.asked_at)).all()]


def months_changed_since(database: Database, *, actor: Actor, preview_id: UUID) -> list[Period]:
    """Give the months whose facts have overtaken a preview of the actor's. They are more than the actor may see."""
    with database.owner_transaction() as session:
        preview = find_preview(session, actor=actor, preview_id=preview_id)
        return changed_since(session, preview) if preview else []


def row_of(preview: Preview) -> PreviewRow:
    """Give a preview as screens show it."""
    return PreviewRow(
        id=preview.public_id,
        kind=preview.kind,
        facts=preview.facts,
        link=preview.link,
        first_day=preview.first_day,
        status=preview.status,
        stage=preview.stage,
        percent=preview.percent,
        error=preview.error,
        made_from=preview.made_from,
        found=preview.found,
        asked_at=preview.asked_at,
    )


def _of(actor: Actor) -> Any:
    return select(Preview).where(
        Preview.audience == actor.audience.value, Preview.party_id.is_not_distinct_from(actor.party_id)
    )
