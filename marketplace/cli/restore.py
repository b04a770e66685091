"""`restore`: put back what `backup` wrote."""

import argparse
from pathlib import Path
from typing import Any

from marketplace import archive
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.settings import load_settings


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("restore", help="put back what `backup` wrote")
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive to read")
    parser.add_argument("--force", action="store_true", help="replace the data that is there")


def run(args: argparse.Namespace) -> Result:
    """Prove the archive, then put it back; stop `serve` and workers first."""
    settings = load_settings()
    database = open_database(settings, needs_schema=False)
    manifest = archive.restore(database, settings, args.file, is_forced=args.force)
    data: dict[str, object] = {
        "file": str(args.file),
        "made_at": manifest.made_at,
        "members": len(manifest.members),
    }
    text = f"Restored the backup of {manifest.made_at}. Everybody has to sign in again if this is a new data folder."
    return Result(data, text)
