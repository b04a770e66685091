"""Each kind of change as an order: what the vendor is asked, what the subscription becomes, what it commits to."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from catalog.models import Plan, SkuRelation
from catalog.words import BillingCycle, RelationKind, Term
from marketplace.core.errors import NotFound
from marketplace.orders.models import Order, OrderPrice
from marketplace.orders.operations.changing import AnotherChangeWaits
from marketplace.orders.operations.fulfilling import follow
from marketplace.orders.rules.change_data import as_data, change_words, from_data
from marketplace.subscriptions.models import ScheduledChange, Subscription, SubscriptionSegment
from marketplace.subscriptions.operations import changing as subscriptions
from marketplace.subscriptions.previews import price_change
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeAtRenewal,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    ConvertTrial,
    RenewAsItIs,
    Resume,
    SetTermEnd,
    Suspend,
    Upgrade,
)
from marketplace.subscriptions.rules.decisions import decide
from marketplace.subscriptions.rules.history import Quoted, Standing
from marketplace.subscriptions.rules.preview import sums
from marketplace.subscriptions.words import AtTermEnd
from marketplace.vendors.provisioning.operations import ReferenceMissing, complete_by_hand
from marketplace.vendors.provisioning.requests import Provisioned, ProvisionedLine, result_as_data
from marketplace.vendors.values import SubscriptionStatus, VendorSubscription
from tests.factories import make_customer, make_subscription
from tests.offer_factories import make_plan, make_price, make_sku, priced
from tests.orders.shop import NOW, SYSTEM, TODAY, Shop
from tests.orders.test_bulk_and_changes import bought, change

LATER = NOW + timedelta(days=30)


def better(shop: Shop, *, term: Term = Term.P1Y, cycle: BillingCycle = BillingCycle.MONTHLY) -> Quoted:
    """Sell a better product that what the shop sells may be upgraded to: 360 for a year."""
    sku = make_sku(shop.session, "Microsoft 365 E3")
    relate(shop, RelationKind.UPGRADE, shop.plan.sku_id, sku.id)
    return priced(shop.session, make_plan(shop.session, sku, term=term, billing_cycle=cycle, cost="360"))


def relate(shop: Shop, kind: RelationKind, sku_id: int, target_id: int) -> None:
    shop.session.add(SkuRelation(sku_id=sku_id, kind=kind.value, target_sku_id=target_id))
    shop.session.flush()


def otherwise(shop: Shop, term: Term, cycle: BillingCycle, *, of: Plan | None = None) -> Quoted:
    """Sell the same product for another term or paid by another cycle."""
    plan = Plan(sku_id=(of or shop.plan).sku_id, term=term.value, billing_cycle=cycle.value, status="on_sale")
    shop.session.add(plan)
    shop.session.flush()
    make_price(shop.session, plan, cost="150")
    return priced(shop.session, plan)


def asked(shop: Shop, order: Order) -> dict[str, Any]:
    """Give what the vendor is asked, without what is not asked."""
    (request,) = shop.requests(order)
    told = request.asked.get("change") or request.asked.get("upgrade") or {}
    return {name: value for name, value in told.items() if value not in (None, False, "")}


def done(shop: Shop, order: Order) -> Order:
    return shop.fulfil(order, now=LATER)


PLAIN: list[tuple[Change, dict[str, Any], dict[str, Any]]] = [
    (Suspend(), {"is_suspended": True}, {"status": "suspended", "at_term_end": "end"}),
    (SetTermEnd(AtTermEnd.END), {"at_term_end": "end"}, {"at_term_end": "end"}),
    (SetTermEnd(AtTermEnd.EXTEND), {"at_term_end": "extend"}, {"at_term_end": "extend"}),
    (Cancel(), {"at_term_end": "end"}, {"at_term_end": "end", "status": "active"}),
]


@pytest.mark.parametrize(("what", "told", "becomes"), PLAIN)
def test_the_vendor_is_asked_and_the_subscription_follows(
    shop: Shop, what: Change, told: dict[str, Any], becomes: dict[str, Any]
) -> None:
    subscription = bought(shop)

    order = change(shop, subscription, what)

    assert asked(shop, order) == told
    assert (subscription.status, subscription.at_term_end) == ("active", "renew")
    done(shop, order)
    assert {name: getattr(subscription, name) for name in becomes} == becomes
    assert order.state == "completed"


def test_what_was_suspended_is_resumed_and_renewal_is_turned_on_again(shop: Shop) -> None:
    subscription = bought(shop)
    done(shop, change(shop, subscription, Suspend()))

    resumed = change(shop, subscription, Resume())
    # False is told, and not left out.
    assert shop.requests(resumed)[0].asked["change"]["is_suspended"] is False
    done(shop, resumed)
    done(shop, change(shop, subscription, SetTermEnd(AtTermEnd.RENEW)))

    assert (subscription.status, subscription.at_term_end) == ("active", "renew")


class TestUpgrades:
    """All seats stay in the subscription; some go to one of their own."""

    def test_all_seats_become_the_better_product(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)
        end = subscription.term_end

        order = change(shop, subscription, Upgrade(target, 10))

        product, _, sku = target.offer.sku.rpartition(":")
        assert asked(shop, order) == {
            "to_product": product,
            "to_sku": sku,
            "quantity": 10,
            "term": "P1Y",
            "billing_cycle": "monthly",
        }
        done(shop, order)
        assert (subscription.plan_id, subscription.quantity, subscription.term_end) == (
            target.offer.plan_id,
            10,
            end,
        )
        assert subscription.friendly_name == "Microsoft 365 E3"
        assert shop.lines(order)[0].became_id == subscription.id

    def test_it_commits_to_the_difference_at_the_rules_of_each_product(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)

        order = change(shop, subscription, Upgrade(target, 10))

        prices = {
            price.hop: price
            for price in shop.session.scalars(
                select(OrderPrice).where(OrderPrice.line_id == shop.lines(order)[0].id)
            )
        }
        # Eleven of twelve months are left: ten seats at 30 instead of 15, ten percent more at the next hop.
        assert prices["vendor"].commitment_minor == 10 * 11 * 1500
        assert prices["wholesale"].commitment_minor == 10 * 11 * 1650
        assert prices["vendor"].unit_term == Decimal(360)
        assert prices["wholesale"].charge_minor == 10 * 3300

    def test_some_seats_go_to_a_subscription_that_ends_with_theirs(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)

        order = change(shop, subscription, Upgrade(target, 4))
        (request,) = shop.requests(order)
        request.state, request.ended_at = "done", LATER
        request.result = result_as_data(
            Provisioned(
                "op-1",
                tuple(
                    ProvisionedLine(number, vendors(name))
                    for number, name in enumerate((subscription.vendor_subscription_id, "new-at-vendor"))
                ),
            )
        )
        follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=LATER)

        other = shop.session.scalars(
            select(Subscription).where(Subscription.vendor_subscription_id == "new-at-vendor")
        ).one()
        assert (subscription.quantity, other.quantity) == (6, 4)
        assert (other.plan_id, other.term_end) == (target.offer.plan_id, subscription.term_end)
        assert shop.lines(order)[0].became_id == other.id

    @pytest.mark.parametrize(("quantity", "left", "status"), [(4, 6, "active"), (10, 0, "cancelled")])
    def test_seats_go_into_a_subscription_there_is(
        self, shop: Shop, quantity: int, left: int, status: str
    ) -> None:
        subscription, target = bought(shop), better(shop)
        into = taking(shop, subscription, target)
        done(shop, change(shop, into, ChangeAtRenewal(quantity=3)))
        what = Upgrade(target, quantity, into.public_id, standing_of(shop, into))

        order = change(shop, subscription, what, now=LATER)

        (request,) = shop.requests(order)
        assert (request.asked["upgrade"]["to_subscription"], request.buys) == ("e3-there", True)
        assert request.asked["makes_another"] is False
        assert "into the subscription of it there is" in change_words(shop.lines(order)[0].change or {})
        # What it moves into waits too.
        with pytest.raises(AnotherChangeWaits):
            change(shop, into, ChangeQuantity(9), now=LATER)
        done(shop, order)

        assert (subscription.quantity, subscription.status) == (left, status)
        assert (into.quantity, into.vendor_subscription_id) == (5 + quantity, "e3-there")
        assert shop.lines(order)[0].became_id == into.id
        # The vendor drops what was scheduled for one whose seats change.
        assert shop.session.scalars(select(ScheduledChange)).one().ended_at is not None

    def test_what_was_shown_of_seats_that_go_into_another_is_what_is_charged(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)
        into = taking(shop, subscription, target)
        what = Upgrade(target, 4, into.public_id, standing_of(shop, into))
        shown = price_change(shop.session, subscription, standing_of(shop, subscription), what, now=LATER)

        done(shop, change(shop, subscription, what, now=LATER))

        made = [
            charge
            for one in (subscription, into)
            for charge in standing_of(shop, one).charges()
            if charge.billed_on == LATER.date() and charge.kind.value in {"convert", "moveQuantity"}
        ]
        assert sums(made) == sums(shown.preview.made_now)
        # Four seats of 15 a month go, and come back at 30: ten percent more at the next hop.
        assert shown.hops["wholesale"].now.minor == 4 * 1650

    def test_seats_never_go_to_another_customer(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)
        other = make_customer(shop.session, reseller=shop.nord)
        into = make_subscription(shop.session, other, what=target, on=NOW, vendor_id="e3-elsewhere")

        with pytest.raises(NotFound):
            change(shop, subscription, Upgrade(target, 4, into.public_id, standing_of(shop, into)))

    def test_done_by_hand_the_new_one_is_known_by_the_reference_staff_note(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)
        own = subscription.vendor_subscription_id
        order = change(shop, subscription, Upgrade(target, 4))
        (request,) = shop.requests(order)
        request.state = "by_hand"

        with pytest.raises(ReferenceMissing):
            by_hand(shop, order, {1: " "})
        by_hand(shop, order, {1: " E3-77 "})

        other = shop.session.get_one(Subscription, shop.lines(order)[0].became_id)
        assert (order.state, other.vendor_subscription_id, other.quantity) == ("completed", "E3-77", 4)
        assert (subscription.vendor_subscription_id, subscription.quantity) == (own, 6)

    def test_done_by_hand_for_all_seats_no_other_is_asked_for(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)
        own = subscription.vendor_subscription_id
        order = change(shop, subscription, Upgrade(target, 10))
        (request,) = shop.requests(order)
        request.state = "by_hand"

        by_hand(shop, order, {})

        assert (order.state, subscription.vendor_subscription_id) == ("completed", own)


def taking(shop: Shop, beside: Subscription, target: Quoted) -> Subscription:
    """Give five seats of a better product that Carla has as long as the others."""
    into = make_subscription(shop.session, shop.carla, what=target, quantity=5, on=NOW, vendor_id="e3-there")
    into.vendor_account = beside.vendor_account
    shop.session.flush()
    return into


def standing_of(shop: Shop, one: Subscription) -> Standing:
    offers = offers_of(shop.session, [row.plan_id for row in shop.session.scalars(select(Subscription))])
    return standings(shop.session, [one], offers=offers)[one.id]


def by_hand(shop: Shop, order: Order, references: dict[int, str]) -> None:
    (request,) = shop.requests(order)
    complete_by_hand(
        shop.session,
        actor=shop.wanda,
        request_id=request.public_id,
        order="V-9",
        references=references,
        now=LATER,
    )
    follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=LATER)


class TestPlans:
    """Another term or way of paying, now or when the vendor allows it."""

    def test_a_longer_term_begins_at_once(self, shop: Shop) -> None:
        subscription = bought(shop)
        target = otherwise(shop, Term.P3Y, BillingCycle.ANNUAL)

        order = change(shop, subscription, ChangeTerm(target))

        assert asked(shop, order) == {"plan": {"term": "P3Y", "billing_cycle": "annual"}}
        done(shop, order)
        assert (subscription.plan_id, subscription.term_start) == (target.offer.plan_id, LATER.date())
        assert subscription.term_end == date(2029, 7, 18)

    def test_another_way_of_paying_a_year_waits_for_the_renewal(self, shop: Shop) -> None:
        subscription = bought(shop)
        target = otherwise(shop, Term.P1Y, BillingCycle.ANNUAL)

        order = change(shop, subscription, ChangeBilling(target))

        assert asked(shop, order)["next_term"]["billing_cycle"] == "annual"
        done(shop, order)
        waiting = shop.session.scalars(select(ScheduledChange)).one()
        assert (waiting.waits_for, waiting.plan_id) == ("renewal", target.offer.plan_id)

    def test_three_years_are_paid_otherwise_from_the_next_charge_on(self, shop: Shop) -> None:
        first = otherwise(shop, Term.P3Y, BillingCycle.MONTHLY)
        subscription = make_subscription(shop.session, shop.carla, what=first, on=NOW, vendor_id="three")
        target = otherwise(shop, Term.P3Y, BillingCycle.ANNUAL)

        order = change(shop, subscription, ChangeBilling(target))

        assert asked(shop, order) == {"plan": {"term": "P3Y", "billing_cycle": "annual"}}
        done(shop, order)
        waiting = shop.session.scalars(select(ScheduledChange)).one()
        assert (waiting.waits_for, waiting.due_on) == ("next_charge", date(2026, 8, 18))


class TestRenewals:
    """What waits for the renewal, and no more."""

    def test_seats_plan_and_end_of_the_next_term_wait(self, shop: Shop) -> None:
        subscription, target = bought(shop), better(shop)
        end = date(2028, 6, 1)

        order = change(shop, subscription, ChangeAtRenewal(quantity=7, quoted=target, custom_end=end))

        told = asked(shop, order)["next_term"]
        assert (told["quantity"], told["ends_on"]) == (7, "2028-06-01")
        assert f"{told['product']}:{told['sku']}" == target.offer.sku
        done(shop, order)
        waiting = shop.session.scalars(select(ScheduledChange)).one()
        assert (waiting.quantity, waiting.plan_id, waiting.custom_end) == (7, target.offer.plan_id, end)

    def test_it_is_undone(self, shop: Shop) -> None:
        subscription = bought(shop)
        done(shop, change(shop, subscription, ChangeAtRenewal(quantity=7)))

        order = change(shop, subscription, RenewAsItIs())

        assert asked(shop, order) == {"drops_next_term": True}
        done(shop, order)
        waiting = shop.session.scalars(select(ScheduledChange)).one()
        assert (waiting.ended_at is not None, waiting.was_carried_out) == (True, False)


def test_a_trial_becomes_what_it_was_a_trial_of(shop: Shop) -> None:
    sku = make_sku(shop.session, "Microsoft 365 Business Premium Trial")
    sku.is_trial = True
    relate(shop, RelationKind.CONVERSION, sku.id, shop.plan.sku_id)
    trial = priced(
        shop.session,
        make_plan(shop.session, sku, term=Term.P1M, billing_cycle=BillingCycle.NONE, cost="0"),
    )
    subscription = make_subscription(
        shop.session, shop.carla, what=trial, quantity=25, on=NOW, vendor_id="trial-1"
    )
    paid = priced(shop.session, shop.plan)

    order = change(shop, subscription, ConvertTrial(paid, 30), now=NOW + timedelta(days=5))

    assert asked(shop, order)["quantity"] == 30
    shop.fulfil(order, now=NOW + timedelta(days=5))
    assert (subscription.plan_id, subscription.quantity) == (shop.plan.id, 30)
    assert subscription.term_end == date(2027, 6, 23)


def test_what_the_vendor_did_and_we_cannot_follow_is_for_people_to_look_at(shop: Shop) -> None:
    subscription = bought(shop)
    order = change(shop, subscription, ChangeQuantity(12))
    # Meanwhile it ended here by another way.
    change_outside(shop, subscription)

    done(shop, order)
    follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=LATER)

    assert (order.state, subscription.quantity) == ("failed", 0)
    assert "The subscription has ended" in str(order.reason)


def change_outside(shop: Shop, subscription: Subscription) -> None:
    subscriptions.change(
        shop.session,
        actor=SYSTEM,
        subscription_id=subscription.public_id,
        change=Cancel(),
        now=NOW + timedelta(days=1),
    )


MAKES: list[Callable[[Quoted], Change]] = [
    lambda quoted: Upgrade(quoted, 3),
    lambda quoted: Upgrade(quoted, 3, UUID(int=7)),
    lambda quoted: ConvertTrial(quoted, 25),
    ChangeTerm,
    ChangeBilling,
    lambda quoted: ChangeAtRenewal(quantity=2, quoted=quoted, custom_end=date(2027, 1, 1)),
    lambda _: ChangeAtRenewal(quantity=2),
    lambda _: ChangeQuantity(2),
    lambda _: RenewAsItIs(),
    lambda _: Suspend(),
    lambda _: Resume(),
    lambda _: Cancel(),
    lambda _: SetTermEnd(AtTermEnd.EXTEND),
]


@pytest.mark.parametrize("make", MAKES, ids=range(len(MAKES)))
def test_what_is_kept_is_read_back_and_said_and_tells_no_price(
    shop: Shop, make: Callable[[Quoted], Change]
) -> None:
    quoted = priced(shop.session, shop.plan)
    what = make(quoted)

    assert from_data(as_data(what), quoted) == what
    assert "180" not in str(as_data(what))
    assert change_words(as_data(what))


def vendors(reference: str, *, bought_at: datetime | None = None) -> VendorSubscription:
    """Give a subscription as the vendor tells it: from midnight, whenever it was bought."""
    return VendorSubscription(
        reference=reference,
        account="tenant",
        item="",
        name="",
        friendly_name="",
        quantity=10,
        status=SubscriptionStatus.ACTIVE,
        auto_renew=True,
        term=Term.P1Y,
        billing_cycle=BillingCycle.MONTHLY,
        starts_at=datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC),
        ends_on=None,
        bought_at=bought_at,
    )


#: Bought at ten to midnight: hours since, and what a cancellation comes to.
WINDOW = [
    (timedelta(hours=23, minutes=59), "now", TODAY),
    (timedelta(hours=24), "now", TODAY + timedelta(days=1)),
    (timedelta(hours=167, minutes=59), "now", TODAY + timedelta(days=7)),
    (timedelta(hours=168), "renewal", None),
]


@pytest.mark.parametrize(("since", "when", "back_from"), WINDOW)
def test_windows_count_from_the_instant_the_vendor_confirmed_and_charges_from_the_day(
    shop: Shop, since: timedelta, when: str, back_from: date | None
) -> None:
    confirmed = datetime(TODAY.year, TODAY.month, TODAY.day, 23, 50, tzinfo=UTC)
    order = shop.order(10)
    (request,) = shop.requests(order)
    request.state, request.ended_at = "done", confirmed
    line = ProvisionedLine(1, vendors("v-1", bought_at=confirmed))
    request.result = result_as_data(Provisioned("V-1", (line,)))
    follow(shop.session, actor=SYSTEM, order_id=order.public_id, now=confirmed + timedelta(minutes=30))

    subscription = shop.session.get_one(Subscription, shop.lines(order)[0].became_id)
    assert subscription.term_start == TODAY
    standing = standings(
        shop.session, [subscription], offers=offers_of(shop.session, [subscription.plan_id])
    )[subscription.id]
    now = confirmed + since
    assert decide(Cancel(), standing, now).when == when
    if back_from is None:
        return
    shop.fulfil(change(shop, subscription, Cancel(), now=now), now=now)
    last = shop.session.scalars(
        select(SubscriptionSegment).order_by(SubscriptionSegment.number.desc()).limit(1)
    ).one()
    assert (last.kind, last.since) == ("cancelImmediate", back_from)
