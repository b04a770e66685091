"""Seats that go over to another plan: upgrades, trials that are paid from now on, longer terms, other ways of paying."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from catalog.words import BillingCycle, Term
from marketplace.rating.terms import months_of
from marketplace.vendors.simulator.catalogue import PAID_TWINS, UPGRADES, Sku
from marketplace.vendors.simulator.desk import Desk
from marketplace.vendors.simulator.documents import Subscription, Transition
from marketplace.vendors.simulator.life import add_charge, begin_term, promote, running_cycle
from marketplace.vendors.simulator.refusals import Refused
from marketplace.vendors.simulator.selling import check_limit

_LONGER = {(Term.P1M, Term.P1Y), (Term.P1M, Term.P3Y), (Term.P1Y, Term.P3Y)}
_PAID_OTHERWISE = {BillingCycle.MONTHLY, BillingCycle.ANNUAL}
_LEAST_OF_A_TRIAL = 25


def change_plan(desk: Desk, one: Subscription, sent: Mapping[str, Any]) -> None:
    """Begin a longer term at once, or have a term of three years paid otherwise from the next charge on."""
    term = Term(sent.get("termDuration") or one.term.value)
    cycle = _cycle(sent.get("billingCycle"), one)
    if one.is_trial:
        raise Refused("800107", "The term of a trial cannot be changed.")
    sku = desk.catalogue.skus[f"{one.product}:{one.sku}"]
    price = _price(desk, one, sku, term, cycle)
    if term is one.term:
        if term is not Term.P3Y or {one.cycle, cycle} != _PAID_OTHERWISE:
            raise Refused("800122", "The billing plan of this term cannot be changed within the term.")
        one.next_cycle = cycle
    elif (one.term, term) in _LONGER:
        settle(desk, one, -one.quantity, reference := desk.new_id("reference"))
        _become(desk, one, sku, price, term=term, cycle=cycle, begins_anew=True)
        settle(desk, one, one.quantity, reference)
    else:
        raise Refused("800122", "The term cannot be made shorter.")
    one.next_term = None


def transition(
    desk: Desk, one: Subscription, body: Mapping[str, Any]
) -> tuple[Transition, list[Subscription]]:
    """Move seats to a better SKU, or a trial to what it was a trial of; give what was done, and what changed.

    All seats stay in the subscription, some go into a new one, unless one is named that takes them. The same term runs
    on, another begins today.
    """
    if one.status != "active":
        raise Refused("900259", "The subscription is not active.")
    own = f"{one.product}:{one.sku}"
    targets = (PAID_TWINS.get(own, ""),) if one.is_trial else UPGRADES.get(own, ())
    found = desk.catalogue.by_item(body["toCatalogItemId"], country=one.country, day=desk.today)
    if found is None or found[0].reference not in targets:
        raise Refused("900258", "The target is not an upgrade of the subscription's product.")
    quantity = int(body["quantity"])
    term, cycle = Term(body.get("termDuration") or one.term.value), _cycle(body.get("billingCycle"), one)
    _check(one, quantity=quantity, term=term)
    if body.get("toSubscriptionId"):
        target = desk.subscription(one.account, body["toSubscriptionId"])
        _check_target(desk, one, target, found[0], quantity=quantity)
        changed = _move_into(desk, one, target, quantity)
    else:
        price = _price(desk, one, found[0], term, cycle)
        changed = _move(
            desk,
            one,
            found[0],
            price,
            quantity=quantity,
            term=term,
            cycle=cycle,
            item=body["toCatalogItemId"],
        )
    done = Transition(
        id=desk.new_id("transition"),
        subscription=one.id,
        body={
            "fromCatalogItemId": body["fromCatalogItemId"],
            "fromSubscriptionId": one.id,
            "toCatalogItemId": body["toCatalogItemId"],
            "toSubscriptionId": changed[-1].id,
            "quantity": quantity,
            "transitionType": body.get("transitionType", "transition_with_license_transfer"),
            "events": [
                {"name": name, "status": "Success", "timestamp": desk.now.isoformat()}
                for name in ("Conversion", "LicenseTransfer")
            ],
        },
    )
    done.body["operationId"] = done.id
    desk.store.put(done)
    return done, changed


def _check(one: Subscription, *, quantity: int, term: Term) -> None:
    if one.is_trial and quantity < _LEAST_OF_A_TRIAL:
        raise Refused("900236", "Within a trial at least 25 seats are converted.")
    if not one.is_trial and not 0 < quantity <= one.quantity:
        raise Refused("900236", "The quantity exceeds the seats of the subscription.")
    if months_of(term) < months_of(one.term):
        raise Refused("900267", "The term of the target is shorter than that of the source.")


def _check_target(desk: Desk, one: Subscription, target: Subscription, sku: Sku, *, quantity: int) -> None:
    """Refuse to move seats into a subscription that cannot take them."""
    if target.status != "active" or target.is_extended:
        raise Refused("900259", "The target subscription is not active.")
    if f"{target.product}:{target.sku}" != sku.reference or target.id == one.id:
        raise Refused("900258", "The target subscription is not of the product of the upgrade.")
    if target.window_until is not None and desk.now <= target.window_until:
        raise Refused("900260", "The target subscription is in its cancellation window.")
    if months_of(target.term) < months_of(one.term):
        raise Refused("900267", "The term of the target is shorter than that of the source.")
    if one.term_end is None or target.term_end is None or target.term_end < one.term_end:
        raise Refused("900269", "The target subscription ends before the source.")
    check_limit(desk, one.account, sku.reference, quantity)


def _move(
    desk: Desk,
    one: Subscription,
    sku: Sku,
    price: Decimal,
    *,
    quantity: int,
    term: Term,
    cycle: BillingCycle,
    item: str,
) -> list[Subscription]:
    """Give seats back from one SKU and charge them in the other; give the subscriptions that changed, the target last."""
    reference, begins_anew = desk.new_id("reference"), one.is_trial or term is not one.term
    settle(desk, one, -min(quantity, one.quantity), reference)
    changed, target = [one], one
    if quantity < one.quantity and not one.is_trial:
        new = {"id": desk.new_id("subscription"), "changes": 0, "friendly_name": sku.title}
        target = one.model_copy(deep=True, update=new)
        one.quantity -= quantity
        end_window(one)
        changed.append(target)
    was_trial, target.quantity, target.is_trial, target.item = target.is_trial, quantity, False, item
    _become(desk, target, sku, price, term=term, cycle=cycle, begins_anew=begins_anew)
    if was_trial:  # no promotion holds for what was tried
        target.promotion, target.percent_off = "", Decimal(0)
    settle(desk, target, quantity, reference)
    return changed


def _move_into(desk: Desk, one: Subscription, target: Subscription, quantity: int) -> list[Subscription]:
    """Give seats back from one subscription and charge them in another, which goes on as it is with more."""
    reference = desk.new_id("reference")
    settle(desk, one, -quantity, reference)
    cycle, more = running_cycle(target, desk.today), target.quantity + quantity
    for seats in (-target.quantity, more):
        add_charge(
            desk,
            target,
            "moveQuantity",
            cycle,
            quantity=seats,
            from_day=desk.today,
            at=desk.now,
            reference=reference,
        )
    target.quantity = more
    if quantity < one.quantity:
        one.quantity -= quantity
    else:
        one.status, one.status_since, one.auto_renew = "deleted", desk.today, False
    for each in (one, target):
        end_window(each)
    return [one, target]


def _become(
    desk: Desk,
    one: Subscription,
    sku: Sku,
    price: Decimal,
    *,
    term: Term,
    cycle: BillingCycle,
    begins_anew: bool,
) -> None:
    """Make a subscription another plan, in a term of its own from today where it begins anew."""
    one.product, one.sku, one.name = sku.product, sku.sku, sku.title
    one.term, one.cycle, one.unit_price = term, cycle, price
    promote(desk, one, day=desk.today)
    if begins_anew:
        begin_term(one, desk.today, desk.now)
    end_window(one)


def settle(desk: Desk, one: Subscription, seats: int, reference: str) -> None:
    """Charge seats, or give them back, for what is left of the running cycle."""
    cycle = running_cycle(one, desk.today)
    add_charge(
        desk, one, "convert", cycle, quantity=seats, from_day=desk.today, at=desk.now, reference=reference
    )
    one.charged_until = cycle.end


def end_window(one: Subscription) -> None:
    """After a change of plan nothing can be given back, and what was scheduled is dropped."""
    one.window_until, one.full_refund_until, one.next_term, one.tranches = None, None, None, []


def _cycle(text: Any, one: Subscription) -> BillingCycle:
    return BillingCycle(str(text or one.cycle.value).casefold())


def _price(desk: Desk, one: Subscription, sku: Sku, term: Term, cycle: BillingCycle) -> Decimal:
    price = sku.price(term, cycle, segment=one.segment, country=one.country, at=desk.now)
    if price is None:
        raise Refused("900268", "The target is not sold with this term and billing cycle.")
    return price
