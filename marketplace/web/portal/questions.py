"""The customer's questions to its reseller, and the answers."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing import questions as asking
from marketplace.billing.queries.questions import QuestionPage, find_question, list_questions
from marketplace.core.actor import Audience, Permission
from marketplace.core.errors import N_
from marketplace.web.guards import requires
from marketplace.web.navigation import add_to_menu
from marketplace.web.portal import blueprint
from marketplace.web.portal.contact import contact
from marketplace.web.question_pages import WordsForm, question_list
from marketplace.web.session import current_actor, transaction

add_to_menu(
    Audience.CUSTOMER,
    endpoint="portal.questions",
    label=N_("Questions"),
    icon="message-question",
    permission=Permission.CUSTOMER_QUESTIONS_ASK,
    place=30,
    words="answers contact reseller",
)


@blueprint.get("/questions")
@requires(Permission.CUSTOMER_QUESTIONS_ASK)
def questions() -> ResponseReturnValue:
    """List the questions put to the reseller."""
    with transaction() as session:
        return question_list(has_customers=False).respond(
            session, list_questions(current_actor()), "portal/questions/list.html", reseller=contact(session)
        )


@blueprint.get("/questions/<uuid:question_id>")
@requires(Permission.CUSTOMER_QUESTIONS_ASK)
def question(question_id: UUID) -> ResponseReturnValue:
    """Show an exchange."""
    with transaction() as session:
        return _page(_question_or_404(session, question_id), WordsForm())


@blueprint.post("/questions/<uuid:question_id>")
@requires(Permission.CUSTOMER_QUESTIONS_ASK)
def write(question_id: UUID) -> ResponseReturnValue:
    """Add to one's own question."""
    form = WordsForm()
    with transaction() as session:
        page = _question_or_404(session, question_id)
        if not form.validate_on_submit():
            return _page(page, form), 422
        asking.ask_further(session, actor=current_actor(), question_id=question_id, text=form.text.data or "")
    flash(gettext("Your message was sent."), "success")
    return redirect(url_for("portal.question", question_id=question_id), code=303)


def _question_or_404(session: Session, question_id: UUID) -> QuestionPage:
    page = find_question(session, actor=current_actor(), question_id=question_id)
    if page is None:
        abort(404)
    return page


def _page(page: QuestionPage, form: WordsForm) -> str:
    return render_template(
        "portal/questions/show.html",
        page=page,
        question=page.question,
        form=form,
        may_ask=asking.may_ask(current_actor(), hop=page.question.hop),
    )
