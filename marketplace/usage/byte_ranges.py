"""Parts of one file shown to DuckDB as files of their own, so that each worker reads its rows in order.

A row's number must be known and rows keep their order; a window over a whole scan would force it onto one processor.
Cut into parts, every processor numbers its own.
"""

import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsspec.spec import AbstractFileSystem

from marketplace.usage.originals import Part

PROTOCOL = "usagepart"


class _Range(io.RawIOBase):
    """The bytes from `start` to `end` of a file."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self._start = start
        self.size = end - start
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(self.size - self._position, 0)
        wanted = left if size < 0 else min(size, left)
        data = os.pread(self._descriptor, wanted, self._start + self._position) if wanted else b""
        self._position += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class PartFiles(AbstractFileSystem):  # type: ignore[misc]
    """Shows part 3 of a file as `usagepart://3`."""

    protocol = PROTOCOL
    cachable = False

    def __init__(self, path: Path, parts: Sequence[Part]) -> None:
        """Show the parts of one file."""
        super().__init__()
        self._file = path
        self._parts = parts

    def address(self, number: int) -> str:
        """Give the name under which a part is read."""
        return f"{PROTOCOL}://{number}"

    def _part(self, address: str) -> Part:
        return self._parts[int(address.rpartition("/")[2])]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Tell a part's size."""
        part = self._part(path)
        return {"name": path, "size": part.end - part.start, "type": "file"}

    def exists(self, path: str, **_: Any) -> bool:
        """Every part exists."""
        return bool(path)

    def isfile(self, path: str) -> bool:
        """Every part is a file."""
        return bool(path)

    def modified(self, path: str) -> datetime:
        """Parts never change."""
        del path
        return datetime(2000, 1, 1, tzinfo=UTC)

    def glob(self, path: str, **_: Any) -> list[str]:
        """A part's address means just itself."""
        return [path]

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:  # noqa: FBT001, FBT002 - fsspec's signature
        """List a part as if it were a folder of one."""
        return [self.info(path)] if detail else [path]

    def open(self, path: str, mode: str = "rb", **_: Any) -> _Range:
        """Open a part for reading."""
        del mode
        part = self._part(path)
        return _Range(self._file, part.start, part.end)
