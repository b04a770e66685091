"""The wholesaler's own identity and settings."""

from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.permit import require
from resellers.models import Wholesaler
from resellers.rules.identity import WholesalerEntry


def change_wholesaler(
    session: Session, *, actor: Actor, entry: WholesalerEntry, four_eyes: bool
) -> Wholesaler:
    """Change who the wholesaler is, the currency it reckons in, and whether a second person must approve."""
    require(actor, Permission.WHOLESALER_SETTINGS_MANAGE)
    wholesaler = session.get_one(Wholesaler, 1, with_for_update=True)
    wanted = {
        "legal_name": entry.legal_name,
        "country": entry.country,
        "vat_number": entry.vat_number,
        "registration_number": entry.registration_number,
        "email": entry.email,
        "currency": entry.currency,
        "four_eyes": four_eyes,
    }
    before = {name: getattr(wholesaler, name) for name in wanted}
    changed = [name for name, value in wanted.items() if before[name] != value]
    for name in changed:
        setattr(wholesaler, name, wanted[name])
    if changed:
        audit.record(
            session,
            actor=actor,
            action="wholesaler.change",
            subject="wholesaler",
            subject_id=1,
            before={name: before[name] for name in changed},
            after={name: wanted[name] for name in changed},
        )
    return wholesaler
