"""Writing to firms that apply: the private link by which they come back, and the mails that carry it."""

import base64
import hashlib
import hmac
from uuid import UUID

from flask import render_template, url_for
from flask_babel import force_locale, gettext
from sqlalchemy.orm import Session

from marketplace.core.errors import N_
from marketplace.web.mails import post_mail
from marketplace.web.session import wiring
from resellers.models import ResellerApplication
from resellers.queries.applications import contacts_of
from resellers.words import ApplicationStatus, ContactKind

_SUBJECTS = {
    ApplicationStatus.DRAFT: N_("Your application: the link to go on"),
    ApplicationStatus.SUBMITTED: N_("We have received your application"),
    ApplicationStatus.MORE_ASKED: N_("We need something more for your application"),
    ApplicationStatus.APPROVED: N_("Your application is approved"),
    ApplicationStatus.REFUSED: N_("About your application"),
}


def token_of(application_id: UUID) -> str:
    """Give the token of an application's private link.

    It follows from the installation's secret, so that every later mail can carry it although only its hash is kept.
    """
    key = wiring().settings.secret_key.encode()
    digest = hmac.new(key, b"application " + application_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def mail_applicant(session: Session, application: ResellerApplication, *, words: str = "") -> None:
    """Mail the owner of an application how it stands, in the applicant's language; `words` are what staff wrote."""
    owner = next(
        (one for one in contacts_of(session, application) if one.kind == ContactKind.OWNER.value), None
    )
    if owner is None:
        return
    status = ApplicationStatus(application.status)
    with force_locale(application.locale or wiring().settings.locale):
        post_mail(
            session,
            to_address=owner.email,
            subject=gettext(_SUBJECTS[status]),
            body=render_template(
                "emails/application.txt",
                name=owner.name,
                firm=application.legal_name,
                status=status.value,
                words=words.replace("{", "(").replace("}", ")"),
            ),
            path=url_for("apply.application", token=token_of(application.public_id)),
        )
