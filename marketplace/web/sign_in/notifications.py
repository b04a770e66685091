"""What one was told, and the count beside the bell."""

from uuid import UUID

from flask import abort, g, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from marketplace.accounts.models import Notification
from marketplace.accounts.operations.notifying import mark_read
from marketplace.accounts.queries import notifications_of
from marketplace.accounts.queries import unread_count as count_unread
from marketplace.core.actor import Permission
from marketplace.web.filters import said
from marketplace.web.guards import requires
from marketplace.web.session import actor_or_none, current_actor, transaction
from marketplace.web.sign_in import blueprint
from marketplace.web.sign_in.entering import is_ours


@blueprint.get("/account/notifications")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def notifications() -> ResponseReturnValue:
    """List what one was told, the latest first."""
    with transaction() as session:
        rows = notifications_of(session, current_actor())
        return render_template("sign_in/notifications.html", rows=rows, said=in_words)


@blueprint.post("/account/notifications/<uuid:notification_id>/open")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def open_notification(notification_id: UUID) -> ResponseReturnValue:
    """Note that it was read, and go where it leads."""
    with transaction() as session:
        # Row-level security shows only the reader's own.
        link = session.scalar(select(Notification.link).where(Notification.public_id == notification_id))
        if link is None:
            abort(404)
        mark_read(session, actor=current_actor(), notification_id=notification_id)
    return redirect(link if is_ours(link) else url_for("sign_in.notifications"), code=303)


@blueprint.post("/account/notifications/read-all")
@requires(Permission.ACCOUNT_SELF_MANAGE)
def read_all_notifications() -> ResponseReturnValue:
    """Note that all were read."""
    with transaction() as session:
        mark_read(session, actor=current_actor())
    return redirect(url_for("sign_in.notifications"), code=303)


def in_words(notification: Notification) -> str:
    """Say a notification in the reader's language."""
    return said(notification.phrase)


def unread_count() -> int:
    """Count what the person has not read, once a request; nobody's is none."""
    actor = actor_or_none()
    if actor is None or actor.user_id is None:
        return 0
    if "unread_count" not in g:
        with transaction() as session:
            g.unread_count = count_unread(session, actor)
    return int(g.unread_count)


@blueprint.record_once
def know_the_bell(state: BlueprintSetupState) -> None:
    """Let every shell show the count."""
    state.app.jinja_env.globals["unread_count"] = unread_count
