"""What an order line changes about a subscription, as data that is kept with it: never a price."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from catalog.words import BillingCycle, Term
from marketplace.core.errors import N_, Phrase
from marketplace.orders.words import OrderKind
from marketplace.subscriptions.rules.changes import (
    Cancel,
    Change,
    ChangeAtRenewal,
    ChangeBilling,
    ChangeQuantity,
    ChangeTerm,
    ConvertTrial,
    RenewAsItIs,
    Resume,
    SetTermEnd,
    Suspend,
    Upgrade,
)
from marketplace.subscriptions.rules.history import Quoted
from marketplace.subscriptions.words import AtTermEnd


def as_data(change: Change) -> dict[str, Any]:
    """Write a change. What it changes to is the line's own plan, and named here for people."""
    match change:
        case ChangeQuantity():
            return {"what": "quantity", "quantity": change.quantity}
        case Upgrade():
            into = {"into": str(change.into_id)} if change.into_id else {}
            return {"what": "upgrade", "quantity": change.quantity, **_plan(change.quoted), **into}
        case ConvertTrial():
            return {"what": "convert", "quantity": change.quantity, **_plan(change.quoted)}
        case ChangeTerm():
            return {"what": "term", **_plan(change.quoted)}
        case ChangeBilling():
            return {"what": "billing", **_plan(change.quoted)}
        case ChangeAtRenewal():
            return {
                "what": "at_renewal",
                "quantity": change.quantity,
                "custom_end": change.custom_end.isoformat() if change.custom_end else None,
                **(_plan(change.quoted) if change.quoted else {}),
            }
        case SetTermEnd():
            return {"what": "term_end", "choice": change.choice.value}
        case RenewAsItIs() | Suspend() | Resume() | Cancel():
            return {"what": _PLAIN_WORDS[type(change)]}


def _plan(quoted: Quoted) -> dict[str, str]:
    offer = quoted.offer
    return {
        "product": offer.product,
        "term": offer.term.value,
        "billing_cycle": offer.billing_cycle.value,
    }


def from_data(data: Mapping[str, Any], quoted: Quoted) -> Change:
    """Read it, given the plan of its line at the price it was ordered at."""
    match data["what"]:
        case "quantity":
            return ChangeQuantity(data["quantity"])
        case "upgrade":
            return Upgrade(quoted, data["quantity"], UUID(data["into"]) if "into" in data else None)
        case "convert":
            return ConvertTrial(quoted, data["quantity"])
        case "term":
            return ChangeTerm(quoted)
        case "billing":
            return ChangeBilling(quoted)
        case "at_renewal":
            end = data.get("custom_end")
            return ChangeAtRenewal(
                quantity=data["quantity"],
                quoted=quoted if "product" in data else None,
                custom_end=date.fromisoformat(end) if end else None,
            )
        case "term_end":
            return SetTermEnd(AtTermEnd(data["choice"]))
        case plain:
            return _PLAIN[plain]


def kind_of(change: Change) -> OrderKind:
    """Give what kind of order it makes."""
    return OrderKind.CANCEL if isinstance(change, Cancel) else OrderKind.CHANGE


def change_words(data: Mapping[str, Any]) -> Phrase:
    """Say it."""
    match data["what"]:
        case "quantity":
            return Phrase.of(N_("have %(quantity)s from now on"), quantity=data["quantity"])
        case "upgrade":
            if "into" in data:
                return Phrase.of(
                    N_("upgrade %(quantity)s to %(product)s, into the subscription of it there is"),
                    quantity=data["quantity"],
                    product=data["product"],
                )
            return Phrase.of(
                N_("upgrade %(quantity)s to %(product)s"), quantity=data["quantity"], product=data["product"]
            )
        case "convert":
            return Phrase.of(
                N_("make the trial %(quantity)s × %(product)s"),
                quantity=data["quantity"],
                product=data["product"],
            )
        case "term":
            return Phrase.of(N_("go over to a term of %(term)s, paid %(cycle)s"), **_plan_words(data))
        case "billing":
            return Phrase.of(N_("pay it %(cycle)s"), cycle=_plan_words(data)["cycle"])
        case "at_renewal":
            return _renewal_words(data)
        case "term_end":
            return Phrase.of(_CHOICES[AtTermEnd(data["choice"])])
        case plain:
            return Phrase.of(_SAID[plain])


def _renewal_words(data: Mapping[str, Any]) -> Phrase:
    facts: dict[str, object] = {"quantity": data["quantity"]}
    if data.get("custom_end"):
        facts["end"] = date.fromisoformat(data["custom_end"])
    if "product" in data:
        facts |= _plan_words(data) | {"product": data["product"]}
        if "end" in facts:
            return Phrase.of(
                N_("renew as %(quantity)s × %(product)s for %(term)s, paid %(cycle)s, until %(end)s"), **facts
            )
        return Phrase.of(N_("renew as %(quantity)s × %(product)s for %(term)s, paid %(cycle)s"), **facts)
    if "end" in facts:
        return Phrase.of(N_("renew with %(quantity)s until %(end)s"), **facts)
    return Phrase.of(N_("renew with %(quantity)s"), **facts)


def _plan_words(data: Mapping[str, Any]) -> dict[str, Phrase]:
    return {
        "term": Phrase.of(_TERMS[Term(data["term"])]),
        "cycle": Phrase.of(_CYCLES[BillingCycle(data["billing_cycle"])]),
    }


_PLAIN: Mapping[str, Change] = {
    "as_it_is": RenewAsItIs(),
    "suspend": Suspend(),
    "resume": Resume(),
    "cancel": Cancel(),
}
_PLAIN_WORDS = {type(change): word for word, change in _PLAIN.items()}
_SAID = {
    "as_it_is": N_("renew as it is"),
    "suspend": N_("suspend"),
    "resume": N_("resume"),
    "cancel": N_("cancel"),
}
_CHOICES = {
    AtTermEnd.RENEW: N_("renew when the term ends"),
    AtTermEnd.END: N_("end with the term"),
    AtTermEnd.EXTEND: N_("go on by the month when the term ends"),
}
_TERMS = {
    Term.P1M: N_("one month"),
    Term.P1Y: N_("one year"),
    Term.P3Y: N_("three years"),
    Term.ONE_TIME: N_("for good"),
}
_CYCLES = {
    BillingCycle.MONTHLY: N_("by the month"),
    BillingCycle.ANNUAL: N_("by the year"),
    BillingCycle.TRIENNIAL: N_("for three years at once"),
    BillingCycle.NONE: N_("not at all"),
    BillingCycle.ONE_TIME: N_("once"),
}
