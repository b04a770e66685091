"""Holding what a reseller's people quote and order to the floors their firm has set on its own margin."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, FaultyRow, Phrase, Refusal
from marketplace.orders.models import Order
from marketplace.orders.operations.pricing import PricedLine
from resellers.queries.floors import floors
from resellers.rules.floors import BelowFloor, below_floor, floor_for


class PricedTooLow(Refusal):
    """Some lines earn less than the firm's floor; `rows` name each."""

    sentence = N_("Nothing was quoted or ordered. %(product)s: %(why)s")


# Without figures: who sells need not see what the firm earns.
_WORDS = {
    BelowFloor.SOFT: N_("its price is below your firm's floor: have an owner quote or order it"),
    BelowFloor.HARD: N_(
        "its price is below the floor that nobody in your firm may go below: have an owner change its price rule"
    ),
}


def check_margins(session: Session, order: Order, priced: Sequence[PricedLine], *, actor: Actor) -> None:
    """Refuse what would be sold below the reseller's floor by its own people. Raises `PricedTooLow`.

    The session must be the owner's. Where both hops are in different currencies there is no margin to hold to it.
    """
    if actor.audience is not Audience.RESELLER:
        return
    standing = floors(session, reseller_id=order.reseller_id)
    may = actor.may(Permission.RESELLER_RULES_BELOW_FLOOR)
    faults: list[FaultyRow] = []
    for one in priced:
        wholesale = one.prices.wholesale if one.prices else None
        retail = one.prices.retail if one.prices else None
        if one.prices is None or wholesale is None or retail is None:
            continue
        offer = one.prices.quoted.offer
        floor = floor_for(standing, offer.vendor)
        if floor is None or wholesale.charge.currency != retail.charge.currency:
            continue
        if (which := below_floor(retail.unit, wholesale.unit, floor, may_go_below=may)) is not None:
            quantity, why = str(one.line.quantity), Phrase.of(_WORDS[which])
            faults.append(FaultyRow("", one.line.number, offer.product, quantity, why))
    if faults:
        raise PricedTooLow(faults, product=faults[0].column, why=faults[0].reason)
