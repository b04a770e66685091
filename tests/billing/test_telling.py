"""Who started a close is told how it ended, and a killed one is not taken for one that goes on."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from marketplace.accounts.models import Notification, OutgoingMail
from marketplace.accounts.operations.mailing import mail_notifications
from marketplace.billing.jobs import rate as rating_job
from marketplace.billing.queries.periods import find_period
from marketplace.billing.questions import answer, ask
from marketplace.billing.rating_run import begin
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.settings import Settings
from tests.billing.lake import Usage, deliver
from tests.personas import actor_called, customer_called, make_personas, user_called
from tests.statement_factories import make_line, make_period

SEPTEMBER = Period.parse("2024-09")


@pytest.fixture
def wanda(database: Database) -> Actor:
    with database.owner_transaction() as session:
        make_personas(session)
        user = user_called(session, "wanda")
        return Actor(name=user.name, audience=Audience.WHOLESALER, user_id=user.id)


def rate(database: Database, settings: Settings, actor: Actor) -> list[tuple[int, str]]:
    """Let a worker rate September for somebody; give who was told what."""
    with database.owner_transaction() as session:
        run_id = begin(session, period=SEPTEMBER, actor=actor).id
    rating_job(database, settings, run_id=run_id)
    with database.owner_transaction() as session:
        told = session.scalars(select(Notification)).all()
        return [(one.user_id, one.phrase) for one in told]


def test_who_started_a_close_is_told_that_it_is_done(
    database: Database, settings: Settings, lake: Path, wanda: Actor
) -> None:
    with database.owner_transaction() as session:
        deliver(session, lake, [Usage()])

    told = rate(database, settings, wanda)

    assert told == [(wanda.user_id, "2024-09 is rated: its draft statements can be reviewed.")]


def test_who_started_a_close_is_told_why_it_was_refused(
    database: Database, settings: Settings, wanda: Actor
) -> None:
    told = rate(database, settings, wanda)

    assert [user for user, _ in told] == [wanda.user_id]
    assert told[0][1].startswith("The close of 2024-09 was refused: There is no usage for 2024-09")


def mails(database: Database, settings: Settings) -> list[OutgoingMail]:
    """Give the mails the worker would send now."""
    with database.owner_transaction() as session:
        mail_notifications(session, site_url=settings.site_url, now=utc_now())
        session.flush()
        return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.to_address)))


def test_who_started_a_close_has_a_mail_in_their_language(
    database: Database, settings: Settings, wanda: Actor
) -> None:
    with database.owner_transaction() as session:
        user_called(session, "wanda").locale = "fr"

    rate(database, settings, wanda)

    with database.owner_transaction() as session:
        assert session.scalar(text("SELECT task_name FROM procrastinate_jobs")) == "accounts.send_mails"
    (mail,) = mails(database, settings)
    assert mail.to_address == "wanda@northwind.example"
    assert mail.body.startswith("Bonjour Wanda,")
    assert "2024-09" in mail.body
    assert "There is no usage" not in mail.body
    assert mail.link == f"{settings.site_url}/admin/periods/2024-09"
    assert len(mails(database, settings)) == 1


def test_who_wants_no_mail_has_none(database: Database, settings: Settings, wanda: Actor) -> None:
    with database.owner_transaction() as session:
        user_called(session, "wanda").wants_mail = False

    assert rate(database, settings, wanda)

    assert mails(database, settings) == []


@pytest.mark.usefixtures("wanda")
def test_who_is_asked_and_who_asked_are_told(database: Database, settings: Settings) -> None:
    with database.owner_transaction() as session:
        rashid = user_called(session, "rashid")
        make_period(session)
        line = make_line(session, customer=customer_called(session, "carla-works"))
    asking, answering = actor_called(database, "rashid"), actor_called(database, "wanda")
    with database.transaction(asking) as session:
        asked = ask(session, actor=asking, line_id=line.id, text="Why so much?")
    with database.transaction(answering) as session:
        answer(session, actor=answering, question_id=asked.public_id, text="Two days more.", now=utc_now())

    written = mails(database, settings)

    assert (rashid.email, f"{settings.site_url}/questions/{asked.public_id}") in [
        (mail.to_address, mail.link) for mail in written
    ]
    to_wholesaler = [mail for mail in written if mail.link.endswith(f"/admin/questions/{asked.public_id}")]
    assert "wanda@northwind.example" in [mail.to_address for mail in to_wholesaler]


@pytest.mark.parametrize(("is_at_work", "seems"), [(True, "running"), (False, "failed")])
def test_a_run_goes_on_as_long_as_somebody_holds_the_lock(
    database: Database, wanda: Actor, is_at_work: bool, seems: str
) -> None:
    with database.owner_transaction() as session:
        run = begin(session, period=SEPTEMBER, actor=wanda)
        run.status, run.started_at = "running", utc_now() - timedelta(minutes=1)

    with database.engine.connect() as at_work:
        if is_at_work:
            at_work.execute(text("SELECT pg_advisory_xact_lock(7202201)"))
        with database.transaction(wanda) as session:
            latest = find_period(session, SEPTEMBER).latest

    assert latest is not None
    assert latest.status == seems
