"""Brands: whose a host name or a word of our address is, and what its pages fetch."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.look import Look
from resellers.models import Brand, Reseller

#: What a look is made of, in `look_from`'s order.
LOOK_COLUMNS = (
    Brand.public_id,
    Brand.name,
    Brand.accent,
    Brand.logo_type,
    Brand.sender_name,
    Brand.support_email,
    Brand.support_phone,
)


def look_from(values: Any, *, legal_name: str) -> Look | None:
    """Make a look of its columns; None where there is no brand."""
    brand_id, name, accent, logo_type, sender_name, support_email, support_phone = values
    if brand_id is None:
        return None
    return Look(
        brand_id=brand_id,
        name=name or legal_name,
        has_accent=bool(accent),
        has_logo=bool(logo_type),
        sender_name=sender_name,
        support_email=support_email,
        support_phone=support_phone,
    )


def look_at_address(session: Session, *, host: str = "", path: str = "") -> Look | None:
    """Find the brand of a host name, else of a word of our address. For visitors: reads as the owner."""
    wanted = select(Reseller.legal_name, *LOOK_COLUMNS).join(Brand, Brand.reseller_id == Reseller.id)
    for column, value in ((Brand.host, host), (Brand.path, path)):
        found = session.execute(wanted.where(column == value)).one_or_none() if value else None
        if found is not None:
            return look_from(found[1:], legal_name=found[0])
    return None


def brand_of(session: Session, reseller_id: int) -> Brand | None:
    """Give a reseller's brand."""
    return session.get(Brand, reseller_id)


def accent_of(session: Session, brand_id: UUID) -> str | None:
    """Give the accent of a brand."""
    return session.scalar(select(Brand.accent).where(Brand.public_id == brand_id))


def logo_of(session: Session, brand_id: UUID) -> tuple[str, bytes] | None:
    """Give the logo of a brand."""
    found = session.execute(
        select(Brand.logo_type, Brand.logo).where(Brand.public_id == brand_id)
    ).one_or_none()
    return (found[0], found[1]) if found is not None and found[1] else None
