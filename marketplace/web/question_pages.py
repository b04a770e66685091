"""Questions on lines, as both buyers' shells show them."""

from uuid import UUID

from flask import abort
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from marketplace.billing.models import Question
from marketplace.billing.queries.owed import LinePage, find_line
from marketplace.billing.queries.questions import QuestionRow, question_row
from marketplace.billing.questions import MOST_LETTERS
from marketplace.core.errors import N_
from marketplace.web.forms import PageForm
from marketplace.web.listing import Column, Filter, Kind, ListView, OnPhone
from marketplace.web.session import current_actor
from resellers.models import Customer


class WordsForm(PageForm):
    """A question or an answer."""

    text = TextAreaField(
        lazy_gettext("Your message"),
        validators=[
            InputRequired(lazy_gettext("Write a few words, so that the other side knows what is meant.")),
            Length(max=MOST_LETTERS),
        ],
    )


def line_or_404(session: Session, line_id: UUID) -> LinePage:
    """Give a line the reader may see, with what its page shows."""
    page = find_line(session, actor=current_actor(), line_id=line_id)
    if page is None:
        abort(404)
    return page


def _is_status(value: str) -> ColumnElement[bool]:
    return Question.answered_at.is_(None) if value == "asked" else Question.answered_at.is_not(None)


def question_list(
    *, has_customers: bool, filters: tuple[Filter[QuestionRow], ...] = ()
) -> ListView[QuestionRow]:
    """Describe the list of questions, those that wait first."""
    customer = Column[QuestionRow](
        key="customer", label=N_("Customer"), value=lambda row: row.customer, sort=Customer.legal_name
    )
    return ListView[QuestionRow](
        name="questions",
        columns=(
            Column(key="text", label=N_("Question"), value=lambda row: row.text, phone=OnPhone.TITLE),
            *((customer,) if has_customers else ()),
            Column(key="product", label=N_("Line"), value=lambda row: row.product),
            Column(key="amount", label=N_("Amount"), value=lambda row: row.amount, kind=Kind.MONEY),
            Column(
                key="asked_at",
                label=N_("Asked"),
                value=lambda row: row.asked_at,
                sort=Question.created_at,
                kind=Kind.DAY,
            ),
            Column(
                key="status",
                label=N_("Status"),
                value=lambda row: row.status,
                kind=Kind.STATUS,
                phone=OnPhone.SIDE,
            ),
        ),
        filters=(
            Filter(
                key="status",
                label=N_("Status"),
                choices=(("asked", N_("Asked")), ("answered", N_("Answered"))),
                where=_is_status,
            ),
            *filters,
        ),
        sort="-asked_at",
        tie_break=(Question.id,),
        row=question_row,
    )
