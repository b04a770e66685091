"""Bodies about firms: customers, their addresses and agreements, resellers. Pure: bodies in, values out."""

import json
from typing import Any

from marketplace.vendors.partner_center.bodies.wire import Body, instant
from marketplace.vendors.values import (
    AddressRules,
    Agreement,
    Attestation,
    Contact,
    NewCustomer,
    PartnerRelation,
    VendorCustomer,
)

AGREEMENT_TYPE = "MicrosoftCustomerAgreement"


def address_rules(body: Body) -> AddressRules:
    """Read the rules of a country's addresses."""
    culture = body.get("defaultCulture") or "en-US"
    languages = body.get("supportedLanguagesList", ())
    # English stands first in most lists, whatever the country speaks.
    own = culture.partition("-")[0]
    return AddressRules(
        country=body["iso2Code"],
        needs_state=bool(body.get("isStateRequired")),
        states=tuple(body.get("supportedStatesList", ())),
        needs_postal_code=bool(body.get("isPostalCodeRequired")),
        postal_code_pattern=body.get("postalCodeRegex") or "",
        needs_city=bool(body.get("isCityRequired")),
        vat_pattern=body.get("vatIdRegex") or "",
        phone_pattern=body.get("phoneNumberRegex") or "",
        language=own if own in languages else next(iter(languages), "en"),
        culture=culture,
    )


def customer_body(customer: NewCustomer, rules: AddressRules, *, reseller_account: str) -> dict[str, Any]:
    """Write a firm that is to get an account, for the reseller whose own account is named."""
    contact, address = customer.contact, customer.address
    profile: dict[str, Any] = {
        "email": contact.email,
        "culture": rules.culture,
        "language": rules.language,
        "companyName": customer.name,
        "defaultAddress": {
            "country": address.country,
            "city": address.city,
            "addressLine1": address.line,
            "postalCode": address.postal_code,
            "firstName": contact.first_name,
            "lastName": contact.last_name,
            "phoneNumber": contact.phone,
            **({"state": address.state} if address.state else {}),
        },
    }
    body: dict[str, Any] = {
        "companyProfile": {"domain": customer.domain, "companyName": customer.name},
        "billingProfile": profile,
    }
    if customer.registration_number:
        body["companyProfile"]["organizationRegistrationNumber"] = customer.registration_number
    if reseller_account:
        body["associatedPartnerId"] = reseller_account
    return body


def customer(body: Body) -> VendorCustomer:
    """Read a firm's account."""
    company, billing = body.get("companyProfile", {}), body.get("billingProfile", {})
    return VendorCustomer(
        account=body.get("id") or company["tenantId"],
        name=company.get("companyName") or billing.get("companyName", ""),
        domain=company.get("domain", ""),
        country=billing.get("defaultAddress", {}).get("country", ""),
        reseller_account=body.get("associatedPartnerId") or "",
    )


def domain_filter(domain: str) -> str:
    """Ask for the customers whose domain begins with a text; "starts_with" is all the vendor knows there."""
    return json.dumps({"Field": "Domain", "Value": domain, "Operator": "starts_with"})


def attestation_body(attestation: Attestation) -> dict[str, Any]:
    """Write that a customer accepted the terms."""
    who = attestation.contact
    return {
        "primaryContact": {
            "firstName": who.first_name,
            "lastName": who.last_name,
            "email": who.email,
            **({"phoneNumber": who.phone} if who.phone else {}),
        },
        "templateId": attestation.template,
        "dateAgreed": f"{attestation.agreed_on}T00:00:00Z",
        "type": AGREEMENT_TYPE,
    }


def agreement(body: Body) -> Agreement:
    """Read an agreement on record."""
    who = body.get("primaryContact", {})
    agreed = instant(body.get("dateAgreed"))
    if agreed is None:
        raise ValueError("an agreement without a day")
    return Agreement(
        contact=Contact(
            who.get("firstName", ""),
            who.get("lastName", ""),
            who.get("email", ""),
            who.get("phoneNumber") or "",
        ),
        agreed_on=agreed.date(),
        template=body.get("templateId", ""),
        kind=body.get("type", ""),
        recorded_by=body.get("userId", ""),
    )


def relation(body: Body) -> PartnerRelation:
    """Read a reseller's connection to the wholesaler."""
    return PartnerRelation(
        account=body["id"],
        name=body.get("name", ""),
        partner_id=str(body.get("mpnId", "")),
        country=body.get("location", ""),
        is_active=str(body.get("state", "Active")).casefold() == "active",
    )
