"""Signing in and out."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from marketplace.accounts.operations import sessions, signing_in
from marketplace.accounts.operations.signing_in import SignedInSession, TooManyAttempts
from marketplace.core.actor import Actor, Permission
from marketplace.core.clock import utc_now
from marketplace.core.errors import Refusal
from marketplace.web.forms import PageForm
from marketplace.web.guards import home_of, public, while_viewing_as
from marketplace.web.preferences import LANGUAGES, THEMES, remember_choice
from marketplace.web.session import (
    accounts_transaction,
    actor_or_none,
    end_session,
    session_token,
    start_session,
    token_hash,
    wiring,
)
from marketplace.web.sign_in import blueprint
from resellers.queries.standing import open_agreement


class SignInForm(PageForm):
    """E-mail and password."""

    email = StringField(
        lazy_gettext("E-mail"), validators=[InputRequired(lazy_gettext("Write your e-mail."))]
    )
    password = PasswordField(
        lazy_gettext("Password"), validators=[InputRequired(lazy_gettext("Write your password."))]
    )
    next = HiddenField()


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Ask for e-mail and password."""
    actor = actor_or_none()
    if actor is not None:
        return redirect(home_of(actor))
    return _page(SignInForm(request.args))


@blueprint.post("/sign-in")
@public
def begin() -> ResponseReturnValue:
    """Sign in."""
    form = SignInForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        began = _begin(form)
    except TooManyAttempts as refusal:
        form.refuse(refusal)
        return _page(form), 429
    except Refusal as refusal:
        form.refuse(refusal)
        return _page(form), 422
    return welcome(began, wanted=form.next.data or "")


def _begin(form: SignInForm) -> SignedInSession:
    email, address = form.email.data or "", request.remote_addr or ""
    with accounts_transaction() as session:
        attempt_id = signing_in.count_attempt(session, email=email, ip=address, now=utc_now())
    with accounts_transaction() as session:
        return signing_in.sign_in(
            session,
            attempt_id=attempt_id,
            email=email,
            password=form.password.data or "",
            ip=address,
            user_agent=request.user_agent.string,
            now=utc_now(),
        )


def welcome(began: SignedInSession, *, wanted: str = "") -> ResponseReturnValue:
    """Give the browser the new session, with nothing left of the visitor's, and go where the person wanted to."""
    with accounts_transaction() as session:
        actor = wiring().actor_for_session(session, began.token_hash)
    if actor is None:
        raise RuntimeError("a session that was just begun is not known")
    cookie.clear()
    start_session(began.token, actor)
    if len(began.memberships) > 1 and not is_ours(wanted):
        address = url_for("sign_in.firms")
    else:
        address = wanted if is_ours(wanted) else home_of(actor)
    address = _agreement_first(actor, address)
    answer = make_response(redirect(address, code=303))
    if began.locale in LANGUAGES:
        remember_choice(answer, "lang", began.locale)
    if began.theme in THEMES:
        remember_choice(answer, "theme", began.theme)
    return answer


def _agreement_first(actor: Actor, address: str) -> str:
    """Lead an owner over the agreement where a version waits for the firm's acceptance."""
    if actor.reseller_id is None or not actor.may(Permission.RESELLER_FIRM_MANAGE):
        return address
    with accounts_transaction() as session:
        is_open = open_agreement(session, actor.reseller_id) is not None
    return url_for("storefront.agreement", next=address) if is_open else address


def is_ours(address: str) -> bool:
    """Whether an address is a path of this site: two slashes, or a slash and its mirror, lead to others."""
    return address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()


@blueprint.post("/sign-out")
@public
@while_viewing_as
def sign_out() -> ResponseReturnValue:
    """End the session; signing out twice does no harm."""
    token = session_token()
    if token is not None:
        with accounts_transaction() as session:
            sessions.end_session(session, token_hash=token_hash(token), now=utc_now())
    end_session()
    cookie.clear()
    flash(gettext("You are signed out."), "success")
    return redirect(url_for("sign_in.sign_in"), code=303)


def _page(form: FlaskForm) -> str:
    return render_template("sign_in/sign_in.html", form=form)
