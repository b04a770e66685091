"""The lake: Parquet files by period, vendor and delivery, and the way back from a row to the file it came in.

A file is in the lake before the database says that it counts; what no delivery claims is swept away by the next
import.
"""

import csv
import gzip
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import fsspec

from marketplace.core.errors import N_, FaultyRow, Refusal
from marketplace.core.period import Period
from marketplace.usage.damage import telling_damage
from marketplace.usage.engine import identifier, open_engine, quoted
from marketplace.usage.formats.format import LAKE_COLUMNS
from marketplace.usage.header import Header, Packing, read_header
from marketplace.usage.originals import Part
from marketplace.usage.repair import rows_of

_MEMORY = 512 << 20
_FETCHED = 10_000
#: What file systems allow.
LONGEST_NAME = 255


class OriginalMissing(Refusal):
    """A stored file is no longer where it was put."""

    sentence = N_("The stored file %(file)s is missing: restore it from a backup.")


@dataclass(frozen=True)
class Lake:
    """Where the lake is: a folder, or an fsspec address such as `s3://bucket/lake`."""

    address: str

    @property
    def is_local(self) -> bool:
        """Whether the lake is a folder of this machine."""
        return "://" not in self.address

    def locate(self, path: str) -> str:
        """Give the full address of a file below the lake."""
        return str(Path(self.address) / path) if self.is_local else f"{self.address.rstrip('/')}/{path}"

    def put(self, source: Path, path: str) -> None:
        """Move a finished file into the lake; it is on disk when this returns."""
        if not self.is_local:
            filesystem, root = fsspec.core.url_to_fs(self.locate(path))
            filesystem.makedirs(root.rpartition("/")[0], exist_ok=True)
            filesystem.put_file(str(source), root)
            source.unlink()
            return
        target = Path(self.locate(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as stream:
            os.fsync(stream.fileno())
        shutil.move(source, target)

    def remove_delivery(self, delivery_id: int) -> None:
        """Remove whatever a delivery that does not count has left."""
        patterns = (f"usage/*/*/delivery={delivery_id}", f"rejects/delivery={delivery_id}")
        if self.is_local:
            for pattern in patterns:
                for folder in Path(self.address).glob(pattern):
                    shutil.rmtree(folder, ignore_errors=True)
            return
        filesystem, root = fsspec.core.url_to_fs(self.address)
        for pattern in patterns:
            for folder in filesystem.glob(f"{root}/{pattern}"):
                filesystem.rm(folder, recursive=True)


def fitting_vendor(vendor: str) -> str:
    """Give the vendor's name, or as much of its beginning as a folder can be called by."""
    while len(_vendor_folder(vendor)) > LONGEST_NAME:
        vendor = vendor[:-1]
    return vendor


def _vendor_folder(vendor: str) -> str:
    return f"vendor={quote(vendor, safe='')}"


def usage_path(*, period: int, vendor: str, delivery_id: int, file: str) -> str:
    """Give the place of a file of usage rows below the lake."""
    month = Period.from_number(period)
    return f"usage/period={month}/{_vendor_folder(vendor)}/delivery={delivery_id}/{file}.parquet"


def rejects_path(*, delivery_id: int, file_no: int) -> str:
    """Give the place of a file's rejected rows below the lake."""
    return f"rejects/delivery={delivery_id}/{file_no}.parquet"


# --- Source rows ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowFilter:
    """Which source rows are meant: columns of the lake that must be equal, and a span or a list of usage days.

    `has_list_price` tells rows that a list rule prices (Usage or Purchase, not committed, with a list price) from
    the others; `among` names the (billing account, file kind) pairs that count.
    """

    equal: Mapping[str, object] = field(default_factory=dict)
    first_day: date | None = None
    until_day: date | None = None
    days: Sequence[date] | None = None
    has_list_price: bool | None = None
    among: Sequence[tuple[str, str]] | None = None

    def sql(self) -> tuple[str, list[object]]:
        """Give the condition and its parameters."""
        unknown = self.equal.keys() - LAKE_COLUMNS.keys()
        if unknown:
            raise ValueError(f"the lake has no column {sorted(unknown)}")
        conditions = [f"{identifier(name)} = ?" for name in self.equal]
        values = list(self.equal.values())
        if self.first_day:
            conditions.append("usage_date >= ?")
            values.append(self.first_day)
        if self.until_day:
            conditions.append("usage_date < ?")
            values.append(self.until_day)
        if self.days is not None:
            conditions.append("list_contains(CAST(? AS DATE[]), usage_date)")
            values.append(list(self.days))
        if self.has_list_price is not None:
            conditions.append(_LISTED if self.has_list_price else f"NOT {_LISTED}")
        if self.among is not None:
            pairs = ", ".join(f"({quoted(account)}, {quoted(kind)})" for account, kind in self.among)
            conditions.append(f"(billing_account, file_kind) IN ({pairs})" if pairs else "false")
        return " AND ".join(conditions) or "true", values


_LISTED = (
    "(lower(charge_category) IN ('usage', 'purchase') AND NOT is_committed "
    "AND (list_cost IS NOT NULL OR list_unit_price IS NOT NULL))"
)


@dataclass(frozen=True)
class SourceRow:
    """A row of the lake: its typed columns, and the lake file it was found in."""

    lake_file: str
    columns: Mapping[str, Any]

    @property
    def file_no(self) -> int:
        """The file within the delivery."""
        return int(self.columns["file_no"])

    @property
    def row(self) -> int:
        """The data row within the file, counted from 1."""
        return int(self.columns["row"])


def source_rows(
    lake: Lake, lake_files: Sequence[str], *, matching: RowFilter, limit: int, offset: int = 0
) -> tuple[list[SourceRow], int]:
    """Read a page of source rows, by day, then in the order of the files; and how many there are in all."""
    if not lake_files:
        return [], 0
    places = {lake.locate(path): path for path in lake_files}
    condition, values = matching.sql()
    names = ", ".join(identifier(name) for name in LAKE_COLUMNS)
    with _reader(lake) as engine, telling_damage(engine, places):
        rows = engine.execute(
            f"SELECT filename, {names} FROM {_scan(places)} WHERE {condition} "
            f'ORDER BY usage_date, filename, file_no, "row" LIMIT {int(limit)} OFFSET {int(offset)}',
            values,
        ).fetchall()
        counted = engine.execute(f"SELECT count(*) FROM {_scan(places)} WHERE {condition}", values).fetchone()
    found = [
        SourceRow(_path_of(row[0], places), dict(zip(LAKE_COLUMNS, row[1:], strict=True))) for row in rows
    ]
    return found, int(counted[0]) if counted else 0


def rejected_rows(
    lake: Lake, reject_files: Sequence[tuple[str, str]], *, limit: int | None = None
) -> Iterator[FaultyRow]:
    """Read rejected rows of files given as (name, place below the lake), in the order of the files, all or the first."""
    left = limit
    for name, path in reject_files:
        with _reader(lake) as engine, telling_damage(engine, [lake.locate(path)]):
            found = engine.execute(
                f'SELECT "row", "column", "value", reason FROM {_scan([lake.locate(path)])} ORDER BY "row"'
                + ("" if left is None else f" LIMIT {left}")
            )
            while rows := found.fetchmany(_FETCHED):
                left = None if left is None else left - len(rows)
                for row, column, value, reason in rows:
                    yield FaultyRow(file=name, row=row, column=column, value=value, reason=reason)


def _reader(lake: Lake) -> Any:
    """Give a cursor of the process's one engine for a lake: opening an engine takes longer than reading a page."""
    return _engine(lake, os.getpid()).cursor()


@cache
def _engine(lake: Lake, process: int) -> Any:
    del process  # a web server's children must not share what their parent opened
    engine = open_engine(memory_limit=_MEMORY, threads=1)
    if not lake.is_local:
        filesystem, _ = fsspec.core.url_to_fs(lake.address)
        engine.register_filesystem(filesystem)
    return engine


def _scan(places: Sequence[str] | Mapping[str, str]) -> str:
    listed = ", ".join(quoted(place) for place in places)
    return f"read_parquet([{listed}], filename = true, hive_partitioning = false)"


def _path_of(place: str, places: Mapping[str, str]) -> str:
    return places.get(place) or next(path for full, path in places.items() if full.endswith(place))


# --- Original rows --------------------------------------------------------------------------------------------------


def original_row(files_folder: Path, stored_path: str, row: int, *, name: str) -> dict[str, str]:
    """Read one data row from the stored original with all its columns.

    Columns the format does not know are named with `x_` before them. Raises `OriginalMissing`; `LookupError` where
    the file has no such row.
    """
    original = files_folder / stored_path
    if not original.exists():
        raise OriginalMissing(file=name)
    header = read_header(original, name=name)
    found = _original_values(original, header, row)
    unknown = set(header.unknown)
    shown = {}
    for column, value in found.items():
        is_prefixed = column not in unknown or column.startswith("x_")
        shown[column if is_prefixed else f"x_{column}"] = value
    return shown


def _original_values(original: Path, header: Header, row: int) -> dict[str, str]:
    if header.packing is Packing.PARQUET:
        return _parquet_values(original, row)
    part = None if header.is_gzip else part_with_row(original, row)
    if header.packing is Packing.JSON_LINES:
        with _open_binary(original, is_gzip=header.is_gzip) as stream:
            stream.seek(part[0].start if part else header.body)
            lines = (line for line in stream if line.strip())
            line = next(islice(lines, row - (part[1] if part else 1), None), None)
        if line is None:
            raise LookupError(row)
        try:
            values = json.loads(line, parse_float=str, parse_int=str)
        except ValueError:
            return {"line": line.decode("utf-8", errors="replace").strip()}
        return {
            str(k): "" if v is None else v if isinstance(v, str) else json.dumps(v) for k, v in values.items()
        }
    fields = _csv_fields(original, header, row, part)
    if fields is None:
        raise LookupError(row)
    padded = [*fields, *[""] * (len(header.names) - len(fields))]
    return dict(zip(header.names, padded, strict=False))


def _csv_fields(original: Path, header: Header, row: int, part: tuple[Part, int] | None) -> list[str] | None:
    if part is not None:
        with original.open("rb") as stream:
            stream.seek(part[0].start)
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
            rows: Iterator[list[str]] = (
                fields for fields in csv.reader(text, delimiter=header.delimiter) if fields
            )
            return next(islice(rows, row - part[1], None), None)
    encoding = "utf-8-sig" if header.encoding == "utf-8" else header.encoding
    if header.is_gzip or encoding != "utf-8-sig" or _is_utf8(original):
        return next(islice(rows_of(original, header, encoding), row - 1, None), None)
    return next(islice(rows_of(original, header, "cp1252"), row - 1, None), None)


def _is_utf8(original: Path) -> bool:
    try:
        with original.open(encoding="utf-8") as stream:
            while stream.read(1 << 22):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _open_binary(original: Path, *, is_gzip: bool) -> Any:
    return gzip.open(original, "rb") if is_gzip else original.open("rb")


def _parquet_values(original: Path, row: int) -> dict[str, str]:
    with open_engine(memory_limit=_MEMORY, threads=1) as engine:
        found = engine.execute(
            f"SELECT COLUMNS(*)::VARCHAR FROM (SELECT * EXCLUDE (file_row_number) FROM read_parquet("
            f"{quoted(str(original))}, file_row_number = true) WHERE file_row_number = {int(row) - 1})"
        )
        names = [column[0] for column in found.description or ()]
        values = found.fetchone()
    if values is None:
        raise LookupError(row)
    return {name: value or "" for name, value in zip(names, values, strict=True)}


def remember_parts(original: Path, parts: Sequence[Part], rows: Sequence[int] | None = None) -> None:
    """Keep beside a stored text where its parts begin: a row is found again quickly once their rows are counted."""
    index = {"parts": [[part.start, part.end, part.lines] for part in parts], "rows": rows and list(rows)}
    kept = _kept_parts(original)
    new = kept.with_name(f"{kept.name}.{os.getpid()}")
    new.write_text(json.dumps(index))
    new.replace(kept)


def parts_of(original: Path) -> list[Part] | None:
    """Give the parts of a stored text, where they were kept."""
    kept = _kept_parts(original)
    return [Part(*part) for part in json.loads(kept.read_text())["parts"]] if kept.exists() else None


def part_with_row(original: Path, row: int) -> tuple[Part, int] | None:
    """Give the part a row lies in and the number of the part's first row, where that is known."""
    kept = _kept_parts(original)
    if not kept.exists():
        return None
    index = json.loads(kept.read_text())
    first = 1
    for part, rows in zip(index["parts"], index["rows"] or (), strict=False):
        if row < first + rows:
            return Part(*part), first
        first += rows
    return None


def _kept_parts(original: Path) -> Path:
    return original.with_name(f"{original.name}.parts")
