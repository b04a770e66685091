"""Choosing a password: by a mailed link, or with the present one."""

import time

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, gettext, lazy_gettext
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired

from marketplace.accounts.operations import password_change, signing_in
from marketplace.accounts.operations.password_change import LinkUnusable
from marketplace.accounts.queries import memberships_of
from marketplace.accounts.rules import PASSWORD_LENGTH
from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import Refusal
from marketplace.web.forms import PageForm
from marketplace.web.guards import public, requires
from marketplace.web.mails import letterhead_for, post_mail
from marketplace.web.session import (
    accounts_transaction,
    current_actor,
    session_token,
    token_hash,
    wiring,
)
from marketplace.web.sign_in import blueprint
from marketplace.web.sign_in.entering import welcome

# Seconds, whether a mail is written or not: else the time would tell who has an account.
_ASKING_TAKES = 0.25


class ForgottenForm(PageForm):
    """Whose password was forgotten."""

    email = StringField(
        lazy_gettext("E-mail"), validators=[InputRequired(lazy_gettext("Write your e-mail."))]
    )


class NewPasswordForm(PageForm):
    """A new password, twice, so that a slip of the finger locks nobody out."""

    password = PasswordField(
        lazy_gettext("New password"), validators=[InputRequired(lazy_gettext("Write a new password."))]
    )
    again = PasswordField(
        lazy_gettext("The same again"),
        validators=[
            InputRequired(lazy_gettext("Write the new password a second time.")),
            EqualTo("password", lazy_gettext("The two are not the same.")),
        ],
    )


class ChangePasswordForm(NewPasswordForm):
    """A new password by somebody who knows the present one."""

    present = PasswordField(
        lazy_gettext("Present password"),
        validators=[InputRequired(lazy_gettext("Write your present password."))],
    )


@blueprint.get("/forgotten-password")
@public
def forgotten_password() -> ResponseReturnValue:
    """Ask whose password it is."""
    return render_template("sign_in/forgotten_password.html", form=ForgottenForm())


@blueprint.post("/forgotten-password")
@public
def mail_reset_link() -> ResponseReturnValue:
    """Mail a link if there is such a person, and say the same if there is not."""
    began = time.monotonic()
    form = ForgottenForm()
    if not form.validate_on_submit():
        return render_template("sign_in/forgotten_password.html", form=form), 422
    with accounts_transaction() as session:
        link = password_change.ask_for_reset(
            session, email=form.email.data or "", ip=request.remote_addr or "", now=utc_now()
        )
        if link is not None:
            with force_locale(link.locale or wiring().settings.locale):
                post_mail(
                    session,
                    to_address=link.to_address,
                    subject=gettext("Choose a new password"),
                    body=render_template("emails/reset.txt", name=link.name),
                    path=url_for("sign_in.choose_password", token=link.token),
                    letterhead=letterhead_for(session, link.seller),
                )
    answer = render_template("sign_in/link_mailed.html", email=form.email.data)
    time.sleep(max(0.0, began + _ASKING_TAKES - time.monotonic()))
    return answer


@blueprint.get("/set-password/<string(length=43):token>")
@public
def choose_password(token: str) -> ResponseReturnValue:
    """Ask for the new password."""
    with accounts_transaction() as session:
        try:
            user = password_change.user_of_link(session, token=token, now=utc_now())
        except LinkUnusable as refusal:
            return _unusable(refusal)
        return _choose(NewPasswordForm(), email=user.email, token=token)


@blueprint.post("/set-password/<string(length=43):token>")
@public
def set_password(token: str) -> ResponseReturnValue:
    """Set the new password, end every session of the person, and sign this browser in."""
    form = NewPasswordForm()
    try:
        with accounts_transaction() as session:
            user = password_change.user_of_link(session, token=token, now=utc_now())
            email = user.email
            if form.validate_on_submit():
                password_change.set_password_by_link(
                    session, token=token, password=form.password.data or "", now=utc_now()
                )
                began = signing_in.begin_session(
                    session,
                    user=user,
                    memberships=memberships_of(session, user.id),
                    ip=request.remote_addr or "",
                    user_agent=request.user_agent.string,
                    now=utc_now(),
                )
    except LinkUnusable as refusal:
        return _unusable(refusal)
    except Refusal as refusal:
        form.refuse(refusal, "password")
    if form.errors:
        return _choose(form, email=email, token=token), 422
    flash(gettext("Your new password is set. You were signed out everywhere else."), "success")
    return welcome(began)


@blueprint.get("/account/password")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def password() -> ResponseReturnValue:
    """Ask for the present and the new password."""
    return _change(ChangePasswordForm())


@blueprint.post("/account/password")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def change_password() -> ResponseReturnValue:
    """Change one's own password; a wrong present one counts as a guess."""
    form = ChangePasswordForm()
    if not form.validate_on_submit():
        return _change(form), 422
    actor, here = current_actor(), token_hash(session_token() or "")
    try:
        with accounts_transaction() as session:
            attempt_id = password_change.count_own_attempt(
                session,
                actor=actor,
                password=form.password.data or "",
                ip=request.remote_addr or "",
                now=utc_now(),
            )
        with accounts_transaction() as session:
            ended = password_change.change_password(
                session,
                actor=actor,
                present=form.present.data or "",
                password=form.password.data or "",
                token_hash=here,
                attempt_id=attempt_id,
                now=utc_now(),
            )
    except password_change.WrongPassword as refusal:
        form.refuse(refusal, "present")
    except signing_in.TooManyAttempts as refusal:
        form.refuse(refusal)
    except Refusal as refusal:
        form.refuse(refusal, "password")
    if form.errors:
        return _change(form), 422
    if ended:
        flash(gettext("Your password is changed, and you are signed out everywhere else."), "success")
    else:
        flash(gettext("Your password is changed."), "success")
    return redirect(url_for("sign_in.profile"), code=303)


def _choose(form: NewPasswordForm, *, email: str, token: str) -> str:
    return render_template(
        "sign_in/choose_password.html", form=form, email=email, token=token, least=PASSWORD_LENGTH
    )


def _change(form: ChangePasswordForm) -> str:
    return render_template("sign_in/password.html", form=form, least=PASSWORD_LENGTH)


def _unusable(refusal: LinkUnusable) -> ResponseReturnValue:
    form = ForgottenForm()
    form.refuse(refusal)
    return render_template("sign_in/forgotten_password.html", form=form), 404
