"""Partner Center's error codes: which mean "later", and what a person can do about the others."""

from collections.abc import Mapping

from marketplace.core.errors import N_, Phrase

_AGREEMENT = N_("Record that the customer accepted the Microsoft Customer Agreement, then try again.")
_RESELLER_AGREEMENT = N_("The reseller signs the Microsoft Partner Agreement in its own Partner Center.")
_PARTNER_ID = N_(
    "Correct the reseller's partner id: it must be its own location account, not the wholesaler's."
)
_REGISTRATION = N_("Give the customer's registration number as the country writes it.")
_WINDOW = N_("The days for this are over: schedule it for the renewal instead.")
_SEATS = N_("Order fewer seats, or free some of the customer's other subscriptions first.")
_ITEM = N_("Import the current price list: what was ordered is no longer sold like this.")
_CREDIT = N_("The wholesaler's credit at the vendor is used up: pay open invoices or ask for more.")
_ORDERED = N_("Look at the customer's orders in Partner Center: it was probably ordered already.")
_CONTACT_VENDOR = N_("Look at the request in Partner Center, or open a support case with its correlation id.")
_COTERMINOUS = N_(
    "Choose the end of a month, or the end of another subscription of this customer, within the first term."
)
_UPGRADE = N_("Choose a target the vendor lists as an upgrade, active and ending no earlier.")
_DIFFERENT_PERSON = N_("The agreement of this person is on record already: nothing is to be done.")
_ADDON = N_("Order a product this add-on belongs to first, or in the same cart.")
_QUANTITY = N_("Choose a number of seats between the smallest and the largest the product allows.")
_NOT_OURS = N_(
    "Correct the id: the vendor has nothing under it that is ours. A customer it knows accepts our invitation there first."
)
_ATTESTATION = N_("Accept the attestation this product asks for, then order again.")
_ACTIVE = N_("Resume the subscription first.")
_TERM = N_("A term can only be made longer while it runs; a shorter one begins at the renewal.")
_TRIAL = N_("Convert the trial first: until then only that can be done with it.")

#: The customer's agreement is not on record.
UNAGREED = "13605"

REMEDIES: Mapping[str, str] = {
    "404": _NOT_OURS,
    "2000": _PARTNER_ID,
    "2001": _ACTIVE,
    "2055": N_("The subscription was changed meanwhile: look at it again, then repeat the change."),
    "2072": _PARTNER_ID,
    "3000": _PARTNER_ID,
    "10000": _ITEM,
    "10001": _ITEM,
    "10002": _SEATS,
    "10003": _SEATS,
    "10004": _PARTNER_ID,
    "10010": _CONTACT_VENDOR,
    "10012": _ATTESTATION,
    "10015": _SEATS,
    UNAGREED: _AGREEMENT,
    "400019": _ITEM,
    "400041": _ADDON,
    "600002": _REGISTRATION,
    "600049": _REGISTRATION,
    "600050": _REGISTRATION,
    "600051": _REGISTRATION,
    "600061": _DIFFERENT_PERSON,
    "800015": _PARTNER_ID,
    "800016": _PARTNER_ID,
    "800023": _CREDIT,
    "800025": _CREDIT,
    "800039": N_("The reseller's enrolment is not active at the vendor: it has to enrol again."),
    "800065": _ORDERED,
    "800088": _SEATS,
    "800090": _QUANTITY,
    "800092": N_("Seats of this product cannot be given back: cancel it in its first days, then order anew."),
    "800098": N_("The partner on record cannot be changed here: the vendor moves it on request."),
    "800107": _TRIAL,
    "800122": _TERM,
    "900117": _WINDOW,
    "900121": _CREDIT,
    "900123": _RESELLER_AGREEMENT,
    "900203": _ATTESTATION,
    "900213": _WINDOW,
    "900214": _WINDOW,
    "900236": _UPGRADE,
    "900242": _COTERMINOUS,
    "900244": _COTERMINOUS,
    "900245": _COTERMINOUS,
    "900246": _COTERMINOUS,
    "900257": _WINDOW,
    "900258": _UPGRADE,
    "900259": _UPGRADE,
    "900260": _UPGRADE,
    "900261": _UPGRADE,
    "900267": _UPGRADE,
    "900268": _UPGRADE,
    "900269": _UPGRADE,
    "900270": N_("Choose a billing cycle that is not longer than the term."),
    "900291": _COTERMINOUS,
    "900311": N_("This subscription was changed too often to be changed again before it renews."),
    "900323": _PARTNER_ID,
}

#: The vendor is still at it, or somebody else is: the same request goes through later.
LATER = frozenset({"800060", "800064", "800082", "900278"})


def remedy_for(code: str) -> Phrase:
    """Say what to do about a code; for one we do not know, where to look."""
    return Phrase.of(REMEDIES.get(code, _CONTACT_VENDOR))
