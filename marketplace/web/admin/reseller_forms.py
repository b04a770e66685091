"""The forms of a reseller's tabs: status, enrolments, who invoices, credit."""

from flask_babel import gettext, lazy_gettext
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Regexp

from marketplace.web.admin.terms_fields import billing_modes
from marketplace.web.forms import AmountField, DayField, PageForm
from resellers.rules.applications import PROGRAMME_LABELS
from resellers.rules.standing import ENROLMENT_STATUS_LABELS, PREREQUISITE_LABELS, RESELLER_STATUS_LABELS
from resellers.words import EnrolmentStatus, ResellerStatus

_DIGITS = Regexp(r"^\d{0,12}$", message=lazy_gettext("Write its digits alone, such as 4847383."))


class StatusForm(PageForm):
    """Another status, and why."""

    status = SelectField(lazy_gettext("What it becomes"))
    reason = TextAreaField(
        lazy_gettext("Why"),
        validators=[InputRequired(lazy_gettext("Write a few words.")), Length(max=4000)],
    )


class EnrolForm(PageForm):
    """A vendor whose programme the reseller joins."""

    vendor = StringField(
        lazy_gettext("Vendor"), validators=[InputRequired(lazy_gettext("Name the vendor.")), Length(max=100)]
    )
    programme = SelectField(lazy_gettext("Programme"))
    partner_id = StringField(lazy_gettext("Partner id"), validators=[_DIGITS])


class EnrolmentForm(PageForm):
    """An enrolment changed."""

    programme = SelectField(lazy_gettext("Programme"))
    status = SelectField(lazy_gettext("Status"))
    partner_id = StringField(lazy_gettext("Partner id"), validators=[_DIGITS])


class PrerequisiteForm(PageForm):
    """Something a direct partner has met; without a day, the record is taken away."""

    kind = SelectField(lazy_gettext("Prerequisite"))
    met_on = DayField(lazy_gettext("Met on"))


class BillingModeForm(PageForm):
    """Who invoices, from when, for all customers or one."""

    mode = SelectField(lazy_gettext("Who invoices"))
    valid_from = DayField(lazy_gettext("From"), validators=[InputRequired(lazy_gettext("Choose the day."))])
    customer = StringField(lazy_gettext("For one customer alone"), validators=[Length(max=200)])


class CreditForm(PageForm):
    """How much may be owed and for how long."""

    credit_limit = AmountField(lazy_gettext("Credit limit"))
    payment_days = IntegerField(
        lazy_gettext("Days to pay"),
        validators=[
            InputRequired(lazy_gettext("Write the number of days.")),
            NumberRange(min=0, max=365, message=lazy_gettext("Write between 0 and 365 days.")),
        ],
    )
    customer = StringField(lazy_gettext("For one customer alone"), validators=[Length(max=200)])


def status_form(status: ResellerStatus) -> StatusForm:
    """Give the form with what may follow a status."""
    form = StatusForm()
    form.status.choices = [
        SelectChoice(one.value, gettext(label))
        for one, label in RESELLER_STATUS_LABELS.items()
        if one is not status
    ]
    return form


def enrol_form() -> EnrolForm:
    """Give the form of a new enrolment."""
    form = EnrolForm()
    form.programme.choices = _programmes()
    return form


def enrolment_form(data: dict[str, str] | None = None, *, prefix: str = "") -> EnrolmentForm:
    """Give the form of a standing enrolment."""
    form = EnrolmentForm(data=data, prefix=prefix)
    form.programme.choices = _programmes()
    form.status.choices = [
        SelectChoice(one.value, gettext(ENROLMENT_STATUS_LABELS[one])) for one in EnrolmentStatus
    ]
    return form


def prerequisite_form(*, prefix: str = "") -> PrerequisiteForm:
    """Give the form of a prerequisite."""
    form = PrerequisiteForm(prefix=prefix)
    form.kind.choices = [
        SelectChoice(one.value, gettext(label)) for one, label in PREREQUISITE_LABELS.items()
    ]
    return form


def billing_mode_form() -> BillingModeForm:
    """Give the form of who invoices."""
    form = BillingModeForm()
    form.mode.choices = [
        *(SelectChoice(value, label) for value, label in billing_modes()),
        SelectChoice("", gettext("As for the reseller's other customers")),
    ]
    return form


def _programmes() -> list[SelectChoice]:
    return [SelectChoice(one.value, gettext(label)) for one, label in PROGRAMME_LABELS.items()]
