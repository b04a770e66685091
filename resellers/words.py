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
