"""Deliveries: received, read into the lake, made current at once, and undone.

An import is a process, not a transaction: files are stored and a delivery is noted (first transaction), rows are read
into the lake under the delivery's number, and one last transaction makes the delivery current and what it replaces
past. Killed at any instant before that, it leaves nothing that counts; the next import clears it away.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import duckdb
import structlog
from sqlalchemy import Connection, select, text, update
from sqlalchemy.orm import Session, selectinload

from marketplace.core.actor import Actor, Permission
from marketplace.core.audit import record
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, FaultyRow, Refusal
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.settings import Settings
from marketplace.usage.engine import open_engine, quoted
from marketplace.usage.errors import (
    AddedAlready,
    AnotherImportRuns,
    ContradictingChoices,
    NoFiles,
    NoSuchDelivery,
    NotUndoable,
    PeriodMissing,
    SameFileTwice,
    SumsTooLarge,
    VendorMissing,
    WouldLoseMuch,
)
from marketplace.usage.header import Header, Packing, read_header
from marketplace.usage.lake import Lake, parts_of, rejected_rows, rejects_path, remember_parts, usage_path
from marketplace.usage.models import Delivery, DeliveryFile, DeliverySlice, DeliveryStatus
from marketplace.usage.originals import LineIndex, Original, TextIndex, store
from marketplace.usage.reader import Cancelled, ReadFile, Reading, Resources, SliceKey, read_file

log = structlog.get_logger()

#: Spaces of advisory locks: one import reads a delivery; one at a time makes a vendor's delivery current.
_READING_LOCK, _CURRENT_LOCK = 7301, 7302
_SECONDS_BETWEEN_NOTES = 1.0
SHOWN_REJECTS = 100

STAGE_STORING = N_("storing")
STAGE_SUMMING = N_("adding up")
STAGE_DONE = N_("done")
_KILLED = N_(
    "The program that read it ended before it was done. Nothing of it counts; import the files again."
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class GivenFile:
    """A file as somebody gives it: where its bytes are, and what it is called."""

    path: Path
    name: str


@dataclass(frozen=True)
class Received:
    """The outcome of receiving: the delivery, and whether its bytes count already."""

    delivery_id: int
    is_duplicate: bool


@dataclass(frozen=True)
class _Looked:
    """A file that was looked at and stored."""

    original: Original
    header: Header
    index: TextIndex | None


@dataclass
class SliceSums:
    """Exact sums of a billing account and period of one file kind, as the delivery has them."""

    accepted: int = 0
    rejected: int = 0
    cost: dict[str, Decimal] = field(default_factory=dict)
    by_day: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    by_invoice: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    usage_by_invoice: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    providers: set[str] = field(default_factory=set)
    lake_files: list[str] = field(default_factory=list)


KindKey = tuple[str, int, str]  # billing account, period as 202409, file kind


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


# --- Receiving ------------------------------------------------------------------------------------------------------


def receive_files(
    database: Database,
    settings: Settings,
    *,
    actor: Actor,
    files: Sequence[GivenFile],
    vendor: str,
    billing_account: str = "",
    period: Period | None = None,
    is_addition: bool = False,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Received:
    """Look at the files, store them as they came, and note a delivery that waits to be read.

    The bytes of a current delivery again give that delivery, and change nothing.
    """
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    vendor, billing_account = vendor.strip(), billing_account.strip()
    if not files:
        raise NoFiles
    if not vendor:
        raise VendorMissing
    headers = [_look(given, period) for given in files]
    stored = _store(files, headers, settings, progress)
    fingerprint = _fingerprint(vendor, billing_account, period, [looked.original for looked in stored])
    with database.transaction(actor) as session:
        duplicate = _current_duplicate(session, fingerprint)
        if duplicate is not None:
            return Received(duplicate, is_duplicate=True)
        if is_addition:
            _refuse_added_already(session, vendor, stored)
        delivery = Delivery(
            vendor=vendor,
            billing_account=billing_account,
            period=period.number if period else None,
            is_addition=is_addition,
            fingerprint=fingerprint,
            created_by=actor.name,
            created_by_id=actor.user_id,
            status=DeliveryStatus.QUEUED.value,
        )
        session.add(delivery)
        session.flush()
        for number, looked in enumerate(stored, start=1):
            session.add(
                DeliveryFile(
                    delivery_id=delivery.id,
                    number=number,
                    name=looked.original.name,
                    sha256=looked.original.sha256,
                    size=looked.original.size,
                    path=looked.original.path,
                    format=looked.header.format.name,
                    file_kind=looked.header.format.file_kind,
                )
            )
        record(
            session,
            actor=actor,
            action="delivery.receive",
            subject="delivery",
            subject_id=delivery.public_id,
            after={"vendor": vendor, "files": [looked.original.name for looked in stored]},
        )
        return Received(delivery.id, is_duplicate=False)


def _look(given: GivenFile, period: Period | None) -> Header:
    header = read_header(given.path, name=given.name)
    if header.format.is_period_told and period is None:
        raise PeriodMissing(file=given.name, format=header.format.title)
    return header


def _store(
    files: Sequence[GivenFile], headers: Sequence[Header], settings: Settings, progress: Progress
) -> list[_Looked]:
    total = sum(given.path.stat().st_size for given in files)
    done = 0
    seen: dict[str, str] = {}
    stored = []
    for given, header in zip(files, headers, strict=True):
        lines = None
        if header.packing is not Packing.PARQUET and not header.is_gzip:
            lines = LineIndex(header.body, is_quoted=header.packing is Packing.CSV)
        original = store(
            given.path,
            settings.files,
            name=given.name,
            index=lines,
            advance=lambda size, before=done: progress(STAGE_STORING, before + size, total),  # type: ignore[misc]
        )
        done += original.size
        if original.sha256 in seen:
            raise SameFileTwice(file=given.name, other=seen[original.sha256])
        seen[original.sha256] = given.name
        index = lines.finish() if lines else None
        if index is not None:
            _remember(settings.files / original.path, index)
        stored.append(_Looked(original, header, index))
    return stored


def _remember(original: Path, index: TextIndex) -> None:
    """Keep the parts of a plain text: the worker that reads the file need not pass over it again."""
    if not index.has_nul:
        remember_parts(original, index.parts)


def _fingerprint(
    vendor: str, billing_account: str, period: Period | None, originals: Iterable[Original]
) -> str:
    parts = [vendor, billing_account, str(period or ""), *sorted(original.sha256 for original in originals)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _current_duplicate(session: Session, fingerprint: str, *, but: int | None = None) -> int | None:
    """Give the delivery that counts whole and came from the same bytes."""
    candidates = session.scalars(
        select(Delivery)
        .where(Delivery.fingerprint == fingerprint, Delivery.status == DeliveryStatus.CURRENT.value)
        .options(selectinload(Delivery.slices))
        .order_by(Delivery.id.desc())
    )
    for candidate in candidates:
        if candidate.id != but and all(piece.is_current for piece in candidate.slices):
            return candidate.id
    return None


def _refuse_added_already(session: Session, vendor: str, stored: Iterable[_Looked]) -> None:
    for looked in stored:
        known = session.scalars(
            select(Delivery)
            .join(DeliveryFile, DeliveryFile.delivery_id == Delivery.id)
            .where(
                Delivery.vendor == vendor,
                Delivery.status == DeliveryStatus.CURRENT.value,
                DeliveryFile.sha256 == looked.original.sha256,
                DeliveryFile.accepted > 0,
            )
        ).first()
        if known is not None:
            raise AddedAlready(file=looked.original.name, delivery=known.public_id)


# --- Reading --------------------------------------------------------------------------------------------------------


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
            slices, look_alikes = _into_lake(delivery, files, reads, lake, settings)
            notes.check_cancelled()
            return _make_current(
                database,
                actor,
                delivery_id=delivery_id,
                files=files,
                reads=reads,
                slices=slices,
                look_alikes=look_alikes,
                is_replacement_meant=is_replacement_meant,
            )
        except Refusal as refusal:
            status = DeliveryStatus.CANCELLED if isinstance(refusal, Cancelled) else DeliveryStatus.REFUSED
            _end(database, actor, delivery_id, status, str(refusal))
            lake.remove_delivery(delivery_id)
            raise
        except Exception as error:
            _end(database, actor, delivery_id, DeliveryStatus.FAILED, f"{type(error).__name__}: {error}")
            lake.remove_delivery(delivery_id)
            raise
        finally:
            shutil.rmtree(work_folder, ignore_errors=True)


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


# --- Into the lake --------------------------------------------------------------------------------------------------


def _into_lake(
    delivery: Delivery,
    files: Sequence[DeliveryFile],
    reads: Sequence[ReadFile],
    lake: Lake,
    settings: Settings,
) -> tuple[dict[KindKey, SliceSums], int]:
    """Add up what was read, then move the Parquet files to their places."""
    slices: dict[KindKey, SliceSums] = {}
    look_alikes = 0
    with open_engine(memory_limit=settings.memory_limit, threads=settings.thread_count) as engine:
        try:
            for file, read in zip(files, reads, strict=True):
                for key, rejected in read.rejected_by_slice.items():
                    slices.setdefault(
                        (key.billing_account, key.period, file.file_kind), SliceSums()
                    ).rejected += rejected
                for key, paths in read.lake_files.items():
                    sums = slices.setdefault((key.billing_account, key.period, file.file_kind), SliceSums())
                    _add_up(engine, paths, sums)
            everything = [path for read in reads for paths in read.lake_files.values() for path in paths]
            look_alikes = _look_alikes(engine, everything)
        except duckdb.OutOfRangeException as error:
            raise SumsTooLarge from error
    for file, read in zip(files, reads, strict=True):
        for number, (key, paths) in enumerate(sorted(read.lake_files.items())):
            sums = slices[key.billing_account, key.period, file.file_kind]
            for part, path in enumerate(paths):
                is_only = len(paths) == 1 and len(read.lake_files) == 1
                place = usage_path(
                    period=key.period,
                    vendor=delivery.vendor,
                    delivery_id=delivery.id,
                    file=str(file.number) if is_only else f"{file.number}-{number:03d}-{part:05d}",
                )
                lake.put(path, place)
                sums.lake_files.append(place)
        if read.reject_file:
            lake.put(read.reject_file, rejects_path(delivery_id=delivery.id, file_no=file.number))
    return slices, look_alikes


def _add_up(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], sums: SliceSums) -> None:
    source = f"read_parquet([{', '.join(quoted(str(path)) for path in paths)}], hive_partitioning = false)"
    rows = engine.execute(
        f"SELECT currency, usage_date::VARCHAR, invoice, file_kind = 'reconciliation' AND charge_category = 'Usage', "
        f"provider, count(*), sum(cost) FROM {source} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for currency, day, invoice, is_usage_of_bill, provider, count, cost in rows:
        sums.accepted += count
        sums.cost[currency] = sums.cost.get(currency, Decimal(0)) + cost
        _add_to(sums.by_day, day, currency, cost)
        if invoice:
            _add_to(sums.by_invoice, currency, invoice, cost)
            if is_usage_of_bill:
                _add_to(sums.usage_by_invoice, currency, invoice, cost)
        if provider:
            sums.providers.add(provider)


def _add_to(sums: dict[str, dict[str, Decimal]], outer: str, inner: str, cost: Decimal) -> None:
    of_outer = sums.setdefault(outer, {})
    of_outer[inner] = of_outer.get(inner, Decimal(0)) + cost


def _look_alikes(engine: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> int:
    """Count rows that look like another one in everything that is kept typed. All of them are billed."""
    if not paths:
        return 0
    source = f"read_parquet([{', '.join(quoted(str(path)) for path in paths)}], hive_partitioning = false)"
    row = engine.execute(
        "SELECT count(*) - count(DISTINCT hash(billing_account, account, subscription, product, sku, meter, "
        f"charge_type, usage_date, charge_from, charge_until, quantity, cost, currency, invoice)) FROM {source}"
    ).fetchone()
    return int(row[0]) if row else 0


# --- Becoming current -----------------------------------------------------------------------------------------------


def _make_current(
    database: Database,
    actor: Actor,
    *,
    delivery_id: int,
    files: Sequence[DeliveryFile],
    reads: Sequence[ReadFile],
    slices: Mapping[KindKey, SliceSums],
    look_alikes: int,
    is_replacement_meant: bool,
) -> Received:
    with database.transaction(actor) as session:
        delivery = session.get_one(Delivery, delivery_id)
        _lock_vendor(session, delivery.vendor)
        duplicate = _current_duplicate(session, delivery.fingerprint, but=delivery_id)
        if duplicate is not None:
            # Somebody gave the same bytes at the same time and was first.
            session.delete(delivery)
            return Received(duplicate, is_duplicate=True)
        replaced: list[DeliverySlice] = []
        if not delivery.is_addition:
            for key, sums in slices.items():
                standing = _standing(session, delivery.vendor, key)
                if not is_replacement_meant:
                    _refuse_great_loss(key, standing, sums)
                replaced += standing
        _note_files(session, delivery_id, files, reads)
        for key, sums in slices.items():
            session.add(_slice(delivery, key, sums))
        _retire(session, replaced, delivery)
        delivery.rows = sum(read.rows for read in reads)
        delivery.accepted = sum(read.accepted for read in reads)
        delivery.rejected = sum(read.rejected for read in reads)
        delivery.look_alikes = look_alikes
        delivery.status = DeliveryStatus.CURRENT.value
        delivery.current_at = utc_now()
        delivery.stage, delivery.done, delivery.total = STAGE_DONE, 1, 1
        record(
            session,
            actor=actor,
            action="delivery.make_current",
            subject="delivery",
            subject_id=delivery.public_id,
            after={
                "vendor": delivery.vendor,
                "rows": delivery.rows,
                "rejected": delivery.rejected,
                "is_addition": delivery.is_addition,
                "replaces": delivery.replaces_id,
            },
        )
        return Received(delivery_id, is_duplicate=False)


def _lock_vendor(session: Session, vendor: str) -> None:
    """Let deliveries of one vendor become current, or past, one after the other."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(:space, hashtext(:vendor))"),
        {"space": _CURRENT_LOCK, "vendor": vendor},
    )


def _standing(session: Session, vendor: str, key: KindKey) -> list[DeliverySlice]:
    billing_account, period, file_kind = key
    return list(
        session.scalars(
            select(DeliverySlice)
            .where(
                DeliverySlice.vendor == vendor,
                DeliverySlice.billing_account == billing_account,
                DeliverySlice.period == period,
                DeliverySlice.file_kind == file_kind,
                DeliverySlice.is_current,
            )
            .order_by(DeliverySlice.id)
            .with_for_update()
        )
    )


def _refuse_great_loss(key: KindKey, standing: Sequence[DeliverySlice], sums: SliceSums) -> None:
    """Refuse a delivery with less than half of the rows, or of the money of a currency, that it would replace."""
    account, period = key[0] or "-", Period.from_number(key[1])
    rows = sum(piece.accepted for piece in standing)
    if sums.accepted * 2 < rows:
        raise WouldLoseMuch(new=f"{sums.accepted} rows", old=f"{rows} rows", account=account, period=period)
    money: dict[str, Decimal] = {}
    for piece in standing:
        for currency, cost in piece.cost.items():
            money[currency] = money.get(currency, Decimal(0)) + Decimal(cost)
    for currency, before in money.items():
        after = sums.cost.get(currency, Decimal(0))
        if abs(after) * 2 < abs(before):
            new, old = f"{exact_text(after)} {currency}", f"{exact_text(before)} {currency}"
            raise WouldLoseMuch(new=new, old=old, account=account, period=period)


def _note_files(
    session: Session, delivery_id: int, files: Sequence[DeliveryFile], reads: Sequence[ReadFile]
) -> None:
    stored = session.scalars(
        select(DeliveryFile).where(DeliveryFile.delivery_id == delivery_id).order_by(DeliveryFile.number)
    ).all()
    for file, read in zip(stored, reads, strict=True):
        file.rows, file.accepted, file.rejected = read.rows, read.accepted, read.rejected
        file.notes = [sentence % facts for sentence, facts in read.notes]
    del files


def _slice(delivery: Delivery, key: KindKey, sums: SliceSums) -> DeliverySlice:
    billing_account, period, file_kind = key
    days = sorted(sums.by_day)
    facts: dict[str, object] = {"rejected": sums.rejected, "providers": sorted(sums.providers)}
    if days:
        facts |= {"first_day": days[0], "last_day": days[-1]}
    if sums.usage_by_invoice:
        facts["usage_cost_by_invoice"] = _nested_text(sums.usage_by_invoice)
    return DeliverySlice(
        delivery_id=delivery.id,
        vendor=delivery.vendor,
        billing_account=billing_account,
        period=period,
        file_kind=file_kind,
        is_addition=delivery.is_addition,
        is_current=True,
        accepted=sums.accepted,
        cost={currency: exact_text(cost) for currency, cost in sorted(sums.cost.items())},
        cost_by_day=_nested_text(sums.by_day),
        cost_by_invoice=_nested_text(sums.by_invoice),
        lake_files=sums.lake_files,
        facts=facts,
    )


def _nested_text(sums: Mapping[str, Mapping[str, Decimal]]) -> dict[str, dict[str, str]]:
    return {
        outer: {inner: exact_text(cost) for inner, cost in sorted(sums[outer].items())}
        for outer in sorted(sums)
    }


def exact_text(amount: Decimal) -> str:
    """Write an exact decimal as plain digits without needless zeros: 13.7076, 0, -1200."""
    written = format(amount, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written in {"-0", ""} else written


def _retire(session: Session, replaced: Sequence[DeliverySlice], by: Delivery) -> None:
    """Take the place of older slices; a delivery of which nothing is left has been replaced."""
    for piece in replaced:
        piece.is_current = False
        piece.replaced_by_id = by.id
    session.flush()
    older = {piece.delivery_id for piece in replaced}
    for delivery_id in sorted(older):
        if not _has_current_slices(session, delivery_id):
            session.get_one(Delivery, delivery_id).status = DeliveryStatus.REPLACED.value
    by.replaces_id = max(older, default=None)


def _has_current_slices(session: Session, delivery_id: int) -> bool:
    return bool(
        session.scalar(
            select(
                select(DeliverySlice.id)
                .where(DeliverySlice.delivery_id == delivery_id, DeliverySlice.is_current)
                .exists()
            )
        )
    )


def _end(database: Database, actor: Actor, delivery_id: int, status: DeliveryStatus, error: str) -> None:
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
                reason=error,
            )


# --- Undoing, cancelling, clearing away -----------------------------------------------------------------------------


def undo_delivery(session: Session, *, actor: Actor, delivery: str, reason: str = "") -> Delivery:
    """Take a delivery back: its rows count no longer, and what it had replaced counts again.

    Part of it may have been replaced by a newer delivery, which then stands in the place of the older one.
    """
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    found = find_delivery(session, delivery)
    _lock_vendor(session, found.vendor)
    session.refresh(found, with_for_update=True)
    if found.status != DeliveryStatus.CURRENT.value:
        raise NotUndoable(delivery=delivery, status=found.status)
    pieces = session.scalars(select(DeliverySlice).where(DeliverySlice.delivery_id == found.id)).all()
    older = session.scalars(select(DeliverySlice).where(DeliverySlice.replaced_by_id == found.id)).all()
    by_key = {(piece.billing_account, piece.period, piece.file_kind): piece for piece in pieces}
    for piece in older:
        place = by_key[piece.billing_account, piece.period, piece.file_kind]
        piece.is_current = place.is_current
        piece.replaced_by_id = place.replaced_by_id
    for piece in pieces:
        piece.is_current = False
        piece.replaced_by_id = None
    found.status = DeliveryStatus.UNDONE.value
    session.flush()
    for delivery_id in {piece.delivery_id for piece in older}:
        if _has_current_slices(session, delivery_id):
            session.get_one(Delivery, delivery_id).status = DeliveryStatus.CURRENT.value
    record(
        session,
        actor=actor,
        action="delivery.undo",
        subject="delivery",
        subject_id=found.public_id,
        before={"status": DeliveryStatus.CURRENT.value},
        after={
            "status": DeliveryStatus.UNDONE.value,
            "restored": sorted({piece.delivery_id for piece in older}),
        },
        reason=reason,
    )
    return found


def find_delivery(session: Session, delivery: str) -> Delivery:
    """Give the delivery of a public id or a number. Raises `NoSuchDelivery`."""
    known = None
    if delivery.isdigit():
        known = session.get(Delivery, int(delivery)) if len(delivery) < 19 else None  # noqa: PLR2004 - BIGINT's digits
    else:
        try:
            public_id = UUID(delivery)
        except ValueError:
            raise NoSuchDelivery(delivery=delivery) from None
        known = session.scalars(select(Delivery).where(Delivery.public_id == public_id)).one_or_none()
    if known is None:
        raise NoSuchDelivery(delivery=delivery)
    return known


def request_cancel(session: Session, *, actor: Actor, delivery: str) -> None:
    """Ask the process that reads a delivery to stop at the next part."""
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    found = find_delivery(session, delivery)
    found.cancel_requested = True
    if found.status == DeliveryStatus.QUEUED.value:
        found.status = DeliveryStatus.CANCELLED.value


def clear_leftovers(database: Database, settings: Settings, *, actor: Actor, but: int | None = None) -> None:
    """Mark deliveries whose reader was killed as failed, and remove what they left in the lake."""
    lake = Lake(settings.lake)
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
                delivery.error = _KILLED
                log.warning("delivery of a killed process cleared away", delivery=delivery.id)


def first_rejects(settings: Settings, delivery: Delivery, files: Sequence[DeliveryFile]) -> list[FaultyRow]:
    """Give the first rejected rows of a delivery, in the order of its files."""
    places = [
        (file.name, rejects_path(delivery_id=delivery.id, file_no=file.number))
        for file in files
        if file.rejected
    ]
    return list(rejected_rows(Lake(settings.lake), places, limit=SHOWN_REJECTS))
