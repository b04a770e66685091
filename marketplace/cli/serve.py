"""`serve`: the web server and, beside it, one worker and the vendor simulator where no vendor is configured."""

import argparse
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.errors import N_, Refusal
from marketplace.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 20
PAUSE_SECONDS = 2
END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux."""

log = structlog.get_logger()


class AddressTaken(Refusal):
    """Another program listens there, or we may not."""

    sentence = N_(
        "Nothing can be served at %(host)s:%(port)s (%(reason)s): stop what runs there, "
        "or choose another with --port or MARKETPLACE_PORT."
    )


class SimulatorAddressTaken(AddressTaken):
    """Likewise, where the vendor simulator is to listen."""

    sentence = N_(
        "The vendor simulator cannot listen at %(host)s:%(port)s (%(reason)s): "
        "set MARKETPLACE_SIMULATOR_PORT to another port, or to 0 for none."
    )


class WebServerEnded(Refusal):
    """Gunicorn ended by itself."""

    sentence = N_("The web server ended by itself with code %(code)s: the log above says why.")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "serve", help="serve the site, with a worker (and the vendor simulator) beside it"
    )
    parser.add_argument("--host", help="the address to listen on (default: MARKETPLACE_HOST)")
    parser.add_argument("--port", type=int, help="the port to listen on (default: MARKETPLACE_PORT)")
    parser.add_argument("--web-workers", type=int, default=1, metavar="N", help="web processes (default: 1)")
    parser.add_argument(
        "--no-worker", action="store_true", help="serve pages only; jobs wait for a worker elsewhere"
    )


def run(args: argparse.Namespace) -> Result:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load_settings()
    host, port = args.host or settings.host, args.port or settings.port
    serve(settings, host=host, port=port, web_workers=args.web_workers, has_worker=not args.no_worker)
    return Result({"served": f"http://{host}:{port}"}, "Stopped.")


def serve(settings: Settings, *, host: str, port: int, web_workers: int = 1, has_worker: bool = True) -> None:
    """Run the web server and its companions, and end all when asked to. The database must be migrated."""
    open_database(settings)  # held until the end, so that the embedded server outlives its users
    _check_address(host, port)
    companions = [["worker"]] if has_worker else []
    if settings.has_simulator:
        _check_address("127.0.0.1", settings.simulator_port, refusal=SimulatorAddressTaken)
        companions.append(["simulator"])
    # What its companions write into mails leads here, whatever the settings say.
    os.environ.update(MARKETPLACE_HOST=host, MARKETPLACE_PORT=str(port))
    stop = _StopRequest()
    web = _start(
        [sys.executable, "-m", "gunicorn", *_gunicorn_options(settings, host, port, web_workers), "wsgi:app"]
    )
    running = [(command, _start_command(command)) for command in companions]
    print(f"Serving at http://{host}:{port} - stop with Ctrl-C", file=sys.stderr, flush=True)  # noqa: T201 - the address
    try:
        while not stop.is_requested:
            time.sleep(0.2)
            if web.poll() is not None:
                raise WebServerEnded(code=web.returncode)
            for number, (command, part) in enumerate(running):
                if part.poll() is not None:
                    log.error("a part ended, starting another", part=command[0], code=part.returncode)
                    time.sleep(PAUSE_SECONDS)
                    running[number] = (command, _start_command(command))
    finally:
        _end(web, *(part for _command, part in running))


class _StopRequest:
    """Notes that SIGTERM or Ctrl-C came, instead of interrupting whatever is going on."""

    def __init__(self) -> None:
        self.is_requested = False
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGINT, self._note)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_requested = True


def _gunicorn_options(settings: Settings, host: str, port: int, web_workers: int) -> list[str]:
    options = {
        "chdir": ROOT,
        "bind": f"{host}:{port}",
        "worker-class": "gthread",
        "workers": web_workers,
        "threads": settings.web_threads,
        "timeout": 120,
        "graceful-timeout": 15,
        "keep-alive": 5,
        "log-level": "warning",
    }
    return [*(f"--{name}={value}" for name, value in options.items()), "--no-control-socket"]


def _check_address(host: str, port: int, *, refusal: type[AddressTaken] = AddressTaken) -> None:
    """Refuse in words what gunicorn would only try again and again."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise refusal(host=host, port=port, reason=(error.strerror or str(error)).lower()) from None


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a part in a session of its own, so that Ctrl-C reaches it through us alone, and ends if we are killed."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }
    return subprocess.Popen(  # noqa: S603 - our own programs
        command,
        env=environment,
        stdout=sys.stderr,  # standard output is for the result alone
        start_new_session=True,
        preexec_fn=_end_with_parent,  # noqa: PLW1509 - no other thread runs here
    )


def _start_command(command: list[str]) -> subprocess.Popen[bytes]:
    return _start([sys.executable, "-m", "marketplace", *command])


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGTERM)


def _end(*parts: subprocess.Popen[bytes]) -> None:
    """Ask all to end, then wait. A job that takes longer is taken over by the next worker."""
    running = [part for part in parts if part.poll() is None]
    for part in running:
        part.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for part in running:
        try:
            part.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("killed a part that did not end in time", part=part.args)
            part.kill()
            part.wait()
