"""Bodies about promotions. Pure: bodies in, values out.

Path, request and answer are as the vendor's page "Verify promotion eligibility" shows them. The page names seven types
of errors and its example an eighth (`FirstPurchase`); what each says beside its type is not read, since it is not the
same everywhere. A type nobody knows is a no without a reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.vendors.partner_center.bodies.wire import Body
from marketplace.vendors.values import CatalogueItem, Ineligibility, OrderLine, RefusedPromotion

_WHY: Mapping[str, Ineligibility] = {
    "offerpurchasedpreviously": Ineligibility.BOUGHT_BEFORE,
    "firstpurchase": Ineligibility.BOUGHT_BEFORE,
    "seatcount": Ineligibility.SEATS,
    "term": Ineligibility.TERM,
    "prerequisiteproductownership": Ineligibility.NEEDS_PRODUCT,
    "redemptionlimit": Ineligibility.USED_UP,
    "invalidcatalogitemid": Ineligibility.OTHER_PRODUCT,
    "invalidpromotion": Ineligibility.NOT_KNOWN,
}


def eligibility_body(lines: Sequence[tuple[OrderLine, CatalogueItem]]) -> dict[str, Any]:
    """Ask whether lines may have the promotions they name."""
    return {
        "items": [
            {
                "catalogItemId": found.reference,
                "quantity": line.quantity,
                "termDuration": line.term.value,
                "billingCycle": line.billing_cycle.value,
                "promotionId": line.promotion,
            }
            for line, found in lines
        ]
    }


def refused(body: Body, asked: Sequence[str]) -> list[RefusedPromotion]:
    """Read which of the promotions asked about are refused, each once. Raises `LookupError` for one not spoken of."""
    said: dict[str, Ineligibility | None] = {}
    for item in body.get("items") or ():
        for one in item.get("eligibilities") or ():
            name = str(one["promotionId"]).strip()
            if one.get("isEligible"):
                said.setdefault(name, None)
            else:
                said[name] = _why(one.get("errors") or ())
    if silent := [name for name in asked if name not in said]:
        raise LookupError(f"nothing is said of the promotion {silent[0]}")
    return [RefusedPromotion(name, why) for name in dict.fromkeys(asked) if (why := said[name])]


def _why(errors: Sequence[Body]) -> Ineligibility:
    types = [str(error.get("type", "")).casefold() for error in errors]
    return next((_WHY[one] for one in types if one in _WHY), Ineligibility.NOT_SAID)
