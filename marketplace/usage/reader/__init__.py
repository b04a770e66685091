"""Vendor rows to typed rows of the lake: streaming, exact, and counted twice.

A text file is cut into parts between rows; each processor reads its own parts in order. What DuckDB cannot take apart
is rewritten by `repair` and read again. In the end `rows = accepted + rejected` must hold against a count that DuckDB
had no part in, or nothing is kept.
"""

from marketplace.usage.reader.packings import RowsLost, UnreadableLines, read_file
from marketplace.usage.reader.reading import Cancelled, ReadFile, Reading, Resources, SliceKey

__all__ = [
    "Cancelled",
    "ReadFile",
    "Reading",
    "Resources",
    "RowsLost",
    "SliceKey",
    "UnreadableLines",
    "read_file",
]
