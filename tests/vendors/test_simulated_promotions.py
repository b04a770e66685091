"""The simulated vendor's promotions: taken off new terms of who is eligible, and told on the bill."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from catalog.words import BillingCycle, Term
from marketplace.vendors.errors import PromotionRefused, VendorRefused
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import Change, Ineligibility, OrderLine, Purchase, RefusedPromotion
from tests.vendors.simulated import (
    PREMIUM,
    STANDARD,
    Simulator,
    bought,
    line,
    open_account,
    running_simulator,
)

SPRING = "CFQ7TTC0LCHC:0002:39NFJQT1Q5KN"


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A vendor that takes ten percent off a year of Premium in June, for up to 300 seats."""
    (tmp_path / "promotions.csv").write_text(
        "reference,percent,starts_on,ends_on,terms,maximum_quantity,first_purchase\n"
        f"{SPRING},10,2021-06-01,2021-07-01,P1Y,300,\n"
    )
    with running_simulator(tmp_path) as simulator:
        simulator.at("2021-06-18T09:00:00Z")
        yield simulator


@pytest.fixture
def connector(simulator: Simulator) -> Iterator[PartnerCenter]:
    with closing(simulator.connector()) as connector:
        yield connector


def yearly(quantity: int = 10, *, promotion: str = "") -> OrderLine:
    return line(PREMIUM, quantity, cycle=BillingCycle.ANNUAL, promotion=promotion)


def billed(connector: PartnerCenter) -> list[tuple[str, str, str, str]]:
    """Give unit price, effective unit price, subtotal and promotion of June's lines."""
    names = ("unitPrice", "effectiveUnitPrice", "subtotal", "promotionId")
    return [
        tuple(str(found[name]) for name in names)  # type: ignore[misc]
        for found in connector.bill_lines("G000202106")
    ]


def amounts(connector: PartnerCenter) -> list[Decimal]:
    return [Decimal(subtotal) for _, _, subtotal, _ in billed(connector)]


@pytest.mark.parametrize("named", [SPRING, ""])
def test_it_is_taken_off_whether_it_is_named_or_not_and_told_on_the_bill(
    simulator: Simulator, connector: PartnerCenter, named: str
) -> None:
    bought(connector, open_account(connector).account, yearly(promotion=named))

    simulator.at("2021-07-06T00:00:00Z")

    (row,) = connector.bill_lines("G000202106")
    assert (Decimal(str(row["unitPrice"])), Decimal(str(row["effectiveUnitPrice"]))) == (
        Decimal(198),
        Decimal("178.2"),
    )
    assert (Decimal(str(row["subtotal"])), row["promotionId"]) == (Decimal(1782), SPRING)
    assert row["priceAdjustmentDescription"] == '["10.0% Promotion"]'


def test_a_promotion_that_does_not_apply_is_refused(connector: PartnerCenter) -> None:
    account = open_account(connector).account

    for what in (yearly(301, promotion=SPRING), line(STANDARD, promotion=SPRING), yearly(promotion="none")):
        with pytest.raises(VendorRefused, match=r"10010|does not apply|exceeded"):
            bought(connector, account, what)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({}, None),
        ({"quantity": 300}, None),
        ({"quantity": 301}, Ineligibility.SEATS),
        ({"term": Term.P1M, "billing_cycle": BillingCycle.MONTHLY}, Ineligibility.TERM),
        ({"promotion": "none"}, Ineligibility.NOT_KNOWN),
    ],
)
def test_the_vendor_says_before_anything_is_bought_whether_a_promotion_applies(
    connector: PartnerCenter, what: dict[str, Any], why: Ineligibility | None
) -> None:
    account = open_account(connector).account
    wanted = replace(yearly(promotion=SPRING), **what)

    refused = connector.refused_promotions(Purchase(account, (wanted, yearly(1))))

    assert list(refused) == ([RefusedPromotion(wanted.promotion, why)] if why else [])
    assert connector.subscriptions(account) == []


def test_seats_bought_through_others_count_and_the_word_is_new_each_time(connector: PartnerCenter) -> None:
    account = open_account(connector).account
    purchase = Purchase(account, (yearly(200, promotion=SPRING),))
    assert connector.refused_promotions(purchase) == []

    bought(connector, account, yearly(101))

    assert connector.refused_promotions(purchase) == [RefusedPromotion(SPRING, Ineligibility.SEATS)]


def test_a_purchase_that_is_refused_for_its_promotion_names_it(connector: PartnerCenter) -> None:
    account = open_account(connector).account
    bought(connector, account, yearly(200))

    with pytest.raises(PromotionRefused, match="10010") as refusal:
        bought(connector, account, yearly(101 - 1, promotion=SPRING), yearly(1, promotion=SPRING))

    assert refusal.value.promotions == (SPRING,)


def test_the_renewal_is_at_full_price_after_it_ended(simulator: Simulator, connector: PartnerCenter) -> None:
    account = open_account(connector).account
    bought(connector, account, yearly())

    simulator.at("2022-07-06T00:00:00Z")

    (row,) = connector.bill_lines("G000202206")
    assert (row["chargeType"], Decimal(str(row["subtotal"])), row["promotionId"]) == (
        "renew",
        Decimal(1980),
        "",
    )


def test_added_seats_have_it_and_the_bill_forgets_it_on_demand(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    one = bought(connector, account, yearly())
    connector.change(account, one.reference, Change(quantity=12), key=uuid4())
    simulator.tell("bill-errors", kind="missing_promotion", period="2021-06")

    simulator.at("2021-07-06T00:00:00Z")

    # The first line is in full; seats were changed on the day they were bought, so the whole year is charged anew.
    assert amounts(connector) == [1980, Decimal(-1782), Decimal("2138.4")]
