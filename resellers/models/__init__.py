"""Tables of the parties, of how they came to be here, and of what was agreed with them."""

from resellers.models.applications import (
    ApplicationCheck,
    ApplicationContact,
    ApplicationDocument,
    ApplicationMessage,
    ResellerApplication,
)
from resellers.models.floors import MarginFloor
from resellers.models.parties import (
    AccountMapping,
    Customer,
    PriceRule,
    PriceRuleScope,
    Reseller,
    VendorAccount,
    Wholesaler,
)
from resellers.models.standing import (
    Agreement,
    AgreementAcceptance,
    BillingModeChange,
    Brand,
    CreditTerms,
    CustomerAgreement,
    CustomerMove,
    Enrolment,
    EnrolmentPrerequisite,
    SubscriptionMove,
)
from resellers.words import WHOLESALER_REFERENCE, Basis, BillingMode, Hop

__all__ = [
    "WHOLESALER_REFERENCE",
    "AccountMapping",
    "Agreement",
    "AgreementAcceptance",
    "ApplicationCheck",
    "ApplicationContact",
    "ApplicationDocument",
    "ApplicationMessage",
    "Basis",
    "BillingMode",
    "BillingModeChange",
    "Brand",
    "CreditTerms",
    "Customer",
    "CustomerAgreement",
    "CustomerMove",
    "Enrolment",
    "EnrolmentPrerequisite",
    "Hop",
    "MarginFloor",
    "PriceRule",
    "PriceRuleScope",
    "Reseller",
    "ResellerApplication",
    "SubscriptionMove",
    "VendorAccount",
    "Wholesaler",
]
