"""What is asked of a vendor is done once, whatever happens on the way, and people see what waits for them."""

import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from catalog.words import BillingCycle, Term
from marketplace.accounts.models import Notification
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.errors import NotFound, NotPermitted, Phrase
from marketplace.settings import Settings
from marketplace.vendors.connector import Connector
from marketplace.vendors.models import ProvisioningAttempt, ProvisioningRequest
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.provisioning import operations
from marketplace.vendors.provisioning.advancing import advance, take_up_what_is_due
from marketplace.vendors.provisioning.requests import (
    NewRequest,
    SubscriptionChange,
    SubscriptionUpgrade,
    asked_as_data,
    asked_from_data,
    kind_of,
    result_from_data,
)
from marketplace.vendors.provisioning.rules import (
    MOST_ATTEMPTS,
    TURNS,
    RequestState,
    may_turn,
    pause_after,
)
from marketplace.vendors.values import Attestation, Change, NextTerm, Purchase, Upgrade
from tests.factories import make_customer, make_reseller
from tests.personas import make_personas
from tests.vendors.asking import STAFF, Desk, jobs_waiting
from tests.vendors.simulated import (
    CAMILLE,
    PREMIUM,
    STANDARD,
    Simulator,
    bought,
    firm,
    line,
    open_account,
)


@pytest.fixture
def desk(database: Database, simulator: Simulator) -> Desk:
    return Desk(database, simulator)


@pytest.fixture
def account(connector: PartnerCenter) -> str:
    return open_account(connector).account


def test_a_purchase_becomes_subscriptions_by_line(desk: Desk, account: str) -> None:
    request = desk.buy(
        account,
        line(quantity=3, number=1),
        line(STANDARD, 5, number=2, cycle=BillingCycle.ANNUAL),
        line(quantity=7, number=3),
    )

    desk.work(request)

    found = desk.request(request)
    result = result_from_data(found.result)
    assert (found.state, found.attempts, len(found.orders)) == ("done", 1, 2)
    assert result is not None
    assert [(one.number, one.subscription.quantity, one.subscription.name) for one in result.lines] == [
        (1, 3, "Microsoft 365 Business Premium"),
        (2, 5, "Microsoft 365 Business Standard"),
        (3, 7, "Microsoft 365 Business Premium"),
    ]
    assert result.lines[0].subscription.may_cancel_until == datetime(2025, 3, 17, 9, tzinfo=UTC)


def test_asking_twice_is_asking_once(desk: Desk, account: str) -> None:
    key = uuid4()

    first, second = desk.buy(account, key=key), desk.buy(account, key=key)

    assert first == second
    assert jobs_waiting(desk.database) == ["vendors.advance"]


def test_two_workers_at_once_send_it_once(desk: Desk, account: str) -> None:
    request = desk.buy(account)

    def connect_slowly(vendor: str) -> Connector:
        desk.work(request)  # another worker, while this one is at it
        return desk.connect(vendor)

    advance(desk.database, request_id=request, connect=connect_slowly, clock=lambda: desk.now)

    assert desk.outcomes(request) == ["done"]


def test_a_worker_that_finds_another_at_it_comes_back(desk: Desk, account: str) -> None:
    request = desk.buy(account)
    with desk.database.owner_transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))

    def connect_slowly(vendor: str) -> Connector:
        desk.work(request)
        return desk.connect(vendor)

    advance(desk.database, request_id=request, connect=connect_slowly, clock=lambda: desk.now)

    with desk.database.owner_transaction() as session:
        waiting = session.execute(text("SELECT task_name, scheduled_at FROM procrastinate_jobs")).all()
    assert [tuple(one) for one in waiting] == [("vendors.advance", desk.now + timedelta(seconds=5))]


def test_whoever_asked_is_told_of_every_turn(desk: Desk, account: str) -> None:
    desk.simulator.disturb("ask", words="Is this a school?")
    request = desk.buy(account, told_job="orders.told")

    desk.work(request)
    with desk.database.transaction(STAFF) as session:
        operations.answer_inquiry(
            session, actor=STAFF, request_id=desk.public_id(request), words="No.", now=desk.now
        )
    desk.work(request)

    assert jobs_waiting(desk.database).count("orders.told") == 3
    assert desk.outcomes(request) == ["inquiry", "done"]


class TestVendorsThatAreAway:
    def test_it_is_tried_again_later_and_then_done_once(self, desk: Desk, account: str) -> None:
        desk.simulator.disturb("503", times=3)
        request = desk.buy(account)

        desk.work(request)
        away = desk.request(request)
        desk.work(request)  # too early: nothing happens
        desk.wait(minutes=1)
        desk.work(request)

        assert (away.state, away.next_attempt_at) == ("queued", datetime(2025, 3, 10, 9, 1, tzinfo=UTC))
        assert away.error is not None
        assert "cannot be reached" in away.error
        assert desk.outcomes(request) == ["queued", "done"]
        assert desk.request(request).error is None

    def test_a_lost_answer_is_no_second_order(self, desk: Desk, account: str) -> None:
        desk.simulator.disturb("lost", path="/checkout", times=3)
        request = desk.buy(account)

        desk.work(request)
        desk.wait(minutes=1)
        desk.work(request)

        assert desk.outcomes(request) == ["queued", "done"]
        assert desk.simulator.overview()["orders"] == 1

    def test_after_many_tries_a_person_decides(self, desk: Desk, account: str) -> None:
        desk.simulator.disturb("503", times=1000)
        request = desk.buy(account)

        for _ in range(MOST_ATTEMPTS):
            desk.work(request)
            desk.wait(hours=4)
        failed = desk.request(request)
        desk.simulator.tell("disturbances", kind="429")
        with desk.database.transaction(STAFF) as session:
            operations.retry(session, actor=STAFF, request_id=failed.public_id, now=desk.now)

        assert (failed.state, failed.attempts) == ("failed", MOST_ATTEMPTS)
        assert desk.request(request).state == "queued"

    def test_what_was_left_lying_is_taken_up(self, desk: Desk, account: str) -> None:
        request = desk.buy(account)
        with desk.database.owner_transaction() as session:
            session.execute(text("DELETE FROM procrastinate_jobs"))

        taken = take_up_what_is_due(desk.database, now=desk.now)
        again = take_up_what_is_due(desk.database, now=desk.now)
        desk.work(request)

        assert (taken, again, jobs_waiting(desk.database)) == (1, 1, ["vendors.advance"])
        assert take_up_what_is_due(desk.database, now=desk.now) == 0


class TestProvisioningThatTakesTime:
    def test_we_look_again_until_it_is_there(self, desk: Desk, account: str) -> None:
        desk.simulator.tell("provisioning", seconds=60)
        request = desk.buy(account)

        desk.work(request)
        waiting = desk.request(request)
        desk.simulator.tell("clock", seconds=60)
        desk.wait(seconds=60)
        desk.work(request)

        assert (waiting.state, waiting.result) == ("waiting", None)
        assert waiting.next_attempt_at == datetime(2025, 3, 10, 9, 0, 5, tzinfo=UTC)
        assert desk.outcomes(request) == ["waiting", "done"]
        assert desk.simulator.overview()["orders"] == 1


class TestRefusals:
    def test_the_vendors_words_are_kept_with_what_to_do(self, desk: Desk, connector: PartnerCenter) -> None:
        customer = connector.create_customer(firm(), key=uuid4())
        request = desk.buy(customer.account)

        desk.work(request)

        failed = desk.request(request)
        assert (failed.state, failed.error_code) == ("failed", "13605")
        assert failed.error is not None
        assert "has not accepted the Microsoft Customer Agreement" in failed.error
        assert "Record that the customer accepted" in failed.error

    def test_it_goes_on_once_the_reason_is_gone(self, desk: Desk, connector: PartnerCenter) -> None:
        customer = connector.create_customer(firm(), key=uuid4())
        request = desk.buy(customer.account)
        desk.work(request)

        attestation = Attestation(CAMILLE, date(2025, 3, 1), "117a77b0-9360-443b-8795-c6dedc750cf9")
        attested = desk.ask(attestation, account=customer.account)
        desk.work(attested)
        with desk.database.transaction(STAFF) as session:
            operations.retry(session, actor=STAFF, request_id=desk.public_id(request), now=desk.now)
        desk.work(request)

        assert desk.request(attested).state == "done"
        assert desk.outcomes(request) == ["failed", "done"]

    def test_what_was_given_up_is_not_tried_again(self, desk: Desk, account: str) -> None:
        desk.simulator.disturb("503", times=3)
        request = desk.buy(account)
        desk.work(request)

        with desk.database.transaction(STAFF) as session:
            operations.give_up(
                session,
                actor=STAFF,
                request_id=desk.public_id(request),
                reason="The customer changed its mind",
                now=desk.now,
            )
        desk.wait(hours=1)
        desk.work(request)

        given_up = desk.request(request)
        assert given_up.state == "failed"
        assert given_up.error == "Given up by Wanda: The customer changed its mind"
        assert desk.simulator.overview()["orders"] == 0


def test_a_customer_is_opened_changed_and_upgraded(
    desk: Desk, connector: PartnerCenter, account: str
) -> None:
    one = bought(connector, account, line(STANDARD))
    opened = desk.ask(firm("other.onmicrosoft.com"))
    changed = desk.change(account, one.reference, Change(quantity=12))
    upgrade = Upgrade(*PREMIUM, 2, Term.P1Y, BillingCycle.MONTHLY)
    upgraded = desk.ask(SubscriptionUpgrade(one.reference, upgrade), account=account)

    for request in (opened, changed, upgraded):
        desk.work(request)

    results = [result_from_data(desk.request(request).result) for request in (opened, changed, upgraded)]
    assert all(results)
    assert connector.customer(results[0].reference).domain == "other.onmicrosoft.com"  # type: ignore[union-attr]
    assert results[1].lines[0].subscription.quantity == 12  # type: ignore[union-attr]
    assert [found.subscription.quantity for found in results[2].lines] == [10, 2]  # type: ignore[union-attr]


class TestByHand:
    def test_a_vendor_without_an_interface_makes_a_task(self, desk: Desk) -> None:
        request = desk.ask(Purchase("", (line(quantity=4, number=1),)), vendor="backup-house")

        desk.work(request)
        task = desk.request(request)
        with desk.database.transaction(STAFF) as session:
            operations.take_on(session, actor=STAFF, request_id=task.public_id, now=desk.now)
        with desk.database.transaction(STAFF) as session:
            operations.complete_by_hand(
                session,
                actor=STAFF,
                request_id=task.public_id,
                order="PO-7",
                references={1: " BH-881 "},
                now=desk.now,
            )

        assert (task.state, task.due_on) == ("by_hand", date(2025, 3, 12))
        done = desk.request(request)
        result = result_from_data(done.result)
        assert (done.state, done.assigned_to) == ("done", "Wanda")
        assert result is not None
        assert result.is_by_hand
        subscription = result.lines[0].subscription
        assert (subscription.reference, subscription.quantity) == ("BH-881", 4)
        assert subscription.ends_on == date(2026, 3, 10)

    def test_a_customer_without_an_account_is_served_by_hand_even_where_the_vendor_is_connected(
        self, desk: Desk
    ) -> None:
        request = desk.buy("")

        desk.work(request)

        task = desk.request(request)
        assert task.state == "by_hand"
        assert task.error is not None
        assert "no account at microsoft" in task.error
        assert desk.simulator.overview()["orders"] == 0

    def test_without_the_vendors_reference_it_is_not_done(self, desk: Desk) -> None:
        request = desk.ask(Purchase("", (line(number=1),)), vendor="backup-house")
        desk.work(request)

        with (
            desk.database.transaction(STAFF) as session,
            pytest.raises(operations.ReferenceMissing),
        ):
            operations.complete_by_hand(
                session,
                actor=STAFF,
                request_id=desk.public_id(request),
                order="PO-7",
                references={1: " "},
                now=desk.now,
            )


class TestWhoMayWhat:
    def reseller(self, desk: Desk, request: int, *permissions: Permission) -> Actor:
        reseller_id = desk.request(request).reseller_id
        return Actor("Rashid", Audience.RESELLER, party_id=reseller_id, permissions=frozenset(permissions))

    def inquiry(self, desk: Desk, account: str) -> int:
        desk.simulator.disturb("ask", words="Is this a school?")
        request = desk.buy(account)
        desk.work(request)
        return request

    def test_the_reseller_whose_order_it_is_answers(self, desk: Desk, account: str) -> None:
        request = self.inquiry(desk, account)
        rashid = self.reseller(desk, request, Permission.RESELLER_INQUIRIES_ANSWER)

        with desk.database.transaction(rashid) as session:
            operations.answer_inquiry(
                session, actor=rashid, request_id=desk.public_id(request), words="No.", now=desk.now
            )
        desk.work(request)

        done = desk.request(request)
        assert (done.state, done.question, done.answered_by) == ("done", "Is this a school?", "Rashid")

    def test_another_reseller_finds_nothing(self, desk: Desk, account: str) -> None:
        request = self.inquiry(desk, account)
        with desk.database.owner_transaction() as session:
            stranger = Actor(
                "Pavel",
                Audience.RESELLER,
                party_id=make_reseller(session).id,
                permissions=frozenset({Permission.RESELLER_INQUIRIES_ANSWER}),
            )

        with desk.database.transaction(stranger) as session, pytest.raises(NotFound):
            operations.answer_inquiry(
                session, actor=stranger, request_id=desk.public_id(request), words="No.", now=desk.now
            )
        with desk.database.transaction(stranger) as session:
            assert session.scalar(select(func.count()).select_from(ProvisioningRequest)) == 0

    def test_a_reseller_neither_retries_nor_sees_what_was_said_to_the_vendor(
        self, desk: Desk, account: str
    ) -> None:
        request = self.inquiry(desk, account)
        rashid = self.reseller(desk, request, Permission.RESELLER_INQUIRIES_ANSWER)

        with desk.database.transaction(rashid) as session, pytest.raises(NotPermitted):
            operations.retry(session, actor=rashid, request_id=desk.public_id(request), now=desk.now)
        with desk.database.transaction(rashid) as session:
            assert session.scalar(select(func.count()).select_from(ProvisioningAttempt)) == 0
            assert session.scalar(select(func.count()).select_from(ProvisioningRequest)) == 1

    def test_a_reseller_asks_for_its_own_customers_only(self, desk: Desk) -> None:
        with desk.database.owner_transaction() as session:
            own, other = make_customer(session, "own"), make_customer(session, "other")
            rashid = Actor("Rashid", Audience.RESELLER, party_id=own.reseller_id)
            own_id, other_id = own.id, other.id
        found: dict[int, Any] = {}
        for customer_id in (own_id, other_id):
            try:
                with desk.database.transaction(rashid) as session:
                    request = NewRequest(
                        key=uuid4(),
                        vendor="microsoft",
                        account="",
                        reseller_id=rashid.party_id or 0,
                        customer_id=customer_id,
                        asked=Purchase("", (line(),)),
                        about=Phrase.verbatim("10 × Microsoft 365"),
                    )
                    found[customer_id] = operations.ask(session, actor=rashid, request=request).state
            except Exception as error:  # noqa: BLE001 - the driver's own
                found[customer_id] = "row-level security" in str(error)

        assert found == {own_id: "queued", other_id: True}

    def test_staff_and_the_reseller_are_told_what_waits_for_them(self, desk: Desk, account: str) -> None:
        with desk.database.owner_transaction() as session:
            make_personas(session)
        desk.simulator.disturb("ask", words="Is this a school?")
        asked = desk.ask(Purchase(account, (line(),)), account=account, customer="carla-works")
        by_hand = desk.ask(Purchase("", (line(),)), vendor="backup-house", customer="carla-works")

        desk.work(asked)
        desk.work(by_hand)

        with desk.database.owner_transaction() as session:
            told = {
                (one.audience, one.link)
                for one in session.execute(select(Notification.audience, Notification.link))
            }
        assert ("reseller", f"/vendor-questions/{desk.public_id(asked)}") in told
        assert ("wholesaler", f"/admin/provisioning/{desk.public_id(by_hand)}") in told


@pytest.mark.parametrize(
    "asked",
    [
        Purchase("tenant", (line(), line(STANDARD, ends_on=date(2026, 3, 1)))),
        firm(),
        Attestation(CAMILLE, date(2025, 3, 1), "t"),
        SubscriptionUpgrade("s", Upgrade(*PREMIUM, 2, Term.P1Y, BillingCycle.MONTHLY)),
        SubscriptionChange("s", Change(next_term=NextTerm("P", "S", Term.P1Y, BillingCycle.ANNUAL, 3))),
    ],
)
def test_what_is_asked_is_read_as_it_was_written(asked: Any) -> None:
    kind = str(kind_of(asked))

    assert asked_from_data(kind, asked_as_data(asked)) == asked


def test_every_state_but_two_can_be_left() -> None:
    final = [state for state in RequestState if not TURNS[state]]
    assert final == [RequestState.DONE, RequestState.WITHDRAWN]
    assert may_turn("failed", RequestState.QUEUED)
    assert not may_turn("done", RequestState.QUEUED)


@pytest.mark.parametrize(
    ("attempts", "wanted", "minutes"),
    [(1, None, 1), (2, None, 2), (8, None, 240), (16, None, 240), (1, 300, 5), (8, 300, 240)],
)
def test_pauses_grow_and_respect_the_vendors_wish(attempts: int, wanted: int | None, minutes: int) -> None:
    retry_after = timedelta(seconds=wanted) if wanted else None

    assert pause_after(attempts, retry_after) == timedelta(minutes=minutes)


WORKER = """
import sys
from marketplace import jobs
from marketplace.cli import logs
from marketplace.core.db import Database
from marketplace.settings import load_settings

logs.configure()
known = [job for name, job in jobs.load_jobs().items() if name == "vendors.advance"]
jobs.run_worker(Database(sys.argv[1]), load_settings(), jobs=known, stalled_seconds=1.5)
"""


def test_a_worker_killed_while_the_vendor_works_orders_nothing_twice(
    desk: Desk, account: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor has taken the order and is slow to say so when the worker is killed with 9."""
    del settings
    monkeypatch.setenv("MARKETPLACE_SIMULATOR_PORT", desk.simulator.address.rpartition(":")[2])
    desk.simulator.disturb("slow", path="/checkout", seconds=3)
    request = desk.buy(account)
    command = [sys.executable, "-c", WORKER, desk.database.url]

    with subprocess.Popen(command) as first:
        _wait_until(lambda: not desk.simulator.overview()["disturbances"])
        first.send_signal(signal.SIGKILL)
    _wait_until(lambda: desk.simulator.overview()["orders"] == 1)
    with subprocess.Popen(command) as second:
        _wait_until(lambda: desk.request(request).state == "done", seconds=60)
        second.terminate()

    assert desk.outcomes(request) == ["interrupted", "done"]
    assert desk.simulator.overview()["orders"] == 1


def _wait_until(is_so: Any, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
