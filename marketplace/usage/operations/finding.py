"""A delivery by its number or public id, and its first rejects."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.errors import FaultyRow
from marketplace.settings import Settings
from marketplace.usage.errors import NoSuchDelivery
from marketplace.usage.lake import Lake, rejected_rows, rejects_path
from marketplace.usage.models import Delivery, DeliveryFile

SHOWN_REJECTS = 100


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


def first_rejects(settings: Settings, delivery: Delivery, files: Sequence[DeliveryFile]) -> list[FaultyRow]:
    """Give the first rejected rows of a delivery, in the order of its files."""
    places = [
        (file.name, rejects_path(delivery_id=delivery.id, file_no=file.number))
        for file in files
        if file.rejected
    ]
    return list(rejected_rows(Lake(settings.lake), places, limit=SHOWN_REJECTS))
