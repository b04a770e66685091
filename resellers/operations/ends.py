"""Ending what stands: a mapping, a price rule. A price never changes; it ends and another begins."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, NotFound, Refusal
from marketplace.core.permit import require
from resellers.models import AccountMapping, Customer, PriceRule, PriceRuleScope, Reseller, VendorAccount
from resellers.queries.retail_rules import terms_of
from resellers.rules.price_rules import rule_as_json


class EndBeforeStart(Refusal):
    """The end lies before the start."""

    sentence = N_("It starts on %(start)s: it cannot end before.")


class EndedEarlier(Refusal):
    """There is an earlier end already."""

    sentence = N_("It ends on %(end)s already. Add another one to go on from there.")


def end_mapping(session: Session, *, actor: Actor, mapping_id: UUID, end: date) -> AccountMapping:
    """End a mapping: `end` is the first day the account is nobody's. Raises `NotFound` and the refusals above."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    found = session.execute(
        select(AccountMapping, VendorAccount.vendor, VendorAccount.account, Customer.reference)
        .join(VendorAccount, VendorAccount.id == AccountMapping.vendor_account_id)
        .join(Customer, Customer.id == AccountMapping.customer_id)
        .where(AccountMapping.public_id == mapping_id)
        .with_for_update(of=AccountMapping)
    ).one_or_none()
    if found is None:
        raise NotFound
    mapping: AccountMapping = found[0]
    about = dict(zip(("vendor", "account", "customer"), found[1:], strict=True))
    end_term(session, mapping, end=end, actor=actor, subject="mapping", about=about)
    return mapping


def end_price_rule(session: Session, *, actor: Actor, rule_id: UUID, end: date) -> PriceRule:
    """End any price rule: `end` is the first usage day it no longer prices. Raises as `end_mapping` does."""
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    found = session.execute(
        select(PriceRule, PriceRuleScope, Customer.reference, Reseller.reference)
        .join(PriceRuleScope, PriceRuleScope.id == PriceRule.scope_id)
        .outerjoin(Customer, Customer.id == PriceRuleScope.customer_id)
        .outerjoin(Reseller, Reseller.id == PriceRuleScope.reseller_id)
        .where(PriceRule.public_id == rule_id)
        .with_for_update(of=PriceRule)
    ).one_or_none()
    if found is None:
        raise NotFound
    rule: PriceRule = found[0]
    end_term(session, rule, end=end, actor=actor, subject="price_rule", about=rule_as_json(terms_of(*found)))
    return rule


def end_term(
    session: Session,
    what: AccountMapping | PriceRule,
    *,
    end: date,
    actor: Actor,
    subject: str,
    about: Mapping[str, object],
) -> None:
    """End what was found and locked, and record it. `about` says what it is, for the audit trail."""
    if what.valid_from is not None and end < what.valid_from:
        raise EndBeforeStart(start=what.valid_from)
    if what.valid_until is not None and what.valid_until <= end:
        raise EndedEarlier(end=what.valid_until)
    before = what.valid_until
    what.valid_until = end
    audit.record(
        session,
        actor=actor,
        action=f"{subject}.end",
        subject=subject,
        subject_id=what.public_id,
        before={**about, "valid_until": before.isoformat() if before else ""},
        after={**about, "valid_until": end.isoformat()},
    )
    # The change counts in what is asked next in this transaction, such as its effect.
    session.flush()
