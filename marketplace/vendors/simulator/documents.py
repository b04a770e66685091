"""The kinds of documents the simulator remembers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from catalog.words import BillingCycle, Term
from marketplace.vendors.simulator.store import Document


class World(Document):
    """The simulator's own settings: what time it is, and how long provisioning takes."""

    id: str = "world"
    # Set: time stands still there until it is moved.
    stopped_at: datetime | None = None
    # Otherwise: how far ahead of the real clock it runs.
    ahead_seconds: int = 0
    provisioning_seconds: int = 0
    next_number: int = 1


class Customer(Document):
    """A tenant. `body` is what Partner Center shows."""

    body: dict[str, Any]
    country: str
    reseller: str = ""


class Reseller(Document):
    """A reseller of the wholesaler's. Its id is its partner id."""

    account: str
    name: str
    country: str = "FR"
    is_active: bool = True


class Signed(Document):
    """An agreement of a customer, as it is shown."""

    account: str
    body: dict[str, Any]


class CartLine(Document):
    """A line of a cart. Its id is its number."""

    item: str
    quantity: int
    term: Term
    cycle: BillingCycle
    friendly_name: str
    partner_id: str = ""
    ends_on: date | None = None
    promotion: str = ""


class Cart(Document):
    """What is about to be ordered."""

    account: str
    lines: list[CartLine]
    created_at: datetime
    is_ordered: bool = False


class OrderedItem(Document):
    """A line of an order. Its id is its number."""

    item: str
    quantity: int
    term: Term
    subscription: str
    friendly_name: str
    partner_id: str = ""
    kind: str = "new"


class Order(Document):
    """An order of one customer and billing cycle."""

    account: str
    cycle: BillingCycle
    currency: str
    lines: list[OrderedItem]
    created_at: datetime
    ready_at: datetime
    # What is asked before anything goes on.
    question: str = ""


class Tranche(Document):
    """Seats bought together, which may be given back until an instant. Its id says nothing."""

    id: str = ""
    quantity: int
    until: datetime
    # Until when their whole price comes back, and the first day they were charged.
    whole_until: datetime
    since: date


class Pause(Document):
    """Days on which an Azure plan stood still; from the first until today where it still does. Its id says nothing."""

    id: str = ""
    since: date
    until: date | None = None


class Subscription(Document):
    """What a customer has. Ends are exclusive in here, and inclusive where they are shown."""

    account: str
    order: str
    product: str
    sku: str
    item: str
    name: str
    friendly_name: str
    country: str
    currency: str
    segment: str
    quantity: int
    status: str = "active"
    auto_renew: bool = True
    is_trial: bool = False
    is_consumption: bool = False
    # Runs on by the month after a term nobody renewed.
    is_extended: bool = False
    term: Term
    cycle: BillingCycle
    # For the whole term and one seat, as the price list had it when the term began, before the promotion.
    unit_price: Decimal
    promotion: str = ""
    percent_off: Decimal = Decimal(0)
    partner_id: str = ""
    bought_at: datetime
    ready_at: datetime
    term_start: date
    term_end: date | None
    window_until: datetime | None = None
    full_refund_until: datetime | None = None
    tranches: list[Tranche] = Field(default_factory=list)
    pauses: list[Pause] = Field(default_factory=list)
    # The first day no charge has been made for.
    charged_until: date
    next_term: dict[str, Any] | None = None
    # Ends for good with its term, instead of running on by the month.
    ends_with_term: bool = False
    # How the next charge is made, where that was changed within the term.
    next_cycle: BillingCycle | None = None
    status_since: date
    version: int = 1
    changes: int = 0


class Charge(Document):
    """A line of the bill to come."""

    account: str
    subscription: str
    at: datetime
    kind: str
    # For one seat and a whole charge cycle, before the promotion; the effective one is after it.
    unit_price: Decimal
    promotion: str = ""
    percent_off: Decimal = Decimal(0)
    quantity: int
    from_day: date
    last_day: date
    effective_price: Decimal
    subtotal: Decimal
    reference: str


class Transition(Document):
    """Seats that were moved to another SKU, as it is shown."""

    subscription: str
    body: dict[str, Any]


class Given(Document):
    """An answer that was given to a request that changed something, to be given again. Its id is the request's."""

    status: int
    body: str
    headers: dict[str, str]
    # Method and path: the same id for something else is a mistake.
    about: str


class Operation(Document):
    """An export that is being made."""

    kind: str
    invoice: str = ""
    is_last_month: bool = False
    ready_at: datetime


class Disturbance(Document):
    """Something that is to go wrong, and how often yet."""

    kind: str
    times: int = 1
    # Part of the path it is meant for; blank is any.
    path: str = ""
    method: str = ""
    seconds: int = 0
    code: str = ""
    words: str = ""
    status: int = 400


class BillError(Document):
    """A deliberate error in the bill of a month."""

    kind: str
    period: int
