"""Requests to vendors, starting from what an actor may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience
from marketplace.core.errors import Phrase
from marketplace.vendors.models import ProvisioningAttempt, ProvisioningRequest
from marketplace.vendors.provisioning.rules import MOVING, STUCK_AFTER, RequestState
from resellers.models import Customer, Reseller


def requests_visible_to(actor: Actor) -> Select[ProvisioningRequest]:
    """Select the requests for an actor's own customers."""
    statement = select(ProvisioningRequest)
    match actor.audience:
        case Audience.WHOLESALER:
            return statement
        case Audience.RESELLER:
            return statement.where(ProvisioningRequest.reseller_id == actor.party_id)
        case Audience.CUSTOMER:
            return statement.where(ProvisioningRequest.customer_id == actor.party_id)


@dataclass(frozen=True)
class RequestRow:
    """A request in a list."""

    id: UUID
    about: Phrase
    vendor: str
    customer: str
    reseller: str
    state: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    assigned_to: str
    question: str


def request_row(found: tuple[ProvisioningRequest, str, str]) -> RequestRow:
    """Make a row of a list."""
    request, customer, reseller = found
    return RequestRow(
        id=request.public_id,
        about=request.about,
        vendor=request.vendor,
        customer=customer,
        reseller=reseller,
        state=request.state,
        attempts=request.attempts,
        created_at=request.created_at,
        next_attempt_at=request.next_attempt_at,
        assigned_to=request.assigned_to,
        question=request.question,
    )


def list_requests(actor: Actor) -> Select[ProvisioningRequest, str, str]:
    """Select requests with the names of their customers and resellers."""
    return (
        requests_visible_to(actor)
        .join(Customer, Customer.id == ProvisioningRequest.customer_id)
        .join(Reseller, Reseller.id == ProvisioningRequest.reseller_id)
        .add_columns(Customer.legal_name, Reseller.legal_name)
    )


def is_stuck(now: datetime) -> ColumnElement[bool]:
    """Whether a person should look at a request: it needs one, or it takes far too long."""
    state = ProvisioningRequest.state
    return or_(
        state.in_([RequestState.INQUIRY, RequestState.BY_HAND, RequestState.FAILED]),
        and_(state.in_(list(MOVING)), ProvisioningRequest.created_at < now - STUCK_AFTER),
    )


def find_request(
    session: Session, *, actor: Actor, request_id: UUID
) -> tuple[ProvisioningRequest, str, str] | None:
    """Give a request with the names of its customer and reseller."""
    found = session.execute(
        list_requests(actor).where(ProvisioningRequest.public_id == request_id)
    ).one_or_none()
    return None if found is None else (found[0], found[1], found[2])


def attempts_of(session: Session, request: ProvisioningRequest) -> Sequence[ProvisioningAttempt]:
    """Give the tries of a request, the last first."""
    return session.scalars(
        select(ProvisioningAttempt)
        .where(ProvisioningAttempt.request_id == request.id)
        .order_by(ProvisioningAttempt.id.desc())
    ).all()


def counts_by_vendor(session: Session) -> dict[str, dict[str, int]]:
    """Give how many requests of each vendor are in each state."""
    rows = session.execute(
        select(ProvisioningRequest.vendor, ProvisioningRequest.state, func.count()).group_by(
            ProvisioningRequest.vendor, ProvisioningRequest.state
        )
    )
    counts: dict[str, dict[str, int]] = {}
    for vendor, state, number in rows:
        counts.setdefault(vendor, {})[state] = number
    return counts


def vendor_of(session: Session, request_id: UUID) -> str:
    """Give which vendor a request is for."""
    return session.scalars(
        select(ProvisioningRequest.vendor).where(ProvisioningRequest.public_id == request_id)
    ).one()
