"""Changes of a subscription: seats, renewal, suspension, cancellation; and when the vendor says no."""

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

from catalog.words import BillingCycle, Term
from marketplace.vendors.simulator import shown, transitions
from marketplace.vendors.simulator.desk import Desk
from marketplace.vendors.simulator.documents import Pause, Subscription, Transition
from marketplace.vendors.simulator.life import add_charge, running_cycle, tranche
from marketplace.vendors.simulator.refusals import Refused
from marketplace.vendors.simulator.selling import check_limit

_MOST_CHANGES = 1200


def change(desk: Desk, one: Subscription, sent: Mapping[str, Any]) -> None:
    """Change what differs from what is shown: callers send the whole subscription back."""
    check_ready(desk, one)
    before = shown.subscription(desk, one)
    wanted = {name: value for name, value in sent.items() if value != before.get(name)}
    status = str(wanted.get("status", one.status)).casefold()
    if status == "deleted" and one.status != "deleted":
        _cancel(desk, one)
        return
    if one.status not in {"active", "suspended"}:
        raise Refused("2001", f"The subscription is {one.status} and cannot be changed.")
    if status != one.status:
        _suspend_or_resume(desk, one, status)
    quantity = int(wanted.get("quantity", one.quantity))
    if quantity != one.quantity:
        _set_quantity(desk, one, quantity)
    if wanted.keys() & {"termDuration", "billingCycle"}:
        transitions.change_plan(desk, one, sent)
    if wanted.keys() & {"autoRenewEnabled", "cancelAtTermEnd"}:
        _set_term_end(one, wanted)
    if "scheduledNextTermInstructions" in wanted:
        _schedule(desk, one, wanted["scheduledNextTermInstructions"])
    one.friendly_name = wanted.get("friendlyName") or one.friendly_name
    _note(desk, one)


def _set_term_end(one: Subscription, wanted: Mapping[str, Any]) -> None:
    """Say whether it renews, and whether it ends for good where it does not."""
    auto_renew = bool(wanted.get("autoRenewEnabled", one.auto_renew))
    if one.status == "suspended" and auto_renew and not one.auto_renew:
        raise Refused("2001", "Auto-renew cannot be turned on while the subscription is suspended.")
    one.auto_renew = auto_renew
    one.ends_with_term = not auto_renew and bool(wanted.get("cancelAtTermEnd", one.ends_with_term))
    one.next_term = one.next_term if auto_renew else None


def check_ready(desk: Desk, one: Subscription) -> None:
    """Refuse while the subscription is being provisioned, and after too many changes."""
    if desk.now < one.ready_at or one.status == "pending":
        raise Refused("800082", "The subscription is still being provisioned.", HTTPStatus.CONFLICT)
    if one.changes >= _MOST_CHANGES:
        raise Refused("900311", "The subscription does not accept any more changes.")


def _note(desk: Desk, one: Subscription) -> None:
    one.version += 1
    one.changes += 1
    desk.store.put(one)


def _cancel(desk: Desk, one: Subscription) -> None:
    """Cancel in the first days, or any time where it runs on by the month; what is left is given back."""
    if not one.is_consumption:
        if not one.is_extended and (one.window_until is None or desk.now > one.window_until):
            raise Refused("900117", "The cancellation window of 7 days has passed.")
        cycle = running_cycle(one, desk.today)
        is_whole = one.full_refund_until is not None and desk.now < one.full_refund_until
        from_day = cycle.start if is_whole else desk.today
        add_charge(
            desk, one, "cancelImmediate", cycle, quantity=-one.quantity, from_day=from_day, at=desk.now
        )
    one.status, one.status_since, one.auto_renew, one.next_term = "deleted", desk.today, False, None
    _note(desk, one)


def _suspend_or_resume(desk: Desk, one: Subscription, status: str) -> None:
    if status == "suspended":
        one.status, one.auto_renew, one.next_term = "suspended", False, None
        if one.is_consumption:
            one.pauses.append(Pause(since=desk.today))
    elif status == "active":
        one.status = "active"
        if one.pauses:
            one.pauses[-1].until = desk.today
    else:
        raise Refused("10010", f"A subscription cannot be made {status}.")
    one.status_since = desk.today


def _set_quantity(desk: Desk, one: Subscription, quantity: int) -> None:
    """Add seats at any time; give back those bought in the last days."""
    if one.status == "suspended":
        raise Refused("2001", "The quantity of a suspended subscription cannot be changed.")
    if one.is_trial or one.is_extended:
        raise Refused("800107", "The quantity of this subscription cannot be changed.")
    if quantity < 1:
        raise Refused("800090", "The quantity must be at least 1.")
    old = one.quantity
    if quantity > old:
        check_limit(desk, one.account, f"{one.product}:{one.sku}", quantity - old)
        one.tranches.append(tranche(quantity - old, desk.today, desk.now))
        _charge_change(desk, one, "addQuantity", (-old, quantity), desk.today)
    else:
        for since, taken in _take_back(desk, one, old - quantity).items():
            _charge_change(desk, one, "removeQuantity", (-old, old - taken), since)
            old -= taken
    one.quantity, one.next_term = quantity, None


def _charge_change(desk: Desk, one: Subscription, kind: str, both: tuple[int, int], since: date) -> None:
    """Take all seats back from a day on and charge those there are, in every cycle that has been charged since."""
    reference, day = desk.new_id("reference"), since
    while day <= desk.today:
        cycle = running_cycle(one, day)
        for seats in both:
            add_charge(desk, one, kind, cycle, quantity=seats, from_day=day, at=desk.now, reference=reference)
        day = cycle.end


def _take_back(desk: Desk, one: Subscription, seats: int) -> dict[date, int]:
    """Take seats from what was bought last, as far as its days are not over; give how many, by the day they count from.

    The whole price of what is a day old at most comes back; of the rest, that of the days to come.
    """
    open_ones = [one_lot for one_lot in one.tranches if desk.now <= one_lot.until]
    if seats > sum(one_lot.quantity for one_lot in open_ones):
        raise Refused(
            "900214",
            "The quantity can be reduced only within 7 days after seats were added, by the seats added.",
        )
    taken: dict[date, int] = {}
    for one_lot in reversed(open_ones):
        back = min(seats, one_lot.quantity)
        since = one_lot.since if desk.now < one_lot.whole_until else desk.today
        if back:
            taken[since] = taken.get(since, 0) + back
        one_lot.quantity -= back
        seats -= back
    one.tranches = [one_lot for one_lot in open_ones if one_lot.quantity]
    return taken


def _schedule(desk: Desk, one: Subscription, wanted: Mapping[str, Any] | None) -> None:
    if wanted is None:
        one.next_term = None
        return
    if one.status != "active" or not one.auto_renew:
        raise Refused("2001", "Changes can be scheduled for active subscriptions that renew.")
    product = wanted["product"]
    reference = f"{product['productId']}:{product['skuId']}"
    sku = desk.catalogue.skus.get(reference)
    term, cycle = Term(product["termDuration"]), BillingCycle(str(product["billingCycle"]).casefold())
    price = sku and sku.price(term, cycle, segment=one.segment, country=one.country, at=desk.now)
    if price is None:
        raise Refused("400019", f"{reference} is not sold for {term.value} with {cycle.value} billing.")
    one.next_term = dict(wanted)


def upgrade(desk: Desk, one: Subscription, body: Mapping[str, Any]) -> Transition:
    """Move seats to another SKU at once, and note that what was touched changed."""
    check_ready(desk, one)
    if body.get("toSubscriptionId"):
        check_ready(desk, desk.subscription(one.account, body["toSubscriptionId"]))
    done, changed = transitions.transition(desk, one, body)
    for each in changed:
        _note(desk, each)
    return done
