"""What the reader is asked, what it may use, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.usage.header import Header
from marketplace.usage.originals import PART

Progress = Callable[[str, int, int], None]


class Cancelled(Refusal):
    """The person asked for the import to stop."""

    sentence = N_("The import was cancelled. Nothing has changed.")


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
