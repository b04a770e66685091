"""A delivery becomes current and takes the place of what it replaces; undone, it gives the place back."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Permission
from marketplace.core.audit import record
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_
from marketplace.core.period import Period
from marketplace.core.permit import require
from marketplace.rating.exact import add, plain
from marketplace.usage.errors import CountsAlready, NotUndoable, WouldLoseMuch
from marketplace.usage.models import Delivery, DeliveryFile, DeliverySlice, DeliveryStatus
from marketplace.usage.operations.finding import find_delivery
from marketplace.usage.operations.receiving import Received, current_duplicate, refuse_added_already
from marketplace.usage.operations.sums import KindKey, SliceSums
from marketplace.usage.reader import ReadFile

#: The space of advisory locks by which a vendor's deliveries become current, or past, one after the other.
_CURRENT_LOCK = 7302

STAGE_DONE = N_("done")


def make_current(
    session: Session,
    *,
    actor: Actor,
    delivery_id: int,
    reads: Sequence[ReadFile],
    slices: Mapping[KindKey, SliceSums],
    look_alikes: int,
    is_replacement_meant: bool,
) -> Received:
    """Let a delivery that was read count, and what it replaces count no longer.

    Raises `WouldLoseMuch`, and `AddedAlready` if a file of an addition counts already. The same bytes as those of
    another delivery that became current meanwhile give that delivery.
    """
    delivery = session.get_one(Delivery, delivery_id)
    _lock_vendor(session, delivery.vendor)
    duplicate = current_duplicate(session, delivery.fingerprint, but=delivery_id)
    if duplicate is not None:
        # Somebody gave the same bytes at the same time and was first.
        delivery.status = DeliveryStatus.REFUSED.value
        delivery.error = CountsAlready(delivery=duplicate).phrase
        return Received(duplicate, is_duplicate=True)
    replaced: list[DeliverySlice] = []
    files = _files_of(session, delivery_id)
    if delivery.is_addition:
        refuse_added_already(session, delivery.vendor, files)
    else:
        for key, sums in slices.items():
            standing = _standing(session, delivery.vendor, key)
            if not is_replacement_meant:
                _refuse_great_loss(key, standing, sums)
            replaced += standing
    for file, read in zip(files, reads, strict=True):
        file.rows, file.accepted, file.rejected = read.rows, read.accepted, read.rejected
        file.notes = [sentence % facts for sentence, facts in read.notes]
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
            money[currency] = add(money.get(currency, Decimal(0)), Decimal(cost))
    for currency, before in money.items():
        after = sums.cost.get(currency, Decimal(0))
        if abs(after) * 2 < abs(before):
            new, old = f"{plain(after)} {currency}", f"{plain(before)} {currency}"
            raise WouldLoseMuch(new=new, old=old, account=account, period=period)


def _files_of(session: Session, delivery_id: int) -> Sequence[DeliveryFile]:
    return session.scalars(
        select(DeliveryFile).where(DeliveryFile.delivery_id == delivery_id).order_by(DeliveryFile.number)
    ).all()


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
        cost={currency: plain(cost) for currency, cost in sorted(sums.cost.items())},
        cost_by_day=_nested_text(sums.by_day),
        cost_by_invoice=_nested_text(sums.by_invoice),
        lake_files=sums.lake_files,
        facts=facts,
    )


def _nested_text(sums: Mapping[str, Mapping[str, Decimal]]) -> dict[str, dict[str, str]]:
    return {
        outer: {inner: plain(cost) for inner, cost in sorted(sums[outer].items())} for outer in sorted(sums)
    }


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
