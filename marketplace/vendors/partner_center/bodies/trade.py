"""Bodies about what is bought: the catalogue, carts, orders, subscriptions and bills. Pure: bodies in, values out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from catalog.rules.metered import is_metered
from catalog.words import BillingCycle
from marketplace.core.period import Period
from marketplace.vendors.partner_center.bodies.wire import (
    Body,
    cycle_of,
    day_after,
    instant,
    known,
    last_day,
    plain_keys,
    term_of,
)
from marketplace.vendors.values import (
    CatalogueItem,
    CatalogueProduct,
    NextTerm,
    OrderedLine,
    OrderLine,
    OrderStatus,
    Reducible,
    SubscriptionStatus,
    TermEnd,
    Upgraded,
    VendorInvoice,
    VendorOrder,
    VendorSubscription,
)

_NO_LIMIT = 100_000_000
"""From here on a largest quantity means "as many as you like"."""

_ORDER_STATUS = {
    "completed": OrderStatus.COMPLETED,
    "partialsuccess": OrderStatus.COMPLETED,
    "pending": OrderStatus.PENDING,
    "unknown": OrderStatus.PENDING,
    "pendingreview": OrderStatus.ASKING,
    "pendingpoupload": OrderStatus.ASKING,
    "pouploadcomplete": OrderStatus.PENDING,
    "poreviewrejected": OrderStatus.FAILED,
    "cancelled": OrderStatus.FAILED,
    "suspended": OrderStatus.FAILED,
    "error": OrderStatus.FAILED,
}
_SUBSCRIPTION_STATUS = {
    "none": SubscriptionStatus.PENDING,
    **{status.value: status for status in SubscriptionStatus},
}


def product(body: Body) -> CatalogueProduct:
    """Read a product."""
    return CatalogueProduct(
        reference=body["id"],
        title=body["title"],
        description=body.get("description", ""),
        kind=body.get("productType", {}).get("id", ""),
    )


def item(sku: Body, availability: Body) -> CatalogueItem:
    """Read an availability together with its SKU."""
    terms = availability.get("terms") or ()
    limit = int(sku.get("maximumQuantity") or 0)
    cycles = [one["billingCycle"] for one in terms if one.get("billingCycle")]
    return CatalogueItem(
        reference=availability["catalogItemId"],
        product=sku["productId"],
        sku=sku["id"],
        title=sku["title"],
        description=sku.get("description", ""),
        segment=str(availability.get("segment", "")).casefold(),
        country=availability.get("country", ""),
        currency=availability.get("defaultCurrency", {}).get("code", ""),
        is_purchasable=bool(availability.get("isPurchasable", True)),
        is_trial=bool(sku.get("isTrial")),
        minimum_quantity=int(sku.get("minimumQuantity") or 1),
        maximum_quantity=limit if 0 < limit < _NO_LIMIT else None,
        terms=known(term_of(one.get("duration")) for one in terms),
        billing_cycles=known(cycle_of(one) for one in cycles or sku.get("supportedBillingCycles", ())),
        needs=tuple(sku.get("purchasePrerequisites", ())),
    )


def cart_body(lines: Sequence[tuple[OrderLine, CatalogueItem]]) -> dict[str, Any]:
    """Write a cart."""
    return {"lineItems": [_cart_line(line, found) for line, found in lines]}


def _cart_line(line: OrderLine, found: CatalogueItem) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": line.number,
        "catalogItemId": found.reference,
        "quantity": line.quantity,
        **_plan_body(line),
        "friendlyName": line.friendly_name or found.title,
    }
    if line.partner_id:
        body["participants"] = [{"key": "transaction_reseller", "value": line.partner_id}]
    if line.promotion:
        body["promotionId"] = line.promotion
    if line.ends_on:
        body["customTermEndDate"] = last_day(line.ends_on)
    return body


def _plan_body(line: OrderLine) -> dict[str, str]:
    """Write how a line is bought. An Azure plan has no term, and is ordered as what is paid once."""
    if is_metered(line.term, line.billing_cycle):
        return {"billingCycle": BillingCycle.ONE_TIME.value}
    return {"billingCycle": line.billing_cycle.value, "termDuration": line.term.value}


def order(body: Body) -> VendorOrder:
    """Read an order."""
    status = str(body.get("status", "")).replace("_", "").replace(" ", "").casefold()
    return VendorOrder(
        reference=body["id"],
        status=_ORDER_STATUS.get(status, OrderStatus.PENDING),
        lines=tuple(
            OrderedLine(
                number=int(line.get("lineItemNumber", 0)),
                item=line.get("offerId", ""),
                quantity=int(line["quantity"]),
                subscription=line.get("subscriptionId") or "",
            )
            for line in body.get("lineItems", ())
        ),
        ordered_at=instant(body.get("creationDate")),
        words=str(body.get("statusReason") or ""),
    )


def subscription(body: Body, account: str) -> VendorSubscription:
    """Read a subscription."""
    body = plain_keys(body)
    starts_at = instant(body.get("effectiveStartDate")) or instant(body.get("creationDate"))
    if starts_at is None:
        raise ValueError("a subscription without a start")
    seats = body.get("refundableQuantity") or {}
    return VendorSubscription(
        reference=body["id"],
        account=account,
        item=body.get("offerId", ""),
        name=body.get("offerName") or "",
        friendly_name=body.get("friendlyName") or "",
        quantity=int(body["quantity"]),
        status=_SUBSCRIPTION_STATUS[str(body["status"]).casefold()],
        auto_renew=bool(body.get("autoRenewEnabled")),
        term=term_of(body.get("termDuration")),
        billing_cycle=cycle_of(body.get("billingCycle")),
        starts_at=starts_at,
        ends_on=day_after(body.get("commitmentEndDate")),
        partner_id=str(body.get("partnerId") or ""),
        order=body.get("orderId") or "",
        etag=body.get("attributes", {}).get("etag") or "",
        is_trial=bool(body.get("isTrial")),
        may_cancel_until=instant(body.get("cancellationAllowedUntilDate")),
        reducible=tuple(_reducible(one) for one in seats.get("details") or ()),
        next_term=_next_term(body.get("scheduledNextTermInstructions")),
        suspended_because=tuple(body.get("suspensionReasons") or ()),
        bought_at=instant(body.get("creationDate")),
    )


def _reducible(body: Body) -> Reducible:
    until = instant(body["allowedUntilDateTime"])
    if until is None:
        raise ValueError("seats that may be given back until never")
    return Reducible(int(body["quantity"]), until)


def _next_term(body: Body | None) -> NextTerm | None:
    if not body:
        return None
    chosen = body.get("product") or {}
    term, cycle = term_of(chosen.get("termDuration")), cycle_of(chosen.get("billingCycle"))
    if term is None or cycle is None:
        raise ValueError("a scheduled change without a term")
    return NextTerm(
        product=chosen["productId"],
        sku=chosen["skuId"],
        term=term,
        billing_cycle=cycle,
        quantity=int(body["quantity"]),
        ends_on=day_after(body.get("customTermEndDate")),
    )


def term_end_body(choice: TermEnd) -> dict[str, Any]:
    """Write what is to happen when a term ends.

    Since May 2026 a term that is not renewed runs on by the month unless the vendor is told to cancel it. No public
    page shows how that is told: the name below is the simulator's, and a vendor that knows it not passes over it.
    """
    return {
        "autoRenewEnabled": choice is TermEnd.RENEW,
        "cancelAtTermEnd": choice is TermEnd.END,
    }


def next_term_body(wanted: NextTerm, found: CatalogueItem) -> dict[str, Any]:
    """Write what is to change at renewal."""
    return {
        "product": {
            "productId": found.product,
            "skuId": found.sku,
            "availabilityId": found.reference.rpartition(":")[2],
            "billingCycle": wanted.billing_cycle.value,
            "termDuration": wanted.term.value,
        },
        "quantity": wanted.quantity,
        **({"customTermEndDate": last_day(wanted.ends_on)} if wanted.ends_on else {}),
    }


def upgraded(body: Body) -> Upgraded:
    """Read how an upgrade ended: each of its events must have."""
    events = body.get("events") or ()
    failed = [one for one in events if str(one.get("status", "")).casefold() == "failed"]
    done = bool(events) and all(str(one.get("status", "")).casefold() == "success" for one in events)
    return Upgraded(
        reference=str(body.get("operationId", "")),
        from_subscription=body.get("fromSubscriptionId", ""),
        to_subscription=body.get("toSubscriptionId", ""),
        quantity=int(body.get("quantity", 0)),
        is_done=done,
        words="; ".join(str(one["errors"]) for one in failed if one.get("errors")),
    )


def invoice(body: Body) -> VendorInvoice:
    """Read a bill."""
    invoiced, starts = instant(body["invoiceDate"]), instant(body.get("billingPeriodStartDate"))
    if invoiced is None:
        raise ValueError("an invoice without a day")
    return VendorInvoice(
        reference=body["id"],
        invoiced_on=invoiced.date(),
        period=Period.of(starts.date()) if starts else None,
        total=Decimal(body["totalCharges"]),
        paid=abs(Decimal(body.get("paidAmount") or 0)),
        currency=body["currencyCode"],
        kind=str(body.get("invoiceType", "")).casefold(),
        document=str(body.get("documentType", "")).replace("_", " ").casefold(),
        corrects=body.get("amendsOf") or "",
    )
