"""How consumption is bought: once, without a term and for nothing; what is used is billed after it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from catalog.words import BillingCycle, Term

#: The plan of what is billed as it is used: it commits to nothing, and nothing is paid for having it.
METERED = (Term.ONE_TIME, BillingCycle.NONE)


def is_metered(term: str, cycle: str) -> bool:
    """Whether a plan is had for nothing, and what is used billed."""
    return (term, cycle) == METERED


@dataclass(frozen=True, slots=True)
class BoughtAs:
    """The one SKU by which a customer buys everything a vendor bills as it is used."""

    product: str
    sku: str
    title: str
    publisher: str


#: Microsoft's price list names hundreds of services; a customer buys one Azure plan and uses them under it (Partner
#: Center, "Create Azure plan"). What others list is bought as it is listed.
BOUGHT_AS: Mapping[str, BoughtAs] = {
    "microsoft": BoughtAs("DZH318Z0BPS6", "0001", "Azure plan", "Microsoft Corporation")
}


def bought(vendor: str, listed: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Give what is bought, as (product, SKU), to use what a vendor lists with meters."""
    one = BOUGHT_AS.get(vendor)
    return set(listed) if one is None or not listed else {(one.product, one.sku)}
