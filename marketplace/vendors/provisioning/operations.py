"""What people and orders do with requests: ask, answer, try again, give up, do it by hand.

`ask` has no permission of its own: whoever may place the order may ask, and orders decide that.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import jobs
from marketplace.core import audit
from marketplace.core.actor import Actor, Audience, Permission
from marketplace.core.errors import N_, NotFound, Phrase, Refusal
from marketplace.core.permit import require
from marketplace.vendors.models import ProvisioningRequest
from marketplace.vendors.provisioning.requests import (
    NewRequest,
    Provisioned,
    SubscriptionUpgrade,
    asked_as_data,
    asked_from_data,
    bought_by_hand,
    kind_of,
    named_by_hand,
    result_as_data,
    upgraded_by_hand,
)
from marketplace.vendors.provisioning.rules import ENDED, HAND_DAYS, RequestState, may_turn
from marketplace.vendors.queries import requests_visible_to
from marketplace.vendors.values import KnownAccount, NewCustomer, Purchase
from resellers.operations.mapping import AccountOfAnother
from resellers.queries.accounts import customer_of_account

ADVANCE = "vendors.advance"
_MOST_LETTERS = 4000
_GIVEN_UP = N_("Given up by %(name)s: %(reason)s")


class RequestHasMovedOn(Refusal):
    """Somebody else, or the machine, was quicker."""

    sentence = N_("This request is %(state)s by now: look at it again.")


class WordsMissing(Refusal):
    """An answer or a reason without words."""

    sentence = N_("Write a few words, so that others understand what was meant.")


class ReferenceMissing(Refusal):
    """Something was done by hand, and nobody can find it at the vendor."""

    sentence = N_("Give the vendor's reference of each subscription: changes and bills are found by it.")


class AccountMissing(Refusal):
    """An account was opened or looked at by hand, and nobody says which."""

    sentence = N_("Write the customer's account as the vendor names it: orders and usage are found by it.")


def ask(session: Session, *, actor: Actor, request: NewRequest) -> ProvisioningRequest:
    """Ask a vendor for something, once for each key. It is sent after the transaction commits."""
    added = session.scalar(
        insert(ProvisioningRequest)
        .values(
            key=request.key,
            vendor=request.vendor,
            account=request.account,
            reseller_id=request.reseller_id,
            customer_id=request.customer_id,
            kind=kind_of(request.asked).value,
            asked=asked_as_data(request.asked),
            buys=request.buys,
            about=request.about,
            told_job=request.told_job,
            origin=request.origin,
            created_by=actor.name,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(ProvisioningRequest.id)
    )
    found = session.scalars(select(ProvisioningRequest).where(ProvisioningRequest.key == request.key)).one()
    if added is not None:
        send(session, found)
    return found


def send(session: Session, request: ProvisioningRequest, *, at: datetime | None = None) -> None:
    """Have the worker take a request up, now or at an instant. One of each waits at a time."""
    jobs.defer(
        session,
        ADVANCE,
        queueing_lock=f"{ADVANCE} {request.id} {'later' if at else 'now'}",
        at=at,
        request_id=request.id,
    )


def tell(session: Session, request: ProvisioningRequest) -> None:
    """Tell the job of whoever asked that the request took a turn."""
    if request.told_job:
        jobs.defer(session, request.told_job, request_id=str(request.public_id), origin=request.origin)


def turn(request: ProvisioningRequest, into: RequestState, *, now: datetime) -> None:
    """Put a request into another state. Raises `RequestHasMovedOn` where that is not possible any more."""
    if not may_turn(request.state, into):
        raise RequestHasMovedOn(state=request.state)
    request.state = into.value
    request.ended_at = now if into in ENDED else None


def answer_inquiry(
    session: Session, *, actor: Actor, request_id: UUID, words: str, now: datetime
) -> ProvisioningRequest:
    """Answer what the vendor asked: the reseller whose order it is, or staff."""
    is_reseller = actor.audience is Audience.RESELLER
    require(
        actor,
        Permission.RESELLER_INQUIRIES_ANSWER if is_reseller else Permission.WHOLESALER_VENDORS_MANAGE,
    )
    request = locked(session, actor=actor, request_id=request_id)
    said = _words(words)
    turn(request, RequestState.QUEUED, now=now)
    request.answer, request.answered_by, request.next_attempt_at = said, actor.name, None
    _record(session, actor, request, "provisioning.answer", text=said)
    send(session, request)
    tell(session, request)
    return request


def retry(session: Session, *, actor: Actor, request_id: UUID, now: datetime) -> ProvisioningRequest:
    """Try at once what waits for its next attempt, or what failed. The key stays: nothing is done twice."""
    require(actor, Permission.WHOLESALER_VENDORS_MANAGE)
    request = locked(session, actor=actor, request_id=request_id)
    if request.state not in {RequestState.FAILED, RequestState.QUEUED, RequestState.WAITING}:
        raise RequestHasMovedOn(state=request.state)
    _record(session, actor, request, "provisioning.retry")
    send_again(session, request, now=now)
    return request


def send_again(session: Session, request: ProvisioningRequest, *, now: datetime) -> None:
    """Send what failed or waits at once, under the same key. Whoever asks for it has looked at the permission."""
    if request.state == RequestState.FAILED:
        turn(request, RequestState.QUEUED, now=now)
        request.attempts, request.error, request.error_code = 0, None, ""
    request.next_attempt_at = None
    send(session, request)
    tell(session, request)


def give_up(
    session: Session, *, actor: Actor, request_id: UUID, reason: str, now: datetime
) -> ProvisioningRequest:
    """End a request that cannot be carried out. What the vendor did meanwhile is for the daily comparison to find."""
    require(actor, Permission.WHOLESALER_VENDORS_MANAGE)
    request = locked(session, actor=actor, request_id=request_id)
    said = _words(reason)
    turn(request, RequestState.FAILED, now=now)
    request.error = Phrase.of(_GIVEN_UP, name=actor.name, reason=said)
    request.next_attempt_at = None
    _record(session, actor, request, "provisioning.give_up", text=said)
    tell(session, request)
    return request


def withdraw(session: Session, *, told_job: str, origin: str, now: datetime) -> None:
    """End what somebody asked for and wants no more, unless it is done or on its way: nobody can try it again."""
    for request in session.scalars(
        select(ProvisioningRequest)
        .where(
            ProvisioningRequest.told_job == told_job,
            ProvisioningRequest.origin == origin,
            ProvisioningRequest.state.in_(
                [state for state in RequestState if may_turn(state, RequestState.WITHDRAWN)]
            ),
        )
        .with_for_update()
    ):
        turn(request, RequestState.WITHDRAWN, now=now)


def take_on(session: Session, *, actor: Actor, request_id: UUID, now: datetime) -> ProvisioningRequest:
    """Take a task that is done by hand."""
    require(actor, Permission.WHOLESALER_VENDORS_MANAGE)
    request = locked(session, actor=actor, request_id=request_id)
    if request.state != RequestState.BY_HAND:
        raise RequestHasMovedOn(state=request.state)
    request.assigned_to, request.assigned_to_id = actor.name, actor.user_id
    request.due_on = request.due_on or now.date() + timedelta(days=HAND_DAYS)
    _record(session, actor, request, "provisioning.take_on")
    return request


def complete_by_hand(
    session: Session,
    *,
    actor: Actor,
    request_id: UUID,
    order: str,
    references: Mapping[int, str],
    now: datetime,
) -> ProvisioningRequest:
    """Note that staff did it: the vendor's order or account, and its reference of each subscription there is new."""
    require(actor, Permission.WHOLESALER_VENDORS_MANAGE)
    request = locked(session, actor=actor, request_id=request_id)
    asked = asked_from_data(request.kind, request.asked)
    reference = order.strip()
    given = {number: references.get(number, "").strip() for number in named_by_hand(asked)}
    if not all(given.values()):
        raise ReferenceMissing
    match asked:
        case Purchase():
            result = bought_by_hand(asked, given, order=reference, now=now)
        case SubscriptionUpgrade():
            result = upgraded_by_hand(asked, given, account=request.account, order=reference, now=now)
        case _:
            if isinstance(asked, NewCustomer | KnownAccount):
                _check_account(session, request, reference, now=now)
            result = Provisioned(reference=reference, is_by_hand=True)
    turn(request, RequestState.DONE, now=now)
    request.result = result_as_data(result)
    request.orders = [reference] if reference else []
    request.assigned_to, request.assigned_to_id = actor.name, actor.user_id
    _record(session, actor, request, "provisioning.complete", text=reference)
    tell(session, request)
    return request


def _check_account(session: Session, request: ProvisioningRequest, account: str, *, now: datetime) -> None:
    """Raise where no account is named, or one that is another customer's."""
    if not account:
        raise AccountMissing
    owner = customer_of_account(session, vendor=request.vendor, account=account, day=now.date())
    if owner not in {None, request.customer_id}:
        raise AccountOfAnother(account=account, vendor=request.vendor)


def locked(session: Session, *, actor: Actor, request_id: UUID) -> ProvisioningRequest:
    """Give a request the actor may see, for changing. Raises `NotFound`."""
    request = session.scalars(
        requests_visible_to(actor).where(ProvisioningRequest.public_id == request_id).with_for_update()
    ).one_or_none()
    if request is None:
        raise NotFound
    return request


def _words(text: str) -> str:
    said = text.strip()[:_MOST_LETTERS]
    if not said:
        raise WordsMissing
    return said


def _record(session: Session, actor: Actor, request: ProvisioningRequest, action: str, **facts: str) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject="provisioning_request",
        subject_id=request.public_id,
        after={"name": str(request.about), "vendor": request.vendor, **facts},
    )
