"""What the worker does for imports: fetching and reading files, and telling who asked for it."""

import time
from contextlib import closing
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.operations.notifying import notify_user
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.settings import Settings
from marketplace.usage.models import Delivery, DeliveryStatus
from marketplace.usage.operations import Received, fetch_month, read_delivery
from marketplace.vendors.errors import VendorUnavailable
from marketplace.vendors.registry import connector_for
from resellers.models import Wholesaler

READ = "usage.read"
FETCH = "usage.fetch"


def queue_reading(session: Session, delivery_id: int, *, is_replacement_meant: bool = False) -> None:
    """Ask the worker to read a received delivery. Its progress stands with the delivery."""
    jobs.defer(session, READ, lock=READ, delivery_id=delivery_id, is_replacement_meant=is_replacement_meant)


@jobs.register(READ)
def read(
    database: Database, settings: Settings, *, delivery_id: int, is_replacement_meant: bool = False
) -> None:
    """Read a delivery as whoever gave it; a refusal is kept with the delivery, it is no failure of the worker."""
    with database.owner_transaction() as session:
        delivery = session.get(Delivery, delivery_id)
        if delivery is None:
            return
        actor = Actor(
            delivery.created_by,
            Audience.WHOLESALER,
            user_id=delivery.created_by_id,
            permissions=frozenset({Permission.WHOLESALER_USAGE_IMPORT}),
        )
    try:
        read_delivery(
            database,
            settings,
            actor=actor,
            delivery_id=delivery_id,
            is_replacement_meant=is_replacement_meant,
        )
    except Refusal:
        pass  # noted with the delivery, where the person reads it
    finally:
        with database.owner_transaction() as session:
            _tell(session, session.get(Delivery, delivery_id))


def queue_fetching(session: Session, *, actor: Actor, vendor: str, period: Period) -> None:
    """Ask the worker to fetch a month's files from the vendor and to import them."""
    require(actor, Permission.WHOLESALER_USAGE_IMPORT)
    jobs.defer(
        session,
        FETCH,
        lock=READ,
        queueing_lock=f"{FETCH} {vendor} {period}",
        vendor=vendor,
        period=str(period),
        key=str(uuid4()),
        user_id=actor.user_id,
        name=actor.name,
    )
    audit.record(
        session,
        actor=actor,
        action="delivery.fetch",
        subject="delivery",
        subject_id=f"{vendor} {period}",
        after={"vendor": vendor, "from": str(period)},
    )


@jobs.register(FETCH, retries=5)
def fetch(
    database: Database,
    settings: Settings,
    *,
    vendor: str,
    period: str,
    key: str,
    user_id: int | None,
    name: str,
) -> None:
    """Fetch as whoever asked. A vendor that is away or not ready is asked again; any other refusal is told."""
    actor = Actor(
        name,
        Audience.WHOLESALER,
        user_id=user_id,
        permissions=frozenset({Permission.WHOLESALER_USAGE_IMPORT}),
    )
    with database.owner_transaction() as session:
        currency = session.get_one(Wholesaler, 1).currency
    received: list[Received] = []
    refused: Phrase | None = None
    try:
        with closing(connector_for(settings, vendor)) as connector:
            received = fetch_month(
                database,
                settings,
                actor=actor,
                connector=connector,
                period=Period.parse(period),
                today=utc_now().date(),
                currency=currency,
                key=UUID(key),
                pause=time.sleep,
            )
    except VendorUnavailable:
        raise
    except Refusal as refusal:
        refused = refusal.phrase
    with database.owner_transaction() as session:
        for one in received:
            _tell(session, session.get(Delivery, one.delivery_id))
        if refused is not None and user_id is not None:
            notify_user(
                session,
                user_id=user_id,
                audience=Audience.WHOLESALER,
                phrase=Phrase.of(_NOT_FETCHED, vendor=vendor, error=refused),
                link="/admin/imports",
            )


_NOT_FETCHED = N_("The files of %(vendor)s could not be fetched: %(error)s")
_ENDS = {
    DeliveryStatus.CURRENT: N_(
        "The files of %(vendor)s are imported: %(accepted)s rows, %(rejected)s rejected."
    ),
    DeliveryStatus.REFUSED: N_("The files of %(vendor)s were refused: %(error)s"),
    DeliveryStatus.FAILED: N_("The import of %(vendor)s failed; nothing of it counts."),
    DeliveryStatus.CANCELLED: N_("The import of %(vendor)s was cancelled."),
}


def _tell(session: Session, delivery: Delivery | None) -> None:
    if delivery is None or delivery.created_by_id is None:
        return
    sentence = _ENDS.get(DeliveryStatus(delivery.status))
    if sentence is not None:
        facts = {
            "vendor": delivery.vendor,
            "accepted": delivery.accepted,
            "rejected": delivery.rejected,
            "error": delivery.error,
        }
        notify_user(
            session,
            user_id=delivery.created_by_id,
            audience=Audience.WHOLESALER,
            phrase=Phrase.of(sentence, **facts),
            link=f"/admin/imports/{delivery.public_id}",
        )
