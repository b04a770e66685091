"""The words of an order's life, known to rules that know no tables."""

from enum import StrEnum


class OrderKind(StrEnum):
    """What an order asks for. A subscription is never edited: every change of one is an order."""

    PURCHASE = "purchase"
    CHANGE = "change"
    CANCEL = "cancel"


class OrderState(StrEnum):
    """How far an order is."""

    # The cart of a customer.
    DRAFT = "draft"
    # Offered to the customer, to be accepted by a day.
    QUOTED = "quoted"
    SUBMITTED = "submitted"
    # Somebody must approve it, or credit does not reach.
    AWAITING_APPROVAL = "awaiting_approval"
    # Approved, for a day to come.
    SCHEDULED = "scheduled"
    # The vendor carries it out.
    PROVISIONING = "provisioning"
    COMPLETED = "completed"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PriceHop(StrEnum):
    """Whose price a kept price is: what the vendor charges, and the two hops."""

    VENDOR = "vendor"
    WHOLESALE = "wholesale"
    RETAIL = "retail"


class Party(StrEnum):
    """Who has to approve: the wholesaler, or the reseller within its own firm and of its customers."""

    WHOLESALER = "wholesaler"
    RESELLER = "reseller"


class ApprovalKind(StrEnum):
    """Why an order waits for somebody."""

    RULE = "rule"
    CREDIT = "credit"
    # A customer bought for itself, and its reseller wants to see that first.
    CUSTOMER = "customer"


class Decision(StrEnum):
    """What became of what was to be approved."""

    APPROVED = "approved"
    REFUSED = "refused"
    # Nobody has to decide any more: credit reaches again, or the order was withdrawn.
    LAPSED = "lapsed"
