"""Which months' files are fetched from a vendor every night, and what became of each fetch."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.core.errors import Phrase
from marketplace.core.period import Period
from marketplace.usage.models import DeliverySlice, FetchOutcome, VendorFetch

_AT = time(4, 20)
#: As cron writes it, in UTC: after the vendors have made the files of the day before.
EVERY_NIGHT = f"{_AT.minute} {_AT.hour} * * *"
_BILL = "reconciliation"
_MOST_SHOWN = 10


def next_night(now: datetime) -> datetime:
    """Give when files are fetched by themselves next."""
    tonight = datetime.combine(now.astimezone(UTC).date(), _AT, tzinfo=UTC)
    return tonight if tonight > now else tonight + timedelta(days=1)


def periods_due(session: Session, vendor: str, *, today: date) -> list[Period]:
    """Give the months to fetch: the running one for its usage, and the last one until the vendor's bill of it is here."""
    running = Period.of(today)
    has_bill = session.scalar(
        select(DeliverySlice.id)
        .where(
            DeliverySlice.vendor == vendor,
            DeliverySlice.period == running.previous().number,
            DeliverySlice.file_kind == _BILL,
            DeliverySlice.is_current,
        )
        .limit(1)
    )
    return [running] if has_bill is not None else [running.previous(), running]


def begin_fetch(session: Session, *, key: UUID, vendor: str, period: Period, by: str, now: datetime) -> None:
    """Note that a fetch has begun, or goes on after it had to wait."""
    begun = {"outcome": FetchOutcome.RUNNING.value, "words": None, "ended_at": None}
    session.execute(
        insert(VendorFetch)
        .values(id=key, vendor=vendor, period=period.number, started_at=now, started_by=by, **begun)
        .on_conflict_do_update(index_elements=["id"], set_=begun)
    )


def end_fetch(
    session: Session,
    *,
    key: UUID,
    outcome: FetchOutcome,
    words: Phrase | None,
    now: datetime,
    deliveries: int = 0,
) -> None:
    """Note what became of it."""
    found = session.get_one(VendorFetch, key)
    found.outcome, found.words, found.ended_at = outcome.value, words, now
    found.deliveries = deliveries


def last_fetches(session: Session, vendor: str) -> list[VendorFetch]:
    """Give the latest fetches from a vendor."""
    return list(
        session.scalars(
            select(VendorFetch)
            .where(VendorFetch.vendor == vendor)
            .order_by(VendorFetch.started_at.desc(), VendorFetch.period.desc())
            .limit(_MOST_SHOWN)
        )
    )
