"""Fetching a month's files from the vendor itself, instead of having people carry them here."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from uuid import UUID, uuid5

from marketplace.core.actor import Actor, Permission
from marketplace.core.db import Database
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.settings import Settings
from marketplace.usage.operations.reading import import_files
from marketplace.usage.operations.receiving import GivenFile, Received
from marketplace.vendors.connector import Capability, Connector
from marketplace.vendors.errors import NotOffered, VendorBusy
from marketplace.vendors.values import FileKind, FileRequest

_PAUSES = (1, 2, 5, 10, 20)
"""Seconds between looks, in all; who asks again later with the same key goes on with the same files."""
_KIND_OF_BILL = "one_time"

Pause = Callable[[float], None]


class NothingToFetch(Refusal):
    """The vendor has neither a bill nor running usage for the month."""

    sentence = N_("%(vendor)s has no files of %(period)s: neither a bill nor usage of these days.")


def fetch_month(
    database: Database,
    settings: Settings,
    *,
    actor: Actor,
    connector: Connector,
    period: Period,
    today: date,
    currency: str,
    key: UUID,
    pause: Pause,
) -> list[Received]:
    """Fetch and import what the vendor has of a month: its billed usage and its bill, or what is not billed yet.

    Fetched again, the same bytes change nothing and newer ones replace what was there. Files that take the vendor
    longer raise `VendorBusy`.
    """
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    if Capability.FILES not in connector.capabilities:
        raise NotOffered(vendor=connector.vendor)
    requests = _requests(connector, period, today=today, currency=currency)
    imported = []
    work = settings.home / "work"
    work.mkdir(exist_ok=True)
    for request in requests:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            files = _fetch(connector, request, Path(folder), key, pause)
            if files:
                imported.append(
                    import_files(
                        database,
                        settings,
                        actor=actor,
                        files=[GivenFile(file, _name(request, period, file)) for file in files],
                        vendor=connector.vendor,
                        period=period if request.kind is FileKind.RECONCILIATION else None,
                    )
                )
    if not imported:
        raise NothingToFetch(vendor=connector.vendor, period=period)
    return imported


def _requests(connector: Connector, period: Period, *, today: date, currency: str) -> Sequence[FileRequest]:
    """Give which files are there: those of the month's bill, else of the running or the last month."""
    bills = [bill for bill in connector.invoices() if bill.period == period and bill.kind == _KIND_OF_BILL]
    if bills:
        return [
            FileRequest(kind, invoice=bill.reference)
            for bill in bills
            for kind in (FileKind.USAGE, FileKind.RECONCILIATION)
        ]
    running = Period.of(today)
    if period not in {running, running.previous()}:
        raise NothingToFetch(vendor=connector.vendor, period=period)
    return [FileRequest(FileKind.USAGE, currency=currency, is_last_month=period != running)]


def _fetch(
    connector: Connector, request: FileRequest, folder: Path, key: UUID, pause: Pause
) -> Sequence[Path]:
    """Have the files made, wait a little for them, and fetch them."""
    operation = connector.begin_export(request, key=uuid5(key, f"{request.kind} {request.invoice}"))
    for seconds in (*_PAUSES, None):
        files = connector.export_state(operation)
        if files is not None:
            return connector.download(files, folder)
        if seconds is not None:
            pause(seconds)
    raise VendorBusy(vendor=connector.vendor, reason="it is still making the files")


def _name(request: FileRequest, period: Period, file: Path) -> str:
    """Name a file so that people know it again: the vendor calls them all alike."""
    return f"{request.invoice or f'unbilled-{period}'}_{request.kind.value}_{file.name}"
