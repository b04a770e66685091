"""A product its vendor renamed: rules come along when staff take the name, and never come loose before."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models import Product
from marketplace.accounts.roles import Role, permissions_of
from marketplace.core.actor import Actor, Audience
from marketplace.core.audit import AuditEntry
from marketplace.core.errors import NotFound, NotPermitted
from resellers.models import PriceRule, PriceRuleScope
from resellers.operations.renaming import NotRenamed, RulesOfName, rules_of_name, take_vendor_title
from resellers.words import Hop
from tests.factories import make_reseller, make_rule
from tests.offer_factories import make_sku

STAFF = Actor("Clara", Audience.WHOLESALER, permissions=permissions_of(Audience.WHOLESALER, Role.CATALOGUE))
DAY = date(2026, 6, 1)


def renamed(session: Session) -> Product:
    sku = make_sku(session, "Old name", reference=uuid4().hex)
    product = session.get_one(Product, sku.product_id)
    product.vendor_title = "New name"
    session.flush()
    return product


def rules(session: Session, title: str) -> list[tuple[str, Decimal | None, date | None, date | None]]:
    rows = session.execute(
        select(PriceRuleScope.hop, PriceRule.percent, PriceRule.valid_from, PriceRule.valid_until)
        .join(PriceRule, PriceRule.scope_id == PriceRuleScope.id)
        .where(PriceRuleScope.product == title)
        .order_by(PriceRuleScope.hop, PriceRule.percent)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def test_rules_of_both_hops_hold_for_the_new_name_from_the_day_on(session: Session) -> None:
    product = renamed(session)
    reseller = make_reseller(session)
    make_rule(session, Hop.WHOLESALE, percent="10", vendor="microsoft", product="Old name")
    make_rule(
        session,
        Hop.RETAIL,
        percent="20",
        reseller=reseller,
        valid_from=date(2026, 9, 1),
        vendor="microsoft",
        product="Old name",
    )
    make_rule(
        session,
        Hop.RETAIL,
        percent="3",
        reseller=reseller,
        valid_until=date(2026, 1, 1),
        vendor="microsoft",
        product="Old name",
    )
    make_rule(session, Hop.WHOLESALE, percent="7", vendor="aws", product="Old name")

    assert take_vendor_title(session, actor=STAFF, product_id=product.public_id, day=DAY) == 2

    assert product.title == "New name"
    assert rules(session, "New name") == [
        ("retail", Decimal(20), date(2026, 9, 1), None),
        ("wholesale", Decimal(10), DAY, None),
    ]
    # Those of the old name stay, for older usage and running subscriptions.
    assert len(rules(session, "Old name")) == 4
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "product.rename")).one()
    assert entry.after == {"product": "New name", "valid_from": "2026-06-01", "rules": 2}


def test_what_the_new_name_has_of_its_own_stays(session: Session) -> None:
    product = renamed(session)
    make_rule(session, Hop.WHOLESALE, percent="10", vendor="microsoft", product="Old name")
    make_rule(session, Hop.WHOLESALE, percent="15", vendor="microsoft", product="New name")

    assert rules_of_name(session, product, day=DAY) == RulesOfName(standing=1, known=1)
    assert take_vendor_title(session, actor=STAFF, product_id=product.public_id, day=DAY) == 0
    assert rules(session, "New name") == [("wholesale", Decimal(15), None, None)]


def test_looking_changes_nothing(session: Session) -> None:
    product = renamed(session)
    make_rule(session, Hop.WHOLESALE, percent="10", vendor="microsoft", product="Old name")

    assert rules_of_name(session, product, day=DAY).carried == 1
    assert session.scalar(select(PriceRuleScope.id).where(PriceRuleScope.product == "New name")) is None


def test_who_may_not_and_what_has_no_new_name_is_refused(session: Session) -> None:
    product = renamed(session)
    with pytest.raises(NotPermitted):
        take_vendor_title(
            session, actor=Actor("Rita", Audience.RESELLER), product_id=product.public_id, day=DAY
        )
    with pytest.raises(NotFound):
        take_vendor_title(session, actor=STAFF, product_id=uuid4(), day=DAY)
    take_vendor_title(session, actor=STAFF, product_id=product.public_id, day=DAY)
    with pytest.raises(NotRenamed):
        take_vendor_title(session, actor=STAFF, product_id=product.public_id, day=DAY)
