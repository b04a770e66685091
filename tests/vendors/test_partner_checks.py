"""A bad word of a vendor's on a reseller stops what buys, and never what gives back."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from catalog.words import BillingCycle, Term
from marketplace.accounts.models import Notification
from marketplace.core.db import Database
from marketplace.vendors.models import ProvisioningAttempt
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.provisioning.partner_checks import buys
from marketplace.vendors.provisioning.requests import Asked, SubscriptionChange, SubscriptionUpgrade
from marketplace.vendors.simulator.selling import UNKNOWN_PARTNER, UNSIGNED_PARTNER
from marketplace.vendors.values import (
    Attestation,
    Change,
    NextTerm,
    OtherPlan,
    Purchase,
    TermEnd,
    Upgrade,
)
from resellers.models import Enrolment
from tests.personas import make_personas
from tests.vendors.asking import Desk
from tests.vendors.simulated import CAMILLE, RESELLER, Simulator, bought, firm, line, open_account

NEXT = NextTerm("CFQ7TTC0LCHC", "0002", Term.P1Y, BillingCycle.MONTHLY, 10)

#: What is asked of a subscription of ten seats, and whether it buys.
ASKED: list[tuple[str, Asked, bool]] = [
    ("a purchase", Purchase("tenant", (line(),)), True),
    (
        "an upgrade",
        SubscriptionUpgrade("s", Upgrade("P", "1", 3, Term.P1Y, BillingCycle.MONTHLY)),
        True,
    ),
    ("a new account", firm(), False),
    ("an agreement", Attestation(CAMILLE, date(2025, 3, 10), "t"), False),
    ("one seat more", SubscriptionChange("s", Change(quantity=11)), True),
    ("one seat less", SubscriptionChange("s", Change(quantity=9)), False),
    ("one seat more at renewal", SubscriptionChange("s", Change(next_term=replace(NEXT, quantity=11))), True),
    ("as many at renewal", SubscriptionChange("s", Change(next_term=NEXT)), False),
    ("one seat less at renewal", SubscriptionChange("s", Change(next_term=replace(NEXT, quantity=9))), False),
    ("nothing at renewal", SubscriptionChange("s", Change(drops_next_term=True)), False),
    (
        "a longer term",
        SubscriptionChange("s", Change(plan=OtherPlan(Term.P3Y, BillingCycle.ANNUAL))),
        True,
    ),
    ("cancelled", SubscriptionChange("s", Change(is_cancelled=True)), False),
    ("suspended", SubscriptionChange("s", Change(is_suspended=True)), False),
    ("resumed", SubscriptionChange("s", Change(is_suspended=False)), False),
    ("ends with its term", SubscriptionChange("s", Change(at_term_end=TermEnd.END)), False),
    ("renews after all", SubscriptionChange("s", Change(at_term_end=TermEnd.RENEW)), False),
]


@pytest.mark.parametrize(("asked", "is_more"), [one[1:] for one in ASKED], ids=[one[0] for one in ASKED])
def test_what_buys(asked: Asked, is_more: bool) -> None:
    assert buys(asked, seats=10) is is_more


@pytest.fixture
def desk(database: Database, simulator: Simulator) -> Desk:
    with database.owner_transaction() as session:
        make_personas(session)
    return Desk(database, simulator)


@pytest.fixture
def account(connector: PartnerCenter) -> str:
    return open_account(connector).account


def words_of(desk: Desk, request: int) -> list[str]:
    """Give what came back from each try, as people read it."""
    with desk.database.owner_transaction() as session:
        return [
            str(one.words or "")
            for one in session.scalars(
                select(ProvisioningAttempt)
                .where(ProvisioningAttempt.request_id == request)
                .order_by(ProvisioningAttempt.id)
            )
        ]


def told(desk: Desk) -> list[str]:
    with desk.database.owner_transaction() as session:
        return [str(one.phrase) for one in session.scalars(select(Notification).order_by(Notification.id))]


GIVES_BACK = [Change(quantity=7), Change(is_cancelled=True), Change(at_term_end=TermEnd.END)]


class TestGivingBack:
    """The vendor is asked, and the request goes on whatever it says."""

    @pytest.mark.parametrize("change", GIVES_BACK, ids=["seats", "cancel", "renewal"])
    @pytest.mark.parametrize(
        ("partner_id", "words"),
        [
            (UNKNOWN_PARTNER, "does not know the reseller's partner id"),
            (UNSIGNED_PARTNER, "has not signed its partner agreement"),
        ],
    )
    def test_a_no_is_kept_and_told_and_the_request_goes_on(
        self,
        desk: Desk,
        connector: PartnerCenter,
        account: str,
        change: Change,
        partner_id: str,
        words: str,
    ) -> None:
        one = bought(connector, account)
        desk.enrol(partner_id)
        request = desk.change(account, one.reference, change, customer="quiberon")

        desk.work(request)

        assert desk.request(request).state == "done"
        assert desk.steps(request) == ["ask"]
        (said,) = words_of(desk, request)
        assert words in said
        assert "It was done all the same" in said
        with desk.database.owner_transaction() as session:
            found = session.scalars(select(Enrolment)).one()
            assert (found.is_known and found.has_signed, found.checked_at) == (False, desk.now)
        news = told(desk)
        assert news
        assert all(text.startswith("microsoft says of") for text in news)
        # The next one finds the same word: it is asked for again, and is no news.
        other = bought(connector, account)
        again = desk.change(account, other.reference, Change(at_term_end=TermEnd.END), customer="quiberon")
        desk.work(again)
        assert (desk.request(again).state, told(desk)) == ("done", news)

    def test_a_good_word_is_kept_and_says_nothing(
        self, desk: Desk, connector: PartnerCenter, account: str
    ) -> None:
        one = bought(connector, account)
        desk.enrol(RESELLER)
        request = desk.change(account, one.reference, Change(quantity=7), customer="quiberon")

        desk.work(request)

        assert (desk.request(request).state, words_of(desk, request)) == ("done", [""])
        with desk.database.owner_transaction() as session:
            assert session.scalars(select(Enrolment)).one().checked_at == desk.now
        assert told(desk) == []

    def test_no_word_at_all_does_not_hold_it_either(
        self, desk: Desk, connector: PartnerCenter, account: str
    ) -> None:
        one = bought(connector, account)
        desk.enrol(RESELLER)
        desk.simulator.disturb("503", times=3, path="/profiles/mpn")
        request = desk.change(account, one.reference, Change(is_cancelled=True), customer="quiberon")

        desk.work(request)

        assert desk.request(request).state == "done"
        assert "Nothing could be heard of the partner id" in words_of(desk, request)[0]
        assert connector.subscription(account, one.reference).status == "deleted"

    def test_a_vendor_that_is_away_altogether_is_left_alone_for_a_while(
        self, desk: Desk, connector: PartnerCenter, account: str
    ) -> None:
        one = bought(connector, account)
        desk.enrol(UNKNOWN_PARTNER)
        desk.simulator.disturb("503", times=3, path="/subscriptions")
        request = desk.change(account, one.reference, Change(is_cancelled=True), customer="quiberon")

        desk.work(request)
        away = desk.request(request)
        assert (away.state, away.next_attempt_at is None) == ("queued", False)
        desk.wait(minutes=1)
        desk.work(request)

        assert desk.outcomes(request) == ["queued", "done"]


def test_more_seats_are_held_by_a_no(desk: Desk, connector: PartnerCenter, account: str) -> None:
    one = bought(connector, account)
    desk.enrol(UNKNOWN_PARTNER)
    request = desk.change(account, one.reference, Change(quantity=12), customer="quiberon", buys=True)

    desk.work(request)

    assert (desk.request(request).state, desk.steps(request)) == ("failed", ["check"])
    assert connector.subscription(account, one.reference).quantity == 10
