"""What a buyer or seller may see of documents: its own hops, and of those only what its role allows.

Row-level security says the same once more. Queries of pages start here, and name the columns they need: a
line also holds the vendor's cost and the seller's basis, which must not leave the database by accident.
"""

from typing import Any

from sqlalchemy import Select, false, select

from marketplace.billing.models import Statement, StatementLine
from marketplace.core.actor import Actor, Audience, Permission
from resellers.models import Customer, Hop

_NEEDED = {
    (Audience.WHOLESALER, Hop.WHOLESALE): Permission.WHOLESALER_STATEMENTS_VIEW,
    (Audience.WHOLESALER, Hop.RETAIL): Permission.WHOLESALER_STATEMENTS_VIEW,
    # What the firm pays and what it sells are two permissions: sales people see the second alone.
    (Audience.RESELLER, Hop.WHOLESALE): Permission.RESELLER_STATEMENTS_VIEW,
    (Audience.RESELLER, Hop.RETAIL): Permission.RESELLER_CUSTOMERS_VIEW,
    (Audience.CUSTOMER, Hop.RETAIL): Permission.CUSTOMER_STATEMENTS_VIEW,
}


def sees(actor: Actor, hop: Hop) -> bool:
    """Whether the actor may see documents of a hop at all."""
    needed = _NEEDED.get((actor.audience, hop))
    return needed is not None and actor.may(needed)


def hops_of(actor: Actor) -> list[Hop]:
    """Give the hops whose documents the actor may see."""
    return [hop for hop in Hop if sees(actor, hop)]


def statements_visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the documents of an actor's own hops."""
    return _narrowed(select(Statement.id), Statement, actor)


def lines_visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the lines of an actor's own hops, by id: name the columns wanted with `with_only_columns`."""
    return _narrowed(select(StatementLine.id), StatementLine, actor)


def customers_visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the customers an actor may know."""
    statement = select(Customer)
    match actor.audience:
        case Audience.WHOLESALER:
            return statement
        case Audience.RESELLER:
            return statement.where(Customer.reseller_id == actor.party_id)
        case Audience.CUSTOMER:
            return statement.where(Customer.id == actor.party_id)


def _narrowed(
    statement: Select[*tuple[Any, ...]], table: type[Statement | StatementLine], actor: Actor
) -> Select[*tuple[Any, ...]]:
    hops = hops_of(actor)
    if not hops:
        return statement.where(false())
    statement = statement.where(table.hop.in_([hop.value for hop in hops]))
    match actor.audience:
        case Audience.WHOLESALER:
            return statement
        case Audience.RESELLER:
            return statement.where(table.reseller_id == actor.party_id)
        case Audience.CUSTOMER:
            return statement.where(table.customer_id == actor.party_id)
