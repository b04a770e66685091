"""What an order line changes about a subscription, as data that is kept with it."""

from collections.abc import Mapping
from typing import Any

from marketplace.core.errors import N_, Phrase
from marketplace.orders.words import OrderKind
from marketplace.subscriptions.rules.changes import (
    Cancel,
    ChangeAtRenewal,
    ChangeQuantity,
    Resume,
    SetTermEnd,
    Suspend,
)
from marketplace.subscriptions.words import AtTermEnd

Orderable = ChangeQuantity | Cancel | SetTermEnd | ChangeAtRenewal | Suspend | Resume


def as_data(change: Orderable) -> dict[str, Any]:
    """Write a change."""
    match change:
        case ChangeQuantity():
            return {"what": "quantity", "quantity": change.quantity}
        case ChangeAtRenewal():
            return {"what": "at_renewal", "quantity": change.quantity}
        case SetTermEnd():
            return {"what": "term_end", "choice": change.choice.value}
        case Suspend():
            return {"what": "suspend"}
        case Resume():
            return {"what": "resume"}
        case Cancel():
            return {"what": "cancel"}


def from_data(data: Mapping[str, Any]) -> Orderable:
    """Read it."""
    match data["what"]:
        case "quantity":
            return ChangeQuantity(data["quantity"])
        case "at_renewal":
            return ChangeAtRenewal(quantity=data["quantity"])
        case "term_end":
            return SetTermEnd(AtTermEnd(data["choice"]))
        case "suspend":
            return Suspend()
        case "resume":
            return Resume()
        case _:
            return Cancel()


def kind_of(change: Orderable) -> OrderKind:
    """Give what kind of order it makes."""
    return OrderKind.CANCEL if isinstance(change, Cancel) else OrderKind.CHANGE


def change_words(data: Mapping[str, Any]) -> Phrase:
    """Say it."""
    match data["what"]:
        case "quantity":
            return Phrase.of(N_("have %(quantity)s from now on"), quantity=data["quantity"])
        case "at_renewal":
            return Phrase.of(N_("renew with %(quantity)s"), quantity=data["quantity"])
        case "term_end":
            return Phrase.of(_CHOICES[AtTermEnd(data["choice"])])
        case "suspend":
            return Phrase.of(N_("suspend"))
        case "resume":
            return Phrase.of(N_("resume"))
        case _:
            return Phrase.of(N_("cancel"))


_CHOICES = {
    AtTermEnd.RENEW: N_("renew when the term ends"),
    AtTermEnd.END: N_("end with the term"),
    AtTermEnd.EXTEND: N_("go on by the month when the term ends"),
}
