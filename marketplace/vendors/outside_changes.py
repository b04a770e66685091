"""Keeping what differs at vendors until both sides agree, or somebody says that it is as it should be."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import NotFound
from marketplace.core.permit import require
from marketplace.vendors.comparison import Difference
from marketplace.vendors.models import OutsideChange

_MOST_LETTERS = 500


def note_differences(
    session: Session,
    *,
    vendor: str,
    account: str,
    customer_id: int,
    found: Iterable[Difference],
    now: datetime,
) -> int:
    """Keep what differs for an account today; what differs no longer is settled by itself. Give how many are new."""
    open_ones = {
        (one.subscription, one.kind): one
        for one in session.scalars(
            select(OutsideChange).where(
                OutsideChange.vendor == vendor,
                OutsideChange.account == account,
                OutsideChange.settled_at.is_(None),
            )
        )
    }
    new = 0
    for difference in found:
        one = open_ones.pop((difference.subscription, difference.kind), None)
        if one is None:
            new += 1
            one = OutsideChange(
                vendor=vendor,
                account=account,
                subscription=difference.subscription,
                customer_id=customer_id,
                kind=difference.kind,
                seen_at=now,
            )
            session.add(one)
        one.name, one.ours, one.theirs = difference.name, difference.ours, difference.theirs
        one.last_seen_at = now
    for gone in open_ones.values():
        gone.settled_at = now
    return new


def settle(session: Session, *, actor: Actor, change_id: UUID, note: str, now: datetime) -> OutsideChange:
    """Say that a difference needs nothing more. Where it still stands tomorrow it is noted anew."""
    require(actor, Permission.WHOLESALER_VENDORS_MANAGE)
    change = session.scalars(select(OutsideChange).where(OutsideChange.public_id == change_id)).one_or_none()
    if change is None or change.settled_at is not None:
        raise NotFound
    change.settled_at, change.settled_by, change.note = now, actor.name, note.strip()[:_MOST_LETTERS]
    audit.record(
        session,
        actor=actor,
        action="outside_change.settle",
        subject="outside_change",
        subject_id=change.public_id,
        after={"name": change.name, "vendor": change.vendor, "text": change.note},
    )
    return change
