"""Orders made directly, for tests that need one to stand. The session must be the owner's."""

from datetime import UTC, date, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from catalog.models import Plan
from marketplace.core.errors import Phrase
from marketplace.orders.models import Order, OrderApproval, OrderLine, OrderRule, Quote
from resellers.models import Customer

NOW = datetime(2026, 6, 18, 12, tzinfo=UTC)


def make_order(
    session: Session, customer: Customer, plan: Plan, *, state: str = "awaiting_approval"
) -> Order:
    """Make an order of ten units that its reseller must approve, with a quote behind it."""
    order = Order(
        state=state,
        customer_id=customer.id,
        reseller_id=customer.reseller_id,
        audience="reseller",
        submitted_at=NOW,
        submitted_by="Pavel",
    )
    session.add(order)
    session.flush()
    session.add_all(
        (
            OrderLine(order_id=order.id, number=1, plan_id=plan.id, quantity=10),
            OrderApproval(
                order_id=order.id,
                party="reseller",
                kind="rule",
                words=Phrase.verbatim("Every order"),
                created_at=NOW,
            ),
            Quote(
                order_id=order.id,
                version=1,
                token_hash=uuid4().hex,
                valid_until=date(2026, 7, 1),
                lines=[],
                currency="EUR",
                commitment_minor=0,
                created_at=NOW,
            ),
            OrderRule(reseller_id=customer.reseller_id, created_at=NOW),
        )
    )
    session.flush()
    return order
