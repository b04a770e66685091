"""What goes wrong on demand: too many requests, failures, slowness, lost answers, questions."""

import socket
import time
from contextlib import suppress

from flask import Response, request

from marketplace.vendors.simulator.answers import answer
from marketplace.vendors.simulator.documents import Disturbance
from marketplace.vendors.simulator.store import Store

#: 429: too many requests; 503: a failure before anything is done; 401: the token ends; slow: the answer comes late;
#: lost: it is done and the connection breaks; refuse: a code of choice; ask: an order that waits for an answer.
KINDS = ("429", "503", "401", "slow", "lost", "refuse", "ask")
_AT_CHECKOUT = "/checkout"


def next_for(store: Store, method: str, path: str) -> Disturbance | None:
    """Give what is to go wrong with a request, and count it. Signing in never does."""
    if path.endswith("/token"):
        return None
    for one in store.all(Disturbance):
        wanted_path = one.path or (_AT_CHECKOUT if one.kind == "ask" else "")
        if wanted_path in path and one.method in {"", method}:
            one.times -= 1
            if one.times > 0:
                store.put(one)
            else:
                store.forget(one)
            return one
    return None


def before(one: Disturbance | None) -> Response | None:
    """Disturb a request before anything is done."""
    match one.kind if one else "":
        case "429" if one:
            return answer({"code": 429, "description": "Too many requests."}, 429, **_wait(one))
        case "503" if one:
            return answer({"code": 503, "description": "The service is unavailable."}, 503, **_wait(one))
        case "401":
            return answer({"code": 401, "description": "The token has ended."}, 401)
        case "refuse" if one:
            return answer(
                {"code": int(one.code), "description": one.words, "source": "PartnerFD"}, one.status
            )
        case "slow" if one:
            time.sleep(one.seconds)
    return None


def after(one: Disturbance | None) -> None:
    """Break the connection of a request that was carried out, so that nobody learns of it."""
    if one is not None and one.kind == "lost":
        connection: socket.socket | None = request.environ.get("werkzeug.socket")
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def question_of(one: Disturbance | None) -> str:
    """Give what an order is to be asked."""
    return one.words or "Which domain are the licences for?" if one is not None and one.kind == "ask" else ""


def _wait(one: Disturbance) -> dict[str, str]:
    return {"Retry-After": str(one.seconds)} if one.seconds else {}
