"""Partner Center behind the protocol: which paths are called, in which order, and how a repeated request stays one."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from catalog.rules.metered import is_metered
from marketplace.core.errors import Refusal
from marketplace.vendors.addresses import check_address
from marketplace.vendors.connector import Capability, Connector, account_of_reseller
from marketplace.vendors.errors import NotSold, PromotionRefused, VendorAnswerUnreadable, VendorRefused
from marketplace.vendors.partner_center import exports
from marketplace.vendors.partner_center.bodies import parties, promotions, trade
from marketplace.vendors.partner_center.bodies.wire import instant, plain_keys
from marketplace.vendors.partner_center.client import VENDOR, Client
from marketplace.vendors.partner_center.faults import remedy_for
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
    NextTerm,
    OrderLine,
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

_ALREADY_AGREED = "600061"
_ALREADY_ORDERED = "800065"
_CHANGED_MEANWHILE = "2055"
_INVALID_INPUT = "10010"
_UNKNOWN_PARTNER = "3000"
_PAGE = 300
_LINES = 2000


class PartnerCenter(Connector):
    """The connector of Microsoft."""

    vendor = "microsoft"
    capabilities = frozenset(Capability)

    def __init__(self, client: Client) -> None:
        """Speak through a client."""
        self._client = client
        self._countries: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def health(self) -> Health:
        """Ask for our own profile, which needs a connection, a token and the right to read."""
        try:
            body = self._client.get("v1/profiles/organization").body
        except Refusal as refusal:
            return Health(is_well=False, words=str(refusal))
        name = str(body.get("companyName") or body.get("defaultAddress", {}).get("companyName", ""))
        return Health(is_well=True, words=name or "answers")

    # --- what it sells

    def products(self, *, country: str) -> Sequence[CatalogueProduct]:
        """Give the licence products on sale in a country."""
        found = self._client.pages("v1/products", country=country, targetView="OnlineServices")
        return [trade.product(body) for body in found]

    def items(self, *, product: str, country: str) -> Sequence[CatalogueItem]:
        """Give every way to buy a product's SKUs."""
        skus = list(self._client.pages(f"v1/products/{product}/skus", country=country))
        return [item for sku in skus for item in self._items_of(product, sku, country)]

    def _items_of(self, product: str, sku: Mapping[str, Any], country: str) -> list[CatalogueItem]:
        path = f"v1/products/{product}/skus/{sku['id']}/availabilities"
        return [trade.item(sku, body) for body in self._client.pages(path, country=country)]

    def _find(
        self, account: str, *, product: str, sku: str, line: OrderLine | NextTerm | Upgrade, segment: str
    ) -> CatalogueItem:
        """Find what to name in an order today. References change over time, so nothing is remembered."""
        country = self._country_of(account)
        body = self._client.get(f"v1/products/{product}/skus/{sku}", country=country).body
        for item in self._items_of(product, body, country):
            if item.is_purchasable and item.segment == segment.casefold() and _is_sold_like(item, line):
                return item
        raise NotSold(
            item=f"{product}:{sku}", term=str(line.term), cycle=str(line.billing_cycle), country=country
        )

    def _country_of(self, account: str) -> str:
        """Give where a customer buys. It cannot change at this vendor, so it is asked for once."""
        if account not in self._countries:
            self._countries[account] = self.customer(account).country
        return self._countries[account]

    # --- who buys and who sells

    def address_rules(self, country: str) -> AddressRules:
        """Give what is demanded of addresses in a country."""
        return parties.address_rules(self._client.get(f"v1/countryvalidationrules/{country}").body)

    def create_customer(self, customer: NewCustomer, *, key: UUID) -> VendorCustomer:
        """Open a tenant, for the reseller where one is named. Raises `AddressUnfit`, `NotConnected`."""
        rules = self.address_rules(customer.address.country)
        check_address(customer, rules)
        seller = account_of_reseller(self, customer.partner_id) if customer.partner_id else ""
        body = parties.customer_body(customer, rules, reseller_account=seller)
        return parties.customer(self._client.send("POST", "v1/customers", body, key=key).body)

    def customer(self, account: str) -> VendorCustomer:
        """Give a tenant, by its id or its domain."""
        tenant = self._tenant_at(account) if "." in account else account
        return parties.customer(self._client.get(f"v1/customers/{tenant}").body)

    def _tenant_at(self, domain: str) -> str:
        """Give whose a domain is. The vendor can only be asked for those that begin with it."""
        found = self._client.pages("v1/customers", filter=parties.domain_filter(domain))
        for tenant in map(parties.customer, found):
            if tenant.domain.casefold() == domain.casefold():
                return tenant.account
        words = f"Customer with domain {domain} could not be found."
        raise VendorRefused(vendor=VENDOR, words=words, code="404", remedy=remedy_for("404"))

    def agreements(self, account: str) -> Sequence[Agreement]:
        """Give the agreements of a customer, of the kind that orders need."""
        path = f"v1/customers/{account}/agreements"
        found = self._client.pages(path, agreementType=parties.AGREEMENT_TYPE)
        return [parties.agreement(body) for body in found]

    def attest(self, account: str, attestation: Attestation, *, key: UUID) -> Agreement:
        """Record that a customer accepted the terms; what is on record already is given as it is."""
        body = parties.attestation_body(attestation)
        try:
            answer = self._client.send("POST", f"v1/customers/{account}/agreements", body, key=key)
        except VendorRefused as refusal:
            if refusal.code != _ALREADY_AGREED:
                raise
            return self.agreements(account)[-1]
        return parties.agreement(answer.body)

    def partner_standing(self, partner_id: str) -> PartnerStanding:
        """Look a partner id up, and whether its holder signed the partner agreement."""
        try:
            profile = self._client.get("v1/profiles/mpn", mpnId=partner_id).body
        except VendorRefused as refusal:
            if refusal.code != _UNKNOWN_PARTNER:
                raise
            return PartnerStanding(partner_id, "", is_known=False, has_signed=False)
        signed = self._client.get("v1/compliance/csp/agreementstatus", mpnId=partner_id).body
        return PartnerStanding(
            partner_id,
            str(profile.get("partnerName", "")),
            is_known=True,
            has_signed=bool(signed.get("isAgreementSigned")),
        )

    def resellers(self) -> Sequence[PartnerRelation]:
        """Give the indirect resellers of the wholesaler."""
        found = self._client.pages("v1/relationships", relationship_type="IsIndirectCloudSolutionProviderOf")
        return [parties.relation(body) for body in found]

    # --- orders and what becomes of them

    def refused_promotions(self, purchase: Purchase) -> Sequence[RefusedPromotion]:
        """Have the vendor verify each promotion for what is bought after it. Asked again, it is asked anew."""
        lines = [line for line in purchase.lines if line.promotion]
        body = promotions.eligibility_body(self._items_for(purchase.account, lines))
        path = f"v1/customers/{purchase.account}/promotionEligibilities"
        answer = self._client.send("POST", path, body, key=uuid4()).body
        try:
            return promotions.refused(answer, [line.promotion for line in lines])
        except LookupError as error:
            raise VendorAnswerUnreadable(vendor=VENDOR, reason=str(error)) from None

    def _items_for(self, account: str, lines: Sequence[OrderLine]) -> list[tuple[OrderLine, CatalogueItem]]:
        """Find what to name in an order for each line."""
        return [
            (line, self._find(account, product=line.product, sku=line.sku, line=line, segment=line.segment))
            for line in lines
        ]

    def order(self, purchase: Purchase, *, key: UUID) -> Sequence[VendorOrder]:
        """Fill a cart and check it out. Both requests carry ids that follow from the key: repeated, they are one."""
        try:
            return self._order(purchase, key=key)
        except VendorRefused as refusal:
            # The code says only that something does not fit; that it is a promotion, the words say.
            named = [one for one in purchase.promotions if one in refusal.words]
            if refusal.code != _INVALID_INPUT or not named:
                raise
            raise PromotionRefused(refusal, named) from None

    def _order(self, purchase: Purchase, *, key: UUID) -> Sequence[VendorOrder]:
        found = self._items_for(purchase.account, purchase.lines)
        path = f"v1/customers/{purchase.account}/carts"
        cart = self._client.send("POST", path, trade.cart_body(found), key=key, step="cart").body
        _refuse_faulty_lines(cart)
        try:
            answer = self._client.send("POST", f"{path}/{cart['id']}/checkout", {}, key=key, step="checkout")
        except VendorRefused as refusal:
            if refusal.code != _ALREADY_ORDERED:
                raise
            return self._orders_of_cart(purchase.account, cart, refusal)
        for error in answer.body.get("orderErrors") or ():
            code = str(error["code"])
            raise VendorRefused(vendor=VENDOR, words=error["description"], code=code, remedy=remedy_for(code))
        return [trade.order(body) for body in answer.body["orders"]]

    def _orders_of_cart(
        self, account: str, cart: Mapping[str, Any], refusal: VendorRefused
    ) -> Sequence[VendorOrder]:
        """Find what a cart became whose checkout was done while its answer was lost.

        Only orders since the cart was made that hold its very lines are taken; otherwise a person must look.
        """
        made = instant(cart.get("creationTimestamp"))
        wanted = sorted((line["catalogItemId"], int(line["quantity"])) for line in cart["lineItems"])
        orders = [trade.order(body) for body in self._client.pages(f"v1/customers/{account}/orders")]
        since = [one for one in orders if made and one.ordered_at and one.ordered_at >= made]
        if sorted((line.item, line.quantity) for one in since for line in one.lines) != wanted:
            raise refusal
        return since

    def order_state(self, account: str, order: str) -> VendorOrder:
        """Give how far an order is."""
        return trade.order(self._client.get(f"v1/customers/{account}/orders/{order}").body)

    def answer_order(self, account: str, order: str, words: str, *, key: UUID) -> VendorOrder:
        """Answer what the vendor asked about an order."""
        path = f"v1/customers/{account}/orders/{order}"
        return trade.order(self._client.send("PATCH", path, {"reviewAnswer": words}, key=key).body)

    def subscriptions(self, account: str) -> Sequence[VendorSubscription]:
        """Give all subscriptions of a customer."""
        found = self._client.pages(f"v1/customers/{account}/subscriptions", size=_PAGE)
        return [trade.subscription(body, account) for body in found]

    def subscription(self, account: str, subscription: str) -> VendorSubscription:
        """Give one subscription."""
        return trade.subscription(self._body_of(account, subscription), account)

    def _body_of(self, account: str, subscription: str) -> dict[str, Any]:
        body: dict[str, Any] = plain_keys(
            self._client.get(f"v1/customers/{account}/subscriptions/{subscription}").body
        )
        return body

    def change(self, account: str, subscription: str, change: Change, *, key: UUID) -> VendorSubscription:
        """Read, alter, and write back under the etag that was read; a second time where somebody was quicker."""
        try:
            return self._change(account, subscription, change, key=key)
        except VendorRefused as refusal:
            if refusal.code != _CHANGED_MEANWHILE:
                raise
        return self._change(account, subscription, change, key=key)

    def _change(self, account: str, subscription: str, change: Change, *, key: UUID) -> VendorSubscription:
        body = self._body_of(account, subscription)
        wanted = {**body, **self._wanted(account, body, change)}
        if wanted == body:
            return trade.subscription(body, account)
        etag = str(body.get("attributes", {}).get("etag") or "")
        path = f"v1/customers/{account}/subscriptions/{subscription}"
        # The etag is part of the step: after a conflict it is another request, not the refused one again.
        answer = self._client.send("PATCH", path, wanted, key=key, etag=etag, step=f"change {etag}")
        return trade.subscription(answer.body or self._body_of(account, subscription), account)

    def _wanted(self, account: str, body: Mapping[str, Any], change: Change) -> dict[str, Any]:
        """Give what a change sets, in the vendor's words. Each is a state to reach, so repeating changes nothing."""
        if change.is_cancelled:
            return {"status": "deleted"}
        if change.quantity is not None:
            return {"quantity": change.quantity}
        if change.at_term_end is not None:
            return trade.term_end_body(change.at_term_end)
        if change.plan is not None:
            plan = change.plan
            return {"termDuration": plan.term.value, "billingCycle": plan.billing_cycle.value}
        if change.is_suspended is not None:
            return {"status": "suspended" if change.is_suspended else "active"}
        if change.next_term is not None:
            wanted = change.next_term
            segment = str(body.get("segment") or "commercial").casefold()
            item = self._find(account, product=wanted.product, sku=wanted.sku, line=wanted, segment=segment)
            return {"scheduledNextTermInstructions": trade.next_term_body(wanted, item)}
        if change.drops_next_term:
            return {"scheduledNextTermInstructions": None}
        raise ValueError("a change that changes nothing")

    def upgrade(self, account: str, subscription: str, upgrade: Upgrade, *, key: UUID) -> Upgraded:
        """Move seats to a better SKU at once."""
        body = self._body_of(account, subscription)
        segment = str(body.get("segment") or "commercial").casefold()
        target = self._find(
            account, product=upgrade.to_product, sku=upgrade.to_sku, line=upgrade, segment=segment
        )
        wanted = {
            "fromCatalogItemId": body["offerId"],
            "fromSubscriptionId": subscription,
            "toCatalogItemId": target.reference,
            "quantity": upgrade.quantity,
            "termDuration": upgrade.term.value,
            "billingCycle": upgrade.billing_cycle.value,
            "transitionType": "transition_with_license_transfer",
            **({"toSubscriptionId": upgrade.to_subscription} if upgrade.to_subscription else {}),
        }
        path = f"v1/customers/{account}/subscriptions/{subscription}/transitions"
        return trade.upgraded(self._client.send("POST", path, wanted, key=key).body)

    # --- bills and files

    def invoices(self) -> Sequence[VendorInvoice]:
        """Give the vendor's bills."""
        return [trade.invoice(body) for body in self._client.pages("v1/invoices", size=_PAGE)]

    def bill_lines(self, invoice: str) -> Iterator[Mapping[str, object]]:
        """Give the lines of a bill as the vendor writes them."""
        yield from self._client.pages(
            f"v1/invoices/{invoice}/lineitems",
            provider="onetime",
            invoicelineitemtype="billinglineitems",
            size=_LINES,
        )

    def begin_export(self, request: FileRequest, *, key: UUID) -> str:
        """Ask for files; give the address of the operation that makes them."""
        address = f"{self._client.account.graph.rstrip('/')}/{exports.path_of(request)}"
        answer = self._client.send("POST", address, exports.body_of(request), key=key)
        if answer.status != HTTPStatus.ACCEPTED or not answer.location:
            raise VendorAnswerUnreadable(vendor=VENDOR, reason="an export without an operation")
        return answer.location

    def export_state(self, operation: str) -> FilesOnOffer | None:
        """Give the files, or None while they are being made."""
        return exports.files_of(self._client.get(operation).body)

    def download(self, files: FilesOnOffer, folder: Path) -> Sequence[Path]:
        """Fetch the files as they are into a folder."""
        fetched = []
        for name in files.names:
            file = folder / Path(name).name
            with file.open("wb") as stream:
                for part in self._client.fetch(f"{files.root}/{name}?{files.token}"):
                    stream.write(part)
            fetched.append(file)
        return fetched


def _is_sold_like(item: CatalogueItem, line: OrderLine | NextTerm | Upgrade) -> bool:
    if is_metered(line.term, line.billing_cycle):
        return not item.terms
    return (not item.terms or line.term in item.terms) and (
        not item.billing_cycles or line.billing_cycle in item.billing_cycles
    )


def _refuse_faulty_lines(cart: Mapping[str, Any]) -> None:
    """Raise for a line of a cart that the vendor will not sell."""
    for line in cart.get("lineItems", ()):
        error = line.get("error")
        if error:
            code = str(error["errorCode"])
            words = str(error["errorDescription"])
            raise VendorRefused(vendor=VENDOR, words=words, code=code, remedy=remedy_for(code))
