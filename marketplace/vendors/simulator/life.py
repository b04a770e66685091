"""What happens to subscriptions by themselves as days go by: charges, renewals, ends; and what each costs.

The vendor cuts cents off instead of rounding, in one way where seats change and in another everywhere else.
"""

from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from catalog.words import BillingCycle, Term
from marketplace.rating.terms import ChargeCycle, charge_cycles, cycles_in_term, months_of, term_end
from marketplace.vendors.simulator.catalogue import PAID_TWINS
from marketplace.vendors.simulator.desk import CENTS, Desk, at_midnight
from marketplace.vendors.simulator.documents import Charge, Subscription, Tranche
from marketplace.vendors.simulator.promotions import taken_off

WINDOW = timedelta(hours=168)
FULL_REFUND = timedelta(hours=24)
EXTENDED_FROM = date(2026, 5, 4)
_EXTRA, _EXTRA_WITHOUT_MONTHLY = Decimal("1.03"), Decimal("1.23")
_EXPIRED_DAYS, _DISABLED_DAYS, _SUSPENDED_DISABLED_DAYS = 30, 90, 30
_SHOWN_DECIMALS = Decimal("1e-15")
_SEATS_CHANGE = frozenset({"addQuantity", "removeQuantity"})


def let_pass(desk: Desk) -> None:
    """Do everything that was due until now."""
    for one in desk.store.all(Subscription):
        before = one.model_dump_json()
        while _next_step(desk, one):
            pass
        if one.model_dump_json() != before:
            desk.store.put(one)


def _next_step(desk: Desk, one: Subscription) -> bool:
    """Do the next thing that is due; say whether there was one."""
    if one.is_consumption or one.status in {"deleted", "pending"}:
        return False
    if one.status in {"expired", "disabled"}:
        return _fade(desk, one)
    if one.term_end is None:
        return False
    if one.charged_until < one.term_end and one.charged_until <= desk.today:
        at = at_midnight(one.charged_until)
        kind = "changeBillingPlan" if _pay_otherwise(desk, one, at) else "cycleCharge"
        charge(desk, one, kind, running_cycle(one, one.charged_until), at=at)
        return True
    if one.term_end > desk.today:
        return False
    if one.status == "suspended":
        _become(one, "disabled", one.term_end)
    elif one.auto_renew or one.is_extended:
        _renew(desk, one)
    elif one.term_end >= EXTENDED_FROM and not (one.is_trial or one.ends_with_term):
        _extend(desk, one)
    else:
        _become(one, "expired", one.term_end)
    return True


def _pay_otherwise(desk: Desk, one: Subscription, at: datetime) -> bool:
    """Make the next charge as it was asked for, at the price of that way of paying; say whether it was."""
    if one.next_cycle is None:
        return False
    sku = desk.catalogue.skus[f"{one.product}:{one.sku}"]
    price = sku.price(one.term, one.next_cycle, segment=one.segment, country=one.country, at=at)
    one.cycle, one.next_cycle = one.next_cycle, None
    one.unit_price = one.unit_price if price is None else price
    return True


def _fade(desk: Desk, one: Subscription) -> bool:
    days, after = {
        "expired": (_EXPIRED_DAYS, "disabled"),
        "disabled": (_DISABLED_DAYS, "deleted"),
    }[one.status]
    day = one.status_since + timedelta(days=days)
    if day > desk.today:
        return False
    _become(one, after, day)
    return True


def _become(one: Subscription, status: str, day: date) -> None:
    one.status, one.status_since = status, day
    one.auto_renew, one.next_term = False, None
    one.version += 1


def _renew(desk: Desk, one: Subscription) -> None:
    """Begin the next term at the price list of its first day, with what was scheduled for it."""
    day = one.term_end
    if day is None:
        raise ValueError("what has no end does not renew")
    term, cycle, quantity, reference = one.term, one.cycle, one.quantity, f"{one.product}:{one.sku}"
    custom: str | None = None
    if one.next_term:
        wanted = one.next_term["product"]
        reference = f"{wanted['productId']}:{wanted['skuId']}"
        term, cycle = Term(wanted["termDuration"]), BillingCycle(wanted["billingCycle"].casefold())
        quantity, custom = int(one.next_term["quantity"]), one.next_term.get("customTermEndDate")
    elif one.is_trial:
        reference, term, cycle = _paid_twin(one), Term.P1Y, BillingCycle.MONTHLY
    sku = desk.catalogue.skus[reference]
    price = sku.price(term, cycle, segment=one.segment, country=one.country, at=at_midnight(day))
    if price is None:  # sold no longer: it ends
        _become(one, "expired", day)
        return
    if one.is_extended:
        price = price * _EXTRA
    was_trial = one.is_trial
    kind = "convert" if one.is_trial or reference != f"{one.product}:{one.sku}" else "renew"
    one.product, one.sku, one.name = sku.product, sku.sku, sku.title
    one.item = sku.item(segment=one.segment, country=one.country, day=day)
    one.term, one.cycle, one.quantity, one.unit_price, one.is_trial = term, cycle, quantity, price, False
    one.next_term = None
    one.promotion, one.percent_off = "", Decimal(0)
    if not was_trial and not one.is_extended:
        promote(desk, one, day=day, is_renewal=kind == "renew")
    end = date.fromisoformat(custom[:10]) + timedelta(days=1) if custom else None
    begin_term(one, day, at_midnight(day), end=end)
    if one.is_extended:
        one.window_until, one.tranches = None, []
    charge(desk, one, kind, running_cycle(one, day), at=at_midnight(day))
    one.version += 1


def _paid_twin(one: Subscription) -> str:
    return PAID_TWINS[f"{one.product}:{one.sku}"]


def _extend(desk: Desk, one: Subscription) -> None:
    """Run on by the month, dearer, because nobody renewed and nobody cancelled."""
    day = one.term_end
    if day is None:
        raise ValueError("what has no end is not extended")
    sku = desk.catalogue.skus[f"{one.product}:{one.sku}"]
    at = at_midnight(day)
    monthly = sku.price(Term.P1M, BillingCycle.MONTHLY, segment=one.segment, country=one.country, at=at)
    factor = _EXTRA if monthly is not None else _EXTRA_WITHOUT_MONTHLY
    base = monthly if monthly is not None else one.unit_price / months_of(one.term)
    one.term, one.cycle, one.unit_price, one.is_extended = Term.P1M, BillingCycle.MONTHLY, base * factor, True
    one.promotion, one.percent_off = "", Decimal(0)
    begin_term(one, day, at)
    one.window_until, one.tranches, one.next_term = None, [], None
    charge(desk, one, "renew", running_cycle(one, day), at=at)
    one.version += 1


def promote(desk: Desk, one: Subscription, *, day: date, is_renewal: bool = False, wanted: str = "") -> None:
    """Take off what the vendor promotes, for the term that begins."""
    found = taken_off(
        desk.promotions,
        one,
        desk.subscriptions(one.account),
        day=day,
        is_renewal=is_renewal,
        wanted=wanted,
    )
    one.promotion = found.terms.reference if found else ""
    one.percent_off = found.terms.percent if found else Decimal(0)


def begin_term(one: Subscription, day: date, at: datetime, *, end: date | None = None) -> None:
    """Set a term's dates, and open the days in which it can be given back."""
    one.term_start, one.term_end = day, end or term_end(day, one.term)
    one.ends_with_term, one.next_cycle = False, None
    one.charged_until = day
    one.window_until, one.full_refund_until = at + WINDOW, at + FULL_REFUND
    one.tranches = [tranche(one.quantity, day, at)]


def tranche(quantity: int, day: date, at: datetime) -> Tranche:
    """Give seats that are bought at an instant and charged from a day on."""
    return Tranche(quantity=quantity, until=at + WINDOW, whole_until=at + FULL_REFUND, since=day)


def cycle_price(one: Subscription) -> Decimal:
    """Give the price of a seat for one charge cycle."""
    return one.unit_price / cycles_in_term(one.term, one.cycle)


def running_cycle(one: Subscription, day: date) -> ChargeCycle:
    """Give the charge cycle a day lies in."""
    if one.term_end is None:
        raise ValueError("what has no end has no cycles")
    cycles = charge_cycles(one.term_start, one.term_end, one.term, one.cycle)
    return next(cycle for cycle in cycles if day in cycle)


def charge(desk: Desk, one: Subscription, kind: str, cycle: ChargeCycle, *, at: datetime) -> None:
    """Charge for a cycle as far as it is not charged, and note that it is."""
    from_day = max(cycle.start, one.charged_until)
    add_charge(desk, one, kind, cycle, quantity=one.quantity, from_day=from_day, at=at)
    one.charged_until = cycle.end


def add_charge(
    desk: Desk,
    one: Subscription,
    kind: str,
    cycle: ChargeCycle,
    *,
    quantity: int,
    from_day: date,
    at: datetime,
    reference: str = "",
) -> None:
    """Write one line of the bill: the seats for the days of a cycle from a day on. Negative seats are given back."""
    price = cycle_price(one)
    days = (cycle.end - from_day).days
    promoted = price * (100 - one.percent_off) / 100
    effective = promoted if days == cycle.whole_days else promoted / cycle.whole_days * days
    if kind in _SEATS_CHANGE:
        subtotal = (effective * quantity).quantize(CENTS, rounding=ROUND_DOWN)
    else:
        subtotal = effective.quantize(CENTS, rounding=ROUND_DOWN) * quantity
    desk.store.put(
        Charge(
            id=desk.new_id("charge"),
            account=one.account,
            subscription=one.id,
            at=at,
            kind=kind,
            unit_price=price,
            promotion=one.promotion,
            percent_off=one.percent_off,
            quantity=quantity,
            from_day=from_day,
            last_day=cycle.end - timedelta(days=1),
            effective_price=effective.quantize(_SHOWN_DECIMALS),
            subtotal=subtotal,
            reference=reference or desk.new_id("reference"),
        )
    )
