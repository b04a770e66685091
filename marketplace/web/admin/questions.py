"""Questions resellers put to the wholesaler, and their answers."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing import questions as asking
from marketplace.billing.queries.questions import QuestionPage, find_question, list_questions
from marketplace.core.actor import Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.web.admin import blueprint
from marketplace.web.guards import requires
from marketplace.web.navigation import GROUP_MONTH, add_to_menu
from marketplace.web.question_pages import WordsForm, question_list
from marketplace.web.session import current_actor, transaction

add_to_menu(
    Audience.WHOLESALER,
    endpoint="admin.questions",
    label=N_("Questions"),
    icon="message-question",
    permission=Permission.WHOLESALER_QUESTIONS_ANSWER,
    group=GROUP_MONTH,
    place=50,
    words="inbox answers",
)


@blueprint.get("/questions")
@requires(Permission.WHOLESALER_QUESTIONS_ANSWER)
def questions() -> ResponseReturnValue:
    """List questions, newest first."""
    view = question_list(has_customers=True)
    with transaction() as session:
        return view.respond(session, list_questions(current_actor()), "admin/questions/list.html")


@blueprint.get("/questions/<uuid:question_id>")
@requires(Permission.WHOLESALER_QUESTIONS_ANSWER)
def question(question_id: UUID) -> ResponseReturnValue:
    """Show an exchange, with a field for the answer."""
    with transaction() as session:
        return _page(_question_or_404(session, question_id), WordsForm())


@blueprint.post("/questions/<uuid:question_id>")
@requires(Permission.WHOLESALER_QUESTIONS_ANSWER)
def answer_question(question_id: UUID) -> ResponseReturnValue:
    """Answer a reseller's question."""
    form = WordsForm()
    with transaction() as session:
        page = _question_or_404(session, question_id)
        if not form.validate_on_submit():
            return _page(page, form), 422
        asking.answer(
            session,
            actor=current_actor(),
            question_id=question_id,
            text=form.text.data or "",
            now=utc_now(),
        )
    flash(gettext("Your answer was sent to %(reseller)s.", reseller=page.question.reseller), "success")
    return redirect(url_for("admin.question", question_id=question_id), code=303)


def _question_or_404(session: Session, question_id: UUID) -> QuestionPage:
    page = find_question(session, actor=current_actor(), question_id=question_id)
    if page is None:
        abort(404)
    return page


def _page(page: QuestionPage, form: WordsForm) -> str:
    return render_template("admin/questions/show.html", page=page, question=page.question, form=form)
