"""The SQL that takes a file apart and judges its rows: typed for the lake, with their month and first fault."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from marketplace.usage.engine import identifier, quoted
from marketplace.usage.formats import Check, Format
from marketplace.usage.formats.format import LAKE_COLUMNS, NOT_AN_OBJECT, OTHER_PERIOD, fill
from marketplace.usage.header import Header, Packing
from marketplace.usage.reader.reading import Reading
from marketplace.usage.repair import WHOLE_ROW

_NO_DELIMITER = "\\x07"
_SHOWN = 200
_ONCE = re.compile(r'(?:day|moment)_of\((?:c\d+|"j_\w+")\)')


@dataclass(frozen=True)
class Scan:
    """SQL that gives `row_number` and the vendor's columns as `c0`, `c1`, and how many rows are expected of it."""

    sql: str
    expected: int
    number: int
    is_numbered: bool = False


def csv_scan(header: Header, address: str) -> str:
    """Read a part of a CSV file in the order of its rows, every value as text."""
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(header.names)))
    wanted = ", ".join(f"c{place}" for place in header.places)
    return (
        f"SELECT row_number() OVER () AS row_number, {wanted} FROM read_csv({quoted(address)}, "
        f"header = false, auto_detect = false, delim = {quoted(header.delimiter)}, "
        f"quote = '\"', escape = '\"', nullstr = ['', 'NULL', 'null'], columns = {{{columns}}})"
    )


def json_scan(header: Header, address: str) -> str:
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
        "SELECT row_number, is_object, CASE WHEN NOT is_object THEN line END AS line, "
        f"{values} FROM (SELECT row_number() OVER () AS row_number, is_object, line, CASE WHEN is_object THEN "
        f"json_extract_string(regexp_replace(line, {quoted(quoting)}, '\\1\"\\2\"', 'g'), "
        f"[{', '.join(quoted(path) for path in paths)}]) END AS v FROM (SELECT line, "
        "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END AS is_object "
        f"FROM read_csv({quoted(address)}, header = false, auto_detect = false, delim = E'{_NO_DELIMITER}', "
        "quote = '', escape = '', max_line_size = 16000000, columns = {'line': 'VARCHAR'}) "
        "WHERE regexp_matches(line, '[^ \\t\\r]')))"
    )


def _json_column(column: str) -> str:
    return identifier("j_" + column)


def parquet_scan(header: Header, file: Path) -> str:
    """Read a Parquet file's columns as text, whatever their types."""
    places = {column: header.position(column) for column in header.format.columns}
    columns = ", ".join(
        f"something({identifier(header.names[place])}::VARCHAR) AS c{place}"
        for place in places.values()
        if place is not None
    )
    source = f"read_parquet({quoted(str(file))}, file_row_number = true, binary_as_string = true)"
    return f"SELECT file_row_number + 1 AS row_number, {columns} FROM {source}"


def repaired_scan(file: Path, places: Sequence[int]) -> str:
    """Read a file that was written anew, with the rows' numbers in front."""
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in places)
    wanted = ", ".join(f"c{place}" for place in places)
    return (
        f"SELECT r::BIGINT AS row_number, {wanted} FROM read_csv({quoted(str(file))}, {_WRITTEN_ANEW}, "
        f"nullstr = ['', 'NULL', 'null'], columns = {{'r': 'VARCHAR', {columns}}})"
    )


def unreadable_scan(file: Path) -> str:
    """Read the rows that could not be taken apart, as rejects; what they cost is not known."""
    return (
        "SELECT * REPLACE (coalesce(value, '') AS value), NULL::VARCHAR AS cost, '' AS currency FROM read_csv("
        f"{quoted(str(file))}, {_WRITTEN_ANEW}, "
        "columns = {'row': 'BIGINT', 'column': 'VARCHAR', 'value': 'VARCHAR', 'reason': 'VARCHAR'})"
    )


# Read by several threads, a file whose values hold ends of lines is cut in the wrong places.
_WRITTEN_ANEW = (
    "header = false, auto_detect = false, parallel = false, "
    "delim = ',', quote = '\"', escape = '\"', new_line = '\\n'"
)


def judged_rows(scan: Scan, reading: Reading, first_row: int) -> str:
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
        dict.fromkeys(
            (*columns.values(), *(["is_object", "line"] if header.packing is Packing.JSON_LINES else []))
        )
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


def fault_columns(reading: Reading) -> str:
    """Give SQL for a rejected row's column, value and reason."""
    header = reading.header
    names, values, reasons = [], [], []
    for number, check in enumerate(_checks(reading), start=1):
        place = header.position(check.column)
        shown = check.column if place is None else header.names[place]
        if check.column == "period":
            value = "(period // 100) || '-' || lpad((period % 100)::VARCHAR, 2, '0')"
        elif header.packing is Packing.JSON_LINES:
            value = "line" if check.column == WHOLE_ROW else _json_column(check.column)
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


LAKE_LIST = ", ".join(identifier(name) for name in LAKE_COLUMNS)
