"""What the worker does for imports: reading what was received, and telling who gave it."""

from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.operations.notifying import notify_user
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.settings import Settings
from marketplace.usage.models import Delivery, DeliveryStatus
from marketplace.usage.operations import read_delivery

READ = "usage.read"


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
