"""`worker`: do the jobs that pages enqueue. Run as many as you like, on any number of machines."""

import argparse
import logging
from typing import Any

from marketplace import jobs
from marketplace.cli.context import open_database
from marketplace.cli.result import Result
from marketplace.settings import load_settings


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("worker", help="do the jobs that pages enqueue, until stopped")
    parser.add_argument("--until-idle", action="store_true", help="end when no job is left")


def run(args: argparse.Namespace) -> Result:
    """Work until SIGTERM or Ctrl-C; a running job is finished first."""
    settings = load_settings()
    logging.getLogger("procrastinate").setLevel(logging.INFO)
    known = jobs.load_jobs()
    jobs.run_worker(open_database(settings), settings, jobs=known.values(), is_waiting=not args.until_idle)
    return Result({"jobs": sorted(known)}, "The worker has stopped.")
