"""How failures look: one table from class to status, one sentence each, always in the shell of whoever asked."""

from http import HTTPStatus

import structlog
from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from marketplace.core.errors import N_, NotFound, NotPermitted, Refusal
from marketplace.core.period import NotAPeriod
from marketplace.web.guards import LookingOnly, NotAllowed
from marketplace.web.preferences import language

# Everything not named here is 422: understood, and not carried out. Page modules add theirs with `answer_with`.
_STATUS: dict[type[Refusal], HTTPStatus] = {
    LookingOnly: HTTPStatus.FORBIDDEN,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotAPeriod: HTTPStatus.NOT_FOUND,
    NotFound: HTTPStatus.NOT_FOUND,
    NotPermitted: HTTPStatus.FORBIDDEN,
}

# Status -> what happened, and what to do next.
PAGES: dict[int, tuple[str, str]] = {
    400: (N_("We could not understand that request"), N_("Go back, reload the page and try again.")),
    403: (N_("This is not part of your role"), N_("Ask an administrator of your company if you need it.")),
    404: (
        N_("There is no such page"),
        N_("The address may be mistyped, or the page may belong to someone else."),
    ),
    405: (N_("This page does not work that way"), N_("Open it from the menu rather than from its address.")),
    413: (
        N_("That file is too large"),
        N_("Compress it with gzip, or cut it in several files and send them together."),
    ),
    422: (N_("That could not be done"), N_("Nothing was changed.")),
    429: (N_("Too many attempts"), N_("Wait a few minutes, then try again.")),
    500: (
        N_("Something broke on our side"),
        N_("Nothing was changed. It has been recorded; try again in a moment."),
    ),
}
EXPIRED = (
    N_("This form has expired"),
    N_("For your safety a form is valid for a few hours. Go back, reload the page and send it again."),
)


_BARE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>
<body><main><h1>{title}</h1><p>{remedy}</p></main></body></html>
"""

log = structlog.get_logger("marketplace.errors")


def answer_with(status: HTTPStatus, *refusals: type[Refusal]) -> None:
    """Answer a refusal with another status than 422."""
    _STATUS.update(dict.fromkeys(refusals, status))


def status_of(refusal: Refusal) -> HTTPStatus:
    """Give the status of a refusal: its own class's, or that of the nearest parent in the table."""
    for kind in type(refusal).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return HTTPStatus.UNPROCESSABLE_ENTITY


def page(
    status: int, *, refusal: Refusal | None = None, said: tuple[str, str] | None = None
) -> ResponseReturnValue:
    """Render the page of a failure."""
    title, remedy = said or PAGES.get(
        status, PAGES[400 if status < HTTPStatus.INTERNAL_SERVER_ERROR else 500]
    )
    return render_template(
        "errors/error.html", status=status, heading=title, remedy=remedy, refusal=refusal
    ), status


def init_errors(app: Flask) -> None:
    """Register the handlers."""

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> ResponseReturnValue:
        return page(status_of(error), refusal=error)

    @app.errorhandler(CSRFError)
    def expired(_error: CSRFError) -> ResponseReturnValue:
        return page(HTTPStatus.BAD_REQUEST, said=EXPIRED)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> ResponseReturnValue:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        if error.response is not None or status < HTTPStatus.BAD_REQUEST:
            return error.get_response()
        if request.path.startswith("/static/"):
            return error.get_response()
        answer = app.make_response(page(status))
        if allowed := dict(error.get_headers()).get("Allow"):
            answer.headers["Allow"] = allowed
        return answer

    @app.errorhandler(Exception)
    def broken(error: Exception) -> ResponseReturnValue:
        if app.testing:
            raise error
        log.error("unhandled", exc_info=error)
        try:
            return page(HTTPStatus.INTERNAL_SERVER_ERROR)
        except Exception:  # noqa: BLE001 - the database may be what broke, and every shell asks it who is there
            title, remedy = (escape(gettext(text)) for text in PAGES[500])
            return _BARE.format(title=title, remedy=remedy, language=language()), 500
