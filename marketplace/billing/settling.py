"""Settling a difference between a vendor's bill and our charges: somebody says what becomes of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace.billing.models import ChargeDifference
from marketplace.billing.queries.charge_differences import find_charge_difference
from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import NotFound
from marketplace.core.permit import require


def settle(session: Session, *, actor: Actor, difference: UUID, note: str, now: datetime) -> ChargeDifference:
    """Take a difference off the queue, with what was decided. Raises `NotFound`."""
    require(actor, Permission.WHOLESALER_PERIODS_APPROVE)
    found = find_charge_difference(session, difference)
    if found is None:
        raise NotFound
    before = found.note
    found.settled_at, found.settled_by, found.note = now, actor.name, note
    audit.record(
        session,
        actor=actor,
        action="charge_difference.settle",
        subject="charge_difference",
        subject_id=found.public_id,
        before={"text": before},
        after={"text": note, "subscription": found.subscription, "vendor": found.vendor},
    )
    return found


def settle_all(
    session: Session, *, actor: Actor, differences: Sequence[UUID], note: str, now: datetime
) -> int:
    """Take differences off the queue together, with one decision; what was settled meanwhile keeps its own.

    Gives how many were taken off.
    """
    require(actor, Permission.WHOLESALER_PERIODS_APPROVE)
    settled = session.execute(
        update(ChargeDifference)
        .where(ChargeDifference.public_id.in_(differences), ChargeDifference.settled_at.is_(None))
        .values(settled_at=now, settled_by=actor.name, note=note)
        .returning(ChargeDifference.public_id, ChargeDifference.vendor, ChargeDifference.subscription)
    ).all()
    audit.record_many(
        session,
        actor=actor,
        action="charge_difference.settle",
        subject="charge_difference",
        acts=[
            audit.Act(
                str(one.public_id),
                None,
                {"text": note, "subscription": one.subscription, "vendor": one.vendor},
            )
            for one in settled
        ],
    )
    return len(settled)
