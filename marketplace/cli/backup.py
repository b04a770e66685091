"""`backup`: database, lake and stored files in one file."""

import argparse
from pathlib import Path
from typing import Any

from marketplace import archive
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.settings import load_settings


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("backup", help="write database, lake and stored files to one file")
    parser.add_argument("file", type=Path, metavar="FILE", help="the archive to write, such as backup.tar.gz")


def run(args: argparse.Namespace) -> Result:
    """Write the archive; work may go on meanwhile."""
    settings = load_settings()
    manifest = archive.back_up(open_database(settings), settings, args.file)
    data: dict[str, object] = {
        "file": str(args.file),
        "members": len(manifest.members),
        "bytes": manifest.size,
        "step": manifest.step,
        "lake_included": settings.is_lake_local,
    }
    text = f"{args.file}: {len(manifest.members)} parts, {manifest.size:,} bytes before compression."
    if not settings.is_lake_local:
        text += f"\nThe lake at {settings.lake} is not in it: back it up with the storage's own means."
    return Result(data, text)
