"""The vendor's word on promotions: asked before anything is bought, read whole, and kept for some days."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from catalog.words import BillingCycle
from marketplace.core.db import Database
from marketplace.vendors.models import PromotionRefusal, ProvisioningAttempt
from marketplace.vendors.partner_center.bodies.promotions import refused
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.promotions import is_remembered, refused_words
from marketplace.vendors.values import Change, Ineligibility, OrderLine, Purchase, RefusedPromotion
from tests.offer_factories import make_plan, make_promotion
from tests.vendors.asking import Desk
from tests.vendors.simulated import PREMIUM, Simulator, bought, line, open_account, running_simulator

FIRST = "CFQ7TTC0LCHC:0002:39NFJQT1Q5KN"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A vendor that takes ten percent off a customer's first year of Premium."""
    (tmp_path / "promotions.csv").write_text(
        "reference,percent,starts_on,ends_on,terms,maximum_quantity,first_purchase\n"
        f"{FIRST},10,2025-01-01,2026-01-01,P1Y,,yes\n"
    )
    with running_simulator(tmp_path) as simulator:
        simulator.at("2025-03-10T09:00:00Z")
        yield simulator


@pytest.fixture
def desk(database: Database, simulator: Simulator) -> Desk:
    with database.owner_transaction() as session:
        make_promotion(session, make_plan(session), title="First year").reference = FIRST
    return Desk(database, simulator)


@pytest.fixture
def account(connector: PartnerCenter) -> str:
    return open_account(connector).account


def promoted(quantity: int = 10) -> OrderLine:
    one = line(PREMIUM, quantity, cycle=BillingCycle.ANNUAL, promotion=FIRST)
    return replace(one, promotion_title="First year")


def kept(desk: Desk) -> list[tuple[str, date]]:
    with desk.database.owner_transaction() as session:
        return [(one.why, one.refused_on) for one in session.scalars(select(PromotionRefusal))]


def test_the_vendor_is_asked_first_and_then_it_is_bought_at_that_price(
    desk: Desk, connector: PartnerCenter, account: str
) -> None:
    request = desk.buy(account, promoted())

    desk.work(request)
    desk.work(request)

    assert (desk.steps(request), desk.outcomes(request)) == (["check", "ask"], ["queued", "done"])
    assert kept(desk) == []


def test_what_others_sold_before_stops_the_purchase_with_words_and_is_kept(
    desk: Desk, connector: PartnerCenter, account: str
) -> None:
    bought(connector, account, line(PREMIUM, 1))
    request = desk.buy(account, promoted())

    desk.work(request)

    found = desk.request(request)
    assert (found.state, desk.steps(request)) == ("failed", ["check"])
    assert str(found.error) == (
        "microsoft does not give the customer the promotion First year (bought before). Nothing was bought. "
        "Put it into the cart again and order: what was refused is left out of the price."
    )
    assert kept(desk) == [("bought_before", date(2025, 3, 10))]
    assert [one.quantity for one in connector.subscriptions(account)] == [1]


def test_a_purchase_whose_answer_was_lost_is_not_asked_about_again(
    desk: Desk, connector: PartnerCenter, simulator: Simulator, account: str
) -> None:
    request = desk.buy(account, promoted())
    desk.work(request)
    simulator.disturb("lost", path="/checkout", times=9)

    desk.work(request)
    calm_down(simulator)
    desk.wait(hours=1)
    desk.work(request)

    assert (desk.steps(request), desk.request(request).state) == (["check", "ask", "ask"], "done")
    assert [one.quantity for one in connector.subscriptions(account)] == [10]


def calm_down(simulator: Simulator) -> None:
    httpx.delete(f"{simulator.address}/simulator/disturbances").raise_for_status()


def test_a_vendor_that_cannot_be_asked_now_is_asked_later(
    desk: Desk, simulator: Simulator, account: str
) -> None:
    simulator.disturb("503", path="/promotionEligibilities", times=9)
    request = desk.buy(account, promoted())

    desk.work(request)
    calm_down(simulator)
    desk.wait(hours=1)
    for _ in range(2):
        desk.work(request)

    assert (desk.steps(request), desk.outcomes(request)) == (
        ["check", "check", "ask"],
        ["queued", "queued", "done"],
    )


def test_a_refusal_at_the_checkout_is_kept_likewise(
    desk: Desk, connector: PartnerCenter, account: str
) -> None:
    request = desk.buy(account, promoted())
    desk.work(request)
    bought(connector, account, line(PREMIUM, 1))

    desk.work(request)

    found = desk.request(request)
    assert (found.state, found.error_code) == ("failed", "10010")
    assert "the promotion First year (without a reason)" in str(found.error)
    assert kept(desk) == [("not_said", date(2025, 3, 10))]
    with desk.database.owner_transaction() as session:
        assert session.scalars(select(PromotionRefusal.seats)).all() == [10]
        last = session.scalars(select(ProvisioningAttempt).order_by(ProvisioningAttempt.id.desc())).first()
        assert last is not None
        assert "does not apply to this purchase" in last.received["words"]


def test_what_is_refused_without_a_word_on_the_promotion_is_not_kept(
    desk: Desk, simulator: Simulator, account: str
) -> None:
    request = desk.buy(account, promoted())
    desk.work(request)
    simulator.disturb("refuse", path="/checkout", code="10010", words="The input is not valid.")

    desk.work(request)

    assert (desk.request(request).state, kept(desk)) == ("failed", [])


def test_seats_added_to_what_has_the_price_are_not_asked_about(
    desk: Desk, connector: PartnerCenter, simulator: Simulator, account: str
) -> None:
    """A promotion holds for the whole term and for what is added to it: the vendor judges the change itself."""
    request = desk.buy(account, promoted())
    desk.work(request)
    desk.work(request)
    (one,) = connector.subscriptions(account)
    simulator.disturb("503", path="/promotionEligibilities", times=9)

    change = desk.change(account, one.reference, Change(quantity=12), buys=True)
    desk.work(change)

    assert (desk.steps(change), desk.request(change).state) == (["ask"], "done")
    assert [found.quantity for found in connector.subscriptions(account)] == [12]


def answer(*eligibilities: dict[str, Any]) -> dict[str, Any]:
    return {"items": [{"catalogItemId": "p:s:a", "eligibilities": [one]} for one in eligibilities]}


def no(*types: str, promotion: str = "A") -> dict[str, Any]:
    return {"promotionId": promotion, "isEligible": False, "errors": [{"type": one} for one in types]}


YES = {"promotionId": "A", "isEligible": True, "errors": []}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([YES], None),
        ([no("SeatCount", "Term", "FirstPurchase")], Ineligibility.SEATS),
        ([no("FirstPurchase")], Ineligibility.BOUGHT_BEFORE),
        ([no("OfferPurchasedPreviously")], Ineligibility.BOUGHT_BEFORE),
        ([no("PrerequisiteProductOwnership")], Ineligibility.NEEDS_PRODUCT),
        ([no("RedemptionLimit")], Ineligibility.USED_UP),
        ([no("InvalidCatalogItemId")], Ineligibility.OTHER_PRODUCT),
        ([no("InvalidPromotion")], Ineligibility.NOT_KNOWN),
        ([no("SomethingNew", "Term")], Ineligibility.TERM),
        ([no("SomethingNew")], Ineligibility.NOT_SAID),
        ([no()], Ineligibility.NOT_SAID),
        ([YES, no("Term")], Ineligibility.TERM),
        ([no("Term"), YES], Ineligibility.TERM),
    ],
)
def test_each_answer_of_the_vendor_is_read(said: list[dict[str, Any]], why: Ineligibility | None) -> None:
    assert refused(answer(*said), ["A", "A"]) == ([RefusedPromotion("A", why)] if why else [])


def test_a_promotion_that_the_vendor_is_silent_about_is_no_yes() -> None:
    with pytest.raises(LookupError, match="the promotion B"):
        refused(answer(YES), ["A", "B"])


@pytest.mark.parametrize(
    ("day", "counts"),
    [((2025, 3, 9), False), ((2025, 3, 10), True), ((2025, 3, 16), True), ((2025, 3, 17), False)],
)
def test_a_refusal_counts_for_seven_days(day: tuple[int, int, int], counts: bool) -> None:
    assert is_remembered(date(2025, 3, 10), date(*day)) is counts


def test_several_refused_promotions_are_all_named() -> None:
    purchase = Purchase("t", (promoted(), replace(promoted(), promotion="B", promotion_title="")))
    both = [
        RefusedPromotion(FIRST, Ineligibility.SEATS),
        RefusedPromotion("B", Ineligibility.TERM),
    ]

    assert (
        "the promotion First year (the number of seats does not fit) and the promotion B (the term does not fit)"
        in refused_words("microsoft", purchase, both)
    )
