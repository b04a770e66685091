"""The fields by which one party or term is typed: the columns of its file, as a form asks for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import get_locale, gettext

from marketplace.core.cells import with_decimal_comma
from marketplace.core.country import COUNTRIES
from marketplace.core.currency import CURRENCIES
from marketplace.core.errors import N_
from resellers.words import Basis, BillingMode, Hop

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class TermField:
    """How one column is asked for. `choices` are (value, label in the reader's language)."""

    label: str
    hint: str = ""
    input: str = "text"
    choices: Callable[[], Choices] | None = None

    @property
    def is_number(self) -> bool:
        """Whether a number is typed, so that a comma may stand for the decimal point."""
        return self.input == "decimal"


def _currencies() -> Choices:
    return [(code, code) for code in sorted(CURRENCIES)]


def _countries() -> Choices:
    locale = get_locale()
    names = {code: str(locale.territories.get(code, code)) if locale else code for code in COUNTRIES}
    return sorted(names.items(), key=lambda one: one[1])


def billing_modes() -> Choices:
    """Give who may invoice, in words."""
    said = {
        BillingMode.RESALE: gettext("Resale: the reseller invoices"),
        BillingMode.MANDATE: gettext("Mandate: we invoice in the reseller's name"),
        BillingMode.ON_BEHALF: gettext("On behalf: we invoice the customer"),
        BillingMode.AGENT: gettext("Agent: we invoice, the reseller earns a commission"),
        BillingMode.DIRECT: gettext("Direct: we invoice, without a reseller's share"),
    }
    return [(mode.value, words) for mode, words in said.items()]


def _hops() -> Choices:
    return [
        (Hop.WHOLESALE.value, gettext("Wholesale: the reseller pays")),
        (Hop.RETAIL.value, gettext("Retail: the customer pays")),
    ]


def _bases() -> Choices:
    return [
        (Basis.COST.value, gettext("Cost, with a percentage")),
        (Basis.LIST.value, gettext("List price, with a percentage")),
        (Basis.FIXED.value, gettext("A fixed price per unit")),
    ]


FIELDS: Mapping[str, TermField] = {
    "reference": TermField(label=N_("Reference"), hint=N_("Your own name for it, in files and commands.")),
    "legal_name": TermField(label=N_("Legal name")),
    "country": TermField(label=N_("Country"), choices=_countries),
    "vat_number": TermField(label=N_("VAT number")),
    "registration_number": TermField(label=N_("Registration number"), hint=N_("In France a SIREN or SIRET.")),
    "partner_id": TermField(label=N_("Partner id"), hint=N_("In the vendor's partner programme.")),
    "currency": TermField(label=N_("Currency"), choices=_currencies),
    "billing_mode": TermField(label=N_("Who invoices"), choices=billing_modes),
    "email": TermField(label=N_("E-mail"), input="email"),
    "reseller": TermField(
        label=N_("Reseller"), hint=N_("Its reference: type a few letters of it or of the name.")
    ),
    "vendor": TermField(label=N_("Vendor")),
    "account": TermField(label=N_("Account")),
    "customer": TermField(
        label=N_("Customer"), hint=N_("Its reference: type a few letters of it or of the name.")
    ),
    "valid_from": TermField(label=N_("From"), hint=N_("By day of usage. Blank: since ever."), input="date"),
    "valid_until": TermField(
        label=N_("Until (this day excluded)"), hint=N_("Blank: until further notice."), input="date"
    ),
    "hop": TermField(label=N_("Hop"), choices=_hops),
    "subscription": TermField(label=N_("Subscription")),
    "product": TermField(label=N_("Product"), hint=N_("Needs its vendor.")),
    "sku": TermField(label=N_("SKU"), hint=N_("Needs its product.")),
    "basis": TermField(label=N_("Starts from"), choices=_bases),
    "percent": TermField(
        label=N_("Percentage"),
        hint=N_("12.5 adds an eighth, -10 takes a tenth off. Leave blank for a fixed price."),
        input="decimal",
    ),
    "unit_price": TermField(
        label=N_("Price per unit"), hint=N_("For a fixed price alone, with its currency."), input="decimal"
    ),
    "month": TermField(label=N_("Month"), input="month"),
    "from": TermField(label=N_("From currency"), choices=_currencies),
    "to": TermField(label=N_("To currency"), choices=_currencies),
    "rate": TermField(
        label=N_("Rate"), hint=N_("One unit of the first currency is so many of the second."), input="decimal"
    ),
}


def typed_cells(columns: Sequence[str], typed: Mapping[str, str]) -> dict[str, str]:
    """Give what was typed as the cells of a file, numbers with a dot for the decimal point."""
    cells = {name: typed.get(name, "").strip() for name in columns}
    return {
        name: with_decimal_comma(text) if FIELDS[name].is_number else text for name, text in cells.items()
    }
