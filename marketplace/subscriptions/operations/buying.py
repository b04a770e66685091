"""A subscription begins: an order line was provisioned, or the vendor has one we did not know."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.saving import add_segments, as_json, lock_order_line
from marketplace.subscriptions.queries.standing import other_terms, seats_of
from marketplace.subscriptions.rules.ends import end_fault
from marketplace.subscriptions.rules.history import Quoted, Segment
from marketplace.subscriptions.rules.limits import quantity_fault
from marketplace.subscriptions.rules.steps import begin
from marketplace.subscriptions.words import AtTermEnd, SegmentKind


class CannotBeBought(Refusal):
    """The vendor's rules do not allow it."""

    sentence = N_("It cannot be bought like this. %(why)s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What is bought, for whom, and at which price."""

    customer_id: int
    vendor_account: str
    quoted: Quoted
    quantity: int
    vendor_subscription_id: str = ""
    friendly_name: str = ""
    # The first term's end (exclusive) where it is not its own.
    custom_end: date | None = None
    at_term_end: AtTermEnd = AtTermEnd.RENEW
    order_line: str = ""


def activate(session: Session, *, actor: Actor, purchase: Purchase, now: datetime) -> Subscription:
    """Begin a subscription. The same order line again gives the one it began. Raises `CannotBeBought`."""
    require(actor, Permission.WHOLESALER_SUBSCRIPTIONS_MANAGE)
    if (known := lock_order_line(session, purchase.order_line)) is not None:
        return known
    check_purchase(session, purchase, day=now.date())
    first = begin(
        purchase.quoted,
        purchase.quantity,
        at=now,
        custom_end=purchase.custom_end,
        order_line=purchase.order_line,
    )
    return begin_with(session, actor=actor, purchase=purchase, first=first)


def check_purchase(session: Session, purchase: Purchase, *, day: date) -> None:
    """Refuse what the vendor's rules do not allow. Raises `CannotBeBought`."""
    offer = purchase.quoted.offer
    if (offer.term, offer.billing_cycle) not in offer.commitments(day).pairs:
        raise CannotBeBought(why=Phrase.of(N_("The vendor does not sell this term with this way of paying.")))
    elsewhere = 0
    if offer.customer_limit is not None or offer.is_metered:
        elsewhere = seats_of(session, customer_id=purchase.customer_id, sku=offer.sku)
    if fault := quantity_fault(offer, purchase.quantity, elsewhere=elsewhere):
        raise CannotBeBought(why=fault)
    if purchase.custom_end is not None:
        others = other_terms(session, customer_id=purchase.customer_id, vendor=offer.vendor)
        if fault := end_fault(offer, day, purchase.custom_end, others):
            raise CannotBeBought(why=fault)


def begin_with(session: Session, *, actor: Actor, purchase: Purchase, first: Segment) -> Subscription:
    """Write a subscription and its first segment."""
    subscription = Subscription(
        customer_id=purchase.customer_id,
        vendor=purchase.quoted.offer.vendor,
        vendor_account=purchase.vendor_account,
        vendor_subscription_id=purchase.vendor_subscription_id,
        friendly_name=purchase.friendly_name,
        currency=purchase.quoted.currency,
        at_term_end=purchase.at_term_end.value,
        status=first.status.value,
        plan_id=first.quoted.offer.plan_id,
        quantity=first.quantity,
        term_start=first.term_start,
        term_end=first.term_end,
    )
    session.add(subscription)
    session.flush()  # its segments need its id
    add_segments(session, subscription, [first], first_part=1 if first.kind is SegmentKind.CONVERT else 0)
    audit.record(
        session,
        actor=actor,
        action="subscription.begin",
        subject="subscription",
        subject_id=subscription.public_id,
        after=as_json(first),
    )
    return subscription
