"""The commands. Each module of `TOPICS` adds its commands and runs them; the frame around them is here and in `frame`.

A topic has `add_parser(subparsers)` and `run(args) -> Result`. It refuses by raising a `Refusal`, commits its own
transaction, and prints nothing: the frame prints, as text or, with `--json`, as one JSON object.
"""

from collections.abc import Sequence

from marketplace.cli.frame import run_command

TOPICS = (
    "migrate",
    "serve",
    "worker",
    "simulator",
    "doctor",
    "demo",
    "users",
    "import_terms",
    "usage",
    "close",
    "statements",
    "explain",
    "subscriptions",
    "orders",
    "catalog",
    "backup",
    "restore",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; give the exit code: 0 done, 1 refused with a sentence, 2 wrong usage."""
    return run_command(TOPICS, arguments)
