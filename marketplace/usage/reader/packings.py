"""The three ways a file is packed, CSV, JSON lines and Parquet, and what is done with what DuckDB cannot take apart."""

from pathlib import Path

import duckdb

from marketplace.core.errors import N_, Refusal
from marketplace.usage.byte_ranges import PartFiles
from marketplace.usage.engine import open_engine, quoted
from marketplace.usage.header import Packing, TruncatedFile
from marketplace.usage.originals import LineIndex, TextIndex, index_of, unpack
from marketplace.usage.reader.parts import PARQUET, Miscounted, read_parts
from marketplace.usage.reader.reading import ReadFile, Reading, Resources
from marketplace.usage.reader.statements import (
    Scan,
    csv_scan,
    json_scan,
    parquet_scan,
    repaired_scan,
    unreadable_scan,
)
from marketplace.usage.repair import (
    REMOVED_ZERO_BYTES,
    REPAIRED_ENCODING,
    count_rows,
    encoding_of,
    repair,
)

STAGE_UNPACKING = N_("unpacking")


class RowsLost(Refusal):
    """The reader's count and the independent count differ: a defect, never to be billed."""

    sentence = N_(
        "%(file)s has %(counted)s rows but %(read)s were read. Nothing was imported; please report this file."
    )


class UnreadableLines(Refusal):
    """A JSON lines or Parquet file that the reader refuses as a whole."""

    sentence = N_("%(file)s cannot be read (%(reason)s). Fetch it again from the vendor.")


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
            Scan(csv_scan(header, files.address(number)), part.lines, number)
            for number, part in enumerate(index.parts)
        ]

        def count_again(number: int) -> int:
            with files.open(files.address(number)) as stream:
                return count_rows(stream, header)

        try:
            return read_parts(scans, reading, resources, files=files, count_again=count_again)
        except (duckdb.InvalidInputException, Miscounted):
            # Not proper CSV in UTF-8, or not counted alike by two readers: take it apart row by row.
            pass
    return _read_repaired(plain, index, reading, resources)


def _read_repaired(plain: Path, index: TextIndex, reading: Reading, resources: Resources) -> ReadFile:
    header = reading.header
    encoding = encoding_of(plain, header)
    target = resources.work_folder / f"{reading.file_no}.repaired.csv"
    unreadable = resources.work_folder / f"{reading.file_no}.unreadable.csv"
    counted = max(sum(part.lines for part in index.parts), 1)

    def advance(done: int) -> None:
        resources.check_cancelled()
        resources.progress(STAGE_UNPACKING, done, counted)

    repaired = repair(plain, target, unreadable, header=header, encoding=encoding, advance=advance)
    readable = repaired.rows - repaired.unreadable
    try:
        scan = Scan(repaired_scan(target, repaired.places), readable, 0, is_numbered=True)
        result = read_parts([scan], reading, resources)
    except Miscounted as error:
        raise RowsLost(file=reading.name, counted=repaired.rows, read=error.read) from error
    if repaired.unreadable:
        _add_unreadable(result, unreadable, repaired.unreadable, reading, resources)
    if encoding not in {"utf-8", "utf-8-sig"}:
        result.notes.append((REPAIRED_ENCODING, {"encoding": encoding}))
    if index.has_nul and header.encoding == "utf-8":
        result.notes.append((REMOVED_ZERO_BYTES, {}))
    return result


def _read_json_lines(plain: Path, index: TextIndex, reading: Reading, resources: Resources) -> ReadFile:
    files = PartFiles(plain, index.parts)
    scans = [
        Scan(json_scan(reading.header, files.address(number)), part.lines, number)
        for number, part in enumerate(index.parts)
    ]

    def count_again(number: int) -> int:
        part = index.parts[number]
        with plain.open("rb") as stream:
            stream.seek(part.start)
            return sum(1 for line in stream.read(part.end - part.start).split(b"\n") if line.strip())

    try:
        return read_parts(scans, reading, resources, files=files, count_again=count_again)
    except duckdb.InvalidInputException as error:
        raise UnreadableLines(file=reading.name, reason=str(error).splitlines()[0]) from error
    except Miscounted as error:
        raise RowsLost(file=reading.name, counted=error.counted, read=error.read) from error


def _read_parquet(original: Path, reading: Reading, resources: Resources) -> ReadFile:
    try:
        with open_engine(memory_limit=1 << 28, threads=1) as connection:
            (counted,) = connection.execute(
                f"SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata({quoted(str(original))})"
            ).fetchall()[0]
        return read_parts(
            [Scan(parquet_scan(reading.header, original), counted, 0, is_numbered=True)], reading, resources
        )
    except Miscounted as error:
        raise RowsLost(file=reading.name, counted=error.counted, read=error.read) from error
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise TruncatedFile(file=reading.name, reason=str(error).splitlines()[0]) from error


def _add_unreadable(
    result: ReadFile, unreadable: Path, count: int, reading: Reading, resources: Resources
) -> None:
    """Add the rows that could not be taken apart to the rejects, in the order of the file."""
    result.rows += count
    result.rejected += count
    result.rejected_elsewhere += count
    target = resources.work_folder / f"{reading.file_no}.all-rejects.parquet"
    others = f" UNION ALL FROM read_parquet({quoted(str(result.reject_file))})" if result.reject_file else ""
    spill = resources.work_folder / "spill"
    with open_engine(memory_limit=resources.memory_limit, threads=1, spill_folder=spill) as engine:
        engine.execute(
            f'COPY (FROM ({unreadable_scan(unreadable)}{others}) ORDER BY "row") TO {quoted(str(target))} ({PARQUET})'
        )
    result.reject_file = target
