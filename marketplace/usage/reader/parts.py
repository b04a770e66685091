"""Parts of a file read side by side, each by a DuckDB of its own; their rows numbered, and counted twice.

The common part (one billing account, one period, no faulty row) goes straight to a Parquet file; any other is staged
and divided.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from marketplace.core.errors import N_
from marketplace.usage.byte_ranges import PartFiles
from marketplace.usage.engine import open_engine, quoted
from marketplace.usage.header import Packing
from marketplace.usage.reader.reading import ReadFile, Reading, Resources, SliceKey
from marketplace.usage.reader.statements import LAKE_LIST, Scan, fault_columns, judged_rows

#: A file's rows are looked at before it is read, to see whether it is about one account and period.
_SAMPLE = 2000
PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"

STAGE_READING = N_("reading")


@dataclass
class _PartRead:
    number: int
    rows: int = 0
    accepted: int = 0
    files: dict[SliceKey, Path] = field(default_factory=dict)
    rejects: Path | None = None
    rejected_by_slice: dict[SliceKey, int] = field(default_factory=dict)
    rejected_elsewhere: int = 0


class Miscounted(Exception):
    """Two readers count the rows differently."""

    def __init__(self, *, counted: int, read: int) -> None:
        super().__init__(f"{counted} and {read}")
        self.counted = counted
        self.read = read


class _Workers:
    """One private DuckDB for each processor, so that each reads its part in order."""

    def __init__(
        self, resources: Resources, *, count: int, files: PartFiles | None, is_costly_to_parse: bool
    ) -> None:
        self._local = threading.local()
        self._resources = resources
        self._count = count
        self._files = files
        self._is_costly_to_parse = is_costly_to_parse
        self._opened: list[duckdb.DuckDBPyConnection] = []
        # The slice that every row so far belonged to; given up at the first row that does not.
        self.usual: SliceKey | None = None

    def engine(self) -> duckdb.DuckDBPyConnection:
        """Give the calling thread's own DuckDB."""
        if not hasattr(self._local, "engine"):
            engine = open_engine(
                memory_limit=self._resources.memory_limit // self._count,
                threads=1 if self._files else self._resources.threads,
                spill_folder=self._resources.work_folder / "spill" / str(threading.get_ident()),
                is_costly_to_parse=self._is_costly_to_parse,
            )
            if self._files:
                engine.register_filesystem(self._files)
            self._local.engine = engine
            self._opened.append(engine)
        return self._local.engine  # type: ignore[no-any-return]

    def close(self) -> None:
        for engine in self._opened:
            engine.close()


def read_parts(
    scans: Sequence[Scan],
    reading: Reading,
    resources: Resources,
    *,
    files: PartFiles | None = None,
    count_again: Callable[[int], int] | None = None,
) -> ReadFile:
    """Read all parts, number their rows, and prove that none was lost."""
    result = ReadFile()
    if not any(scan.expected for scan in scans):
        return result
    count = max(min(resources.threads, len(scans)), 1)
    is_json = reading.header.packing is Packing.JSON_LINES
    workers = _Workers(resources, count=count, files=files, is_costly_to_parse=is_json)
    total = sum(scan.expected for scan in scans)
    first_rows = _first_rows(scan.expected for scan in scans)
    done = 0
    reads: list[_PartRead] = []
    try:
        if total > _SAMPLE:
            workers.usual = _usual_slice(workers.engine(), scans[0], reading)
        with ThreadPoolExecutor(count) as pool:
            futures = [
                pool.submit(_read_part, workers, scan, reading, resources, first_row=first_row)
                for scan, first_row in zip(scans, first_rows, strict=True)
            ]
            try:
                for future in futures:
                    reads.append(future.result())
                    done += reads[-1].rows
                    resources.progress(STAGE_READING, done, total)
                    resources.check_cancelled()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        true_counts = [
            _proven_count(read, scan, count_again) for read, scan in zip(reads, scans, strict=True)
        ]
        for read, guessed, true in zip(reads, first_rows, _first_rows(true_counts), strict=True):
            if guessed != true:
                _renumber(workers.engine(), read, shift=true - guessed)
        if files:
            result.rows_by_part = true_counts
        _gather(result, reads)
        if any(read.rejects for read in reads):
            result.reject_file = resources.work_folder / f"{reading.file_no}.rejects.parquet"
            _merge_rejects(
                workers.engine(), [read.rejects for read in reads if read.rejects], result.reject_file
            )
    finally:
        workers.close()
    return result


def _first_rows(counts: Iterable[int]) -> list[int]:
    first, firsts = 1, []
    for rows in counts:
        firsts.append(first)
        first += rows
    return firsts


def _proven_count(read: _PartRead, scan: Scan, count_again: Callable[[int], int] | None) -> int:
    """Compare the reader's count with the one made from the bytes; lines within quotation marks need a second look."""
    if read.rows == scan.expected:
        return read.rows
    counted = count_again(scan.number) if count_again else scan.expected
    if counted != read.rows:
        raise Miscounted(counted=counted, read=read.rows)
    return counted


def _usual_slice(engine: duckdb.DuckDBPyConnection, scan: Scan, reading: Reading) -> SliceKey | None:
    """Give the billing account and period of the first rows, if they agree and none is faulty."""
    sample = replace(scan, sql=f"{scan.sql} LIMIT {_SAMPLE}")
    rows = engine.execute(
        f"SELECT billing_account, period, max(fault) FROM ({judged_rows(sample, reading, 1)}) GROUP BY ALL LIMIT 2"
    ).fetchall()
    if len(rows) != 1 or rows[0][2] or rows[0][1] is None:
        return None
    return SliceKey(rows[0][0], rows[0][1])


def _read_part(
    workers: _Workers, scan: Scan, reading: Reading, resources: Resources, *, first_row: int
) -> _PartRead:
    resources.check_cancelled()
    engine = workers.engine()
    stem = resources.work_folder / f"{reading.file_no}-{scan.number:05d}"
    judged = judged_rows(scan, reading, first_row)
    if usual := workers.usual:
        target = stem.with_suffix(".parquet")
        (written,) = engine.execute(
            f"COPY (SELECT {LAKE_LIST} FROM ({judged}) WHERE fault = 0 AND billing_account = "
            f"{quoted(usual.billing_account)} AND period = {usual.period}) TO {quoted(str(target))} ({PARQUET})"
        ).fetchall()[0]
        if written == scan.expected:
            return _PartRead(number=scan.number, rows=written, accepted=written, files={usual: target})
        # A row that is faulty or belongs elsewhere seldom comes alone: the parts to come are divided at once.
        workers.usual = None
        target.unlink()
    return _divide_part(engine, judged, scan, reading, stem)


def _divide_part(
    engine: duckdb.DuckDBPyConnection, judged: str, scan: Scan, reading: Reading, stem: Path
) -> _PartRead:
    """Stage a part and write each billing account and period, and the rejects, to a file of its own."""
    read = _PartRead(number=scan.number)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {LAKE_LIST}, period, fault, "
        f"{fault_columns(reading)} FROM ({judged})"
    )
    groups = engine.execute(
        "SELECT billing_account, period, count(*) FILTER (fault = 0), count(*) FILTER (fault <> 0) "
        "FROM staged GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for number, (account, period, accepted, rejected) in enumerate(groups):
        read.rows += accepted + rejected
        read.accepted += accepted
        # A file that is told to be about one month says nothing of others.
        is_elsewhere = period is None or (reading.period and period != reading.period.number)
        if rejected and is_elsewhere:
            read.rejected_elsewhere += rejected
        elif rejected:
            read.rejected_by_slice[SliceKey(account, period)] = rejected
        if accepted:
            target = stem.with_name(f"{stem.name}-{number}.parquet")
            read.files[SliceKey(account, period)] = target
            engine.execute(
                f"COPY (SELECT {LAKE_LIST} FROM staged WHERE fault = 0 AND billing_account = {quoted(account)} "
                f"AND period = {period}) TO {quoted(str(target))} ({PARQUET})"
            )
    if read.rows > read.accepted:
        read.rejects = stem.with_name(f"{stem.name}.rejects.parquet")
        engine.execute(
            'COPY (SELECT "row", "column", "value", reason, cost::VARCHAR AS cost, coalesce(currency, \'\') AS currency '
            f"FROM staged WHERE fault <> 0) TO {quoted(str(read.rejects))} ({PARQUET})"
        )
    engine.execute("DROP TABLE staged")
    return read


def _renumber(engine: duckdb.DuckDBPyConnection, read: _PartRead, *, shift: int) -> None:
    """Correct the row numbers of a part that stands after lines which were not rows."""
    for path in [*read.files.values(), *([read.rejects] if read.rejects else [])]:
        corrected = path.with_suffix(".renumbered")
        engine.execute(
            f'COPY (SELECT * REPLACE ("row" + {shift}::BIGINT AS "row") FROM read_parquet({quoted(str(path))})) '
            f"TO {quoted(str(corrected))} ({PARQUET})"
        )
        corrected.replace(path)


def _gather(result: ReadFile, reads: Iterable[_PartRead]) -> None:
    for read in reads:
        result.rows += read.rows
        result.accepted += read.accepted
        result.rejected += read.rows - read.accepted
        result.rejected_elsewhere += read.rejected_elsewhere
        for key, path in read.files.items():
            result.lake_files.setdefault(key, []).append(path)
        for key, rejected in read.rejected_by_slice.items():
            result.rejected_by_slice[key] = result.rejected_by_slice.get(key, 0) + rejected


def _merge_rejects(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], target: Path) -> None:
    listed = ", ".join(quoted(str(path)) for path in paths)
    engine.execute(f"COPY (SELECT * FROM read_parquet([{listed}])) TO {quoted(str(target))} ({PARQUET})")
