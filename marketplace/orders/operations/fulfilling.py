"""Taking in what vendors have made of an order: it becomes subscriptions, once, and the order says how far it is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.accounts.operations.notifying import notify_party, notify_user
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, Phrase
from marketplace.orders.models import Order, OrderLine
from marketplace.orders.operations.asking import FOLLOW
from marketplace.orders.operations.history import note, turn
from marketplace.orders.operations.pricing import kept_quote, lines_of, ordered_change
from marketplace.orders.words import OrderKind, OrderState
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.operations.buying import CannotBeBought, Purchase, activate
from marketplace.subscriptions.operations.changing import ChangeNotPossible, change
from marketplace.subscriptions.operations.policies import FOLLOW_POLICIES
from marketplace.subscriptions.operations.saving import Decided
from marketplace.subscriptions.rules.changes import Upgrade
from marketplace.subscriptions.words import DecidedBy
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.operations import withdraw
from marketplace.vendors.provisioning.requests import (
    ProvisionedLine,
    result_from_data,
)
from marketplace.vendors.provisioning.rules import MOVING, RequestState
from resellers.models import Customer
from resellers.operations.mapping import AccountOfAnother, keep_mapped

_COMPLETED = N_("%(order)s for %(customer)s is carried out.")
_FAILED = N_("%(order)s for %(customer)s could not be carried out: %(why)s")
_NOT_OURS = (ChangeNotPossible, CannotBeBought, AccountOfAnother)
_LOST = N_("The vendor does not say which subscription a line became.")


def follow(session: Session, *, actor: Actor, order_id: UUID, now: datetime) -> None:
    """Take in what has become of an order's requests: subscriptions where they are done, and the order's own state.

    Of an order that was withdrawn nothing is asked any more.
    """
    order = session.scalar(
        select(Order)
        .where(Order.public_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if order is not None and order.state == OrderState.CANCELLED:
        withdraw(session, told_job=FOLLOW, origin=str(order.public_id), now=now)
    if order is None or order.state not in {OrderState.PROVISIONING, OrderState.FAILED}:
        return
    requests = session.scalars(
        select(ProvisioningRequest)
        .where(ProvisioningRequest.told_job == FOLLOW, ProvisioningRequest.origin == str(order.public_id))
        .order_by(ProvisioningRequest.id)
    ).all()
    lines = lines_of(session, [order])
    for request in requests:
        if request.state == RequestState.DONE:
            try:
                _take_in(session, order, lines, request, actor=actor, now=now)
            except _NOT_OURS as refusal:
                # The vendor has done what our own books do not allow any more: people must look at both.
                if order.state != OrderState.FAILED:
                    _fail(session, order, refusal.phrase, actor=actor, now=now)
                return
    _conclude(session, order, requests, actor=actor, now=now)


def _conclude(
    session: Session, order: Order, requests: Sequence[ProvisioningRequest], *, actor: Actor, now: datetime
) -> None:
    """Say how far the order is by how far its requests are."""
    states = {request.state for request in requests}
    failed = next((one for one in requests if one.state == RequestState.FAILED), None)
    if states <= {RequestState.DONE.value}:
        turn(session, order, OrderState.COMPLETED, actor=actor, now=now)
        if order.kind == OrderKind.PURCHASE:
            # What was bought follows the policy its customer is under.
            jobs.defer(session, FOLLOW_POLICIES, queueing_lock=FOLLOW_POLICIES)
        _tell(session, order, Phrase.of(_COMPLETED, **_names(session, order)))
    elif failed is not None and order.state != OrderState.FAILED and not states & MOVING:
        _fail(session, order, failed.error or Phrase.of(_LOST), actor=actor, now=now)
    elif failed is None and order.state == OrderState.FAILED:
        # Somebody tried again.
        turn(session, order, OrderState.PROVISIONING, actor=actor, now=now)
    elif order.state == OrderState.PROVISIONING:
        question = next((one.question for one in requests if one.state == RequestState.INQUIRY), "")
        if question:
            note(session, order, actor=actor, now=now, words=Phrase.verbatim(question))


def _fail(session: Session, order: Order, why: Phrase, *, actor: Actor, now: datetime) -> None:
    turn(session, order, OrderState.FAILED, actor=actor, now=now, words=why)
    _tell(session, order, Phrase.of(_FAILED, why=why, **_names(session, order)))


def _take_in(
    session: Session,
    order: Order,
    lines: list[OrderLine],
    request: ProvisioningRequest,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write what a vendor has done as subscriptions. An order line becomes one thing, however often this is done."""
    if order.kind != OrderKind.PURCHASE:
        for line in lines:
            if request.key == uuid5(order.public_id, str(line.public_id)) and line.became_id is None:
                _take_in_change(session, order, line, request, actor=actor, now=now)
        return
    result = result_from_data(request.result)
    made = {one.number: one for one in result.lines} if result else {}
    for line in lines:
        if line.vendor == request.vendor and line.became_id is None:
            _take_in_purchase(session, order, line, request, made[line.number], actor=actor, now=now)


def _take_in_purchase(
    session: Session,
    order: Order,
    line: OrderLine,
    request: ProvisioningRequest,
    made: ProvisionedLine,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    quoted, since = kept_quote(session, line), min(made.subscription.windows_from, now)
    # What a vendor opens with the purchase is known by its reference.
    account = request.account or made.subscription.reference
    if quoted.offer.is_metered:
        customer = session.get_one(Customer, order.customer_id)
        keep_mapped(
            session,
            actor=actor,
            vendor=request.vendor,
            account=account,
            customer=customer,
            since=since.date(),
        )
    subscription = activate(
        session,
        actor=actor,
        purchase=Purchase(
            customer_id=order.customer_id,
            vendor_account=account if quoted.offer.is_metered else request.account,
            # At the price of the moment of ordering, which is held for the term.
            quoted=quoted,
            quantity=line.quantity,
            vendor_subscription_id=made.subscription.reference,
            friendly_name=made.subscription.friendly_name or line.product,
            custom_end=line.custom_end,
            order_line=str(line.public_id),
        ),
        now=since,
    )
    line.became_id, line.term_end = subscription.id, subscription.term_end
    session.flush()


def _take_in_change(
    session: Session,
    order: Order,
    line: OrderLine,
    request: ProvisioningRequest,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Change a subscription as the vendor did, from the instant it said so; its windows count from there."""
    subscription = session.get_one(Subscription, line.subscription_id)
    what = ordered_change(session, line)
    changed = change(
        session,
        actor=actor,
        subscription_id=subscription.public_id,
        change=what,
        now=request.ended_at or now,
        order_line=str(line.public_id),
        decided=decided_by(order, line),
    )
    result = result_from_data(request.result)
    is_new = isinstance(what, Upgrade) and what.into_id is None
    if changed.other is not None and is_new and result is not None:
        # Some seats went to a subscription of their own.
        own = subscription.vendor_subscription_id
        others = [one.subscription.reference for one in result.lines if one.subscription.reference != own]
        changed.other.vendor_subscription_id = next(iter(others), "")
    line.became_id = (changed.other or changed.subscription).id
    session.flush()


def decided_by(order: Order, line: OrderLine) -> Decided:
    """Say who decided what an order changes: whoever ordered it, or a policy that was followed."""
    by = DecidedBy((line.change or {}).get("decided_by") or order.audience)
    return Decided(by, order.submitted_by, order.submitted_at or order.created_at)


def _names(session: Session, order: Order) -> dict[str, str]:
    return {"order": order.name, "customer": session.get_one(Customer, order.customer_id).legal_name}


def _tell(session: Session, order: Order, phrase: Phrase) -> None:
    """Tell who placed the order; where a machine did, those at the reseller who may."""
    party = {
        Audience.WHOLESALER: (None, f"/admin/orders/{order.public_id}"),
        Audience.RESELLER: (order.reseller_id, f"/orders/{order.public_id}"),
        Audience.CUSTOMER: (order.customer_id, f"/portal/orders/{order.public_id}"),
    }
    audience = Audience(order.audience)
    party_id, link = party[audience]
    if order.submitted_by_id is not None:
        notify_user(
            session,
            user_id=order.submitted_by_id,
            audience=audience,
            party_id=party_id,
            phrase=phrase,
            link=link,
        )
    else:
        notify_party(
            session,
            audience=Audience.RESELLER,
            party_id=order.reseller_id,
            permission=Permission.RESELLER_ORDERS_PLACE,
            phrase=phrase,
            link=f"/orders/{order.public_id}",
        )
