"""Questions about a line, put by its buyer to its seller and answered there.

A question about a wholesale line goes from the reseller to the wholesaler, one about a retail line from the
customer to the reseller. Nobody above the hop takes part: the wholesaler is not asked
about what a reseller charges.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party, notify_user
from marketplace.billing.models import Question, QuestionMessage, StatementLine
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.period import Period
from marketplace.core.permit import require
from resellers.words import Hop

MOST_LETTERS = 4000

# Who buys, and so may ask, and who sells, and so is asked.
BUYERS = {Hop.WHOLESALE: Audience.RESELLER, Hop.RETAIL: Audience.CUSTOMER}
SELLERS = {Hop.WHOLESALE: Audience.WHOLESALER, Hop.RETAIL: Audience.RESELLER}

_ASK = {
    Audience.RESELLER: Permission.RESELLER_QUESTIONS_ASK,
    Audience.CUSTOMER: Permission.CUSTOMER_QUESTIONS_ASK,
}
_ANSWER = {
    Audience.WHOLESALER: Permission.WHOLESALER_QUESTIONS_ANSWER,
    Audience.RESELLER: Permission.RESELLER_QUESTIONS_ANSWER,
}

_PAGES = {
    Audience.WHOLESALER: "/admin/questions",
    Audience.RESELLER: "/questions",
    Audience.CUSTOMER: "/portal/questions",
}
_ASKED = N_("%(name)s asks about a line of %(period)s.")
_ANSWERED = N_("%(name)s has answered your question about a line of %(period)s.")


class NothingWritten(Refusal):
    """A question or an answer without words."""

    sentence = N_("Write a few words, so that the other side knows what is meant.")


class TooLong(Refusal):
    """More than anybody reads."""

    sentence = N_("Write at most %(most)s letters; %(letters)s were written.")


class NotTheBuyer(Refusal):
    """Questions come from whoever the line charges."""

    sentence = N_("Only the party a line charges can ask about it.")


class NotAddressed(Refusal):
    """Answers come from whoever was asked."""

    sentence = N_("This question was put to somebody else, who is to answer it.")


def questions_visible_to(actor: Actor) -> Select[Question]:
    """Select the questions an actor takes part in: those it asked and those put to it."""
    statement = select(Question)
    match actor.audience:
        case Audience.WHOLESALER:
            return statement.where(Question.hop == Hop.WHOLESALE.value)
        case Audience.RESELLER:
            return statement.where(Question.reseller_id == actor.party_id)
        case Audience.CUSTOMER:
            return statement.where(Question.customer_id == actor.party_id, Question.hop == Hop.RETAIL.value)


def may_ask(actor: Actor, *, hop: str) -> bool:
    """Whether the actor may put a question on lines of a hop."""
    permission = _ASK.get(actor.audience)
    is_buyer = actor.audience is BUYERS[Hop(hop)]
    return is_buyer and permission is not None and actor.may(permission) and not actor.is_read_only


def may_answer(actor: Actor, *, hop: str) -> bool:
    """Whether the actor may answer questions about lines of a hop."""
    permission = _ANSWER.get(actor.audience)
    is_seller = actor.audience is SELLERS[Hop(hop)]
    return is_seller and permission is not None and actor.may(permission) and not actor.is_read_only


def ask(session: Session, *, actor: Actor, line_id: UUID, text: str) -> Question:
    """Put a question on a line. Raises `NotFound`, `NotTheBuyer`, `NothingWritten`."""
    line = _line_of_buyer(session, actor=actor, line_id=line_id)
    words = _words(text)
    seller = SELLERS[Hop(line.hop)]
    question = Question(
        period=line.period,
        line_id=line.id,
        hop=line.hop,
        reseller_id=line.reseller_id,
        customer_id=line.customer_id,
        addressed_to=seller.value,
        asked_by=actor.name,
        asked_by_id=actor.user_id,
    )
    session.add(question)
    session.flush()
    _add_message(session, question=question, actor=actor, words=words)
    _tell_seller(session, question=question, actor=actor)
    audit.record(
        session,
        actor=actor,
        action="question.ask",
        subject="question",
        subject_id=question.public_id,
        after={"line": str(line.id), "addressed_to": seller.value, "text": words},
    )
    return question


def ask_further(session: Session, *, actor: Actor, question_id: UUID, text: str) -> Question:
    """Add to one's own question, which waits for an answer again.

    Raises `NotFound`, `NotTheBuyer`, `NothingWritten`.
    """
    question = _question(session, actor=actor, question_id=question_id)
    if actor.audience is not BUYERS[Hop(question.hop)]:
        raise NotTheBuyer
    require(actor, _ASK[actor.audience])
    words = _words(text)
    _add_message(session, question=question, actor=actor, words=words)
    question.answered_at = None
    _tell_seller(session, question=question, actor=actor)
    _record(session, actor=actor, action="question.ask_further", question=question, words=words)
    return question


def answer(session: Session, *, actor: Actor, question_id: UUID, text: str, now: datetime) -> Question:
    """Answer a question put to the actor's party. Raises `NotFound`, `NotAddressed`, `NothingWritten`."""
    question = _question(session, actor=actor, question_id=question_id)
    if actor.audience.value != question.addressed_to:
        raise NotAddressed
    require(actor, _ANSWER[actor.audience])
    words = _words(text)
    _add_message(session, question=question, actor=actor, words=words)
    question.answered_at = now
    _tell_buyer(session, question=question, actor=actor)
    _record(session, actor=actor, action="question.answer", question=question, words=words)
    return question


def _tell_seller(session: Session, *, question: Question, actor: Actor) -> None:
    """Tell those at the seller who may answer."""
    seller = Audience(question.addressed_to)
    notify_party(
        session,
        audience=seller,
        party_id=question.reseller_id if seller is Audience.RESELLER else None,
        permission=_ANSWER[seller],
        phrase=Phrase.of(_ASKED, name=actor.name, period=Period.from_number(question.period)),
        link=f"{_PAGES[seller]}/{question.public_id}",
    )


def _tell_buyer(session: Session, *, question: Question, actor: Actor) -> None:
    """Tell whoever asked, while they work there."""
    buyer = BUYERS[Hop(question.hop)]
    if question.asked_by_id is None:
        return
    notify_user(
        session,
        user_id=question.asked_by_id,
        audience=buyer,
        party_id=question.reseller_id if buyer is Audience.RESELLER else question.customer_id,
        phrase=Phrase.of(_ANSWERED, name=actor.name, period=Period.from_number(question.period)),
        link=f"{_PAGES[buyer]}/{question.public_id}",
    )


def _line_of_buyer(session: Session, *, actor: Actor, line_id: UUID) -> StatementLine:
    """Find a line the actor is charged for; what belongs to somebody else is as good as missing."""
    line = session.scalar(select(StatementLine).where(StatementLine.id == line_id))
    if line is None or not _is_party(actor, line):
        raise NotFound
    if actor.audience is not BUYERS[Hop(line.hop)]:
        raise NotTheBuyer
    require(actor, _ASK[actor.audience])
    return line


def _is_party(actor: Actor, line: StatementLine) -> bool:
    match actor.audience:
        case Audience.WHOLESALER:
            return True
        case Audience.RESELLER:
            return line.reseller_id == actor.party_id
        case Audience.CUSTOMER:
            return line.customer_id == actor.party_id and line.hop == Hop.RETAIL.value


def _question(session: Session, *, actor: Actor, question_id: UUID) -> Question:
    question = session.scalars(
        questions_visible_to(actor).where(Question.public_id == question_id).with_for_update()
    ).one_or_none()
    if question is None:
        raise NotFound
    return question


def _words(text: str) -> str:
    words = text.strip()
    if not words:
        raise NothingWritten
    if len(words) > MOST_LETTERS:
        raise TooLong(most=MOST_LETTERS, letters=len(words))
    return words


def _add_message(session: Session, *, question: Question, actor: Actor, words: str) -> None:
    session.add(
        QuestionMessage(
            question_id=question.id,
            audience=actor.audience.value,
            author=actor.name,
            author_id=actor.user_id,
            text=words,
        )
    )


def _record(session: Session, *, actor: Actor, action: str, question: Question, words: str) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="question",
        subject_id=question.public_id,
        after={"text": words},
    )
