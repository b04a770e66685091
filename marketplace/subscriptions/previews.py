"""What a change would come to at every hop, before it is made: the same charges under the same rules as the close.

It reads the vendor's prices, so it is worked out in the owner's session and cut to what the viewer may see.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import NotFound
from marketplace.core.money import Money
from marketplace.core.period import Period
from marketplace.rating.exact import add
from marketplace.rating.hops import exact_amount
from marketplace.rating.proration import Charge, ChargeKind
from marketplace.rating.statements import Formula, MissingRate
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.prices import Buyer, PriceTerms, basis_of, buyers, price_terms, whole_charge
from marketplace.subscriptions.queries.offers import offers_of, quotes
from marketplace.subscriptions.queries.promotions import asked_at_renewal
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.queries.visible import visible_to
from marketplace.subscriptions.rules.changes import Change, Upgrade
from marketplace.subscriptions.rules.decisions import Decision
from marketplace.subscriptions.rules.history import Quoted, Standing
from marketplace.subscriptions.rules.preview import Preview, preview, sums

COST, WHOLESALE, RETAIL = "cost", "wholesale", "retail"


@dataclass(frozen=True, slots=True)
class HopAmounts:
    """What one hop pays: for the change itself, on the month's bill, and to the end of the term, with it and without."""

    # Of one unit for a whole charge, under the plan there will be; exact.
    unit: Decimal
    now: Money
    on_bill: Money
    until_end: Money
    without: Money
    # The first charge after the renewal, where the change waits for it.
    at_renewal: Money

    @property
    def added(self) -> Money:
        """What the change adds to what is committed already."""
        return self.until_end - self.without


@dataclass(frozen=True, slots=True)
class SeenCharge:
    """A charge of the change, without what it costs anybody."""

    kind: ChargeKind
    start: date
    end: date
    quantity: int
    # The days of the whole charge it is a part of.
    whole_days: int

    @property
    def days(self) -> int:
        """The days it is for."""
        return (self.end - self.start).days


@dataclass(frozen=True, slots=True)
class SeenPreview:
    """A preview as one viewer may see it."""

    decision: Decision
    period: Period | None
    deadline: datetime | None
    # The charges of the change itself.
    charges: Sequence[SeenCharge]
    # By hop, those the viewer may see; a hop without an exchange rate is left out.
    hops: dict[str, HopAmounts]
    missing_rate: str = ""

    @property
    def mark(self) -> str:
        """What the viewer agrees to by going on: when it takes effect, and each amount."""
        amounts = [
            f"{hop} {shown.now} {shown.until_end} {shown.at_renewal}" for hop, shown in self.hops.items()
        ]
        return "; ".join([f"{self.decision.when.value} {self.decision.on}", *amounts])

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
                    "days": charge.days,
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


@dataclass(frozen=True, slots=True)
class PricedPreview:
    """A preview with the amounts of every hop, what the vendor charges among them: nobody is shown it as it is."""

    preview: Preview
    quoted: Quoted
    hops: dict[str, HopAmounts]
    missing_rate: str

    def seen_by(self, actor: Actor) -> SeenPreview:
        """Leave out the hops above the viewer, and purchase prices by role."""
        seen = {RETAIL}
        if actor.audience is Audience.WHOLESALER:
            seen |= {COST, WHOLESALE}
        elif actor.audience is Audience.RESELLER and actor.may(Permission.RESELLER_MARGINS_VIEW):
            seen |= {WHOLESALE}
        return SeenPreview(
            decision=self.preview.decision,
            period=self.preview.period,
            deadline=self.preview.deadline,
            charges=[
                SeenCharge(one.kind, one.start, one.end, one.quantity, one.whole_days)
                for one in self.preview.made_now
            ],
            hops={hop: amounts for hop, amounts in self.hops.items() if hop in seen},
            missing_rate=self.missing_rate,
        )


def preview_change(
    session: Session, *, actor: Actor, subscription_id: UUID, change: Change, now: datetime
) -> SeenPreview:
    """Say what a change would come to now. The session must be the owner's. Raises `NotFound`."""
    subscription = session.scalar(visible_to(actor).where(Subscription.public_id == subscription_id))
    if subscription is None:
        raise NotFound
    offers = offers_of(session, {subscription.plan_id})
    standing = standings(session, [subscription], offers=offers)[subscription.id]
    return price_change(session, subscription, standing, change, now=now).seen_by(actor)


def price_change(
    session: Session, subscription: Subscription, standing: Standing, change: Change, *, now: datetime
) -> PricedPreview:
    """Work out what a change would come to now at every hop. The session must be the owner's."""
    buyer = buyers(session, customer_ids=[subscription.customer_id])[subscription.customer_id]
    renews_at = _renewal_price(session, standing, subscription, buyer, change, now.date())
    found = preview(change, standing, now, renewal_price=renews_at)
    hops = _Hops(session, subscription, standing, buyer, change, now)
    return PricedPreview(found, hops.target, hops.amounts(found), hops.missing)


def _renewal_price(
    session: Session, standing: Standing, subscription: Subscription, buyer: Buyer, change: Change, day: date
) -> Quoted | None:
    """Give what it would renew at if it did today."""
    quoted: Quoted | None = getattr(change, "quoted", None)
    asked = asked_at_renewal(
        standing,
        (quoted or standing.now.quoted).offer.plan_id,
        customer_id=subscription.customer_id,
        market=buyer.market,
        day=day,
    )
    asked = replace(asked, quantity=getattr(change, "quantity", None) or standing.now.quantity)
    return quotes(session, [asked]).get(asked)


class _Hops:
    """The amounts of each hop. Each charge has the rules of the day its term began; rates are those of the month."""

    def __init__(
        self,
        session: Session,
        subscription: Subscription,
        standing: Standing,
        buyer: Buyer,
        change: Change,
        now: datetime,
    ) -> None:
        self._session = session
        self._subscription = subscription
        self._standing = standing
        self._buyer = buyer
        self._now = now
        quoted: Quoted | None = getattr(change, "quoted", None)
        self.target = standing.now.quoted if quoted is None else quoted
        # Seats that are moved into another subscription are charged by the rules for that one.
        self._into = _taking(session, change)
        self._terms: dict[date, PriceTerms] = {}
        self.missing = ""

    def amounts(self, found: Preview) -> dict[str, HopAmounts]:
        chain, currency = self._buyer.chain, self._subscription.currency
        whole = whole_charge(self.target, self._now)
        hops = {COST: _amounts(found, whole.cost, lambda some: Money.rounded(sums(some).cost, currency))}
        since = next((c.price_day for c in found.made_now if c.quantity > 0), self._standing.now.term_start)
        for hop, its in ((WHOLESALE, chain.reseller_currency), (RETAIL, chain.customer_currency)):
            try:
                unit = exact_amount(self._formula(self.target, since, hop), whole)
                hops[hop] = _amounts(
                    found,
                    unit,
                    lambda some, hop=hop, its=its: self._money(found, some, hop, its),  # type: ignore[misc]
                )
            except MissingRate as missing:
                self.missing = str(missing)
        return hops

    def _money(self, found: Preview, some: Sequence[Charge], hop: str, currency: str) -> Money:
        total = Decimal(0)
        for charge in some:
            quoted = Quoted(
                found.offers[charge], charge.unit_cost, charge.unit_listed, self._subscription.currency
            )
            formula = self._formula(quoted, charge.price_day, hop)
            total = add(total, exact_amount(formula, basis_of([charge])))
        return Money.rounded(total, currency)

    def _formula(self, quoted: Quoted, day: date, hop: str) -> Formula:
        day = min(day, self._now.date())  # nobody knows yet what holds later
        terms = self._terms.get(day)
        if terms is None:
            terms = price_terms(self._session, [self._buyer], day=day)
            self._terms[day] = terms
        plan_id, own = quoted.offer.plan_id, self._subscription
        charged = self._into if self._into is not None and self._into.plan_id == plan_id else own
        found = terms.formulas(self._buyer, quoted, subscription=charged.statement_id)
        return found.wholesale if hop == WHOLESALE else found.retail


def _taking(session: Session, change: Change) -> Subscription | None:
    """Give the subscription that an upgrade moves seats into, if it does."""
    if not isinstance(change, Upgrade) or change.into_id is None:
        return None
    return session.scalars(select(Subscription).where(Subscription.public_id == change.into_id)).one()


def _amounts(found: Preview, unit: Decimal, money: Callable[[Sequence[Charge]], Money]) -> HopAmounts:
    return HopAmounts(
        unit=unit,
        now=money(found.made_now),
        on_bill=money(found.on_bill),
        until_end=money(found.until_end),
        without=money(found.without),
        at_renewal=money(found.at_renewal),
    )
