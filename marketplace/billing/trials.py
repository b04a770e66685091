"""Changes of terms that can be tried: written down as they were asked for, so that a worker can make the same one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from catalog.operations.exchange_rates import import_fx_rates
from marketplace.core.actor import Actor
from marketplace.subscriptions.operations.moving import move_subscription
from resellers.imports.accounts import import_accounts
from resellers.imports.price_rules import import_price_rules
from resellers.operations.ends import end_mapping, end_price_rule
from resellers.operations.moves import move_customer
from resellers.operations.retail_rules import add_retail_rule, change_retail_rule, end_retail_rule
from resellers.rules.price_rules import read_rule


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of a kind that is known here: its facts, by the names of the form's fields, and the file if there is one."""

    kind: str
    facts: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


def carry_out(session: Session, change: Change, *, actor: Actor, now: datetime) -> None:
    """Make a change as its page would. Raises what the operation does."""
    KINDS[change.kind](session, actor, change, now)


def _imported(import_file: Callable[..., object]) -> Callable[[Session, Actor, Change, datetime], object]:
    def carry(session: Session, actor: Actor, change: Change, _now: datetime) -> object:
        return import_file(session, actor=actor, file=change.facts["file"], content=change.content or b"")

    return carry


def _add_price(session: Session, actor: Actor, change: Change, _now: datetime) -> object:
    return add_retail_rule(session, actor=actor, terms=read_rule(change.facts, allow_comma=True))


def _change_price(session: Session, actor: Actor, change: Change, _now: datetime) -> object:
    return change_retail_rule(
        session,
        actor=actor,
        rule_id=UUID(change.facts["rule"]),
        price=read_rule(change.facts, allow_comma=True).price,
        start=_day(change, "start"),
    )


def _end_price(session: Session, actor: Actor, change: Change, _now: datetime) -> object:
    return end_retail_rule(session, actor=actor, rule_id=UUID(change.facts["rule"]), end=_day(change, "end"))


def _end_mapping(session: Session, actor: Actor, change: Change, _now: datetime) -> object:
    return end_mapping(session, actor=actor, mapping_id=UUID(change.facts["row"]), end=_day(change, "end"))


def _end_rule(session: Session, actor: Actor, change: Change, _now: datetime) -> object:
    return end_price_rule(session, actor=actor, rule_id=UUID(change.facts["row"]), end=_day(change, "end"))


def _move_customer(session: Session, actor: Actor, change: Change, now: datetime) -> object:
    return move_customer(
        session,
        actor=actor,
        customer_id=UUID(change.facts["moved"]),
        reseller=change.facts["reseller"].strip(),
        moves_on=_day(change, "moves_on"),
        reason=change.facts["reason"],
        now=now,
    )


def _move_subscription(session: Session, actor: Actor, change: Change, now: datetime) -> object:
    return move_subscription(
        session,
        actor=actor,
        subscription_id=UUID(change.facts["moved"]),
        customer=change.facts["customer"].strip(),
        reseller=change.facts.get("reseller", "").strip(),
        moves_on=_day(change, "moves_on"),
        reason=change.facts["reason"],
        now=now,
    )


def _day(change: Change, name: str) -> date:
    return date.fromisoformat(change.facts[name])


#: By kind: how it is made. Names stand in kept previews and do not change.
KINDS: Mapping[str, Callable[[Session, Actor, Change, datetime], object]] = {
    "accounts": _imported(import_accounts),
    "rules": _imported(import_price_rules),
    "fx": _imported(import_fx_rates),
    "end_accounts": _end_mapping,
    "end_rules": _end_rule,
    "add_price": _add_price,
    "change_price": _change_price,
    "end_price": _end_price,
    "move_customer": _move_customer,
    "move_subscription": _move_subscription,
}
