"""A reseller's standing as orders and pages ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from resellers.models import (
    Agreement,
    AgreementAcceptance,
    BillingModeChange,
    CreditTerms,
    Customer,
    CustomerAgreement,
    Enrolment,
    EnrolmentPrerequisite,
    Reseller,
)
from resellers.rules.standing import (
    EnrolmentFacts,
    ModeFrom,
    SellingState,
    billing_mode_on,
    selling_state_of,
)
from resellers.words import BillingMode, EnrolmentStatus, Prerequisite, Programme, ResellerStatus

#: Vendors that want a partner on record with every order.
ASKS_PARTNER_ID = frozenset({"microsoft"})
USUAL_PAYMENT_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Credit:
    """How much may be owed, in the party's currency, and for how many days. No limit where it is None."""

    limit: Decimal | None
    payment_days: int


@dataclass(frozen=True, kw_only=True)
class EnrolmentRow:
    """An enrolment with what was recorded for it."""

    enrolment: Enrolment
    state: SellingState
    met: dict[Prerequisite, EnrolmentPrerequisite]


def selling_state(session: Session, reseller_id: int, vendor: str, *, now: datetime) -> SellingState:
    """Tell whether a reseller may sell a vendor's products, and why not."""
    status = session.scalars(select(Reseller.status).where(Reseller.id == reseller_id)).one()
    enrolment = session.scalars(
        select(Enrolment).where(Enrolment.reseller_id == reseller_id, Enrolment.vendor == vendor)
    ).one_or_none()
    return _state(
        status,
        enrolment,
        vendor,
        has_open_agreement=open_agreement(session, reseller_id) is not None,
        now=now,
    )


def enrolments_of(session: Session, reseller: Reseller, *, now: datetime) -> list[EnrolmentRow]:
    """Give a reseller's enrolments with their selling state, in three queries whatever their number."""
    enrolments = session.scalars(
        select(Enrolment).where(Enrolment.reseller_id == reseller.id).order_by(Enrolment.vendor)
    ).all()
    met: dict[int, dict[Prerequisite, EnrolmentPrerequisite]] = {}
    for one in session.scalars(
        select(EnrolmentPrerequisite).where(
            EnrolmentPrerequisite.enrolment_id.in_([one.id for one in enrolments])
        )
    ):
        met.setdefault(one.enrolment_id, {})[Prerequisite(one.kind)] = one
    is_open = open_agreement(session, reseller.id) is not None
    return [
        EnrolmentRow(
            enrolment=one,
            state=_state(reseller.status, one, one.vendor, has_open_agreement=is_open, now=now),
            met=met.get(one.id, {}),
        )
        for one in enrolments
    ]


def open_agreement(session: Session, reseller_id: int) -> Agreement | None:
    """Give the version in force where a reseller has not accepted it yet."""
    latest = select(Agreement.id).order_by(Agreement.published_at.desc(), Agreement.id.desc()).limit(1)
    accepted = (
        select(AgreementAcceptance.id)
        .where(
            AgreementAcceptance.agreement_id == Agreement.id, AgreementAcceptance.reseller_id == reseller_id
        )
        .exists()
    )
    return session.scalars(
        select(Agreement).where(Agreement.id == latest.scalar_subquery(), ~accepted)
    ).one_or_none()


def acceptances_of(
    session: Session, reseller_id: int
) -> Sequence[tuple[Agreement, AgreementAcceptance | None]]:
    """Give every version with a reseller's acceptance of it, the latest first."""
    found = session.execute(
        select(Agreement, AgreementAcceptance)
        .outerjoin(
            AgreementAcceptance,
            (AgreementAcceptance.agreement_id == Agreement.id)
            & (AgreementAcceptance.reseller_id == reseller_id),
        )
        .order_by(Agreement.published_at.desc(), Agreement.id.desc())
    )
    return [(agreement, acceptance) for agreement, acceptance in found]


def billing_mode_of(session: Session, *, reseller_id: int, customer_id: int | None, day: date) -> BillingMode:
    """Tell who invoices a customer, or a reseller's customers in general, on a day."""
    base = session.scalars(select(Reseller.billing_mode).where(Reseller.id == reseller_id)).one()
    changes = session.scalars(
        select(BillingModeChange).where(
            BillingModeChange.reseller_id == reseller_id,
            or_(
                BillingModeChange.customer_id.is_(None),
                BillingModeChange.customer_id == (customer_id or 0),
            ),
        )
    ).all()
    spans: dict[bool, list[ModeFrom]] = {True: [], False: []}
    for change in changes:
        mode = BillingMode(change.mode) if change.mode else None
        spans[change.customer_id is not None].append(ModeFrom(mode, change.valid_from))
    return billing_mode_on(day, base=BillingMode(base), of_reseller=spans[False], of_customer=spans[True])


def billing_modes_of(session: Session, reseller_id: int) -> Sequence[tuple[BillingModeChange, str, str]]:
    """Give the dated changes of who invoices, with the customer's name and reference, the latest first."""
    found = session.execute(
        select(BillingModeChange, Customer.legal_name, Customer.reference)
        .outerjoin(Customer, Customer.id == BillingModeChange.customer_id)
        .where(BillingModeChange.reseller_id == reseller_id)
        .order_by(BillingModeChange.valid_from.desc(), BillingModeChange.id)
    )
    return [(change, name or "", reference or "") for change, name, reference in found]


def credit_of(session: Session, *, reseller_id: int, customer_id: int | None = None) -> Credit:
    """Give the credit of a reseller, or of a customer the wholesaler invoices: its own, else none agreed."""
    terms = session.scalars(
        select(CreditTerms).where(
            CreditTerms.reseller_id == reseller_id, CreditTerms.customer_id.is_not_distinct_from(customer_id)
        )
    ).one_or_none()
    if terms is None:
        return Credit(limit=None, payment_days=USUAL_PAYMENT_DAYS)
    return Credit(limit=terms.credit_limit, payment_days=terms.payment_days)


def credits_of(session: Session, reseller_id: int) -> Sequence[tuple[CreditTerms, str]]:
    """Give a reseller's credit terms, its own and its customers', with the customer's name."""
    found = session.execute(
        select(CreditTerms, Customer.legal_name)
        .outerjoin(Customer, Customer.id == CreditTerms.customer_id)
        .where(CreditTerms.reseller_id == reseller_id)
        .order_by(CreditTerms.customer_id.nulls_first())
    )
    return [(terms, name or "") for terms, name in found]


def agreements_of_customer(session: Session, customer_id: int) -> Sequence[CustomerAgreement]:
    """Give what a customer accepted of vendors' terms, the latest first."""
    return session.scalars(
        select(CustomerAgreement)
        .where(CustomerAgreement.customer_id == customer_id)
        .order_by(CustomerAgreement.agreed_on.desc(), CustomerAgreement.id.desc())
    ).all()


def _state(
    status: str, enrolment: Enrolment | None, vendor: str, *, has_open_agreement: bool, now: datetime
) -> SellingState:
    facts = None
    if enrolment is not None:
        facts = EnrolmentFacts(
            programme=Programme(enrolment.programme),
            status=EnrolmentStatus(enrolment.status),
            partner_id=enrolment.partner_id,
            is_known=enrolment.is_known,
            has_signed=enrolment.has_signed,
            checked_at=enrolment.checked_at,
        )
    return selling_state_of(
        status=ResellerStatus(status),
        enrolment=facts,
        has_open_agreement=has_open_agreement,
        asks_partner_id=vendor in ASKS_PARTNER_ID,
        now=now,
    )
