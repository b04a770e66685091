"""Versions of price lists: imported as drafts with what they change, then activated, scheduled or discarded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric, Text, insert, literal, select, update
from sqlalchemy.orm import Session

from catalog.models import MeterPrice, PlanCost, PlanPrice, PriceList, PriceListReject
from catalog.operations.offers import keep_limits, keep_plans, keep_relations, keep_skus
from catalog.price_files import PriceFile, read_price_file
from catalog.price_files.offers import NO_CURRENCY
from catalog.price_files.rows import MeterRow, PlanKey, PlanRow, SkuWords
from catalog.queries.price_lists import Rename, bands_of, find_price_list, newest_version, renames
from catalog.rules.differences import BandKey, Difference, Kind, Price, differences
from catalog.rules.metered import BOUGHT_AS, METERED, bought
from catalog.words import (
    BillingCycle,
    BillingModel,
    PriceListKind,
    PriceListStatus,
    ProductKind,
    Segment,
    Term,
)
from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.bulk import many_at_once, table_of
from marketplace.core.errors import N_, FaultyRow, Phrase, Refusal
from marketplace.core.permit import require

_NO_PLAN = (Term.P1M, BillingCycle.NONE, Segment.COMMERCIAL)


class SeveralLists(Refusal):
    """The file holds prices for several markets or currencies."""

    sentence = N_(
        "%(file)s has prices for %(lists)s. Say which to take: --market and --currency, or the fields of the form."
    )


class NothingInIt(Refusal):
    """No row can be used."""

    sentence = N_("%(file)s has no price that can be used for %(market)s in %(currency)s.")


class NotADraft(Refusal):
    """Only what has not come into force can be changed."""

    sentence = N_(
        "Version %(version)s of this price list is %(status)s: only a draft or a scheduled one can change."
    )


class InThePast(Refusal):
    """A list cannot have held already."""

    sentence = N_(
        "A price list is scheduled for a later moment; %(at)s has passed. Activate it at once instead."
    )


@dataclass(frozen=True, kw_only=True)
class ImportedList:
    """What an import did, or with `is_trial` would do."""

    price_list_id: UUID | None
    version: int
    status: str
    market: str
    currency: str
    kind: str
    rows: int
    accepted: int
    rejects: Sequence[FaultyRow]
    rejected: int
    left_out: int
    changes: Sequence[Difference] = field(default_factory=tuple)
    renames: Sequence[Rename] = field(default_factory=tuple)
    unchanged: int = 0
    is_duplicate: bool = False
    is_trial: bool = False

    def counted(self, kind: Kind) -> int:
        """How many prices became so."""
        return Counter(change.kind for change in self.changes)[kind]


def import_price_list(
    session: Session,
    *,
    actor: Actor,
    vendor: str,
    file: str,
    content: bytes,
    market: str = "",
    currency: str = "",
    segment: Segment = Segment.COMMERCIAL,
    otherwise_currency: str = "EUR",
    is_trial: bool = False,
) -> ImportedList:
    """Read a price list into a draft. The bytes of the newest version again change nothing.

    Faulty rows are left out and named; what a wholesaler or reseller set stays. Raises `SeveralLists`, `NothingInIt`
    and what `read_price_file` raises.
    """
    require(actor, Permission.WHOLESALER_CATALOGUE_MANAGE)
    read = read_price_file(content, file=file, segment=segment)
    if read.limits:
        return _keep_matrix(session, read, actor=actor, vendor=vendor, file=file, is_trial=is_trial)
    taken, market, currency = _one_list(
        read, file=file, market=market, currency=currency, otherwise=otherwise_currency
    )
    digest = sha256(content).hexdigest()
    newest = newest_version(session, vendor=vendor, kind=read.kind, market=market, currency=currency)
    standing = bands_of(session, newest.in_force_id) if newest.in_force_id else {}
    given, titles = _bands(taken)
    changes = differences(standing, given, titles)
    result: dict[str, Any] = {
        "market": market,
        "currency": currency,
        "kind": read.kind.value,
        "rows": read.rows,
        "accepted": len(taken),
        "rejects": sorted(read.rejects, key=lambda reject: reject.row),
        "rejected": read.rejected,
        "left_out": len(read.plans) + len(read.meters) - len(taken),
        "changes": changes,
        "renames": renames(
            session, vendor=vendor, titles={row.words.product: row.words.product_title for row in taken}
        ),
        "unchanged": len(given) - sum(change.after is not None for change in changes),
        "is_trial": is_trial,
    }
    if newest.sha256 == digest:
        return ImportedList(
            price_list_id=newest.public_id,
            version=newest.version,
            status=newest.status,
            is_duplicate=True,
            **{**result, "changes": (), "unchanged": len(given)},
        )
    version = newest.version + 1
    if is_trial:
        return ImportedList(price_list_id=None, version=version, status=PriceListStatus.DRAFT.value, **result)
    price_list = PriceList(
        vendor=vendor,
        kind=read.kind.value,
        market=market,
        currency=currency,
        version=version,
        file=file,
        sha256=digest,
        rows=read.rows,
        accepted=len(taken),
        created_by=actor.name,
    )
    session.add(price_list)
    session.flush()  # its prices need its id
    _write(session, price_list, read, taken)
    _keep_rejects(session, price_list, result["rejects"])
    _record(session, actor, "price_list.import", price_list, file=file, version=version)
    return ImportedList(
        price_list_id=price_list.public_id, version=version, status=price_list.status, **result
    )


def _keep_matrix(
    session: Session, read: PriceFile, *, actor: Actor, vendor: str, file: str, is_trial: bool
) -> ImportedList:
    """Take an offer matrix in: it has no versions, since it has no prices. SKUs nobody sells yet are rejects."""
    with session.begin_nested() as kept:
        known = keep_limits(session, vendor, read.limits)
        relations = [one for one in read.relations if one.sku in known and one.target in known]
        keep_relations(session, known, relations)
        if is_trial:
            kept.rollback()
    unknown = Phrase.of(N_("is in no price list yet: import the price list first"))
    rejects = [
        FaultyRow(file, one.number, "SkuId", ":".join(one.sku), unknown)
        for one in read.limits
        if one.sku not in known
    ]
    if not is_trial:
        audit.record(
            session,
            actor=actor,
            action="price_list.import",
            subject="price_list",
            subject_id=vendor,
            after={"file": file, "skus": len(known)},
        )
    return ImportedList(
        price_list_id=None,
        version=0,
        status=PriceListStatus.ACTIVE.value,
        market="",
        currency="",
        kind=read.kind.value,
        rows=read.rows,
        accepted=len(known),
        rejects=sorted([*read.rejects, *rejects], key=lambda reject: reject.row),
        rejected=read.rows - len(known),
        left_out=0,
        is_trial=is_trial,
    )


def activate(session: Session, *, actor: Actor, price_list_id: UUID, now: datetime) -> PriceList:
    """Put a version in force at once, in place of the one that is. Raises `NotFound`, `NotADraft`."""
    price_list = _open_list(session, actor, price_list_id)
    _put_in_force(session, price_list, at=now)
    _record(session, actor, "price_list.activate", price_list)
    return price_list


def schedule(
    session: Session, *, actor: Actor, price_list_id: UUID, at: datetime, now: datetime
) -> PriceList:
    """Have a version come into force later. Raises `NotFound`, `NotADraft`, `InThePast`."""
    price_list = _open_list(session, actor, price_list_id)
    if at <= now:
        raise InThePast(at=at)
    price_list.status, price_list.active_from = PriceListStatus.SCHEDULED.value, at
    _record(session, actor, "price_list.schedule", price_list, at=at.isoformat())
    return price_list


def discard(session: Session, *, actor: Actor, price_list_id: UUID) -> PriceList:
    """Give a version up before it holds. Raises `NotFound`, `NotADraft`."""
    price_list = _open_list(session, actor, price_list_id)
    price_list.status, price_list.active_from = PriceListStatus.DISCARDED.value, None
    _record(session, actor, "price_list.discard", price_list)
    return price_list


def activate_due(session: Session, *, actor: Actor, now: datetime) -> int:
    """Note that scheduled versions hold whose moment has come; give how many. Prices hold by their dates already."""
    due = session.scalars(
        select(PriceList)
        .where(PriceList.status == PriceListStatus.SCHEDULED.value, PriceList.active_from <= now)
        .order_by(PriceList.active_from)
        .with_for_update()
    ).all()
    for price_list in due:
        _put_in_force(session, price_list, at=price_list.active_from or now)
        _record(session, actor, "price_list.activate", price_list)
    return len(due)


def _one_list(
    read: PriceFile, *, file: str, market: str, currency: str, otherwise: str
) -> tuple[list[PlanRow | MeterRow], str, str]:
    """Choose the rows of one market and currency. Offers have no currency of their own."""
    rows: list[PlanRow | MeterRow] = [*read.plans, *read.meters]
    lists = {(row.market, row.currency) for row in rows}
    wanted = {
        (its_market, its_currency)
        for its_market, its_currency in lists
        if (not market or its_market == market) and (not currency or its_currency in {currency, NO_CURRENCY})
    }
    if len(wanted) > 1:
        shown = ", ".join(sorted(f"{its_market} {its_currency}" for its_market, its_currency in wanted)[:20])
        raise SeveralLists(file=file, lists=shown)
    if not wanted:
        raise NothingInIt(rows=read.rejects, file=file, market=market or "-", currency=currency or "-")
    ((market, its_currency),) = wanted
    taken = [row for row in rows if (row.market, row.currency) == (market, its_currency)]
    return taken, market, its_currency or currency or otherwise


def _bands(rows: Sequence[PlanRow | MeterRow]) -> tuple[dict[BandKey, Price], dict[BandKey, str]]:
    """Give the prices to compare: of rows of one band, the last to begin."""
    latest: dict[BandKey, PlanRow | MeterRow] = {}
    for row in rows:
        key = _band_key(row)
        if key not in latest or latest[key].valid_from < row.valid_from:
            latest[key] = row
    prices = {
        key: Price(row.unit_cost if isinstance(row, PlanRow) else None, row.unit_list)
        for key, row in latest.items()
    }
    return prices, {key: row.words.sku_title for key, row in latest.items()}


def _band_key(row: PlanRow | MeterRow) -> BandKey:
    if isinstance(row, PlanRow):
        return BandKey(row.plan, Decimal(row.quantity_from))
    plan = PlanKey(row.words.product, row.words.sku, *_NO_PLAN)
    return BandKey(plan, row.quantity_from, row.meter)


def _write(
    session: Session, price_list: PriceList, read: PriceFile, taken: Sequence[PlanRow | MeterRow]
) -> None:
    vendor, steps = price_list.vendor, [row for row in taken if isinstance(row, MeterRow)]
    skus = keep_skus(
        session,
        vendor,
        [*(_bought_as(vendor) if steps else ()), *(row.words for row in taken)],
        with_limits=read.kind is PriceListKind.OFFERS,
    )
    if plans := [row for row in taken if isinstance(row, PlanRow)]:
        ids = keep_plans(session, skus, {row.plan: row.billing_model for row in plans})
        # An offer without a price is known, and cannot be bought.
        priced = [row for row in plans if row.unit_cost is not None or row.unit_list is not None]
        _write_plans(session, price_list.id, ids, priced)
    if steps:
        _write_steps(session, price_list.id, skus, steps)
        listed = {(row.words.product, row.words.sku) for row in steps}
        metered = (PlanKey(*sku, *METERED, Segment.COMMERCIAL) for sku in bought(vendor, listed))
        keep_plans(session, skus, dict.fromkeys(metered, BillingModel.POSTPAID))
    if read.relations:
        keep_relations(session, skus, read.relations)


def _bought_as(vendor: str) -> Sequence[SkuWords]:
    """Give what the vendor's consumption is bought as, where its list does not name it."""
    one = BOUGHT_AS.get(vendor)
    if one is None:
        return ()
    words = SkuWords(
        product=one.product,
        sku=one.sku,
        kind=ProductKind.CONSUMPTION,
        product_title=one.title,
        sku_title=one.title,
        publisher=one.publisher,
    )
    return (words,)


def _keep_rejects(session: Session, price_list: PriceList, rejects: Sequence[FaultyRow]) -> None:
    """Keep what could not be used, so that it can be asked about as long as the version is there."""
    if rejects:
        session.execute(
            insert(PriceListReject),
            [
                {
                    "price_list_id": price_list.id,
                    "row": reject.row,
                    "column_name": reject.column,
                    "value": reject.value,
                    "reason": reject.reason
                    if isinstance(reject.reason, Phrase)
                    else Phrase.verbatim(reject.reason),
                }
                for reject in rejects
            ],
        )


def _write_plans(
    session: Session, price_list_id: int, plan_ids: Mapping[PlanKey, int], rows: Sequence[PlanRow]
) -> None:
    given = table_of(
        {
            "plan_id": (BigInteger(), [plan_ids[row.plan] for row in rows]),
            "quantity_from": (BigInteger(), [row.quantity_from for row in rows]),
            "quantity_until": (BigInteger(), [row.quantity_until for row in rows]),
            "unit_list": (Numeric(), [row.unit_list for row in rows]),
            "valid_from": (DateTime(timezone=True), [row.valid_from for row in rows]),
            "valid_until": (DateTime(timezone=True), [row.valid_until for row in rows]),
        }
    )
    ids = session.execute(
        insert(PlanPrice)
        .from_select(
            ["price_list_id", *given.c.keys()], select(literal(price_list_id, BigInteger()), *given.c)
        )
        .returning(PlanPrice.id, PlanPrice.plan_id, PlanPrice.quantity_from, PlanPrice.valid_from)
    )
    found = {(plan_id, least, starts): id_ for id_, plan_id, least, starts in ids}
    costs = [
        (found[plan_ids[row.plan], row.quantity_from, row.valid_from], row.unit_cost)
        for row in rows
        if row.unit_cost is not None
    ]
    if costs:
        table = table_of(
            {
                "plan_price_id": (BigInteger(), [id_ for id_, _ in costs]),
                "unit_cost": (Numeric(), [cost for _, cost in costs]),
            }
        )
        session.execute(insert(PlanCost).from_select(list(table.c.keys()), select(*table.c)))


def _write_steps(
    session: Session, price_list_id: int, skus: Mapping[tuple[str, str], int], rows: Sequence[MeterRow]
) -> None:
    given = table_of(
        {
            "sku_id": (BigInteger(), [skus[row.words.product, row.words.sku] for row in rows]),
            "meter": (Text(), [row.meter for row in rows]),
            "unit": (Text(), [row.words.unit for row in rows]),
            "quantity_from": (Numeric(), [row.quantity_from for row in rows]),
            "quantity_until": (Numeric(), [row.quantity_until for row in rows]),
            "unit_list": (Numeric(), [row.unit_list for row in rows]),
            "valid_from": (DateTime(timezone=True), [row.valid_from for row in rows]),
            "valid_until": (DateTime(timezone=True), [row.valid_until for row in rows]),
        }
    )
    with many_at_once(session, len(rows)):
        session.execute(
            insert(MeterPrice).from_select(
                ["price_list_id", *given.c.keys()], select(literal(price_list_id, BigInteger()), *given.c)
            )
        )


def _open_list(session: Session, actor: Actor, price_list_id: UUID) -> PriceList:
    require(actor, Permission.WHOLESALER_CATALOGUE_MANAGE)
    price_list = find_price_list(session, price_list_id, is_locked=True)
    if price_list.status not in {PriceListStatus.DRAFT.value, PriceListStatus.SCHEDULED.value}:
        raise NotADraft(version=price_list.version, status=price_list.status)
    return price_list


def _put_in_force(session: Session, price_list: PriceList, *, at: datetime) -> None:
    session.execute(
        update(PriceList)
        .where(
            PriceList.vendor == price_list.vendor,
            PriceList.kind == price_list.kind,
            PriceList.market == price_list.market,
            PriceList.currency == price_list.currency,
            PriceList.status == PriceListStatus.ACTIVE.value,
        )
        .values(status=PriceListStatus.SUPERSEDED.value, active_until=at)
    )
    price_list.status, price_list.active_from = PriceListStatus.ACTIVE.value, at


def _record(session: Session, actor: Actor, action: str, price_list: PriceList, **facts: Any) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="price_list",
        subject_id=price_list.public_id,
        after={"version": price_list.version, **facts},
    )
