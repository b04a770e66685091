"""Promotions: who has them, for how long, and what they make of every hop's price."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.models import Plan
from catalog.words import BillingCycle, Term
from marketplace.core.actor import Actor
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.buying import Purchase, activate
from marketplace.subscriptions.operations.changing import ChangeNotPossible, change
from marketplace.subscriptions.operations.renewing import renew_due
from marketplace.subscriptions.prices import PlanPrices, Wanted, buyers, prices_of
from marketplace.subscriptions.queries.offers import offers_of, quotes
from marketplace.subscriptions.queries.promotions import Asked, verdicts
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.changes import ChangeQuantity
from marketplace.subscriptions.rules.history import Quoted, Segment
from marketplace.subscriptions.words import AtTermEnd
from marketplace.vendors import values
from marketplace.vendors.promotions import keep_refused, left_out
from marketplace.vendors.values import Ineligibility, RefusedPromotion
from resellers.models import Customer, Hop
from tests.factories import make_customer, make_reseller, make_rule, make_wholesaler
from tests.offer_factories import make_plan, make_promotion, make_sku, noon
from tests.subscriptions.lives import at
from tests.vendors.simulated import STANDARD, line

SYSTEM = Actor.system()
DAY = date(2026, 6, 18)


def asked(plan: Plan, customer: Customer, quantity: int = 10, *, day: date = DAY, **facts: object) -> Asked:
    return Asked(plan.id, quantity, "FR", "EUR", day, customer.id, **facts)  # type: ignore[arg-type]


def quote(session: Session, ask: Asked) -> Quoted:
    return quotes(session, [ask])[ask]


def buy(
    session: Session, plan: Plan, customer: Customer, quantity: int = 10, *, on: str = "2026-06-18 10:00"
) -> Subscription:
    """Buy at the catalogue's price of the day."""
    what = quote(session, asked(plan, customer, quantity, day=at(on).date()))
    purchase = Purchase(
        customer_id=customer.id,
        vendor_account=f"tenant-{customer.reference}",
        quoted=what,
        quantity=quantity,
    )
    return activate(session, actor=SYSTEM, purchase=purchase, now=at(on))


def last(session: Session, subscription: Subscription) -> Segment:
    return standings(session, [subscription], offers={})[subscription.id].now


def test_it_is_taken_off_the_cost_and_the_list_price(session: Session) -> None:
    plan = make_plan(session, cost="180", listed="240")
    promotion = make_promotion(session, plan, percent="12.5")

    found = quote(session, asked(plan, make_customer(session)))

    assert (found.unit_cost, found.unit_listed) == (Decimal("157.5"), Decimal(210))
    assert found.promotion is not None
    assert (found.promotion.id, found.promotion.terms.reference) == (promotion.id, promotion.reference)


def test_what_the_vendor_refused_is_left_out_for_this_customer_until_it_is_forgotten(
    session: Session,
) -> None:
    plan = make_plan(session, cost="180", listed="240")
    spring = make_promotion(session, plan, percent="20", title="Spring")
    small = make_promotion(session, plan, percent="5", title="Small")
    refused, other = make_customer(session), make_customer(session)
    wanted = values.Purchase("t", (line(promotion=spring.reference),))
    # As the worker writes it.
    session.execute(
        text("SELECT set_config('role', 'none', true), set_config('search_path', 'public', true)")
    )
    keep_refused(
        session,
        customer_id=refused.id,
        vendor="microsoft",
        purchase=wanted,
        refused=[RefusedPromotion(spring.reference, Ineligibility.TERM)],
        now=at("2026-06-17 10:00"),
    )
    keep_refused(
        session,
        customer_id=refused.id,
        vendor="microsoft",
        purchase=wanted,
        refused=[RefusedPromotion(spring.reference, Ineligibility.BOUGHT_BEFORE)],
        now=at("2026-06-18 10:00"),
    )

    def promoted(customer: Customer, day: date = DAY) -> str:
        found = quote(session, asked(plan, customer, day=day)).promotion
        return found.terms.title if found else ""

    assert (promoted(refused), promoted(other)) == ("Small", "Spring")
    assert (promoted(refused, date(2026, 6, 24)), promoted(refused, date(2026, 6, 25))) == ("Small", "Spring")
    ask = asked(plan, refused)
    reasons = verdicts(session, [ask], offers_of(session, [plan.id]))[ask]
    assert [(one.promotion.id, str(one.reason or "")) for one in reasons] == [
        (spring.id, "microsoft: not for this customer, bought before."),
        (small.id, ""),
    ]


@pytest.mark.parametrize("why", [Ineligibility.SEATS, Ineligibility.NOT_SAID])
def test_what_is_refused_for_its_seats_is_left_out_for_so_many_alone(
    session: Session, why: Ineligibility
) -> None:
    plan = make_plan(session, cost="180", listed="240")
    spring = make_promotion(session, plan, percent="20")
    customer = make_customer(session)
    lines = (line(quantity=7), line(quantity=5, promotion=spring.reference), line(STANDARD, 9))
    session.execute(
        text("SELECT set_config('role', 'none', true), set_config('search_path', 'public', true)")
    )
    keep_refused(
        session,
        customer_id=customer.id,
        vendor="microsoft",
        purchase=values.Purchase("t", lines),
        refused=[RefusedPromotion(spring.reference, why)],
        now=at("2026-06-17 10:00"),
    )

    def is_promoted(seats: int, beside: int = 0) -> bool:
        ask = replace(asked(plan, customer, seats), beside=beside)
        return quote(session, ask).promotion is not None

    # Twelve were asked for: seven lines before it, and five.
    assert [is_promoted(seats) for seats in (5, 11, 12, 13)] == [True, True, False, True]
    assert (is_promoted(5, beside=7), is_promoted(5, beside=8)) == (False, True)
    shown = [
        bool(left_out(session, customer_id=customer.id, seats={(plan.id, seats)}, day=DAY))
        for seats in (11, 12)
    ]
    assert shown == [False, True]


def test_without_a_customer_the_price_is_full(session: Session) -> None:
    plan = make_plan(session, cost="180", listed="240")
    make_promotion(session, plan)

    found = quote(session, Asked(plan.id, 10, "FR", "EUR", DAY))

    assert (found.unit_cost, found.promotion) == (Decimal(180), None)


def test_of_several_the_highest_holds(session: Session) -> None:
    plan = make_plan(session, cost="100")
    make_promotion(session, plan, percent="5")
    make_promotion(session, plan, percent="20")
    make_promotion(session, plan, percent="50", segment="education")

    assert quote(session, asked(plan, make_customer(session))).unit_cost == Decimal(80)


def test_every_hop_starts_from_the_promoted_price(session: Session) -> None:
    make_wholesaler(session)
    reseller = make_reseller(session)
    customer = make_customer(session, reseller=reseller)
    plan = make_plan(session, cost="192", listed="240", billing_cycle=BillingCycle.MONTHLY)
    make_promotion(session, plan, percent="10")
    make_rule(session, Hop.WHOLESALE, percent="10", reseller=reseller)
    make_rule(session, Hop.RETAIL, percent="20", reseller=reseller)
    wanted = Wanted(buyers(session, customer_ids=[customer.id])[customer.id], plan.id, 50)

    found: PlanPrices = prices_of(session, [wanted], now=noon(DAY))[wanted]

    # Sixteen less ten percent is 14.40, and 50 of them 720: the vendor's own example.
    assert (found.vendor.unit, found.vendor.charge.minor) == (Decimal("14.4"), 72000)
    assert found.wholesale is not None
    assert found.retail is not None
    assert (found.wholesale.unit, found.retail.unit) == (Decimal("15.84"), Decimal("19.008"))


class TestWhoHasIt:
    """Seats are counted over all subscriptions of the SKU, whoever sold them."""

    def test_a_purchase_over_the_limit_is_wholly_at_full_price(self, session: Session) -> None:
        # The vendor's example: at most 1,000; one partner sold 600, and another asks for 500 more.
        sku = make_sku(session, maximum_quantity=10_000)
        plan, customer = make_plan(session, sku, cost="100"), make_customer(session)
        make_promotion(session, plan, maximum_quantity=1000)
        buy(session, plan, customer, 600)

        (verdict,) = verdicts(session, [asked(plan, customer, 500)], offers_of(session, [plan.id]))[
            asked(plan, customer, 500)
        ]

        assert verdict.available == 400
        assert quote(session, asked(plan, customer, 500)).unit_cost == Decimal(100)
        assert quote(session, asked(plan, customer, 400)).unit_cost == Decimal(90)

    def test_another_customers_seats_and_other_skus_do_not_count(self, session: Session) -> None:
        plan, customer = make_plan(session, cost="100"), make_customer(session)
        make_promotion(session, plan, maximum_quantity=10)
        buy(session, plan, make_customer(session), 10)
        buy(session, make_plan(session), customer, 10)

        assert quote(session, asked(plan, customer, 10)).unit_cost == Decimal(90)

    def test_seats_ordered_beside_it_count(self, session: Session) -> None:
        plan, customer = make_plan(session, cost="100"), make_customer(session)
        make_promotion(session, plan, maximum_quantity=10)

        assert quote(session, asked(plan, customer, 6, beside=5)).unit_cost == Decimal(100)

    def test_a_first_purchase_is_the_first_of_the_sku_and_a_trial_counts(self, session: Session) -> None:
        sku = make_sku(session)
        plan, customer, tried = (
            make_plan(session, sku, cost="100"),
            make_customer(session),
            make_customer(session),
        )
        make_promotion(session, plan, is_first_purchase_only=True)
        trial_sku = make_sku(session, "A trial")
        trial_sku.product_id, trial_sku.reference, trial_sku.is_trial = sku.product_id, "0003", True
        session.flush()
        trial = make_plan(session, trial_sku, term=Term.P1M, billing_cycle=BillingCycle.NONE, cost="0")
        buy(session, trial, tried, 25)

        assert quote(session, asked(plan, customer)).unit_cost == Decimal(90)
        assert quote(session, asked(plan, tried)).unit_cost == Decimal(100)
        buy(session, plan, customer, 1)
        assert quote(session, asked(plan, customer)).unit_cost == Decimal(100)

    def test_a_trial_that_becomes_a_purchase_has_none(self, session: Session) -> None:
        plan = make_plan(session, cost="100")
        make_promotion(session, plan)

        ask = asked(plan, make_customer(session), is_trial_conversion=True)

        assert quote(session, ask).unit_cost == Decimal(100)


class TestItsTerm:
    """It lasts as long as the price does."""

    def test_it_stays_when_it_ends_before_the_term(self, session: Session) -> None:
        plan = make_plan(session, cost="100", listed="120")
        make_promotion(session, plan, ends_on=date(2026, 7, 1))
        subscription = buy(session, plan, make_customer(session))

        change(
            session,
            actor=SYSTEM,
            subscription_id=subscription.public_id,
            change=ChangeQuantity(15),
            now=at("2026-09-01 10:00"),
        )

        segment = last(session, subscription)
        assert (segment.quantity, segment.quoted.unit_cost, segment.quoted.unit_listed) == (
            15,
            Decimal(90),
            Decimal(108),
        )
        assert segment.quoted.promotion is not None

    @pytest.mark.parametrize(
        ("ends_on", "cost"), [(date(2026, 7, 1), Decimal(100)), (date(2027, 7, 1), Decimal(90))]
    )
    def test_the_renewal_is_at_full_price_unless_one_holds_then(
        self, session: Session, ends_on: date, cost: Decimal
    ) -> None:
        plan = make_plan(session, cost="100")
        make_promotion(session, plan, ends_on=ends_on, maximum_quantity=10)
        subscription = buy(session, plan, make_customer(session))

        renew_due(session, actor=SYSTEM, day=date(2027, 6, 18), now=at("2027-06-18 03:00"))

        segment = last(session, subscription)
        assert (segment.kind.value, segment.quoted.unit_cost) == ("renew", cost)
        assert (segment.quoted.promotion is None) is (cost == 100)

    def test_an_extension_is_reckoned_from_the_full_price(self, session: Session) -> None:
        sku = make_sku(session)
        plan = make_plan(session, sku, cost="120")
        monthly = make_plan(session, sku, term=Term.P1M, cost="12")
        make_promotion(session, plan, monthly)
        subscription = buy(session, plan, make_customer(session))
        subscription.at_term_end = AtTermEnd.EXTEND.value

        renew_due(session, actor=SYSTEM, day=date(2027, 6, 18), now=at("2027-06-18 03:00"))

        segment = last(session, subscription)
        assert (segment.quoted.unit_cost, segment.quoted.promotion) == (Decimal("12.36"), None)

    def test_seats_are_added_up_to_its_limit_and_not_over(self, session: Session) -> None:
        plan = make_plan(session, cost="100")
        make_promotion(session, plan, title="Small firms", maximum_quantity=12)
        subscription = buy(session, plan, make_customer(session))

        def have(seats: int) -> None:
            change(
                session,
                actor=SYSTEM,
                subscription_id=subscription.public_id,
                change=ChangeQuantity(seats),
                now=at("2026-06-20 10:00"),
            )

        have(12)
        with pytest.raises(ChangeNotPossible, match="Small firms is for at most 12 seats"):
            have(13)
        have(11)
        assert last(session, subscription).quoted.unit_cost == Decimal(90)


def test_what_is_given_away_is_kept_as_nothing(session: Session) -> None:
    plan = make_plan(session, cost="100", listed="120")
    make_promotion(session, plan, percent="100")

    subscription = buy(session, plan, make_customer(session))

    quoted = last(session, subscription).quoted
    assert (quoted.unit_cost, quoted.unit_listed) == (Decimal(0), Decimal(0))
