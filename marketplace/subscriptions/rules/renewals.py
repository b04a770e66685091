"""What happens when a term ends: it renews, goes on by the month, or is over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from catalog.rules.plans import TERM_MONTHS
from catalog.words import BillingCycle, Term
from marketplace.core.rounding import round_ratio
from marketplace.rating.exact import multiply, plus_percent
from marketplace.subscriptions.rules.decisions import may_extend
from marketplace.subscriptions.rules.history import Offer, Quoted, Segment, Standing, midnight
from marketplace.subscriptions.rules.promotions import in_full
from marketplace.subscriptions.words import AtTermEnd, SegmentKind, Status
from marketplace.vendors.commitments import ExtendedService

_PRICE_DECIMALS = 18


def is_due(standing: Standing, day: date) -> bool:
    """Whether a term has ended by a day and nothing was done about it yet."""
    end = standing.now.term_end
    return standing.is_standing and end is not None and end <= day


def plan_of_renewal(standing: Standing) -> int:
    """Give the plan it renews as."""
    waiting = standing.at_renewal
    return standing.offer.plan_id if waiting is None or waiting.plan_id is None else waiting.plan_id


def at_term_end(standing: Standing, prices: Mapping[int, Quoted], monthly: Quoted | None) -> Segment:
    """Give the segment that follows a term that has ended.

    `prices` are those of the day the term ended, by plan; where the plan is sold no more, its last price stays.
    `monthly` is the price of the same SKU by the month, where it is sold so.
    """
    last, end = standing.now, standing.now.term_end
    if end is None:
        raise ValueError("what was bought for good has no term that ends")
    if last.status is Status.ACTIVE and standing.at_term_end is AtTermEnd.RENEW:
        return _renewed(standing, prices, end)
    service = last.quoted.offer.commitments(end).extended_service
    goes_on = may_extend(last) or last.quoted.offer.is_extended
    if (
        last.status is Status.ACTIVE
        and standing.at_term_end is AtTermEnd.EXTEND
        and service is not None
        and goes_on
    ):
        quoted = last.quoted if last.quoted.offer.is_extended else extended(last.quoted, monthly, service)
        return _follow(last, SegmentKind.RENEW, end, quoted, last.quantity)
    return replace(
        last,
        number=last.number + 1,
        kind=SegmentKind.EXPIRE,
        at=midnight(end),
        since=end,
        status=Status.EXPIRED,
        quantity=0,
        order_line="",
    )


def _renewed(standing: Standing, prices: Mapping[int, Quoted], end: date) -> Segment:
    last, waiting = standing.now, standing.at_renewal
    quoted = prices.get(plan_of_renewal(standing), last.quoted)
    quantity = last.quantity if waiting is None or waiting.quantity is None else waiting.quantity
    kind = SegmentKind.CONVERT if last.quoted.offer.is_trial else SegmentKind.RENEW
    renewed = _follow(last, kind, end, quoted, quantity)
    if waiting is not None and waiting.custom_end is not None:
        renewed = replace(renewed, term_end=waiting.custom_end)
    return renewed


def _follow(last: Segment, kind: SegmentKind, end: date, quoted: Quoted, quantity: int) -> Segment:
    return replace(
        last,
        number=last.number + 1,
        kind=kind,
        at=midnight(end),
        since=end,
        quantity=quantity,
        quoted=quoted,
        term_start=end,
        term_end=quoted.offer.natural_end(end),
        order_line="",
    )


def extended(quoted: Quoted, monthly: Quoted | None, service: ExtendedService) -> Quoted:
    """Give the price of going on by the month after a term: the monthly price and more, or a month of the term's.

    No promotion holds for it.
    """
    quoted, monthly = in_full(quoted), in_full(monthly) if monthly else None
    offer: Offer = replace(
        quoted.offer, term=Term.P1M, billing_cycle=BillingCycle.MONTHLY, is_extended=True, is_trial=False
    )
    if monthly is not None:
        factor = plus_percent(service.percent_with_monthly_plan)
        cost, listed = monthly.unit_cost, monthly.unit_listed
    else:
        factor = plus_percent(service.percent_without_monthly_plan)
        months = TERM_MONTHS[quoted.offer.term]
        cost = round_ratio(quoted.unit_cost, months, _PRICE_DECIMALS)
        listed = (
            None if quoted.unit_listed is None else round_ratio(quoted.unit_listed, months, _PRICE_DECIMALS)
        )
    return Quoted(
        offer, _dearer(cost, factor), None if listed is None else _dearer(listed, factor), quoted.currency
    )


def _dearer(price: Decimal, factor: Decimal) -> Decimal:
    return round_ratio(multiply(price, factor), 1, _PRICE_DECIMALS)
