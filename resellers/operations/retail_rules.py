"""A reseller's own retail rules: add one, change one's price, end one. Other hops and other resellers are out of reach here."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.period import DateRange
from marketplace.core.permit import require
from marketplace.core.rounding import EXACT
from resellers.conflicts import conflicts_in_words
from resellers.models import Customer, PriceRule, PriceRuleScope, Reseller
from resellers.operations.ends import end_term
from resellers.queries.floors import floors
from resellers.queries.retail_rules import own_rules, terms_of
from resellers.rules.floors import BelowFloor, below_floor, floor_for
from resellers.rules.price_rules import RuleTerms, rule_as_json
from resellers.rules.prices import Price, plain, price_words
from resellers.rules.spans import span_words
from resellers.words import Basis, Hop

_HUNDRED = Decimal(100)


class NotARetailRule(Refusal):
    """Resellers decide what their customers pay, and nothing else."""

    sentence = N_("Only the prices your customers pay are yours to set.")


class NotYourCustomer(Refusal):
    """The rule names somebody the reseller does not sell to."""

    sentence = N_("%(customer)s is not one of your customers.")


class OverlapsAnother(Refusal):
    """Two rules of one scope would hold on the same day."""

    sentence = N_(
        "This overlaps a price that stands for the same: %(price)s, %(span)s. End that one first, or choose other days."
    )


class BelowOwnFloor(Refusal):
    """The firm does not sell so low."""

    sentence = N_(
        "This earns less than the %(floor)s %% your firm has set as its floor for what it pays: %(remedy)s"
    )


_REMEDIES = {
    BelowFloor.SOFT: N_("an owner must enter it."),
    BelowFloor.HARD: N_("nobody may go below it. An owner can change the floor."),
}


def add_retail_rule(session: Session, *, actor: Actor, terms: RuleTerms) -> PriceRule:
    """Add a retail rule of the actor's own.

    Without a customer it is for all of the reseller's. Raises `NotARetailRule`, `NotYourCustomer`, `BelowOwnFloor`,
    `OverlapsAnother`.
    """
    require(actor, Permission.RESELLER_RULES_MANAGE)
    _check_floor(session, actor, terms)
    scope_id = _scope_id(session, actor, terms)
    _refuse_overlap(session, scope_id, terms)
    price = terms.price
    rule = PriceRule(
        public_id=uuid4(),
        scope_id=scope_id,
        basis=price.basis.value,
        percent=price.percent,
        unit_price=price.unit_price,
        currency=price.currency,
        valid_from=terms.span.start,
        valid_until=terms.span.end,
        created_by=actor.name,
    )
    session.add(rule)
    with conflicts_in_words():
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="price_rule.add",
        subject="price_rule",
        subject_id=rule.public_id,
        after=rule_as_json(terms),
    )
    return rule


def end_retail_rule(session: Session, *, actor: Actor, rule_id: UUID, end: date) -> PriceRule:
    """End a retail rule of the actor's own: `end` is the first day it no longer holds on.

    Raises `NotFound` and the refusals of `end_term`.
    """
    require(actor, Permission.RESELLER_RULES_MANAGE)
    found = session.execute(
        own_rules(actor).where(PriceRule.public_id == rule_id).with_for_update(of=PriceRule)
    ).one_or_none()
    if found is None:
        raise NotFound
    rule: PriceRule = found[0]
    end_term(session, rule, end=end, actor=actor, subject="price_rule", about=rule_as_json(terms_of(*found)))
    return rule


def change_retail_rule(
    session: Session, *, actor: Actor, rule_id: UUID, price: Price, start: date
) -> PriceRule:
    """Give a retail rule of the actor's own another price from a day on, until the end it had.

    A price never changes: it ends on that day, and another begins. Raises as `end_retail_rule` does.
    """
    require(actor, Permission.RESELLER_RULES_MANAGE)
    found = session.execute(own_rules(actor).where(PriceRule.public_id == rule_id)).one_or_none()
    if found is None:
        raise NotFound
    before = terms_of(*found)
    end_retail_rule(session, actor=actor, rule_id=rule_id, end=start)
    after = RuleTerms(before.scope, price, DateRange(start, before.span.end))
    return add_retail_rule(session, actor=actor, terms=after)


def _check_floor(session: Session, actor: Actor, terms: RuleTerms) -> None:
    """Hold a percentage on what the firm pays to its floor. Other prices are held to it when they are quoted or ordered."""
    floor = floor_for(floors(session, reseller_id=actor.reseller_id), terms.scope.vendor)
    if floor is None or terms.price.basis is not Basis.COST:
        return
    sold = EXACT.add(_HUNDRED, terms.price.percent or Decimal(0))
    may = actor.may(Permission.RESELLER_RULES_BELOW_FLOOR)
    if (which := below_floor(sold, _HUNDRED, floor, may_go_below=may)) is not None:
        percent = floor.hard if which is BelowFloor.HARD else floor.soft
        raise BelowOwnFloor(floor=plain(percent), remedy=Phrase.of(_REMEDIES[which]))


def _scope_id(session: Session, actor: Actor, terms: RuleTerms) -> int:
    """Find the scope of the actor's own rule, made where it is new."""
    scope = terms.scope
    if scope.hop is not Hop.RETAIL:
        raise NotARetailRule
    reseller = session.get_one(Reseller, actor.reseller_id)
    if scope.reseller not in ("", reseller.reference):
        raise NotARetailRule
    customer_id = None
    if scope.customer:
        customer_id = session.scalar(
            select(Customer.id).where(
                Customer.reference == scope.customer, Customer.reseller_id == actor.reseller_id
            )
        )
        if customer_id is None:
            raise NotYourCustomer(customer=scope.customer)
    columns = {
        "hop": Hop.RETAIL.value,
        # A customer has one reseller, so that naming it beside would say nothing more.
        "reseller_id": None if customer_id else actor.reseller_id,
        "customer_id": customer_id,
        "subscription": scope.subscription,
        "vendor": scope.vendor,
        "product": scope.product,
        "sku": scope.sku,
    }
    session.execute(insert(PriceRuleScope).values(**columns).on_conflict_do_nothing())
    return session.scalars(select(PriceRuleScope.id).filter_by(**columns)).one()


def _refuse_overlap(session: Session, scope_id: int, terms: RuleTerms) -> None:
    for found in session.execute(
        select(PriceRule, PriceRuleScope, Customer.reference)
        .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        .outerjoin(Customer, Customer.id == PriceRuleScope.customer_id)
        .where(PriceRule.scope_id == scope_id)
        .order_by(PriceRule.valid_from.nulls_first(), PriceRule.id)
    ):
        other = terms_of(*found)
        if other.span.overlaps(terms.span):
            raise OverlapsAnother(price=price_words(other.price), span=span_words(other.span))
