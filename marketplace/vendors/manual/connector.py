"""A vendor at which people do the work: it can be asked nothing, so requests become tasks for staff."""

from marketplace.vendors.connector import Capability, Connector
from marketplace.vendors.values import Health


class ByHand(Connector):
    """Any vendor that has no connector of its own."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, vendor: str) -> None:
        """Stand in for a vendor."""
        self.vendor = vendor

    def health(self) -> Health:
        """Say that there is nothing to reach."""
        return Health(is_well=True, words="fulfilled by hand")
