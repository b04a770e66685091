"""Who may enter: a guard per audience on each blueprint, and a permission on each view.

Every view carries `@requires(Permission.X)` or `@public`; a test walks the URL map and finds the one that does not.
Someone of another audience is answered 404, as if the page did not exist.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import quote

from flask import Blueprint, Flask, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Refusal
from marketplace.web.session import actor_or_none, current_actor

P = ParamSpec("P")
R = TypeVar("R")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN_PATH = "/sign-in"
HOME_PATHS = {Audience.WHOLESALER: "/admin/", Audience.RESELLER: "/", Audience.CUSTOMER: "/portal/"}


class LookingOnly(Refusal):
    """Staff who view as somebody else cannot change anything."""

    sentence = N_(
        "You are viewing as %(name)s and can look but not change anything. Stop viewing as them first."
    )


class NotAllowed(Refusal):
    """The signed-in person lacks the permission of a page of their own audience."""

    sentence = N_(
        "Your role does not include this page. An administrator of your company can change your role."
    )


def requires(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only actors with the permission into a view, and mark the view with it."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not current_actor().may(permission):
                raise NotAllowed
            return view(*args, **kwargs)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded

    return mark


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as open to visitors who have not signed in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def while_viewing_as(view: Callable[P, R]) -> Callable[P, R]:
    """Allow a changing view to staff who look as somebody else: signing out, and stopping to look."""
    view.is_open_while_viewing_as = True  # type: ignore[attr-defined]
    return view


def accepts_upload(*, most_bytes: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view receive more than the few megabytes other forms may send."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


def mark_of(view: Callable[..., Any] | None, name: str) -> Any:
    """Read what `requires`, `public` and the others left on a view."""
    return getattr(view, name, None)


def audience_blueprint(name: str, audience: Audience, *, url_prefix: str | None = None) -> Blueprint:
    """Make the blueprint of an audience: whoever is not of that audience finds nothing there."""
    blueprint = Blueprint(name, f"marketplace.web.{name}", url_prefix=url_prefix)

    @blueprint.before_request
    def guard() -> ResponseReturnValue | None:
        view = current_app.view_functions.get(request.endpoint or "")
        if mark_of(view, "is_public"):
            return None
        return admit(audience)

    return blueprint


def signed_in_blueprint(name: str) -> Blueprint:
    """Make a blueprint for people of every audience: visitors are sent to sign in."""
    blueprint = Blueprint(name, f"marketplace.web.{name}")

    @blueprint.before_request
    def guard() -> ResponseReturnValue | None:
        view = current_app.view_functions.get(request.endpoint or "")
        if mark_of(view, "is_public") or actor_or_none() is not None:
            return None
        return _to_sign_in()

    return blueprint


def admit(audience: Audience) -> ResponseReturnValue | None:
    """Let an actor of the audience pass; send visitors to sign in and other audiences nowhere."""
    actor = actor_or_none()
    if actor is None:
        return _to_sign_in()
    if actor.audience is not audience:
        # The storefront's front page is the site's address: whoever arrives there goes to their own home.
        if request.path == "/" and request.method in SAFE_METHODS:
            return redirect(home_of(actor))
        abort(404)
    return None


def home_of(actor: Actor) -> str:
    """Give the address of an actor's first page."""
    return HOME_PATHS[actor.audience]


def _to_sign_in() -> ResponseReturnValue:
    wanted = request.full_path.rstrip("?") if request.method in SAFE_METHODS else ""
    address = f"{SIGN_IN_PATH}?next={quote(wanted, safe='')}" if wanted not in {"", "/"} else SIGN_IN_PATH
    if request.headers.get("HX-Request"):
        # A fragment cannot show a sign-in page in its place: the whole window goes there.
        return "", 204, {"HX-Redirect": SIGN_IN_PATH}
    return redirect(address)


def init_guards(app: Flask) -> None:
    """Register what holds for every request, before the form is read."""

    @app.before_request
    def allow_large_uploads_where_meant() -> None:
        most_bytes = mark_of(app.view_functions.get(request.endpoint or ""), "most_bytes")
        if most_bytes is not None:
            request.max_content_length = cast("int", most_bytes)

    @app.before_request
    def only_look_while_viewing_as() -> None:
        if request.method in SAFE_METHODS:
            return
        actor = actor_or_none()
        view = app.view_functions.get(request.endpoint or "")
        if actor and actor.is_read_only and not mark_of(view, "is_open_while_viewing_as"):
            raise LookingOnly(name=actor.name)

    @app.before_request
    def refuse_what_is_no_text() -> None:
        # PostgreSQL keeps no NUL in a text, and nobody types one.
        sent = [*request.args.items(multi=True)]
        if request.method not in SAFE_METHODS:
            sent += request.form.items(multi=True)
        if any("\0" in name or "\0" in value for name, value in sent):
            abort(400)


def endpoint_exists(endpoint: str) -> bool:
    """Whether a page is part of this installation."""
    return endpoint in current_app.view_functions
