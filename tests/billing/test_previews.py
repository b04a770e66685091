"""What a change would do is found at once or by the worker, kept for whoever asked, and never in anybody's way."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from marketplace import jobs
from marketplace.accounts.models import Notification
from marketplace.billing import previews
from marketplace.billing.closing import workshop
from marketplace.billing.effects import DocumentEffect, Effect, effect_for
from marketplace.billing.models import Preview
from marketplace.billing.preview_run import PreviewProgress, carry_out
from marketplace.billing.previews import Asked, ask, cancel, changed_since, find, forget_old
from marketplace.billing.rated_period import Progress
from marketplace.billing.trials import Change
from marketplace.core.actor import Actor, Audience
from marketplace.core.clock import utc_now
from marketplace.core.csv_table import FaultyFile
from marketplace.core.db import Database
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.settings import Settings
from resellers.imports.price_rules import import_price_rules
from resellers.models import Hop, PriceRule
from tests.billing.conftest import Close
from tests.billing.lake import Usage, deliver
from tests.factories import make_mapping
from tests.personas import actor_called, customer_called, make_personas, reseller_called

ROOT = Path(__file__).parents[2]
SEPTEMBER = Period.parse("2024-09")
HEADER = "hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until\n"


def rule(percent: str, *, reseller: str = "nord") -> Change:
    """Write down a wholesale rule that is to be added."""
    content = f"{HEADER}wholesale,{reseller},,,,,,cost,{percent},,,,\n".encode()
    return Change(kind="rules", facts={"file": "rules.csv"}, content=content)


@pytest.fixture
def walter(database: Database, lake: Path) -> Actor:
    """Somebody who changes terms, in a month of Carla's and Stella's usage."""
    with database.owner_transaction() as session:
        make_personas(session)
        make_mapping(session, customer=customer_called(session, "carla-works"), account="a1", vendor="cloud")
        make_mapping(session, customer=customer_called(session, "stella-mills"), account="a2", vendor="cloud")
        deliver(session, lake, [Usage(cost="100"), Usage(cost="7", account="a2")])
    return actor_called(database, "walter")


Asking = Callable[..., UUID]


@pytest.fixture
def asks(database: Database, settings: Settings, walter: Actor) -> Asking:
    """Let Walter ask what a change does."""

    def asked(change: Change, *, actor: Actor = walter) -> UUID:
        question = Asked(actor=actor, change=change, link="/admin/rules/new")
        return ask(database, question, workshop=workshop(settings), now=utc_now())

    return asked


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be little enough for a page to wait for it."""
    monkeypatch.setattr(previews, "MOST_ROWS_AT_ONCE", 0)


def kept(database: Database, preview_id: UUID) -> Preview:
    with database.owner_transaction() as session:
        return session.scalars(select(Preview).where(Preview.public_id == preview_id)).one()


def work(database: Database, settings: Settings) -> None:
    """Let the worker do what waits."""
    jobs.run_worker(database, settings, jobs=jobs.load_jobs().values(), is_waiting=False)


def told(database: Database) -> list[tuple[str, str]]:
    with database.owner_transaction() as session:
        return [(one.phrase, one.link) for one in session.scalars(select(Notification)).all()]


def test_a_little_is_found_at_once_and_nothing_changed(database: Database, asks: Asking) -> None:
    found = kept(database, asks(rule("10")))

    assert found.status == "done"
    effect = Effect.from_data(found.found or {})
    assert sorted((one.hop, one.before, one.after) for one in effect.documents) == [
        ("retail", Money(10000, "EUR"), Money(11000, "EUR")),
        ("wholesale", Money(10000, "EUR"), Money(11000, "EUR")),
    ]
    assert effect.differences == [("retail", Money(1000, "EUR")), ("wholesale", Money(1000, "EUR"))]
    assert told(database) == []
    with database.owner_transaction() as session:
        assert session.scalar(select(func.count()).select_from(PriceRule)) == 0


@pytest.mark.usefixtures("long")
def test_what_takes_longer_is_found_by_the_worker_the_same_and_told_once(
    database: Database, settings: Settings, asks: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview_id = asks(rule("10"))
    assert kept(database, preview_id).status == "queued"
    assert asks(rule("10")) == preview_id, "a second click asks nothing more"

    work(database, settings)
    carry_out(database, preview_id=preview_id, workshop=workshop(settings), now=utc_now())

    found = kept(database, preview_id)
    monkeypatch.setattr(previews, "MOST_ROWS_AT_ONCE", 1_000)
    assert (found.status, found.percent) == ("done", 100)
    assert kept(database, asks(rule("10"))).found == found.found
    assert told(database) == [
        ("The effect you asked for is worked out.", f"/admin/rules/new?preview={preview_id}")
    ]


# A worker's process, which dies when the change has been tried and its months are being rated.
_KILLED = """
import os, signal, sys
from marketplace import jobs
from marketplace.billing.attribution import Attribution
from marketplace.core.db import Database
from marketplace.settings import load_settings
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
Attribution.group = die
settings = load_settings()
database = Database(os.environ["DATABASE_URL"])
jobs.run_worker(database, settings, jobs=jobs.load_jobs().values(), is_waiting=False)
"""


@pytest.mark.usefixtures("long")
def test_a_killed_worker_leaves_nothing_of_the_change_and_its_preview_is_found_again(
    database: Database, settings: Settings, asks: Asking
) -> None:
    preview_id = asks(rule("10"))
    environment = {**os.environ, "DATABASE_URL": database.url}

    died = subprocess.run([sys.executable, "-c", _KILLED], env=environment, cwd=ROOT, check=False)

    assert died.returncode == -signal.SIGKILL
    assert kept(database, preview_id).status == "running"
    with database.owner_transaction() as session:
        assert session.scalar(select(func.count()).select_from(PriceRule)) == 0

    carry_out(database, preview_id=preview_id, workshop=workshop(settings), now=utc_now())

    assert kept(database, preview_id).status == "done"
    assert len(told(database)) == 1


@pytest.mark.usefixtures("long")
def test_what_is_cancelled_is_not_found_and_nobody_told(
    database: Database, settings: Settings, asks: Asking, walter: Actor
) -> None:
    preview_id = asks(rule("10"))
    with database.owner_transaction() as session:
        preview = session.scalars(select(Preview)).one()
        cancel(session, preview=preview, actor=walter, now=utc_now())

    work(database, settings)

    assert (kept(database, preview_id).status, kept(database, preview_id).found) == ("cancelled", None)
    assert told(database) == []


@pytest.mark.usefixtures("long")
def test_work_stops_when_somebody_cancels(
    database: Database, settings: Settings, asks: Asking, walter: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview_id = asks(rule("10"))
    part = PreviewProgress.part

    def cancelled_meanwhile(self: PreviewProgress, number: int, of: int) -> PreviewProgress:
        with database.owner_transaction() as session:
            preview = session.scalars(select(Preview)).one()
            cancel(session, preview=preview, actor=walter, now=utc_now())
        return part(self, number, of)

    monkeypatch.setattr(PreviewProgress, "part", cancelled_meanwhile)
    work(database, settings)

    assert (kept(database, preview_id).status, kept(database, preview_id).found) == ("cancelled", None)


@pytest.mark.usefixtures("long")
def test_a_change_that_is_refused_by_the_time_it_is_tried_says_why(
    database: Database, settings: Settings, asks: Asking, walter: Actor
) -> None:
    preview_id = asks(rule("10"))
    with database.owner_transaction() as session:
        content = rule("12").content or b""
        import_price_rules(session, actor=walter, file="other.csv", content=content)

    work(database, settings)

    found = kept(database, preview_id)
    assert found.status == "refused"
    assert told(database)[0][0].startswith("The effect you asked for could not be worked out: ")


def test_a_change_that_cannot_be_made_is_refused_when_it_is_asked_about(
    database: Database, asks: Asking
) -> None:
    with pytest.raises(FaultyFile):
        asks(rule("10", reseller="nobody"))

    with database.owner_transaction() as session:
        assert session.scalars(select(Preview)).all() == []


def test_nobody_who_makes_the_change_waits_for_its_preview(
    database: Database, settings: Settings, walter: Actor
) -> None:
    asked = Asked(actor=walter, change=rule("10"), link="/")
    made: list[int] = []

    def progress(number: int, of: int) -> Progress:
        if not made:
            with database.owner_transaction() as session:
                session.execute(text("SET LOCAL lock_timeout = '2s'"))
                import_price_rules(
                    session, actor=walter, file="rules.csv", content=asked.change.content or b""
                )
            made.append(number)
        return previews._Quiet()

    found = find(database, asked, workshop=workshop(settings), progress=progress, now=utc_now())

    assert made
    assert Effect.from_data(found.data).document_count > 0, "as it was when it was asked"


def test_months_whose_facts_change_are_named(
    database: Database, lake: Path, asks: Asking, walter: Actor
) -> None:
    preview_id = asks(rule("10"))

    def changed() -> list[Period]:
        with database.owner_transaction() as session:
            preview = session.scalars(select(Preview).where(Preview.public_id == preview_id)).one()
            return changed_since(session, preview)

    assert changed() == []
    with database.owner_transaction() as session:
        deliver(session, lake, [Usage(cost="1", day=date(2024, 10, 3))], period="2024-10")
    assert changed() == [Period.parse("2024-10")]
    with database.owner_transaction() as session:
        import_price_rules(session, actor=walter, file="r", content=rule("3", reseller="sud").content or b"")
    assert changed() == [SEPTEMBER, Period.parse("2024-10")]


def test_a_reseller_is_kept_its_own_sales_alone(database: Database, asks: Asking) -> None:
    rashid = actor_called(database, "rashid")
    with database.owner_transaction() as session:
        nord, sud = (reseller_called(session, name).id for name in ("nord", "sud"))
    documents = [
        DocumentEffect(SEPTEMBER, hop.value, reseller, 1, Money(100, "EUR"), Money(150, "EUR"))
        for hop in (Hop.WHOLESALE, Hop.RETAIL)
        for reseller in (nord, sud)
    ]

    effect = effect_for(rashid, documents, closed=[SEPTEMBER])

    assert [(one.hop, one.reseller_id) for one in effect.documents] == [("retail", nord)]
    assert effect.differences == [("retail", Money(50, "EUR"))]
    assert Effect.from_data(effect.as_data()) == effect


def test_each_party_sees_its_own_previews_and_nobody_else_s(
    database: Database, settings: Settings, asks: Asking
) -> None:
    people = {name: actor_called(database, name) for name in ("walter", "rashid", "pavel", "carla")}
    facts = {"hop": "retail", "basis": "cost", "percent": "50"}
    asks(rule("10"))
    asks(Change(kind="add_price", facts=facts), actor=people["rashid"])

    seen = {}
    for name, actor in people.items():
        with database.transaction(actor) as session:
            seen[name] = [one.audience for one in session.scalars(select(Preview)).all()]

    assert seen == {"walter": ["wholesaler"], "rashid": ["reseller"], "pavel": [], "carla": []}


def test_what_a_closed_month_differs_by_is_found(
    database: Database, lake: Path, close: Close, asks: Asking, walter: Actor
) -> None:
    close(approve=True)
    with database.owner_transaction() as session:
        import_price_rules(session, actor=walter, file="r", content=rule("10").content or b"")

    found = kept(database, asks(Change(kind=previews.DIFFERENCES, facts={"period": "2024-09"}))).found or {}

    wholesale = [row for row in found["differences"] if row[0] == "wholesale"]
    assert wholesale == [["wholesale", [1000, "EUR"], 1]]


def test_old_previews_are_forgotten(database: Database, asks: Asking) -> None:
    asks(rule("10"))

    with database.owner_transaction() as session:
        assert forget_old(session, now=utc_now() + timedelta(days=6)) == 0
        assert forget_old(session, now=utc_now() + timedelta(days=8)) == 1


def test_the_wholesaler_s_differences_are_one_question_for_all_its_people() -> None:
    differences = Change(kind=previews.DIFFERENCES, facts={"period": "2024-09"})
    keys = {
        Asked(actor=Actor(name, Audience.WHOLESALER, user_id=number), change=differences, link="/").key
        for number, name in enumerate(("Walter", "Wanda"))
    }

    assert len(keys) == 1


def test_a_draft_that_stands_is_not_rated_again_to_be_compared(
    database: Database, settings: Settings, walter: Actor, close: Close
) -> None:
    ratings: list[int] = []

    def answer() -> tuple[dict[str, object], int]:
        def progress(_number: int, of: int) -> Progress:
            ratings.append(of)
            return previews._Quiet()

        asked = Asked(actor=walter, change=rule("10"), link="/")
        ratings.clear()
        found = find(database, asked, workshop=workshop(settings), progress=progress, now=utc_now())
        return found.data, len(ratings)

    undrafted = answer()
    close()
    drafted = answer()
    close(approve=True)
    closed = answer()

    assert (undrafted[1], drafted[1], closed[1]) == (2, 1, 2)
    assert drafted[0] == undrafted[0]
    assert closed[0] == {**undrafted[0], "closed": [202409]}
