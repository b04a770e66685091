"""What every request works with: the books, what is sold, and what time it is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from marketplace.vendors.simulator.catalogue import Catalogue
from marketplace.vendors.simulator.documents import Customer, Subscription, World
from marketplace.vendors.simulator.promotions import Promotion
from marketplace.vendors.simulator.refusals import not_found
from marketplace.vendors.simulator.store import Store

_SPACE = UUID("0e195b37-4574-4539-bc42-0e539b9684c0")
#: The wholesaler's own partner id and tenant here.
OWN_PARTNER_ID = "6034453"
OWN_TENANT = str(_SPACE)
CENTS = Decimal("0.01")


@dataclass
class Desk:
    """One request's view of the vendor."""

    store: Store
    catalogue: Catalogue
    world: World
    now: datetime
    promotions: Sequence[Promotion] = ()

    @property
    def today(self) -> date:
        """The day, in UTC as everything here."""
        return self.now.date()

    def new_id(self, what: str) -> str:
        """Give an id nobody has yet. They follow from a counter, so that a test sees the same ones again."""
        number = self.world.next_number
        self.world.next_number = number + 1
        self.store.put(self.world)
        return str(uuid5(_SPACE, f"{what} {number}"))

    def customer(self, account: str) -> Customer:
        """Give a customer. Raises where there is none."""
        found = self.store.find(Customer, account.casefold())
        if found is None:
            raise not_found("Customer", account)
        return found

    def subscriptions(self, account: str) -> list[Subscription]:
        """Give a customer's subscriptions."""
        return [one for one in self.store.all(Subscription) if one.account == account]

    def subscription(self, account: str, name: str) -> Subscription:
        """Give a subscription. Raises where the customer has none of this id."""
        found = self.store.find(Subscription, name.casefold())
        if found is None or found.account != account:
            raise not_found("Subscription", name)
        return found


def time_of(world: World, real: datetime) -> datetime:
    """Give the time it is in a simulator's world."""
    return world.stopped_at or real + timedelta(seconds=world.ahead_seconds)


def at_midnight(day: date) -> datetime:
    """Give the first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
