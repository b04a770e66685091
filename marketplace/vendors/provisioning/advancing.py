"""Taking a request one step further: note the try, call the vendor with nothing locked, note what came of it.

Killed in between, the next worker finds a try without an end and makes it again with the same key.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from marketplace.accounts.operations.notifying import notify_party
from marketplace.core.actor import Audience, Permission
from marketplace.core.db import Database
from marketplace.core.errors import N_, Phrase
from marketplace.vendors.connector import Connector
from marketplace.vendors.enrolments import keep_word
from marketplace.vendors.models import ProvisioningAttempt, ProvisioningRequest
from marketplace.vendors.promotions import keep_refused
from marketplace.vendors.provisioning.carrying_out import Outcome, Step, carry_out
from marketplace.vendors.provisioning.operations import send, tell, turn
from marketplace.vendors.provisioning.requests import RequestKind, asked_from_data, result_as_data
from marketplace.vendors.provisioning.rules import (
    HAND_DAYS,
    MOST_ATTEMPTS,
    MOVING,
    ON_RECORD_WITHIN,
    RequestState,
    look_again_after,
    pause_after,
)
from marketplace.vendors.values import KnownAccount, NewCustomer, Purchase
from resellers.queries.standing import selling_state

_LOCK = 7_202_202
_AFTER_ANOTHER = timedelta(seconds=5)
_INTERRUPTED = "interrupted"
_ASKED = N_("The vendor asks about %(about)s: %(question)s")
_FAILED = N_("%(about)s failed at the vendor: %(error)s")
_TASK = N_("%(about)s is to be done by hand.")

Clock = Callable[[], datetime]
Connect = Callable[[str], Connector]


@dataclass(frozen=True)
class _Begun:
    attempt_id: int
    vendor: str
    step: Step


def advance(database: Database, *, request_id: int, connect: Connect, clock: Clock) -> None:
    """Take a request one step further, if it is its turn and no other worker is at it.

    The lock lasts as long as its transaction: a killed worker leaves none behind.
    """
    with database.owner_transaction() as session:
        if not session.scalar(
            text("SELECT pg_try_advisory_xact_lock(:lock, CAST(:id AS int))"),
            {"lock": _LOCK, "id": request_id},
        ):
            # The other worker may have looked before the turn this job is about.
            send(session, session.get_one(ProvisioningRequest, request_id), at=clock() + _AFTER_ANOTHER)
            return
        with database.owner_transaction() as noting:
            begun = _begin(noting, request_id=request_id, now=clock())
        if begun is None:
            return
        with closing(connect(begun.vendor)) as connector:
            outcome = carry_out(connector, begun.step)
        # The lock ends with what was found: the job of the next turn meets neither before the other.
        _finish(session, request_id=request_id, begun=begun, outcome=outcome, now=clock())


def take_up_what_is_due(database: Database, *, now: datetime) -> int:
    """Have everything taken up that is due, in case the job that was to do it is gone; give how many."""
    with database.owner_transaction() as session:
        due = session.scalars(
            select(ProvisioningRequest).where(
                ProvisioningRequest.state.in_(list(MOVING)),
                (ProvisioningRequest.next_attempt_at.is_(None))
                | (ProvisioningRequest.next_attempt_at <= now),
            )
        ).all()
        for request in due:
            send(session, request)
        return len(due)


def _begin(session: Session, *, request_id: int, now: datetime) -> _Begun | None:
    """Note a new try, unless the request has ended, waits for a person, or is to wait longer."""
    request = session.get(ProvisioningRequest, request_id, with_for_update=True)
    if request is None or request.state not in MOVING:
        return None
    if request.next_attempt_at is not None and request.next_attempt_at > now:
        send(session, request, at=request.next_attempt_at)
        return None
    session.execute(
        update(ProvisioningAttempt)
        .where(ProvisioningAttempt.request_id == request.id, ProvisioningAttempt.ended_at.is_(None))
        .values(outcome=_INTERRUPTED, ended_at=now)
    )
    step = _step(session, request, now=now)
    turn(request, RequestState.SENT, now=now)
    request.attempts += 1
    attempt = ProvisioningAttempt(request_id=request.id, started_at=now, step=step.name)
    session.add(attempt)
    session.flush()  # its id is needed to end it
    return _Begun(attempt.id, request.vendor, step)


def _step(session: Session, request: ProvisioningRequest, *, now: datetime) -> Step:
    """Say what is next: the vendor is asked about the reseller first where its last word is old.

    What buys goes out with the partner id of the day, once the word on it is good; what gives back goes out anyhow.
    """
    asked = asked_from_data(request.kind, request.asked)
    partner_id = ""
    if not request.orders:
        selling = selling_state(session, request.reseller_id, request.vendor, now=now)
        partner_id = selling.partner_id if selling.needs_check else ""
        if isinstance(asked, Purchase):
            lines = tuple(replace(line, partner_id=selling.partner_id) for line in asked.lines)
            asked = replace(asked, lines=lines)
        elif isinstance(asked, NewCustomer | KnownAccount):
            asked = replace(asked, partner_id=selling.partner_id)
    return Step(
        asked=asked,
        account=request.account,
        key=request.key,
        orders=tuple(request.orders),
        answer=request.answer,
        partner_id=partner_id,
        buys=request.buys,
        asks_promotions=(
            isinstance(asked, Purchase)
            and bool(asked.promotions)
            and not request.orders
            and not _is_past_asking(session, request)
        ),
        agreement_comes=_agreement_comes(session, request, now=now),
    )


def _is_past_asking(session: Session, request: ProvisioningRequest) -> bool:
    """Whether the vendor gave its word on the promotions, or was asked to sell already.

    It may have sold though its answer was lost, and would say by now that the customer bought before.
    """
    tries = session.scalars(
        select(ProvisioningAttempt).where(ProvisioningAttempt.request_id == request.id)
    ).all()
    return any(one.step == "ask" or "promotions" in one.received for one in tries)


def _agreement_comes(session: Session, request: ProvisioningRequest, *, now: datetime) -> bool:
    """Whether the vendor is being told that the customer accepted its terms, or was told just now."""
    told = select(ProvisioningRequest.id).where(
        ProvisioningRequest.customer_id == request.customer_id,
        ProvisioningRequest.vendor == request.vendor,
        ProvisioningRequest.account == request.account,
        ProvisioningRequest.kind == RequestKind.ATTESTATION.value,
        ProvisioningRequest.state.in_(list(MOVING))
        | (
            (ProvisioningRequest.state == RequestState.DONE)
            & (ProvisioningRequest.ended_at > now - ON_RECORD_WITHIN)
        ),
    )
    return session.scalar(select(told.exists())) is True


def _finish(session: Session, *, request_id: int, begun: _Begun, outcome: Outcome, now: datetime) -> None:
    """Note what came of a try."""
    request = session.get_one(ProvisioningRequest, request_id, with_for_update=True)
    attempt = session.get_one(ProvisioningAttempt, begun.attempt_id)
    if outcome.partner is not None:
        keep_word(session, request.reseller_id, request.vendor, outcome.partner, now=now)
    if isinstance(begun.step.asked, Purchase):
        keep_refused(
            session,
            customer_id=request.customer_id,
            vendor=request.vendor,
            purchase=begun.step.asked,
            refused=outcome.refused,
            now=now,
        )
    state, pause = outcome.state, _pause(request, outcome)
    if state is RequestState.QUEUED and request.attempts >= MOST_ATTEMPTS:
        state, pause = RequestState.FAILED, None
    attempt.ended_at, attempt.outcome = now, state.value
    attempt.words, attempt.received = outcome.error or outcome.aside, outcome.received
    turn(request, state, now=now)
    request.orders = list(outcome.orders)
    request.error, request.error_code = outcome.error, outcome.error_code
    request.next_attempt_at = now + pause if pause else None
    request.result = result_as_data(outcome.result) if outcome.result else None
    if state is RequestState.INQUIRY:
        request.question, request.answer = outcome.question, ""
    if state is RequestState.BY_HAND:
        request.due_on = now.date() + timedelta(days=HAND_DAYS)
    session.flush()  # the jobs below must not be there without it
    if state is RequestState.QUEUED or request.next_attempt_at is not None:
        send(session, request, at=request.next_attempt_at)
    if state is not RequestState.QUEUED:
        tell(session, request)
    _notify(session, request, state)


def _pause(request: ProvisioningRequest, outcome: Outcome) -> timedelta | None:
    match outcome.state:
        case RequestState.QUEUED if outcome.error is not None:
            return pause_after(request.attempts, outcome.retry_after)
        case RequestState.WAITING:
            return look_again_after(request.attempts - 1)
        case _:
            return None


def _notify(session: Session, request: ProvisioningRequest, state: RequestState) -> None:
    """Tell the reseller what the vendor asks, and staff what failed or is theirs to do."""
    staff = {
        RequestState.FAILED: Phrase.of(_FAILED, about=request.about, error=request.error or ""),
        RequestState.BY_HAND: Phrase.of(_TASK, about=request.about),
    }
    if state in staff:
        notify_party(
            session,
            audience=Audience.WHOLESALER,
            party_id=None,
            permission=Permission.WHOLESALER_VENDORS_MANAGE,
            phrase=staff[state],
            link=f"/admin/provisioning/{request.public_id}",
        )
    elif state is RequestState.INQUIRY:
        notify_party(
            session,
            audience=Audience.RESELLER,
            party_id=request.reseller_id,
            permission=Permission.RESELLER_INQUIRIES_ANSWER,
            phrase=Phrase.of(_ASKED, about=request.about, question=request.question),
            link=f"/vendor-questions/{request.public_id}",
        )
