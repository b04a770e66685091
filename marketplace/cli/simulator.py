"""`simulator`: a vendor to try things on, on loopback, until stopped."""

import argparse
import sys
from pathlib import Path
from typing import Any

from marketplace.cli.result import Result
from marketplace.cli.serve import SimulatorAddressTaken
from marketplace.settings import load_settings
from marketplace.vendors.simulator.server import HOST, open_server


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "simulator", help="a vendor to try things on: Partner Center's paths and rules"
    )
    parser.add_argument(
        "--port", type=int, help="the port to listen on (default: MARKETPLACE_SIMULATOR_PORT)"
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FOLDER",
        help="where it remembers everything; a price_list.csv in it is what it sells (default: simulator in the "
        "data folder)",
    )
    parser.add_argument(
        "--provisioning-seconds",
        type=int,
        metavar="N",
        help="how long it takes until what was ordered is there",
    )


def run(args: argparse.Namespace) -> Result:
    """Answer until SIGTERM or Ctrl-C."""
    settings = load_settings()
    port = args.port or settings.simulator_port
    state = args.state or settings.home / "simulator"
    try:
        server, close_books = open_server(port, state, provisioning_seconds=args.provisioning_seconds)
    except (OSError, SystemExit) as error:
        reason = (getattr(error, "strerror", None) or "address in use").lower()
        raise SimulatorAddressTaken(host=HOST, port=port, reason=reason) from None
    address = f"http://{HOST}:{server.server_port}"
    print(f"Simulating a vendor at {address} - stop with Ctrl-C", file=sys.stderr, flush=True)  # noqa: T201 - the address
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        close_books()
    return Result({"simulated": address, "state": str(state)}, "Stopped.")
