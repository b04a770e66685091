"""What a vendor has against what we have, subscription by subscription. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from marketplace.vendors.values import SubscriptionStatus, VendorSubscription

#: At the vendor these are over, whatever we call the end.
_OVER = frozenset({SubscriptionStatus.DELETED, SubscriptionStatus.DISABLED, SubscriptionStatus.EXPIRED})


@dataclass(frozen=True, slots=True)
class KnownSubscription:
    """A subscription as we have it. `is_running` covers active and suspended ones."""

    reference: str
    name: str
    quantity: int
    is_running: bool
    is_suspended: bool
    auto_renew: bool
    # The first day that is not committed any more; None for consumption.
    ends_on: date | None
    # Whether another next term is scheduled.
    has_next_term: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is otherwise at the vendor. `ours` and `theirs` are written for people, blank for nothing."""

    subscription: str
    name: str
    kind: str
    ours: str
    theirs: str


def differences(
    known: Iterable[KnownSubscription], seen: Iterable[VendorSubscription]
) -> Iterator[Difference]:
    """Give what differs. Subscriptions that are over on both sides are left alone."""
    theirs = {one.reference.casefold(): one for one in seen}
    for ours in known:
        found = theirs.pop(ours.reference.casefold(), None)
        if found is None:
            if ours.is_running:
                yield Difference(ours.reference, ours.name, "missing", str(ours.quantity), "")
        else:
            yield from _of_one(ours, found)
    for found in theirs.values():
        if found.status not in _OVER:
            yield Difference(found.reference, found.name, "unknown", "", str(found.quantity))


def _of_one(ours: KnownSubscription, found: VendorSubscription) -> Iterator[Difference]:
    status = "suspended" if ours.is_suspended else "active" if ours.is_running else "ended"
    their_status = "ended" if found.status in _OVER else found.status.value
    if found.status is SubscriptionStatus.PENDING:
        return
    if status != their_status:
        yield Difference(ours.reference, ours.name, "status", status, their_status)
    if "ended" in {status, their_status}:
        return
    pairs = (
        ("quantity", ours.quantity, found.quantity),
        ("auto_renew", ours.auto_renew, found.auto_renew),
        ("ends_on", ours.ends_on, found.ends_on),
        ("next_term", ours.has_next_term, found.next_term is not None),
    )
    for kind, mine, its in pairs:
        if mine != its:
            yield Difference(ours.reference, ours.name, kind, _said(mine), _said(its))


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
