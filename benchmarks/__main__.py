"""`make bench` (ARGS="--lines 10000000 --runs 3"): medians and ratios of import and close, printed as a table."""

import argparse
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import psutil

from benchmarks.month import repeat_usage, write_terms, write_usage
from benchmarks.orm_loop import lines_a_second
from marketplace import schema
from marketplace.billing.closing import close_period
from marketplace.core import embedded_postgres
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings, load_settings
from marketplace.usage.operations import GivenFile, read_delivery, receive_files

PERIOD = Period(2024, 9)
ACTOR = Actor.system("benchmark")
_ORM_LINES = 2_000


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lines", type=int, nargs="+", default=[1_000_000, 10_000_000], help="sizes of the month's file"
    )
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured")
    parser.add_argument(
        "--repeat",
        type=int,
        default=1,
        help="close a month so many times as long, from a lake made by repetition",
    )
    args = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, DuckDB {duckdb.__version__}"
    )
    for lines in args.lines:
        _measure(lines, runs=args.runs, repeat=args.repeat)


def _measure(lines: int, *, runs: int, repeat: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "usage.csv"
        write_usage(file, lines=lines)
        print(f"\n{lines:,} lines, {file.stat().st_size / 1e9:.2f} GB, {runs} runs")
        times: dict[str, list[float]] = {}
        peak = Peak()
        orm = 0
        for run in range(runs):
            os.environ["MARKETPLACE_HOME"] = str(Path(folder) / f"home-{run}")
            settings = load_settings()
            server = embedded_postgres.start(settings.home)
            database = Database(server.url)
            try:
                schema.migrate(database)
                write_terms(database)
                with peak.watched():
                    _one_run(database, settings, file, times, repeat=repeat)
                if not run and repeat == 1:
                    orm = lines_a_second(database, file, lines=_ORM_LINES)
            finally:
                database.dispose()
                server.stop()
        _report(times, lines=lines, repeat=repeat, peak=peak, orm=orm)


def _one_run(
    database: Database, settings: Settings, file: Path, times: dict[str, list[float]], *, repeat: int
) -> None:
    def timed(name: str, work: Callable[[], object]) -> object:
        started = time.perf_counter()
        result = work()
        times.setdefault(name, []).append(time.perf_counter() - started)
        return result

    timed("bare scan", lambda: _scan(file))
    received = timed(
        "store and hash",
        lambda: receive_files(
            database, settings, actor=ACTOR, files=[GivenFile(file, file.name)], vendor="microsoft"
        ),
    )
    timed(
        "import",
        lambda: read_delivery(database, settings, actor=ACTOR, delivery_id=received.delivery_id),  # type: ignore[attr-defined]
    )
    if repeat > 1:
        repeat_usage(database, Path(settings.lake), times=repeat)
    figures = timed(
        "close",
        lambda: close_period(
            database,
            settings,
            period=PERIOD,
            actor=ACTOR,
            approve=False,
            dry_run=False,
            now=datetime.now(UTC),
        ),
    )
    print(f"  run: {figures['lines']} lines, balance {figures['balance']['ok']}")  # type: ignore[index]


def _scan(file: Path) -> None:
    """Read the file as DuckDB does at its fastest: count, and two decimal sums."""
    with duckdb.connect() as engine:
        engine.execute(
            f"SELECT count(*), sum(TRY_CAST(Quantity AS DECIMAL(18, 6))), "
            f"sum(TRY_CAST(BillingPreTaxTotal AS DECIMAL(24, 10))) FROM read_csv('{file}', all_varchar = true)"
        ).fetchall()


class Peak:
    """The most memory this process held, sampled. PostgreSQL's is its own setting and measured nowhere."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.bytes = 0

    def watched(self) -> "Peak":
        """Sample until the block ends."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        return self

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        process = psutil.Process()
        while not self._ended.wait(0.2):
            self.bytes = max(self.bytes, process.memory_info().rss)


def _report(times: dict[str, list[float]], *, lines: int, repeat: int, peak: Peak, orm: int) -> None:
    scans = times["bare scan"]
    whole = [a + b for a, b in zip(times["import"], times["close"], strict=True)]
    stages = times if repeat > 1 else {**times, "import and close": whole}
    for name, seconds in stages.items():
        middle = statistics.median(seconds)
        ratio = statistics.median(s / scan for s, scan in zip(seconds, scans, strict=True))
        done = lines * repeat if name == "close" else lines
        print(f"  {name:<18}{middle:9.2f} s {done / middle:14,.0f} lines/s {ratio:8.2f} x the bare scan")
    print(f"  peak memory       {peak.bytes / 1e9:9.2f} GB")
    if repeat == 1:
        speed = lines / statistics.median(whole)
        times_as_fast = f"import and close is {speed / max(orm, 1):,.0f} times as fast"
        print(f"  row by row (ORM)  {orm:9,} lines/s; {times_as_fast}")


if __name__ == "__main__":
    main()
