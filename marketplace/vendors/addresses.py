"""Whether a vendor will take an address, told before it is sent: field by field, with what to write. Pure."""

import re
from collections.abc import Iterator

from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.vendors.values import AddressRules, NewCustomer

FIELDS = {
    "city": N_("City"),
    "line": N_("Street"),
    "postal_code": N_("Postal code"),
    "state": N_("State"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "email": N_("E-mail"),
    "phone": N_("Phone"),
}
_MISSING = N_("is missing")
_STATE = N_("is not a state the vendor knows in %(country)s: write its short form")
_POSTAL_CODE = N_("is not a postal code of %(country)s")
_PHONE = N_("is not a phone number of %(country)s")


class AddressUnfit(Refusal):
    """The vendor would refuse the address."""

    sentence = N_("The customer's address cannot be used at the vendor: %(field)s %(why)s.")


def address_faults(customer: NewCustomer, rules: AddressRules) -> Iterator[tuple[str, Phrase]]:
    """Give each field that the country's rules refuse, and why."""
    address, contact = customer.address, customer.contact
    wanted = {
        "city": address.city if rules.needs_city else "-",
        "line": address.line,
        "postal_code": address.postal_code if rules.needs_postal_code else "-",
        "state": address.state if rules.needs_state else "-",
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
    }
    missing = [name for name, value in wanted.items() if not value.strip()]
    yield from ((name, Phrase.of(_MISSING)) for name in missing)
    patterns = (
        ("postal_code", address.postal_code, rules.postal_code_pattern, _POSTAL_CODE),
        ("phone", contact.phone, rules.phone_pattern, _PHONE),
    )
    for name, value, pattern, why in patterns:
        if value and pattern and not re.match(pattern, value):
            yield name, Phrase.of(why, country=rules.country)
    if address.state and rules.states and address.state not in rules.states:
        yield "state", Phrase.of(_STATE, country=rules.country)


def check_address(customer: NewCustomer, rules: AddressRules) -> None:
    """Raise `AddressUnfit` with the first thing that is wrong."""
    for name, why in address_faults(customer, rules):
        raise AddressUnfit(field=Phrase.of(FIELDS[name]), why=why)
