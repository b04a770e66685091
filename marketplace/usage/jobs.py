"""What the worker does for imports: fetching and reading files, and telling who asked for it."""

import time
from contextlib import closing
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.operations.notifying import notify_party, notify_user
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.settings import Settings
from marketplace.usage.models import Delivery, DeliveryStatus, FetchOutcome
from marketplace.usage.operations import Received, fetch_month, read_delivery
from marketplace.usage.operations.fetch_log import EVERY_NIGHT, begin_fetch, end_fetch, periods_due
from marketplace.usage.operations.fetching import NothingToFetch
from marketplace.vendors.connector import Capability
from marketplace.vendors.errors import VendorUnavailable
from marketplace.vendors.registry import CONNECTED, connector_for
from resellers.models import Wholesaler

READ = "usage.read"
FETCH = "usage.fetch"
NIGHTLY = "usage.fetch_every_night"


def queue_reading(session: Session, delivery_id: int, *, is_replacement_meant: bool = False) -> None:
    """Ask the worker to read a received delivery. Its progress stands with the delivery."""
    jobs.defer(
        session,
        READ,
        queue=jobs.LONG,
        lock=READ,
        delivery_id=delivery_id,
        is_replacement_meant=is_replacement_meant,
    )


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
    _defer_fetching(session, actor=actor, vendor=vendor, period=period)
    audit.record(
        session,
        actor=actor,
        action="delivery.fetch",
        subject="delivery",
        subject_id=f"{vendor} {period}",
        after={"vendor": vendor, "from": str(period)},
    )


@jobs.register(NIGHTLY, every=EVERY_NIGHT)
def fetch_every_night(database: Database, settings: Settings) -> None:
    """Have fetched what every connected vendor is to have by now."""
    for vendor in CONNECTED:
        with closing(connector_for(settings, vendor)) as connector:
            if Capability.FILES not in connector.capabilities:
                continue
        with database.owner_transaction() as session:
            for period in periods_due(session, vendor, today=utc_now().date()):
                _defer_fetching(session, actor=Actor.system(), vendor=vendor, period=period)


def _defer_fetching(session: Session, *, actor: Actor, vendor: str, period: Period) -> None:
    jobs.defer(
        session,
        FETCH,
        queue=jobs.LONG,
        lock=READ,
        queueing_lock=f"{FETCH} {vendor} {period}",
        vendor=vendor,
        period=str(period),
        key=str(uuid4()),
        user_id=actor.user_id,
        name=actor.name,
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
        begin_fetch(
            session, key=UUID(key), vendor=vendor, period=Period.parse(period), by=name, now=utc_now()
        )
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
    except VendorUnavailable as away:
        with database.owner_transaction() as session:
            end_fetch(session, key=UUID(key), outcome=FetchOutcome.AWAY, words=away.phrase, now=utc_now())
        raise
    except NothingToFetch as nothing:
        refused, outcome = nothing.phrase, FetchOutcome.NOTHING
    except Refusal as refusal:
        refused, outcome = refusal.phrase, FetchOutcome.REFUSED
    else:
        is_new = any(not one.is_duplicate for one in received)
        outcome = FetchOutcome.IMPORTED if is_new else FetchOutcome.UNCHANGED
    with database.owner_transaction() as session:
        end_fetch(
            session,
            key=UUID(key),
            outcome=outcome,
            words=refused,
            now=utc_now(),
            deliveries=sum(not one.is_duplicate for one in received),
        )
        for one in received:
            _tell(session, session.get(Delivery, one.delivery_id))
        if refused is None:
            return
        phrase = Phrase.of(_NOT_FETCHED, vendor=vendor, error=refused)
        if user_id is not None:
            notify_user(
                session,
                user_id=user_id,
                audience=Audience.WHOLESALER,
                phrase=phrase,
                link=f"/admin/vendors/{vendor}",
            )
        elif outcome is FetchOutcome.REFUSED:
            notify_party(
                session,
                audience=Audience.WHOLESALER,
                party_id=None,
                permission=Permission.WHOLESALER_USAGE_IMPORT,
                phrase=phrase,
                link=f"/admin/vendors/{vendor}",
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
