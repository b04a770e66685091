"""What somebody owes the wholesaler and is bound to owe: who that is, and each part of it. For the owner's session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from marketplace.billing.models import BillingPeriod, PeriodStatus, Statement
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.core.rounding import to_minor
from marketplace.orders.models import (
    Order,
    OrderApproval,
    OrderLine,
    OrderPrice,
)
from marketplace.orders.queries.unpaid import left_of
from marketplace.orders.rules.credit import Exposure, Renewal
from marketplace.orders.rules.states import ON_ITS_WAY
from marketplace.orders.words import ApprovalKind, PriceHop
from marketplace.rating.hops import exact_amount
from marketplace.rating.proration import Charge
from marketplace.rating.statements import MissingRate
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.prices import PriceTerms, basis_of, buyers, price_terms
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.history import Standing
from marketplace.subscriptions.words import STANDING, AtTermEnd
from resellers.models import Customer, Reseller
from resellers.queries.standing import billing_mode_of, credit_of
from resellers.words import BillingMode, Hop

#: Who is invoiced by the wholesaler: the customer itself in these modes, its reseller in the others.
_CUSTOMER_OWES = frozenset({BillingMode.DIRECT, BillingMode.ON_BEHALF, BillingMode.AGENT})


@dataclass(frozen=True, slots=True)
class Debtor:
    """Whoever owes the wholesaler for a customer."""

    reseller_id: int
    # Set where the customer itself does.
    customer_id: int | None
    name: str
    currency: str

    @property
    def hop(self) -> Hop:
        """The hop whose amounts it owes."""
        return Hop.RETAIL if self.customer_id is not None else Hop.WHOLESALE

    @property
    def key(self) -> str:
        """What a lock on its credit is named by."""
        return f"credit {self.reseller_id} {self.customer_id or ''}"


def debtor_of(session: Session, customer: Customer, *, day: date, reseller_id: int | None = None) -> Debtor:
    """Give who owes the wholesaler for what a customer buys on a day: from its reseller, or from one it bought from."""
    reseller = session.get_one(Reseller, reseller_id or customer.reseller_id)
    mode = billing_mode_of(session, reseller_id=reseller.id, customer_id=customer.id, day=day)
    if mode in _CUSTOMER_OWES:
        return Debtor(reseller.id, customer.id, customer.legal_name, customer.currency)
    return debtor_called(reseller)


def debtor_called(reseller: Reseller) -> Debtor:
    """Give a reseller as a debtor."""
    return Debtor(reseller.id, None, reseller.legal_name, reseller.currency)


def limit_of(session: Session, debtor: Debtor) -> Money | None:
    """Give the limit that stands; None where none was agreed."""
    agreed = credit_of(session, reseller_id=debtor.reseller_id, customer_id=debtor.customer_id)
    return None if agreed.limit is None else Money.rounded(agreed.limit, debtor.currency)


@dataclass(frozen=True, slots=True)
class Owed:
    """Everything a credit check looks at, but the order itself."""

    exposure: Exposure
    renewals: tuple[Renewal, ...]
    # What usage adds on a day, as the month that runs tells.
    daily: Money
    # Whether an exchange rate was missing, so that a subscription could not be counted.
    is_incomplete: bool = False


def owed_by(session: Session, debtor: Debtor, *, today: date, apart_from: int | None = None) -> Owed:
    """Add up what a debtor owes. `apart_from` is the order that is being looked at itself."""
    unpaid, overdue = left_of(session, statements_of(debtor), today=today)
    unbilled, daily, rated = _unbilled(session, debtor, today)
    committed, renewals, is_incomplete = _committed(session, debtor, today=today, rated=rated)
    exposure = Exposure(
        Money(unpaid, debtor.currency),
        unbilled,
        committed,
        _ordered(session, debtor, apart_from=apart_from),
        Money(overdue, debtor.currency),
    )
    return Owed(exposure, tuple(renewals), daily, is_incomplete)


def statements_of(debtor: Debtor) -> ColumnElement[bool]:
    """Say which statements a debtor owes."""
    conditions = [Statement.hop == debtor.hop.value, Statement.reseller_id == debtor.reseller_id]
    conditions.append(Statement.currency == debtor.currency)
    if debtor.customer_id is not None:
        conditions.append(Statement.customer_id == debtor.customer_id)
    return and_(*conditions)


def _unbilled(session: Session, debtor: Debtor, today: date) -> tuple[Money, Money, set[Period]]:
    """Add up months that are not closed, what the running one adds a day, and which months were rated at all."""
    rows = session.execute(
        select(Statement.period, BillingPeriod.status, func.sum(Statement.total_minor))
        .join(BillingPeriod, BillingPeriod.period == Statement.period)
        .where(statements_of(debtor))
        .group_by(Statement.period, BillingPeriod.status)
    ).all()
    open_months = {
        Period.from_number(number): int(total or 0)
        for number, status, total in rows
        if status != PeriodStatus.CLOSED
    }
    running = open_months.get(Period.of(today), 0)
    daily = Money(max(0, running) // today.day, debtor.currency)
    rated = {Period.from_number(number) for number, _, _ in rows}
    return Money(sum(open_months.values()), debtor.currency), daily, rated


def _committed(
    session: Session, debtor: Debtor, *, today: date, rated: set[Period]
) -> tuple[Money, list[Renewal], bool]:
    """Add up what subscriptions will still be charged until their terms end, in months that were not rated yet."""
    owners = select(Customer.id).where(Customer.reseller_id == debtor.reseller_id)
    if debtor.customer_id is not None:
        owners = select(Customer.id).where(Customer.id == debtor.customer_id)
    subscriptions = session.scalars(
        select(Subscription).where(Subscription.customer_id.in_(owners), Subscription.status.in_(STANDING))
    ).all()
    if not subscriptions:
        return Money.zero(debtor.currency), [], False
    known = standings(session, subscriptions, offers={})
    who = buyers(session, customer_ids={one.customer_id for one in subscriptions})
    terms: dict[date, PriceTerms] = {}
    total, is_incomplete = 0, False
    renewals: list[Renewal] = []
    for one in subscriptions:
        standing = known[one.id]
        day = standing.now.term_start
        if day not in terms:
            # The rules of the day a term started hold for all of it.
            terms[day] = price_terms(session, who.values(), day=day)
        left = [charge for charge in standing.charges() if _is_to_come(charge, today=today, rated=rated)]
        try:
            formulas = terms[day].formulas(
                who[one.customer_id], standing.now.quoted, subscription=one.statement_id
            )
        except MissingRate:
            is_incomplete = True
            continue
        formula = formulas.retail if debtor.customer_id is not None else formulas.wholesale
        total += to_minor(exact_amount(formula, basis_of(left)), debtor.currency) if left else 0
        if renewal := _renewal(standing):
            amount = exact_amount(formula, basis_of(renewal[1]))
            renewals.append(Renewal(renewal[0], Money.rounded(amount, debtor.currency)))
    return Money(total, debtor.currency), renewals, is_incomplete


def _is_to_come(charge: Charge, *, today: date, rated: set[Period]) -> bool:
    """Whether a charge is in no statement yet: later ones, and those of this month or the last that nobody rated."""
    month = Period.of(charge.billed_on)
    return month not in rated and month >= Period.of(today).previous()


def _renewal(standing: Standing) -> tuple[date, Sequence[Charge]] | None:
    """Give the day a term begins anew and what it would be charged if nothing changed."""
    end = standing.now.term_end
    if end is None or standing.at_term_end is not AtTermEnd.RENEW:
        return None
    return end, [charge for charge in standing.charges() if charge.number == len(_charged(standing)) - 1]


def _charged(standing: Standing) -> list[object]:
    return [one for one in standing.segments if one.kind.is_charged]


def _ordered(session: Session, debtor: Debtor, *, apart_from: int | None) -> Money:
    """Add up orders on their way, apart from those that credit holds back themselves."""
    held = (
        select(OrderApproval.id)
        .where(
            OrderApproval.order_id == Order.id,
            OrderApproval.kind == ApprovalKind.CREDIT.value,
            OrderApproval.decided_at.is_(None),
        )
        .exists()
    )
    hop = PriceHop.RETAIL if debtor.customer_id is not None else PriceHop.WHOLESALE
    mine = (
        Order.customer_id == debtor.customer_id
        if debtor.customer_id is not None
        else Order.reseller_id == debtor.reseller_id
    )
    total = session.scalar(
        select(func.coalesce(func.sum(OrderPrice.commitment_minor), 0))
        .join(OrderLine, OrderLine.id == OrderPrice.line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            mine,
            Order.state.in_(ON_ITS_WAY),
            Order.id != (apart_from or 0),
            OrderLine.became_id.is_(None),
            OrderPrice.hop == hop.value,
            OrderPrice.currency == debtor.currency,
            ~held,
        )
    )
    return Money(int(total or 0), debtor.currency)
