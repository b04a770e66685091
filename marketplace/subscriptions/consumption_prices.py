"""What consumption comes to at every hop, as far as the vendor's list tells: an estimate, not a price.

The vendor's bill decides: it may be less than the list (credits, discounts), and rules on cost start from it. Here both
bases are the graduated list price, and each hop's rules and exchange rates are those of the day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.queries.meters import Meter, MeteredOffer
from catalog.words import BillingCycle, ProductKind, Term
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.money import Money
from marketplace.rating.hops import Basis, exact_amount
from marketplace.rating.statements import Formula, MissingRate
from marketplace.rating.tiers import Step, graduated
from marketplace.subscriptions.prices import Buyer, PriceTerms
from marketplace.subscriptions.rules.history import Offer, Quoted


@dataclass(frozen=True, slots=True)
class HopOfMeter:
    """What one hop pays: a unit of each step, exact, and a whole quantity."""

    currency: str
    units: Sequence[Decimal]
    amount: Money


@dataclass(frozen=True, slots=True)
class MeterEstimate:
    """What a month's quantity of a meter comes to, for one viewer: hops that are not theirs are None."""

    meter: Meter
    listed: HopOfMeter | None
    wholesale: HopOfMeter | None
    retail: HopOfMeter | None
    # The pair a rate is missing for, such as USD>EUR.
    missing_rate: str = ""

    @property
    def margin(self) -> Money | None:
        """What is earned between both hops, in one currency."""
        if self.wholesale is None or self.retail is None or self.wholesale.currency != self.retail.currency:
            return None
        return self.retail.amount - self.wholesale.amount


def estimate(
    terms: PriceTerms, buyer: Buyer, offer: MeteredOffer, meter: Meter, quantity: Decimal, *, actor: Actor
) -> MeterEstimate:
    """Work out what a month's quantity comes to at the hops an actor may see.

    Customers see their own price alone. Raises `ValueError` where no step prices some of the units.
    """
    steps = [Step(one.quantity_from, one.quantity_until, one.unit_list) for one in meter.steps]
    total = graduated(quantity, steps)
    listed = None
    if actor.audience is not Audience.CUSTOMER:
        units = [step.unit_price for step in steps]
        listed = HopOfMeter(meter.currency, units, Money.rounded(total, meter.currency))
    try:
        found = terms.formulas(buyer, Quoted(_subject(offer, meter), total, total, meter.currency))
    except MissingRate as missing:
        return MeterEstimate(meter, listed, None, None, str(missing))

    def hop(formula: Formula, currency: str) -> HopOfMeter:
        units = [exact_amount(formula, Basis(step.unit_price, step.unit_price, Decimal(1))) for step in steps]
        amount = exact_amount(formula, Basis(total, total, quantity))
        return HopOfMeter(currency, units, Money.rounded(amount, currency))

    chain = buyer.chain
    sees_purchase = actor.audience is Audience.WHOLESALER or (
        actor.audience is Audience.RESELLER and actor.may(Permission.RESELLER_MARGINS_VIEW)
    )
    return MeterEstimate(
        meter,
        listed,
        hop(found.wholesale, chain.reseller_currency) if sees_purchase else None,
        hop(found.retail, chain.customer_currency),
    )


def _subject(offer: MeteredOffer, meter: Meter) -> Offer:
    """Say what is priced as rules know it."""
    return Offer(
        plan_id=0,
        vendor=offer.vendor,
        product=offer.product,
        sku=offer.sku,
        unit=meter.unit,
        kind=ProductKind.CONSUMPTION.value,
        term=Term.ONE_TIME,
        billing_cycle=BillingCycle.NONE,
    )
