"""What joins a reseller and its people: an approved application becomes a reseller whose owner is invited."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.accounts.operations.people import Invitation, Party, invite
from marketplace.accounts.roles import Role
from marketplace.core.actor import Actor, Audience
from resellers.models import Reseller, ResellerApplication
from resellers.operations import applications
from resellers.queries.applications import contacts_of
from resellers.words import ContactKind


@dataclass(frozen=True)
class Approved:
    """What approving made, for whoever mails the owner."""

    application: ResellerApplication
    reseller: Reseller
    invitation: Invitation


def approve_application(
    session: Session, *, actor: Actor, application_id: UUID, reference: str, now: datetime
) -> Approved:
    """Approve an application: a reseller, its enrolment, and an invitation for its owner. Raises as both do."""
    application, reseller = applications.approve(
        session, actor=actor, application_id=application_id, reference=reference, now=now
    )
    owner = next(one for one in contacts_of(session, application) if one.kind == ContactKind.OWNER.value)
    invitation = invite(
        session,
        actor=actor,
        party=Party(Audience.RESELLER, reseller.id),
        email=owner.email,
        name=owner.name,
        role=Role.OWNER.value,
        locale=application.locale,
        now=now,
    )
    return Approved(application, reseller, invitation)
