"""How credit stands, as a picture: each part of what is owed against the limit, and the day it would be crossed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.clock import utc_now
from marketplace.core.money import Money
from marketplace.orders.models import Order
from marketplace.orders.operations.checking import check_for, credit_check
from marketplace.orders.operations.pricing import PricedLine
from marketplace.orders.queries.exposure import Debtor, debtor_of
from marketplace.orders.rules.credit import CreditCheck
from marketplace.orders.words import OrderState
from marketplace.web.charts import Step, Waterfall, in_currency
from resellers.models import Customer


@dataclass(frozen=True, slots=True)
class CreditPicture:
    """A check with its drawing."""

    debtor: str
    check: CreditCheck
    chart: Waterfall

    @property
    def crossed_on(self) -> date | None:
        """The day the limit would be crossed."""
        return self.check.crossed_on


def credit_of_order(
    desk: Session, actor: Actor, order: Order, priced: Sequence[PricedLine] | None
) -> CreditPicture | None:
    """Give how an order stands to the credit of whoever owes for it, for who may know; None where there is no limit.

    A reseller's people without the right to see purchases are told nothing of it, as customers are not.
    """
    if actor.audience is Audience.CUSTOMER or order.state not in {
        OrderState.DRAFT,
        OrderState.QUOTED,
        OrderState.AWAITING_APPROVAL,
    }:
        return None
    if actor.audience is Audience.RESELLER and not actor.may(Permission.RESELLER_MARGINS_VIEW):
        return None
    today = utc_now().date()
    debtor = debtor_of(desk, desk.get_one(Customer, order.customer_id), day=today)
    if actor.audience is Audience.RESELLER and debtor.customer_id is not None:
        return None
    if priced is None:
        found = credit_check(desk, order, today=today)
    else:
        amount = _amount(debtor, priced)
        found = check_for(desk, debtor, amount, today=today, apart_from=order.id) if amount else None
    if found is None or found.limit is None:
        return None
    return picture(debtor.name, found)


def picture(name: str, found: CreditCheck) -> CreditPicture:
    """Draw a check."""
    owed = found.exposure
    steps = [
        *([Step(name=gettext("Overdue"), value=owed.overdue.amount)] if owed.overdue.minor else []),
        Step(name=gettext("Statements to be paid"), value=(owed.unpaid - owed.overdue).amount),
        Step(name=gettext("Not billed yet"), value=owed.unbilled.amount),
        Step(name=gettext("Committed until terms end"), value=owed.committed.amount),
        Step(name=gettext("Ordered"), value=owed.ordered.amount),
        *([Step(name=gettext("This order"), value=found.order.amount)] if found.order.minor else []),
        Step(name=gettext("All of it"), value=found.total.amount, is_total=True),
    ]
    if found.limit is not None:
        steps.append(Step(name=gettext("Limit"), value=found.limit.amount, is_total=True))
    return CreditPicture(
        name,
        found,
        Waterfall(
            title=gettext("What is owed, against the limit"),
            steps=steps,
            write=in_currency(found.order.currency),
        ),
    )


def _amount(debtor: Debtor, priced: Sequence[PricedLine]) -> Money | None:
    total = Money.zero(debtor.currency)
    for one in priced:
        if one.prices is None:
            return None
        price = one.prices.retail if debtor.customer_id is not None else one.prices.wholesale
        if price is None or price.commitment.currency != total.currency:
            return None
        total += price.commitment
    return total
