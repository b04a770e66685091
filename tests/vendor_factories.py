"""Requests to vendors made directly, in whatever state a test is about."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from catalog.words import BillingCycle, Term
from marketplace.core.errors import Phrase
from marketplace.vendors.models import OutsideChange, ProvisioningAttempt, ProvisioningRequest
from marketplace.vendors.provisioning.requests import asked_as_data
from marketplace.vendors.values import OrderLine, Purchase
from resellers.models import Customer

NOW = datetime(2025, 3, 10, 9, tzinfo=UTC)
PREMIUM = OrderLine(
    1,
    "CFQ7TTC0LCHC",
    "0002",
    Term.P1Y,
    BillingCycle.MONTHLY,
    10,
    partner_id="4847383",
    friendly_name="Microsoft 365 Business Premium",
)


def make_request(
    session: Session,
    customer: Customer,
    state: str = "queued",
    *,
    about: str = "10 × Microsoft 365 Business Premium",
    vendor: str = "microsoft",
    error: str = "",
    question: str = "",
) -> ProvisioningRequest:
    """Make a request with one try behind it."""
    request = ProvisioningRequest(
        key=uuid4(),
        vendor=vendor,
        account="196e2273-9651-43a3-ba7e-7cbcd918fc40",
        reseller_id=customer.reseller_id,
        customer_id=customer.id,
        kind="purchase",
        asked=asked_as_data(Purchase("196e2273-9651-43a3-ba7e-7cbcd918fc40", (PREMIUM,))),
        about=Phrase.verbatim(about),
        state=state,
        attempts=1,
        error=Phrase.verbatim(error) if error else None,
        question=question,
        created_by="Rashid",
        ended_at=NOW if state in {"done", "failed"} else None,
    )
    session.add(request)
    session.flush()
    session.add(
        ProvisioningAttempt(
            request_id=request.id,
            started_at=NOW,
            ended_at=NOW,
            step="ask",
            outcome=state,
            words=request.error,
            received={"order": "pending"},
        )
    )
    session.flush()
    return request


def make_inquiry(
    session: Session, customer: Customer, question: str = "Is this a school?"
) -> ProvisioningRequest:
    """Make a request about which the vendor asks."""
    return make_request(session, customer, "inquiry", question=question)


def make_outside_change(session: Session, customer: Customer, **facts: str) -> OutsideChange:
    """Make a difference between a vendor and us."""
    change = OutsideChange(
        **{
            "vendor": "microsoft",
            "account": "tenant",
            "subscription": str(uuid4()),
            "name": "Microsoft 365 Business Premium",
            "kind": "quantity",
            "ours": "10",
            "theirs": "20",
            **facts,
        },
        customer_id=customer.id,
        seen_at=NOW,
        last_seen_at=NOW,
    )
    session.add(change)
    session.flush()
    return change
