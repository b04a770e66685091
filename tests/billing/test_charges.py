"""Subscriptions in the monthly close: charged from their histories, at the price of the day their term began."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.queries.promotions import terms_of
from catalog.rules.promotions import Promoted
from catalog.words import BillingCycle, ProductKind, Term
from marketplace.billing.explanations import as_data, explain, source_page
from marketplace.billing.models import ChargeDifference
from marketplace.billing.rating_run import NothingToRate
from marketplace.billing.settling import settle, settle_all
from marketplace.core.actor import Actor
from marketplace.core.db import Database
from marketplace.core.period import Period
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.buying import Purchase, activate
from marketplace.subscriptions.operations.changing import change
from marketplace.subscriptions.rules.changes import Cancel, Change, ChangeQuantity
from marketplace.subscriptions.rules.history import Quoted
from marketplace.subscriptions.rules.promotions import reduced
from marketplace.usage.lake import Lake
from marketplace.usage.models import DeliverySlice
from resellers.models import Basis, Customer, Hop
from tests.billing.conftest import Close
from tests.billing.lake import Usage, deliver
from tests.factories import make_customer, make_mapping, make_reseller, make_rule, make_subscription
from tests.offer_factories import make_azure_plan, make_meter, make_plan, make_promotion, make_sku, priced
from tests.subscriptions.lives import at, quoted

SYSTEM = Actor.system()
MONTH = quoted(Term.P1M, cost="10.08", listed="12.60")


def charged(database: Database, period: str = "2024-09", hop: str = "wholesale") -> list[dict[str, Any]]:
    with database.owner_transaction() as session:
        query = (
            "SELECT charge_type, charge_from, charge_until, quantity, exact_amount, amount_minor, product, sku, unit, "
            "subscription, corrects FROM statement_line WHERE period = :p AND hop = :hop "
            "ORDER BY charge_from, charge_type, exact_amount"
        )
        found = session.execute(text(query), {"p": Period.parse(period).number, "hop": hop}).mappings()
        return [dict(row) for row in found]


def customer_of(session: Session, account: str = "tenant-1") -> Customer:
    customer = make_customer(session, "C1", reseller=make_reseller(session, "R1"))
    make_mapping(session, customer=customer, account=account)
    make_rule(session, Hop.WHOLESALE, basis=Basis.COST, percent="10")
    make_rule(session, Hop.RETAIL, basis=Basis.LIST, percent="0")
    return customer


def buy(
    session: Session,
    customer: Customer,
    what: Quoted = MONTH,
    *,
    on: str,
    quantity: int = 10,
    vendor_id: str = "sub-1",
) -> UUID:
    purchase = Purchase(
        customer_id=customer.id,
        vendor_account="tenant-1",
        quoted=what,
        quantity=quantity,
        vendor_subscription_id=vendor_id,
    )
    return activate(session, actor=SYSTEM, purchase=purchase, now=at(on)).public_id


def do(session: Session, subscription: UUID, what: Change, on: str) -> None:
    change(session, actor=SYSTEM, subscription_id=subscription, change=what, now=at(on))


def test_a_month_with_seats_added_is_charged_on_both_hops(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        subscription = buy(session, customer_of(session), on="2024-09-18 09:00")
        do(session, subscription, ChangeQuantity(12), "2024-09-20 15:00")

    figures = close()

    # 100.80 bought; two more seats for 28 of 30 days: -94.08 + 112.896.
    assert figures["totals"]["cost"] == {"EUR": "119.62"}
    assert figures["totals"]["wholesale"] == {"EUR": "131.58"}
    # List: 126 + 2 x 12.60 x 28/30.
    assert figures["totals"]["retail"] == {"EUR": "149.52"}
    assert figures["balance"]["ok"] is True
    new, added = sorted(charged(database), key=lambda line: line["charge_type"], reverse=True)
    assert (new["charge_type"], new["quantity"], new["exact_amount"]) == ("new", 10, Decimal("110.88"))
    assert (added["charge_type"], added["exact_amount"]) == ("addQuantity", Decimal("20.6976"))
    assert (added["charge_from"], added["charge_until"]) == (date(2024, 9, 20), date(2024, 10, 18))
    assert (added["subscription"], added["unit"]) == ("sub-1", "1 licence")


def test_a_fixed_price_is_for_a_seat_and_a_whole_cycle(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        customer = customer_of(session)
        make_rule(
            session, Hop.WHOLESALE, basis=Basis.FIXED, unit_price="30", currency="EUR", customer=customer
        )
        subscription = buy(session, customer, on="2024-09-01 09:00")
        do(session, subscription, ChangeQuantity(12), "2024-09-16 09:00")

    close()

    # Ten seats for a month, two more for half of it.
    assert [line["exact_amount"] for line in charged(database)] == [Decimal(300), Decimal(30)]


def test_a_price_is_held_from_the_day_the_term_began(database: Database, close: Close) -> None:
    year = quoted(Term.P1Y, cost="120")
    with database.owner_transaction() as session:
        customer = customer_of(session)
        first = make_rule(
            session,
            Hop.WHOLESALE,
            basis=Basis.COST,
            percent="50",
            customer=customer,
            valid_until=date(2024, 9, 1),
        )
        make_rule(
            session,
            Hop.WHOLESALE,
            basis=Basis.COST,
            percent="90",
            customer=customer,
            valid_from=first.valid_until,
        )
        buy(session, customer, year, on="2024-08-10 09:00", quantity=1, vendor_id="old")
        buy(session, customer, year, on="2024-09-10 09:00", quantity=1, vendor_id="young")

    close()

    amounts = {line["subscription"]: line["exact_amount"] for line in charged(database)}
    assert amounts == {"old": Decimal(15), "young": Decimal(19)}


def test_months_without_usage_are_charged_and_none_is_skipped(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        buy(session, customer_of(session), quoted(Term.P1Y, cost="120"), on="2024-07-31 09:00", quantity=1)

    figures = close("2024-09", approve=True)

    assert figures["also_rated"] == ["2024-07", "2024-08"]
    assert [charged(database, month)[0]["charge_type"] for month in ("2024-07", "2024-08", "2024-09")] == [
        "new",
        "cycleCharge",
        "cycleCharge",
    ]
    with pytest.raises(NothingToRate):
        close("2024-06")


def test_a_change_learned_after_the_close_is_billed_as_a_difference(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        subscription = buy(session, customer_of(session), on="2024-09-18 09:00")
    close("2024-09", approve=True)
    with database.owner_transaction() as session:
        do(session, subscription, Cancel(), "2024-09-19 08:00")

    figures = close("2024-10", approve=True)

    assert figures["totals"]["wholesale"] == {"EUR": "-110.88"}
    assert {line["corrects"] for line in charged(database, "2024-10")} == {202409}
    assert figures["balance"]["ok"] is True


def test_rating_again_changes_nothing_where_no_history_did(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        buy(session, customer_of(session), on="2024-09-18 09:00")

    close()
    with database.owner_transaction() as session:
        once = session.scalars(select(DeliverySlice.id).where(DeliverySlice.is_current)).all()
    figures = close()
    with database.owner_transaction() as session:
        again = session.scalars(select(DeliverySlice.id).where(DeliverySlice.is_current)).all()

    assert once == again
    assert figures["changes"] == {}


def test_who_owns_the_account_on_the_day_of_the_charge_pays(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        customer = customer_of(session, account="another tenant")
        buy(session, customer, on="2024-09-18 09:00")

    figures = close()

    assert figures["unmapped"] == {"EUR": "100.80"}


class TestAgainstTheVendorsBill:
    """Its licence lines for subscriptions we know are compared; all others are billed as ever."""

    def licence(self, cost: str, subscription: str, charge_type: str = "new") -> Usage:
        return Usage(
            cost=cost,
            subscription=subscription,
            charge_type=charge_type,
            product="Microsoft 365 E3",
            quantity="10",
            day=date(2024, 9, 18),
            kind="reconciliation",
            category="Purchase",
            account="tenant-1",
            billing_account="P1",
        )

    def test_known_subscriptions_are_not_billed_twice(
        self, database: Database, lake: Path, close: Close
    ) -> None:
        with database.owner_transaction() as session:
            buy(session, customer_of(session), on="2024-09-18 09:00")
            rows = [self.licence("100.75", "sub-1"), self.licence("50", "unknown")]
            deliver(session, lake, rows, vendor="microsoft")

        figures = close()

        assert figures["vendor_bill"] == {"EUR": "150.75"}
        assert figures["totals"]["cost"] == {"EUR": "150.80"}
        assert figures["licences"] == {"EUR": "-0.05"}
        assert figures["vendor_rounding"] == {"EUR": "0.00"}
        assert figures["balance"]["ok"] is True
        assert {line["subscription"] for line in charged(database)} == {"sub-1", "unknown"}

    def test_what_is_bought_under_a_metered_subscription_is_billed(
        self, database: Database, lake: Path, close: Close
    ) -> None:
        with database.owner_transaction() as session:
            make_meter(session, make_sku(session, kind=ProductKind.CONSUMPTION), ("0", None, "1"))
            what = priced(session, make_azure_plan(session))
            customer, bought_at = customer_of(session), at("2024-09-01 09:00")
            make_subscription(session, customer, what=what, quantity=1, on=bought_at, vendor_id="azure-1")
            # A reservation names the plan it was bought under; no history of ours charges it.
            deliver(session, lake, [self.licence("40", "azure-1")], vendor="microsoft")

        figures = close()

        assert figures["totals"]["cost"] == {"EUR": "40.00"}
        assert figures["balance"]["ok"] is True
        assert {line["subscription"] for line in charged(database)} == {"azure-1"}

    def test_what_differs_is_queued_and_stays_settled_while_its_figures_stay(
        self, database: Database, lake: Path, close: Close
    ) -> None:
        with database.owner_transaction() as session:
            customer = customer_of(session)
            buy(session, customer, on="2024-09-18 09:00")
            buy(session, customer, on="2024-09-18 09:00", vendor_id="sub-2")
            buy(session, customer, on="2024-09-18 09:00", vendor_id="sub-3")
            rows = [self.licence("100.80", "sub-1"), self.licence("90.72", "sub-2")]
            deliver(session, lake, [*rows, self.licence("50", "unknown")], vendor="microsoft")
            owner = customer.id

        close()
        with database.owner_transaction() as session:
            queued = session.scalars(select(ChargeDifference).order_by(ChargeDifference.subscription)).all()
            found = [(one.subscription, one.kind, one.billed, one.own) for one in queued]
            settle(
                session,
                actor=SYSTEM,
                difference=queued[0].public_id,
                note="Agreed.",
                now=at("2024-10-05 08:00"),
            )
        close()
        with database.owner_transaction() as session:
            again = session.scalars(select(ChargeDifference).order_by(ChargeDifference.subscription)).all()

        assert found == [
            ("sub-2", "promotion", Decimal("90.72"), Decimal("100.8")),
            ("sub-3", "timing", Decimal(0), Decimal("100.8")),
            ("unknown", "unknown", Decimal(50), Decimal(0)),
        ]
        assert [one.note for one in again] == ["Agreed.", "", ""]
        assert [one.customer_id for one in again] == [owner, owner, owner], "the account says whose it is"

    def test_what_was_decided_of_a_subscription_that_is_not_known_holds_for_the_months_after(
        self, database: Database, lake: Path, close: Close
    ) -> None:
        months = ("2024-09", "2024-10")
        with database.owner_transaction() as session:
            buy(session, customer_of(session), on="2024-09-18 09:00")
            for month in months:
                rows = [self.licence("50", "unknown-1"), self.licence("60", "unknown-2")]
                deliver(session, lake, rows, vendor="microsoft", period=month)
        close("2024-09")
        with database.owner_transaction() as session:
            decided = session.scalars(
                select(ChargeDifference.public_id).where(ChargeDifference.subscription == "unknown-1")
            ).all()
            count = settle_all(
                session, actor=SYSTEM, differences=decided, note="Older.", now=at("2024-10-05 08:00")
            )

        close("2024-10")

        assert count == 1
        with database.owner_transaction() as session:
            unknown = select(ChargeDifference).where(
                ChargeDifference.kind == "unknown", ChargeDifference.period == 202410
            )
            found = session.scalars(unknown.order_by(ChargeDifference.subscription)).all()
            assert [(one.subscription, one.note, one.settled_at is not None) for one in found] == [
                ("unknown-1", "Older.", True),
                ("unknown-2", "", False),
            ]

    def test_a_promotion_is_billed_explained_and_missed_where_the_vendor_forgot_it(
        self, database: Database, lake: Path, close: Close
    ) -> None:
        with database.owner_transaction() as session:
            customer = customer_of(session)
            promotion = make_promotion(session, make_plan(session), percent="10", title="Spring")
            promoted = Promoted(promotion.id, terms_of(promotion))
            year = reduced(quoted(Term.P1Y, cost="192", listed="240"), promoted)
            buy(session, customer, year, on="2024-09-18 09:00", quantity=50)
            buy(session, customer, year, on="2024-09-18 09:00", quantity=50, vendor_id="sub-2")
            rows = [self.licence("720.00", "sub-1"), self.licence("800.00", "sub-2")]
            deliver(session, lake, [replace(row, quantity="50") for row in rows], vendor="microsoft")

        figures = close()

        # Sixteen less ten percent is 14.40, for fifty seats of each: the vendor's own example. List: 20 less ten percent.
        assert figures["totals"]["cost"] == {"EUR": "1440.00"}
        assert figures["totals"]["retail"] == {"EUR": "1800.00"}
        with database.owner_transaction() as session:
            (missed,) = session.scalars(select(ChargeDifference))
            assert (missed.subscription, missed.kind) == ("sub-2", "promotion")
            assert (missed.billed, missed.own) == (Decimal(800), Decimal(720))
            line = session.scalar(text("SELECT id FROM statement_line WHERE hop = 'wholesale' LIMIT 1"))
            found = explain(session, line, actor=SYSTEM)
        assert [one.promotion for one in found.charges] == [promoted.terms]
        assert as_data(found, None)["charges"][0]["promotion"]["title"] == "Spring"

    def test_a_bill_that_comes_later_moves_the_charges_to_its_account(
        self, database: Database, lake: Path, close: Close
    ) -> None:
        with database.owner_transaction() as session:
            buy(session, customer_of(session), on="2024-09-18 09:00")
        close()
        with database.owner_transaction() as session:
            row = Usage(
                cost="1", kind="reconciliation", billing_account="P1", account="tenant-1", category="Usage"
            )
            deliver(session, lake, [row], vendor="microsoft")

        figures = close()

        assert figures["vendor_bill"] == {"EUR": "1.00"}
        # The vendor has not charged what it sold: the balance says how much.
        assert figures["licences"] == {"EUR": "-100.80"}
        assert figures["balance"]["ok"] is True


def test_what_a_year_paid_at_once_costs_is_charged_once(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        year = quoted(Term.P1Y, BillingCycle.ANNUAL, cost="120.96")
        buy(session, customer_of(session), year, on="2024-09-18 09:00")

    close("2024-09", approve=True)
    figures = close("2024-10", approve=True)

    assert [line["exact_amount"] for line in charged(database)] == [Decimal("1330.56")]
    assert figures["lines"] == {"wholesale": 0, "retail": 0}


def test_a_subscription_without_an_id_of_the_vendor_goes_by_its_own(database: Database, close: Close) -> None:
    with database.owner_transaction() as session:
        identity = buy(session, customer_of(session), on="2024-09-18 09:00", vendor_id="")

    close()

    assert [line["subscription"] for line in charged(database)] == [str(identity)]
    with database.owner_transaction() as session:
        assert session.scalar(select(Subscription.public_id)) == identity


def test_a_line_says_the_term_the_days_and_the_seats_it_was_charged_for(
    database: Database, lake: Path, close: Close
) -> None:
    with database.owner_transaction() as session:
        subscription = buy(session, customer_of(session), on="2024-09-18 09:00")
        do(session, subscription, ChangeQuantity(12), "2024-09-20 15:00")
    close()

    with database.transaction(SYSTEM) as session:
        query = "SELECT id FROM statement_line WHERE hop = 'wholesale' AND charge_type = 'addQuantity'"
        line = session.scalar(text(query))
        found = explain(session, line, actor=SYSTEM)
        rows = source_page(session, line, actor=SYSTEM, lake=Lake(str(lake)))

    assert [(c.seats, c.days, c.whole_days, c.term) for c in found.charges] == [
        (-10, 28, 30, "P1M"),
        (12, 28, 30, "P1M"),
    ]
    assert [row["cost"] for row in rows.rows] == [Decimal("-94.08"), Decimal("112.896")]
    assert as_data(found, rows)["charges"][0]["days"] == 28
