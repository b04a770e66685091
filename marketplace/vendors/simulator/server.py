"""Serving the simulator on loopback, in the foreground."""

from collections.abc import Callable
from pathlib import Path

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from marketplace.vendors.simulator.app import close, create_simulator

HOST = "127.0.0.1"
"""Never another address: it takes any credentials."""


class _Quiet(WSGIRequestHandler):
    """Log nothing a request: the other side logs what it asked."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def open_server(
    port: int, folder: Path | None = None, *, provisioning_seconds: int | None = None
) -> tuple[ThreadedWSGIServer, Callable[[], None]]:
    """Bind the port (0: any free one); give the server, and what closes its books after it was shut down."""
    app = create_simulator(folder, provisioning_seconds=provisioning_seconds)
    server = ThreadedWSGIServer(HOST, port, app, handler=_Quiet)
    server.daemon_threads = False  # closing waits for what is being answered
    return server, lambda: close(app)
