"""One line: what it is for, why it came to this amount, and the questions put on it."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing import questions as asking
from marketplace.billing.queries.owed import LinePage
from marketplace.billing.queries.questions import questions_of_line
from marketplace.core.actor import Permission
from marketplace.web.explanations import explained_or_404
from marketplace.web.guards import requires
from marketplace.web.portal import blueprint
from marketplace.web.question_pages import WordsForm, line_or_404
from marketplace.web.session import current_actor, transaction


@blueprint.get("/lines/<uuid:line_id>")
@requires(Permission.CUSTOMER_STATEMENTS_VIEW)
def line(line_id: UUID) -> ResponseReturnValue:
    """Show a line."""
    with transaction() as session:
        return _page(session, line_or_404(session, line_id), WordsForm())


@blueprint.post("/lines/<uuid:line_id>/ask")
@requires(Permission.CUSTOMER_QUESTIONS_ASK)
def ask(line_id: UUID) -> ResponseReturnValue:
    """Ask the reseller about a line."""
    form = WordsForm()
    with transaction() as session:
        page = line_or_404(session, line_id)
        if not form.validate_on_submit():
            return _page(session, page, form), 422
        question = asking.ask(session, actor=current_actor(), line_id=line_id, text=form.text.data or "")
        session.flush()
        address = url_for("portal.question", question_id=question.public_id)
    flash(gettext("Your question was sent. The answer will stand here."), "success")
    return redirect(address, code=303)


def _page(session: Session, page: LinePage, form: WordsForm) -> str:
    actor = current_actor()
    return render_template(
        "portal/lines/show.html",
        page=page,
        line=page.line,
        form=form,
        may_ask=asking.may_ask(actor, hop=page.hop),
        questions=questions_of_line(session, actor=actor, line_id=page.line.id),
        **explained_or_404(session, page.line.id, actor=actor),
    )
