"""Files looked at, stored as they came, and noted as a delivery that waits to be read."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from marketplace.core.actor import Actor, Permission
from marketplace.core.audit import record
from marketplace.core.db import Database
from marketplace.core.errors import N_
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.settings import Settings
from marketplace.usage.errors import (
    AddedAlready,
    NoFiles,
    PeriodMissing,
    SameFileTwice,
    VendorMissing,
    VendorTooLong,
)
from marketplace.usage.header import Header, Packing, read_header
from marketplace.usage.lake import fitting_vendor, remember_parts
from marketplace.usage.models import Delivery, DeliveryFile, DeliveryStatus
from marketplace.usage.originals import LineIndex, Original, TextIndex, store

_SHOWN_LETTERS = 30

STAGE_STORING = N_("storing")

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
    enqueue: Callable[[Session, int], None] = lambda _session, _delivery_id: None,
) -> Received:
    """Look at the files, store them as they came, and note a delivery that waits to be read.

    The bytes of a current delivery again give that delivery, and change nothing. `enqueue` asks a worker to read a
    new one, in the same transaction.
    """
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    vendor, billing_account = vendor.strip(), billing_account.strip()
    if not files:
        raise NoFiles
    if not vendor:
        raise VendorMissing
    if (fitting := fitting_vendor(vendor)) != vendor:
        raise VendorTooLong(start=fitting[:_SHOWN_LETTERS], letters=len(fitting))
    headers = [_look(given, period) for given in files]
    stored = _store(files, headers, settings, progress)
    fingerprint = _fingerprint(vendor, billing_account, period, [looked.original for looked in stored])
    received = [
        DeliveryFile(
            number=number,
            name=looked.original.name,
            sha256=looked.original.sha256,
            size=looked.original.size,
            path=looked.original.path,
            format=looked.header.format.name,
            file_kind=looked.header.format.file_kind,
        )
        for number, looked in enumerate(stored, start=1)
    ]
    with database.transaction(actor) as session:
        duplicate = current_duplicate(session, fingerprint)
        if duplicate is not None:
            return Received(duplicate, is_duplicate=True)
        if is_addition:
            refuse_added_already(session, vendor, received)
        delivery = Delivery(
            vendor=vendor,
            billing_account=billing_account,
            period=period.number if period else None,
            is_addition=is_addition,
            fingerprint=fingerprint,
            created_by=actor.name,
            created_by_id=actor.user_id,
            status=DeliveryStatus.QUEUED.value,
            files=received,
        )
        session.add(delivery)
        session.flush()  # its number is needed
        record(
            session,
            actor=actor,
            action="delivery.receive",
            subject="delivery",
            subject_id=delivery.public_id,
            after={"vendor": vendor, "files": [file.name for file in received]},
        )
        enqueue(session, delivery.id)
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


def current_duplicate(session: Session, fingerprint: str, *, but: int | None = None) -> int | None:
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


def refuse_added_already(session: Session, vendor: str, files: Iterable[DeliveryFile]) -> None:
    """Refuse to add a file that counts already. Raises `AddedAlready`."""
    for file in files:
        known = session.scalars(
            select(Delivery)
            .join(DeliveryFile, DeliveryFile.delivery_id == Delivery.id)
            .where(
                Delivery.vendor == vendor,
                Delivery.status == DeliveryStatus.CURRENT.value,
                DeliveryFile.sha256 == file.sha256,
                DeliveryFile.accepted > 0,
            )
        ).first()
        if known is not None:
            raise AddedAlready(file=file.name, delivery=known.id)
