"""Renewals in every shell: the cockpit, policies, links without signing in, and answers in the portal."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from catalog.models import Plan
from marketplace.accounts.models import OutgoingMail
from marketplace.subscriptions.models import RenewalAnswer, RenewalPolicy, Subscription
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.rules.history import Quoted
from resellers.models import Hop
from tests.factories import make_rule, make_subscription
from tests.offer_factories import make_plan, make_sku
from tests.personas import customer_called, reseller_called
from tests.web.buyers import BuyersSite, Statements

NOW = datetime.now(UTC)
NAME = "Microsoft 365 Business Premium"
SHELLS = [("wanda", "/admin"), ("rashid", ""), ("carla", "/portal")]


def buy(session: Session, plan: Plan, vendor_id: str) -> Subscription:
    """Have Carla's works buy ten seats of a year, eleven months ago."""
    what = Quoted(offers_of(session, [plan.id])[plan.id], Decimal(180), Decimal(240), "EUR")
    return make_subscription(
        session,
        customer_called(session, "carla-works"),
        what=what,
        on=NOW - timedelta(days=335),
        vendor_id=vendor_id,
    )


@pytest.fixture
def plan(site: BuyersSite) -> int:
    """A seat of a year, paid by the month, that costs 180 by now 204."""
    with site.database.owner_transaction() as session:
        return make_plan(session, make_sku(session), cost="204", listed="264").id


@pytest.fixture
def subscription(site: BuyersSite, plan: int) -> UUID:
    """Carla's works bought ten seats eleven months ago; Nord takes ten percent more, and she pays double that."""
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works")
        carla.email = "it@carla.example"
        nord = reseller_called(session, "nord")
        make_rule(session, Hop.WHOLESALE, percent="10", reseller=nord)
        make_rule(session, Hop.RETAIL, percent="100", reseller=nord)
        return buy(session, session.get_one(Plan, plan), "vendor-1").public_id


def term_end(site: BuyersSite) -> date:
    """Give the day on which the term of the first subscription ends."""
    with site.database.owner_transaction() as session:
        end = session.scalars(select(Subscription.term_end).order_by(Subscription.id)).first()
    assert end is not None
    return end


def month(site: BuyersSite) -> str:
    """Give the month in which it ends."""
    return f"{term_end(site):%Y-%m}"


def link_mailed(site: BuyersSite) -> str:
    """Give the path of the link that was mailed last."""
    with site.database.owner_transaction() as session:
        mail = session.scalars(select(OutgoingMail).order_by(OutgoingMail.created_at.desc())).first()
        assert mail is not None
        return re.sub(r"^https?://[^/]+", "", mail.link)


@pytest.mark.parametrize(("who", "prefix"), SHELLS)
def test_everybody_sees_what_renews_who_decided_and_until_when(
    site: BuyersSite, subscription: UUID, who: str, prefix: str
) -> None:
    assert subscription
    visitor = site.browser_of(who)

    page = visitor.get(f"{prefix}/renewals?period={month(site)}")

    assert NAME in page.main
    assert "Nobody yet" in page.main
    assert "1 undecided" in page.main
    # Ten seats, a twelfth of the year: 150 and 170 at cost, a tenth more for Nord, and double that for Carla.
    then, now, more = (
        ("€165.00", "€187.00", "+€22.00") if who == "wanda" else ("€330.00", "€374.00", "+€44.00")
    )
    assert (then in page.main, now in page.main, more in page.main) == (True, True, True)
    assert "No term ends in this month" in visitor.get(f"{prefix}/renewals?period=2031-01").main


def test_filters_narrow_what_is_listed(site: BuyersSite, subscription: UUID) -> None:
    assert subscription
    rashid = site.browser_of("rashid")
    address = f"/renewals?period={month(site)}"

    assert len(rashid.get(f"{address}&decided=undecided").rows()) == 1
    assert len(rashid.get(f"{address}&week={term_end(site)}").rows()) == 1
    for filtered in ("decided=policy", "promotion=ending", "window=given_up", "window=closing"):
        assert "Nothing matches" in rashid.get(f"{address}&{filtered}").main


def test_what_the_reseller_pays_is_on_no_page_of_its_customer(site: BuyersSite, subscription: UUID) -> None:
    assert subscription
    carla = site.browser_of("carla")

    for address in ("/portal/renewals", "/portal/renewals/answer"):
        page = carla.get(f"{address}?period={month(site)}")
        for secret in ("150.00", "165.00", "170.00", "187.00"):
            assert secret not in page.text
    file = carla.download(f"/portal/renewals?period={month(site)}&format=csv")
    assert b"374" in file
    assert b"187" not in file


def test_customers_are_asked_answer_behind_the_link_and_the_cockpit_shows_it(
    site: BuyersSite, subscription: UUID
) -> None:
    rashid = site.browser_of("rashid")
    rashid.post(f"/renewals/ask?period={month(site)}", {"subscription": str(subscription)})
    link = link_mailed(site)
    visitor = site.visitor()

    page = visitor.get(link)
    assert NAME in page.main
    assert "€374.00" in page.main
    faulty = visitor.post(link, {f"choice-{subscription.hex}": "end", "name": ""}, status=422)
    assert "Write your name." in faulty.main
    visitor.post(link, {f"choice-{subscription.hex}": "end", "name": "Oscar Lund"})

    assert "let it end, Oscar Lund" in visitor.get(link).main
    seen = rashid.get(f"/renewals?period={month(site)}").main
    assert "let it end, Oscar Lund" in seen
    assert "Awaiting approval" in seen
    with site.database.owner_transaction() as session:
        answer = session.scalars(select(RenewalAnswer)).one()
        assert (answer.answered_by, answer.sent_to) == ("Oscar Lund", "it@carla.example")


def test_another_number_of_seats_is_one(site: BuyersSite, subscription: UUID) -> None:
    carla = site.browser_of("carla")
    address = f"/portal/renewals/answer/{subscription}"
    choice, seats = f"choice-{subscription.hex}", f"seats-{subscription.hex}"

    for wrong in ("", "0", "-3", "many", "99999999999"):
        page = carla.post(address, {choice: "seats", seats: wrong}, status=422)
        assert "Write a whole number of seats, one at least." in page.main
    assert "Choose one of the answers." in carla.post(address, {choice: "extend"}, status=422).main
    assert "Choose an answer" in carla.post(address, {}, status=422).main
    carla.post(address, {choice: "seats", seats: "7"})

    assert "renew it with 7 seats" in carla.get(address).main


def test_a_late_answer_is_refused_and_the_page_says_so(site: BuyersSite, subscription: UUID) -> None:
    site.browser_of("rashid").post(f"/renewals/ask?period={month(site)}", {"subscription": str(subscription)})
    link = link_mailed(site)
    with site.database.owner_transaction() as session:
        session.execute(text("UPDATE subscription SET term_start = term_start - 60, term_end = current_date"))
        session.execute(
            text("UPDATE renewal_link SET period = :month, expires_at = now()"), {"month": int(f"{NOW:%Y%m}")}
        )
    visitor = site.visitor()

    assert "Nothing can be decided here any more" in visitor.get(link).main
    page = visitor.post(link, {f"choice-{subscription.hex}": "end", "name": "Oscar"}, status=422)
    assert "It is too late" in page.main


def test_a_link_nobody_has_is_not_there(site: BuyersSite) -> None:
    site.visitor().get(f"/renew/{'x' * 43}", status=404)


def test_only_who_may_answers_and_only_sellers_ask(site: BuyersSite, subscription: UUID) -> None:
    site.browser_of("victor").get(f"/portal/renewals/answer/{subscription}", status=403)
    site.browser_of("stella").get(f"/portal/renewals/answer/{subscription}", status=404)
    assert (
        "Answer for this month"
        not in site.browser_of("victor").get(f"/portal/renewals?period={month(site)}").main
    )


def test_a_reseller_says_what_holds_for_all_and_for_one(site: BuyersSite, subscription: UUID) -> None:
    assert subscription
    rashid = site.browser_of("rashid")
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works").public_id

    assert "Vendor's default: renew" in rashid.get("/renewals/policies").main
    rashid.post("/renewals/policies/default", {"choice": "ask"})
    assert "Ask the customer first" in rashid.get("/renewals/policies").main
    assert "the customer is to be asked" in rashid.get(f"/renewals?period={month(site)}").main
    rashid.post(f"/renewals/policies/{carla}", {"choice": "end"})
    assert len(rashid.get("/renewals/policies?choice=end").rows()) == 1
    site.browser_of("pavel").get(f"/renewals/policies/{carla}", status=404)


def test_staff_say_it_for_a_reseller(site: BuyersSite) -> None:
    wanda = site.browser_of("wanda")
    with site.database.owner_transaction() as session:
        nord = reseller_called(session, "nord").public_id

    wanda.post(f"/admin/renewals/policies/reseller/{nord}", {"choice": "renew"})

    assert "Renew as it is" in wanda.get("/admin/renewals/policies").main
    with site.database.owner_transaction() as session:
        assert session.scalars(select(RenewalPolicy.choice)).all() == ["renew"]


@pytest.mark.parametrize(("who", "prefix"), SHELLS)
def test_the_cockpit_needs_as_many_queries_for_many(
    site: BuyersSite, subscription: UUID, plan: int, who: str, prefix: str
) -> None:
    assert subscription
    visitor = site.browser_of(who)
    address = f"{prefix}/renewals?period={month(site)}"
    visitor.get(address)
    with Statements(site.database) as few:
        visitor.get(address)
    with site.database.owner_transaction() as session:
        for number in range(12):
            buy(session, session.get_one(Plan, plan), f"more-{number}")

    with Statements(site.database) as many:
        assert len(visitor.get(address).rows()) == 13
    assert len(many.sent) == len(few.sent)
