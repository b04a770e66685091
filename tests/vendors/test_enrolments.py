"""The vendor is asked about a reseller again before it buys, and about all of them every night."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace.accounts.models import Notification
from marketplace.core.audit import AuditEntry
from marketplace.core.db import Database
from marketplace.vendors.enrolments import Round, check_enrolments
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.provisioning import operations
from marketplace.vendors.simulator.selling import UNKNOWN_PARTNER, UNSIGNED_PARTNER
from resellers.models import Enrolment, Reseller
from resellers.words import EnrolmentStatus, Programme
from tests.factories import make_reseller
from tests.personas import make_personas
from tests.vendors.asking import STAFF, Desk, jobs_waiting
from tests.vendors.simulated import RESELLER, Simulator, open_account


@pytest.fixture
def desk(database: Database, simulator: Simulator) -> Desk:
    return Desk(database, simulator)


@pytest.fixture
def account(connector: PartnerCenter) -> str:
    return open_account(connector).account


def enrolment(desk: Desk, reference: str = "") -> Enrolment:
    with desk.database.owner_transaction() as session:
        wanted = select(Enrolment).join(Reseller, Reseller.id == Enrolment.reseller_id)
        return session.scalars(wanted.where(Reseller.reference == reference) if reference else wanted).one()


class TestBeforeBuying:
    """The step before the order."""

    def test_it_is_asked_first_and_the_order_goes_on_by_itself(self, desk: Desk, account: str) -> None:
        request = desk.buy_for_a_partner(account)

        desk.work(request)
        asked = desk.request(request)
        assert (asked.state, asked.next_attempt_at) == ("queued", None)
        assert desk.simulator.overview()["orders"] == 0
        assert "vendors.advance" in jobs_waiting(desk.database)
        desk.work(request)

        assert desk.steps(request) == ["check", "ask"]
        assert desk.outcomes(request) == ["queued", "done"]
        known = enrolment(desk)
        assert (known.is_known, known.has_signed, known.checked_at) == (True, True, desk.now)

    def test_what_it_said_today_is_relied_on(self, desk: Desk, account: str) -> None:
        request = desk.buy_for_a_partner(account)
        with desk.database.owner_transaction() as session:
            found = session.scalars(select(Enrolment)).one()
            found.is_known = found.has_signed = True
            found.checked_at = desk.now - timedelta(hours=23)

        desk.work(request)

        assert desk.steps(request) == ["ask"]

    @pytest.mark.parametrize(
        ("partner_id", "words"),
        [
            (UNKNOWN_PARTNER, "does not know the reseller's partner id"),
            (UNSIGNED_PARTNER, "has not signed its partner agreement"),
        ],
    )
    def test_a_no_stops_it_before_anything_is_ordered_and_putting_it_right_lets_it_go_on(
        self, desk: Desk, account: str, partner_id: str, words: str
    ) -> None:
        request = desk.buy_for_a_partner(account, partner_id, told_job="orders.told")

        desk.work(request)

        failed = desk.request(request)
        assert failed.state == "failed"
        assert words in str(failed.error)
        assert desk.simulator.overview()["orders"] == 0
        assert "orders.told" in jobs_waiting(desk.database)
        with desk.database.owner_transaction() as session:
            session.scalars(select(Enrolment)).one().partner_id = RESELLER
        with desk.database.transaction(STAFF) as session:
            operations.retry(session, actor=STAFF, request_id=failed.public_id, now=desk.now)
        desk.work(request)
        desk.work(request)
        assert desk.outcomes(request) == ["failed", "queued", "done"]
        result = desk.request(request).result
        assert result is not None
        assert result["lines"][0]["subscription"]["partner_id"] == RESELLER

    def test_a_vendor_that_is_away_is_asked_again_later(self, desk: Desk, account: str) -> None:
        desk.simulator.disturb("503", times=3, path="/profiles/mpn")
        request = desk.buy_for_a_partner(account)

        desk.work(request)
        desk.wait(minutes=1)
        desk.work(request)
        desk.work(request)

        assert desk.steps(request) == ["check", "check", "ask"]
        assert desk.request(request).state == "done"


@pytest.fixture
def resellers(desk: Desk) -> None:
    """Two that the vendor knows, one it does not, one that ended."""
    with desk.database.owner_transaction() as session:
        make_personas(session)
        for name, partner_id, status in (
            ("alpha", RESELLER, EnrolmentStatus.ACTIVE),
            ("beta", UNKNOWN_PARTNER, EnrolmentStatus.ACTIVE),
            ("gamma", "4847384", EnrolmentStatus.PENDING),
            ("delta", "4847385", EnrolmentStatus.ENDED),
        ):
            session.add(
                Enrolment(
                    reseller_id=make_reseller(session, name).id,
                    vendor="microsoft",
                    programme=Programme.INDIRECT_RESELLER.value,
                    status=status.value,
                    partner_id=partner_id,
                )
            )


@pytest.fixture
def ask_all(desk: Desk) -> Callable[[], Round]:
    pauses: list[float] = []

    def ask() -> Round:
        return check_enrolments(
            desk.database,
            vendor="microsoft",
            connect=desk.connect,
            clock=lambda: desk.now,
            pause=pauses.append,
        )

    return ask


def told(desk: Desk) -> list[str]:
    with desk.database.owner_transaction() as session:
        return sorted({str(one.phrase) for one in session.scalars(select(Notification))})


@pytest.mark.usefixtures("resellers")
class TestEveryNight:
    """The round through all resellers."""

    def test_everybody_who_sells_is_asked_and_staff_hear_of_what_is_otherwise(
        self, desk: Desk, ask_all: Callable[[], Round]
    ) -> None:
        assert ask_all() == Round(asked=3, changed=1, left=0)

        (sentence,) = told(desk)
        assert "does not know this partner id" in sentence
        assert enrolment(desk, "alpha").has_signed
        assert enrolment(desk, "beta").is_known is False
        assert enrolment(desk, "delta").checked_at is None

    def test_a_second_round_the_same_night_asks_nobody_and_the_next_night_says_nothing_new(
        self, desk: Desk, ask_all: Callable[[], Round]
    ) -> None:
        ask_all()
        assert ask_all().asked == 0
        with desk.database.owner_transaction() as session:
            before = session.scalar(select(func.count()).select_from(AuditEntry))
        desk.wait(days=1)

        assert ask_all() == Round(asked=3, changed=0, left=0)
        with desk.database.owner_transaction() as session:
            assert session.scalar(select(func.count()).select_from(AuditEntry)) == before
        assert len(told(desk)) == 1

    def test_a_vendor_that_stays_away_is_left_alone_and_the_rest_waits_for_the_next_night(
        self, desk: Desk, ask_all: Callable[[], Round]
    ) -> None:
        desk.simulator.disturb("503", times=1000)

        assert ask_all() == Round(asked=0, changed=0, left=3)
        (sentence,) = told(desk)
        assert "could not be asked about 3 resellers" in sentence

    def test_a_vendor_served_by_hand_is_not_asked(self, desk: Desk) -> None:
        found = check_enrolments(
            desk.database,
            vendor="backup",
            connect=desk.connect,
            clock=lambda: desk.now,
            pause=lambda _: None,
        )
        assert found == Round(0, 0, 0)
