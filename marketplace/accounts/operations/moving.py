"""Telling both sides of a move: the reseller that a customer or a subscription leaves, and the one it goes to."""

from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_, Phrase
from resellers.models import Customer, CustomerMove, SubscriptionMove


def tell_of_move(session: Session, move: CustomerMove) -> None:
    """Tell the people who see customers at both resellers."""
    customer = session.get_one(Customer, move.customer_id)
    facts = {"customer": customer.legal_name, "day": move.moves_on.isoformat()}
    for reseller_id, phrase in (
        (
            move.from_reseller_id,
            Phrase.of(N_("%(customer)s moves to another reseller on %(day)s."), **facts),
        ),
        (move.to_reseller_id, Phrase.of(N_("%(customer)s becomes your customer on %(day)s."), **facts)),
    ):
        notify_party(
            session,
            audience=Audience.RESELLER,
            party_id=reseller_id,
            permission=Permission.RESELLER_CUSTOMERS_VIEW,
            phrase=phrase,
            link="/customers",
        )


def tell_of_subscription_move(session: Session, move: SubscriptionMove) -> None:
    """Tell the people who see customers at both resellers."""
    day = move.moves_on.isoformat()
    leaves = session.get_one(Customer, move.from_customer_id)
    takes = session.get_one(Customer, move.to_customer_id)
    for customer, phrase in (
        (
            leaves,
            Phrase.of(
                N_("A subscription of %(customer)s moves to another reseller on %(day)s."),
                customer=leaves.legal_name,
                day=day,
            ),
        ),
        (
            takes,
            Phrase.of(
                N_("%(customer)s gets a subscription from another reseller on %(day)s."),
                customer=takes.legal_name,
                day=day,
            ),
        ),
    ):
        notify_party(
            session,
            audience=Audience.RESELLER,
            party_id=customer.reseller_id,
            permission=Permission.RESELLER_CUSTOMERS_VIEW,
            phrase=phrase,
            link="/subscriptions",
        )
