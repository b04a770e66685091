"""Whether a change can be made now, with the next charge, at renewal, or never: and why, in a sentence."""

from dataclasses import dataclass
from datetime import date, datetime

from catalog.rules.plans import TERM_MONTHS
from catalog.words import BillingCycle, Term
from marketplace.core.errors import N_, Phrase
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeAtRenewal,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    ConvertTrial,
    RenewAsItIs,
    Resume,
    SetTermEnd,
    Suspend,
    Upgrade,
)
from marketplace.subscriptions.rules.cycles import next_cycle_start
from marketplace.subscriptions.rules.history import Offer, Segment, Standing
from marketplace.subscriptions.rules.limits import quantity_fault
from marketplace.subscriptions.rules.windows import lots, open_lots
from marketplace.subscriptions.words import AtTermEnd, Status, When
from marketplace.vendors.commitments import Commitments


@dataclass(frozen=True, slots=True)
class Decision:
    """When a change takes effect, on which day, and why then."""

    when: When
    why: Phrase
    on: date | None = None

    @property
    def is_possible(self) -> bool:
        """Whether it takes effect at all."""
        return self.when is not When.NEVER


def decide(change: Change, standing: Standing, now: datetime) -> Decision:
    """Say when a change can take effect. The vendor's rules are those of today."""
    if not standing.is_standing:
        return _never(N_("The subscription has ended: order it anew."))
    rules = standing.offer.commitments(now.date())
    match change:
        case ChangeQuantity():
            return _quantity(change, standing, rules, now)
        case Cancel():
            return _cancel(standing, now)
        case Suspend():
            return _suspend(standing, rules, now)
        case Resume():
            return _resume(standing, rules, now)
        case SetTermEnd():
            return _term_end(change, standing, now)
        case ChangeAtRenewal():
            return _at_renewal_instructed(change, standing)
        case RenewAsItIs():
            if standing.at_renewal is None:
                return _never(N_("Nothing waits for the renewal."))
            return _now(now, N_("It renews as it is then, and nothing that was asked for before."))
        case Upgrade() | ChangeTerm() | ChangeBilling() | ConvertTrial():
            if standing.now.status is Status.SUSPENDED:
                return _never(N_("It is suspended: resume it first."))
            return _plan(change, standing, rules, now)


def _plan(
    change: Upgrade | ChangeTerm | ChangeBilling | ConvertTrial,
    standing: Standing,
    rules: Commitments,
    now: datetime,
) -> Decision:
    offer = change.quoted.offer
    if change.quoted.currency != standing.now.quoted.currency:
        return _never(N_("Its price is in another currency: order it as a new subscription."))
    if (offer.term, offer.billing_cycle) not in offer.commitments(now.date()).pairs:
        return _never(N_("The vendor does not sell this term with this way of paying."))
    match change:
        case Upgrade():
            return _upgrade(change, standing, rules, now)
        case ChangeTerm():
            return _longer_term(change, standing, rules, now)
        case ChangeBilling():
            return _billing(change, standing, rules, now)
        case ConvertTrial():
            return _convert(change, standing, rules, now)


def _quantity(change: ChangeQuantity, standing: Standing, rules: Commitments, now: datetime) -> Decision:
    offer, has, wanted = standing.offer, standing.now.quantity, change.quantity
    if wanted == has:
        return _never(N_("It has %(quantity)s seats already."), quantity=has)
    if fault := quantity_fault(offer, wanted, elsewhere=standing.seats_elsewhere):
        return Decision(When.NEVER, fault)
    if standing.now.status is Status.SUSPENDED:
        return _never(N_("It is suspended: resume it first."))
    if standing.offer.is_extended:
        return _never(N_("Its seats are fixed while its service is extended: renew it first."))
    if wanted > has and (fault := _promotion_fault(standing, wanted)):
        return Decision(When.NEVER, fault)
    if wanted > has:
        if not (rules.may_increase and offer.may_increase):
            return _never(N_("No seats can be added to it: order another subscription."))
        return _now(now, N_("Seats can be added at any time."))
    open_seats = sum(lot.quantity for lot in open_lots(standing.segments, now))
    if rules.may_decrease_in_window and offer.may_decrease and has - wanted <= open_seats:
        return _now(now, N_("These seats are still within the days in which they can be given back."))
    if not rules.may_decrease_at_renewal:
        return _never(N_("The number of its seats is fixed."))
    return _at_renewal(
        standing,
        N_(
            "%(seats)s of these seats can no longer be given back: with the renewal there will be %(quantity)s."
        ),
        seats=has - wanted - (open_seats if offer.may_decrease else 0),
        quantity=wanted,
    )


def _cancel(standing: Standing, now: datetime) -> Decision:
    offer = standing.offer
    if offer.is_extended:
        return _now(now, N_("An extended service can be cancelled on any day."))
    if offer.is_trial:
        return _now(now, N_("A trial costs nothing and can end on any day."))
    if offer.is_metered:
        return _now(
            now, N_("It commits to nothing and can end on any day. What was used until then is billed.")
        )
    bought = lots(standing.segments)
    if offer.may_cancel and bought and bought[0].is_term and bought[0].is_open(now):
        if bought[0].is_refunded_whole(now):
            return _now(now, N_("It is so new that its whole price comes back."))
        return _now(now, N_("It can still be cancelled: the days that are left come back."))
    end = standing.now.term_end
    if end is None:
        return _never(N_("It was bought for good, and its days to give it back are over."))
    if standing.at_term_end is AtTermEnd.END:
        return _never(N_("Its days to cancel are over, and it ends with its term already."))
    return Decision(
        When.AT_RENEWAL,
        Phrase.of(N_("Its days to cancel are over: it is charged to the end of its term and ends with it.")),
        end,
    )


def _upgrade(change: Upgrade, standing: Standing, rules: Commitments, now: datetime) -> Decision:
    source, target = standing.offer, change.quoted.offer
    if not (rules.may_upgrade and source.may_upgrade and target.sku in source.upgrades_to):
        return _never(N_("It cannot be upgraded to this product."))
    if not 0 < change.quantity <= standing.now.quantity:
        return _never(N_("Between 1 and %(quantity)s seats can be upgraded."), quantity=standing.now.quantity)
    if _months(target.term) < _months(source.term):
        return _never(N_("The term of an upgrade cannot be shorter than the one it replaces."))
    left = standing.now.quantity - change.quantity
    if left and (fault := quantity_fault(source, left, elsewhere=standing.seats_elsewhere)):
        return Decision(When.NEVER, fault)
    if change.into is not None:
        return _upgrade_into(change, change.into, standing.now, now)
    if fault := quantity_fault(target, change.quantity):
        return Decision(When.NEVER, fault)
    return _now(now, N_("An upgrade takes effect at once. It cannot be taken back."))


def _upgrade_into(change: Upgrade, into: Standing, source: Segment, now: datetime) -> Decision:
    """Check the subscription seats are moved into, by the vendor's four conditions."""
    if into.now.status is not Status.ACTIVE:
        return _never(N_("The subscription that is to take the seats is not active."))
    if into.offer.sku != change.quoted.offer.sku:
        return _never(N_("The subscription that is to take the seats is of another product."))
    if open_lots(into.segments, now):
        return _never(N_("The subscription that is to take the seats can still be cancelled itself: wait."))
    rules = into.offer.commitments(now.date())
    if into.offer.is_extended or not (rules.may_increase and into.offer.may_increase):
        return _never(N_("The subscription that is to take the seats can take no more."))
    if _months(into.offer.term) < _months(source.quoted.offer.term):
        return _never(N_("The subscription that is to take the seats has a shorter term."))
    if source.term_end is None or into.now.term_end is None or into.now.term_end < source.term_end:
        return _never(N_("The subscription that is to take the seats ends sooner."))
    wanted = into.now.quantity + change.quantity
    if fault := quantity_fault(into.offer, wanted, elsewhere=into.seats_elsewhere):
        return Decision(When.NEVER, fault)
    if fault := _promotion_fault(into, wanted):
        return Decision(When.NEVER, fault)
    return _now(now, N_("An upgrade takes effect at once. It cannot be taken back."))


def _longer_term(change: ChangeTerm, standing: Standing, rules: Commitments, now: datetime) -> Decision:
    source, target = standing.offer, change.quoted.offer
    if source.is_trial:
        return _never(N_("The term of a trial is fixed: convert it."))
    if target.sku != source.sku:
        return _never(N_("Another product is an upgrade, not another term."))
    if _months(target.term) < _months(source.term):
        return _at_renewal(standing, N_("A shorter term can begin with the renewal alone."))
    if (source.term, target.term) not in rules.term_changes:
        return _at_renewal(standing, N_("The vendor changes this term with the renewal alone."))
    return _now(now, N_("A longer term begins at once. It cannot be taken back."))


def _billing(change: ChangeBilling, standing: Standing, rules: Commitments, now: datetime) -> Decision:
    source, target = standing.offer, change.quoted.offer
    if (target.sku, target.term) != (source.sku, source.term):
        return _never(N_("Only the way of paying changes here: the product and its term stay."))
    if target.billing_cycle is source.billing_cycle:
        return _never(N_("It is paid like that already."))
    allowed: tuple[Term, BillingCycle, BillingCycle] = (
        source.term,
        source.billing_cycle,
        target.billing_cycle,
    )
    following = next_cycle_start(standing.now, now.date())
    if allowed in rules.billing_changes and following is not None:
        why = Phrase.of(N_("The next charge is made the new way. The term stays."))
        return Decision(When.AT_NEXT_CHARGE, why, following)
    return _at_renewal(standing, N_("This term is paid the same way to its end."))


def _convert(change: ConvertTrial, standing: Standing, rules: Commitments, now: datetime) -> Decision:
    trial = rules.trial
    if not standing.offer.is_trial or trial is None:
        return _never(N_("It is not a trial."))
    if change.quoted.offer.sku not in standing.offer.converts_to:
        return _never(N_("The trial is one of another product."))
    if fault := quantity_fault(change.quoted.offer, change.quantity, elsewhere=standing.seats_elsewhere):
        return Decision(When.NEVER, fault)
    if change.quantity < trial.quantity:
        return _at_renewal(
            standing,
            N_("Within the trial at least %(quantity)s seats are converted; fewer when it ends."),
            quantity=trial.quantity,
        )
    return _now(now, N_("What was tried is paid from today. Promotions do not apply."))


def _suspend(standing: Standing, rules: Commitments, now: datetime) -> Decision:
    if standing.now.status is Status.SUSPENDED:
        return _never(N_("It is suspended already."))
    if not (rules.may_suspend and standing.offer.may_suspend) or standing.offer.is_trial:
        return _never(N_("The vendor does not suspend it."))
    if rules.suspension_stops_renewal:
        return _now(now, N_("The service stops and is charged all the same. It does not renew any more."))
    if rules.is_charged_while_suspended:
        return _now(now, N_("The service stops and is charged all the same."))
    return _now(
        now, N_("The service stops. What is used all the same, such as what stays stored, is billed.")
    )


def _resume(standing: Standing, rules: Commitments, now: datetime) -> Decision:
    if standing.now.status is not Status.SUSPENDED:
        return _never(N_("It is not suspended."))
    if rules.suspension_stops_renewal:
        return _now(now, N_("The service goes on; whether it renews must be said again."))
    return _now(now, N_("The service goes on."))


def _term_end(change: SetTermEnd, standing: Standing, now: datetime) -> Decision:
    end = standing.now.term_end
    if end is None:
        return _never(_endless(standing.offer))
    if change.choice is standing.at_term_end:
        return _never(N_("It is set so already."))
    match change.choice:
        case AtTermEnd.RENEW if standing.now.status is Status.SUSPENDED:
            return _never(N_("It is suspended: resume it first."))
        case AtTermEnd.RENEW:
            return _now(now, N_("It renews when its term ends, at the price of that day."))
        case AtTermEnd.END:
            return _now(now, N_("The service stops when its term ends."))
        case AtTermEnd.EXTEND:
            if not may_extend(standing.now):
                return _never(N_("The vendor does not extend this one after its term."))
            return _now(now, N_("After its term it goes on by the month, dearer, until somebody decides."))


def may_extend(segment: Segment) -> bool:
    """Whether a term can be followed by extended service when it ends."""
    if segment.term_end is None or segment.quoted.offer.is_trial:
        return False
    service = segment.quoted.offer.commitments(segment.term_end).extended_service
    return service is not None and segment.term_start >= service.bought_since


def _at_renewal_instructed(change: ChangeAtRenewal, standing: Standing) -> Decision:
    target: Offer = change.quoted.offer if change.quoted else standing.offer
    quantity = standing.now.quantity if change.quantity is None else change.quantity
    if fault := quantity_fault(target, quantity, elsewhere=standing.seats_elsewhere):
        return Decision(When.NEVER, fault)
    renews_on = standing.now.term_end
    if renews_on and (target.term, target.billing_cycle) not in target.commitments(renews_on).pairs:
        return _never(N_("The vendor does not sell this term with this way of paying."))
    return _at_renewal(standing, N_("It waits for the renewal."))


def _at_renewal(standing: Standing, why: str, **facts: object) -> Decision:
    """Wait for the renewal, if there will be one."""
    if standing.now.term_end is None:
        return _never(_endless(standing.offer))
    if standing.now.status is Status.SUSPENDED:
        return _never(N_("It is suspended: resume it first."))
    if standing.at_term_end is not AtTermEnd.RENEW:
        return _never(
            N_("It would have to wait for the renewal, but it does not renew: turn renewal on first.")
        )
    return Decision(When.AT_RENEWAL, Phrase.of(why, **facts), standing.now.term_end)


def _endless(offer: Offer) -> str:
    """Say why nothing waits for the end of what has none."""
    if offer.is_metered:
        return N_("It has no term: it goes on until it is cancelled.")
    return N_("It was bought for good: there is nothing to renew.")


def _now(now: datetime, why: str, **facts: object) -> Decision:
    return Decision(When.NOW, Phrase.of(why, **facts), now.date())


def _never(why: str, **facts: object) -> Decision:
    return Decision(When.NEVER, Phrase.of(why, **facts))


def _months(term: Term) -> int:
    return TERM_MONTHS.get(term, 0)


def _promotion_fault(standing: Standing, wanted: int) -> Phrase | None:
    """Say why seats cannot be added: they have the promotion's price up to its limit, and no other."""
    promotion = standing.now.quoted.promotion
    most = promotion.terms.maximum_quantity if promotion else None
    if promotion is None or most is None or standing.seats_elsewhere + wanted <= most:
        return None
    return Phrase.of(
        N_(
            "The promotion %(title)s is for at most %(most)s seats of a customer: order the others as another "
            "subscription, at the full price."
        ),
        title=promotion.terms.title,
        most=most,
    )
