"""A subscription as its history tells it: segments that are only ever added, each the whole state from an instant on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from catalog import words
from catalog.rules.metered import is_metered
from catalog.rules.promotions import Promoted
from catalog.words import BillingCycle, Term
from marketplace.rating import proration
from marketplace.rating.proration import Charge, ChargeKind, UnitPrice, charges_of
from marketplace.rating.terms import term_end
from marketplace.subscriptions.words import STANDING, AtTermEnd, SegmentKind, Status
from marketplace.vendors.commitments import Commitments, rulebook, rules_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan as the catalogue sells it: what it is, and what its SKU allows beside the vendor's rules."""

    plan_id: int
    vendor: str
    # As statements name it.
    product: str
    sku: str
    unit: str
    kind: str
    term: Term
    billing_cycle: BillingCycle
    # Whom the plan is for.
    segment: words.Segment = words.Segment.COMMERCIAL
    minimum_quantity: int = 1
    maximum_quantity: int | None = None
    # Seats of this SKU a customer may have in all its subscriptions.
    customer_limit: int | None = None
    is_trial: bool = False
    # A month at a time after a term that was neither renewed nor given up.
    is_extended: bool = False
    may_increase: bool = True
    may_decrease: bool = True
    may_cancel: bool = True
    may_suspend: bool = True
    may_upgrade: bool = True
    # SKUs this one may be upgraded or converted to, as statements name them.
    upgrades_to: frozenset[str] = frozenset()
    converts_to: frozenset[str] = frozenset()

    @property
    def is_metered(self) -> bool:
        """Whether it is had once, for nothing, and billed as it is used."""
        return is_metered(self.term, self.billing_cycle)

    def commitments(self, day: date) -> Commitments:
        """Give the vendor's rules for it on a day."""
        kind = rules_kind(self.kind, self.term, is_trial=self.is_trial)
        return rulebook(self.vendor).on(day, kind)

    def natural_end(self, start: date) -> date | None:
        """Give the end of a term of this plan; None for what is bought once."""
        if self.is_trial and (trial := self.commitments(start).trial):
            return start + timedelta(days=trial.days)
        return None if self.term is Term.ONE_TIME else term_end(start, self.term)


@dataclass(frozen=True, slots=True)
class Quoted:
    """An offer at a price: what a unit costs for a whole term, and its list price where there is one.

    Both are after the promotion, where one holds: it is the vendor's, and lasts as long as the price does.
    """

    offer: Offer
    unit_cost: Decimal
    unit_listed: Decimal | None
    currency: str
    promotion: Promoted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What stands from an instant on, and what made it so."""

    number: int
    kind: SegmentKind
    at: datetime
    # The first day that is charged so: the day of the event, or an earlier one where the whole price comes back.
    since: date
    status: Status
    quantity: int
    quoted: Quoted
    term_start: date
    # Exclusive; None for what is bought once.
    term_end: date | None
    order_line: str = ""

    @property
    def charged(self) -> proration.Segment:
        """The segment as charges are made from it. What is bought once is paid on its day."""
        price = UnitPrice(
            self.quoted.offer.term,
            self.quoted.offer.billing_cycle,
            self.quoted.unit_cost,
            self.quoted.unit_listed,
        )
        return proration.Segment(
            ChargeKind(self.kind.value),
            self.at.date(),
            self.since,
            self.quantity,
            price,
            self.term_start,
            self.term_end or self.term_start + timedelta(days=1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A change that waits for the renewal, or for the next charge."""

    due_on: date
    quantity: int | None = None
    plan_id: int | None = None
    custom_end: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A subscription as decisions need it: its history and what was instructed for later."""

    segments: tuple[Segment, ...]
    at_term_end: AtTermEnd = AtTermEnd.RENEW
    at_renewal: Waiting | None = None
    at_next_charge: Waiting | None = None
    # Seats of the same SKU that the customer has in other subscriptions.
    seats_elsewhere: int = 0

    @property
    def now(self) -> Segment:
        """The latest segment."""
        return self.segments[-1]

    @property
    def offer(self) -> Offer:
        """What is subscribed to."""
        return self.now.quoted.offer

    @property
    def is_standing(self) -> bool:
        """Whether there are seats to change."""
        return self.now.status in STANDING

    def charges(self) -> list[Charge]:
        """Give every charge from the first segment to the end of the last term."""
        return charges(self.segments)

    def followed_by(self, *segments: Segment) -> "Standing":
        """Give the subscription after more segments, which do away with what waited."""
        return replace(
            self, segments=self.segments + segments, at_renewal=None if segments else self.at_renewal
        )


def charges(segments: Sequence[Segment]) -> list[Charge]:
    """Give the charges of a history; `Charge.number` is the segment's place among those that are charged."""
    return list(charges_of([one.charged for one in segments if one.kind.is_charged]))


def midnight(day: date) -> datetime:
    """Give the first instant of a day, in UTC: that is when terms end and begin."""
    return datetime.combine(day, time(), UTC)
