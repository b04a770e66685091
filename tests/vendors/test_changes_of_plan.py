"""Changes of plan and of what happens at the end of a term, asked of the simulator as of the vendor."""

from uuid import uuid4

import pytest

from catalog.words import BillingCycle, Term
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import Change, NextTerm, OtherPlan, SubscriptionStatus, TermEnd, Upgrade
from tests.vendors.simulated import BASIC, PREMIUM, STANDARD, Simulator, bought, line, open_account
from tests.vendors.test_partner_center import refusal_of

TRIAL = ("CFQ7TTC0LCHC", "0003")


@pytest.fixture
def account(connector: PartnerCenter) -> str:
    """Somebody who may buy."""
    return open_account(connector).account


@pytest.mark.parametrize(
    ("term", "cycle"),
    [
        (Term.P1Y, BillingCycle.MONTHLY),
        (Term.P1Y, BillingCycle.ANNUAL),
        (Term.P3Y, BillingCycle.TRIENNIAL),
    ],
)
def test_a_month_becomes_a_longer_term_at_once_and_keeps_no_window(
    simulator: Simulator, connector: PartnerCenter, account: str, term: Term, cycle: BillingCycle
) -> None:
    one = bought(connector, account, line(term=Term.P1M))
    simulator.at("2025-03-20T09:00:00Z")

    changed = connector.change(account, one.reference, Change(plan=OtherPlan(term, cycle)), key=uuid4())

    assert (changed.term, changed.billing_cycle) == (term, cycle)
    years = 1 if term is Term.P1Y else 3
    assert str(changed.ends_on) == f"{2025 + years}-03-20"
    assert (changed.may_cancel_until, changed.reducible) == (None, ())


def moved(quantity: int, into: str) -> Upgrade:
    return Upgrade(*PREMIUM, quantity, Term.P1Y, BillingCycle.MONTHLY, into)


@pytest.mark.parametrize(("quantity", "left"), [(4, 6), (10, 0)])
def test_seats_are_upgraded_into_a_subscription_there_is(
    simulator: Simulator, connector: PartnerCenter, account: str, quantity: int, left: int
) -> None:
    one = bought(connector, account, line(BASIC, 10))
    target = bought(connector, account, line(PREMIUM, 5))
    simulator.at("2025-03-20T09:00:00Z")

    done = connector.upgrade(account, one.reference, moved(quantity, target.reference), key=uuid4())

    assert (done.is_done, done.to_subscription) == (True, target.reference)
    found = connector.subscription(account, target.reference)
    assert (found.quantity, found.ends_on, found.reducible) == (5 + quantity, target.ends_on, ())
    source = connector.subscription(account, one.reference)
    if left:
        assert (source.status, source.quantity) == (SubscriptionStatus.ACTIVE, left)
    else:
        assert source.status is SubscriptionStatus.DELETED


def test_a_subscription_that_cannot_take_upgraded_seats_is_refused(
    simulator: Simulator, connector: PartnerCenter, account: str
) -> None:
    month = bought(connector, account, line(PREMIUM, 5, term=Term.P1M))
    another = bought(connector, account, line(STANDARD, 5))
    sooner = bought(connector, account, line(PREMIUM, 5))
    simulator.at("2025-03-20T09:00:00Z")
    one = bought(connector, account, line(BASIC, 10))
    late = bought(connector, account, line(PREMIUM, 5))

    for code, target in (("900267", month), ("900258", another), ("900269", sooner), ("900260", late)):
        with refusal_of(code):
            connector.upgrade(account, one.reference, moved(4, target.reference), key=uuid4())
    assert connector.subscription(account, one.reference).quantity == 10


@pytest.mark.parametrize("term", [Term.P1M, Term.P1Y])
def test_a_term_is_never_made_shorter_nor_a_year_paid_otherwise(
    connector: PartnerCenter, account: str, term: Term
) -> None:
    one = bought(connector, account, line(term=Term.P1Y, cycle=BillingCycle.ANNUAL))

    with refusal_of("800122"):
        connector.change(
            account, one.reference, Change(plan=OtherPlan(term, BillingCycle.MONTHLY)), key=uuid4()
        )


def test_three_years_are_paid_otherwise_from_the_next_charge_on(
    simulator: Simulator, connector: PartnerCenter, account: str
) -> None:
    one = bought(connector, account, line(term=Term.P3Y))
    plan = OtherPlan(Term.P3Y, BillingCycle.ANNUAL)

    asked = connector.change(account, one.reference, Change(plan=plan), key=uuid4())
    assert asked.billing_cycle is BillingCycle.MONTHLY
    simulator.at("2025-04-11T09:00:00Z")

    found = connector.subscription(account, one.reference)
    assert (found.billing_cycle, found.ends_on) == (BillingCycle.ANNUAL, one.ends_on)


@pytest.mark.parametrize(
    ("choice", "status", "term"),
    [
        (TermEnd.RENEW, SubscriptionStatus.ACTIVE, Term.P1Y),
        (TermEnd.EXTEND, SubscriptionStatus.ACTIVE, Term.P1M),
        (TermEnd.END, SubscriptionStatus.EXPIRED, Term.P1Y),
    ],
)
def test_a_term_renews_runs_on_or_ends_as_it_was_said(
    simulator: Simulator,
    connector: PartnerCenter,
    account: str,
    choice: TermEnd,
    status: SubscriptionStatus,
    term: Term,
) -> None:
    simulator.at("2025-06-10T09:00:00Z")
    one = bought(connector, account)

    connector.change(account, one.reference, Change(at_term_end=TermEnd.END), key=uuid4())
    connector.change(account, one.reference, Change(at_term_end=choice), key=uuid4())
    simulator.at("2026-06-12T09:00:00Z")

    found = connector.subscription(account, one.reference)
    assert (found.status, found.term) == (status, term)


class TestUpgrades:
    """An upgrade may bring a longer term and another way of paying with it."""

    def test_all_seats_begin_a_longer_term(self, connector: PartnerCenter, account: str) -> None:
        one = bought(connector, account, line(BASIC))
        upgrade = Upgrade(*PREMIUM, 10, Term.P3Y, BillingCycle.ANNUAL)

        done = connector.upgrade(account, one.reference, upgrade, key=uuid4())

        assert (done.is_done, done.to_subscription) == (True, one.reference)
        found = connector.subscription(account, one.reference)
        assert (found.term, found.billing_cycle) == (Term.P3Y, BillingCycle.ANNUAL)
        assert str(found.ends_on) == "2028-03-10"
        assert found.item.startswith("CFQ7TTC0LCHC:0002:")

    def test_some_seats_paid_otherwise_end_with_theirs(
        self, simulator: Simulator, connector: PartnerCenter, account: str
    ) -> None:
        one = bought(connector, account, line(BASIC))
        simulator.at("2025-05-02T09:00:00Z")
        upgrade = Upgrade(*STANDARD, 4, Term.P1Y, BillingCycle.ANNUAL)

        done = connector.upgrade(account, one.reference, upgrade, key=uuid4())

        source = connector.subscription(account, one.reference)
        target = connector.subscription(account, done.to_subscription)
        assert (source.quantity, target.quantity) == (6, 4)
        assert (target.ends_on, target.billing_cycle) == (source.ends_on, BillingCycle.ANNUAL)


class TestTrials:
    """A trial is converted with at least its twenty-five seats, or when it ends."""

    def test_it_becomes_what_it_was_a_trial_of(self, connector: PartnerCenter, account: str) -> None:
        one = bought(connector, account, line(TRIAL, 25, term=Term.P1M, cycle=BillingCycle.NONE))
        wanted = Upgrade(*PREMIUM, 30, Term.P1Y, BillingCycle.MONTHLY)

        done = connector.upgrade(account, one.reference, wanted, key=uuid4())

        found = connector.subscription(account, done.to_subscription)
        assert (found.reference, found.quantity, found.is_trial) == (one.reference, 30, False)
        assert str(found.ends_on) == "2026-03-10"

    def test_fewer_seats_wait_for_its_end(self, connector: PartnerCenter, account: str) -> None:
        one = bought(connector, account, line(TRIAL, 25, term=Term.P1M, cycle=BillingCycle.NONE))

        with refusal_of("900236"):
            connector.upgrade(
                account, one.reference, Upgrade(*PREMIUM, 5, Term.P1Y, BillingCycle.MONTHLY), key=uuid4()
            )
        wanted = NextTerm(*PREMIUM, Term.P1Y, BillingCycle.MONTHLY, 5)
        changed = connector.change(account, one.reference, Change(next_term=wanted), key=uuid4())
        assert changed.next_term == wanted


def test_what_was_scheduled_is_taken_back(connector: PartnerCenter, account: str) -> None:
    one = bought(connector, account)
    wanted = NextTerm(*PREMIUM, Term.P1Y, BillingCycle.ANNUAL, 5)
    connector.change(account, one.reference, Change(next_term=wanted), key=uuid4())

    found = connector.change(account, one.reference, Change(drops_next_term=True), key=uuid4())

    assert found.next_term is None


def test_a_purchase_tells_its_instant_beside_the_midnight_its_term_begins_with(
    connector: PartnerCenter, account: str
) -> None:
    one = bought(connector, account)

    assert (one.starts_at.hour, one.windows_from.hour) == (0, 9)
    assert one.may_cancel_until is not None
    assert (one.may_cancel_until - one.windows_from).total_seconds() == 168 * 3600
