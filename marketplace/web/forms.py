"""Form fields that read what people really type: amounts, percentages, months and days."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, Field, StringField, ValidationError
from wtforms.widgets import TextInput

from marketplace.core.cells import FaultyEntry
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import NotAPeriod, Period
from marketplace.core.written import MINUS
from marketplace.web.filters import said as translated
from marketplace.web.filters import sentence

# Every space a spreadsheet or a French keyboard puts between thousands, and the apostrophe of Swiss ones.
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'\u2019]")
_NUMBER = re.compile(r"-?\d{1,20}(?:[.,]\d{1,18})?", re.ASCII)


class NotANumber(Refusal):
    """The text is not a number, or could be read in two ways."""

    sentence = N_(
        '"%(value)s" is not a number. Write 1234.50 or 1234,50, without a separator between thousands.'
    )


def parse_number(text: str) -> Decimal:
    """Read a number with a comma or a dot and any spaces; `1.234,50` is refused, since it could mean two things."""
    plain = _SPACES.sub("", text).replace(MINUS, "-")
    if not _NUMBER.fullmatch(plain):
        raise NotANumber(value=text)
    return Decimal(plain.replace(",", "."))


class PageForm(FlaskForm):  # type: ignore[misc]
    """The base of every form: the token that proves it is ours, and refusals shown as errors of the form."""

    def refuse(self, refusal: Refusal, field: str = "") -> None:
        """Show a refusal in the summary of errors, beside a field where one is to blame."""
        errors = self[field].errors if field else self.form_errors
        said = sentence(refusal)
        if isinstance(errors, list):
            errors.append(said)
        else:
            self[field].errors = [*errors, said]

    def refuse_entry(self, faulty: FaultyEntry) -> None:
        """Show each fault of an entry at its field."""
        for row in faulty.rows:
            self[row.column].errors = [*self[row.column].errors, translated(row.reason)]


class AmountField(Field):  # type: ignore[misc]
    """A decimal number, exact. Its `data` is a `Decimal`, or None when left empty."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = self.read(valuelist[0])
            except Refusal as refusal:
                raise ValueError(sentence(refusal)) from refusal

    def read(self, text: str) -> Decimal:
        """Read a number."""
        return parse_number(text)


class PercentField(AmountField):
    """A percentage in percent, with or without its sign: `12,5 %` is `Decimal("12.5")`."""

    def read(self, text: str) -> Decimal:
        """Read a number before an optional percent sign."""
        return parse_number(text.replace("%", ""))


class PeriodField(Field):  # type: ignore[misc]
    """A month, `2024-09`. Its `data` is a `Period`, or None when left empty."""

    widget = TextInput(input_type="month")

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        self.data = None
        if valuelist and valuelist[0].strip():
            try:
                self.data = Period.parse(valuelist[0])
            except NotAPeriod as refusal:
                raise ValueError(sentence(refusal)) from refusal


class DayField(DateField):  # type: ignore[misc]
    """A day. Its `data` is a date, or None when left empty."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        """Take the machine form that browsers send, and the two ways people type it."""
        super().__init__(label, validators, format=["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"], **kwargs)


class Typed:
    """Ask that a given word be typed, before something that cannot be undone."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __init__(self, word: Callable[[Any], str] | str) -> None:
        """Take the word, or a function of the form that gives it."""
        self.word = word

    def __call__(self, form: Any, field: Any) -> None:
        """Compare, without regard to case and surrounding spaces."""
        word = self.word(form) if callable(self.word) else self.word
        if (field.data or "").strip().casefold() != word.casefold():
            raise ValidationError(gettext('Type "%(word)s" to confirm.', word=word))


class TypedConfirmation(PageForm):
    """A form that asks for one word to be typed; set `word` before validating."""

    word = ""
    typed = StringField(lazy_gettext("Type the word to confirm"), validators=[Typed(lambda form: form.word)])
