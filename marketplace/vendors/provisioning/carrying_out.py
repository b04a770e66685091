"""One step of a request at its vendor: ask, look, or answer. Values in, an outcome out; no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from marketplace.core.errors import N_, Phrase, Refusal
from marketplace.vendors.connector import Capability, Connector, account_of_reseller
from marketplace.vendors.errors import AgreementMissing, PromotionRefused, VendorRefused, VendorUnavailable
from marketplace.vendors.promotions import refused_words
from marketplace.vendors.provisioning.requests import (
    Asked,
    Provisioned,
    ProvisionedLine,
    SubscriptionChange,
    SubscriptionUpgrade,
    lines_of,
)
from marketplace.vendors.provisioning.rules import RequestState
from marketplace.vendors.values import (
    Attestation,
    Ineligibility,
    KnownAccount,
    NewCustomer,
    OrderStatus,
    PartnerStanding,
    Purchase,
    RefusedPromotion,
    SubscriptionStatus,
    VendorOrder,
)

_NEEDS = {
    Purchase: Capability.ORDERS,
    SubscriptionChange: Capability.CHANGES,
    SubscriptionUpgrade: Capability.UPGRADES,
    NewCustomer: Capability.CUSTOMERS,
    KnownAccount: Capability.CUSTOMERS,
    Attestation: Capability.AGREEMENTS,
}
_NO_ACCOUNT = N_("The customer has no account at %(vendor)s that is mapped today, so people have to do it.")
_UNKNOWN = N_(
    "%(vendor)s does not know the reseller's partner id %(id)s: correct it with the reseller's enrolment, then try again."
)
_UNSIGNED = N_(
    "%(vendor)s says that the partner %(id)s has not signed its partner agreement: have the reseller sign it in the "
    "vendor's portal, then try again."
)
_NOT_SAID = N_(
    "%(vendor)s has this account under the name %(name)s, but does not say that the reseller sells to it: make sure "
    "that it is the customer's before it is noted as done."
)
_UNKNOWN_ASIDE = N_(
    "%(vendor)s does not know the reseller's partner id %(id)s. It was done all the same, since it buys nothing."
)
_UNSIGNED_ASIDE = N_(
    "%(vendor)s says that the partner %(id)s has not signed its partner agreement. It was done all the same, since it "
    "buys nothing."
)
_NO_WORD = N_(
    "Nothing could be heard of the partner id %(id)s (%(why)s). It was done all the same, since it buys nothing."
)
_AGREEMENT_COMES = N_(
    "%(vendor)s does not have the customer's agreement on record yet. It goes on by itself once it has."
)
_CANCELLED = N_("The vendor cancelled the order: %(words)s")
_UPGRADE_FAILED = N_("The vendor did not carry out the upgrade: %(words)s")


class OrderUnlike(Refusal):
    """What the vendor made of an order is not what was ordered."""

    sentence = N_(
        "What the vendor made of the order differs from what was ordered (%(reason)s): "
        "look at it in the vendor's own portal before anything else is done."
    )


@dataclass(frozen=True)
class Step:
    """What is to be done next with a request, as far as it is."""

    asked: Asked
    account: str
    key: UUID
    orders: Sequence[str] = ()
    answer: str = ""
    # The reseller's partner id, where the vendor is to look at it before anything is asked; and whether a bad word
    # stops what is asked.
    partner_id: str = ""
    buys: bool = False
    # Whether the vendor is to look at the promotions before anything is bought.
    asks_promotions: bool = False
    # Whether the vendor is being told of the customer's agreement, or was a moment ago.
    agreement_comes: bool = False

    @property
    def name(self) -> str:
        """What kind of step it is."""
        if (self.partner_id and self.buys) or self.asks_promotions:
            return "check"
        return "answer" if self.orders and self.answer else "look" if self.orders else "ask"


@dataclass(frozen=True)
class Outcome:
    """What a step led to."""

    state: RequestState
    orders: Sequence[str] = ()
    result: Provisioned | None = None
    question: str = ""
    error: Phrase | None = None
    error_code: str = ""
    retry_after: timedelta | None = None
    received: dict[str, Any] = field(default_factory=dict)
    # What the vendor says of the reseller, and what came of it where the request went on all the same.
    partner: PartnerStanding | None = None
    aside: Phrase | None = None
    # The promotions the vendor does not give to the customer.
    refused: Sequence[RefusedPromotion] = ()


def carry_out(connector: Connector, step: Step) -> Outcome:
    """Do one step. What a vendor may fail in is an outcome, not an error."""
    if _NEEDS[type(step.asked)] not in connector.capabilities:
        return Outcome(RequestState.BY_HAND)
    if not step.account and not isinstance(step.asked, NewCustomer | KnownAccount):
        return Outcome(RequestState.BY_HAND, error=Phrase.of(_NO_ACCOUNT, vendor=connector.vendor))
    try:
        return _carry_out(connector, step)
    except VendorUnavailable as refusal:
        return Outcome(
            RequestState.QUEUED, orders=step.orders, error=refusal.phrase, retry_after=refusal.retry_after
        )
    except PromotionRefused as refusal:
        refused = [RefusedPromotion(one, Ineligibility.NOT_SAID) for one in refusal.promotions]
        return _without(step, connector.vendor, refused, code=refusal.code, words=refusal.words)
    except VendorRefused as refusal:
        received = {"code": refusal.code, "words": refusal.words}
        if isinstance(refusal, AgreementMissing) and step.agreement_comes:
            words = Phrase.of(_AGREEMENT_COMES, vendor=connector.vendor)
            return Outcome(RequestState.WAITING, orders=step.orders, error=words, received=received)
        return Outcome(
            RequestState.FAILED,
            orders=step.orders,
            error=refusal.phrase,
            error_code=refusal.code,
            received=received,
        )
    except Refusal as refusal:
        return Outcome(RequestState.FAILED, orders=step.orders, error=refusal.phrase)


def _carry_out(connector: Connector, step: Step) -> Outcome:
    if step.partner_id and Capability.PARTNERS in connector.capabilities:
        return _check(connector, step) if step.buys else _check_aside(connector, step)
    if step.asks_promotions and Capability.PROMOTIONS in connector.capabilities:
        return _check_promotions(connector, step)
    match step.asked:
        case Purchase():
            return _purchase(connector, step, step.asked)
        case SubscriptionChange(subscription, change):
            changed = connector.change(step.account, subscription, change, key=step.key)
            done = Provisioned(subscription, (ProvisionedLine(0, changed),))
            return Outcome(RequestState.DONE, result=done, received={"status": changed.status.value})
        case SubscriptionUpgrade(subscription, upgrade):
            moved = connector.upgrade(step.account, subscription, upgrade, key=step.key)
            received = {"operation": moved.reference}
            if not moved.is_done:
                words = Phrase.of(_UPGRADE_FAILED, words=moved.words or "-")
                return Outcome(RequestState.FAILED, error=words, received=received)
            touched = dict.fromkeys((subscription, moved.to_subscription))
            lines = tuple(
                ProvisionedLine(number, connector.subscription(step.account, one))
                for number, one in enumerate(touched)
            )
            return Outcome(RequestState.DONE, result=Provisioned(moved.reference, lines), received=received)
        case NewCustomer():
            opened = connector.create_customer(step.asked, key=step.key)
            return Outcome(RequestState.DONE, result=Provisioned(opened.account))
        case KnownAccount():
            return _confirm(connector, step.asked)
        case Attestation():
            connector.attest(step.account, step.asked, key=step.key)
            return Outcome(RequestState.DONE, result=Provisioned(step.account))


def _check(connector: Connector, step: Step) -> Outcome:
    """Ask about the reseller. On a good word the request is taken up again at once."""
    found = connector.partner_standing(step.partner_id)
    received = {"known": found.is_known, "signed": found.has_signed, "name": found.name}
    if found.is_good:
        return Outcome(RequestState.QUEUED, received=received, partner=found)
    words = _UNSIGNED if found.is_known else _UNKNOWN
    error = Phrase.of(words, vendor=connector.vendor, id=step.partner_id)
    return Outcome(RequestState.FAILED, error=error, received=received, partner=found)


def _check_promotions(connector: Connector, step: Step) -> Outcome:
    """Ask about the promotions of a purchase. On a good word the request is taken up again at once."""
    if not isinstance(step.asked, Purchase):
        raise TypeError(step.asked)
    refused = connector.refused_promotions(step.asked)
    if refused:
        return _without(step, connector.vendor, refused)
    return Outcome(RequestState.QUEUED, received={"promotions": list(step.asked.promotions)})


def _without(
    step: Step, vendor: str, refused: Sequence[RefusedPromotion], *, code: str = "", words: str = ""
) -> Outcome:
    """Fail for promotions the vendor refuses: at another price, people have to order."""
    if not isinstance(step.asked, Purchase):
        raise TypeError(step.asked)
    received = {"refused": {one.promotion: one.why.value for one in refused}}
    return Outcome(
        RequestState.FAILED,
        orders=step.orders,
        error=refused_words(vendor, step.asked, refused),
        error_code=code,
        received={**received, "code": code, "words": words} if code else received,
        refused=tuple(refused),
    )


def _confirm(connector: Connector, asked: KnownAccount) -> Outcome:
    """Look an account up. Where the vendor does not name the reseller with it, people decide."""
    found = connector.customer(asked.account)
    received = {"account": found.account, "name": found.name, "domain": found.domain}
    if found.reseller_account and asked.partner_id:
        seller = account_of_reseller(connector, asked.partner_id)
        if seller.casefold() == found.reseller_account.casefold():
            return Outcome(RequestState.DONE, result=Provisioned(found.account), received=received)
    error = Phrase.of(_NOT_SAID, vendor=connector.vendor, name=found.name)
    return Outcome(RequestState.BY_HAND, error=error, received=received)


def _check_aside(connector: Connector, step: Step) -> Outcome:
    """Ask about the reseller and do the step whatever comes back: what gives back has a deadline."""
    asked = replace(step, partner_id="")
    try:
        found = connector.partner_standing(step.partner_id)
    except (VendorUnavailable, VendorRefused) as refusal:
        unheard = Phrase.of(_NO_WORD, id=step.partner_id, why=refusal.phrase)
        return replace(carry_out(connector, asked), aside=unheard)
    words = _UNSIGNED_ASIDE if found.is_known else _UNKNOWN_ASIDE
    aside = None if found.is_good else Phrase.of(words, vendor=connector.vendor, id=step.partner_id)
    return replace(carry_out(connector, asked), partner=found, aside=aside)


def _purchase(connector: Connector, step: Step, purchase: Purchase) -> Outcome:
    orders = (
        [connector.order_state(step.account, order) for order in step.orders]
        if step.orders
        else list(connector.order(purchase, key=step.key))
    )
    if step.answer:
        orders = [
            connector.answer_order(
                step.account, order.reference, step.answer, key=uuid5(step.key, step.answer)
            )
            if order.status is OrderStatus.ASKING
            else order
            for order in orders
        ]
    references = [order.reference for order in orders]
    received = {order.reference: order.status.value for order in orders}
    for order in orders:
        if order.status is OrderStatus.FAILED:
            words = Phrase.of(_CANCELLED, words=order.words or order.reference)
            return Outcome(RequestState.FAILED, orders=references, error=words, received=received)
        if order.status is OrderStatus.ASKING:
            return Outcome(
                RequestState.INQUIRY, orders=references, question=order.words or "?", received=received
            )
    if any(order.status is OrderStatus.PENDING for order in orders):
        return Outcome(RequestState.WAITING, orders=references, received=received)
    return _completed(connector, step, purchase, orders, received)


def _completed(
    connector: Connector,
    step: Step,
    purchase: Purchase,
    orders: Sequence[VendorOrder],
    received: dict[str, Any],
) -> Outcome:
    references = [order.reference for order in orders]
    found = [
        connector.subscription(step.account, line.subscription) for order in orders for line in order.lines
    ]
    if any(one.status is SubscriptionStatus.PENDING for one in found):
        return Outcome(RequestState.WAITING, orders=references, received=received)
    try:
        lines = lines_of(purchase.lines, found)
    except LookupError as error:
        raise OrderUnlike(reason=str(error)) from None
    result = Provisioned(", ".join(references), lines)
    return Outcome(RequestState.DONE, orders=references, result=result, received=received)
