"""A sent form that moves something: what it would change is shown first, then it is carried out and both sides are told."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar
from uuid import UUID

from flask import flash, redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.billing.trials import Change
from marketplace.core.errors import Refusal
from marketplace.web import filters as shown
from marketplace.web.admin.effects import TermsEffect, effect_of
from marketplace.web.forms import PageForm
from marketplace.web.previews import overtaken, wants_effect
from marketplace.web.session import transaction

Move = TypeVar("Move")


def take_move(
    form: PageForm,
    change: Change,
    move: Callable[[Session], Move],
    tell: Callable[[Session, Move], None],
    *,
    field: str,
    back: str,
    page: Callable[[TermsEffect | None], str],
) -> ResponseReturnValue:
    """Show the page again with the effect, or move and go `back`. A refusal stands at `field`; `form` has a `moves_on`."""
    effect = None
    try:
        facts_changed = overtaken()
        is_valid = form.validate_on_submit()
        if is_valid and not wants_effect() and facts_changed is None:
            with transaction() as session:
                tell(session, move(session))
            flash(
                gettext(
                    "It moves on %(day)s, and both sides are told.", day=shown.day(form["moves_on"].data)
                ),
                "success",
            )
            return redirect(back, code=303)
        if is_valid:
            with transaction() as session:
                effect = effect_of(session, change, first_day=form["moves_on"].data)
        if facts_changed is not None:
            form.refuse(facts_changed)
    except Refusal as refusal:
        form.refuse(refusal, field)
    answer = page(effect)
    return (answer, 422) if form.errors else answer


def change_of(form: PageForm, kind: str, moved: UUID) -> Change:
    """Write down what a form asks for, so that the worker can try it."""
    facts = {
        name: field.data.isoformat() if isinstance(field.data, date) else field.data or ""
        for name, field in form._fields.items()
        if name != "csrf_token"
    }
    return Change(kind=kind, facts={**facts, "moved": str(moved)})
