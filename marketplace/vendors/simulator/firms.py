"""What the simulator knows and demands of firms: resellers, addresses by country, registration numbers."""

import re
from collections.abc import Mapping
from typing import Any

from marketplace.vendors.simulator.desk import Desk
from marketplace.vendors.simulator.documents import Reseller, Subscription
from marketplace.vendors.simulator.refusals import Refused

# Country, language, postal code, VAT number, whether a state is needed.
_RULES = {
    "FR": ("fr", r"^\d{5}$", r"^FR[0-9A-Z]{2}\d{9}$", False),
    "DE": ("de", r"^\d{5}$", r"^DE\d{9}$", False),
    "BE": ("fr", r"^\d{4}$", r"^BE0?\d{9,10}$", False),
    "LU": ("fr", r"^(L-)?\d{4}$", r"^LU\d{8}$", False),
    "CH": ("fr", r"^\d{4}$", "", False),
    "ES": ("es", r"^\d{5}$", r"^ES[0-9A-Z]{9}$", False),
    "IT": ("it", r"^\d{5}$", r"^IT\d{11}$", False),
    "GB": ("en", r"^[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}$", r"^GB\d{9}(\d{3})?$", False),
    "US": ("en", r"^\d{5}(-\d{4})?$", "", True),
}
_US_STATES = (
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK "
    "OR PA RI SC SD TN TX UT VA VT WA WI WV WY"
)
#: Where a firm has to give its registration number.
_REGISTERED = "AE AM AZ BR BY HU IN IQ KG KZ MD MM PL RU SA SS TH TJ TR UA UZ VE VN ZA"


def address_rules(country: str) -> dict[str, Any]:
    """Show the rules of a country. One that is not listed demands little."""
    language, postal, vat, needs_state = _RULES.get(country, ("en", "", "", False))
    return {
        "iso2Code": country,
        "defaultCulture": f"{language}-{country}",
        "isStateRequired": needs_state,
        "supportedStatesList": _US_STATES.split() if needs_state else [],
        "supportedLanguagesList": [language],
        "supportedCulturesList": [f"{language}-{country}", "en-US"],
        "isPostalCodeRequired": bool(postal),
        "postalCodeRegex": postal,
        "isCityRequired": True,
        "isVatIdSupported": bool(vat),
        "vatIdRegex": vat,
        "isTaxIdSupported": country == "US",
        "isTaxIdOptional": True,
        "countryCallingCodesList": [],
    }


def check_address(address: Mapping[str, str]) -> None:
    """Refuse an address that breaks the rules of its country."""
    rules = address_rules(address.get("country", ""))
    for name in ("country", "city", "addressLine1", "firstName", "lastName"):
        if not address.get(name):
            raise Refused("400", f"DefaultAddress.{name} is missing.")
    if rules["postalCodeRegex"] and not re.match(rules["postalCodeRegex"], address.get("postalCode", "")):
        raise Refused("400", f"The postal code is not valid in {address['country']}.")
    if rules["isStateRequired"] and address.get("state") not in rules["supportedStatesList"]:
        raise Refused("400", f"The state is not valid in {address['country']}.")


def check_registration(country: str, number: str) -> None:
    """Refuse a firm without a registration number where its country wants one."""
    if country in _REGISTERED.split() and not number:
        raise Refused("600002", "The organization registration number is required for this country.")


def connect(desk: Desk, partner_id: str, *, is_active: bool = True) -> Reseller:
    """Make a firm a reseller of the wholesaler's, as accepting its invitation does, or end that."""
    one = Reseller(
        id=partner_id,
        account=f"{int(partner_id):08d}-f5f3-4528-93a9-c16c6373cb59",
        name=f"Partner {partner_id}",
        is_active=is_active,
    )
    desk.store.put(one)
    return one


def resellers(desk: Desk) -> list[Reseller]:
    """Give the wholesaler's resellers; whoever is on a subscription has been one."""
    for partner_id in {one.partner_id for one in desk.store.all(Subscription) if one.partner_id}:
        if desk.store.find(Reseller, partner_id) is None:
            connect(desk, partner_id)
    return sorted(desk.store.all(Reseller), key=lambda one: one.id)


def check_reseller(desk: Desk, account: str) -> None:
    """Refuse a customer for somebody who is no reseller of the wholesaler's."""
    if account and not any(one.account == account and one.is_active for one in resellers(desk)):
        raise Refused("400", f"AssociatedPartnerId {account} has no relationship with the partner.")
