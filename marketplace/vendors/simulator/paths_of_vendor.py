"""The vendor's own paths, as far as a wholesaler needs them to sell."""

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, request

from marketplace.vendors.simulator import bills, changing, disturbing, selling, shown
from marketplace.vendors.simulator.answers import answer, page
from marketplace.vendors.simulator.catalogue import Sku
from marketplace.vendors.simulator.desk import OWN_PARTNER_ID, OWN_TENANT, Desk
from marketplace.vendors.simulator.documents import Customer, Order, Reseller, Signed, Transition
from marketplace.vendors.simulator.firms import (
    address_rules,
    check_address,
    check_registration,
    check_reseller,
    connect,
    resellers,
)
from marketplace.vendors.simulator.refusals import Refused, not_found
from marketplace.vendors.simulator.selling import UNKNOWN_PARTNER, UNSIGNED_PARTNER

blueprint = Blueprint("vendor", __name__)

_TOKEN_SECONDS = 3600
_PRECONDITION_FAILED = 412


def desk() -> Desk:
    """Give the request's view of the vendor."""
    found: Desk = g.desk
    return found


def sent() -> Mapping[str, Any]:
    """Give what was sent."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused("400", "The body is not a JSON object.")
    return body


@blueprint.post("/<tenant>/oauth2/v2.0/token")
def token(tenant: str) -> Response:
    """Give a token to whoever names an application of some tenant."""
    if not request.form.get("client_id") or not request.form.get("client_secret"):
        words = "AADSTS7000216: client_id and client_secret are required."
        return answer({"error": "invalid_client", "error_description": words}, 401)
    return answer(
        {"token_type": "Bearer", "expires_in": _TOKEN_SECONDS, "access_token": f"simulated-{tenant}"}
    )


@blueprint.get("/v1/profiles/organization")
def organization() -> Response:
    """Show the wholesaler itself."""
    return answer({"tenantId": OWN_TENANT, "companyName": "Wholesaler (simulated)", "mpnId": OWN_PARTNER_ID})


@blueprint.get("/v1/profiles/mpn")
def partner_profile() -> Response:
    """Show whose a partner id is."""
    partner_id = request.args.get("mpnId", OWN_PARTNER_ID)
    if partner_id == UNKNOWN_PARTNER or not partner_id.isdigit():
        raise Refused("3000", f"Partner Organization with partner_id {partner_id} could not be found.", 404)
    return answer({"partnerName": f"Partner {partner_id}", "mpnId": partner_id, "profileType": "MpnProfile"})


@blueprint.get("/v1/compliance/csp/agreementstatus")
def agreement_status() -> Response:
    """Tell whether a reseller signed its agreement."""
    partner_id, tenant = request.args.get("mpnId", ""), request.args.get("tenantId", "")
    if not partner_id and not tenant:
        raise Refused("2000", "Both MPN Id and Tenant Id cannot be empty.")
    if partner_id and tenant:
        raise Refused("2001", "Both MPN Id and Tenant Id should not be passed.")
    if partner_id and not partner_id.isdigit():
        raise Refused("2000", "MPN Id must be numeric.")
    is_signed = partner_id != UNSIGNED_PARTNER
    if partner_id and is_signed and desk().store.find(Reseller, partner_id) is None:
        # Firms sign and accept the wholesaler's invitation in the same portal: here, at the same moment.
        connect(desk(), partner_id)
    return answer({"isAgreementSigned": is_signed})


@blueprint.get("/v1/relationships")
def relationships() -> Response:
    """List the wholesaler's resellers."""
    return page([shown.reseller(one) for one in resellers(desk())])


@blueprint.get("/v1/countryvalidationrules/<country>")
def country_rules(country: str) -> Response:
    """Show what an address must have."""
    return answer(address_rules(country))


# --- the catalogue


@blueprint.get("/v1/products")
def products() -> Response:
    """List what is sold."""
    skus = desk().catalogue.skus.values()
    return page([shown.product(sku) for sku in {sku.product: sku for sku in skus}.values()])


@blueprint.get("/v1/products/<product>/skus")
def skus(product: str) -> Response:
    """List a product's SKUs."""
    return page([shown.sku(sku) for sku in desk().catalogue.of_product(product)])


@blueprint.get("/v1/products/<product>/skus/<number>")
def sku(product: str, number: str) -> Response:
    """Show a SKU."""
    return answer(shown.sku(_sku(product, number)))


@blueprint.get("/v1/products/<product>/skus/<number>/availabilities")
def availabilities(product: str, number: str) -> Response:
    """List the ways to buy a SKU."""
    country = request.args.get("country", "")
    if not country:
        raise Refused("400", "The country is missing.")
    return page(shown.availabilities(_sku(product, number), country=country, today=desk().today))


def _sku(product: str, number: str) -> Sku:
    found = desk().catalogue.skus.get(f"{product}:{number}")
    if found is None:
        raise not_found("Sku", f"{product}:{number}")
    return found


# --- customers and their agreements


@blueprint.get("/v1/customers")
def customers() -> Response:
    """List customers, or those whose name or domain begins with a text."""
    found = [one.body for one in desk().store.all(Customer)]
    if "filter" in request.args:
        field, value = _filter(request.args["filter"])
        found = [one for one in found if str(one["companyProfile"][field]).casefold().startswith(value)]
    return page(found)


def _filter(text: str) -> tuple[str, str]:
    """Read a filter as the vendor's page on searching customers writes it: the part of a profile, and its beginning."""
    try:
        asked = json.loads(text)
        fields = {"CompanyName": "companyName", "Domain": "domain"}
        field, value = fields[asked["Field"]], str(asked["Value"]).casefold()
    except (ValueError, LookupError, TypeError):
        raise Refused("400", "The filter is not valid.") from None
    if asked.get("Operator") != "starts_with":
        raise Refused("400", "The operator is not supported.")
    return field, value


@blueprint.post("/v1/customers")
def create_customer() -> Response:
    """Open a tenant."""
    body = dict(sent())
    company, billing = body.get("companyProfile", {}), body.get("billingProfile", {})
    address = billing.get("defaultAddress", {})
    check_address(address)
    check_reseller(desk(), body.get("associatedPartnerId") or "")
    check_registration(address.get("country", ""), company.get("organizationRegistrationNumber", ""))
    domain = str(company.get("domain", "")).casefold()
    if not re.fullmatch(r"[a-z0-9-]{1,27}\.onmicrosoft\.com", domain):
        raise Refused("400", f"The domain {domain} is not valid.")
    if any(one.body["companyProfile"]["domain"] == domain for one in desk().store.all(Customer)):
        raise Refused("400", f"The domain {domain} is not available.")
    account = desk().new_id("customer")
    body["id"] = account
    body["companyProfile"] = {
        **company,
        "tenantId": account,
        "domain": domain,
        "companyName": billing.get("companyName", ""),
    }
    reseller = body.get("associatedPartnerId") or ""
    desk().store.put(Customer(id=account, body=body, country=address["country"], reseller=reseller))
    return answer(body, 201)


@blueprint.get("/v1/customers/<account>")
def customer(account: str) -> Response:
    """Show a tenant."""
    return answer(desk().customer(account).body)


@blueprint.get("/v1/customers/<account>/agreements")
def agreements(account: str) -> Response:
    """List a customer's agreements."""
    desk().customer(account)
    return page([one.body for one in desk().store.all(Signed) if one.account == account])


@blueprint.post("/v1/customers/<account>/agreements")
def attest(account: str) -> Response:
    """Record that a customer accepted the terms; the same person twice is refused."""
    desk().customer(account)
    body = dict(sent())
    if str(body.get("dateAgreed", ""))[:10] > desk().today.isoformat():
        raise Refused("400", "DateAgreed may not be in the future.")
    if any(
        one.account == account and one.body["primaryContact"] == body["primaryContact"]
        for one in desk().store.all(Signed)
    ):
        raise Refused("600061", "PartnerConfirmedAgreementAlreadyExists", 409)
    body["userId"] = OWN_TENANT
    desk().store.put(Signed(id=desk().new_id("agreement"), account=account, body=body))
    return answer(body, 201)


# --- orders


@blueprint.post("/v1/customers/<account>/carts")
def open_cart(account: str) -> Response:
    """Take a cart."""
    cart = selling.open_cart(desk(), account, sent())
    return answer(shown.cart(desk(), cart), 201)


@blueprint.post("/v1/customers/<account>/promotionEligibilities")
def verify_promotions(account: str) -> Response:
    """Say which promotions a customer may have for what it might buy."""
    desk().customer(account)
    return page([selling.eligibilities(desk(), account, item) for item in sent().get("items", ())])


@blueprint.post("/v1/customers/<account>/carts/<name>/checkout")
def check_out(account: str, name: str) -> Response:
    """Order what is in a cart."""
    orders = selling.check_out(desk(), account, name, question=disturbing.question_of(g.disturbance))
    return answer({"orders": [shown.order(desk(), one) for one in orders], "orderErrors": []}, 201)


@blueprint.get("/v1/customers/<account>/orders")
def orders(account: str) -> Response:
    """List a customer's orders."""
    desk().customer(account)
    return page([shown.order(desk(), one) for one in desk().store.all(Order) if one.account == account])


@blueprint.get("/v1/customers/<account>/orders/<name>")
def order(account: str, name: str) -> Response:
    """Show an order."""
    return answer(shown.order(desk(), selling.find_order(desk(), account, name)))


@blueprint.patch("/v1/customers/<account>/orders/<name>")
def answer_order(account: str, name: str) -> Response:
    """Take the answer to what an order waits for."""
    done = selling.answer(desk(), account, name, str(sent().get("reviewAnswer", "")))
    return answer(shown.order(desk(), done))


# --- subscriptions


@blueprint.get("/v1/customers/<account>/subscriptions")
def subscriptions(account: str) -> Response:
    """List a customer's subscriptions."""
    desk().customer(account)
    return page([shown.subscription(desk(), one) for one in desk().subscriptions(account)])


@blueprint.get("/v1/customers/<account>/subscriptions/<name>")
def subscription(account: str, name: str) -> Response:
    """Show a subscription, with its mark."""
    one = desk().subscription(account, name)
    return answer(shown.subscription(desk(), one), ETag=f'"{shown.etag(one)}"')


@blueprint.patch("/v1/customers/<account>/subscriptions/<name>")
def change(account: str, name: str) -> Response:
    """Change a subscription, if nobody changed it since it was read."""
    one = desk().subscription(account, name)
    if request.headers.get("If-Match", "").strip('"') != shown.etag(one):
        raise Refused("2055", "The etag does not match the current version.", _PRECONDITION_FAILED)
    changing.change(desk(), one, sent())
    return answer(shown.subscription(desk(), one), ETag=f'"{shown.etag(one)}"')


@blueprint.post("/v1/customers/<account>/subscriptions/<name>/transitions")
def upgrade(account: str, name: str) -> Response:
    """Move seats to a better SKU."""
    one = desk().subscription(account, name)
    return answer(changing.upgrade(desk(), one, sent()).body, 201)


@blueprint.get("/v1/customers/<account>/subscriptions/<name>/transitions")
def upgrades(account: str, name: str) -> Response:
    """List the upgrades of a subscription."""
    one = desk().subscription(account, name)
    return page([done.body for done in desk().store.all(Transition) if done.subscription == one.id])


# --- bills


@blueprint.get("/v1/invoices")
def invoices() -> Response:
    """List the bills."""
    return page([one.shown() for one in bills.invoices(desk())])


@blueprint.get("/v1/invoices/<number>/lineitems")
def line_items(number: str) -> Response:
    """List the lines of a bill."""
    for one in bills.invoices(desk()):
        if one.number == number:
            return page([bills.as_line_item(row) for row in one.rows])
    raise not_found("Invoice", number)
