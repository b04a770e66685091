"""Vendor rows to typed rows of the lake: streaming, exact, and counted twice.

A text file is cut into parts between rows; each processor reads its own parts in order. The common part (one billing
account, one period, no faulty row) goes straight to a Parquet file; any other is staged and divided. What DuckDB
cannot take apart is rewritten by `repair` and read again. In the end `rows = accepted + rejected` must hold against a
count that DuckDB had no part in, or nothing is kept.
"""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.usage.byte_ranges import PartFiles
from marketplace.usage.engine import identifier, open_engine, quoted
from marketplace.usage.formats import Check, Format
from marketplace.usage.formats.format import LAKE_COLUMNS, NOT_AN_OBJECT, OTHER_PERIOD, fill
from marketplace.usage.header import Header, Packing, TruncatedFile
from marketplace.usage.originals import PART, LineIndex, TextIndex, index_of, unpack
from marketplace.usage.repair import (
    REMOVED_ZERO_BYTES,
    REPAIRED_ENCODING,
    WHOLE_ROW,
    UnreadableRow,
    count_rows,
    encoding_of,
    repair,
)

#: A file's rows are looked at before it is read, to see whether it is about one account and period.
_SAMPLE = 2000
_PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
_NO_DELIMITER = "\\x07"
_SHOWN = 200
_ONCE = re.compile(r'(?:day|moment)_of\((?:c\d+|"j_\w+")\)')

Progress = Callable[[str, int, int], None]

STAGE_UNPACKING = N_("unpacking")
STAGE_READING = N_("reading")


class Cancelled(Refusal):
    """The person asked for the import to stop."""

    sentence = N_("The import was cancelled. Nothing has changed.")


class RowsLost(Refusal):
    """The reader's count and the independent count differ: a defect, never to be billed."""

    sentence = N_(
        "%(file)s has %(counted)s rows but %(read)s were read. Nothing was imported; please report this file."
    )


class UnreadableLines(Refusal):
    """A JSON lines or Parquet file that the reader refuses as a whole."""

    sentence = N_("%(file)s cannot be read (%(reason)s). Fetch it again from the vendor.")


@dataclass(frozen=True)
class Reading:
    """What is the same for all rows of a file: whose account it is said to be, its period, its number."""

    file_no: int
    name: str
    header: Header
    billing_account: str = ""
    period: Period | None = None


@dataclass(frozen=True, order=True)
class SliceKey:
    """The billing account and the period (as 202409) that a row belongs to."""

    billing_account: str
    period: int


@dataclass
class ReadFile:
    """Everything a file became."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    # Parquet files in the work folder, in the order of the file's rows.
    lake_files: dict[SliceKey, list[Path]] = field(default_factory=dict)
    rejected_by_slice: dict[SliceKey, int] = field(default_factory=dict)
    # Rejected rows whose billing account or period cannot be told.
    rejected_elsewhere: int = 0
    reject_file: Path | None = None
    # How many rows each part of a plain text has; empty where the text had to be repaired.
    rows_by_part: list[int] = field(default_factory=list)
    notes: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@dataclass
class _PartRead:
    number: int
    rows: int = 0
    accepted: int = 0
    files: dict[SliceKey, Path] = field(default_factory=dict)
    rejects: Path | None = None
    rejected_by_slice: dict[SliceKey, int] = field(default_factory=dict)
    rejected_elsewhere: int = 0


@dataclass(frozen=True)
class Resources:
    """What the reader may use, and whom it keeps informed."""

    work_folder: Path
    memory_limit: int
    threads: int
    progress: Progress = lambda _stage, _done, _total: None
    is_cancelled: Callable[[], bool] = lambda: False
    part_size: int = PART

    def check_cancelled(self) -> None:
        """Raise `Cancelled` if the person asked for it."""
        if self.is_cancelled():
            raise Cancelled


def read_file(
    original: Path, reading: Reading, resources: Resources, *, index: TextIndex | None = None
) -> ReadFile:
    """Read one stored file into Parquet files in the work folder.

    `index` was made while the file was stored, where it was. Raises refusals; leaves nothing behind
    that counts, since only the caller moves the result into the lake.
    """
    resources.work_folder.mkdir(parents=True, exist_ok=True)
    if reading.header.packing is Packing.PARQUET:
        return _read_parquet(original, reading, resources)
    plain, index = _plain_text(original, reading, resources, index)
    if reading.header.packing is Packing.JSON_LINES:
        return _read_json_lines(plain, index, reading, resources)
    return _read_csv(plain, index, reading, resources)


def _plain_text(
    original: Path, reading: Reading, resources: Resources, index: TextIndex | None
) -> tuple[Path, TextIndex]:
    """Give the text unpacked, and its index."""
    header = reading.header
    if index is not None and not header.is_gzip:
        return original, index
    lines = LineIndex(header.body, is_quoted=header.packing is Packing.CSV, part_size=resources.part_size)
    size = original.stat().st_size

    def advance(done: int) -> None:
        resources.check_cancelled()
        resources.progress(STAGE_UNPACKING, done, size)

    if not header.is_gzip:
        return original, index_of(original, lines, advance)
    plain = resources.work_folder / f"{reading.file_no}.plain"
    unpack(original, plain, name=reading.name, index=lines, advance=advance)
    return plain, lines.finish()


# --- The three packings ---------------------------------------------------------------------------------------------


def _read_csv(plain: Path, index: TextIndex, reading: Reading, resources: Resources) -> ReadFile:
    header = reading.header
    if header.encoding == "utf-8" and not index.has_nul:
        files = PartFiles(plain, index.parts)
        scans = [
            _Scan(_csv_scan(header, files.address(number)), part.lines, number)
            for number, part in enumerate(index.parts)
        ]

        def count_again(number: int) -> int:
            with files.open(files.address(number)) as stream:
                return count_rows(stream, header)

        try:
            return _read_parts(scans, reading, resources, files=files, count_again=count_again)
        except (duckdb.InvalidInputException, _Miscounted):
            # Not proper CSV in UTF-8, or not counted alike by two readers: take it apart row by row.
            pass
    return _read_repaired(plain, index, reading, resources)


def _read_repaired(plain: Path, index: TextIndex, reading: Reading, resources: Resources) -> ReadFile:
    header = reading.header
    encoding = encoding_of(plain, header)
    target = resources.work_folder / f"{reading.file_no}.repaired.csv"
    counted = max(sum(part.lines for part in index.parts), 1)

    def advance(done: int) -> None:
        resources.check_cancelled()
        resources.progress(STAGE_UNPACKING, done, counted)

    repaired = repair(plain, target, header=header, encoding=encoding, advance=advance)
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in repaired.places)
    scan = (
        f"SELECT r::BIGINT AS row_number, {', '.join(f'c{place}' for place in repaired.places)} FROM read_csv("
        f"{quoted(str(target))}, header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
        f"new_line = '\\n', nullstr = ['', 'NULL', 'null'], columns = {{'r': 'VARCHAR', {columns}}})"
    )
    readable = repaired.rows - len(repaired.unreadable)
    try:
        result = _read_parts([_Scan(scan, readable, 0, is_numbered=True)], reading, resources)
    except _Miscounted as error:
        raise RowsLost(file=reading.name, counted=repaired.rows, read=error.read) from error
    _add_unreadable(result, repaired.unreadable, reading, resources)
    if encoding not in {"utf-8", "utf-8-sig"}:
        result.notes.append((REPAIRED_ENCODING, {"encoding": encoding}))
    if index.has_nul and header.encoding == "utf-8":
        result.notes.append((REMOVED_ZERO_BYTES, {}))
    return result


def _read_json_lines(plain: Path, index: TextIndex, reading: Reading, resources: Resources) -> ReadFile:
    files = PartFiles(plain, index.parts)
    scans = [
        _Scan(_json_scan(reading.header, files.address(number)), part.lines, number)
        for number, part in enumerate(index.parts)
    ]

    def count_again(number: int) -> int:
        part = index.parts[number]
        with plain.open("rb") as stream:
            stream.seek(part.start)
            return sum(1 for line in stream.read(part.end - part.start).split(b"\n") if line.strip())

    try:
        return _read_parts(scans, reading, resources, files=files, count_again=count_again)
    except duckdb.InvalidInputException as error:
        raise UnreadableLines(file=reading.name, reason=str(error).splitlines()[0]) from error
    except _Miscounted as error:
        raise RowsLost(file=reading.name, counted=error.counted, read=error.read) from error


def _read_parquet(original: Path, reading: Reading, resources: Resources) -> ReadFile:
    places = {column: reading.header.position(column) for column in reading.header.format.columns}
    columns = ", ".join(
        f"something({identifier(reading.header.names[place])}::VARCHAR) AS c{place}"
        for place in places.values()
        if place is not None
    )
    source = f"read_parquet({quoted(str(original))}, file_row_number = true, binary_as_string = true)"
    scan = f"SELECT file_row_number + 1 AS row_number, {columns} FROM {source}"
    try:
        with open_engine(memory_limit=1 << 28, threads=1) as connection:
            (counted,) = connection.execute(
                f"SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata({quoted(str(original))})"
            ).fetchall()[0]
        return _read_parts([_Scan(scan, counted, 0, is_numbered=True)], reading, resources)
    except _Miscounted as error:
        raise RowsLost(file=reading.name, counted=error.counted, read=error.read) from error
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise TruncatedFile(file=reading.name, reason=str(error).splitlines()[0]) from error


# --- SQL ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scan:
    """SQL that gives `row_number` and the vendor's columns as `c0`, `c1`, and how many rows are expected of it."""

    sql: str
    expected: int
    number: int
    is_numbered: bool = False


def _csv_scan(header: Header, address: str) -> str:
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(header.names)))
    wanted = ", ".join(f"c{place}" for place in header.places)
    return (
        f"SELECT row_number() OVER () AS row_number, {wanted} FROM read_csv({quoted(address)}, "
        f"header = false, auto_detect = false, delim = {quoted(header.delimiter)}, "
        f"quote = '\"', escape = '\"', nullstr = ['', 'NULL', 'null'], columns = {{{columns}}})"
    )


def _json_scan(header: Header, address: str) -> str:
    """Read lines as they are and take the attributes out of them.

    DuckDB's JSON reader sends every number with a fraction through a float. So the amounts among them are put in
    quotation marks first; a name inside a quoted text has its marks escaped and is not touched.
    """
    amounts = "|".join(header.format.decimals)
    quoting = f'("(?i:{amounts})"\\s*:\\s*)([-+]?[0-9][-+0-9.eE]*)'
    actual = {column: header.position(column) for column in header.format.columns}
    paths = [
        '$."' + (column if place is None else header.names[place]).replace('"', '\\"') + '"'
        for column, place in actual.items()
    ]
    values = ", ".join(
        f"something(v[{number}]) AS {_json_column(column)}" for number, column in enumerate(actual, start=1)
    )
    return (
        "SELECT row_number, is_object, "
        f"{values} FROM (SELECT row_number() OVER () AS row_number, is_object, CASE WHEN is_object THEN "
        f"json_extract_string(regexp_replace(line, {quoted(quoting)}, '\\1\"\\2\"', 'g'), "
        f"[{', '.join(quoted(path) for path in paths)}]) END AS v FROM (SELECT line, "
        "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END AS is_object "
        f"FROM read_csv({quoted(address)}, header = false, auto_detect = false, delim = E'{_NO_DELIMITER}', "
        "quote = '', escape = '', max_line_size = 16000000, columns = {'line': 'VARCHAR'}) "
        "WHERE trim(line, E' \\t\\r') <> ''))"
    )


def _json_column(column: str) -> str:
    return identifier("j_" + column)


def _judged(scan: _Scan, reading: Reading, first_row: int) -> str:
    """Give SQL for every row typed for the lake, with its billing account, period and first fault."""
    header = reading.header
    form = header.format
    if header.packing is Packing.JSON_LINES:
        columns = {column: _json_column(column) for column in form.columns}
    else:
        places = {column: header.position(column) for column in form.columns}
        columns = {column: f"c{place}" for column, place in places.items() if place is not None}
    typed = [
        f"{reading.file_no}::INTEGER AS file_no",
        f'row_number + {first_row - 1}::BIGINT AS "row"' if not scan.is_numbered else 'row_number AS "row"',
        *(
            f"({_lake_sql(form, name, reading, columns)})::{kind} AS {identifier(name)}"
            for name, kind in LAKE_COLUMNS.items()
            if name not in {"file_no", "row", "file_kind"}
        ),
        f"{quoted(form.file_kind)} AS file_kind",
    ]
    day = fill(form.period_day, columns)
    told = reading.period.number if reading.period else None
    period = f"(year({day}) * 100 + month({day}))::INTEGER" if day else f"{told}::INTEGER"
    checks = list(_checks(reading))
    faults = " ".join(
        f"WHEN {fill(check.fault, columns)} THEN {number}" for number, check in enumerate(checks, start=1)
    )
    raw = ", ".join(
        dict.fromkeys((*columns.values(), *(["is_object"] if header.packing is Packing.JSON_LINES else [])))
    )
    rows = f"SELECT {', '.join(typed)}, {raw}"
    judged = f"SELECT *, CASE {faults} ELSE 0 END::SMALLINT AS fault FROM (SELECT *, {period} AS period FROM "
    # A day is taken from its text once, however many columns and checks need it.
    once = dict.fromkeys(_ONCE.findall(rows + period))
    names = {call: identifier(f"once{number}") for number, call in enumerate(once)}
    taken = "".join(f", {call} AS {name}" for call, name in names.items())
    kept = "".join(f", {name}" for name in names.values())
    for call, name in names.items():
        rows, judged = rows.replace(call, name), judged.replace(call, name)
    return f"{judged}({rows}{kept} FROM (SELECT *{taken} FROM ({scan.sql}))))"


def _lake_sql(form: Format, name: str, reading: Reading, columns: dict[str, str]) -> str:
    if name == "billing_account" and reading.billing_account:
        return quoted(reading.billing_account)
    return fill(form.lake[name], columns)


def _checks(reading: Reading) -> Iterable[Check]:
    """Give the checks of the format, and those that only the way of packing or the person's words bring."""
    if reading.header.packing is Packing.JSON_LINES:
        yield Check(WHOLE_ROW, "NOT is_object", NOT_AN_OBJECT)
    yield from reading.header.format.checks
    if reading.period and not reading.header.format.is_period_told:
        yield Check("period", f"period IS DISTINCT FROM {reading.period.number}", OTHER_PERIOD)


def _fault_columns(reading: Reading) -> str:
    """Give SQL for a rejected row's column, value and reason."""
    header = reading.header
    names, values, reasons = [], [], []
    for number, check in enumerate(_checks(reading), start=1):
        place = header.position(check.column)
        shown = check.column if place is None else header.names[place]
        if header.packing is Packing.JSON_LINES:
            value = _json_column(check.column) if check.column in header.format.columns else "NULL"
        elif check.column == "period":
            value = "period::VARCHAR"
        else:
            value = "NULL" if place is None else f"c{place}"
        names.append(f"WHEN {number} THEN {quoted(shown)}")
        values.append(f"WHEN {number} THEN {value}")
        reasons.append(f"WHEN {number} THEN {quoted(check.reason)}")
    return (
        f'CASE fault {" ".join(names)} END AS "column", '
        f"left(coalesce(CASE fault {' '.join(values)} END, ''), {_SHOWN}) AS \"value\", "
        f"CASE fault {' '.join(reasons)} END AS reason"
    )


_LAKE_LIST = ", ".join(identifier(name) for name in LAKE_COLUMNS)
_REJECT_COLUMNS = {
    "row": "BIGINT",
    "column": "VARCHAR",
    "value": "VARCHAR",
    "reason": "VARCHAR",
    "cost": "VARCHAR",
    "currency": "VARCHAR",
}


# --- Parts ----------------------------------------------------------------------------------------------------------


class _Miscounted(Exception):
    """Two readers count the rows differently."""

    def __init__(self, *, counted: int, read: int) -> None:
        super().__init__(f"{counted} and {read}")
        self.counted = counted
        self.read = read


class _Workers:
    """One private DuckDB for each processor, so that each reads its part in order."""

    def __init__(self, resources: Resources, *, count: int, files: PartFiles | None) -> None:
        self._local = threading.local()
        self._resources = resources
        self._count = count
        self._files = files
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
            )
            if self._files:
                engine.register_filesystem(self._files)
            self._local.engine = engine
            self._opened.append(engine)
        return self._local.engine  # type: ignore[no-any-return]

    def close(self) -> None:
        for engine in self._opened:
            engine.close()


def _read_parts(
    scans: Sequence[_Scan],
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
    workers = _Workers(resources, count=count, files=files)
    total = sum(scan.expected for scan in scans)
    first_rows = _first_rows(scan.expected for scan in scans)
    done = 0
    reads: list[_PartRead] = []
    try:
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


def _proven_count(read: _PartRead, scan: _Scan, count_again: Callable[[int], int] | None) -> int:
    """Compare the reader's count with the one made from the bytes; lines within quotation marks need a second look."""
    if read.rows == scan.expected:
        return read.rows
    counted = count_again(scan.number) if count_again else scan.expected
    if counted != read.rows:
        raise _Miscounted(counted=counted, read=read.rows)
    return counted


def _usual_slice(engine: duckdb.DuckDBPyConnection, scan: _Scan, reading: Reading) -> SliceKey | None:
    """Give the billing account and period of the first rows, if they agree and none is faulty."""
    sample = replace(scan, sql=f"{scan.sql} LIMIT {_SAMPLE}")
    rows = engine.execute(
        f"SELECT billing_account, period, max(fault) FROM ({_judged(sample, reading, 1)}) GROUP BY ALL LIMIT 2"
    ).fetchall()
    if len(rows) != 1 or rows[0][2] or rows[0][1] is None:
        return None
    return SliceKey(rows[0][0], rows[0][1])


def _read_part(
    workers: _Workers, scan: _Scan, reading: Reading, resources: Resources, *, first_row: int
) -> _PartRead:
    resources.check_cancelled()
    engine = workers.engine()
    stem = resources.work_folder / f"{reading.file_no}-{scan.number:05d}"
    judged = _judged(scan, reading, first_row)
    if usual := workers.usual:
        target = stem.with_suffix(".parquet")
        (written,) = engine.execute(
            f"COPY (SELECT {_LAKE_LIST} FROM ({judged}) WHERE fault = 0 AND billing_account = "
            f"{quoted(usual.billing_account)} AND period = {usual.period}) TO {quoted(str(target))} ({_PARQUET})"
        ).fetchall()[0]
        if written == scan.expected:
            return _PartRead(number=scan.number, rows=written, accepted=written, files={usual: target})
        # A row that is faulty or belongs elsewhere seldom comes alone: the parts to come are divided at once.
        workers.usual = None
        target.unlink()
    return _divide_part(engine, judged, scan, reading, stem)


def _divide_part(
    engine: duckdb.DuckDBPyConnection, judged: str, scan: _Scan, reading: Reading, stem: Path
) -> _PartRead:
    """Stage a part and write each billing account and period, and the rejects, to a file of its own."""
    read = _PartRead(number=scan.number)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {_LAKE_LIST}, period, fault, "
        f"{_fault_columns(reading)} FROM ({judged})"
    )
    groups = engine.execute(
        "SELECT billing_account, period, count(*) FILTER (fault = 0), count(*) FILTER (fault <> 0) "
        "FROM staged GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for number, (account, period, accepted, rejected) in enumerate(groups):
        read.rows += accepted + rejected
        read.accepted += accepted
        if rejected and period is None:
            read.rejected_elsewhere += rejected
        elif rejected:
            read.rejected_by_slice[SliceKey(account, period)] = rejected
        if accepted:
            target = stem.with_name(f"{stem.name}-{number}.parquet")
            read.files[SliceKey(account, period)] = target
            engine.execute(
                f"COPY (SELECT {_LAKE_LIST} FROM staged WHERE fault = 0 AND billing_account = {quoted(account)} "
                f"AND period = {period}) TO {quoted(str(target))} ({_PARQUET})"
            )
    if read.rows > read.accepted:
        read.rejects = stem.with_name(f"{stem.name}.rejects.parquet")
        engine.execute(
            'COPY (SELECT "row", "column", "value", reason, cost::VARCHAR AS cost, coalesce(currency, \'\') AS currency '
            f"FROM staged WHERE fault <> 0) TO {quoted(str(read.rejects))} ({_PARQUET})"
        )
    engine.execute("DROP TABLE staged")
    return read


def _renumber(engine: duckdb.DuckDBPyConnection, read: _PartRead, *, shift: int) -> None:
    """Correct the row numbers of a part that stands after lines which were not rows."""
    for path in [*read.files.values(), *([read.rejects] if read.rejects else [])]:
        corrected = path.with_suffix(".renumbered")
        engine.execute(
            f'COPY (SELECT * REPLACE ("row" + {shift}::BIGINT AS "row") FROM read_parquet({quoted(str(path))})) '
            f"TO {quoted(str(corrected))} ({_PARQUET})"
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
    engine.execute(f"COPY (SELECT * FROM read_parquet([{listed}])) TO {quoted(str(target))} ({_PARQUET})")


def _add_unreadable(
    result: ReadFile, unreadable: Sequence[UnreadableRow], reading: Reading, resources: Resources
) -> None:
    """Add the rows that could not be taken apart to the rejects, in the order of the file."""
    result.rows += len(unreadable)
    result.rejected += len(unreadable)
    result.rejected_elsewhere += len(unreadable)
    if not unreadable:
        return
    target = resources.work_folder / f"{reading.file_no}.all-rejects.parquet"
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in _REJECT_COLUMNS.items())
    with open_engine(memory_limit=resources.memory_limit, threads=1) as engine:
        engine.execute(f"CREATE TEMP TABLE rejects ({columns})")
        engine.executemany(
            "INSERT INTO rejects VALUES (?, ?, ?, ?, NULL, '')",
            [[row.row, row.column, row.value, row.reason] for row in unreadable],
        )
        if result.reject_file:
            engine.execute(
                f"INSERT INTO rejects SELECT * FROM read_parquet({quoted(str(result.reject_file))})"
            )
        engine.execute(f'COPY (FROM rejects ORDER BY "row") TO {quoted(str(target))} ({_PARQUET})')
    result.reject_file = target
