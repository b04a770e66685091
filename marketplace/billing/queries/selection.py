"""What part of the lines a page is about: a hop of a month, narrowed to a customer, vendor, product or day."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from marketplace.billing.models import StatementLine
from marketplace.billing.queries.visible import lines_visible_to
from marketplace.core.actor import Actor
from marketplace.core.period import Period
from resellers.models import Customer, Hop


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A hop and a month, and what narrows them; blank narrows nothing."""

    hop: Hop
    period: Period
    customer: UUID | None = None
    vendor: str = ""
    product: str = ""
    day: date | None = None

    def lines(self, actor: Actor) -> Select[*tuple[Any, ...]]:
        """Select the lines, by id. A day does not narrow them: lines reach over many."""
        statement = lines_visible_to(actor).where(
            StatementLine.hop == self.hop.value, StatementLine.period == self.period.number
        )
        if self.customer:
            customer_id = select(Customer.id).where(Customer.public_id == self.customer).scalar_subquery()
            statement = statement.where(StatementLine.customer_id == customer_id)
        if self.vendor:
            statement = statement.where(StatementLine.vendor == self.vendor)
        if self.product:
            statement = statement.where(StatementLine.product == self.product)
        return statement
