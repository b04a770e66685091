"""One line per request, with an id that the answer carries too, so that a report can be found in the log."""

import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from marketplace.web.session import known_actor

_SENSIBLE_ID = re.compile(r"[\w-]{8,64}")
log = structlog.get_logger("marketplace.request")


def init_request_log(app: Flask) -> None:
    """Register the log."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _SENSIBLE_ID.fullmatch(given) else uuid.uuid4().hex
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        request_id = g.get("request_id", "")
        response.headers["X-Request-ID"] = request_id
        actor = known_actor()
        # The query is left out: searches may hold names.
        log.info(
            "request",
            method=request.method,
            # A link that sets a password must not stand in a log while it can be used.
            path=str(request.url_rule) if "token" in (request.view_args or {}) else request.path,
            endpoint=request.endpoint,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
            audience=actor.audience.value if actor else None,
            user_id=actor.user_id if actor else None,
            staff_id=actor.staff_id if actor else None,
        )
        return response
