# ruff: noqa: ARG002 - what a connector does not do it refuses, whatever it is given
"""What every vendor's connector can be asked. Values in, values out; no connector knows the database.

A connector overrides what it can do; the rest refuses with `NotOffered`, and `capabilities` says which. Every call
that changes something takes a `key`: the same key is the same request, so that it may be repeated when the answer
was lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from marketplace.vendors.errors import NotConnected, NotOffered
from marketplace.vendors.values import (
    AddressRules,
    Agreement,
    Attestation,
    CatalogueItem,
    CatalogueProduct,
    Change,
    FileRequest,
    FilesOnOffer,
    Health,
    NewCustomer,
    PartnerRelation,
    PartnerStanding,
    Purchase,
    RefusedPromotion,
    Upgrade,
    Upgraded,
    VendorCustomer,
    VendorInvoice,
    VendorOrder,
    VendorSubscription,
)


class Capability(StrEnum):
    """What a connector may be able to do."""

    CATALOGUE = "catalogue"
    CUSTOMERS = "customers"
    AGREEMENTS = "agreements"
    PARTNERS = "partners"
    PROMOTIONS = "promotions"
    ORDERS = "orders"
    CHANGES = "changes"
    UPGRADES = "upgrades"
    SUBSCRIPTIONS = "subscriptions"
    INVOICES = "invoices"
    FILES = "files"


class Connector:
    """One vendor. Raises `VendorRefused`, `VendorUnavailable`, `VendorBusy`, `NotOffered`."""

    #: The vendor's name as products carry it.
    vendor: str
    #: What can be asked.
    capabilities: frozenset[Capability]

    def close(self) -> None:
        """Give back what is open."""

    def health(self) -> Health:
        """Try to reach the vendor; never raises."""
        raise NotOffered(vendor=self.vendor)

    # --- what it sells

    def products(self, *, country: str) -> Sequence[CatalogueProduct]:
        """Give the products on sale in a country."""
        raise NotOffered(vendor=self.vendor)

    def items(self, *, product: str, country: str) -> Sequence[CatalogueItem]:
        """Give every way to buy a product's SKUs."""
        raise NotOffered(vendor=self.vendor)

    # --- who buys and who sells

    def address_rules(self, country: str) -> AddressRules:
        """Give what is demanded of addresses in a country."""
        raise NotOffered(vendor=self.vendor)

    def create_customer(self, customer: NewCustomer, *, key: UUID) -> VendorCustomer:
        """Open an account for a firm."""
        raise NotOffered(vendor=self.vendor)

    def customer(self, account: str) -> VendorCustomer:
        """Give a firm's account, by its id or, where the vendor gives such, by its domain."""
        raise NotOffered(vendor=self.vendor)

    def agreements(self, account: str) -> Sequence[Agreement]:
        """Give the agreements of a customer."""
        raise NotOffered(vendor=self.vendor)

    def attest(self, account: str, attestation: Attestation, *, key: UUID) -> Agreement:
        """Record that a customer accepted the terms. The same person twice changes nothing."""
        raise NotOffered(vendor=self.vendor)

    def partner_standing(self, partner_id: str) -> PartnerStanding:
        """Give what the vendor knows of a reseller."""
        raise NotOffered(vendor=self.vendor)

    def resellers(self) -> Sequence[PartnerRelation]:
        """Give the resellers connected to the wholesaler."""
        raise NotOffered(vendor=self.vendor)

    # --- orders and what becomes of them

    def refused_promotions(self, purchase: Purchase) -> Sequence[RefusedPromotion]:
        """Give those of a purchase's promotions that the customer may not have. Nothing is bought."""
        raise NotOffered(vendor=self.vendor)

    def order(self, purchase: Purchase, *, key: UUID) -> Sequence[VendorOrder]:
        """Buy. One purchase may become several orders, one a billing cycle. Raises `PromotionRefused` too."""
        raise NotOffered(vendor=self.vendor)

    def order_state(self, account: str, order: str) -> VendorOrder:
        """Give how far an order is."""
        raise NotOffered(vendor=self.vendor)

    def answer_order(self, account: str, order: str, words: str, *, key: UUID) -> VendorOrder:
        """Answer what the vendor asked about an order."""
        raise NotOffered(vendor=self.vendor)

    def subscriptions(self, account: str) -> Sequence[VendorSubscription]:
        """Give all subscriptions of a customer."""
        raise NotOffered(vendor=self.vendor)

    def subscription(self, account: str, subscription: str) -> VendorSubscription:
        """Give one subscription."""
        raise NotOffered(vendor=self.vendor)

    def change(self, account: str, subscription: str, change: Change, *, key: UUID) -> VendorSubscription:
        """Change a subscription; one that is so already stays as it is."""
        raise NotOffered(vendor=self.vendor)

    def upgrade(self, account: str, subscription: str, upgrade: Upgrade, *, key: UUID) -> Upgraded:
        """Move seats to a better SKU."""
        raise NotOffered(vendor=self.vendor)

    # --- bills and files

    def invoices(self) -> Sequence[VendorInvoice]:
        """Give the vendor's bills."""
        raise NotOffered(vendor=self.vendor)

    def bill_lines(self, invoice: str) -> Iterator[Mapping[str, object]]:
        """Give the lines of a bill as the vendor writes them, one page after the other."""
        raise NotOffered(vendor=self.vendor)

    def begin_export(self, request: FileRequest, *, key: UUID) -> str:
        """Ask for files; give what to ask after them by."""
        raise NotOffered(vendor=self.vendor)

    def export_state(self, operation: str) -> FilesOnOffer | None:
        """Give the files, or None while they are being made."""
        raise NotOffered(vendor=self.vendor)

    def download(self, files: FilesOnOffer, folder: Path) -> Sequence[Path]:
        """Fetch the files as they are into a folder."""
        raise NotOffered(vendor=self.vendor)


def account_of_reseller(connector: Connector, partner_id: str) -> str:
    """Give a reseller's own account at the vendor. Raises `NotConnected` where it is not ours there."""
    for relation in connector.resellers():
        if relation.partner_id == partner_id and relation.is_active:
            return relation.account
    raise NotConnected(vendor=connector.vendor, id=partner_id)
