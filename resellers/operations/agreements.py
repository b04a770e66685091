"""Agreements: the text resellers accept, that they did, and that customers accepted a vendor's terms."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.cells import Entry, email_or_blank, filled
from marketplace.core.errors import N_, NotFound, NotPermitted, Phrase, Refusal
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.models import Agreement, AgreementAcceptance, Customer, CustomerAgreement
from resellers.queries.standing import open_agreement

_LEAST_TEXT = 20


class VersionTaken(Refusal):
    """A version is one text for ever."""

    sentence = N_("There is a version %(version)s already, and a text never changes. Choose another version.")


class TextMissing(Refusal):
    """An agreement says something."""

    sentence = N_("Write the version, the title and the text of the agreement.")


class NothingToAccept(Refusal):
    """The version shown is not the current one, or was accepted meanwhile."""

    sentence = N_("This version is not open any more. Reload the page to see the current one.")


class AgreedInTheFuture(Refusal):
    """Nobody can have agreed on a day to come."""

    sentence = N_("The day of acceptance lies in the future. Write the day on which the person agreed.")


def publish_agreement(
    session: Session, *, actor: Actor, version: str, title: str, text: str, now: datetime
) -> Agreement:
    """Publish a version: every reseller's owner is asked for it at the next sign-in. Raises `VersionTaken`."""
    require(actor, Permission.WHOLESALER_SETTINGS_MANAGE)
    version, title, text = version.strip(), title.strip(), text.strip()
    if not version or not title or len(text) < _LEAST_TEXT:
        raise TextMissing
    if session.scalar(select(Agreement.id).where(Agreement.version == version)) is not None:
        raise VersionTaken(version=version)
    agreement = Agreement(
        public_id=uuid4(), version=version, title=title, text=text, published_at=now, published_by=actor.name
    )
    session.add(agreement)
    with conflicts_in_words():
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="agreement.publish",
        subject="agreement",
        subject_id=agreement.public_id,
        after={"name": title, "version": version, "text": text},
    )
    return agreement


def accept_agreement(session: Session, *, actor: Actor, agreement_id: UUID, ip: str, now: datetime) -> None:
    """Accept the current version for the actor's firm. Raises `NothingToAccept`, `NotPermitted`."""
    require(actor, Permission.RESELLER_FIRM_MANAGE)
    if actor.reseller_id is None:
        raise NotPermitted
    agreement = open_agreement(session, actor.reseller_id)
    if agreement is None or agreement.public_id != agreement_id:
        raise NothingToAccept
    session.add(
        AgreementAcceptance(
            reseller_id=actor.reseller_id,
            agreement_id=agreement.id,
            accepted_at=now,
            accepted_by=actor.name,
            user_id=actor.user_id,
            ip=ip,
        )
    )
    with conflicts_in_words():
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="agreement.accept",
        subject="agreement",
        subject_id=agreement.public_id,
        # The text is in the trail too: what was accepted can be read however the tables fare.
        after={"name": agreement.title, "version": agreement.version, "text": agreement.text},
    )


def record_customer_agreement(
    session: Session,
    *,
    actor: Actor,
    customer_id: UUID,
    vendor: str,
    template: str,
    cells: dict[str, str],
    agreed_on: date,
    today: date,
) -> CustomerAgreement:
    """Record that a customer accepted a vendor's terms: who, when, which template.

    Raises `NotFound`, `AgreedInTheFuture`, and `FaultyEntry` naming every field that cannot be used.
    """
    wanted = select(Customer).where(Customer.public_id == customer_id)
    if actor.audience is Audience.RESELLER:
        require(actor, Permission.RESELLER_CUSTOMERS_MANAGE)
        wanted = wanted.where(Customer.reseller_id == actor.reseller_id)
    else:
        require(actor, Permission.WHOLESALER_PARTIES_MANAGE)
    customer = session.scalars(wanted).one_or_none()
    if customer is None:
        raise NotFound
    entry = Entry({**cells, "vendor": vendor, "template": template})
    if agreed_on > today:
        entry.fault("agreed_on", Phrase.of(AgreedInTheFuture.sentence))
    recorded = CustomerAgreement(
        public_id=uuid4(),
        customer_id=customer.id,
        vendor=entry.take("vendor", filled, ""),
        template=entry.take("template", filled, ""),
        first_name=entry.take("first_name", filled, ""),
        last_name=entry.take("last_name", filled, ""),
        email=entry.take("email", lambda text: email_or_blank(filled(text)), ""),
        phone=entry.text("phone"),
        agreed_on=agreed_on,
        recorded_by=actor.name,
    )
    entry.check()
    session.add(recorded)
    audit.record(
        session,
        actor=actor,
        action="customer.attest",
        subject="customer",
        subject_id=customer.public_id,
        after={
            "legal_name": customer.legal_name,
            "vendor": recorded.vendor,
            "template": recorded.template,
            "name": f"{recorded.first_name} {recorded.last_name}",
            "email": recorded.email,
            "since": agreed_on.isoformat(),
        },
    )
    return recorded
