"""What can be asked of a vendor and what becomes of it, as values and as JSON. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from catalog.rules.metered import is_metered
from catalog.rules.plans import TERM_MONTHS
from marketplace.core.errors import Phrase
from marketplace.rating.terms import term_end
from marketplace.vendors.values import (
    Attestation,
    Change,
    KnownAccount,
    NewCustomer,
    OrderLine,
    Purchase,
    SubscriptionStatus,
    Upgrade,
    VendorSubscription,
)


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """A change of one subscription."""

    subscription: str
    change: Change


@dataclass(frozen=True, slots=True)
class SubscriptionUpgrade:
    """Seats of one subscription that move to a better SKU."""

    subscription: str
    upgrade: Upgrade
    # Whether only some do, to a subscription of their own.
    makes_another: bool = False


Asked = Purchase | SubscriptionChange | SubscriptionUpgrade | NewCustomer | KnownAccount | Attestation


class RequestKind(StrEnum):
    """What is asked."""

    PURCHASE = "purchase"
    CHANGE = "change"
    UPGRADE = "upgrade"
    CUSTOMER = "customer"
    ACCOUNT = "account"
    ATTESTATION = "attestation"


_TYPES: Mapping[RequestKind, type[Any]] = {
    RequestKind.PURCHASE: Purchase,
    RequestKind.CHANGE: SubscriptionChange,
    RequestKind.UPGRADE: SubscriptionUpgrade,
    RequestKind.CUSTOMER: NewCustomer,
    RequestKind.ACCOUNT: KnownAccount,
    RequestKind.ATTESTATION: Attestation,
}


@dataclass(frozen=True, slots=True)
class NewRequest:
    """Something to be asked of a vendor. The same key twice is the same request."""

    key: UUID
    vendor: str
    account: str
    reseller_id: int
    customer_id: int
    asked: Asked
    # For people.
    about: Phrase
    # Whether it buys more: then a bad word of the vendor's on the reseller stops it.
    buys: bool = False
    # The job told of every turn, as `job(database, settings, request_id=..., origin=...)`.
    told_job: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class ProvisionedLine:
    """A line of a purchase, or a subscription that was changed, as the vendor has it now."""

    number: int
    subscription: VendorSubscription


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What a request became. `reference` is the vendor's: an order, an upgrade, an account."""

    reference: str = ""
    lines: tuple[ProvisionedLine, ...] = ()
    is_by_hand: bool = False


_RESULT = TypeAdapter(Provisioned)


def kind_of(asked: Asked) -> RequestKind:
    """Give what kind of request it is."""
    return next(kind for kind, type_ in _TYPES.items() if isinstance(asked, type_))


def asked_as_data(asked: Asked) -> dict[str, Any]:
    """Write what is asked as JSON."""
    data: dict[str, Any] = TypeAdapter(type(asked)).dump_python(asked, mode="json")
    return data


def asked_from_data(kind: str, data: Mapping[str, Any]) -> Asked:
    """Read what was asked."""
    asked: Asked = TypeAdapter(_TYPES[RequestKind(kind)]).validate_python(data)
    return asked


def result_as_data(result: Provisioned) -> dict[str, Any]:
    """Write what it became as JSON."""
    data: dict[str, Any] = _RESULT.dump_python(result, mode="json")
    return data


def result_from_data(data: Mapping[str, Any] | None) -> Provisioned | None:
    """Read what it became."""
    return None if data is None else _RESULT.validate_python(data)


def lines_of(lines: Sequence[OrderLine], found: Sequence[VendorSubscription]) -> tuple[ProvisionedLine, ...]:
    """Say which subscription each line of a purchase became.

    Vendors number lines anew in each order they make of a cart, so lines are known by what they buy; of lines that
    buy the very same, any is as good as the other. Raises `LookupError` where a line became nothing.
    """
    left = list(found)
    matched = []
    for line in lines:
        mine = next((one for one in left if _is_of(one, line)), None)
        if mine is None:
            raise LookupError(f"line {line.number} became no subscription")
        left.remove(mine)
        matched.append(ProvisionedLine(line.number, mine))
    return tuple(matched)


def _is_of(one: VendorSubscription, line: OrderLine) -> bool:
    is_same = one.item.startswith(f"{line.product}:{line.sku}:") and one.quantity == line.quantity
    # What is billed as it is used has no term there.
    return is_same and (
        is_metered(line.term, line.billing_cycle)
        or (one.term, one.billing_cycle) == (line.term, line.billing_cycle)
    )


def named_by_hand(asked: Asked) -> dict[int, str]:
    """Give what the vendor's references must be noted of where people do it: by number, in words."""
    match asked:
        case Purchase():
            return {
                line.number: f"{line.quantity} × {line.friendly_name or f'{line.product}:{line.sku}'}"
                for line in asked.lines
            }
        case SubscriptionUpgrade(upgrade=to, makes_another=True):
            return {1: f"{to.quantity} × {to.to_product}:{to.to_sku}"}
        case _:
            return {}


def upgraded_by_hand(
    asked: SubscriptionUpgrade, references: Mapping[int, str], *, account: str, order: str, now: datetime
) -> Provisioned:
    """Give what an upgrade became that people made: the subscription some seats went to, where they went to one."""
    to = asked.upgrade
    lines = tuple(
        ProvisionedLine(
            number,
            VendorSubscription(
                reference=reference,
                account=account,
                item=f"{to.to_product}:{to.to_sku}",
                name="",
                friendly_name="",
                quantity=to.quantity,
                status=SubscriptionStatus.ACTIVE,
                auto_renew=True,
                term=to.term,
                billing_cycle=to.billing_cycle,
                starts_at=now,
                # The vendor lets it end with the one its seats come from.
                ends_on=None,
                order=order,
            ),
        )
        for number, reference in references.items()
        if asked.makes_another
    )
    return Provisioned(reference=order, is_by_hand=True, lines=lines)


def bought_by_hand(
    purchase: Purchase, references: Mapping[int, str], *, order: str, now: datetime
) -> Provisioned:
    """Give what a purchase became that people made: subscriptions by the vendor's references, from now on."""
    return Provisioned(
        reference=order,
        is_by_hand=True,
        lines=tuple(
            ProvisionedLine(
                line.number,
                VendorSubscription(
                    reference=references[line.number],
                    account=purchase.account,
                    item=f"{line.product}:{line.sku}",
                    name=line.friendly_name,
                    friendly_name=line.friendly_name,
                    quantity=line.quantity,
                    status=SubscriptionStatus.ACTIVE,
                    auto_renew=line.term in TERM_MONTHS,
                    term=line.term,
                    billing_cycle=line.billing_cycle,
                    starts_at=now,
                    ends_on=line.ends_on
                    or (term_end(now.date(), line.term) if line.term in TERM_MONTHS else None),
                    partner_id=line.partner_id,
                    order=order,
                ),
            )
            for line in purchase.lines
        ),
    )
