"""The price of every hop for a plan: the catalogue's, then by the wholesale and the retail rule, as the close charges it.

What comes from here holds the vendor's price and what the wholesaler makes of it, so it is worked out in the owner's
session and cut to what the viewer may see before it is shown: see `PlanPrices.seen_by`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.models import FxRate
from catalog.rules.promotions import PromotionTerms
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.money import Money
from marketplace.core.period import DateRange, Period
from marketplace.core.rounding import EXACT
from marketplace.rating.hops import Basis, HopFormulas, exact_amount, formulas
from marketplace.rating.price import AT_COST, Terms
from marketplace.rating.proration import Charge
from marketplace.rating.rule_choice import RuleTable, Scope
from marketplace.rating.statements import Chain, ExchangeRates, Formula, MissingRate
from marketplace.subscriptions.queries.offers import quotes
from marketplace.subscriptions.queries.promotions import Asked
from marketplace.subscriptions.rules.history import Offer, Quoted, charges
from marketplace.subscriptions.rules.preview import sums
from marketplace.subscriptions.rules.steps import begin
from resellers.models import Customer, PriceRule, PriceRuleScope, Reseller, Wholesaler
from resellers.words import Hop

#: Stands for "no customer yet" where a reseller looks at the shop: rules for all its customers hold.
NOBODY = 0


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who is sold to through whom, and in which market."""

    chain: Chain
    market: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many units of a plan, for a buyer."""

    buyer: Buyer
    plan_id: int
    quantity: int
    # The end of the first term (exclusive) where it is not its own.
    custom_end: date | None = None
    # Units of the same SKU that are ordered before it: promotions count them.
    beside: int = 0


@dataclass(frozen=True, slots=True)
class HopPrice:
    """What one party pays: of one unit for a whole charge, exact; of all units for a charge and for the whole term."""

    unit: Decimal
    charge: Money
    commitment: Money


@dataclass(frozen=True, slots=True)
class SeenPrices:
    """The prices that one viewer may see. A hop that is not theirs, or has no exchange rate, is None."""

    wanted: Wanted
    offer: Offer
    term_start: date
    term_end: date | None
    charges: int
    # The list price of a unit for a whole term, in the currency of the price list.
    unit_listed: Decimal | None
    list_currency: str
    # The vendor's promotion, which prices are after.
    promotion: PromotionTerms | None
    wholesale: HopPrice | None
    retail: HopPrice | None
    # The reseller's margin on a charge, where both of its hops are known and in one currency.
    margin: Money | None
    # The pair a rate is missing for, such as USD>EUR.
    missing_rate: str


@dataclass(frozen=True, slots=True)
class PlanPrices:
    """What a plan costs at every hop, the vendor's among them."""

    wanted: Wanted
    quoted: Quoted
    term_start: date
    term_end: date | None
    charges: int
    vendor: HopPrice
    wholesale: HopPrice | None
    retail: HopPrice | None
    missing_rate: str = ""

    def seen_by(self, actor: Actor) -> SeenPrices:
        """Leave out what an actor may not see: the hops above its own, and purchase prices by role."""
        shows_wholesale = actor.audience is Audience.WHOLESALER or (
            actor.audience is Audience.RESELLER and actor.may(Permission.RESELLER_MARGINS_VIEW)
        )
        wholesale = self.wholesale if shows_wholesale else None
        margin = None
        if wholesale and self.retail and wholesale.charge.currency == self.retail.charge.currency:
            margin = self.retail.charge - wholesale.charge
        return SeenPrices(
            wanted=self.wanted,
            offer=self.quoted.offer,
            term_start=self.term_start,
            term_end=self.term_end,
            charges=self.charges,
            unit_listed=self.quoted.unit_listed,
            list_currency=self.quoted.currency,
            promotion=self.quoted.promotion.terms if self.quoted.promotion else None,
            wholesale=wholesale,
            retail=self.retail,
            margin=margin,
            missing_rate=self.missing_rate,
        )


class PriceTerms:
    """The terms of both hops on a day, for some buyers."""

    def __init__(self, day: date, rules: Mapping[Hop, RuleTable[Terms]], rates: ExchangeRates) -> None:
        """Keep what holds on the day."""
        self.day = day
        self._rules = rules
        self.rates = rates

    def at_rates_of(self, other: "PriceTerms") -> "PriceTerms":
        """Give the same rules at the exchange rates of another day: a term's price is held, its charges' rates are not."""
        return PriceTerms(self.day, self._rules, other.rates)

    def formulas(self, buyer: Buyer, quoted: Quoted, *, subscription: str = "") -> HopFormulas:
        """Say how a plan is charged. Raises `MissingRate`."""
        offer = quoted.offer
        return self.formulas_of(
            buyer,
            vendor=offer.vendor,
            product=offer.product,
            sku=offer.sku,
            subscription=subscription,
            currency=quoted.currency,
            has_list_price=quoted.unit_listed is not None,
        )

    def formulas_of(
        self,
        buyer: Buyer,
        *,
        vendor: str,
        product: str,
        sku: str,
        subscription: str,
        currency: str,
        has_list_price: bool,
    ) -> HopFormulas:
        """Say how what is named so is charged. Raises `MissingRate`."""
        chain = buyer.chain
        subject = Scope(
            reseller_id=chain.reseller_id,
            customer_id=chain.customer_id,
            subscription=subscription,
            vendor=vendor,
            product=product,
            sku=sku,
        )
        return formulas(
            chain,
            currency=currency,
            has_list_price=has_list_price,
            wholesale=self._rules[Hop.WHOLESALE].choose(subject) or AT_COST,
            retail=self._rules[Hop.RETAIL].choose(subject) or AT_COST,
            rates=self.rates,
        )


def buyers(
    session: Session, *, customer_ids: Iterable[int] = (), reseller_id: int | None = None
) -> dict[int, Buyer]:
    """Give customers as buyers by id; for `reseller_id` also its customers-to-be, under `NOBODY`."""
    found = {
        row[0]: Buyer(Chain(*row[:6]), row[6])
        for row in session.execute(
            select(
                Customer.id,
                Customer.reference,
                Customer.currency,
                Reseller.id,
                Reseller.reference,
                Reseller.currency,
                Customer.country,
            )
            .join(Reseller, Reseller.id == Customer.reseller_id)
            .where(Customer.id.in_(set(customer_ids)))
        )
    }
    if reseller_id is not None:
        reseller = session.get_one(Reseller, reseller_id)
        chain = Chain(NOBODY, "", reseller.currency, reseller.id, reseller.reference, reseller.currency)
        found[NOBODY] = Buyer(chain, reseller.country)
    return found


def buyer_at(session: Session, customer: Customer, reseller_id: int) -> Buyer:
    """Give a customer, kept or to be, as a buyer at a reseller that need not be its own today."""
    reseller = session.get_one(Reseller, reseller_id)
    chain = Chain(
        customer.id or NOBODY,
        customer.reference,
        customer.currency,
        reseller.id,
        reseller.reference,
        reseller.currency,
    )
    return Buyer(chain, customer.country)


def price_terms(session: Session, buyers: Iterable[Buyer], *, day: date) -> PriceTerms:
    """Load the rules and rates that hold on a day, in two queries."""
    return price_terms_on(session, buyers, days={day})[day]


def price_terms_on(
    session: Session, buyers: Iterable[Buyer], *, days: Collection[date]
) -> dict[date, PriceTerms]:
    """Load the rules and rates that hold on each of some days, in two queries."""
    if not days:
        return {}
    chains = [buyer.chain for buyer in buyers]
    rows = session.execute(
        select(PriceRuleScope, PriceRule)
        .join(PriceRule, PriceRule.scope_id == PriceRuleScope.id)
        .where(
            or_(
                PriceRuleScope.reseller_id.is_(None),
                PriceRuleScope.reseller_id.in_({chain.reseller_id for chain in chains}),
            ),
            or_(
                PriceRuleScope.customer_id.is_(None),
                PriceRuleScope.customer_id.in_({chain.customer_id for chain in chains}),
            ),
            or_(PriceRule.valid_from.is_(None), PriceRule.valid_from <= max(days)),
            or_(PriceRule.valid_until.is_(None), PriceRule.valid_until > min(days)),
        )
    ).all()
    rates: dict[int, dict[tuple[str, str], Decimal]] = defaultdict(dict)
    for month, source, target, rate in session.execute(
        select(FxRate.month, FxRate.from_currency, FxRate.to_currency, FxRate.rate).where(
            FxRate.month.in_({Period.of(day).number for day in days})
        )
    ):
        rates[month][source, target] = rate
    return {day: _terms_on(day, rows, rates[Period.of(day).number]) for day in days}


def _terms_on(day: date, rows: Iterable[Any], rates: dict[tuple[str, str], Decimal]) -> PriceTerms:
    entries: dict[Hop, list[tuple[Scope, Terms]]] = {hop: [] for hop in Hop}
    for scope, rule in rows:
        if day in DateRange(rule.valid_from, rule.valid_until):
            entries[Hop(scope.hop)].append((_scope(scope), _terms(rule)))
    return PriceTerms(day, {hop: RuleTable(of_hop) for hop, of_hop in entries.items()}, ExchangeRates(rates))


def _scope(row: PriceRuleScope) -> Scope:
    return Scope(row.reseller_id, row.customer_id, row.subscription, row.vendor, row.product, row.sku)


def _terms(rule: PriceRule) -> Terms:
    return Terms(rule.id, "", rule.basis, rule.percent, rule.unit_price, rule.currency or "")


def prices_of(session: Session, wanted: Sequence[Wanted], *, now: datetime) -> dict[Wanted, PlanPrices]:
    """Give the prices of every hop; what has no price is left out. The session must be the owner's.

    The number of queries does not grow with the number of plans. The whole first term has the rules and rates of its
    first day: that is how the close charges it.
    """
    if not wanted:
        return {}
    day = now.date()
    currency = price_list_currency(session)
    asked = {one: asked_by(one, currency=currency, day=day) for one in wanted}
    quoted = quotes(session, asked.values())
    terms = price_terms(session, {one.buyer for one in wanted}, day=day)
    return {
        one: price_purchase(one, quoted[ask], terms, at=now) for one, ask in asked.items() if ask in quoted
    }


def asked_by(wanted: Wanted, *, currency: str, day: date) -> Asked:
    """Ask the catalogue's price of what somebody wants."""
    return Asked(
        wanted.plan_id,
        wanted.quantity,
        wanted.buyer.market,
        currency,
        day,
        customer_id=wanted.buyer.chain.customer_id,
        beside=wanted.beside,
    )


def price_list_currency(session: Session) -> str:
    """Give the currency the vendors bill in: the wholesaler's own."""
    return session.scalar(select(Wholesaler.currency)) or "EUR"


def price_purchase(wanted: Wanted, quoted: Quoted, terms: PriceTerms, *, at: datetime) -> PlanPrices:
    """Price a purchase at every hop. What has no exchange rate has no price there."""
    first = begin(quoted, wanted.quantity, at=at, custom_end=wanted.custom_end)
    made = charges([first])
    whole = whole_charge(quoted, at)
    vendor = HopPrice(
        whole.cost,
        Money.rounded(EXACT.multiply(whole.cost, Decimal(wanted.quantity)), quoted.currency),
        Money.rounded(sums(made).cost, quoted.currency),
    )
    wholesale = retail = None
    missing = ""
    try:
        found = terms.formulas(wanted.buyer, quoted)
    except MissingRate as rate:
        missing = str(rate)
    else:
        chain = wanted.buyer.chain
        term = basis_of(made)
        wholesale = _hop_price(found.wholesale, whole, term, wanted.quantity, chain.reseller_currency)
        retail = _hop_price(found.retail, whole, term, wanted.quantity, chain.customer_currency)
    return PlanPrices(
        wanted, quoted, first.term_start, first.term_end, len(made), vendor, wholesale, retail, missing
    )


def basis_of(made: Sequence[Charge]) -> Basis:
    """Give what charges come to before any rule."""
    total = sums(made)
    return Basis(total.cost, total.listed, total.cycles)


def whole_charge(quoted: Quoted, at: datetime) -> Basis:
    """Give what one unit comes to for a whole charge."""
    return basis_of(charges([begin(quoted, 1, at=at)])[:1])


def _hop_price(formula: Formula, whole: Basis, term: Basis, quantity: int, currency: str) -> HopPrice:
    unit = exact_amount(formula, whole)
    return HopPrice(
        unit,
        Money.rounded(EXACT.multiply(unit, Decimal(quantity)), currency),
        Money.rounded(exact_amount(formula, term), currency),
    )
