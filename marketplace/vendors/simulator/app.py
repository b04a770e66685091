"""The simulator as a web application: the vendor's paths, and a few of its own under /simulator."""

from pathlib import Path

from flask import Flask, Response, g, request

from marketplace.core.clock import utc_now
from marketplace.vendors.simulator import (
    catalogue,
    disturbing,
    life,
    paths_of_admin,
    paths_of_files,
    paths_of_vendor,
    promotions,
)
from marketplace.vendors.simulator.answers import answer
from marketplace.vendors.simulator.desk import Desk, time_of
from marketplace.vendors.simulator.documents import Given, World
from marketplace.vendors.simulator.refusals import Refused
from marketplace.vendors.simulator.seeds import plant
from marketplace.vendors.simulator.store import Store

_OPEN = ("/simulator", "/blobs/", "/oauth2/")
"""What needs no token: the simulator's own paths, files whose address is their permission, and signing in."""
_KEPT_HEADERS = ("ETag", "Location")
_REFUSED = 400


def create_simulator(folder: Path | None = None, *, provisioning_seconds: int | None = None) -> Flask:
    """Make the application with its state in a folder, or in memory alone."""
    app = Flask("simulator")
    store, sold, promoted = Store(folder), catalogue.load(folder), promotions.load(folder)
    app.extensions["store"] = store
    store.begin()
    world = store.find(World, "world") or World()
    if provisioning_seconds is not None:
        world.provisioning_seconds = provisioning_seconds
    store.put(world)
    plant(store, folder)
    store.end(is_kept=True)

    def begin() -> Response | None:
        """Open the books, let time pass, and see whether this request is to go wrong."""
        g.disturbance = None
        if not request.path.startswith("/simulator"):
            store.begin()
            g.disturbance = disturbing.next_for(store, request.method, request.path)
            store.end(is_kept=True)
        disturbed = disturbing.before(g.disturbance)
        if disturbed is not None:
            return disturbed
        store.begin()
        world = store.find(World, "world") or World()
        g.desk = Desk(store, sold, world, time_of(world, utc_now()), promoted)
        life.let_pass(g.desk)
        if not any(part in request.path for part in _OPEN) and not _is_signed_in():
            raise Refused("401", "The token is missing or not valid.", 401)
        return _answer_given_before(store)

    def finish(response: Response) -> Response:
        """Keep the books and what was answered; lose the answer where that is wanted."""
        if "desk" not in g:
            return response
        is_done = response.status_code < _REFUSED
        if is_done and _is_change():
            store.put(_given(response))
        del g.desk
        store.end(is_kept=is_done)
        disturbing.after(g.disturbance)
        return response

    def give_up(_error: BaseException | None) -> None:
        """Undo what a failed request had begun."""
        if "desk" in g:
            del g.desk
            store.end(is_kept=False)

    def refuse(refused: Refused) -> Response:
        """Answer with the vendor's code."""
        body = {"code": int(refused.code), "description": refused.words, "source": "PartnerFD"}
        return answer(body, refused.status)

    app.before_request(begin)
    app.after_request(finish)
    app.teardown_request(give_up)
    app.register_error_handler(Refused, refuse)
    for paths in (paths_of_vendor, paths_of_files, paths_of_admin):
        app.register_blueprint(paths.blueprint)
    return app


def close(app: Flask) -> None:
    """Close the books."""
    store: Store = app.extensions["store"]
    store.close()


def _is_signed_in() -> bool:
    return request.headers.get("Authorization", "").startswith("Bearer simulated-")


def _is_change() -> bool:
    return request.method in {"POST", "PATCH"} and "MS-RequestId" in request.headers


def _about() -> str:
    return f"{request.method} {request.path}"


def _given(response: Response) -> Given:
    return Given(
        id=request.headers["MS-RequestId"].casefold(),
        status=response.status_code,
        body=response.get_data(as_text=True),
        headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
        about=_about(),
    )


def _answer_given_before(store: Store) -> Response | None:
    """Answer a request that changes something as it was answered the first time."""
    if not _is_change():
        return None
    given = store.find(Given, request.headers["MS-RequestId"].casefold())
    if given is None:
        return None
    if given.about != _about():
        raise Refused("2006", "This request id was used for another request.")
    return Response(given.body, given.status, given.headers, mimetype="application/json")
