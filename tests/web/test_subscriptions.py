"""A subscription's page in every shell: what it is, what may be done and why not, its windows and its history."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from catalog.queries.promotions import terms_of
from catalog.rules.promotions import Promoted
from marketplace.core.actor import Actor
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.changing import change
from marketplace.subscriptions.rules.changes import Cancel, ChangeQuantity
from marketplace.subscriptions.rules.promotions import reduced
from tests.factories import make_subscription
from tests.offer_factories import make_plan, make_promotion
from tests.personas import customer_called
from tests.subscriptions.lives import quoted
from tests.web.buyers import BuyersSite

NOW = datetime.now(UTC)


@pytest.fixture
def subscription(site: BuyersSite) -> UUID:
    """Carla's works bought ten seats a month ago and two more an hour ago."""
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works")
        made = make_subscription(session, carla, on=NOW - timedelta(days=31), vendor_id="vendor-1")
        change(
            session,
            actor=Actor.system(),
            subscription_id=made.public_id,
            change=ChangeQuantity(12),
            now=NOW - timedelta(hours=1),
        )
        return made.public_id


@pytest.mark.parametrize(
    ("who", "prefix"), [("wanda", "/admin"), ("rashid", ""), ("rosa", ""), ("carla", "/portal")]
)
def test_everybody_it_concerns_sees_its_page(
    site: BuyersSite, subscription: UUID, who: str, prefix: str
) -> None:
    visitor = site.browser_of(who)

    page = visitor.get(f"{prefix}/subscriptions/{subscription}")

    assert "12 seats" in page.main
    assert "Seats can be added at any time." in page.main
    assert "10 → 12 seats" in page.main
    assert "whole price" in page.main
    assert "Microsoft 365 E3" in visitor.get(f"{prefix}/subscriptions").main
    assert "360" not in page.main  # what it costs the wholesaler


@pytest.mark.parametrize(("who", "prefix"), [("wanda", "/admin"), ("rashid", ""), ("carla", "/portal")])
def test_what_was_cancelled_neither_renews_nor_can_be_given_back(
    site: BuyersSite, who: str, prefix: str
) -> None:
    with site.database.owner_transaction() as session:
        carla = customer_called(session, "carla-works")
        made = make_subscription(session, carla, on=NOW - timedelta(hours=2), vendor_id="vendor-3").public_id
        at = NOW - timedelta(hours=1)
        change(session, actor=Actor.system(), subscription_id=made, change=Cancel(), now=at)

    page = site.browser_of(who).get(f"{prefix}/subscriptions/{made}")

    assert "Renews or ends on–" in page.main.replace(" –", "–")
    assert "What can still be given back" not in page.main


@pytest.mark.parametrize(("who", "prefix"), [("wanda", "/admin"), ("rashid", ""), ("carla", "/portal")])
def test_its_promotion_is_named_to_everybody_it_concerns(site: BuyersSite, who: str, prefix: str) -> None:
    with site.database.owner_transaction() as session:
        promotion = make_promotion(session, make_plan(session), percent="15", title="Spring")
        promoted = reduced(quoted(), Promoted(promotion.id, terms_of(promotion)))
        carla = customer_called(session, "carla-works")
        made = make_subscription(session, carla, what=promoted, on=NOW, vendor_id="vendor-2").public_id

    page = site.browser_of(who).get(f"{prefix}/subscriptions/{made}")

    assert "Spring: 15% less than the full price" in page.main


@pytest.mark.parametrize(("who", "prefix"), [("wanda", "/admin"), ("rashid", ""), ("carla", "/portal")])
def test_what_renews_in_a_month_stands_in_that_month_alone(
    site: BuyersSite, subscription: UUID, who: str, prefix: str
) -> None:
    with site.database.owner_transaction() as session:
        end = session.scalars(select(Subscription.term_end)).one()
    assert end is not None
    visitor = site.browser_of(who)

    assert "Microsoft 365 E3" in visitor.get(f"{prefix}/renewals?period={end:%Y-%m}").main
    assert "No term ends in this month" in visitor.get(f"{prefix}/renewals?period=2031-01").main


def test_a_list_needs_few_queries_whatever_its_length(site: BuyersSite, subscription: UUID) -> None:
    assert subscription
    with site.database.owner_transaction() as session:
        for number in range(12):
            make_subscription(session, customer_called(session, "carla-works"), vendor_id=f"more-{number}")

    assert len(site.browser_of("wanda").get("/admin/subscriptions").rows()) == 13
