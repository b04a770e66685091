"""A reseller's standing: whether it may sell, its place in vendors' programmes, and on what terms it buys."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.models import (
    BillingModeChange,
    CreditTerms,
    Customer,
    Enrolment,
    EnrolmentPrerequisite,
    Reseller,
)
from resellers.rules import standing as rules
from resellers.rules.applications import check_reason
from resellers.words import BillingMode, EnrolmentStatus, Prerequisite, Programme, ResellerStatus

_MOST_DAYS = 365


class UnusableTerms(Refusal):
    """A limit below zero, or days nobody grants."""

    sentence = N_("Write a credit limit of zero or more, and between 0 and %(most)s days.")


class AlreadyEnrolled(Refusal):
    """A reseller has one enrolment a vendor."""

    sentence = N_("It is enrolled with %(vendor)s already. Change that enrolment instead.")


class NothingToCheck(Refusal):
    """A vendor looks at a partner id, and there is none."""

    sentence = N_("There is no partner id to ask the vendor about. Write it down first.")


@dataclass(frozen=True, kw_only=True)
class VendorAnswer:
    """What a vendor said of a partner id, as whoever asked its connector hands it on."""

    partner_id: str
    known_as: str
    is_known: bool
    has_signed: bool


def change_status(
    session: Session, *, actor: Actor, reseller_id: UUID, status: ResellerStatus, reason: str
) -> Reseller:
    """Suspend a reseller, let it sell again, or end it; the reason is kept. Raises `WrongStatus`, `ReasonNeeded`.

    What was sold goes on: subscriptions live and are billed, only new sales stop.
    """
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    reason = check_reason(reason)
    reseller = reseller_called(session, reseller_id, is_locked=True)
    before = ResellerStatus(reseller.status)
    rules.check_status_step(before, status)
    reseller.status = status.value
    audit.record(
        session,
        actor=actor,
        action="reseller.change_status",
        subject="reseller",
        subject_id=reseller.public_id,
        before={"legal_name": reseller.legal_name, "status": before.value},
        after={"legal_name": reseller.legal_name, "status": status.value},
        reason=reason,
    )
    return reseller


def enrol(
    session: Session, *, actor: Actor, reseller_id: UUID, vendor: str, programme: Programme, partner_id: str
) -> Enrolment:
    """Enrol a reseller with a vendor. It is pending until somebody makes it active. Raises `AlreadyEnrolled`."""
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    reseller = reseller_called(session, reseller_id, is_locked=True)
    standing = select(Enrolment.id).where(Enrolment.reseller_id == reseller.id, Enrolment.vendor == vendor)
    if session.scalar(standing) is not None:
        raise AlreadyEnrolled(vendor=vendor)
    enrolment = Enrolment(
        public_id=uuid4(),
        reseller_id=reseller.id,
        vendor=vendor,
        programme=programme.value,
        status=EnrolmentStatus.PENDING.value,
        partner_id=partner_id,
    )
    session.add(enrolment)
    with conflicts_in_words():
        session.flush()
    _record(session, actor, reseller, "enrolment.add", enrolment, before=None)
    return enrolment


def change_enrolment(
    session: Session,
    *,
    actor: Actor,
    enrolment_id: UUID,
    programme: Programme,
    status: EnrolmentStatus,
    partner_id: str,
    reason: str = "",
) -> Enrolment:
    """Change an enrolment. Another partner id must be asked about anew. Raises `PrerequisitesMissing` and others."""
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    enrolment, reseller = enrolment_called(session, enrolment_id)
    if status is EnrolmentStatus.ACTIVE:
        met = session.scalars(
            select(EnrolmentPrerequisite.kind).where(EnrolmentPrerequisite.enrolment_id == enrolment.id)
        )
        rules.check_may_activate(programme, {Prerequisite(kind) for kind in met})
    before = enrolment_as_json(enrolment)
    if partner_id != enrolment.partner_id:
        enrolment.is_known = enrolment.has_signed = enrolment.checked_at = None
        enrolment.known_as = ""
    enrolment.programme, enrolment.status = programme.value, status.value
    enrolment.partner_id = partner_id
    _record(session, actor, reseller, "enrolment.change", enrolment, before=before, reason=reason)
    return enrolment


def record_answer(
    session: Session, *, actor: Actor, enrolment_id: UUID, answer: VendorAnswer, now: datetime
) -> bool:
    """Keep what the vendor said of a partner id; give whether it is another word than its last one.

    An answer about another id than the one on record changes nothing. What machines ask every night goes into the
    audit trail where the answer is another one.
    """
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    enrolment, reseller = enrolment_called(session, enrolment_id)
    if not enrolment.partner_id:
        raise NothingToCheck
    if answer.partner_id != enrolment.partner_id:
        return False
    before = enrolment_as_json(enrolment)
    enrolment.known_as, enrolment.checked_at = answer.known_as, now
    enrolment.is_known, enrolment.has_signed = answer.is_known, answer.has_signed
    is_other = before != enrolment_as_json(enrolment)
    if is_other or actor.user_id is not None:
        _record(session, actor, reseller, "enrolment.check", enrolment, before=before)
    return is_other


def record_prerequisite(
    session: Session, *, actor: Actor, enrolment_id: UUID, kind: Prerequisite, met_on: date | None
) -> None:
    """Record the day a direct partner met what its vendor asks, or take the record away."""
    require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    enrolment, reseller = enrolment_called(session, enrolment_id)
    session.execute(
        delete(EnrolmentPrerequisite).where(
            EnrolmentPrerequisite.enrolment_id == enrolment.id, EnrolmentPrerequisite.kind == kind.value
        )
    )
    if met_on is not None:
        session.add(
            EnrolmentPrerequisite(
                enrolment_id=enrolment.id, kind=kind.value, met_on=met_on, recorded_by=actor.name
            )
        )
    audit.record(
        session,
        actor=actor,
        action="enrolment.prerequisite",
        subject="reseller",
        subject_id=reseller.public_id,
        after={
            "legal_name": reseller.legal_name,
            "vendor": enrolment.vendor,
            "kind": kind.value,
            "since": met_on.isoformat() if met_on else "",
        },
    )


def change_billing_mode(
    session: Session,
    *,
    actor: Actor,
    reseller_id: UUID,
    customer: str,
    mode: BillingMode | None,
    valid_from: date,
) -> None:
    """Say who invoices from a day on: a reseller's customers, or one by its reference. Raises `NotFound`.

    The same day again is said anew. No mode gives a customer back to what holds for the others.
    """
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    reseller = reseller_called(session, reseller_id, is_locked=True)
    customer_id = customer_of(session, reseller, customer)
    session.execute(
        delete(BillingModeChange).where(
            BillingModeChange.reseller_id == reseller.id,
            BillingModeChange.customer_id.is_not_distinct_from(customer_id),
            BillingModeChange.valid_from == valid_from,
        )
    )
    if mode is not None or customer_id is not None:
        session.add(
            BillingModeChange(
                public_id=uuid4(),
                reseller_id=reseller.id,
                customer_id=customer_id,
                mode=mode.value if mode else None,
                valid_from=valid_from,
                created_by=actor.name,
            )
        )
    audit.record(
        session,
        actor=actor,
        action="terms.billing_mode",
        subject="reseller",
        subject_id=reseller.public_id,
        after={
            "legal_name": reseller.legal_name,
            "customer": customer,
            "billing_mode": mode.value if mode else "",
            "valid_from": valid_from.isoformat(),
        },
    )


def change_credit(
    session: Session,
    *,
    actor: Actor,
    reseller_id: UUID,
    customer: str,
    credit_limit: Decimal | None,
    payment_days: int,
) -> None:
    """Say how much a reseller, or a customer the wholesaler invoices, may owe and for how long. Raises `NotFound`."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    if (credit_limit is not None and credit_limit < 0) or not 0 <= payment_days <= _MOST_DAYS:
        raise UnusableTerms(most=_MOST_DAYS)
    reseller = reseller_called(session, reseller_id, is_locked=True)
    customer_id = customer_of(session, reseller, customer)
    terms = session.scalars(
        select(CreditTerms).where(
            CreditTerms.reseller_id == reseller.id, CreditTerms.customer_id.is_not_distinct_from(customer_id)
        )
    ).one_or_none()
    before = None
    if terms is None:
        terms = CreditTerms(reseller_id=reseller.id, customer_id=customer_id)
        session.add(terms)
    else:
        before = _credit_as_json(terms, customer)
    terms.credit_limit, terms.payment_days = credit_limit, payment_days
    audit.record(
        session,
        actor=actor,
        action="terms.credit",
        subject="reseller",
        subject_id=reseller.public_id,
        before=before,
        after={"legal_name": reseller.legal_name, **_credit_as_json(terms, customer)},
    )


def reseller_called(session: Session, reseller_id: UUID, *, is_locked: bool = False) -> Reseller:
    """Find a reseller by its public id. Raises `NotFound`."""
    wanted = select(Reseller).where(Reseller.public_id == reseller_id)
    reseller = session.scalars(wanted.with_for_update() if is_locked else wanted).one_or_none()
    if reseller is None:
        raise NotFound
    return reseller


def customer_of(session: Session, reseller: Reseller, reference: str) -> int | None:
    """Find a reseller's customer by reference, None for a blank one. Raises `NotFound`."""
    if not reference:
        return None
    customer_id = session.scalar(
        select(Customer.id).where(Customer.reference == reference, Customer.reseller_id == reseller.id)
    )
    if customer_id is None:
        raise NotFound
    return customer_id


def enrolment_called(session: Session, enrolment_id: UUID) -> tuple[Enrolment, Reseller]:
    """Find an enrolment and its reseller, locked. Raises `NotFound`."""
    found = session.execute(
        select(Enrolment, Reseller)
        .join(Reseller, Reseller.id == Enrolment.reseller_id)
        .where(Enrolment.public_id == enrolment_id)
        .with_for_update(of=Enrolment)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found[0], found[1]


def enrolment_as_json(enrolment: Enrolment) -> dict[str, object]:
    """Give an enrolment as the audit trail keeps it."""
    return {
        "vendor": enrolment.vendor,
        "programme": enrolment.programme,
        "status": enrolment.status,
        "partner_id": enrolment.partner_id,
        "is_known": enrolment.is_known,
        "has_signed": enrolment.has_signed,
    }


def _credit_as_json(terms: CreditTerms, customer: str) -> dict[str, object]:
    return {
        "customer": customer,
        "credit_limit": "" if terms.credit_limit is None else str(terms.credit_limit),
        "payment_days": terms.payment_days,
    }


def _record(
    session: Session,
    actor: Actor,
    reseller: Reseller,
    action: str,
    enrolment: Enrolment,
    *,
    before: dict[str, object] | None,
    reason: str = "",
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="reseller",
        subject_id=reseller.public_id,
        before=before,
        after={"legal_name": reseller.legal_name, **enrolment_as_json(enrolment)},
        reason=reason,
    )
