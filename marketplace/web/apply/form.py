"""What an applicant is asked for."""

from collections.abc import Mapping
from typing import Any

from flask_babel import get_locale, gettext, lazy_gettext
from wtforms import FileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from marketplace.core.country import COUNTRIES
from marketplace.core.currency import CURRENCIES
from marketplace.web.forms import PageForm
from resellers.models import ApplicationContact, ResellerApplication
from resellers.rules.applications import DOCUMENT_LABELS, PROGRAMME_LABELS
from resellers.words import ContactKind, Programme

_LONGEST = 200
_LONGEST_TEXT = 4000
COMPANY = ("legal_name", "country", "registration_number", "vat_number", "currency", "website")
PROGRAMME = ("programme", "partner_id", "about")
CONTACTS = tuple(f"{kind.value}_{part}" for kind in ContactKind for part in ("name", "email", "phone"))
#: The vendor whose programme one applies for here; staff enrol with others.
VENDOR = "microsoft"


class ApplicationForm(PageForm):
    """The company, the programme and the contacts; only what a link can be mailed by must be there at once."""

    legal_name = StringField(
        lazy_gettext("Legal name"),
        validators=[InputRequired(lazy_gettext("Write the legal name.")), Length(max=_LONGEST)],
    )
    country = SelectField(lazy_gettext("Country"))
    registration_number = StringField(lazy_gettext("Registration number"), validators=[Length(max=_LONGEST)])
    vat_number = StringField(lazy_gettext("VAT number"), validators=[Length(max=_LONGEST)])
    currency = SelectField(lazy_gettext("Currency"))
    website = StringField(lazy_gettext("Web site"), validators=[Length(max=_LONGEST)])
    programme = SelectField(lazy_gettext("Programme"))
    partner_id = StringField(lazy_gettext("Partner id"), validators=[Length(max=12)])
    about = TextAreaField(lazy_gettext("About your business"), validators=[Length(max=_LONGEST_TEXT)])
    owner_name = StringField(
        lazy_gettext("Name of who signs in first"),
        validators=[InputRequired(lazy_gettext("Write a name.")), Length(max=120)],
    )
    owner_email = StringField(
        lazy_gettext("E-mail of who signs in first"),
        validators=[InputRequired(lazy_gettext("Write your e-mail."))],
    )
    owner_phone = StringField(lazy_gettext("Phone of who signs in first"), validators=[Length(max=40)])
    billing_name = StringField(lazy_gettext("Name of the billing contact"), validators=[Length(max=120)])
    billing_email = StringField(lazy_gettext("E-mail of the billing contact"))
    billing_phone = StringField(lazy_gettext("Phone of the billing contact"), validators=[Length(max=40)])
    technical_name = StringField(lazy_gettext("Name of the technical contact"), validators=[Length(max=120)])
    technical_email = StringField(lazy_gettext("E-mail of the technical contact"))
    technical_phone = StringField(lazy_gettext("Phone of the technical contact"), validators=[Length(max=40)])

    def cells(self) -> dict[str, str]:
        """Give what was typed, by column."""
        return {
            "vendor": VENDOR,
            **{name: str(self[name].data or "") for name in (*COMPANY, *PROGRAMME, *CONTACTS)},
        }


class DocumentForm(PageForm):
    """A file, and what it proves."""

    kind = SelectField(lazy_gettext("What it is"))
    file = FileField(lazy_gettext("File"))


class WordsForm(PageForm):
    """An answer in the applicant's own words."""

    text = TextAreaField(
        lazy_gettext("Your answer"),
        validators=[InputRequired(lazy_gettext("Write a few words.")), Length(max=_LONGEST_TEXT)],
    )


def application_form(values: Mapping[str, Any] | None = None) -> ApplicationForm:
    """Give the form with its choices in the reader's language."""
    form = ApplicationForm(data=values)
    locale = get_locale()
    names = {code: str(locale.territories.get(code, code)) if locale else code for code in COUNTRIES}
    blank = SelectChoice("", gettext("Choose"))
    form.country.choices = [
        blank,
        *(SelectChoice(code, name) for code, name in sorted(names.items(), key=lambda one: one[1])),
    ]
    form.currency.choices = [blank, *(SelectChoice(code, code) for code in sorted(CURRENCIES))]
    form.programme.choices = [
        blank,
        *(
            SelectChoice(one.value, gettext(PROGRAMME_LABELS[one]))
            for one in (Programme.INDIRECT_RESELLER, Programme.DIRECT_PARTNER)
        ),
    ]
    return form


def document_form() -> DocumentForm:
    """Give the form for one more document."""
    form = DocumentForm()
    form.kind.choices = [SelectChoice(kind.value, gettext(label)) for kind, label in DOCUMENT_LABELS.items()]
    return form


def written(application: ResellerApplication, contacts: list[ApplicationContact]) -> dict[str, str]:
    """Give what stands in an application, by column."""
    values = {name: str(getattr(application, name)) for name in (*COMPANY, *PROGRAMME)}
    for contact in contacts:
        for part in ("name", "email", "phone"):
            values[f"{contact.kind}_{part}"] = str(getattr(contact, part))
    return values
