"""What a reseller's pages and mails wear, and who did what there: two tabs of its page, for reading."""

from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.queries import audit_of_reseller
from marketplace.core.actor import Permission
from marketplace.web.admin import blueprint
from marketplace.web.audit_trail import respond_with_trail
from marketplace.web.branding import accent_proposal
from marketplace.web.guards import requires
from marketplace.web.mails import letterhead_for
from marketplace.web.session import current_actor, transaction, wiring
from resellers.models import Reseller
from resellers.queries.brands import brand_of


@blueprint.get("/resellers/<uuid:reseller_id>/brand")
@requires(Permission.WHOLESALER_PARTIES_VIEW)
def reseller_brand(reseller_id: UUID) -> ResponseReturnValue:
    """Show a reseller's brand: its look, where it is found, whom its customers hear from."""
    with transaction() as session:
        party = _reseller_or_404(session, reseller_id)
        brand = brand_of(session, party.id)
        return render_template(
            "admin/parties/brand.html",
            party=party,
            brand=brand,
            letterhead=letterhead_for(session, party.id),
            proposal=accent_proposal(brand.accent) if brand else None,
            mail_from=wiring().settings.mail_from,
        )


@blueprint.get("/resellers/<uuid:reseller_id>/audit")
@requires(Permission.WHOLESALER_AUDIT_VIEW)
def reseller_audit(reseller_id: UUID) -> ResponseReturnValue:
    """List what a reseller's people did, and what was done to its standing and terms."""
    with transaction() as session:
        party = _reseller_or_404(session, reseller_id)
        return respond_with_trail(
            session,
            audit_of_reseller(current_actor(), party),
            "admin/parties/audit.html",
            party=party,
            layout="layouts/admin.html",
        )


def _reseller_or_404(session: Session, reseller_id: UUID) -> Reseller:
    party = session.scalars(select(Reseller).where(Reseller.public_id == reseller_id)).one_or_none()
    return party if party is not None else abort(404)
