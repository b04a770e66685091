"""What a reseller's storefront and its customers' portal wear: changed by its owner."""

from dataclasses import asdict
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import NotPermitted
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.models import Brand
from resellers.rules.brand import BrandEntry
from resellers.rules.logo import cleaned_logo


def change_brand(
    session: Session, *, actor: Actor, entry: BrandEntry, logo: bytes | None, removes_logo: bool = False
) -> Brand:
    """Change the actor's own brand; without a logo, the one there stays unless it is to go.

    Raises the refusals of logos, and `AddressTaken` for an address somebody else has: row-level security hides who.
    """
    require(actor, Permission.RESELLER_FIRM_MANAGE)
    if actor.reseller_id is None:
        raise NotPermitted
    brand = session.scalars(
        select(Brand).where(Brand.reseller_id == actor.reseller_id).with_for_update()
    ).one_or_none()
    if brand is None:
        brand = Brand(reseller_id=actor.reseller_id, public_id=uuid4(), **asdict(BrandEntry(**_BLANK)))
        brand.logo_type = ""
        session.add(brand)
    before = {name: getattr(brand, name) for name in asdict(entry)} | {"logo": brand.logo_type}
    for name, value in asdict(entry).items():
        setattr(brand, name, value)
    if logo:
        brand.logo_type, brand.logo = cleaned_logo(logo)
    elif removes_logo:
        brand.logo_type, brand.logo = "", None
    # Another address, so that no browser shows what it has kept of the old one.
    brand.public_id = uuid4()
    with conflicts_in_words():
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="brand.change",
        subject="brand",
        subject_id=actor.reseller_id,
        before=before,
        after={**asdict(entry), "logo": brand.logo_type},
    )
    return brand


_BLANK = dict.fromkeys(BrandEntry.__dataclass_fields__, "")
