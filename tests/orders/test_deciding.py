"""Approvals and credit in the database: who decides, once, and what goes on when credit reaches again."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.accounts.models import Membership, Notification, User
from marketplace.billing.models import PeriodStatus, StatementLine
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.orders.models import CustomerBuying, Order
from marketplace.orders.operations.checking import credit_check
from marketplace.orders.operations.deciding import AlreadyDecided, ReasonMissing, approve, cancel, refuse
from marketplace.orders.operations.ruling import (
    add_rule,
    end_rule,
    set_buying,
)
from marketplace.orders.operations.settling import StatementNotFinal, settle
from marketplace.orders.queries.exposure import debtor_called, debtor_of, owed_by
from marketplace.orders.rules.approvals import NotYourOwn, SomebodyElseDecides
from marketplace.orders.words import OrderKind
from resellers.models import Hop
from resellers.words import BillingMode
from tests.factories import make_reseller
from tests.orders.shop import NOW, TODAY, Shop, euros
from tests.statement_factories import make_line, make_period


def ask_approval(shop: Shop, *, by_reseller: bool = False, **facts: Any) -> None:
    actor = shop.rashid if by_reseller else shop.wanda
    add_rule(shop.session, actor=actor, **{"kind": None, "role": "", "above": None, "now": NOW, **facts})
    shop.session.flush()


def approve_all(shop: Shop, order: Order, *, reason: str = "") -> None:
    for approval in shop.approvals(order):
        actor = shop.wanda if approval.party == "wholesaler" else shop.rashid
        if approval.decided_at is None:
            approve(shop.session, actor=actor, approval_id=approval.public_id, now=NOW, reason=reason)


class TestApproving:
    """Rules hold orders back until somebody else has looked."""

    def test_an_order_a_rule_is_about_waits_and_goes_on_once_approved(self, shop: Shop) -> None:
        ask_approval(shop, above=euros("1000"))
        small, large = shop.order(5), shop.order(10)
        assert (small.state, large.state) == ("provisioning", "awaiting_approval")
        assert shop.requests(large) == []

        approve_all(shop, large)

        assert shop.history(large) == ["submitted", "awaiting_approval", "awaiting_approval", "provisioning"]
        assert len(shop.requests(large)) == 1

    def test_a_refusal_needs_a_reason_and_ends_the_order_with_it(self, shop: Shop) -> None:
        ask_approval(shop)
        order = shop.order()
        (approval,) = shop.approvals(order)

        with pytest.raises(ReasonMissing):
            refuse(shop.session, actor=shop.wanda, approval_id=approval.public_id, reason=" ", now=NOW)
        refuse(shop.session, actor=shop.wanda, approval_id=approval.public_id, reason="No budget", now=NOW)

        assert order.state == "rejected"
        assert str(order.reason) == "Refused by Wanda: No budget"

    def test_who_comes_second_is_told_who_came_first(self, shop: Shop) -> None:
        ask_approval(shop)
        order = shop.order()
        (approval,) = shop.approvals(order)
        approve(shop.session, actor=shop.wanda, approval_id=approval.public_id, now=NOW)

        with pytest.raises(AlreadyDecided, match="Wanda has decided this already"):
            refuse(shop.session, actor=shop.walter, approval_id=approval.public_id, reason="No", now=NOW)

        assert order.state == "provisioning"

    def test_nobody_approves_what_they_ordered(self, shop: Shop) -> None:
        ask_approval(shop)
        order = shop.order(actor=shop.wanda)
        (approval,) = shop.approvals(order)

        with pytest.raises(NotYourOwn):
            approve(shop.session, actor=shop.wanda, approval_id=approval.public_id, now=NOW)
        approve(shop.session, actor=shop.walter, approval_id=approval.public_id, now=NOW)

        assert order.state == "provisioning"

    def test_the_resellers_own_rules_are_its_owners_to_decide(self, shop: Shop) -> None:
        session = shop.session
        user = User(email="rosa@nord.example", name="Rosa")
        session.add(user)
        session.flush()
        session.add(Membership(user_id=user.id, audience="reseller", role="sales", reseller_id=shop.nord.id))
        rosa = type(shop.rosa)(
            "Rosa", shop.rosa.audience, shop.nord.id, user_id=user.id, permissions=shop.rosa.permissions
        )
        ask_approval(shop, by_reseller=True, role="sales")
        order = shop.order(actor=rosa)
        (approval,) = shop.approvals(order)
        assert (order.submitted_role, approval.party) == ("sales", "reseller")

        with pytest.raises(SomebodyElseDecides):
            approve(session, actor=shop.wanda, approval_id=approval.public_id, now=NOW)
        with pytest.raises(SomebodyElseDecides):
            approve(session, actor=rosa, approval_id=approval.public_id, now=NOW)
        approve(session, actor=shop.rashid, approval_id=approval.public_id, now=NOW)

        assert order.state == "provisioning"

    def test_both_parties_rules_must_both_be_satisfied(self, shop: Shop) -> None:
        ask_approval(shop)
        ask_approval(shop, by_reseller=True)
        order = shop.order(actor=shop.rosa)
        first, second = shop.approvals(order)

        approve(shop.session, actor=shop.wanda, approval_id=first.public_id, now=NOW)
        assert order.state == "awaiting_approval"
        approve(shop.session, actor=shop.rashid, approval_id=second.public_id, now=NOW)

        assert order.state == "provisioning"

    def test_an_ended_rule_asks_no_more(self, shop: Shop) -> None:
        rule = add_rule(shop.session, actor=shop.wanda, kind=OrderKind.PURCHASE, role="", above=None, now=NOW)

        with pytest.raises(NotFound):
            end_rule(shop.session, actor=shop.rashid, rule_id=rule.public_id, now=NOW)
        end_rule(shop.session, actor=shop.wanda, rule_id=rule.public_id, now=NOW)
        shop.session.flush()

        assert shop.order().state == "provisioning"

    def test_another_resellers_approval_does_not_exist(self, shop: Shop) -> None:
        ask_approval(shop)
        (approval,) = shop.approvals(shop.order())
        pavel = type(shop.rashid)(
            "Pavel",
            shop.rashid.audience,
            make_reseller(shop.session).id,
            user_id=77,
            permissions=shop.rashid.permissions,
        )

        with pytest.raises(NotFound):
            approve(shop.session, actor=pavel, approval_id=approval.public_id, now=NOW)

    def test_a_withdrawn_order_asks_nobody_any_more(self, shop: Shop) -> None:
        ask_approval(shop)
        order = shop.order()

        cancel(shop.session, actor=shop.rashid, order_id=order.public_id, now=NOW)

        assert [one.decision for one in shop.approvals(order)] == ["lapsed"]


class TestCustomersThatBuy:
    """End customers buy for themselves where their reseller lets them."""

    def test_its_reseller_looks_first_unless_it_says_otherwise(self, shop: Shop) -> None:
        def allow(*, needs_approval: bool) -> None:
            set_buying(
                shop.session,
                actor=shop.rashid,
                customer_id=shop.carla.public_id,
                may_buy=True,
                needs_approval=needs_approval,
                now=NOW,
            )
            shop.session.flush()

        allow(needs_approval=True)
        order = shop.order(actor=shop.carla_herself)
        (approval,) = shop.approvals(order)
        assert (order.state, approval.party, approval.kind) == ("awaiting_approval", "reseller", "customer")
        approve(shop.session, actor=shop.rashid, approval_id=approval.public_id, now=NOW)
        assert order.state == "provisioning"

        allow(needs_approval=False)
        assert shop.order(actor=shop.carla_herself).state == "provisioning"

    def test_sales_people_do_not_decide_about_it(self, shop: Shop) -> None:
        with pytest.raises(NotPermitted):
            set_buying(
                shop.session,
                actor=shop.rosa,
                customer_id=shop.carla.public_id,
                may_buy=True,
                needs_approval=False,
                now=NOW,
            )
        assert shop.session.scalar(select(CustomerBuying)) is None


class TestCredit:
    """What is owed and will be, against the limit of whoever owes."""

    def test_an_order_beyond_the_limit_waits_and_goes_on_when_it_is_raised(self, shop: Shop) -> None:
        shop.limit("1979.99")
        order = shop.order(10)
        (approval,) = shop.approvals(order)
        assert (order.state, approval.kind) == ("awaiting_approval", "credit")
        assert str(approval.words) == (
            "Credit does not reach: 1980.00 EUR would be owed with this order, 0.01 EUR more than the limit of "
            "1979.99 EUR."
        )

        assert shop.limit("1979.991") == 0
        assert shop.limit("1980") == 1

        assert order.state == "provisioning"
        assert approval.decision == "lapsed"

    def test_orders_on_their_way_and_subscriptions_take_credit_and_held_ones_do_not(self, shop: Shop) -> None:
        shop.limit("4500")
        done, on_its_way, held = shop.fulfil(shop.order(10)), shop.order(10), shop.order(10)

        owed = owed_by(shop.session, debtor_called(shop.nord), today=TODAY).exposure

        assert (done.state, on_its_way.state, held.state) == (
            "completed",
            "provisioning",
            "awaiting_approval",
        )
        # A seat-year costs Nord 198: ten of them are committed, ten on their way.
        assert (owed.committed, owed.ordered) == (euros("1980"), euros("1980"))
        assert shop.order(2).state == "provisioning"

    def test_of_what_is_committed_only_the_months_to_come_are_left(self, shop: Shop) -> None:
        shop.fulfil(shop.order(10))

        later = owed_by(shop.session, debtor_called(shop.nord), today=date(2026, 12, 20)).exposure

        # Charges fall due on the 18th: those of November and December are in no statement, five follow.
        assert later.committed == euros("1155")

    def test_closed_statements_count_until_they_are_settled_and_open_months_too(self, shop: Shop) -> None:
        make_period(shop.session, "2026-04", status=PeriodStatus.CLOSED)
        make_period(shop.session, "2026-05", status=PeriodStatus.RATED)
        closed = line_of(shop, "2026-04", "300")
        rated = line_of(shop, "2026-05", "200")
        debtor = debtor_called(shop.nord)

        before = owed_by(shop.session, debtor, today=TODAY).exposure
        with pytest.raises(StatementNotFinal):
            settle(shop.session, actor=shop.wanda, statement_ids=[rated.statement_id], now=NOW)
        settle(shop.session, actor=shop.wanda, statement_ids=[closed.statement_id], now=NOW)
        settle(shop.session, actor=shop.wanda, statement_ids=[closed.statement_id], now=NOW)
        after = owed_by(shop.session, debtor, today=TODAY).exposure

        assert (before.unpaid, before.unbilled) == (euros("300"), euros("200"))
        assert (after.unpaid, after.unbilled) == (euros("0"), euros("200"))

    def test_paying_lets_what_was_held_go_on(self, shop: Shop) -> None:
        make_period(shop.session, "2026-04", status=PeriodStatus.CLOSED)
        closed = line_of(shop, "2026-04", "300")
        shop.limit("2000")
        order = shop.order(10)
        assert order.state == "awaiting_approval"

        assert settle(shop.session, actor=shop.wanda, statement_ids=[closed.statement_id], now=NOW) == 1

        assert order.state == "provisioning"

    def test_finance_lets_an_order_pass_with_a_reason(self, shop: Shop) -> None:
        shop.limit("1")
        order = shop.order()
        (approval,) = shop.approvals(order)

        with pytest.raises(ReasonMissing):
            approve(shop.session, actor=shop.wanda, approval_id=approval.public_id, now=NOW)
        approve(
            shop.session,
            actor=shop.wanda,
            approval_id=approval.public_id,
            now=NOW,
            reason="Paid by cheque today",
        )

        assert order.state == "provisioning"

    def test_credit_is_looked_at_again_after_the_last_approval(self, shop: Shop) -> None:
        ask_approval(shop, above=euros("1500"))
        waiting = shop.order(10)
        shop.limit("1000")

        approve_all(shop, waiting)

        assert waiting.state == "awaiting_approval"
        assert [one.kind for one in shop.approvals(waiting) if one.decided_at is None] == ["credit"]

    def test_where_the_wholesaler_invoices_the_customer_it_is_the_customers_credit(self, shop: Shop) -> None:
        shop.nord.billing_mode = BillingMode.ON_BEHALF.value
        shop.session.flush()
        debtor = debtor_of(shop.session, shop.carla, day=TODAY)
        shop.limit("2000", customer=shop.carla.reference)

        # Ten seats cost the reseller 1980 and the customer 2376.
        assert debtor.customer_id == shop.carla.id
        assert shop.order(10).state == "awaiting_approval"
        assert shop.order(8).state == "provisioning"

    def test_the_day_a_renewal_crosses_the_limit_is_named(self, shop: Shop) -> None:
        shop.fulfil(shop.order(10))
        shop.limit("3900")
        order = shop.order(1)

        found = credit_check(shop.session, order, today=TODAY + timedelta(days=2))

        assert found is not None
        assert found.is_within
        assert found.crossed_on == date(2027, 6, 18)

    def test_only_who_manages_credit_sets_limits(self, shop: Shop) -> None:
        with pytest.raises(NotPermitted):
            shop.limit("1", actor=shop.rashid)


def line_of(shop: Shop, period: str, amount: str) -> StatementLine:
    return make_line(shop.session, period=period, hop=Hop.WHOLESALE, customer=shop.carla, amount=amount)


def test_those_who_decide_and_those_who_ordered_are_told(shop: Shop) -> None:
    session = shop.session
    for name, audience, role, reseller in (
        ("wanda", "wholesaler", "finance", None),
        ("rashid", "reseller", "owner", shop.nord.id),
    ):
        user = User(email=f"{name}@example.com", name=name)
        session.add(user)
        session.flush()
        session.add(Membership(user_id=user.id, audience=audience, role=role, reseller_id=reseller))
        if name == "rashid":
            shop.rashid = type(shop.rashid)(
                "Rashid",
                shop.rashid.audience,
                shop.nord.id,
                user_id=user.id,
                permissions=shop.rashid.permissions,
            )
    session.flush()
    ask_approval(shop)
    order = shop.order()
    (approval,) = shop.approvals(order)

    refuse(session, actor=shop.walter, approval_id=approval.public_id, reason="No budget", now=NOW)

    told = [(one.audience, one.link, str(one.phrase)) for one in session.scalars(select(Notification))]
    name = order.name
    customer = shop.carla.legal_name
    assert sorted(told) == [
        ("reseller", f"/orders/{order.public_id}", f"{name} for {customer} was refused: No budget"),
        (
            "wholesaler",
            f"/admin/orders/{order.public_id}",
            f"{name} for {customer} waits for your approval: Every order",
        ),
    ]
