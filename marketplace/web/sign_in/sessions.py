"""Where one is signed in, and for whom one acts."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from marketplace.accounts.operations import sessions as operations
from marketplace.accounts.queries import live_sessions, memberships_of
from marketplace.accounts.roles import AUDIENCE_LABELS, ROLE_LABELS
from marketplace.core.actor import Permission
from marketplace.core.clock import utc_now
from marketplace.web.guards import HOME_PATHS, requires
from marketplace.web.session import (
    accounts_transaction,
    current_actor,
    session_token,
    token_hash,
    transaction,
)
from marketplace.web.sign_in import blueprint
from marketplace.web.user_agents import browser_in_words


def _here() -> str:
    return token_hash(session_token() or "")


@blueprint.get("/account/sessions")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def sessions() -> ResponseReturnValue:
    """List where one is signed in."""
    with transaction() as session:
        rows = live_sessions(session, user_id=current_actor().user_id or 0, current_token_hash=_here())
    return render_template("sign_in/sessions.html", rows=rows, browser_in_words=browser_in_words)


@blueprint.post("/account/sessions/<uuid:session_id>/revoke")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def revoke_session(session_id: UUID) -> ResponseReturnValue:
    """End one of one's own sessions."""
    with transaction() as session:
        operations.revoke_session(session, actor=current_actor(), session_id=session_id, now=utc_now())
    flash(gettext("That browser is signed out."), "success")
    return redirect(url_for("sign_in.sessions"), code=303)


@blueprint.post("/account/sessions/revoke-others")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def revoke_other_sessions() -> ResponseReturnValue:
    """End all of one's sessions but this one."""
    with transaction() as session:
        count = operations.revoke_other_sessions(
            session, actor=current_actor(), token_hash=_here(), now=utc_now()
        )
    flash(
        ngettext("%(num)s other browser is signed out.", "%(num)s other browsers are signed out.", count),
        "success",
    )
    return redirect(url_for("sign_in.sessions"), code=303)


@blueprint.get("/account/firms")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def firms() -> ResponseReturnValue:
    """List the firms one can act for."""
    actor = current_actor()
    with accounts_transaction() as session:
        rows = memberships_of(session, actor.user_id or 0)
    return render_template(
        "sign_in/firms.html", rows=rows, actor=actor, roles=ROLE_LABELS, audiences=AUDIENCE_LABELS
    )


@blueprint.post("/account/firms/<uuid:membership_id>/choose")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def choose_firm(membership_id: UUID) -> ResponseReturnValue:
    """Act for another firm in this browser."""
    with accounts_transaction() as session:
        audience = operations.choose_membership(
            session,
            token_hash=_here(),
            user_id=current_actor().user_id or 0,
            membership_id=membership_id,
        )
    return redirect(HOME_PATHS[audience], code=303)
