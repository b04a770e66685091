"""Changing a subscription in every shell: what it comes to for whom, why not, and the order it becomes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from catalog.models import Plan, Sku, SkuRelation
from catalog.words import RelationKind
from marketplace.orders.models import CustomerBuying
from marketplace.subscriptions.models import Subscription
from tests.factories import make_subscription
from tests.offer_factories import priced
from tests.page import Page, Visitor
from tests.personas import customer_called
from tests.web.buyers import Statements
from tests.web.orders.conftest import COST, SellingSite

BOUGHT = datetime.now(UTC) - timedelta(days=31)
SHELLS = [("wanda", "/admin"), ("rashid", ""), ("rosa", ""), ("carla", "/portal")]


@pytest.fixture
def subscription(site: SellingSite) -> UUID:
    """Carla's works has had ten seats for a month, and may buy for itself without asking."""
    with site.database.owner_transaction() as session:
        plan = session.scalars(select(Plan).where(Plan.public_id == site.goods.plan)).one()
        carla = customer_called(session, "carla-works")
        session.add(CustomerBuying(customer_id=carla.id, may_buy=True, needs_approval=False, set_at=BOUGHT))
        made = make_subscription(session, carla, what=priced(session, plan), on=BOUGHT, vendor_id="vendor-1")
        return made.public_id


def look(visitor: Visitor, address: str, **asked: object) -> Page:
    """Look at what a change comes to."""
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return visitor.get(f"{address}/change?{query}")


def agreed(page: Page) -> dict[str, str]:
    """Give the form that orders what a page shows."""
    return {name: page.hidden(name) for name in ("what", "quantity", "key", "seen")}


def order(visitor: Visitor, address: str, **asked: object) -> str:
    """Order a change as it is shown; give the order's address."""
    page = visitor.post(f"{address}/change", agreed(look(visitor, address, **asked)))
    return str(page.response.location)


@pytest.mark.parametrize(("who", "shell"), SHELLS)
def test_every_audience_orders_seats_as_they_were_shown(
    site: SellingSite, subscription: UUID, who: str, shell: str
) -> None:
    visitor = site.browser_of(who)
    address = f"{shell}/subscriptions/{subscription}"
    assert "See what it comes to" in visitor.get(address).main

    preview = look(visitor, address, what="quantity", quantity=12)
    assert "10 → 12 seats" in preview.main
    assert "Seats added" in preview.main
    assert "can be given back until" in preview.main
    shown = visitor.get(order(visitor, address, what="quantity", quantity=12))

    assert "have 12 from now on" in shown.main
    assert "At the vendor" in shown.main
    assert [(one.kind, one.audience) for one in site.orders()] == [
        ("change", {"/admin": "wholesaler", "": "reseller", "/portal": "customer"}[shell])
    ]
    # Seats are there once the vendor says so.
    with site.database.owner_transaction() as session:
        assert session.scalars(select(Subscription.quantity)).one() == 10


@pytest.mark.parametrize(
    ("who", "shell", "sees", "not_sees"),
    [
        ("wanda", "/admin", ("You pay the vendor", "The reseller pays you", "The customer pays"), ()),
        ("rashid", "", ("You pay", "The customer pays"), ("You pay the vendor", "The reseller pays")),
        ("rosa", "", ("The customer pays",), ("You pay", "14.81")),
        ("carla", "/portal", ("You pay",), ("The customer pays", "14.81")),
    ],
)
def test_each_sees_the_money_of_its_own_hops_alone(
    site: SellingSite,
    subscription: UUID,
    who: str,
    shell: str,
    sees: tuple[str, ...],
    not_sees: tuple[str, ...],
) -> None:
    visitor = site.browser_of(who)

    page = look(visitor, f"{shell}/subscriptions/{subscription}", what="quantity", quantity=11)

    assert all(words in page.main for words in sees)
    assert not any(words in page.main for words in not_sees)
    assert who == "wanda" or not any(figure in page.text for figure in COST)


def test_a_preview_costs_as_many_queries_as_any_page(
    site: SellingSite, rashid: Visitor, subscription: UUID
) -> None:
    look(rashid, f"/subscriptions/{subscription}", what="quantity", quantity=11)

    with Statements(site.database) as statements:
        look(rashid, f"/subscriptions/{subscription}", what="quantity", quantity=12)

    assert len(statements.sent) <= 50


def test_two_clicks_are_one_order(site: SellingSite, rashid: Visitor, subscription: UUID) -> None:
    address = f"/subscriptions/{subscription}"
    form = agreed(look(rashid, address, what="quantity", quantity=12))

    once = rashid.post(f"{address}/change", form)
    again = rashid.post(f"{address}/change", form, changes=False)

    assert once.response.location == again.response.location
    assert len(site.orders()) == 1


def test_a_second_change_is_refused_while_the_first_is_on_its_way(
    rashid: Visitor, subscription: UUID
) -> None:
    address = f"/subscriptions/{subscription}"
    form = agreed(look(rashid, address, what="quantity", quantity=14))
    order(rashid, address, what="quantity", quantity=12)

    refused = rashid.post(f"{address}/change", form, status=422)

    assert "changes this subscription already" in refused.main


def test_what_comes_to_something_else_by_now_is_not_ordered(
    site: SellingSite, rashid: Visitor, subscription: UUID
) -> None:
    address = f"/subscriptions/{subscription}"
    form = agreed(look(rashid, address, what="quantity", quantity=12))

    refused = rashid.post(f"{address}/change", {**form, "quantity": "120"}, status=422)

    assert "has changed since you looked" in refused.main
    assert "10 → 120 seats" in refused.main
    assert site.orders() == []


@pytest.mark.parametrize("text", ["", "0", "-3", "1.5", "many", "99999999999"])
def test_what_is_no_number_of_seats_says_what_to_write(
    site: SellingSite, rashid: Visitor, subscription: UUID, text: str
) -> None:
    address = f"/subscriptions/{subscription}"

    assert "Write a whole number of seats." in look(rashid, address, what="quantity", quantity=text).main
    form = {"what": "quantity", "quantity": text, "key": str(uuid4()), "seen": ""}
    assert "Write a whole number" in rashid.post(f"{address}/change", form, status=422).main
    assert site.orders() == []


def test_what_cannot_be_done_says_why_and_offers_no_button(rashid: Visitor, subscription: UUID) -> None:
    page = look(rashid, f"/subscriptions/{subscription}", what="quantity", quantity=10)

    assert "seats already" in page.main
    assert "Back to the subscription" in page.main
    assert page.all("input", name="key") == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("cancel", "charged to the end of its term"),
        ("suspend", "The service stops and is charged all the same."),
        ("end", "The service stops when its term ends."),
    ],
)
def test_other_changes_are_orders_too(
    site: SellingSite, rashid: Visitor, subscription: UUID, what: str, words: str
) -> None:
    address = f"/subscriptions/{subscription}"
    assert words in rashid.get(address).main

    assert words in look(rashid, address, what=what).main
    order(rashid, address, what=what)

    assert [one.state for one in site.orders()] == ["provisioning"]


def test_a_customer_that_may_not_buy_changes_nothing(
    site: SellingSite, carla: Visitor, subscription: UUID
) -> None:
    address = f"/portal/subscriptions/{subscription}"
    form = agreed(look(carla, address, what="quantity", quantity=12))
    with site.database.owner_transaction() as session:
        session.scalars(select(CustomerBuying)).one().may_buy = False

    assert "See what it comes to" not in carla.get(address).main
    assert "Add a seat" in carla.get(address).main
    carla.get(f"{address}/change?what=cancel", status=404)
    carla.post(f"{address}/change", form, status=404)
    assert site.orders() == []


def test_a_customer_whose_reseller_approves_waits_for_it(
    site: SellingSite, carla: Visitor, subscription: UUID
) -> None:
    with site.database.owner_transaction() as session:
        session.scalars(select(CustomerBuying)).one().needs_approval = True

    order(carla, f"/portal/subscriptions/{subscription}", what="quantity", quantity=12)

    assert [one.state for one in site.orders()] == ["awaiting_approval"]


def test_outsiders_find_nothing(site: SellingSite, pavel: Visitor, subscription: UUID) -> None:
    form = {"what": "cancel", "quantity": "0", "key": str(uuid4()), "seen": ""}

    pavel.get(f"/subscriptions/{subscription}/change?what=cancel", status=404)
    pavel.post(f"/subscriptions/{subscription}/change", form, status=404)
    assert site.orders() == []


def hidden(page: Page) -> dict[str, str]:
    """Give the whole form that orders what a page shows."""
    names = ("what", "quantity", "plan", "ends_on", "into", "key", "seen")
    return {name: page.all("input", name=name)[-1].get("value") or "" for name in names}


@pytest.fixture
def better(site: SellingSite, subscription: UUID) -> UUID:
    """What Carla's works has may be upgraded to Dynamics 365 Sales."""
    assert subscription
    with site.database.owner_transaction() as session:
        plan = session.scalars(select(Plan).where(Plan.public_id == site.goods.plan)).one()
        dynamics = session.execute(
            select(Plan, Sku).join(Sku, Sku.id == Plan.sku_id).where(Sku.title == "Dynamics 365 Sales")
        ).one()
        relation = SkuRelation(
            sku_id=plan.sku_id, kind=RelationKind.UPGRADE.value, target_sku_id=dynamics[1].id
        )
        session.add(relation)
        return dynamics[0].public_id


@pytest.mark.parametrize(("who", "shell"), [("wanda", "/admin"), ("rashid", ""), ("carla", "/portal")])
def test_some_seats_are_upgraded(
    site: SellingSite, subscription: UUID, better: UUID, who: str, shell: str
) -> None:
    visitor = site.browser_of(who)
    address = f"{shell}/subscriptions/{subscription}"
    assert "Upgrade it" in visitor.get(address).main

    page = look(visitor, address, what="upgrade", quantity=4)
    assert "Dynamics 365 Sales, one year, by the month" in page.main
    assert "An upgrade takes effect at once." in page.main
    form = hidden(page)
    assert (form["plan"], form["quantity"]) == (str(better), "4")
    made = str(visitor.post(f"{address}/change", form).response.location)

    assert "upgrade 4 to Dynamics 365 Sales" in visitor.get(made).main
    assert not any(figure in page.text for figure in COST) or who == "wanda"


@pytest.mark.parametrize(("who", "shell"), [("wanda", "/admin"), ("rashid", ""), ("carla", "/portal")])
def test_seats_are_upgraded_into_a_subscription_of_the_better_plan(
    site: SellingSite, subscription: UUID, better: UUID, who: str, shell: str
) -> None:
    visitor, address = site.browser_of(who), f"{shell}/subscriptions/{subscription}"
    assert "Where the seats go" not in look(visitor, address, what="upgrade", quantity=4).main
    with site.database.owner_transaction() as session:
        plan = session.scalars(select(Plan).where(Plan.public_id == better)).one()
        carla = customer_called(session, "carla-works")
        into = make_subscription(
            session, carla, what=priced(session, plan), quantity=5, on=BOUGHT, vendor_id="vendor-2"
        ).public_id

    assert "Into the one with 5 seats" in look(visitor, address, what="upgrade", quantity=4).main
    page = look(visitor, address, what="upgrade", quantity=4, into=into)
    assert "Seats moved in" in page.main
    form = hidden(page)
    assert form["into"] == str(into)
    made = str(visitor.post(f"{address}/change", form).response.location)

    assert "into the subscription of it there is" in visitor.get(made).main
    nowhere = look(visitor, address, what="upgrade", quantity=4, into=subscription).main
    assert "The seats cannot go into that subscription" in nowhere


def test_another_way_of_paying_waits_for_the_renewal(
    site: SellingSite, rashid: Visitor, subscription: UUID
) -> None:
    address = f"/subscriptions/{subscription}"

    page = look(rashid, address, what="plan")
    assert "one year, by the year" in page.main
    assert "This term is paid the same way to its end." in page.main
    assert "First charge after the renewal" in page.main
    rashid.post(f"{address}/change", hidden(page))

    assert [one.state for one in site.orders()] == ["provisioning"]


def test_what_it_renews_as_is_set_with_seats_plan_and_end(
    site: SellingSite, rashid: Visitor, subscription: UUID
) -> None:
    address = f"/subscriptions/{subscription}"
    offered = look(rashid, address, what="at_renewal").all("option")
    ends = [one.get("value") for one in offered if "with the month" in "".join(one.itertext())]
    assert len(ends) == 1

    page = look(rashid, address, what="at_renewal", quantity=7, plan=site.goods.yearly, ends_on=str(ends[0]))
    made = str(rashid.post(f"{address}/change", hidden(page)).response.location)

    words = "renew as 7 × Microsoft 365 Business Premium for one year, paid by the year, until"
    assert words in rashid.get(made).main


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"what": "at_renewal", "ends_on": "2031-03-17"}, "cannot end on that day"),
        ({"what": "at_renewal", "quantity": "none"}, "Write a whole number of seats."),
        ({"what": "at_renewal"}, "It renews like that by itself"),
        ({"what": "at_renewal", "quantity": "301"}, "No more than 300 seats"),
        ({"what": "plan", "plan": "nothing"}, "one year, by the year"),
    ],
)
def test_what_cannot_be_chosen_says_what_can(
    rashid: Visitor, subscription: UUID, asked: dict[str, str], words: str
) -> None:
    assert words in look(rashid, f"/subscriptions/{subscription}", **asked).main


def test_what_a_subscription_can_never_become_has_no_page(rashid: Visitor, subscription: UUID) -> None:
    for what in ("convert", "upgrade", "nonsense"):
        rashid.get(f"/subscriptions/{subscription}/change?what={what}", status=404)
