"""What a sent form does: one thing in one transaction, and then the next page; or the form again with what is wrong."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from flask import Response, flash, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.core.errors import Refusal
from marketplace.web.forms import PageForm
from marketplace.web.session import transaction


def carry_out(
    form: PageForm,
    act: Callable[[Session], object],
    *,
    said: str,
    then: str,
    again: Callable[[], str | Response],
    field: str = "",
    shown: type[Refusal] | tuple[type[Refusal], ...] = Refusal,
    opened: Callable[[], AbstractContextManager[Session]] = transaction,
) -> ResponseReturnValue:
    """Do what a form asks for, say so and go to `then`; a refusal is shown at `field` of the form, drawn by `again`.

    Where some refusals mean that the form itself is gone by now, `shown` names the others. `opened` is the transaction
    where it is not the actor's own.
    """
    try:
        if form.validate_on_submit():
            with opened() as session:
                act(session)
    except shown as refusal:
        form.refuse(refusal, field)
    if form.errors:
        return again(), 422
    flash(said, "success")
    return redirect(then, code=303)
