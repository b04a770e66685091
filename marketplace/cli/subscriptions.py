"""`subscription change ID` and `renewals PERIOD`: what a change comes to, making it, and what renews when."""

import argparse
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.cli.close import period_argument
from marketplace.cli.context import open_database
from marketplace.cli.explain import whole_number
from marketplace.cli.result import Result
from marketplace.core.actor import Actor, Machine
from marketplace.core.clock import utc_now
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import Period
from marketplace.orders.models import Order, OrderLine
from marketplace.orders.operations.changing import order_change
from marketplace.orders.operations.pricing import commitments
from marketplace.orders.rules.change_data import change_words
from marketplace.settings import load_settings
from marketplace.subscriptions.cockpit import Renewal, renewals_of_month
from marketplace.subscriptions.models import Subscription
from marketplace.subscriptions.previews import SeenPreview, preview_change
from marketplace.subscriptions.queries.offers import offers_of
from marketplace.subscriptions.queries.standing import standings
from marketplace.subscriptions.rules.changes import Cancel, Change, ChangeQuantity, Upgrade


class UnknownSubscription(Refusal):
    """There is no such subscription."""

    sentence = N_("There is no subscription %(subscription)s: give its own id, or the vendor's.")


class SeatsMissing(Refusal):
    """Seats are to go somewhere, and nobody said how many."""

    sentence = N_("Say with --quantity how many seats are to go into that subscription.")


def add_parser(subparsers: Any) -> None:
    """Describe the commands."""
    parser = subparsers.add_parser(
        "subscription", help="order a change of a subscription, or say what it comes to"
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    changing = verbs.add_parser("change", help="order another number of seats, or cancel")
    changing.add_argument("subscription", help="its id here, or the vendor's")
    what = changing.add_mutually_exclusive_group(required=True)
    what.add_argument("--quantity", type=whole_number(1), help="have this many seats")
    what.add_argument("--cancel", action="store_true", help="give it up")
    changing.add_argument(
        "--into", default="", help="upgrade as many seats as --quantity says into this subscription"
    )
    changing.add_argument("--preview", action="store_true", help="say what it would come to, order nothing")
    changing.add_argument("--po-number", default="", help="the customer's own number for it")
    changing.add_argument(
        "--key", default="", help="a word of yours for this order: the same one again orders nothing twice"
    )
    renewing = subparsers.add_parser("renewals", help="list what renews in a month")
    renewing.add_argument("period", type=period_argument, help="the month, such as 2026-09")


def run(args: argparse.Namespace) -> Result:
    """Run one of them."""
    database = open_database(load_settings())
    actor, now = Actor.system(Machine.COMMAND_LINE), utc_now()
    with database.owner_transaction() as session:
        if "period" in args:
            return _renewals(session, actor, args.period)
        identity = _find(session, args.subscription)
        wanted: Change = Cancel() if args.cancel else ChangeQuantity(args.quantity)
        if args.into:
            wanted = _upgrade_into(session, _find(session, args.into), args.quantity)
        if args.preview:
            seen = preview_change(session, actor=actor, subscription_id=identity, change=wanted, now=now)
            return Result({"subscription": str(identity), **seen.as_data()}, _words(seen))
        order = order_change(
            session,
            actor=actor,
            subscription_id=identity,
            change=wanted,
            key=uuid5(identity, args.key) if args.key else uuid4(),
            now=now,
            po_number=args.po_number,
        )
        return _ordered(session, identity, order)


def _upgrade_into(session: Session, into_id: UUID, quantity: int | None) -> Upgrade:
    if quantity is None:
        raise SeatsMissing
    into = session.scalars(select(Subscription).where(Subscription.public_id == into_id)).one()
    known = standings(session, [into], offers=offers_of(session, {into.plan_id}))[into.id]
    return Upgrade(known.now.quoted, quantity, into_id, known)


def _ordered(session: Session, identity: UUID, order: Order) -> Result:
    change = session.scalars(select(OrderLine.change).where(OrderLine.order_id == order.id)).one() or {}
    adds = {
        hop.value: str(amount) for hop, amount in commitments(session, [order.id]).get(order.id, {}).items()
    }
    data: dict[str, object] = {
        "subscription": str(identity),
        "order": str(order.public_id),
        "name": order.name,
        "state": order.state,
        "when": change.get("when"),
        "adds": adds,
    }
    return Result(data, f"{order.name}  {order.state}: {change_words(change)}, adds {adds['wholesale']}")


def _find(session: Session, text: str) -> UUID:
    named = Subscription.vendor_subscription_id == text
    with suppress(ValueError):
        named = or_(named, Subscription.public_id == UUID(text))
    found = session.scalar(select(Subscription.public_id).where(named)) if text else None
    if found is None:
        raise UnknownSubscription(subscription=text)
    return found


def _words(seen: SeenPreview) -> str:
    out = [
        f"{seen.decision.when.value}{f' on {seen.decision.on}' if seen.decision.on else ''}: {seen.decision.why}"
    ]
    out += [
        f"  {charge.kind.value} {charge.quantity} for {charge.days} of {charge.whole_days} days"
        for charge in seen.charges
    ]
    out += [
        f"  {hop}: {amounts.now} now, {amounts.on_bill} on the bill, {amounts.until_end} to the end of the term"
        for hop, amounts in seen.hops.items()
    ]
    return "\n".join(out)


def _renewals(session: Session, actor: Actor, period: Period) -> Result:
    found = renewals_of_month(session, actor=actor, period=period, now=utc_now())
    data: dict[str, object] = {"period": str(period), "renewals": [_as_data(one) for one in found]}
    words = [
        f"{one.row.term_end} {one.row.customer}: {one.row.quantity} x {one.row.name}, {one.row.at_term_end}, "
        f"decided by {one.row.decided_by or 'nobody'}, until {one.deadline:%Y-%m-%d %H:%M} UTC"
        for one in found
    ]
    return Result(data, "\n".join(words) or f"Nothing renews in {period}.")


def _as_data(one: Renewal) -> dict[str, object]:
    return {
        **{name: _plain(value) for name, value in asdict(one.row).items()},
        "quantity_then": one.seats_then,
        "deadline": one.deadline.isoformat(),
        "has_renewed": one.has_renewed,
        "loses_promotion": one.prices.loses_promotion,
        "prices": {
            hop: {
                "then": _plain(prices.then),
                "now": _plain(prices.now),
                "difference": _plain(prices.difference),
                "next_term": _plain(prices.commitment),
            }
            for hop, prices in (("wholesale", one.prices.wholesale), ("retail", one.prices.retail))
        },
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else str(value)
