"""Brands: whose a host name or a word of our address is, and what its pages fetch."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.look import Letterhead, Look
from resellers.models import Brand, Reseller
from resellers.rules.brand import address_of

#: What a look is made of, in `look_from`'s order.
LOOK_COLUMNS = (
    Brand.public_id,
    Brand.name,
    Brand.accent,
    Brand.logo_type,
    Brand.support_email,
    Brand.support_phone,
)


def look_from(values: Any, *, legal_name: str) -> Look | None:
    """Make a look of its columns; None where there is no brand."""
    brand_id, name, accent, logo_type, support_email, support_phone = values
    if brand_id is None:
        return None
    return Look(
        brand_id=brand_id,
        name=name or legal_name,
        has_accent=bool(accent),
        has_logo=bool(logo_type),
        support_email=support_email,
        support_phone=support_phone,
    )


def letterheads(session: Session, reseller_ids: Iterable[int], *, site_url: str) -> dict[int, Letterhead]:
    """Give what mails to the customers of resellers wear, of those that have a brand."""
    found = session.execute(
        select(Brand, Reseller.legal_name)
        .join(Reseller, Reseller.id == Brand.reseller_id)
        .where(Brand.reseller_id.in_(set(reseller_ids)))
    )
    return {
        brand.reseller_id: Letterhead(
            name=brand.name or legal_name,
            sender_name=brand.sender_name or brand.name or legal_name,
            accent=brand.accent,
            support_email=brand.support_email,
            support_phone=brand.support_phone,
            address=address_of(host=brand.host, path=brand.path, site_url=site_url),
        )
        for brand, legal_name in found
    }


def letterhead_of(session: Session, reseller_id: int, *, site_url: str) -> Letterhead | None:
    """Give what mails to a reseller's customers wear; None is our own."""
    return letterheads(session, [reseller_id], site_url=site_url).get(reseller_id)


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
