"""What subscriptions cost now and what they would renew at, at every hop: by the code that renews and that prices orders.

What comes from here holds every hop, so it is worked out in the owner's session and cut to what the viewer may see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.money import Money
from marketplace.core.rounding import EXACT
from marketplace.rating.hops import Basis, HopFormulas, exact_amount
from marketplace.rating.statements import Formula, MissingRate
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.prices import (
    Buyer,
    PriceTerms,
    basis_of,
    buyers,
    price_terms_on,
    whole_charge,
)
from marketplace.subscriptions.queries.offers import monthly_plans, offers_of, quotes
from marketplace.subscriptions.queries.promotions import asked_at_renewal
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.history import Quoted, Segment, Standing, charges
from marketplace.subscriptions.rules.promotions import in_full
from marketplace.subscriptions.rules.renewals import at_term_end, plan_of_renewal
from marketplace.subscriptions.words import AtTermEnd, Status


@dataclass(frozen=True, slots=True)
class ThenAndNow:
    """What one party pays for a charge: of the term that runs, and of the next one at today's prices."""

    then: Money | None
    now: Money | None
    # Of one unit, exact.
    unit_then: Decimal | None
    unit_now: Decimal | None
    # What the whole next term comes to.
    commitment: Money | None

    @property
    def difference(self) -> Money | None:
        """How much more a charge is after the renewal."""
        return None if self.then is None or self.now is None else self.now - self.then


UNKNOWN = ThenAndNow(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class RenewalPrices:
    """A renewal at the hops of one viewer; a hop that is not theirs, or has no price, is unknown."""

    wholesale: ThenAndNow
    retail: ThenAndNow
    # Whether the term that runs is after a promotion and the next one is not.
    loses_promotion: bool = False

    def seen_by(self, actor: Actor) -> "RenewalPrices":
        """Leave out what an actor may not see: purchase prices of a reseller, by audience and role."""
        sees = actor.audience is Audience.WHOLESALER or (
            actor.audience is Audience.RESELLER and actor.may(Permission.RESELLER_MARGINS_VIEW)
        )
        return self if sees else replace(self, wholesale=UNKNOWN)

    def own(self, audience: Audience) -> ThenAndNow:
        """Give the hop a party counts in: what it sells at, and a customer what it pays."""
        return self.wholesale if audience is Audience.WHOLESALER else self.retail


def price_renewals(
    session: Session, subscriptions: Sequence[Subscription], *, actor: Actor, now: datetime
) -> dict[int, RenewalPrices]:
    """Price the renewals of subscriptions by id, as if their terms ended today. The session must be the owner's."""
    ending = [one for one in subscriptions if one.term_end is not None]
    offers = offers_of(session, {one.plan_id for one in ending})
    known = standings(session, ending, offers=offers)
    parties = buyers(session, customer_ids={one.customer_id for one in ending})
    following = _following(session, ending, known, parties, day=now.date())
    terms = price_terms_on(
        session, parties.values(), days={now.date(), *(one.now.term_start for one in known.values())}
    )
    return {
        one.id: _prices(
            parties[one.customer_id],
            one.statement_id,
            known[one.id].now,
            following[one.id],
            before=terms[known[one.id].now.term_start],
            today=terms[now.date()],
        ).seen_by(actor)
        for one in ending
    }


def _following(
    session: Session,
    subscriptions: Sequence[Subscription],
    known: Mapping[int, Standing],
    parties: Mapping[int, Buyer],
    *,
    day: date,
) -> dict[int, Segment]:
    """Give the term that would follow each: by the month where that is set, else renewed."""
    months = monthly_plans(session, {one.plan_id for one in subscriptions})
    asked = {
        (one.id, plan): asked_at_renewal(
            known[one.id],
            plan,
            customer_id=one.customer_id,
            market=parties[one.customer_id].market,
            day=day,
        )
        for one in subscriptions
        for plan in {plan_of_renewal(known[one.id]), months.get(one.plan_id)}
        if plan is not None
    }
    found = quotes(session, set(asked.values()))
    prices: dict[int, dict[int, Quoted]] = {one.id: {} for one in subscriptions}
    for (identity, plan), ask in asked.items():
        if ask in found:
            prices[identity][plan] = _on_its_day(found[ask], known[identity].now.term_end)
    return {
        one.id: at_term_end(
            _going_on(known[one.id]),
            prices[one.id],
            prices[one.id].get(months.get(one.plan_id, 0)),
        )
        for one in subscriptions
    }


def _on_its_day(quoted: Quoted, day: date | None) -> Quoted:
    """Leave out a promotion that holds today and no more when the term ends."""
    is_over = quoted.promotion is not None and day is not None and quoted.promotion.terms.ends_on <= day
    return in_full(quoted) if is_over else quoted


def _going_on(standing: Standing) -> Standing:
    """Look at it as if it went on, whatever was decided: what it would cost to go on is what the decision needs."""
    choice = AtTermEnd.EXTEND if standing.at_term_end is AtTermEnd.EXTEND else AtTermEnd.RENEW
    running = replace(standing.now, status=Status.ACTIVE)
    return replace(standing, at_term_end=choice, segments=(*standing.segments[:-1], running))


def _prices(
    buyer: Buyer,
    subscription: str,
    running: Segment,
    following: Segment,
    *,
    before: PriceTerms,
    today: PriceTerms,
) -> RenewalPrices:
    was, will = whole_charge(running.quoted, running.at), whole_charge(following.quoted, following.at)
    term = basis_of(charges([following]))
    old = _formulas(before, buyer, running.quoted, subscription)
    new = _formulas(today, buyer, following.quoted, subscription)
    seats = running.quantity, following.quantity
    chain = buyer.chain
    return RenewalPrices(
        _hop(
            old.wholesale if old else None,
            new.wholesale if new else None,
            was,
            will,
            term,
            seats,
            chain.reseller_currency,
        ),
        _hop(
            old.retail if old else None,
            new.retail if new else None,
            was,
            will,
            term,
            seats,
            chain.customer_currency,
        ),
        loses_promotion=running.quoted.promotion is not None and following.quoted.promotion is None,
    )


def _formulas(terms: PriceTerms, buyer: Buyer, quoted: Quoted, subscription: str) -> HopFormulas | None:
    try:
        return terms.formulas(buyer, quoted, subscription=subscription)
    except MissingRate:
        return None


def _hop(
    old: Formula | None,
    new: Formula | None,
    was: Basis,
    will: Basis,
    term: Basis,
    seats: tuple[int, int],
    currency: str,
) -> ThenAndNow:
    unit_then = None if old is None else exact_amount(old, was)
    unit_now = None if new is None else exact_amount(new, will)
    return ThenAndNow(
        _times(unit_then, seats[0], currency),
        _times(unit_now, seats[1], currency),
        unit_then,
        unit_now,
        None if new is None else Money.rounded(exact_amount(new, term), currency),
    )


def _times(unit: Decimal | None, quantity: int, currency: str) -> Money | None:
    return None if unit is None else Money.rounded(EXACT.multiply(unit, Decimal(quantity)), currency)
