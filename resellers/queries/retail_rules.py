"""The retail rules of a reseller: its own, and the wholesaler's defaults beneath them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor
from marketplace.core.errors import Phrase
from marketplace.core.period import DateRange
from resellers.models import Customer, PriceRule, PriceRuleScope
from resellers.rules.price_rules import RuleTerms
from resellers.rules.prices import Price, price_words
from resellers.rules.scopes import Scope
from resellers.words import Basis, Hop


@dataclass(frozen=True, kw_only=True)
class RetailRuleRow:
    """A rule as the reseller's list shows it."""

    id: UUID
    number: int
    customer_id: UUID | None
    # Blank: all customers of the reseller.
    customer: str
    terms: RuleTerms
    # False for the wholesaler's default, which the reseller's own rules go before.
    is_own: bool
    created_by: str

    @property
    def price(self) -> Phrase:
        """The price in words."""
        return price_words(self.terms.price)

    def status(self, today: date) -> str:
        """Say where the rule stands on a day: `active`, `ended`, or `to_come`."""
        span = self.terms.span
        if span.is_empty or (span.end is not None and span.end <= today):
            return "ended"
        return "to_come" if span.start is not None and span.start > today else "active"


def own_rules(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the retail rules a reseller may change: for itself or for one of its customers."""
    return (
        select(PriceRule, PriceRuleScope, Customer.reference)
        .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        .outerjoin(Customer, Customer.id == PriceRuleScope.customer_id)
        .where(PriceRuleScope.hop == Hop.RETAIL.value, _is_own(actor))
    )


def list_retail_rules(
    session: Session, *, actor: Actor, customer_id: int | None = None
) -> list[RetailRuleRow]:
    """List the rules that decide what a reseller's customers pay, or those that concern one customer."""
    is_default = and_(PriceRuleScope.reseller_id.is_(None), PriceRuleScope.customer_id.is_(None))
    statement = (
        select(PriceRule, PriceRuleScope, Customer.reference, Customer.public_id, Customer.legal_name)
        .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        .outerjoin(Customer, Customer.id == PriceRuleScope.customer_id)
        .where(PriceRuleScope.hop == Hop.RETAIL.value, or_(_is_own(actor), is_default))
        .order_by(
            PriceRuleScope.customer_id.is_(None),
            Customer.legal_name,
            PriceRuleScope.vendor,
            PriceRuleScope.product,
            PriceRuleScope.sku,
            PriceRule.valid_from.desc().nulls_last(),
            PriceRule.id,
        )
    )
    if customer_id is not None:
        statement = statement.where(
            or_(PriceRuleScope.customer_id == customer_id, PriceRuleScope.customer_id.is_(None))
        )
    return [_row(found) for found in session.execute(statement)]


def find_retail_rule(session: Session, *, actor: Actor, rule_id: UUID) -> RetailRuleRow | None:
    """Give one of a reseller's own rules, None where there is none or it is somebody else's."""
    found = session.execute(
        own_rules(actor)
        .where(PriceRule.public_id == rule_id)
        .add_columns(Customer.public_id, Customer.legal_name)
    ).one_or_none()
    return _row(found) if found else None


def terms_of(
    rule: PriceRule, scope: PriceRuleScope, customer: str | None, reseller: str | None = None
) -> RuleTerms:
    """Give a stored rule as terms. A reseller who reads its own rules need not be named."""
    return RuleTerms(
        Scope(
            hop=Hop(scope.hop),
            reseller=reseller or "",
            customer=customer or "",
            subscription=scope.subscription,
            vendor=scope.vendor,
            product=scope.product,
            sku=scope.sku,
        ),
        Price(
            basis=Basis(rule.basis), percent=rule.percent, unit_price=rule.unit_price, currency=rule.currency
        ),
        DateRange(rule.valid_from, rule.valid_until),
    )


def _is_own(actor: Actor) -> Any:
    customers = select(Customer.id).where(Customer.reseller_id == actor.reseller_id)
    return or_(
        PriceRuleScope.reseller_id == actor.reseller_id,
        and_(PriceRuleScope.reseller_id.is_(None), PriceRuleScope.customer_id.in_(customers)),
    )


def _row(found: Any) -> RetailRuleRow:
    rule, scope, reference, customer_id, name = found
    return RetailRuleRow(
        id=rule.public_id,
        number=rule.id,
        customer_id=customer_id,
        customer=name or "",
        terms=terms_of(rule, scope, reference),
        is_own=scope.reseller_id is not None or scope.customer_id is not None,
        created_by=rule.created_by,
    )
