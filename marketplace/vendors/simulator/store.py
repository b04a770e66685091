"""What the simulator remembers: documents in one SQLite file, so that a restart finds everything as it was.

A vendor keeps its own books: nothing of the marketplace's database is read or written here.
"""

import sqlite3
import threading
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

FILE = "simulator.sqlite"


class Document(BaseModel):
    """Anything that is remembered, under an id of its own."""

    id: str


Kind = TypeVar("Kind", bound=Document)


class Store:
    """The documents. One request works at a time; what it changed counts when it commits."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the file in a folder, or keep everything in memory."""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        place = ":memory:" if folder is None else str(folder / FILE)
        self._lock = threading.Lock()
        self._file = sqlite3.connect(place, check_same_thread=False, isolation_level=None)
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS document (kind TEXT, id TEXT, number INTEGER PRIMARY KEY AUTOINCREMENT, "
            "body TEXT NOT NULL, UNIQUE (kind, id))"
        )

    def begin(self) -> None:
        """Work alone from here on, until `end`."""
        self._lock.acquire()
        self._file.execute("BEGIN IMMEDIATE")

    def end(self, *, is_kept: bool) -> None:
        """Keep what was changed since `begin`, or forget it."""
        self._file.execute("COMMIT" if is_kept else "ROLLBACK")
        self._lock.release()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    def find(self, kind: type[Kind], name: str) -> Kind | None:
        """Give a document, if there is one."""
        found = self._file.execute(
            "SELECT body FROM document WHERE kind = ? AND id = ?", (kind.__name__, name)
        ).fetchone()
        return None if found is None else kind.model_validate_json(found[0])

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Give all documents of a kind, in the order they were made."""
        rows = self._file.execute(
            "SELECT body FROM document WHERE kind = ? ORDER BY number", (kind.__name__,)
        )
        return [kind.model_validate_json(body) for (body,) in rows]

    def put(self, document: Document) -> None:
        """Remember a document, in place of the one of this id."""
        self._file.execute(
            "INSERT INTO document (kind, id, body) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (type(document).__name__, document.id, document.model_dump_json()),
        )

    def forget(self, document: Document) -> None:
        """Forget a document."""
        kind = type(document).__name__
        self._file.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, document.id))
