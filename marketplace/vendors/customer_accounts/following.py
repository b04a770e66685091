"""Taking in what vendors have made of accounts: mapped from today, and the customer's agreement put on record there."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.vendors.customer_accounts.opening import FOLLOW, customer_to_ask_for
from marketplace.vendors.customer_accounts.queries import OF_ACCOUNTS
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.operations import ask, send_again
from marketplace.vendors.provisioning.requests import NewRequest, result_from_data
from marketplace.vendors.provisioning.rules import RequestState
from marketplace.vendors.values import Attestation, Contact
from resellers.models import Customer, CustomerAgreement
from resellers.operations.mapping import AccountOfAnother, keep_mapped
from resellers.queries.accounts import account_at

_READY = N_("%(name)s has its account at %(vendor)s: it can be ordered for.")
_NO_AGREEMENT = N_(
    "%(name)s has its account at %(vendor)s. Record that it accepted the vendor's terms: nothing is sold before."
)
_FAILED = N_("%(about)s failed at %(vendor)s: %(why)s")
_LOOKED_AT = N_("%(about)s cannot be used as it is: the wholesaler looks at it.")
_AGREEMENT_OF = N_("The agreement of %(name)s")


class NothingOnRecord(Refusal):
    """There is no agreement here, or no account there."""

    sentence = N_(
        "%(name)s needs an account at %(vendor)s and an agreement recorded here before the vendor can be told of it."
    )


def follow_account(
    session: Session, *, actor: Actor, request_id: UUID, keeps_agreements: bool, now: datetime
) -> None:
    """Map an account that is there, and say what failed. Done again it changes nothing.

    `keeps_agreements` says whether the vendor can be told who accepted its terms.
    """
    request = session.scalars(
        select(ProvisioningRequest).where(ProvisioningRequest.public_id == request_id)
    ).one()
    customer = session.scalars(
        select(Customer).where(Customer.id == request.customer_id).with_for_update()
    ).one()
    if request.state == RequestState.FAILED:
        why = request.error or ""
        _tell(session, customer, Phrase.of(_FAILED, about=request.about, vendor=request.vendor, why=why))
    result = result_from_data(request.result)
    if request.state != RequestState.DONE or request.kind not in OF_ACCOUNTS or result is None:
        return
    known = account_at(session, customer_id=customer.id, vendor=request.vendor, day=now.date())
    try:
        keep_mapped(
            session,
            actor=actor,
            vendor=request.vendor,
            account=result.reference,
            customer=customer,
            since=now.date(),
        )
    except AccountOfAnother as refusal:
        _leave_to_staff(session, customer, request, refusal)
        return
    asked = None
    if keeps_agreements:
        asked = put_on_record(
            session, actor=actor, customer=customer, vendor=request.vendor, account=result.reference, now=now
        )
    if known is None:
        words = _NO_AGREEMENT if keeps_agreements and asked is None else _READY
        _tell(session, customer, Phrase.of(words, name=customer.legal_name, vendor=request.vendor))


def _leave_to_staff(
    session: Session, customer: Customer, request: ProvisioningRequest, refusal: AccountOfAnother
) -> None:
    """Tell staff whose account it is; the reseller only that they look at it."""
    notify_party(
        session,
        audience=Audience.WHOLESALER,
        party_id=None,
        permission=Permission.WHOLESALER_TERMS_MANAGE,
        phrase=Phrase.of(_FAILED, about=request.about, vendor=request.vendor, why=refusal.phrase),
        link=f"/admin/provisioning/{request.public_id}",
    )
    _tell(session, customer, Phrase.of(_LOOKED_AT, about=request.about))


def put_on_record(
    session: Session, *, actor: Actor, customer: Customer, vendor: str, account: str, now: datetime
) -> ProvisioningRequest | None:
    """Tell a vendor that a customer accepted its terms, as our books have it; None where they have nothing."""
    agreement = session.scalars(
        select(CustomerAgreement)
        .where(CustomerAgreement.customer_id == customer.id, CustomerAgreement.vendor == vendor)
        .order_by(CustomerAgreement.agreed_on.desc(), CustomerAgreement.id.desc())
        .limit(1)
    ).one_or_none()
    if agreement is None:
        return None
    contact = Contact(agreement.first_name, agreement.last_name, agreement.email, agreement.phone)
    request = ask(
        session,
        actor=actor,
        request=NewRequest(
            key=uuid5(agreement.public_id, f"{vendor} {account}"),
            vendor=vendor,
            account=account,
            reseller_id=customer.reseller_id,
            customer_id=customer.id,
            asked=Attestation(contact, agreement.agreed_on, agreement.template),
            about=Phrase.of(_AGREEMENT_OF, name=customer.legal_name),
            told_job=FOLLOW,
            origin=str(customer.public_id),
        ),
    )
    if request.state == RequestState.FAILED:
        send_again(session, request, now=now)
    return request


def send_agreement(
    session: Session, *, actor: Actor, customer_id: UUID, vendor: str, now: datetime
) -> ProvisioningRequest:
    """Tell the vendor of the customer's agreement, or tell it again. Raises `NothingOnRecord`."""
    customer = customer_to_ask_for(session, actor=actor, customer_id=customer_id)
    account = account_at(session, customer_id=customer.id, vendor=vendor, day=now.date())
    request = None
    if account is not None:
        request = put_on_record(
            session, actor=actor, customer=customer, vendor=vendor, account=account, now=now
        )
    if request is None:
        raise NothingOnRecord(name=customer.legal_name, vendor=vendor)
    audit.record(
        session,
        actor=actor,
        action="customer.send_agreement",
        subject="customer",
        subject_id=customer.public_id,
        after={"legal_name": customer.legal_name, "vendor": vendor, "account": request.account},
    )
    return request


def _tell(session: Session, customer: Customer, phrase: Phrase) -> None:
    notify_party(
        session,
        audience=Audience.RESELLER,
        party_id=customer.reseller_id,
        permission=Permission.RESELLER_CUSTOMERS_MANAGE,
        phrase=phrase,
        link=f"/customers/{customer.public_id}",
    )
