"""Which orders somebody must approve, and who may."""

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.core.money import Money
from marketplace.orders.words import OrderKind, Party


class NotYourOwn(Refusal):
    """Who ordered cannot approve as well."""

    sentence = N_("You placed this order yourself: somebody else must decide about it.")


class SomebodyElseDecides(Refusal):
    """The approval is another party's, or another role's."""

    sentence = N_("This is not yours to decide: it waits for %(party)s.")


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """When an order needs somebody's approval. What is blank is any."""

    party: Party
    kind: OrderKind | None = None
    # The role of who orders, such as sales.
    role: str = ""
    # Orders that commit to more than this; None is every order.
    above: Money | None = None


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What rules look at."""

    kind: OrderKind
    audience: Audience
    role: str
    # What the whole first term comes to at each hop; None where it is not known.
    wholesale: Money | None
    retail: Money | None


def is_needed(rule: ApprovalRule, facts: OrderFacts) -> bool:
    """Whether a rule asks for an approval of an order.

    The wholesaler's rules look at what the reseller commits to, the reseller's at what its customer does. What cannot
    be compared, being unknown or in another currency, is looked at by a person.
    """
    if rule.party is Party.RESELLER and facts.audience is Audience.WHOLESALER:
        return False
    if rule.kind is not None and rule.kind is not facts.kind:
        return False
    if rule.role and rule.role != facts.role:
        return False
    if rule.above is None:
        return True
    amount = facts.wholesale if rule.party is Party.WHOLESALER else facts.retail
    if amount is None or amount.currency != rule.above.currency:
        return True
    return amount.minor > rule.above.minor


def reasons(rules: Iterable[ApprovalRule], facts: OrderFacts) -> dict[Party, Phrase]:
    """Give who must approve an order and why: one approval a party, however many rules ask for it."""
    found: dict[Party, Phrase] = {}
    for rule in rules:
        if is_needed(rule, facts):
            found.setdefault(rule.party, rule_words(rule))
    return found


def rule_words(rule: ApprovalRule) -> Phrase:
    """Say what a rule asks approval for."""
    what = _KINDS[rule.kind]
    if rule.role and rule.above is not None:
        return Phrase.of(
            N_("%(what)s above %(amount)s, ordered by %(role)s"),
            what=Phrase.of(what),
            amount=rule.above,
            role=rule.role,
        )
    if rule.above is not None:
        return Phrase.of(N_("%(what)s above %(amount)s"), what=Phrase.of(what), amount=rule.above)
    if rule.role:
        return Phrase.of(N_("%(what)s ordered by %(role)s"), what=Phrase.of(what), role=rule.role)
    return Phrase.of(what)


_KINDS = {
    None: N_("Every order"),
    OrderKind.PURCHASE: N_("Every purchase"),
    OrderKind.CHANGE: N_("Every change of a subscription"),
    OrderKind.CANCEL: N_("Every cancellation"),
}

_PARTIES = {Party.WHOLESALER: N_("the wholesaler"), Party.RESELLER: N_("the reseller's owner")}
_NEEDED = {
    Party.WHOLESALER: (Audience.WHOLESALER, Permission.WHOLESALER_ORDERS_APPROVE),
    Party.RESELLER: (Audience.RESELLER, Permission.RESELLER_ORDERS_APPROVE),
}


def may_decide(actor: Actor, party: Party) -> bool:
    """Whether an actor may decide for a party, apart from its own orders."""
    audience, permission = _NEEDED[party]
    return actor.audience is audience and actor.may(permission) and not actor.is_read_only


def check_decider(actor: Actor, party: Party, *, placed_by_id: int | None) -> None:
    """Raise where an actor may not decide: another party's approval, or its own order."""
    if not may_decide(actor, party):
        raise SomebodyElseDecides(party=Phrase.of(_PARTIES[party]))
    if actor.user_id is not None and actor.user_id == placed_by_id:
        raise NotYourOwn
