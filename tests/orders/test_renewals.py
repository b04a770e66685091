"""Renewals are decided: by policies, and by customers who answer behind a link or signed in; answers are orders."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from marketplace.accounts.models import OutgoingMail
from marketplace.core.errors import NotFound, NotPermitted
from marketplace.orders.models import Order
from marketplace.orders.operations.deciding import approve, refuse
from marketplace.orders.operations.renewal_answers import (
    NothingAnswered,
    SignatureMissing,
    answer_renewals,
    signer,
)
from marketplace.orders.operations.renewal_policies import follow_policies
from marketplace.orders.operations.ruling import set_buying
from marketplace.subscriptions.models import RenewalAnswer, RenewalLink, Subscription
from marketplace.subscriptions.operations.policies import set_default_policy, set_policy
from marketplace.subscriptions.operations.reminding import remind
from marketplace.subscriptions.operations.renewal_links import (
    NobodyToAsk,
    ask_customers,
    link_of,
    subscriptions_of,
)
from marketplace.subscriptions.operations.renewing import renew_due
from marketplace.subscriptions.rules.answers import Answer, AnswerTooLate
from marketplace.subscriptions.rules.history import midnight
from marketplace.subscriptions.words import AtTermEnd, Policy
from tests.factories import make_customer, make_reseller
from tests.orders.shop import NOW, SYSTEM, Shop

SITE = "https://shop.example"
RENEW, END = AtTermEnd.RENEW, AtTermEnd.END
LATER = NOW + timedelta(days=20)


def bought(shop: Shop, quantity: int = 10) -> Subscription:
    """Buy seats for a year, carried out."""
    line = shop.lines(shop.fulfil(shop.order(quantity)))[0]
    return shop.session.get_one(Subscription, line.became_id)


def say(
    shop: Shop, one: Subscription, choice: AtTermEnd, seats: int | None = None, **more: object
) -> Order | None:
    """Have Carla answer for one renewal; give the order it made."""
    facts = {"now": LATER, "actor": shop.carla_herself, **more}
    (answered,) = answer_renewals(
        shop.session,
        answers=[Answer(one.public_id, choice, seats)],
        **facts,  # type: ignore[arg-type]
    )
    shop.session.flush()
    return answered.order


def decided(shop: Shop, one: Subscription) -> tuple[str, str, str]:
    """Give who decided, by name, and what will happen."""
    shop.session.flush()
    shop.session.refresh(one)
    return one.decided_by, one.decided_name, one.at_term_end


def follow(shop: Shop, now: datetime = LATER) -> None:
    """Let policies be followed, all of them."""
    last: int | None = 0
    while last is not None:
        last = follow_policies(shop.session, actor=SYSTEM, now=now, after=last)
    shop.session.flush()


def orders_that_change(shop: Shop) -> list[Order]:
    """Give the orders of changes, the oldest first."""
    return list(shop.session.scalars(select(Order).where(Order.kind == "change").order_by(Order.id)))


class TestAnswers:
    """What customers say, and what comes of it."""

    def test_to_renew_as_it_is_decides_without_an_order(self, shop: Shop) -> None:
        one = bought(shop)

        assert say(shop, one, RENEW) is None
        assert decided(shop, one) == ("customer", "Carla", "renew")

    def test_an_end_is_ordered_approved_by_the_reseller_and_carried_out(self, shop: Shop) -> None:
        one = bought(shop)

        order = say(shop, one, END)
        assert order is not None
        assert (order.state, order.submitted_by, order.audience) == ("awaiting_approval", "Carla", "customer")
        assert decided(shop, one) == ("", "", "renew")

        (approval,) = shop.approvals(order)
        approve(shop.session, actor=shop.rashid, approval_id=approval.public_id, now=LATER)
        shop.fulfil(order, now=LATER)
        assert decided(shop, one) == ("customer", "Carla", "end")

    def test_without_a_wish_to_approve_it_goes_to_the_vendor_at_once(self, shop: Shop) -> None:
        set_buying(
            shop.session,
            actor=shop.rashid,
            customer_id=shop.carla.public_id,
            may_buy=True,
            needs_approval=False,
            now=NOW,
        )
        one = bought(shop)

        order = say(shop, one, RENEW, 8)
        assert order is not None
        assert order.state == "provisioning"
        shop.fulfil(order, now=LATER)

        assert decided(shop, one) == ("customer", "Carla", "renew")
        end = one.term_end
        assert end is not None
        renew_due(shop.session, actor=SYSTEM, day=end, now=midnight(end))
        shop.session.refresh(one)
        assert (one.quantity, one.term_start) == (8, end)

    def test_what_was_decided_for_a_term_is_forgotten_with_the_next(self, shop: Shop) -> None:
        one = bought(shop)
        say(shop, one, RENEW)
        end = one.term_end
        assert end is not None

        renew_due(shop.session, actor=SYSTEM, day=end, now=midnight(end))

        assert decided(shop, one) == ("", "", "renew")

    def test_another_answer_withdraws_one_that_still_waits(self, shop: Shop) -> None:
        one = bought(shop)
        first = say(shop, one, END)
        second = say(shop, one, RENEW, 12)
        third = say(shop, one, RENEW)

        assert first is not None
        assert second is not None
        assert (first.state, second.state, third) == ("cancelled", "cancelled", None)
        assert decided(shop, one) == ("customer", "Carla", "renew")
        said = shop.session.scalars(select(RenewalAnswer).order_by(RenewalAnswer.id)).all()
        assert [(a.choice, a.quantity) for a in said] == [("end", None), ("renew", 12), ("renew", None)]

    def test_the_same_answer_twice_is_one(self, shop: Shop) -> None:
        one = bought(shop)

        assert say(shop, one, END) == say(shop, one, END)
        assert len(shop.session.scalars(select(RenewalAnswer)).all()) == 1

    def test_a_refused_answer_leaves_the_renewal_as_it_was(self, shop: Shop) -> None:
        one = bought(shop)
        order = say(shop, one, END)
        assert order is not None
        (approval,) = shop.approvals(order)

        refuse(shop.session, actor=shop.rashid, approval_id=approval.public_id, reason="no", now=LATER)

        assert decided(shop, one) == ("", "", "renew")

    def test_a_late_answer_is_refused_in_words(self, shop: Shop) -> None:
        one = bought(shop)
        assert one.term_end is not None

        with pytest.raises(AnswerTooLate, match="cannot be decided any more"):
            say(shop, one, END, now=midnight(one.term_end))

    def test_nothing_nobody_and_strangers_are_refused(self, shop: Shop) -> None:
        one = bought(shop)
        other = make_customer(shop.session, "other", reseller=shop.nord)

        with pytest.raises(NothingAnswered):
            answer_renewals(shop.session, actor=shop.carla_herself, answers=[], now=LATER)
        with pytest.raises(SignatureMissing):
            signer(shop.session, customer_id=shop.carla.id, name="  ")
        with pytest.raises(NotFound):
            say(shop, one, END, actor=signer(shop.session, customer_id=other.id, name="Oscar"))
        with pytest.raises(NotPermitted):
            say(shop, one, END, actor=shop.rashid)


class TestPolicies:
    """What resellers want done where nobody decides."""

    def test_a_policy_to_end_is_ordered_once_and_shown_as_the_policys(self, shop: Shop) -> None:
        one = bought(shop)
        set_policy(
            shop.session, actor=shop.rashid, customer_id=shop.carla.public_id, choice=Policy.END, now=LATER
        )

        follow(shop)
        follow(shop)
        (order,) = orders_that_change(shop)
        shop.fulfil(order, now=LATER)
        follow(shop)

        assert decided(shop, one)[::2] == ("policy", "end")
        assert len(orders_that_change(shop)) == 1

    def test_a_customers_own_policy_wins_over_that_for_all(self, shop: Shop) -> None:
        one = bought(shop)
        other = make_customer(shop.session, "other", reseller=shop.nord)
        set_default_policy(
            shop.session, actor=shop.wanda, reseller_id=shop.nord.public_id, choice=Policy.END, now=LATER
        )
        set_policy(
            shop.session, actor=shop.rashid, customer_id=shop.carla.public_id, choice=Policy.RENEW, now=LATER
        )
        set_policy(shop.session, actor=shop.rashid, customer_id=other.public_id, choice=Policy.END, now=LATER)

        follow(shop)

        assert orders_that_change(shop) == []
        assert decided(shop, one)[::2] == ("policy", "renew")

    def test_what_was_decided_on_the_subscription_itself_wins(self, shop: Shop) -> None:
        one = bought(shop)
        say(shop, one, RENEW)
        set_policy(
            shop.session, actor=shop.rashid, customer_id=shop.carla.public_id, choice=Policy.END, now=LATER
        )

        follow(shop)

        assert decided(shop, one) == ("customer", "Carla", "renew")

    def test_to_ask_first_decides_nothing(self, shop: Shop) -> None:
        one = bought(shop)
        set_policy(
            shop.session, actor=shop.rashid, customer_id=shop.carla.public_id, choice=Policy.ASK, now=LATER
        )

        follow(shop)

        assert decided(shop, one) == ("", "", "renew")

    def test_a_policy_that_is_taken_back_and_set_again_leaves_its_days(self, shop: Shop) -> None:
        for choice in (Policy.END, Policy.RENEW, None, Policy.RENEW):
            set_policy(
                shop.session, actor=shop.rashid, customer_id=shop.carla.public_id, choice=choice, now=LATER
            )

        found = shop.session.execute(
            text("SELECT choice, ended_at IS NULL FROM renewal_policy ORDER BY id")
        ).all()
        assert [tuple(row) for row in found] == [("end", False), ("renew", False), ("renew", True)]

    def test_only_the_seller_itself_and_staff_say_so(self, shop: Shop) -> None:
        other = make_customer(shop.session, "other", reseller=make_reseller(shop.session, "sud"))

        for actor, customer in ((shop.rashid, other), (shop.carla_herself, shop.carla)):
            with pytest.raises(NotFound):
                set_policy(
                    shop.session, actor=actor, customer_id=customer.public_id, choice=Policy.END, now=LATER
                )
        with pytest.raises(NotFound):
            set_default_policy(
                shop.session,
                actor=shop.rashid,
                reseller_id=other.public_id,
                choice=Policy.END,
                now=LATER,
            )


class TestLinks:
    """Mails with links, in the customer's language."""

    def test_reminders_carry_one_link_a_customer_and_month_in_its_language(self, shop: Shop) -> None:
        shop.carla.email, shop.carla.country = "it@carla.example", "FR"
        first, second = bought(shop), bought(shop, 5)
        day = date(2027, 4, 20)

        remind(shop.session, actor=SYSTEM, site_url=SITE, day=day, now=midnight(day))

        (mail,) = shop.session.scalars(select(OutgoingMail)).all()
        (link,) = shop.session.scalars(select(RenewalLink)).all()
        assert "renouveler" in mail.subject
        assert mail.body.count("18 juin 2027") == 2
        token = mail.link.removeprefix(f"{SITE}/renew/")
        assert link.token_hash != token
        assert link_of(shop.session, token) is link
        assert subscriptions_of(shop.session, link) == [first, second]
        assert link.expires_at == midnight(date(2027, 6, 18))

    def test_a_link_is_about_this_term_and_not_the_next(self, shop: Shop) -> None:
        shop.carla.email = "it@carla.example"
        one = bought(shop)
        ask_customers(
            shop.session, actor=shop.rashid, subscription_ids=[one.public_id], site_url=SITE, now=LATER
        )
        (link,) = shop.session.scalars(select(RenewalLink)).all()
        assert subscriptions_of(shop.session, link) == [one]

        assert one.term_end is not None
        renew_due(shop.session, actor=SYSTEM, day=one.term_end, now=midnight(one.term_end))

        assert subscriptions_of(shop.session, link) == []

    def test_who_has_no_address_is_named(self, shop: Shop) -> None:
        shop.carla.email = ""
        one = bought(shop)

        with pytest.raises(NobodyToAsk, match="write the e-mail address of"):
            ask_customers(
                shop.session, actor=shop.rashid, subscription_ids=[one.public_id], site_url=SITE, now=LATER
            )

    def test_other_peoples_customers_are_asked_by_nobody(self, shop: Shop) -> None:
        one = bought(shop)
        sud = make_reseller(shop.session, "sud")
        stranger = shop.rashid.__class__(
            "Pavel", shop.rashid.audience, sud.id, permissions=shop.rashid.permissions
        )

        for actor in (stranger, shop.carla_herself):
            with pytest.raises(NotFound):
                ask_customers(
                    shop.session, actor=actor, subscription_ids=[one.public_id], site_url=SITE, now=LATER
                )
        with pytest.raises(NotFound):
            link_of(shop.session, str(uuid4()))
