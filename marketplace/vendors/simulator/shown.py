"""How the simulator shows what it knows: bodies as Partner Center writes them, with their little inconsistencies."""

import base64
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from marketplace.vendors.simulator.catalogue import BILLING_CURRENCY, Sku
from marketplace.vendors.simulator.desk import Desk
from marketplace.vendors.simulator.documents import Cart, CartLine, Order, Reseller, Subscription
from marketplace.vendors.simulator.selling import fault_of

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}
_MOST = 10_000_000
_CART_DAYS = 7
_ENDLESS = "9999-12-14T00:00:00Z"

Body = dict[str, Any]


def moment(at: datetime) -> str:
    """Write an instant with the vendor's seven decimals."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0Z"


def day(value: date) -> str:
    """Write a day as the vendor does."""
    return f"{value.isoformat()}T00:00:00Z"


def collection(items: Sequence[Body]) -> Body:
    """Wrap the items of a list."""
    return {"totalCount": len(items), "items": list(items), "attributes": {"objectType": "Collection"}}


def reseller(one: Reseller) -> Body:
    """Show a reseller of the wholesaler's."""
    return {
        "id": one.account,
        "name": one.name,
        "relationshipType": "is_indirect_cloud_solution_provider_of",
        "state": "Active" if one.is_active else "Inactive",
        "mpnId": one.id,
        "location": one.country,
    }


def product(sku: Sku) -> Body:
    """Show a product."""
    kind = "Azure" if sku.is_consumption else "OnlineServicesNCE"
    return {
        "id": sku.product,
        "title": sku.product_title,
        "description": "",
        "productType": {"id": kind, "displayName": kind},
    }


def sku(one: Sku) -> Body:
    """Show a SKU."""
    return {
        "id": one.sku,
        "productId": one.product,
        "title": one.title,
        "description": one.title,
        "minimumQuantity": 1,
        "maximumQuantity": _MOST,
        "isTrial": one.is_trial,
        "supportedBillingCycles": sorted({plan.cycle.value for plan in one.plans}),
        "purchasePrerequisites": [],
    }


def availabilities(one: Sku, *, country: str, today: date) -> list[Body]:
    """Show the ways to buy a SKU: one for each segment, with all its terms."""
    found = []
    for segment in dict.fromkeys(plan.segment for plan in one.plans):
        item = one.item(segment=segment, country=country, day=today)
        currency = next((plan.currency for plan in one.plans if plan.segment == segment), BILLING_CURRENCY)
        terms = sorted({(plan.term.value, plan.cycle.value) for plan in one.plans if plan.segment == segment})
        found.append(
            {
                "id": item.rpartition(":")[2],
                "productId": one.product,
                "skuId": one.sku,
                "catalogItemId": item,
                "defaultCurrency": {"code": currency, "symbol": _SYMBOLS.get(currency, "")},
                "segment": segment,
                "country": country,
                "isPurchasable": True,
                "isRenewable": not one.is_trial,
                "terms": []
                if one.is_consumption
                else [
                    {"duration": term, "description": term, "billingCycle": cycle} for term, cycle in terms
                ],
            }
        )
    return found


def cart(desk: Desk, one: Cart) -> Body:
    """Show a cart, each faulty line with what is wrong."""
    return {
        "id": one.id,
        "creationTimestamp": moment(one.created_at),
        "lastModifiedTimestamp": moment(one.created_at),
        "expirationTimestamp": moment(one.created_at + timedelta(days=_CART_DAYS)),
        "status": "Ordered" if one.is_ordered else "Active",
        "lineItems": [_cart_line(desk, one, line) for line in one.lines],
    }


def _cart_line(desk: Desk, one: Cart, line: CartLine) -> Body:
    fault = fault_of(desk, one, line)
    return {
        "id": int(line.id),
        "catalogItemId": line.item,
        "friendlyName": line.friendly_name,
        "quantity": line.quantity,
        "termDuration": line.term.value,
        "billingCycle": line.cycle.value,
        "participants": [{"key": "transaction_reseller", "value": line.partner_id}]
        if line.partner_id
        else [],
        "orderGroup": line.cycle.value,
        **({"error": {"errorCode": fault[0], "errorDescription": fault[1]}} if fault else {}),
    }


def order(desk: Desk, one: Order) -> Body:
    """Show an order, as far as it is by now."""
    status = "pending_review" if one.question else "pending" if desk.now < one.ready_at else "completed"
    return {
        "id": one.id,
        "alternateId": one.id[:12].replace("-", ""),
        "referenceCustomerId": one.account,
        "billingCycle": one.cycle.value,
        "currencyCode": one.currency,
        "creationDate": moment(one.created_at),
        "status": status,
        **({"statusReason": one.question} if one.question else {}),
        "transactionType": "UserPurchase",
        "lineItems": [
            {
                "lineItemNumber": int(line.id),
                "offerId": line.item,
                "subscriptionId": line.subscription,
                "termDuration": line.term.value,
                "transactionType": line.kind,
                "friendlyName": line.friendly_name,
                "quantity": line.quantity,
                "partnerIdOnRecord": line.partner_id or None,
            }
            for line in one.lines
        ],
        "attributes": {"objectType": "Order"},
    }


def etag(one: Subscription) -> str:
    """Give the mark of a subscription's present state."""
    return base64.b64encode(json.dumps({"id": one.id, "version": one.version}).encode()).decode()


def subscription(desk: Desk, one: Subscription) -> Body:
    """Show a subscription. Its last day is committed whole."""
    last = day(one.term_end - timedelta(days=1)) if one.term_end else _ENDLESS
    seats = [tranche for tranche in one.tranches if desk.now <= tranche.until]
    may_cancel = one.window_until is not None and desk.now <= one.window_until
    status = "pending" if desk.now < one.ready_at and one.status == "active" else one.status
    body: Body = {
        "id": one.id,
        "offerId": one.item,
        "offerName": one.name,
        "promotionId": one.promotion,
        "friendlyName": one.friendly_name,
        "productType": {"id": "Azure" if one.is_consumption else "OnlineServicesNCE"},
        "quantity": one.quantity,
        "unitType": "Usage-based" if one.is_consumption else "Licenses",
        "creationDate": moment(one.bought_at),
        "effectiveStartDate": day(one.term_start),
        "commitmentEndDate": last,
        "status": status,
        "autoRenewEnabled": one.auto_renew,
        "cancelAtTermEnd": one.ends_with_term,
        "isTrial": one.is_trial,
        "billingType": "usage" if one.is_consumption else "license",
        "billingCycle": one.cycle.value,
        "termDuration": None if one.is_consumption else one.term.value,
        "segment": one.segment,
        "partnerId": one.partner_id or None,
        "orderId": one.order,
        "scheduledNextTermInstructions": one.next_term,
        "nextChargeInstructions": {"billingCycle": one.next_cycle.value} if one.next_cycle else None,
        "suspensionReasons": ["PartnerSuspension"] if one.status == "suspended" else [],
        "attributes": {"etag": etag(one), "objectType": "Subscription"},
    }
    if may_cancel and one.window_until is not None:
        body["cancellationAllowedUntilDate"] = moment(one.window_until)
    body["refundableQuantity"] = {
        "totalQuantity": sum(tranche.quantity for tranche in seats),
        "details": [
            {"quantity": tranche.quantity, "allowedUntilDateTime": moment(tranche.until)} for tranche in seats
        ],
    }
    return body
