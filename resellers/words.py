"""The words of the terms, known to rules that know no tables."""

from enum import StrEnum

#: What the wholesaler is called where parties are named by reference, in files and commands.
WHOLESALER_REFERENCE = "wholesaler"


class Hop(StrEnum):
    """The two prices of the chain: what the reseller pays, what the customer pays."""

    WHOLESALE = "wholesale"
    RETAIL = "retail"


class Basis(StrEnum):
    """What a price rule starts from."""

    COST = "cost"
    LIST = "list"
    FIXED = "fixed"


class BillingMode(StrEnum):
    """Who invoices the end customer."""

    RESALE = "resale"
    MANDATE = "mandate"
    ON_BEHALF = "on_behalf"
    AGENT = "agent"
    DIRECT = "direct"


class ResellerStatus(StrEnum):
    """Whether a reseller may sell. What it has sold goes on being billed whatever the status."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class ApplicationStatus(StrEnum):
    """How far a firm's application is."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    MORE_ASKED = "more_asked"
    APPROVED = "approved"
    REFUSED = "refused"


class ContactKind(StrEnum):
    """What an applicant's contact is for. The owner is who signs in first."""

    OWNER = "owner"
    BILLING = "billing"
    TECHNICAL = "technical"


class DocumentKind(StrEnum):
    """What an applicant's document proves."""

    REGISTRATION = "registration"
    IDENTITY = "identity"
    BANK = "bank"
    OTHER = "other"


class CheckKind(StrEnum):
    """What staff look at before they approve."""

    IDENTITY = "identity"
    DUPLICATES = "duplicates"
    CONTACTS = "contacts"
    DOCUMENTS = "documents"
    PROGRAMME = "programme"
    CREDIT = "credit"


class Programme(StrEnum):
    """How a reseller takes part in a vendor's partner programme.

    Advisors were paid a fee while the vendor invoiced the customer: a model of the past, kept for the record, that
    nobody sells by.
    """

    INDIRECT_RESELLER = "indirect_reseller"
    DIRECT_PARTNER = "direct_partner"
    ADVISOR = "advisor"


class EnrolmentStatus(StrEnum):
    """Whether a reseller may sell a vendor's products."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Prerequisite(StrEnum):
    """What a vendor asks of a partner that buys from it directly."""

    OWN_BILLING = "own_billing"
    OWN_PROVISIONING = "own_provisioning"
    SUPPORT_AROUND_THE_CLOCK = "support_around_the_clock"
    SUPPORT_PLAN = "support_plan"
    MANAGED_SERVICE = "managed_service"
    REVENUE = "revenue"
    SECURITY_SCORE = "security_score"
    DESIGNATION = "designation"
