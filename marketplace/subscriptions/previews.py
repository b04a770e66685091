"""What a change would come to at every hop, before it is made: the same charges under the same rules as the close.

It reads the vendor's prices, so it is worked out in the owner's session and cut to what the viewer may see.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.rating.exact import add
from marketplace.rating.hops import HopFormulas, exact_amount
from marketplace.rating.proration import Charge
from marketplace.rating.statements import MissingRate
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.prices import Buyer, PriceTerms, basis_of, buyers, price_terms
from marketplace.subscriptions.queries.offers import Asked, offers_of, quotes
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.rules.changes import Change
from marketplace.subscriptions.rules.decisions import Decision
from marketplace.subscriptions.rules.history import Quoted, Standing
from marketplace.subscriptions.rules.preview import Preview, preview, sums
from marketplace.subscriptions.rules.renewals import plan_of_renewal

COST, WHOLESALE, RETAIL = "cost", "wholesale", "retail"


@dataclass(frozen=True, slots=True)
class HopAmounts:
    """What one hop pays: for the change itself, on the month's bill, and to the end of the term, with it and without."""

    now: Money
    on_bill: Money
    until_end: Money
    without: Money
    # The first charge after the renewal, where the change waits for it.
    at_renewal: Money


@dataclass(frozen=True, slots=True)
class SeenPreview:
    """A preview as one viewer may see it."""

    decision: Decision
    period: Period | None
    deadline: datetime | None
    # The charges of the change itself.
    charges: Sequence[Charge]
    # By hop, those the viewer may see; a hop without an exchange rate is left out.
    hops: dict[str, HopAmounts]
    missing_rate: str = ""

    def as_data(self) -> dict[str, Any]:
        """Give it fit for JSON: exact decimals and amounts as text."""
        return {
            "when": self.decision.when.value,
            "why": str(self.decision.why),
            "on": self.decision.on.isoformat() if self.decision.on else None,
            "period": str(self.period) if self.period else None,
            "deadline": self.deadline.isoformat() if self.deadline else None,
            "charges": [
                {
                    "type": charge.kind.value,
                    "from": charge.start.isoformat(),
                    "until": charge.end.isoformat(),
                    "quantity": charge.quantity,
                    "days": (charge.end - charge.start).days,
                    "cycle_days": charge.whole_days,
                }
                for charge in self.charges
            ],
            "hops": {
                hop: {
                    "currency": amounts.now.currency,
                    "now": str(amounts.now.amount),
                    "on_bill": str(amounts.on_bill.amount),
                    "until_end": str(amounts.until_end.amount),
                    "without": str(amounts.without.amount),
                    "at_renewal": str(amounts.at_renewal.amount),
                }
                for hop, amounts in self.hops.items()
            },
        }


def preview_change(
    session: Session, *, actor: Actor, subscription_id: UUID, change: Change, now: datetime
) -> SeenPreview:
    """Say what a change would come to now. The session must be the owner's. Raises `NotFound`."""
    subscription = session.scalar(visible_to(actor).where(Subscription.public_id == subscription_id))
    if subscription is None:
        raise NotFound
    offers = offers_of(session, {subscription.plan_id})
    standing = standings(session, [subscription], offers=offers)[subscription.id]
    buyer = buyers(session, customer_ids=[subscription.customer_id])[subscription.customer_id]
    found = preview(
        change,
        standing,
        now,
        renewal_price=_renewal_price(session, standing, subscription, buyer, now.date()),
    )
    hops = _Hops(session, subscription, standing, buyer, change)
    return SeenPreview(
        decision=found.decision,
        period=found.period,
        deadline=found.deadline,
        charges=found.made_now,
        hops=hops.amounts(found, actor),
        missing_rate=hops.missing,
    )


def _renewal_price(
    session: Session, standing: Standing, subscription: Subscription, buyer: Buyer, day: date
) -> Quoted | None:
    """Give what it would renew at if it did today."""
    asked = Asked(plan_of_renewal(standing), standing.now.quantity, buyer.market, subscription.currency, day)
    return quotes(session, [asked]).get(asked)


class _Hops:
    """The amounts of each hop. Each charge has the rules of the day its term began; rates are those of the month."""

    def __init__(
        self, session: Session, subscription: Subscription, standing: Standing, buyer: Buyer, change: Change
    ) -> None:
        self._session = session
        self._subscription = subscription
        self._standing = standing
        self._buyer = buyer
        quoted: Quoted | None = getattr(change, "quoted", None)
        self._target = standing.offer if quoted is None else quoted.offer
        self._terms: dict[date, PriceTerms] = {}
        self.missing = ""

    def amounts(self, found: Preview, actor: Actor) -> dict[str, HopAmounts]:
        chain, currency = self._buyer.chain, self._subscription.currency
        hops: dict[str, HopAmounts] = {}
        if actor.audience is Audience.WHOLESALER:
            hops[COST] = _amounts(found, lambda some: Money.rounded(sums(some).cost, currency))
        sees_wholesale = actor.audience is Audience.WHOLESALER or (
            actor.audience is Audience.RESELLER and actor.may(Permission.RESELLER_MARGINS_VIEW)
        )
        sides = ([(WHOLESALE, chain.reseller_currency)] if sees_wholesale else []) + [
            (RETAIL, chain.customer_currency)
        ]
        for hop, its in sides:
            try:
                hops[hop] = _amounts(found, lambda some, hop=hop, its=its: self._money(some, hop, its))  # type: ignore[misc]
            except MissingRate as missing:
                self.missing = str(missing)
        return hops

    def _money(self, some: Sequence[Charge], hop: str, currency: str) -> Money:
        total = Decimal(0)
        for charge in some:
            formulas = self._formulas(charge)
            formula = formulas.wholesale if hop == WHOLESALE else formulas.retail
            total = add(total, exact_amount(formula, basis_of([charge])))
        return Money.rounded(total, currency)

    def _formulas(self, charge: Charge) -> HopFormulas:
        terms = self._terms.get(charge.price_day)
        if terms is None:
            terms = price_terms(self._session, [self._buyer], day=charge.price_day)
            self._terms[charge.price_day] = terms
        # What is taken back was sold as what stands; what is charged anew may be sold as something else.
        offer = self._target if charge.quantity > 0 else self._standing.offer
        last = self._standing.now.quoted
        quoted = Quoted(offer, last.unit_cost, charge.unit_listed, last.currency)
        return terms.formulas(self._buyer, quoted, subscription=self._subscription.statement_id)


def _amounts(found: Preview, money: Callable[[Sequence[Charge]], Money]) -> HopAmounts:
    return HopAmounts(
        now=money(found.made_now),
        on_bill=money(found.on_bill),
        until_end=money(found.until_end),
        without=money(found.without),
        at_renewal=money(found.at_renewal),
    )
