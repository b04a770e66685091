"""Wanda sees what the vendor's bill has otherwise, with the money at stake, and takes it off the queue."""

from sqlalchemy import select

from marketplace.billing.models import ChargeDifference
from marketplace.core.period import Period
from tests.factories import make_charge_difference
from tests.web.buyers import BuyersSite

SEPTEMBER = Period(2024, 9)


def test_the_dearest_difference_comes_first_and_each_kind_says_what_is_at_stake(site: BuyersSite) -> None:
    with site.database.owner_transaction() as session:
        make_charge_difference(session, period=SEPTEMBER, subscription="small")
        make_charge_difference(session, period=SEPTEMBER, subscription="large", kind="unknown", own="0")

    page = site.browser_of("wanda").get("/admin/charge-differences")

    assert page.main.index("large") < page.main.index("small")
    assert "€110.88" in page.main
    assert "Unknown subscription" in page.main


def test_a_difference_is_settled_with_a_note(site: BuyersSite) -> None:
    with site.database.owner_transaction() as session:
        identity = make_charge_difference(session, period=SEPTEMBER).public_id
    wanda = site.browser_of("wanda")
    address = f"/admin/charge-differences/{identity}"

    assert "different numbers of seats" in wanda.get(address).main
    assert "Say what was decided" in wanda.post(address, {"note": ""}, status=422).main
    wanda.post(address, {"note": "Asked Microsoft."})

    with site.database.owner_transaction() as session:
        found = session.scalars(select(ChargeDifference)).one()
        assert (found.note, found.settled_at is not None) == ("Asked Microsoft.", True)
    assert "Settled" in wanda.get("/admin/charge-differences?status=settled").main


def test_what_a_filter_shows_is_settled_together_with_one_note(site: BuyersSite) -> None:
    with site.database.owner_transaction() as session:
        for number in range(3):
            make_charge_difference(
                session, period=SEPTEMBER, subscription=f"old-{number}", kind="unknown", own="0"
            )
        make_charge_difference(session, period=SEPTEMBER, subscription="seats")
    wanda = site.browser_of("wanda")
    shown = wanda.get("/admin/charge-differences?kind=unknown")

    action = shown.link("Settle together")
    assert "3 open differences" in wanda.get(action).main
    assert "Say what was decided" in wanda.post(action, {"note": ""}, status=422).main
    wanda.post(action, {"note": "Sold before."})
    assert "Nothing of it is open" in wanda.post(action, {"note": "A second click."}, status=200).main

    with site.database.owner_transaction() as session:
        notes = session.execute(
            select(ChargeDifference.subscription, ChargeDifference.note).order_by(
                ChargeDifference.subscription
            )
        ).all()
    assert notes == [*((f"old-{number}", "Sold before.") for number in range(3)), ("seats", "")]


def test_a_month_without_differences_says_when_they_appear(site: BuyersSite) -> None:
    assert "Nothing differs" in site.browser_of("wanda").get("/admin/charge-differences").main
