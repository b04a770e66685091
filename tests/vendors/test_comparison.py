"""What vendors have is compared with what we have; people see what differs until it agrees again."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from catalog.words import BillingCycle, Term
from marketplace.core.db import Database
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.comparing import compare_all
from marketplace.vendors.comparison import Difference, KnownSubscription, differences
from marketplace.vendors.errors import VendorUnavailable
from marketplace.vendors.manual.connector import ByHand
from marketplace.vendors.models import OutsideChange
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import Change, SubscriptionStatus, VendorSubscription
from tests.factories import make_customer
from tests.vendors.simulated import Simulator, bought, open_account

OURS = KnownSubscription("S-1", "Premium", 10, True, False, True, date(2026, 3, 10))
THEIRS = VendorSubscription(
    reference="s-1",
    account="tenant",
    item="P:S:A",
    name="Premium",
    friendly_name="Premium",
    quantity=10,
    status=SubscriptionStatus.ACTIVE,
    auto_renew=True,
    term=Term.P1Y,
    billing_cycle=BillingCycle.MONTHLY,
    starts_at=datetime(2025, 3, 10, tzinfo=UTC),
    ends_on=date(2026, 3, 10),
)
ENDED = replace(OURS, is_running=False)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (OURS, THEIRS, []),
        (OURS, replace(THEIRS, quantity=20), [("quantity", "10", "20")]),
        (OURS, replace(THEIRS, auto_renew=False), [("auto_renew", "yes", "no")]),
        (OURS, replace(THEIRS, ends_on=date(2026, 4, 1)), [("ends_on", "2026-03-10", "2026-04-01")]),
        (OURS, replace(THEIRS, status=SubscriptionStatus.SUSPENDED), [("status", "active", "suspended")]),
        (OURS, replace(THEIRS, status=SubscriptionStatus.DELETED), [("status", "active", "ended")]),
        (replace(OURS, has_next_term=True), THEIRS, [("next_term", "yes", "no")]),
        # While it is being provisioned nothing is to be concluded.
        (OURS, replace(THEIRS, status=SubscriptionStatus.PENDING, quantity=1), []),
        (OURS, None, [("missing", "10", "")]),
        (None, THEIRS, [("unknown", "", "10")]),
        (None, replace(THEIRS, status=SubscriptionStatus.EXPIRED), []),
        (ENDED, None, []),
        (ENDED, replace(THEIRS, status=SubscriptionStatus.DELETED, quantity=3), []),
        (ENDED, THEIRS, [("status", "ended", "active")]),
    ],
)
def test_what_differs(
    ours: KnownSubscription | None,
    theirs: VendorSubscription | None,
    expected: list[tuple[str, str, str]],
) -> None:
    found = differences([ours] if ours else [], [theirs] if theirs else [])

    assert [(one.kind, one.ours, one.theirs) for one in found] == expected


def test_several_things_may_differ_at_once() -> None:
    found = list(differences([OURS], [replace(THEIRS, quantity=1, auto_renew=False)]))

    assert found == [
        Difference("S-1", "Premium", "quantity", "10", "1"),
        Difference("S-1", "Premium", "auto_renew", "yes", "no"),
    ]


def _subscribe(database: Database, account: str, reference: str) -> None:
    with database.owner_transaction() as session:
        session.add(
            Subscription(
                customer_id=make_customer(session).id,
                vendor="microsoft",
                vendor_account=account,
                vendor_subscription_id=reference,
                friendly_name="Premium",
                currency="EUR",
                plan_id=1,
                quantity=10,
                term_start=date(2025, 3, 10),
                term_end=date(2026, 3, 10),
            )
        )


def open_changes(database: Database) -> list[tuple[str, str, str]]:
    with database.owner_transaction() as session:
        found = session.scalars(
            select(OutsideChange).where(OutsideChange.settled_at.is_(None)).order_by(OutsideChange.id)
        )
        return [(one.kind, one.ours, one.theirs) for one in found]


def test_a_change_in_the_vendors_portal_is_found_once_and_goes_when_it_is_undone(
    database: Database, simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    one = bought(connector, account)
    _subscribe(database, account, one.reference)
    now = datetime(2025, 3, 11, 3, 20, tzinfo=UTC)

    def compare(days: int) -> int:
        return compare_all(
            database, connect=lambda _vendor: simulator.connector(), now=now + timedelta(days=days)
        )

    agreed = compare(0)
    simulator.tell(f"subscriptions/{one.reference}", quantity=20)
    first, again = compare(1), compare(2)
    shown = open_changes(database)
    connector.change(account, one.reference, Change(quantity=10), key=uuid4())
    undone = compare(3)

    assert (agreed, first, again, undone) == (0, 1, 0, 0)
    assert shown == [("quantity", "10", "20")]
    assert open_changes(database) == []


def test_what_the_vendor_sold_without_us_and_what_it_does_not_know(
    database: Database, simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    bought(connector, account)
    _subscribe(database, account, "00000000-0000-0000-0000-000000000000")
    _subscribe(database, "no-such-tenant", "11111111-0000-0000-0000-000000000000")

    compare_all(
        database, connect=lambda _vendor: simulator.connector(), now=datetime(2025, 3, 11, tzinfo=UTC)
    )

    assert sorted(open_changes(database)) == [
        ("missing", "10", ""),
        ("missing", "10", ""),
        ("unknown", "", "10"),
    ]


def test_a_vendor_that_is_away_concludes_nothing(
    database: Database, simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    _subscribe(database, account, "00000000-0000-0000-0000-000000000000")
    simulator.disturb("503", times=3)

    with pytest.raises(VendorUnavailable):
        compare_all(
            database, connect=lambda _vendor: simulator.connector(), now=datetime(2025, 3, 11, tzinfo=UTC)
        )

    assert open_changes(database) == []


def test_vendors_served_by_hand_are_not_asked(database: Database) -> None:
    _subscribe(database, "tenant", "22222222-0000-0000-0000-000000000000")

    with closing(ByHand("microsoft")) as by_hand:
        found = compare_all(database, connect=lambda _vendor: by_hand, now=datetime(2025, 3, 11, tzinfo=UTC))

    assert found == 0
