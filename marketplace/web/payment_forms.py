"""The forms that note what was paid of a statement and take it back."""

from flask_babel import gettext, lazy_gettext
from wtforms import TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length

from marketplace.billing.queries.owed import StatementRow
from marketplace.core.clock import utc_now
from marketplace.web.forms import AmountField, DayField, PageForm


class PaymentForm(PageForm):
    """How much was paid, and when."""

    amount = AmountField(
        lazy_gettext("Amount"), validators=[InputRequired(lazy_gettext("Write how much was paid."))]
    )
    paid_on = DayField(
        lazy_gettext("Paid on"), validators=[InputRequired(lazy_gettext("Write the day it was paid."))]
    )

    def validate_paid_on(self, field: DayField) -> None:
        """Refuse a day to come."""
        if field.data and field.data > utc_now().date():
            raise ValidationError(gettext("Choose a day until today."))

    @classmethod
    def for_rest(cls, document: StatementRow) -> "PaymentForm":
        """Suggest that what is left was paid today."""
        form = cls()
        form.amount.data = document.left.amount if document.left else None
        form.paid_on.data = utc_now().date()
        return form


class UndoForm(PageForm):
    """Why a payment is taken back."""

    reason = TextAreaField(
        lazy_gettext("Why"),
        validators=[InputRequired(lazy_gettext("Write a few words.")), Length(max=4000)],
    )
