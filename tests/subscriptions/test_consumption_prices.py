"""What consumption comes to at every hop: graduated as the vendor prints it, by the rules of the day."""

from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from catalog.queries.meters import find_metered, metered_offers
from catalog.words import ProductKind
from marketplace.accounts.roles import Role, permissions_of
from marketplace.core.actor import Actor, Audience
from marketplace.core.money import Money
from marketplace.subscriptions.consumption_prices import MeterEstimate, estimate
from marketplace.subscriptions.prices import buyers, price_terms
from resellers.words import Basis, Hop
from tests.conformance.shared_data import shared
from tests.factories import make_customer, make_fx, make_reseller, make_rule, make_wholesaler
from tests.offer_factories import make_meter, make_sku
from tests.subscriptions.lives import at

NOW = at("2026-06-18 12:00")
# The vendor's own example: 101 units cost 100.80.
STEPS = (("0", "100", "1"), ("100", "100000", "0.80"), ("100000", None, "0.50"))


def party(audience: Audience, role: Role) -> Actor:
    return Actor("Somebody", audience, 1, permissions=permissions_of(audience, role))


OWNER = party(Audience.RESELLER, Role.OWNER)


def reckoned(
    session: Session, quantity: str, *, actor: Actor = OWNER, currency: str = "EUR", list_basis: bool = False
) -> MeterEstimate:
    """Reckon a month of a backup that Nord buys at plus ten and Carla at plus twenty percent."""
    make_wholesaler(session)
    reseller = make_reseller(session)
    customer = make_customer(session, reseller=reseller)
    sku = make_sku(session, "Backup", kind=ProductKind.CONSUMPTION)
    make_meter(session, sku, *STEPS, currency=currency)
    make_rule(session, Hop.WHOLESALE, percent="10", reseller=reseller)
    make_rule(
        session, Hop.RETAIL, percent="20", basis=Basis.LIST if list_basis else Basis.COST, reseller=reseller
    )
    found = find_metered(session, sku.public_id, market="FR", at=NOW)
    assert found is not None
    offer, (meter,) = found
    buyer = buyers(session, customer_ids=[customer.id])[customer.id]
    terms = price_terms(session, [buyer], day=NOW.date())
    return estimate(terms, buyer, offer, meter, Decimal(quantity), actor=actor)


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * 100), "EUR")


@pytest.mark.parametrize(
    ("quantity", "listed"), [("0", "0"), ("100", "100"), ("101", "100.80"), ("100001", "80020.50")]
)
def test_units_have_the_price_of_their_step(session: Session, quantity: str, listed: str) -> None:
    found = reckoned(session, quantity)

    assert found.listed is not None
    assert found.listed.amount == euros(listed)


def test_the_vendors_printed_tiers_give_its_printed_amount(session: Session) -> None:
    lines = (shared("figures") / "azure_plan_tiered_price.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:] if not line.startswith("#")]
    printed = [(Decimal(row[3]) - 1, Decimal(row[2])) for row in rows]

    found = reckoned(session, "101")

    assert [(step.quantity_from, step.unit_list) for step in found.meter.steps] == printed
    assert found.listed is not None
    assert found.listed.amount == euros("100.80")


def test_each_hop_starts_from_the_one_above(session: Session) -> None:
    found = reckoned(session, "101")

    assert found.wholesale is not None
    assert found.retail is not None
    assert (found.wholesale.amount, found.retail.amount) == (euros("110.88"), euros("133.06"))
    assert found.margin == euros("22.18")
    assert list(found.retail.units) == [Decimal("1.32"), Decimal("1.056"), Decimal("0.66")]


def test_a_rule_on_list_starts_from_the_list(session: Session) -> None:
    found = reckoned(session, "101", list_basis=True)

    assert found.retail is not None
    assert found.retail.amount == euros("120.96")


@pytest.mark.parametrize(
    ("actor", "hops"),
    [
        (OWNER, (True, True, True)),
        (party(Audience.RESELLER, Role.SALES), (True, False, True)),
        (party(Audience.CUSTOMER, Role.OWNER), (False, False, True)),
    ],
)
def test_a_viewer_sees_its_own_hops_alone(
    session: Session, actor: Actor, hops: tuple[bool, bool, bool]
) -> None:
    found = reckoned(session, "101", actor=actor)

    assert (found.listed is not None, found.wholesale is not None, found.retail is not None) == hops


def test_dollars_need_the_rate_of_the_month(session: Session) -> None:
    assert reckoned(session, "101", currency="USD").missing_rate == "USD>EUR"
    make_fx(session, "0.5", month="2026-06")
    found = reckoned(session, "101", currency="USD")
    assert found.retail is not None
    assert found.retail.amount == euros("66.53")


def test_what_is_not_shown_or_of_another_market_is_not_offered(session: Session) -> None:
    shown = make_sku(session, "Shown", kind=ProductKind.CONSUMPTION)
    hidden = make_sku(session, "Hidden", kind=ProductKind.CONSUMPTION, is_listed=False)
    for sku in (shown, hidden):
        make_meter(session, sku, *STEPS)

    assert [one.title for one in metered_offers(session, market="FR", at=NOW)] == ["Shown"]
    assert metered_offers(session, market="DE", at=NOW) == []
    assert find_metered(session, hidden.public_id, market="FR", at=NOW) is None
