"""Setting and removing the floors under margins: the wholesaler's, or a reseller's own."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import NotFound
from marketplace.core.permit import require
from resellers.models import MarginFloor
from resellers.rules.floors import Floor
from resellers.rules.prices import plain

#: Who sets floors.
_MANAGES = {
    Audience.WHOLESALER: Permission.WHOLESALER_FLOORS_MANAGE,
    Audience.RESELLER: Permission.RESELLER_FLOORS_MANAGE,
}


def own_floors(actor: Actor) -> Select[MarginFloor]:
    """Select the floors of whom an actor acts for."""
    return select(MarginFloor).where(MarginFloor.reseller_id.is_not_distinct_from(actor.reseller_id))


def set_floor(session: Session, *, actor: Actor, vendor: str, floor: Floor) -> MarginFloor:
    """Set the floor of a vendor, or of all that have none of their own. Rules that stand are left as they are."""
    require(actor, _MANAGES.get(actor.audience, Permission.WHOLESALER_FLOORS_MANAGE))
    standing = session.scalars(
        own_floors(actor).where(MarginFloor.vendor == vendor).with_for_update()
    ).one_or_none()
    before = _as_json(standing) if standing else None
    row = standing or MarginFloor(reseller_id=actor.reseller_id, vendor=vendor)
    row.soft_percent, row.hard_percent = floor.soft, floor.hard
    session.add(row)
    session.flush()
    if before != _as_json(row):
        _record(session, actor, "margin_floor.set", row, before)
    return row


def remove_floor(session: Session, *, actor: Actor, floor_id: UUID) -> None:
    """Remove a floor. Raises `NotFound`."""
    require(actor, _MANAGES.get(actor.audience, Permission.WHOLESALER_FLOORS_MANAGE))
    row = session.scalars(own_floors(actor).where(MarginFloor.public_id == floor_id)).one_or_none()
    if row is None:
        raise NotFound
    _record(session, actor, "margin_floor.remove", row, _as_json(row), is_gone=True)
    session.delete(row)


def _as_json(row: MarginFloor) -> dict[str, str]:
    return {
        "vendor": row.vendor,
        "soft_percent": plain(row.soft_percent),
        "hard_percent": plain(row.hard_percent),
    }


def _record(
    session: Session,
    actor: Actor,
    action: str,
    row: MarginFloor,
    before: dict[str, str] | None,
    *,
    is_gone: bool = False,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="margin_floor",
        subject_id=row.public_id,
        before=before,
        after=None if is_gone else _as_json(row),
    )
