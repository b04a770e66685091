"""What vendors say of resellers: asked again every night and before something is changed, kept with the enrolment."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase
from marketplace.vendors.connector import Capability, Connector
from marketplace.vendors.errors import VendorUnavailable
from marketplace.vendors.values import PartnerStanding
from resellers.models import Enrolment, Reseller
from resellers.operations.standing import VendorAnswer, record_answer
from resellers.words import EnrolmentStatus

#: Asked so lately, nobody is asked again in the same night: a run that was killed goes on where it was.
_FRESH = timedelta(hours=12)
_LONGEST_PAUSE = timedelta(minutes=5)
_MOST_FAILURES = 4
#: Where more have changed, one sentence tells of all.
_MOST_TOLD = 10

_CHANGED = N_("%(vendor)s says of %(reseller)s (%(id)s): %(word)s")
_ALL_CHANGED = N_("%(vendor)s says something else than before of %(count)s resellers.")
_LEFT = N_("%(vendor)s could not be asked about %(count)s resellers: %(why)s They are asked the next night.")
_KNOWN = N_("known, and its agreement is signed.")
_UNSIGNED = N_("its partner agreement is not signed.")
_UNKNOWN = N_("it does not know this partner id.")

_ENROLLED = select(Enrolment, Reseller).join(Reseller, Reseller.id == Enrolment.reseller_id)

Connect = Callable[[str], Connector]
Clock = Callable[[], datetime]
Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of asking came to."""

    asked: int
    changed: int
    left: int


@dataclass(frozen=True, slots=True)
class _Changed:
    reseller: str
    reseller_id: UUID
    found: PartnerStanding


def answer_of(found: PartnerStanding) -> VendorAnswer:
    """Give what a vendor said as it is kept."""
    return VendorAnswer(
        partner_id=found.partner_id,
        known_as=found.name,
        is_known=found.is_known,
        has_signed=found.has_signed,
    )


def keep_word(
    session: Session, reseller_id: int, vendor: str, found: PartnerStanding, *, now: datetime
) -> None:
    """Keep what a vendor said of a reseller, and tell staff where it is another word than before."""
    enrolment, reseller = session.execute(
        _ENROLLED.where(Enrolment.reseller_id == reseller_id, Enrolment.vendor == vendor)
    ).one()
    changed = _record(session, enrolment, reseller, found, now=now)
    _tell(session, vendor, [changed] if changed else [])


def _record(
    session: Session, enrolment: Enrolment, reseller: Reseller, found: PartnerStanding, *, now: datetime
) -> _Changed | None:
    """Keep what a vendor said; give it where it is news. A first good word is none."""
    is_first = enrolment.checked_at is None
    is_other = record_answer(
        session,
        actor=Actor.system(),
        enrolment_id=enrolment.public_id,
        answer=answer_of(found),
        now=now,
    )
    if not is_other or (is_first and found.is_good):
        return None
    return _Changed(reseller.legal_name, reseller.public_id, found)


def check_enrolments(
    database: Database, *, vendor: str, connect: Connect, clock: Clock, pause: Pause
) -> Round:
    """Ask a vendor about every reseller that may sell or is about to, the longest unasked first.

    No transaction is open while it answers; each answer is kept by itself. A vendor that is away is left alone for
    longer each time, and the rest waits for the next night.
    """
    with closing(connect(vendor)) as connector:
        if Capability.PARTNERS not in connector.capabilities:
            return Round(0, 0, 0)
        with database.owner_transaction() as session:
            waiting = _waiting(session, vendor, before=clock() - _FRESH)
        changed: list[_Changed] = []
        done, failures, why = 0, 0, None
        while done < len(waiting) and failures < _MOST_FAILURES:
            enrolment, reseller = waiting[done]
            try:
                found = connector.partner_standing(enrolment.partner_id)
            except VendorUnavailable as away:
                failures, why = failures + 1, away.phrase
                wish = away.retry_after or timedelta(seconds=10 * 3**failures)
                pause(min(wish, _LONGEST_PAUSE).total_seconds())
                continue
            done, failures = done + 1, 0
            with database.owner_transaction() as session:
                news = _record(session, enrolment, reseller, found, now=clock())
            changed += [news] if news else []
    left = len(waiting) - done
    with database.owner_transaction() as session:
        _tell(session, vendor, changed, left=left, why=why)
    return Round(done, len(changed), left)


def _waiting(session: Session, vendor: str, *, before: datetime) -> list[tuple[Enrolment, Reseller]]:
    found = session.execute(
        _ENROLLED.where(
            Enrolment.vendor == vendor,
            Enrolment.partner_id != "",
            Enrolment.status.in_((EnrolmentStatus.ACTIVE.value, EnrolmentStatus.PENDING.value)),
            or_(Enrolment.checked_at.is_(None), Enrolment.checked_at < before),
        ).order_by(Enrolment.checked_at.nulls_first(), Enrolment.id)
    )
    return [(enrolment, reseller) for enrolment, reseller in found]


def _tell(
    session: Session, vendor: str, changed: list[_Changed], *, left: int = 0, why: Phrase | None = None
) -> None:
    """Tell staff what is otherwise than before, and whom nobody could ask about."""
    told: list[tuple[Phrase, str]] = []
    if len(changed) > _MOST_TOLD:
        told.append((Phrase.of(_ALL_CHANGED, vendor=vendor, count=len(changed)), "/admin/resellers"))
    else:
        told += [
            (
                Phrase.of(
                    _CHANGED,
                    vendor=vendor,
                    reseller=one.reseller,
                    id=one.found.partner_id,
                    word=Phrase.of(_word(one.found)),
                ),
                f"/admin/resellers/{one.reseller_id}/enrolments",
            )
            for one in changed
        ]
    if left and why is not None:
        told.append((Phrase.of(_LEFT, vendor=vendor, count=left, why=why), f"/admin/vendors/{vendor}"))
    for phrase, link in told:
        notify_party(
            session,
            audience=Audience.WHOLESALER,
            party_id=None,
            permission=Permission.WHOLESALER_PARTIES_MANAGE,
            phrase=phrase,
            link=link,
        )


def _word(found: PartnerStanding) -> str:
    if not found.is_known:
        return _UNKNOWN
    return _KNOWN if found.has_signed else _UNSIGNED
