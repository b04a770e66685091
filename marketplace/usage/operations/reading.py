"""A received delivery read into the lake and made current; what a killed process left of one, cleared away."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Permission
from marketplace.core.audit import record
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.settings import Settings
from marketplace.usage.errors import AnotherImportRuns, ContradictingChoices, NoSuchDelivery
from marketplace.usage.header import Packing, read_header
from marketplace.usage.lake import Lake, parts_of, remember_parts
from marketplace.usage.models import Delivery, DeliveryFile, DeliveryStatus
from marketplace.usage.operations.finding import find_delivery
from marketplace.usage.operations.receiving import GivenFile, Progress, Received, receive_files
from marketplace.usage.operations.replacing import make_current
from marketplace.usage.operations.sums import into_lake
from marketplace.usage.originals import TextIndex, remove_abandoned_copies
from marketplace.usage.reader import Cancelled, ReadFile, Reading, Resources, SliceKey, read_file

log = structlog.get_logger()

#: The space of advisory locks that say which delivery is being read.
_READING_LOCK = 7301
_SECONDS_BETWEEN_NOTES = 1.0

STAGE_SUMMING = N_("adding up")
_KILLED = N_(
    "The program that read it ended before it was done. Nothing of it counts; import the files again."
)


def import_files(
    database: Database,
    settings: Settings,
    *,
    actor: Actor,
    files: Sequence[GivenFile],
    vendor: str,
    billing_account: str = "",
    period: Period | None = None,
    is_addition: bool = False,
    is_replacement_meant: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Received:
    """Receive files and read them in the calling process. Raises refusals; nothing of a refused delivery counts."""
    if is_addition and is_replacement_meant:
        raise ContradictingChoices
    received = receive_files(
        database,
        settings,
        actor=actor,
        files=files,
        vendor=vendor,
        billing_account=billing_account,
        period=period,
        is_addition=is_addition,
        progress=progress,
    )
    if received.is_duplicate:
        return received
    return read_delivery(
        database,
        settings,
        actor=actor,
        delivery_id=received.delivery_id,
        is_replacement_meant=is_replacement_meant,
        progress=progress,
        is_cancelled=is_cancelled,
    )


def read_delivery(
    database: Database,
    settings: Settings,
    *,
    actor: Actor,
    delivery_id: int,
    is_replacement_meant: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Received:
    """Read a received delivery and make it current. Raises the refusal that is also noted with the delivery.

    Reading a delivery that was read before (a job done twice) gives it as it is.
    """
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    lake = Lake(settings.lake)
    work_folder = settings.home / "work" / f"delivery-{delivery_id}"
    with _reading(database, delivery_id):
        delivery, files = _begin(database, actor, delivery_id)
        if delivery.status != DeliveryStatus.READING.value:
            return Received(delivery.id, is_duplicate=False)
        clear_leftovers(database, settings, actor=actor, but=delivery_id)
        lake.remove_delivery(delivery_id)
        notes = _Notes(database, actor, delivery_id, progress, is_cancelled)
        resources = Resources(
            work_folder=work_folder,
            memory_limit=settings.memory_limit,
            threads=settings.thread_count,
            progress=notes.advance,
            is_cancelled=notes.is_cancelled,
        )
        try:
            reads = [_read_one(delivery, file, settings, resources) for file in files]
            notes.advance(STAGE_SUMMING, 0, 1)
            slices, look_alikes = into_lake(delivery, files, reads, lake, resources)
            notes.check_cancelled()
            with database.transaction(actor) as session:
                received = make_current(
                    session,
                    actor=actor,
                    delivery_id=delivery_id,
                    reads=reads,
                    slices=slices,
                    look_alikes=look_alikes,
                    is_replacement_meant=is_replacement_meant,
                )
        except Refusal as refusal:
            status = DeliveryStatus.CANCELLED if isinstance(refusal, Cancelled) else DeliveryStatus.REFUSED
            _end(database, actor, delivery_id, status, refusal.phrase)
            lake.remove_delivery(delivery_id)
            raise
        except Exception as error:
            words = Phrase.verbatim(f"{type(error).__name__}: {error}")
            _end(database, actor, delivery_id, DeliveryStatus.FAILED, words)
            lake.remove_delivery(delivery_id)
            raise
        finally:
            shutil.rmtree(work_folder, ignore_errors=True)
        if received.is_duplicate:
            lake.remove_delivery(delivery_id)
        return received


@contextmanager
def _reading(database: Database, delivery_id: int) -> Iterator[Connection]:
    """Hold a delivery's lock for as long as this process reads it; a killed process loses it with its connection."""
    connection = database.engine.connect()
    connection.detach()
    try:
        taken = connection.scalar(
            text("SELECT pg_try_advisory_lock(:space, :id)"),
            {"space": _READING_LOCK, "id": _lock_id(delivery_id)},
        )
        connection.commit()
        if not taken:
            raise AnotherImportRuns(delivery=delivery_id)
        yield connection
        # The server notices a closed connection a moment later; until then the delivery would seem to be read.
        with suppress(DBAPIError):
            connection.execute(
                text("SELECT pg_advisory_unlock(:space, :id)"),
                {"space": _READING_LOCK, "id": _lock_id(delivery_id)},
            )
    finally:
        connection.close()


def _lock_id(delivery_id: int) -> int:
    return delivery_id % 2**31


def _begin(database: Database, actor: Actor, delivery_id: int) -> tuple[Delivery, list[DeliveryFile]]:
    with database.transaction(actor) as session:
        delivery = session.get(Delivery, delivery_id, with_for_update=True)
        if delivery is None:
            raise NoSuchDelivery(delivery=delivery_id)
        if delivery.status in {DeliveryStatus.QUEUED.value, DeliveryStatus.READING.value}:
            # Reading already, though nobody holds its lock: its process was killed, and the job was taken over.
            delivery.status = DeliveryStatus.READING.value
        files = list(
            session.scalars(
                select(DeliveryFile)
                .where(DeliveryFile.delivery_id == delivery_id)
                .order_by(DeliveryFile.number)
            )
        )
        session.flush()
        session.expunge_all()
        return delivery, files


def _read_one(delivery: Delivery, file: DeliveryFile, settings: Settings, resources: Resources) -> ReadFile:
    original = settings.files / file.path
    header = read_header(original, name=file.name)
    period = Period.from_number(delivery.period) if delivery.period else None
    reading = Reading(file.number, file.name, header, delivery.billing_account, period)
    index = _remembered(original) if not header.is_gzip and header.packing is not Packing.PARQUET else None
    read = read_file(original, reading, resources, index=index)
    if index is not None and read.rows_by_part:
        remember_parts(original, index.parts, read.rows_by_part)
    if period is not None and not read.rows:
        _note_empty_slice(read, reading, period)
    return read


def _remembered(original: Path) -> TextIndex | None:
    parts = parts_of(original)
    return None if parts is None else TextIndex(tuple(parts))


def _note_empty_slice(read: ReadFile, reading: Reading, period: Period) -> None:
    """A file of nothing but a header still says something where account and period are told: there was no usage."""
    if reading.billing_account or reading.header.format.name == "own":
        read.rejected_by_slice.setdefault(SliceKey(reading.billing_account, period.number), 0)


class _Notes:
    """Progress and cancelling through the delivery itself, so that pages see what any process does."""

    def __init__(
        self,
        database: Database,
        actor: Actor,
        delivery_id: int,
        progress: Progress,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._database = database
        self._actor = actor
        self._id = delivery_id
        self._progress = progress
        self._asked = is_cancelled
        self._noted = 0.0
        self._stage = ""
        self._is_cancelled = False

    def advance(self, stage: str, done: int, total: int) -> None:
        self._progress(stage, done, total)
        now = time.monotonic()
        if stage == self._stage and now - self._noted < _SECONDS_BETWEEN_NOTES:
            return
        self._noted, self._stage = now, stage
        with self._database.transaction(self._actor) as session:
            self._is_cancelled = bool(
                session.scalar(
                    update(Delivery)
                    .where(Delivery.id == self._id)
                    .values(stage=stage, done=done, total=total)
                    .returning(Delivery.cancel_requested)
                )
            )

    def is_cancelled(self) -> bool:
        return self._is_cancelled or self._asked()

    def check_cancelled(self) -> None:
        if self.is_cancelled():
            raise Cancelled


def _end(database: Database, actor: Actor, delivery_id: int, status: DeliveryStatus, error: Phrase) -> None:
    with database.transaction(actor) as session:
        delivery = session.get(Delivery, delivery_id)
        if delivery is not None:
            delivery.status = status.value
            delivery.error = error
            record(
                session,
                actor=actor,
                action=f"delivery.{status.value}",
                subject="delivery",
                subject_id=delivery.public_id,
                reason=str(error),
            )


def request_cancel(session: Session, *, actor: Actor, delivery: str) -> None:
    """Ask the process that reads a delivery to stop at the next part."""
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    found = find_delivery(session, delivery)
    found.cancel_requested = True
    if found.status == DeliveryStatus.QUEUED.value:
        found.status = DeliveryStatus.CANCELLED.value
    record(session, actor=actor, action="delivery.cancel", subject="delivery", subject_id=found.public_id)


def clear_leftovers(database: Database, settings: Settings, *, actor: Actor, but: int | None = None) -> None:
    """Mark deliveries whose reader was killed as failed, and remove what they left in the lake."""
    lake = Lake(settings.lake)
    remove_abandoned_copies(settings.files, now=utc_now())
    with database.transaction(actor) as session:
        candidates = session.scalars(
            select(Delivery)
            .where(Delivery.status == DeliveryStatus.READING.value)
            .with_for_update(skip_locked=True)
        ).all()
        for delivery in candidates:
            if delivery.id == but:
                continue
            is_abandoned = session.scalar(
                text("SELECT pg_try_advisory_xact_lock(:space, :id)"),
                {"space": _READING_LOCK, "id": _lock_id(delivery.id)},
            )
            if is_abandoned:
                lake.remove_delivery(delivery.id)
                shutil.rmtree(settings.home / "work" / f"delivery-{delivery.id}", ignore_errors=True)
                delivery.status = DeliveryStatus.FAILED.value
                delivery.error = Phrase.of(_KILLED)
                log.warning("delivery of a killed process cleared away", delivery=delivery.id)
