"""The commands. Each module of `TOPICS` adds its commands and runs them; the frame around them is here and in `frame`.

A topic has `add_parser(subparsers)` and `run(args) -> Result`. It refuses by raising a `Refusal`, commits its own
transaction, and prints nothing: the frame prints, as text or, with `--json`, as one JSON object.
"""

from collections.abc import Sequence

from marketplace.cli.frame import run_command

#: The module of each command; only that of the command which is run is imported, so that it starts at once.
TOPICS = {
    "migrate": "migrate",
    "serve": "serve",
    "worker": "worker",
    "simulator": "simulator",
    "doctor": "doctor",
    "demo": "demo",
    "user": "users",
    "import": "import_terms",
    "usage": "usage",
    "close": "close",
    "statements": "statements",
    "explain": "explain",
    "subscription": "subscriptions",
    "renewals": "subscriptions",
    "account": "accounts",
    "order": "orders",
    "catalog": "catalog",
    "backup": "backup",
    "restore": "restore",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give the exit code: 0 done, 1 refused with a sentence, 2 wrong usage."""
    return run_command(TOPICS, arguments)
