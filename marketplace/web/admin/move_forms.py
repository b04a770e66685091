"""A sent form that moves something: what it would change is shown first, then it is carried out and both sides are told."""

from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.core.errors import Refusal
from marketplace.web import filters as shown
from marketplace.web.admin.effects import TermsEffect, effect_of
from marketplace.web.forms import PageForm
from marketplace.web.session import transaction

Move = TypeVar("Move")


def take_move(
    form: PageForm,
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
        if form.validate_on_submit() and request.form.get("step") == "save":
            with transaction() as session:
                tell(session, move(session))
            flash(
                gettext(
                    "It moves on %(day)s, and both sides are told.", day=shown.day(form["moves_on"].data)
                ),
                "success",
            )
            return redirect(back, code=303)
        if not form.errors:
            with transaction() as session:
                effect = effect_of(session, move, first_day=form["moves_on"].data)
    except Refusal as refusal:
        form.refuse(refusal, field)
    answer = page(effect)
    return (answer, 422) if form.errors else answer
