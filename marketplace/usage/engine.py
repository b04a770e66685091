"""DuckDB as we use it: guarded against what it does wrongly with amounts, and given our words for exact values.

Every guard here has a test. None may be dropped because a version "seems fine": a lost guard loses money silently.
"""

from pathlib import Path

import duckdb

from marketplace.core.currency import CURRENCIES

# type_pushdown: DuckDB 2.0 turns a TRY_CAST over a CSV scan into a hard cast inside the reader, so that one bad value
# aborts the file. join_order and build_side_probe_side: a CSV scan is believed to have 42 rows, so a join would build
# its hash table from the file.
DISABLED_OPTIMIZERS = "type_pushdown,join_order,build_side_probe_side"

_DECIMAL = "DECIMAL(38,18)"
_PLAIN = r"[+-]?[0-9]{1,20}([.][0-9]{0,18})?"
_ANY = r"^([+-]?)([0-9]*)(?:[.]([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?$"
_PARTS = f"regexp_extract(trim(x), '{_ANY}', ['sign', 'whole', 'fraction', 'exponent'])"
_CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_UTC_MOMENT = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{_CLOCK}( ?(Z|UTC|[+-]00(:?00)?))?"
_ZONED_MOMENT = rf"{_CLOCK} ?[+-][0-9]{{2}}(:?[0-9]{{2}})?"
_US_DAY = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
# A year of two digits is what a spreadsheet leaves of a date, also in the examples of the FOCUS specification itself.
_US_SHORT_DAY = r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}"
_US_MOMENT = rf"{_US_DAY} [0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}})?( [AaPp][Mm])?"
_US_FORMATS = "['%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %I:%M:%S %p']"
# Systems write 0001-01-01, 1753-01-01 or 9999-12-31 where they have no date.
_FIRST_REAL_YEAR, _LAST_REAL_YEAR = 1900, 9000

_MACROS = f"""
-- The digits of a number without its point, and how many of them stand behind it; an exponent moves the point.
CREATE OR REPLACE TEMP MACRO digits_of(p) AS rtrim(p.whole || p.fraction, '0');
CREATE OR REPLACE TEMP MACRO scale_of(p) AS
    length(p.fraction) - coalesce(try_cast(p.exponent AS INTEGER), 0)
    - (length(p.whole || p.fraction) - length(digits_of(p)));
CREATE OR REPLACE TEMP MACRO placed(digits, scale) AS CASE
    WHEN digits = '' THEN '0'
    WHEN scale <= 0 THEN digits || repeat('0', least(-scale, 60))
    WHEN scale > 60 THEN ''
    ELSE left(lpad(digits, greatest(length(digits), scale + 1)::INTEGER, '0'),
              greatest(length(digits), scale + 1) - scale)
         || '.' || right(lpad(digits, greatest(length(digits), scale + 1)::INTEGER, '0'), scale) END;
-- Any way of writing a number exactly, as plain digits: blanks around it, 1.5E-05, .5, zeros at either end. The parts
-- are bound by a lambda: a macro would repeat the regular expression wherever they are named, and plan for long.
CREATE OR REPLACE TEMP MACRO plain_of_parts(p) AS CASE
    WHEN p.whole || p.fraction = '' THEN NULL
    ELSE p.sign || regexp_replace(
        list_transform([struct_pack(digits := digits_of(p), scale := scale_of(p))],
                       lambda q: placed(q.digits, q.scale))[1], '^0+([0-9])', '\\1') END;
CREATE OR REPLACE TEMP MACRO plain_of(x) AS list_transform([{_PARTS}], lambda p: plain_of_parts(p))[1];
CREATE OR REPLACE TEMP MACRO exact_if_plain(x) AS
    CASE WHEN regexp_full_match(x, '{_PLAIN}') THEN try_cast(x AS {_DECIMAL}) END;
-- An exact decimal or nothing: DuckDB alone would round the 19th decimal and read 1_000 without a word.
CREATE OR REPLACE TEMP MACRO exact(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN regexp_full_match(x, '{_PLAIN}') THEN try_cast(x AS {_DECIMAL})
    ELSE list_transform([plain_of(x)], lambda y: exact_if_plain(y))[1] END;
-- Formats are tried one by one, and one that fails is ten times slower than one that fits: the usual day comes first.
CREATE OR REPLACE TEMP MACRO us_moment_of(x) AS CASE
    WHEN regexp_full_match(x, '{_US_DAY}') THEN try_strptime(x, '%m/%d/%Y')
    WHEN regexp_full_match(x, '{_US_SHORT_DAY}') THEN try_strptime(x, '%m/%d/%y')
    WHEN regexp_full_match(x, '{_US_MOMENT}') THEN try_strptime(x, {_US_FORMATS}) END;
-- An instant in UTC. A TIMESTAMP cast ignores an offset, so a written offset goes through TIMESTAMPTZ.
CREATE OR REPLACE TEMP MACRO moment_of(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN contains(x, '/') THEN us_moment_of(x)
    WHEN regexp_full_match(x, '{_UTC_MOMENT}') THEN try_cast(x AS TIMESTAMP)
    WHEN regexp_full_match(x, '{_ZONED_MOMENT}') THEN (try_cast(x AS TIMESTAMPTZ) AT TIME ZONE 'UTC')
    ELSE NULL END;
CREATE OR REPLACE TEMP MACRO real_day(d) AS
    CASE WHEN year(d) BETWEEN {_FIRST_REAL_YEAR} AND {_LAST_REAL_YEAR} THEN d END;
CREATE OR REPLACE TEMP MACRO day_of(x) AS
    real_day(CASE WHEN strlen(x) = 10 AND x < ':' AND NOT contains(x, '/') THEN try_cast(x AS DATE)
                  ELSE moment_of(x)::DATE END);
-- The day before which a charge ends, for files whose ends are exclusive instants.
CREATE OR REPLACE TEMP MACRO end_of(moment) AS real_day(
    moment::DATE + (CASE WHEN moment > moment::DATE::TIMESTAMP THEN 1 ELSE 0 END));
CREATE OR REPLACE TEMP MACRO code_of(x) AS upper(trim(x));
CREATE OR REPLACE TEMP MACRO is_currency(x) AS x IN ({", ".join(f"'{code}'" for code in sorted(CURRENCIES))});
-- JSON has no place for the file's ways to say nothing.
CREATE OR REPLACE TEMP MACRO something(x) AS CASE WHEN x IN ('', 'NULL', 'null') THEN NULL ELSE x END;
"""


def open_engine(
    *, memory_limit: int, threads: int, spill_folder: Path | None = None, is_costly_to_parse: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open a private in-memory DuckDB with the guards set; `memory_limit` is in bytes.

    A filter over columns that are costly to parse waits until they are parsed: pushed down, it would parse them twice.
    """
    connection = duckdb.connect(":memory:")
    disabled = f"{DISABLED_OPTIMIZERS},filter_pushdown" if is_costly_to_parse else DISABLED_OPTIMIZERS
    connection.execute(f"SET disabled_optimizers = '{disabled}'")
    connection.execute(f"SET threads = {threads}")
    connection.execute(f"SET memory_limit = '{max(memory_limit, 64 * 2**20) // 2**20}MiB'")
    connection.execute("SET preserve_insertion_order = true")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    if spill_folder is not None:
        connection.execute(f"SET temp_directory = {quoted(str(spill_folder))}")
    connection.execute(_MACROS)
    return connection


def quoted(value: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
