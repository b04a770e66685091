"""How an application goes on: what must be filled before it is sent, which step follows which, what counts as done."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from marketplace.core.cells import (
    Entry,
    Unusable,
    country_code,
    currency_code,
    email_or_blank,
    filled,
)
from marketplace.core.errors import N_, Phrase, Refusal
from resellers.rules.identity import registration_number, vat_number
from resellers.words import ApplicationStatus, CheckKind, ContactKind, DocumentKind, Programme

_S = ApplicationStatus
#: Which step may follow which. Approved and refused are final: a firm that was refused applies anew.
_NEXT: Mapping[ApplicationStatus, frozenset[ApplicationStatus]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED}),
    _S.SUBMITTED: frozenset({_S.IN_REVIEW, _S.MORE_ASKED, _S.APPROVED, _S.REFUSED}),
    _S.IN_REVIEW: frozenset({_S.MORE_ASKED, _S.APPROVED, _S.REFUSED}),
    # Staff may decide without waiting for an answer that does not come.
    _S.MORE_ASKED: frozenset({_S.IN_REVIEW, _S.APPROVED, _S.REFUSED}),
    _S.APPROVED: frozenset(),
    _S.REFUSED: frozenset(),
}
#: While these hold, the applicant may change what was written.
WRITABLE = frozenset({_S.DRAFT, _S.MORE_ASKED})
#: What staff have in front of them.
WAITING = frozenset({_S.SUBMITTED, _S.IN_REVIEW, _S.MORE_ASKED})

APPLICATION_STATUS_LABELS = {
    _S.DRAFT: N_("Draft"),
    _S.SUBMITTED: N_("Sent"),
    _S.IN_REVIEW: N_("In review"),
    _S.MORE_ASKED: N_("More asked"),
    _S.APPROVED: N_("Approved"),
    _S.REFUSED: N_("Refused"),
}
CONTACT_LABELS = {
    ContactKind.OWNER: N_("Owner of the account"),
    ContactKind.BILLING: N_("Billing contact"),
    ContactKind.TECHNICAL: N_("Technical contact"),
}
DOCUMENT_LABELS = {
    DocumentKind.REGISTRATION: N_("Extract of the trade register"),
    DocumentKind.IDENTITY: N_("Identity of the legal representative"),
    DocumentKind.BANK: N_("Bank details"),
    DocumentKind.OTHER: N_("Another document"),
}
CHECK_LABELS = {
    CheckKind.IDENTITY: N_("The firm exists, and its numbers are its own"),
    CheckKind.DUPLICATES: N_("It is not here already"),
    CheckKind.CONTACTS: N_("The contacts work there"),
    CheckKind.DOCUMENTS: N_("The documents are complete and legible"),
    CheckKind.PROGRAMME: N_("It may take part in the programme it wishes"),
    CheckKind.CREDIT: N_("Its credit was looked at"),
}
PROGRAMME_LABELS = {
    Programme.INDIRECT_RESELLER: N_("Indirect reseller"),
    Programme.DIRECT_PARTNER: N_("Direct partner"),
    Programme.ADVISOR: N_("Advisor (history)"),
}

_LONGEST = 4000


class WrongStep(Refusal):
    """The application is at a step from which this does not follow."""

    sentence = N_("The application is “%(status)s” by now: this step is not open any more. Reload the page.")


class ChecksMissing(Refusal):
    """Somebody wants to approve before everything was looked at."""

    sentence = N_("Not everything was looked at yet: %(missing)s points of the checklist are open.")


class ReasonNeeded(Refusal):
    """A decision against somebody has to say why."""

    sentence = N_("Say why, in a sentence the other side can act on.")


class NotReady(Refusal):
    """Something is missing before it can be sent."""

    sentence = N_("Fill in what is missing first: %(missing)s parts are not complete.")


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationEntry:
    """What an applicant typed, numbers in their compact form."""

    legal_name: str
    country: str
    vat_number: str
    registration_number: str
    currency: str
    website: str
    vendor: str
    programme: str
    partner_id: str
    about: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactEntry:
    """A contact as typed."""

    kind: ContactKind
    name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an application, for the ring of progress and its list."""

    label: str
    is_done: bool


def check_step(now: ApplicationStatus, then: ApplicationStatus) -> None:
    """Raise `WrongStep` unless the one may follow the other."""
    if then not in _NEXT[now]:
        raise WrongStep(status=Phrase.of(APPLICATION_STATUS_LABELS[now]))


def check_writable(status: ApplicationStatus) -> None:
    """Raise `WrongStep` when the applicant may not change the application any more."""
    if status not in WRITABLE:
        raise WrongStep(status=Phrase.of(APPLICATION_STATUS_LABELS[status]))


def check_reason(text: str) -> str:
    """Give a reason without blanks around it. Raises `ReasonNeeded` when it is no sentence."""
    text = text.strip()
    if len(text) < len("No, sorry"):
        raise ReasonNeeded
    return text[:_LONGEST]


def read_application(cells: Mapping[str, str]) -> ApplicationEntry:
    """Read what was typed. Raises `FaultyEntry` naming every field that cannot be used; blanks may follow later."""
    entry = Entry(cells)
    country = entry.take("country", lambda text: country_code(text) if text else "", "")
    read = ApplicationEntry(
        legal_name=entry.take("legal_name", filled, "")[:_LONGEST],
        country=country,
        vat_number=entry.take("vat_number", lambda text: vat_number(text, country=country), ""),
        registration_number=entry.take(
            "registration_number", lambda text: registration_number(text, country=country), ""
        ),
        currency=entry.take("currency", lambda text: currency_code(text) if text else "", ""),
        website=entry.text("website")[:200],
        vendor=entry.text("vendor")[:100],
        programme=entry.take("programme", read_programme, ""),
        partner_id=entry.take("partner_id", read_partner_id, ""),
        about=entry.text("about")[:_LONGEST],
    )
    entry.check()
    return read


def read_contacts(cells: Mapping[str, str]) -> list[ContactEntry]:
    """Read the contacts; those left blank are none. Raises `FaultyEntry` naming every field that cannot be used."""
    entry = Entry(cells)
    contacts = []
    for kind in ContactKind:
        name, email, phone = (f"{kind.value}_{part}" for part in ("name", "email", "phone"))
        if not any(map(entry.text, (name, email, phone))):
            continue
        contacts.append(
            ContactEntry(
                kind=kind,
                name=entry.take(name, filled, "")[:120],
                email=entry.take(email, lambda text: email_or_blank(filled(text)), ""),
                phone=entry.text(phone)[:40],
            )
        )
    entry.check()
    return contacts


def read_programme(text: str) -> str:
    """Read the programme wished for. The advisors' was closed years ago."""
    if text not in {Programme.INDIRECT_RESELLER.value, Programme.DIRECT_PARTNER.value, ""}:
        raise Unusable(Phrase.of(N_("is not a programme one can apply for: choose one of the list")))
    return text


def read_partner_id(text: str) -> str:
    """Read a partner id as the vendor writes it: digits alone."""
    if text and not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004 - longer than any seen
        raise Unusable(Phrase.of(N_("is not a partner id: write its digits, such as 4847383")))
    return text


def parts_of(
    *,
    entry: Mapping[str, str],
    contacts: Collection[ContactKind],
    documents: Collection[DocumentKind],
) -> list[Part]:
    """Tell which parts of an application are complete, in the order they are asked for."""
    has_number = bool(entry["registration_number"] or entry["vat_number"])
    return [
        Part(
            N_("The company: name, country, currency"),
            all(entry[name] for name in ("legal_name", "country", "currency")),
        ),
        Part(N_("Its SIREN or VAT number"), has_number),
        Part(N_("The programme it wishes"), bool(entry["programme"])),
        Part(N_("Who will sign in first"), ContactKind.OWNER in contacts),
        Part(N_("A billing contact"), ContactKind.BILLING in contacts),
        Part(N_("An extract of the trade register"), DocumentKind.REGISTRATION in documents),
    ]


def check_ready(parts: Collection[Part]) -> None:
    """Raise `NotReady` while a part is missing."""
    missing = sum(not part.is_done for part in parts)
    if missing:
        raise NotReady(missing=missing)


def check_all_looked_at(done: Collection[CheckKind]) -> None:
    """Raise `ChecksMissing` while a point of the checklist is open."""
    missing = sum(kind not in done for kind in CheckKind)
    if missing:
        raise ChecksMissing(missing=missing)
