"""The form with which customers answer for renewals, behind a link and in the portal: the same questions, one name."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from marketplace.core.clock import utc_now
from marketplace.core.errors import Refusal
from marketplace.subscriptions.cockpit import Renewal
from marketplace.subscriptions.rules.answers import Answer, RenewalsOver
from marketplace.subscriptions.words import AtTermEnd
from marketplace.web.forms import PageForm
from marketplace.web.session import order_desk

_SEATS = "seats"
_MOST_SEATS = 10_000_000
Take = Callable[[Session, PageForm, list[Answer]], object]


def answer_page(
    renewals: Sequence[Renewal],
    template: str,
    *,
    signs: bool,
    take: Take,
    done: Callable[[], str],
    **context: Any,
) -> ResponseReturnValue:
    """Show renewals with their questions; take the answers that were sent. `signs`: with a name, which is asked for."""
    now = utc_now()
    open_ones = [one for one in renewals if now < one.deadline]
    form = _form(open_ones, signs=signs)
    status = 200
    if form.is_submitted():
        answers = _read(form, open_ones)
        if answers is not None:
            try:
                if _is_late(open_ones):
                    raise RenewalsOver
                with order_desk() as desk:
                    take(desk, form, answers)
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                return redirect(done(), code=303)
        status = 422
    asked = {one.row.id: (form[_choice(one)], form[_seats(one)]) for one in open_ones}
    return render_template(
        template, renewals=renewals, asked=asked, form=form, signs=signs, **context
    ), status


def _form(renewals: Sequence[Renewal], *, signs: bool) -> PageForm:
    fields: dict[str, Any] = {}
    for one in renewals:
        # What is set to end must renew again before its seats can change.
        may_change_seats = one.row.at_term_end == AtTermEnd.RENEW
        fields[_choice(one)] = RadioField(
            gettext("What shall happen with %(name)s?", name=one.row.name),
            choices=[
                SelectChoice(AtTermEnd.RENEW.value, gettext("Renew it as it is")),
                *(
                    [SelectChoice(_SEATS, gettext("Renew it with another number of seats"))]
                    if may_change_seats
                    else []
                ),
                SelectChoice(AtTermEnd.END.value, gettext("Let it end")),
            ],
            validators=[Optional()],
            validate_choice=False,
            default=_answer_before(one),
        )
        fields[_seats(one)] = StringField(
            gettext("Seats of %(name)s from then on", name=one.row.name),
            validators=[Optional()],
            default=str(one.seats_then),
        )
    if signs:
        fields["name"] = StringField(
            lazy_gettext("Your name"), validators=[InputRequired(lazy_gettext("Write your name."))]
        )
    made: PageForm = type("AnswerForm", (PageForm,), fields)()
    return made


def _read(form: PageForm, renewals: Sequence[Renewal]) -> list[Answer] | None:
    """Read the answers; None where a field is faulty, which says so."""
    is_right = form.validate()
    answers = []
    for one in renewals:
        choice, seats = form[_choice(one)], form[_seats(one)]
        known = {option.value for option in choice.choices}
        if not choice.data:
            continue
        if choice.data not in known:
            choice.errors = [*choice.errors, gettext("Choose one of the answers.")]
            is_right = False
        elif choice.data != _SEATS:
            answers.append(Answer(one.row.id, AtTermEnd(choice.data)))
        elif (wanted := _whole(seats.data or "")) is None:
            seats.errors = [*seats.errors, gettext("Write a whole number of seats, one at least.")]
            is_right = False
        else:
            answers.append(Answer(one.row.id, AtTermEnd.RENEW, wanted))
    return answers if is_right else None


def _whole(text: str) -> int | None:
    plain = text.strip()
    is_number = plain.isascii() and plain.isdecimal() and 0 < len(plain) <= len(str(_MOST_SEATS))
    return int(plain) if is_number and 0 < int(plain) <= _MOST_SEATS else None


def _is_late(renewals: Sequence[Renewal]) -> bool:
    """Whether something was answered that is not open any more: the page was older than the term."""
    return bool(
        {name for name in request.form if name.startswith("choice-")} - {_choice(one) for one in renewals}
    )


def _answer_before(one: Renewal) -> str | None:
    if one.row.answer == AtTermEnd.RENEW and one.row.answer_seats is not None:
        return _SEATS
    return one.row.answer or None


def _choice(one: Renewal) -> str:
    return f"choice-{one.row.id.hex}"


def _seats(one: Renewal) -> str:
    return f"seats-{one.row.id.hex}"
