"""Files of the lake that are damaged or gone: found when rows cannot be read, and told with the remedy."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.errors import N_, Refusal
from marketplace.usage.engine import quoted
from marketplace.usage.models import DeliverySlice

_DELIVERY = re.compile(r"/delivery=(\d+)/")
_FETCHED = 10_000
_BLAMELESS = (duckdb.InterruptException, duckdb.OutOfMemoryException, duckdb.OutOfRangeException)


class UsageUnreadable(Refusal):
    """A file of the lake that counts cannot be read."""

    sentence = N_(
        "Imported usage cannot be read: %(file)s is damaged or gone. Put it back from a backup, or undo "
        "delivery %(delivery)s and import its files again."
    )


@contextmanager
def telling_damage(engine: duckdb.DuckDBPyConnection, places: Iterable[str]) -> Iterator[None]:
    """Say which of the files is to blame where reading them fails. Raises `UsageUnreadable`."""
    try:
        yield
    except _BLAMELESS:
        raise
    except duckdb.Error as error:
        for place in places:
            if not _is_readable(engine, place):
                delivery = _DELIVERY.search(place)
                raise UsageUnreadable(file=place, delivery=delivery[1] if delivery else "-") from error
        raise


def files_gone(session: Session, folder: Path) -> list[str]:
    """Give the files that count and are not in the lake's folder, by their place below it."""
    slices = session.scalars(select(DeliverySlice.lake_files).where(DeliverySlice.is_current))
    return sorted({file for files in slices for file in files if not (folder / file).is_file()})


def _is_readable(engine: duckdb.DuckDBPyConnection, place: str) -> bool:
    """Read a file to its end, which alone finds out."""
    try:
        with engine.cursor() as reading:
            reading.execute(f"FROM read_parquet({quoted(place)})")
            while reading.fetchmany(_FETCHED):
                pass
    except duckdb.Error:
        return False
    return True
