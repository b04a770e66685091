"""What a vendor's bad word on a reseller does to a request: what buys is stopped by it, what gives back never. Pure."""

from marketplace.vendors.provisioning.requests import Asked, SubscriptionChange, SubscriptionUpgrade
from marketplace.vendors.values import Purchase


def buys(asked: Asked, *, seats: int) -> bool:
    """Whether a request makes for more at the vendor than the seats a subscription has: a bad word stops it then.

    Everything else gives back, or leaves what is there: a customer has days to give back in, and they go by whatever
    the vendor thinks of the reseller.
    """
    match asked:
        case Purchase() | SubscriptionUpgrade():
            return True
        case SubscriptionChange(change=change):
            wanted = change.next_term.quantity if change.next_term else change.quantity
            return change.plan is not None or (wanted or 0) > seats
        case _:
            return False
