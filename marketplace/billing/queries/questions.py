"""Questions about lines: the inbox of whoever answers, the list of whoever asked, and one exchange."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from marketplace.billing.models import Question, QuestionMessage, StatementLine
from marketplace.billing.questions import questions_visible_to
from marketplace.core.actor import Actor
from marketplace.core.money import Money
from marketplace.core.period import Period
from resellers.models import Customer, Reseller


@dataclass(frozen=True)
class QuestionRow:
    """A question as lists show it."""

    id: UUID
    hop: str
    period: Period
    line_id: UUID
    reseller: str
    customer: str
    product: str
    # None once the line has gone from a draft that was rated again.
    amount: Money | None
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None
    messages: int
    text: str

    @property
    def status(self) -> str:
        """Whether somebody still has to answer."""
        return "answered" if self.answered_at else "asked"


@dataclass(frozen=True)
class MessageRow:
    """One message of an exchange."""

    audience: str
    author: str
    at: datetime
    text: str


@dataclass(frozen=True)
class QuestionPage:
    """A question with its exchange."""

    question: QuestionRow
    messages: tuple[MessageRow, ...]


_first_text = (
    select(QuestionMessage.text)
    .where(QuestionMessage.question_id == Question.id)
    .order_by(QuestionMessage.id)
    .limit(1)
    .correlate(Question)
    .scalar_subquery()
)
_messages = (
    select(func.count())
    .select_from(QuestionMessage)
    .where(QuestionMessage.question_id == Question.id)
    .correlate(Question)
    .scalar_subquery()
)


def list_questions(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select `question_row`'s columns of the questions an actor takes part in, newest first."""
    return (
        questions_visible_to(actor)
        .join(Reseller, Reseller.id == Question.reseller_id)
        .join(Customer, Customer.id == Question.customer_id)
        .outerjoin(
            StatementLine, and_(StatementLine.period == Question.period, StatementLine.id == Question.line_id)
        )
        .with_only_columns(
            Question.public_id,
            Question.hop,
            Question.period,
            Question.line_id,
            Reseller.legal_name,
            Customer.legal_name,
            StatementLine.product,
            StatementLine.amount_minor,
            StatementLine.currency,
            Question.asked_by,
            Question.created_at,
            Question.answered_at,
            _messages,
            _first_text,
        )
        .order_by(Question.created_at.desc(), Question.id.desc())
    )


def question_row(found: Any) -> QuestionRow:
    """Make the row of a list from what `list_questions` gives."""
    id_, hop, period, line_id, reseller, customer, product, minor, currency, *rest = found
    asked_by, asked_at, answered_at, messages, text = rest
    return QuestionRow(
        id=id_,
        hop=hop,
        period=Period.from_number(period),
        line_id=line_id,
        reseller=reseller,
        customer=customer,
        product=product or "",
        amount=None if minor is None else Money(minor, currency),
        asked_by=asked_by,
        asked_at=asked_at,
        answered_at=answered_at,
        messages=messages,
        text=text or "",
    )


def find_question(session: Session, *, actor: Actor, question_id: UUID) -> QuestionPage | None:
    """Give a question with its exchange, None where the actor takes no part in it."""
    found = session.execute(list_questions(actor).where(Question.public_id == question_id)).one_or_none()
    if found is None:
        return None
    messages = session.execute(
        select(QuestionMessage.audience, QuestionMessage.author, QuestionMessage.at, QuestionMessage.text)
        .join(Question, Question.id == QuestionMessage.question_id)
        .where(Question.public_id == question_id)
        .order_by(QuestionMessage.id)
    )
    return QuestionPage(question=question_row(found), messages=tuple(MessageRow(*row) for row in messages))


def questions_of_line(session: Session, *, actor: Actor, line_id: UUID) -> list[QuestionRow]:
    """Give the questions put on a line that the actor takes part in."""
    return [
        question_row(found)
        for found in session.execute(list_questions(actor).where(Question.line_id == line_id))
    ]


def count_waiting(session: Session, *, actor: Actor) -> int:
    """Count the questions the actor's party still has to answer."""
    waiting = questions_visible_to(actor).where(
        Question.addressed_to == actor.audience.value, Question.answered_at.is_(None)
    )
    return session.scalar(select(func.count()).select_from(waiting.subquery())) or 0
