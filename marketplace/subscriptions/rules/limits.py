"""How many seats there may be: of one subscription, and of one SKU in all subscriptions of a customer."""

from marketplace.core.errors import N_, Phrase
from marketplace.subscriptions.rules.history import Offer


def quantity_fault(offer: Offer, quantity: int, *, elsewhere: int = 0) -> Phrase | None:
    """Say why there cannot be this many seats; None where there can."""
    if offer.is_metered and elsewhere + quantity > 1:
        return Phrase.of(N_("A customer has it once: what is used is billed, however much it is."))
    if quantity < 1:
        return Phrase.of(N_("There is at least one seat: to have none, cancel."))
    if quantity < offer.minimum_quantity:
        return Phrase.of(N_("At least %(minimum)s seats must be taken."), minimum=offer.minimum_quantity)
    if offer.maximum_quantity is not None and quantity > offer.maximum_quantity:
        return Phrase.of(N_("No more than %(maximum)s seats can be taken."), maximum=offer.maximum_quantity)
    if offer.customer_limit is not None and elsewhere + quantity > offer.customer_limit:
        return Phrase.of(
            N_(
                "A customer can have %(limit)s seats of this product in all its subscriptions: %(left)s are left here."
            ),
            limit=offer.customer_limit,
            left=max(0, offer.customer_limit - elsewhere),
        )
    return None
