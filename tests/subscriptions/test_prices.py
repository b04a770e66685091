"""Prices of every hop: by the catalogue and the rules of the day, as the close charges them, and to whom they show."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.queries.prices import prices_in_force
from catalog.words import BillingCycle
from marketplace.billing.closing import close_period
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.db import Database
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.settings import Settings
from marketplace.subscriptions.prices import NOBODY, PlanPrices, Wanted, buyers, prices_of
from resellers.models import Basis, Customer, Hop
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_fx, make_mapping, make_reseller, make_rule, make_wholesaler
from tests.offer_factories import make_plan, make_price, make_promotion, make_sku, noon
from tests.web.buyers import Statements

DAY = date(2026, 6, 18)


def price(
    session: Session,
    customer: Customer,
    plan_id: int,
    quantity: int = 10,
    *,
    day: date = DAY,
    custom_end: date | None = None,
) -> PlanPrices | None:
    buyer = buyers(session, customer_ids=[customer.id])[customer.id]
    wanted = Wanted(buyer, plan_id, quantity, custom_end)
    return prices_of(session, [wanted], now=noon(day)).get(wanted)


class TestPricing:
    """From the vendor's price to the customer's."""

    def test_each_hop_starts_from_the_one_above(self, session: Session) -> None:
        make_wholesaler(session)
        customer = make_customer(session)
        make_rule(session, Hop.WHOLESALE, percent="10")
        make_rule(session, Hop.RETAIL, percent="20")
        plan = make_plan(session, cost="180", listed="240")

        found = price(session, customer, plan.id)

        assert found is not None
        assert found.wholesale is not None
        assert found.retail is not None
        # 180 a year is 15 a month; ten seats, and ten and twenty percent on top of each other.
        assert (found.vendor.unit, found.vendor.charge) == (Decimal(15), Money(15000, "EUR"))
        assert (found.wholesale.unit, found.wholesale.charge) == (Decimal("16.5"), Money(16500, "EUR"))
        assert (found.retail.unit, found.retail.charge) == (Decimal("19.8"), Money(19800, "EUR"))
        assert found.retail.commitment == Money(12 * 19800, "EUR")
        assert (found.term_end, found.charges) == (date(2027, 6, 18), 12)

    def test_the_most_specific_rule_of_the_day_holds(self, session: Session) -> None:
        make_wholesaler(session)
        customer = make_customer(session)
        plan = make_plan(session, cost="120", listed="240")
        make_rule(session, Hop.WHOLESALE, percent="10")
        make_rule(session, Hop.WHOLESALE, percent="25", customer=customer, valid_until=DAY)
        make_rule(session, Hop.WHOLESALE, basis=Basis.LIST, percent="-10", vendor="microsoft", valid_from=DAY)

        before = price(session, customer, plan.id, 1, day=date(2026, 6, 17))
        after = price(session, customer, plan.id, 1)

        assert before is not None
        assert before.wholesale is not None
        assert before.wholesale.unit == Decimal("12.5")
        assert after is not None
        assert after.wholesale is not None
        assert after.wholesale.unit == Decimal(18)

    def test_a_fixed_price_is_for_a_unit_and_a_charge(self, session: Session) -> None:
        make_wholesaler(session)
        customer = make_customer(session)
        make_rule(session, Hop.RETAIL, basis=Basis.FIXED, unit_price="21.50", customer=customer)
        plan = make_plan(session)

        found = price(session, customer, plan.id, 3)

        assert found is not None
        assert found.retail is not None
        assert found.retail.charge == Money(6450, "EUR")
        assert found.retail.commitment == Money(12 * 6450, "EUR")

    def test_a_first_term_that_ends_early_commits_to_less(self, session: Session) -> None:
        make_wholesaler(session)
        customer = make_customer(session)
        plan = make_plan(session, cost="360", billing_cycle=BillingCycle.ANNUAL)

        found = price(session, customer, plan.id, 1, custom_end=date(2026, 7, 1))

        assert found is not None
        assert found.vendor.charge == Money(36000, "EUR")
        assert found.vendor.commitment == Money.rounded(Decimal(360) * 13 / 365, "EUR")

    def test_quantity_chooses_the_band(self, session: Session) -> None:
        make_wholesaler(session)
        customer = make_customer(session)
        plan = make_plan(session, cost="120", quantity_until=9)
        make_price(session, plan, cost="96", quantity_from=10)

        few, many = price(session, customer, plan.id, 9), price(session, customer, plan.id, 10)

        assert few is not None
        assert many is not None
        assert (few.vendor.unit, many.vendor.unit) == (Decimal(10), Decimal(8))

    def test_the_customers_currency_is_converted_at_the_rate_of_the_month(self, session: Session) -> None:
        make_wholesaler(session)
        customer = make_customer(session, currency="CHF")
        plan = make_plan(session, cost="120")

        without = price(session, customer, plan.id, 1)
        make_fx(session, "0.95", month="2026-06", source="EUR", target="CHF")
        found = price(session, customer, plan.id, 1)

        assert without is not None
        assert without.retail is None
        assert without.missing_rate == "EUR>CHF"
        assert found is not None
        assert found.retail is not None
        assert found.retail.unit == Decimal("9.5")

    def test_what_is_not_on_the_list_of_the_market_has_no_price(self, session: Session) -> None:
        make_wholesaler(session)
        plan = make_plan(session, market="FR")

        assert price(session, make_customer(session, country="DE"), plan.id) is None

    def test_a_page_of_offers_needs_as_many_queries_as_one(
        self, session: Session, shared_database: Database
    ) -> None:
        make_wholesaler(session)
        customer = make_customer(session)
        plans = [make_plan(session, make_sku(session, f"Product {n}")) for n in range(12)]
        make_promotion(session, *plans)
        buyer = buyers(session, customer_ids=[customer.id])[customer.id]

        counts = []
        for some in (plans[:1], plans):
            with Statements(shared_database) as statements:
                found = prices_of(session, [Wanted(buyer, plan.id, 1) for plan in some], now=noon(DAY))
            assert len(found) == len(some)
            counts.append(len(statements.sent))

        assert counts[0] == counts[1] <= 9

    def test_a_reseller_without_a_customer_yet_has_the_rules_for_all_its_customers(
        self, session: Session
    ) -> None:
        make_wholesaler(session)
        reseller = make_reseller(session)
        make_rule(session, Hop.RETAIL, percent="50", reseller=reseller)
        make_rule(session, Hop.RETAIL, percent="1", customer=make_customer(session, reseller=reseller))
        plan = make_plan(session, cost="120")
        buyer = buyers(session, reseller_id=reseller.id)[NOBODY]

        wanted = Wanted(buyer, plan.id, 1)
        found = prices_of(session, [wanted], now=noon(DAY))[wanted]

        assert found.retail is not None
        assert found.retail.unit == Decimal(15)


class TestBands:
    """Which row of a price list holds."""

    def test_where_rows_overlap_the_older_one_holds_as_long_as_it_runs(self, session: Session) -> None:
        """The vendor's own example: bought on 2 November at the first row, on 4 November at the second."""
        plan = make_plan(
            session,
            cost="10",
            valid_from=datetime(2021, 10, 1, tzinfo=UTC),
            valid_until=datetime(2021, 11, 3, 6, 57, 30, tzinfo=UTC),
        )
        make_price(session, plan, cost="11", valid_from=datetime(2021, 11, 1, tzinfo=UTC))

        costs = [
            prices_in_force(session, plan_ids=[plan.id], market="FR", currency="EUR", at=noon(day))[plan.id][
                0
            ]
            for day in (date(2021, 11, 2), date(2021, 11, 4))
        ]

        assert [band.unit_cost for band in costs] == [10, 11]


class TestWhoSeesWhat:
    """Everybody their own hop and the one below."""

    @pytest.mark.parametrize(
        ("actor", "wholesale", "retail", "margin"),
        [
            (Actor.system(), True, True, True),
            (
                Actor(
                    "Rashid", Audience.RESELLER, 1, permissions=frozenset({Permission.RESELLER_MARGINS_VIEW})
                ),
                True,
                True,
                True,
            ),
            (Actor("Rosa", Audience.RESELLER, 1), False, True, False),
            (Actor("Carla", Audience.CUSTOMER, 1), False, True, False),
        ],
    )
    def test_hops_above_the_viewer_are_left_out(
        self,
        session: Session,
        actor: Actor,
        wholesale: bool,
        retail: bool,
        margin: bool,
    ) -> None:
        make_wholesaler(session)
        make_rule(session, Hop.RETAIL, percent="20")
        found = price(session, make_customer(session), make_plan(session, cost="7301.77").id)

        assert found is not None
        seen = found.seen_by(actor)

        assert (seen.wholesale is not None, seen.retail is not None) == (wholesale, retail)
        assert (seen.margin is not None) == margin
        assert "7301.77" not in repr(seen)


def test_what_is_quoted_is_what_the_close_charges(database: Database, settings: Settings) -> None:
    with database.owner_transaction() as session:
        make_wholesaler(session)
        customer = make_customer(session, "C1", reseller=make_reseller(session, "R1"), currency="CHF")
        make_mapping(session, customer=customer, account="tenant-1")
        make_fx(session, "0.937", month="2026-06", source="EUR", target="CHF")
        make_rule(session, Hop.WHOLESALE, percent="7.35")
        make_rule(session, Hop.WHOLESALE, percent="11.1", vendor="microsoft", basis=Basis.LIST)
        make_rule(session, Hop.RETAIL, percent="13.57", customer=customer)
        plan = make_plan(session, make_sku(session, reference="CFQ7TTC0LH18"), cost="115.2", listed="143.99")
        found = price(session, customer, plan.id, 7)
        assert found is not None
        assert found.wholesale is not None
        assert found.retail is not None
        month = Decimal(1).scaleb(-18)
        deliver(
            session,
            Path(settings.lake),
            [
                Usage(
                    account="tenant-1",
                    product="Microsoft 365 Business Premium",
                    sku="CFQ7TTC0LH18:0001",
                    unit="1 licence",
                    category="Purchase",
                    quantity="7",
                    cost=str(Decimal("115.2") / 12 * 7),
                    list_cost=str((Decimal("143.99") / 12).quantize(month) * 7),
                    day=DAY,
                )
            ],
            vendor="microsoft",
            period="2026-06",
        )

    close_period(
        database,
        settings,
        period=Period.parse("2026-06"),
        actor=Actor.system(),
        approve=False,
        dry_run=False,
        now=datetime(2026, 7, 3, tzinfo=UTC),
    )

    with database.owner_transaction() as session:
        billed = {tuple(row) for row in session.execute(text("SELECT hop, amount_minor FROM statement_line"))}
    assert billed == {
        ("wholesale", found.wholesale.charge.minor),
        ("retail", found.retail.charge.minor),
    }
