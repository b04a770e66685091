"""Carts, checkouts and orders, with what the vendor checks before it sells."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from catalog.words import BillingCycle, Term
from marketplace.rating.terms import cycles_in_term, term_end
from marketplace.vendors.simulator.catalogue import BILLING_CURRENCY, CUSTOMER_LIMITS, NEEDS, Sku
from marketplace.vendors.simulator.desk import OWN_PARTNER_ID, Desk
from marketplace.vendors.simulator.documents import (
    Cart,
    CartLine,
    Order,
    OrderedItem,
    Signed,
    Subscription,
)
from marketplace.vendors.simulator.life import begin_term, charge, promote, running_cycle
from marketplace.vendors.simulator.promotions import eligibility, purchase_of
from marketplace.vendors.simulator.refusals import Refused, not_found

_TRIAL = timedelta(days=30)
_MOST_SEATS = 10_000
_NO_CURRENT_MONTH_END = range(28, 31)
#: Partner ids with a meaning; any other number is a reseller in good standing.
UNKNOWN_PARTNER, UNSIGNED_PARTNER, NOT_A_RESELLER, INACTIVE_PARTNER = (
    "9999999",
    "8888888",
    "7777777",
    "6666666",
)


def open_cart(desk: Desk, account: str, body: Mapping[str, Any]) -> Cart:
    """Take a cart. Lines that cannot be sold are told when it is shown."""
    customer = desk.customer(account)
    if not any(one.account == account for one in desk.store.all(Signed)):
        words = "The customer has not accepted the Microsoft Customer Agreement."
        raise Refused("13605", words, HTTPStatus.FORBIDDEN)
    lines = [_cart_line(line) for line in body.get("lineItems", ())]
    if not lines:
        raise Refused("10010", "The cart has no line items.")
    for line in lines:
        _check_partner(line.partner_id)
        _check_dates(desk, account, line)
    cart = Cart(id=desk.new_id("cart"), account=customer.id, lines=lines, created_at=desk.now)
    desk.store.put(cart)
    return cart


def _cart_line(line: Mapping[str, Any]) -> CartLine:
    ends = line.get("customTermEndDate")
    chosen = [one["value"] for one in line.get("participants", ()) if one["key"] == "transaction_reseller"]
    return CartLine(
        id=str(line["id"]),
        item=line["catalogItemId"],
        quantity=int(line["quantity"]),
        term=Term(line.get("termDuration") or "P1M"),
        cycle=BillingCycle(str(line["billingCycle"]).casefold()),
        friendly_name=line.get("friendlyName") or "",
        partner_id=chosen[0] if chosen else "",
        ends_on=date.fromisoformat(ends[:10]) + timedelta(days=1) if ends else None,
        promotion=line.get("promotionId") or "",
    )


def _check_partner(partner_id: str) -> None:
    if partner_id == OWN_PARTNER_ID:
        words = "PartnerID of Indirect Provider isn't valid as Partner On Record."
        raise Refused("2072", words, HTTPStatus.NOT_FOUND)
    faults = {
        UNKNOWN_PARTNER: ("800015", "The partner on record was not found."),
        NOT_A_RESELLER: ("800016", "The partner on record is not a valid indirect reseller."),
        INACTIVE_PARTNER: ("800039", "The reseller program of the partner on record is not active."),
        UNSIGNED_PARTNER: ("900123", "MPA hasn't been accepted by the indirect reseller."),
    }
    if partner_id in faults:
        raise Refused(*faults[partner_id])


def _check_dates(desk: Desk, account: str, line: CartLine) -> None:
    """Take an early end only on the last day of a month or of another subscription, within the first term."""
    if line.cycle in {BillingCycle.NONE, BillingCycle.ONE_TIME}:
        return
    try:
        cycles_in_term(line.term, line.cycle)
    except ValueError:
        raise Refused("900270", "The billing cycle cannot be longer than the term.") from None
    if line.ends_on is None:
        return
    others = {
        one.term_end for one in desk.subscriptions(account) if one.status == "active" and not one.is_trial
    }
    is_month_end = line.ends_on.day == 1
    if not (desk.today < line.ends_on <= term_end(desk.today, line.term)) or (
        not is_month_end and line.ends_on not in others
    ):
        raise Refused("900242", "The custom term end date is not valid.")
    last = line.ends_on - timedelta(days=1)
    if line.term is Term.P1M and last.day in _NO_CURRENT_MONTH_END and not is_month_end:
        raise Refused("900245", "A monthly term cannot end on the 28th, 29th or 30th.")


def fault_of(desk: Desk, cart: Cart, line: CartLine) -> tuple[str, str] | None:
    """Give the code and words of what is wrong with a line, if anything is."""
    country = desk.customer(cart.account).country
    found = desk.catalogue.by_item(line.item, country=country, day=desk.today)
    if found is None:
        return "10001", f"The catalog item id {line.item} is not valid."
    sku, segment = found
    price = sku.price(line.term, line.cycle, segment=segment, country=country, at=desk.now)
    if sku.is_consumption:
        return None if line.quantity == 1 else ("10010", "The quantity of a usage-based item is 1.")
    if price is None:
        return "10010", f"{line.item} is not sold for {line.term.value} with {line.cycle.value} billing."
    if line.quantity > _MOST_SEATS:
        return "10015", "The quantity exceeds the seats allowed per subscription."
    return None


def eligibilities(desk: Desk, account: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether what might be bought may have the promotion it names."""
    country = desk.customer(account).country
    name, reference = str(item["promotionId"]), str(item["catalogItemId"])
    found = desk.catalogue.by_item(reference, country=country, day=desk.today)
    asked = {key: item[key] for key in ("catalogItemId", "quantity", "termDuration", "billingCycle")}
    if found is None:
        error = {"type": "InvalidCatalogItemId"}
        return {**asked, "eligibilities": [{"promotionId": name, "isEligible": False, "errors": [error]}]}
    sku, segment = found
    purchase = purchase_of(
        sku.reference, segment, int(item["quantity"]), desk.subscriptions(account), day=desk.today
    )
    term = Term(item["termDuration"])
    said = eligibility(desk.promotions, name, sku=sku.reference, term=term, purchase=purchase)
    return {**asked, "eligibilities": [said]}


def check_out(desk: Desk, account: str, name: str, *, question: str = "") -> Sequence[Order]:
    """Turn a cart into orders, one a billing cycle. Each line becomes a subscription."""
    cart = desk.store.find(Cart, name.casefold())
    if cart is None or cart.account != account:
        raise not_found("Cart", name)
    if cart.is_ordered:
        raise Refused("800065", "The cart has already been checked out.", HTTPStatus.CONFLICT)
    sold: list[tuple[CartLine, Sku, str]] = []
    for line in cart.lines:
        fault = fault_of(desk, cart, line)
        if fault is not None:
            raise Refused(*fault)
        found = desk.catalogue.by_item(line.item, country=desk.customer(account).country, day=desk.today)
        if found is not None:
            sold.append((line, *found))
    _check_needs(desk, account, [sku for _line, sku, _segment in sold])
    for line, sku, _segment in sold:
        check_limit(desk, account, sku.reference, line.quantity)
    cycles = dict.fromkeys(line.cycle for line in cart.lines)
    orders = [
        _order(desk, account, cycle, [one for one in sold if one[0].cycle is cycle], question)
        for cycle in cycles
    ]
    cart.is_ordered = True
    desk.store.put(cart)
    return orders


def _check_needs(desk: Desk, account: str, bought: Sequence[Sku]) -> None:
    there = {f"{one.product}:{one.sku}" for one in desk.subscriptions(account) if one.status == "active"}
    there |= {sku.reference for sku in bought}
    for sku in bought:
        wanted = NEEDS.get(sku.reference)
        if wanted and not there & set(wanted):
            raise Refused("400041", "The addon is not purchasable without a compatible base product.")


def check_limit(desk: Desk, account: str, reference: str, more: int) -> None:
    """Refuse what would take a customer over its seats of a SKU, over all its subscriptions."""
    limit = CUSTOMER_LIMITS.get(reference)
    if limit is None:
        return
    has = sum(
        one.quantity
        for one in desk.subscriptions(account)
        if f"{one.product}:{one.sku}" == reference and one.status in {"active", "suspended", "pending"}
    )
    if has + more > limit:
        raise Refused(
            "800088",
            f"The requested number of {more} seat/s exceeded the remaining limit of {max(0, limit - has)}.",
        )


def _order(
    desk: Desk, account: str, cycle: BillingCycle, sold: Sequence[tuple[CartLine, Sku, str]], question: str
) -> Order:
    order = Order(
        id=desk.new_id("order"),
        account=account,
        cycle=cycle,
        currency=BILLING_CURRENCY,
        lines=[],
        created_at=desk.now,
        ready_at=desk.now + timedelta(seconds=desk.world.provisioning_seconds),
        question=question,
    )
    for number, (line, sku, segment) in enumerate(sold):
        one = _subscribe(desk, order, line, sku, segment)
        order.lines.append(
            OrderedItem(
                id=str(number),
                item=line.item,
                quantity=line.quantity,
                term=line.term,
                subscription=one.id,
                friendly_name=one.friendly_name,
                partner_id=line.partner_id,
            )
        )
    desk.store.put(order)
    return order


def _subscribe(desk: Desk, order: Order, line: CartLine, sku: Sku, segment: str) -> Subscription:
    country = desk.customer(order.account).country
    plan = sku.plan(line.term, line.cycle, segment=segment, country=country, at=desk.now)
    one = Subscription(
        id=desk.new_id("subscription"),
        account=order.account,
        order=order.id,
        product=sku.product,
        sku=sku.sku,
        item=line.item,
        name=sku.title,
        friendly_name=line.friendly_name or sku.title,
        country=country,
        currency=plan.currency if plan and not sku.is_consumption else order.currency,
        segment=segment,
        quantity=line.quantity,
        is_trial=sku.is_trial,
        is_consumption=sku.is_consumption,
        term=line.term,
        cycle=line.cycle,
        unit_price=plan.price if plan else Decimal(0),
        partner_id=line.partner_id,
        bought_at=desk.now,
        ready_at=order.ready_at,
        term_start=desk.today,
        term_end=None,
        charged_until=desk.today,
        status_since=desk.today,
        status="pending" if order.question else "active",
    )
    promote(desk, one, day=desk.today, wanted=line.promotion)
    if not order.question:
        start(desk, one, ends_on=line.ends_on)
    desk.store.put(one)
    return one


def start(desk: Desk, one: Subscription, *, ends_on: date | None = None) -> None:
    """Begin the first term now, and charge its first cycle."""
    one.status, one.status_since, one.bought_at = "active", desk.today, desk.now
    if one.is_consumption:
        one.auto_renew = False
        return
    if one.is_trial:
        ends_on = desk.today + _TRIAL
    begin_term(one, desk.today, desk.now, end=ends_on)
    charge(desk, one, "new", running_cycle(one, desk.today), at=desk.now)


def answer(desk: Desk, account: str, name: str, words: str) -> Order:
    """Take the answer to what was asked about an order, and go on with it."""
    order = find_order(desk, account, name)
    if not order.question:
        raise Refused("800060", "The order is not waiting for anything.", HTTPStatus.CONFLICT)
    if not words.strip():
        raise Refused("10010", "The answer is empty.")
    order.question = ""
    desk.store.put(order)
    for line in order.lines:
        one = desk.subscription(account, line.subscription)
        start(desk, one)
        desk.store.put(one)
    return order


def find_order(desk: Desk, account: str, name: str) -> Order:
    """Give an order of a customer."""
    order = desk.store.find(Order, name.casefold())
    if order is None or order.account != account:
        raise not_found("Order", name)
    return order
