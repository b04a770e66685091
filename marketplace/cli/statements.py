"""`statements export PERIOD`: the lines of a hop as a file."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from marketplace.billing.exports import Wanted, write_statements
from marketplace.cli.close import period_argument
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Machine
from marketplace.core.errors import N_, Refusal
from marketplace.settings import load_settings
from resellers.models import Hop

_PREFIX = 100
"""Of the name of the unfinished file; the whole name must stay below what file systems allow."""


class OutputUnusable(Refusal):
    """Nothing can be written where the file was to be."""

    sentence = N_(
        "%(file)s cannot be written (%(reason)s): name a file in a folder you may write to with --output."
    )


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser("statements", help="write statements to files")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    export = commands.add_parser("export", help="write the lines of a period")
    export.add_argument("period", type=period_argument, help="the month, such as 2024-09")
    export.add_argument(
        "--hop", required=True, choices=[hop.value for hop in Hop], help="which price of the chain"
    )
    export.add_argument("--seller", default="", help="only what this party sells (its reference)")
    export.add_argument("--buyer", default="", help="only what this party buys (its reference)")
    export.add_argument(
        "--format", required=True, choices=["csv", "xlsx", "parquet", "focus"], help="the kind of file"
    )
    export.add_argument("--output", required=True, type=Path, help="the file to write")


def run(args: argparse.Namespace) -> Result:
    """Write the file whole, or leave what stands there as it is."""
    database = open_database(load_settings())
    output: Path = args.output
    wanted = Wanted(period=args.period, hop=Hop(args.hop), seller=args.seller, buyer=args.buyer)
    is_parquet_focus = args.format == "focus" and output.suffix == ".parquet"
    format_ = "focus.parquet" if is_parquet_focus else args.format
    with _whole_file(output) as file, database.transaction(Actor.system(Machine.COMMAND_LINE)) as session:
        lines = write_statements(session, wanted, format_=format_, file=file)
    data: dict[str, object] = {
        "period": str(args.period),
        "hop": args.hop,
        "format": args.format,
        "file": str(output),
        "lines": lines,
    }
    return Result(data, f"{lines} {args.hop} lines of {args.period} are in {output}.")


@contextmanager
def _whole_file(output: Path) -> Iterator[IO[bytes]]:
    """Write beside the place and move the file there when it is whole. Raises `OutputUnusable`."""
    place = output.resolve()  # a link goes on pointing at the file
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and not place.is_file():
            raise OutputUnusable(file=output, reason="it is not a file")
        with tempfile.NamedTemporaryFile(
            dir=place.parent, prefix=f".{place.name[:_PREFIX]}.", delete=False
        ) as file:
            unfinished = Path(file.name)
            try:
                yield file.file
                file.flush()
                unfinished.chmod(0o666 & ~_umask())
                unfinished.replace(place)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OutputUnusable(file=output, reason=(error.strerror or str(error)).lower()) from error


def _umask() -> int:
    """Give the process's mask for new files; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
