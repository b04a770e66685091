"""Who a party is in law: name, country, VAT and registration numbers, currency, e-mail.

Numbers are checked by python-stdnum as the country has them. Where it does not know the country's,
or a firm of that country may have a number of several registers, they are kept as typed. Nothing is looked up on the
network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from stdnum.eu import vat as eu_vat
from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength, ValidationError
from stdnum.fr import siren, siret
from stdnum.util import get_cc_module

from marketplace.core.cells import Entry, Unusable, country_code, currency_code, email_or_blank, filled
from marketplace.core.errors import N_, Phrase
from resellers.words import WHOLESALER_REFERENCE, BillingMode

if TYPE_CHECKING:
    from stdnum._types import NumberValidationModule

RESELLER_COLUMNS = (
    *("reference", "legal_name", "country", "vat_number", "registration_number", "partner_id", "currency"),
    *("billing_mode", "email"),
)
CUSTOMER_COLUMNS = (
    *(
        "reference",
        "reseller",
        "legal_name",
        "country",
        "vat_number",
        "registration_number",
        "currency",
        "email",
    ),
)
#: What a reseller's own file of customers names: they are all its own.
OWN_CUSTOMER_COLUMNS = tuple(name for name in CUSTOMER_COLUMNS if name != "reseller")

#: The letters VAT numbers of the European Union begin with: the country's, but Greece's own, and Monaco's are French.
_VAT_PREFIXES = {code.upper(): code.upper() for code in eu_vat.MEMBER_STATES} | {"GR": "EL", "MC": "FR"}
#: Countries whose firms have one registration number, and what python-stdnum calls it.
_REGISTERS = {
    "BE": "vat",
    "CH": "uid",
    "DK": "cvr",
    "EE": "registrikood",
    "FI": "ytunnus",
    "NO": "orgnr",
    "SE": "orgnr",
}
_SIREN_DIGITS = 9


@dataclass(frozen=True, kw_only=True, slots=True)
class ResellerEntry:
    """A reseller as typed, numbers in their compact form."""

    reference: str
    legal_name: str
    country: str
    vat_number: str
    registration_number: str
    partner_id: str
    currency: str
    billing_mode: str
    email: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerEntry:
    """A customer as typed, its reseller by reference, numbers in their compact form."""

    reference: str
    reseller: str
    legal_name: str
    country: str
    vat_number: str
    registration_number: str
    currency: str
    email: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WholesalerEntry:
    """The wholesaler as typed."""

    legal_name: str
    country: str
    vat_number: str
    registration_number: str
    currency: str
    email: str


def read_reseller(cells: Mapping[str, str]) -> ResellerEntry:
    """Read a reseller from a row of a file or from a form. Raises `FaultyEntry` naming every faulty cell."""
    entry = Entry(cells)
    reseller = ResellerEntry(
        reference=entry.take("reference", read_reference, ""),
        partner_id=entry.text("partner_id"),
        billing_mode=entry.take("billing_mode", read_billing_mode, ""),
        **_identity(entry),
    )
    entry.check()
    return reseller


def read_customer(cells: Mapping[str, str]) -> CustomerEntry:
    """Read a customer from a row of a file or from a form. Raises `FaultyEntry` naming every faulty cell."""
    entry = Entry(cells)
    customer = CustomerEntry(
        reference=entry.take("reference", filled, ""),
        reseller=entry.take("reseller", filled, ""),
        **_identity(entry),
    )
    entry.check()
    return customer


def read_wholesaler(cells: Mapping[str, str]) -> WholesalerEntry:
    """Read the wholesaler's particulars from a form. Raises `FaultyEntry` naming every faulty field."""
    entry = Entry(cells)
    wholesaler = WholesalerEntry(**_identity(entry))
    entry.check()
    return wholesaler


def _identity(entry: Entry) -> dict[str, str]:
    country = entry.take("country", country_code, "")
    return {
        "legal_name": entry.take("legal_name", filled, ""),
        "country": country,
        "vat_number": entry.take("vat_number", lambda text: vat_number(text, country=country), ""),
        "registration_number": entry.take(
            "registration_number", lambda text: registration_number(text, country=country), ""
        ),
        "currency": entry.take("currency", currency_code, ""),
        "email": entry.take("email", email_or_blank, ""),
    }


def read_reference(text: str) -> str:
    """Read a reseller's reference; one word is the wholesaler's own."""
    if text.lower() == WHOLESALER_REFERENCE:
        raise Unusable(Phrase.of(N_("is how the wholesaler itself is called: choose another reference")))
    return filled(text)


def read_billing_mode(text: str) -> str:
    """Read the word for who invoices the customer; blank is the usual resale."""
    if not text:
        return BillingMode.RESALE.value
    try:
        return BillingMode(text.lower().replace("-", "_").replace(" ", "_")).value
    except ValueError:
        words = ", ".join(mode.value for mode in BillingMode)
        raise Unusable(Phrase.of(N_("is not a billing mode: write one of %(words)s"), words=words)) from None


def vat_number(text: str, *, country: str) -> str:
    """Read a VAT number of a country; in the European Union, give it compact with its letters. Blank is allowed."""
    module = _number_of(country, "vat")
    if not text or module is None:
        return text
    try:
        number = str(module.validate(text))
    except ValidationError as error:
        reason = N_("is not a VAT number of %(country)s (%(reason)s); leave it blank where there is none")
        raise Unusable(Phrase.of(reason, country=country, reason=_said(error))) from error
    if country not in _VAT_PREFIXES:
        return text
    prefix = _VAT_PREFIXES[country]
    return number if number.startswith(prefix) else prefix + number


def registration_number(text: str, *, country: str) -> str:
    """Read a registration number: in France a SIREN or SIRET. Blank is allowed."""
    if not text:
        return text
    if country == "FR":
        return _siren_or_siret(text)
    module = _number_of(country, _REGISTERS[country]) if country in _REGISTERS else None
    if module is None:
        return text
    try:
        module.validate(text)
    except ValidationError as error:
        reason = N_(
            "is not a registration number of %(country)s (%(reason)s); leave it blank where there is none"
        )
        raise Unusable(Phrase.of(reason, country=country, reason=_said(error))) from error
    return text


def _siren_or_siret(text: str) -> str:
    bare = "".join(character for character in text if character.isalnum())
    try:
        return str(siren.validate(bare) if len(bare) <= _SIREN_DIGITS else siret.validate(bare))
    except ValidationError as error:
        reason = N_("is not a SIREN (9 digits) or SIRET (14 digits): %(reason)s")
        raise Unusable(Phrase.of(reason, reason=_said(error))) from error


def _said(error: ValidationError) -> Phrase:
    match error:
        case InvalidChecksum():
            return Phrase.of(N_("its check digits do not fit"))
        case InvalidLength():
            return Phrase.of(N_("it is too short or too long"))
        case InvalidFormat():
            return Phrase.of(N_("it has signs that do not belong there"))
        case _:
            return Phrase.of(N_("a part of it is not known"))


@cache
def _number_of(country: str, kind: str) -> "NumberValidationModule | None":
    return get_cc_module(country.lower(), kind) if country else None
