"""Questions: those of customers to answer, and those put to the wholesaler."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import Select
from sqlalchemy.orm import Session

from marketplace.billing import questions as asking
from marketplace.billing.models import Question
from marketplace.billing.queries.questions import QuestionPage, QuestionRow, find_question, list_questions
from marketplace.billing.queries.visible import hops_of
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.web.guards import requires
from marketplace.web.listing import Filter
from marketplace.web.navigation import GROUP_QUESTIONS, add_to_menu
from marketplace.web.question_pages import WordsForm, question_list
from marketplace.web.session import current_actor, transaction
from marketplace.web.storefront import blueprint
from resellers.models import Hop

add_to_menu(
    Audience.RESELLER,
    endpoint="storefront.questions",
    label=N_("Questions"),
    icon="message-question",
    permission=Permission.RESELLER_QUESTIONS_ASK,
    place=60,
    group=GROUP_QUESTIONS,
    words="inbox answers",
)

_SIDES: Filter[QuestionRow] = Filter(
    key="of",
    label=N_("From"),
    choices=((Hop.RETAIL.value, N_("Customers")), (Hop.WHOLESALE.value, N_("Us, to the wholesaler"))),
    where=lambda value: Question.hop == value,
)


def questions_of(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the questions about lines the actor may see: salespeople do not read about purchase prices."""
    return list_questions(actor).where(Question.hop.in_([hop.value for hop in hops_of(actor)]))


@blueprint.get("/questions")
@requires(Permission.RESELLER_QUESTIONS_ASK)
def questions() -> ResponseReturnValue:
    """List questions, newest first."""
    actor = current_actor()
    sides = (_SIDES,) if len(hops_of(actor)) > 1 else ()
    view = question_list(has_customers=True, filters=sides)
    with transaction() as session:
        return view.respond(session, questions_of(actor), "storefront/questions/list.html")


@blueprint.get("/questions/<uuid:question_id>")
@requires(Permission.RESELLER_QUESTIONS_ASK)
def question(question_id: UUID) -> ResponseReturnValue:
    """Show an exchange, with a field for whoever's turn it is."""
    with transaction() as session:
        return _page(_question_or_404(session, question_id), WordsForm())


@blueprint.post("/questions/<uuid:question_id>")
@requires(Permission.RESELLER_QUESTIONS_ASK)
def write(question_id: UUID) -> ResponseReturnValue:
    """Answer a customer's question, or add to one's own."""
    actor = current_actor()
    form = WordsForm()
    with transaction() as session:
        page = _question_or_404(session, question_id)
        if not form.validate_on_submit():
            return _page(page, form), 422
        words = form.text.data or ""
        if asking.may_answer(actor, hop=page.question.hop):
            asking.answer(session, actor=actor, question_id=question_id, text=words, now=utc_now())
            said = gettext("Your answer was sent to %(customer)s.", customer=page.question.customer)
        else:
            asking.ask_further(session, actor=actor, question_id=question_id, text=words)
            said = gettext("Your message was sent to the wholesaler.")
    flash(said, "success")
    return redirect(url_for("storefront.question", question_id=question_id), code=303)


def _question_or_404(session: Session, question_id: UUID) -> QuestionPage:
    actor = current_actor()
    page = find_question(session, actor=actor, question_id=question_id)
    if page is None or page.question.hop not in hops_of(actor):
        abort(404)
    return page


def _page(page: QuestionPage, form: WordsForm) -> str:
    actor = current_actor()
    hop = page.question.hop
    return render_template(
        "storefront/questions/show.html",
        page=page,
        question=page.question,
        form=form,
        may_answer=asking.may_answer(actor, hop=hop),
        may_ask=asking.may_ask(actor, hop=hop),
    )
