"""What is said to vendors and what they answer, in our words: instants in UTC, ends exclusive, amounts exact."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from catalog.words import BillingCycle, Term
from marketplace.core.period import Period


@dataclass(frozen=True, slots=True)
class CatalogueProduct:
    """A product the vendor sells in a country."""

    reference: str
    title: str
    description: str
    kind: str


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One way to buy a SKU: what an order line names. Its reference changes over time and is read before ordering."""

    reference: str
    product: str
    sku: str
    title: str
    description: str
    segment: str
    country: str
    currency: str
    is_purchasable: bool
    is_trial: bool
    minimum_quantity: int
    maximum_quantity: int | None
    terms: tuple[Term, ...]
    billing_cycles: tuple[BillingCycle, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What the vendor demands of an address in a country."""

    country: str
    needs_state: bool
    states: tuple[str, ...]
    needs_postal_code: bool
    postal_code_pattern: str
    needs_city: bool
    vat_pattern: str
    phone_pattern: str
    language: str
    culture: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a firm, as vendors ask for one."""

    first_name: str
    last_name: str
    email: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a firm is."""

    country: str
    city: str
    line: str
    postal_code: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A firm that gets an account at the vendor, for a reseller to sell to."""

    name: str
    domain: str
    address: Address
    contact: Contact
    # Who the reseller is at the vendor; blank makes the firm the wholesaler's own customer.
    partner_id: str = ""
    registration_number: str = ""


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """An account a firm says it has at the vendor already, for the same reseller to sell to."""

    account: str
    partner_id: str = ""


@dataclass(frozen=True, slots=True)
class VendorCustomer:
    """A firm's account at the vendor."""

    account: str
    name: str
    domain: str
    country: str
    reseller_account: str = ""


@dataclass(frozen=True, slots=True)
class Attestation:
    """That a customer accepted the vendor's terms: who, when, by which text. The wholesaler vouches for it."""

    contact: Contact
    agreed_on: date
    template: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement on record at the vendor."""

    contact: Contact
    agreed_on: date
    template: str
    kind: str
    recorded_by: str


@dataclass(frozen=True, slots=True)
class PartnerStanding:
    """What the vendor knows of a reseller's partner id."""

    partner_id: str
    name: str
    is_known: bool
    has_signed: bool

    @property
    def is_good(self) -> bool:
        """Whether the vendor sells through it."""
        return self.is_known and self.has_signed


@dataclass(frozen=True, slots=True)
class PartnerRelation:
    """A reseller the wholesaler is connected to at the vendor."""

    account: str
    name: str
    partner_id: str
    country: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One thing to buy, in catalogue words; the connector finds the vendor's reference of the day."""

    number: int
    product: str
    sku: str
    term: Term
    billing_cycle: BillingCycle
    quantity: int
    segment: str = "commercial"
    # The reseller's partner id, to be put on record. Never the wholesaler's own.
    partner_id: str = ""
    friendly_name: str = ""
    # The first day after a first term that is to end early, together with others.
    ends_on: date | None = None
    # The vendor's own name of the promotion that the price is to be after.
    promotion: str = ""
    # And what people call it.
    promotion_title: str = ""


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order for one customer's account."""

    account: str
    lines: tuple[OrderLine, ...]

    @property
    def promotions(self) -> dict[str, str]:
        """The promotions that prices are to be after: the vendor's name of each, and what people call it."""
        return {
            line.promotion: line.promotion_title or line.promotion for line in self.lines if line.promotion
        }

    def seats_for(self, promotion: str) -> set[int]:
        """Give how many seats a promotion was wanted for, line by line: those of the SKU before a line count with it."""
        seats, found = Counter[tuple[str, str]](), set()
        for line in self.lines:
            seats[line.product, line.sku] += line.quantity
            if line.promotion == promotion:
                found.add(seats[line.product, line.sku])
        return found


class Ineligibility(StrEnum):
    """Why a vendor does not give a promotion to a customer."""

    BOUGHT_BEFORE = "bought_before"
    SEATS = "seats"
    TERM = "term"
    NEEDS_PRODUCT = "needs_product"
    USED_UP = "used_up"
    OTHER_PRODUCT = "other_product"
    NOT_KNOWN = "not_known"
    NOT_SAID = "not_said"


@dataclass(frozen=True, slots=True)
class RefusedPromotion:
    """A promotion, by the vendor's name, that the vendor does not give to a customer."""

    promotion: str
    why: Ineligibility


class OrderStatus(StrEnum):
    """How far the vendor is with an order."""

    PENDING = "pending"
    # The vendor wants to know something first.
    ASKING = "asking"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """What became of an order line."""

    number: int
    item: str
    quantity: int
    subscription: str


@dataclass(frozen=True, slots=True)
class VendorOrder:
    """An order as the vendor tells it."""

    reference: str
    status: OrderStatus
    lines: tuple[OrderedLine, ...]
    ordered_at: datetime | None = None
    # What the vendor asks, or why it failed, in its words.
    words: str = ""


@dataclass(frozen=True, slots=True)
class Reducible:
    """Seats that may still be given back, and until when."""

    quantity: int
    until: datetime


@dataclass(frozen=True, slots=True)
class NextTerm:
    """What is to change when a subscription renews."""

    product: str
    sku: str
    term: Term
    billing_cycle: BillingCycle
    quantity: int
    ends_on: date | None = None


class SubscriptionStatus(StrEnum):
    """The states of a subscription, in the vendor's words where they are plain."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class VendorSubscription:
    """A subscription as the vendor tells it."""

    reference: str
    account: str
    # Product:SKU:availability, or an older offer's id.
    item: str
    name: str
    friendly_name: str
    quantity: int
    status: SubscriptionStatus
    auto_renew: bool
    term: Term | None
    billing_cycle: BillingCycle | None
    starts_at: datetime
    # The first day that is not committed any more. None for consumption.
    ends_on: date | None
    partner_id: str = ""
    order: str = ""
    etag: str = ""
    is_trial: bool = False
    may_cancel_until: datetime | None = None
    reducible: tuple[Reducible, ...] = ()
    next_term: NextTerm | None = None
    suspended_because: tuple[str, ...] = ()
    # When the vendor confirmed the purchase, where it says so.
    bought_at: datetime | None = None

    @property
    def windows_from(self) -> datetime:
        """The instant from which the hours to give it back count. Terms and charges begin with the whole day."""
        if self.bought_at is None or self.bought_at.date() != self.starts_at.date():
            return self.starts_at
        return self.bought_at


class TermEnd(StrEnum):
    """What a vendor is told to do when a term ends."""

    RENEW = "renew"
    # The service stops.
    END = "end"
    # It is not renewed, and nobody said that it should stop: some vendors let it run on.
    EXTEND = "extend"


@dataclass(frozen=True, slots=True)
class OtherPlan:
    """The same SKU for a longer term, or paid by another cycle."""

    term: Term
    billing_cycle: BillingCycle


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a subscription. Exactly one thing is set."""

    quantity: int | None = None
    at_term_end: TermEnd | None = None
    plan: OtherPlan | None = None
    # Suspend or resume.
    is_suspended: bool | None = None
    is_cancelled: bool = False
    next_term: NextTerm | None = None
    drops_next_term: bool = False


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Moving seats to a better SKU, into the same subscription where all move and no target is named."""

    to_product: str
    to_sku: str
    quantity: int
    term: Term
    billing_cycle: BillingCycle
    to_subscription: str = ""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """How an upgrade ended."""

    reference: str
    from_subscription: str
    to_subscription: str
    quantity: int
    is_done: bool
    words: str = ""


@dataclass(frozen=True, slots=True)
class VendorInvoice:
    """A bill of the vendor. What was paid is told with a minus by some vendors; here it is not."""

    reference: str
    invoiced_on: date
    period: Period | None
    total: Decimal
    paid: Decimal
    currency: str
    kind: str
    document: str
    corrects: str = ""


class FileKind(StrEnum):
    """The files a vendor makes on request."""

    USAGE = "usage"
    RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """Which file: of an invoice, or of the month that has none yet."""

    kind: FileKind
    invoice: str = ""
    currency: str = ""
    # For what is not billed yet.
    is_last_month: bool = False


@dataclass(frozen=True, slots=True)
class FilesOnOffer:
    """What a finished export consists of."""

    reference: str
    root: str
    token: str = field(repr=False)
    names: tuple[str, ...]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a vendor can be worked with now, in words."""

    is_well: bool
    words: str
