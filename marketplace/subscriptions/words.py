"""The words of a subscription's life, known to rules that know no tables."""

from enum import StrEnum

from marketplace.rating.proration import ChargeKind


class Status(StrEnum):
    """What a subscription is, as far as its service goes."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    # Given up within its window.
    CANCELLED = "cancelled"
    # Not renewed.
    EXPIRED = "expired"


#: Whose seats are still there.
STANDING = frozenset({Status.ACTIVE, Status.SUSPENDED})


class SegmentKind(StrEnum):
    """What began a segment: something that is charged, or a turn that costs nothing."""

    NEW = ChargeKind.NEW.value
    RENEW = ChargeKind.RENEW.value
    ADD_QUANTITY = ChargeKind.ADD_QUANTITY.value
    REMOVE_QUANTITY = ChargeKind.REMOVE_QUANTITY.value
    CANCEL_IMMEDIATE = ChargeKind.CANCEL_IMMEDIATE.value
    CONVERT = ChargeKind.CONVERT.value
    MOVE_QUANTITY = ChargeKind.MOVE_QUANTITY.value
    CHANGE_BILLING_PLAN = ChargeKind.CHANGE_BILLING_PLAN.value
    SUSPEND = "suspend"
    RESUME = "resume"
    EXPIRE = "expire"

    @property
    def is_charged(self) -> bool:
        """Whether charges follow from it."""
        return self not in {SegmentKind.SUSPEND, SegmentKind.RESUME, SegmentKind.EXPIRE}


class AtTermEnd(StrEnum):
    """What happens when the term ends."""

    RENEW = "renew"
    # The service stops with the term.
    END = "end"
    # Neither: a month at a time at the vendor's dearer price, where it offers that, until somebody decides.
    EXTEND = "extend"


class Policy(StrEnum):
    """What is to happen when terms end, where nobody decides on the subscription itself."""

    RENEW = AtTermEnd.RENEW.value
    END = AtTermEnd.END.value
    EXTEND = AtTermEnd.EXTEND.value
    # The customer says; without an answer the vendor's default takes its course.
    ASK = "ask"


class DecidedBy(StrEnum):
    """Who decided what happens when a term ends."""

    # Nobody yet: the vendor renews by itself.
    NOBODY = ""
    POLICY = "policy"
    CUSTOMER = "customer"
    RESELLER = "reseller"
    WHOLESALER = "wholesaler"


class When(StrEnum):
    """When a change takes effect."""

    NOW = "now"
    AT_NEXT_CHARGE = "next_charge"
    AT_RENEWAL = "renewal"
    NEVER = "never"
