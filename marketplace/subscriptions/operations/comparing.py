"""Comparing our subscriptions with what vendors say they have, account by account."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.core.db import Database
from marketplace.subscriptions.models import ScheduledChange, Subscription
from marketplace.subscriptions.words import STANDING, AtTermEnd, Status, When
from marketplace.vendors.comparison import KnownSubscription, differences
from marketplace.vendors.connector import Capability, Connector
from marketplace.vendors.errors import VendorRefused
from marketplace.vendors.outside_changes import note_differences

log = structlog.get_logger()

_NOT_FOUND = "404"


@dataclass
class _Account:
    """What we have of one customer's account at a vendor."""

    vendor: str
    account: str
    customer_id: int
    known: list[KnownSubscription] = field(default_factory=list)


def compare_all(database: Database, *, connect: Callable[[str], Connector], now: datetime) -> int:
    """Compare every account that has subscriptions here; give how many differences are new.

    A vendor that is away raises `VendorUnavailable`: what was compared is kept, the rest is compared by the next run.
    """
    with database.owner_transaction() as session:
        accounts = list(_accounts(session))
    new = 0
    by_vendor: dict[str, list[_Account]] = defaultdict(list)
    for account in accounts:
        by_vendor[account.vendor].append(account)
    for vendor, its in by_vendor.items():
        with closing(connect(vendor)) as connector:
            if Capability.SUBSCRIPTIONS in connector.capabilities:
                new += sum(_compare(database, connector, account, now=now) for account in its)
    return new


def _compare(database: Database, connector: Connector, account: _Account, *, now: datetime) -> int:
    try:
        seen = connector.subscriptions(account.account)
    except VendorRefused as refusal:
        if refusal.code != _NOT_FOUND:
            log.warning("an account cannot be compared", account=account.account, words=refusal.words)
            return 0
        seen = ()
    with database.owner_transaction() as session:
        return note_differences(
            session,
            vendor=account.vendor,
            account=account.account,
            customer_id=account.customer_id,
            found=differences(account.known, seen),
            now=now,
        )


def _accounts(session: Session) -> Iterator[_Account]:
    """Give the accounts with subscriptions that the vendor knows by an id, in two queries whatever their number."""
    scheduled = set(
        session.scalars(
            select(ScheduledChange.subscription_id).where(
                ScheduledChange.waits_for == When.AT_RENEWAL, ScheduledChange.ended_at.is_(None)
            )
        )
    )
    found: dict[tuple[str, str], _Account] = {}
    statement = (
        select(Subscription)
        .where(Subscription.vendor_subscription_id != "", Subscription.vendor_account != "")
        .order_by(Subscription.id)
    )
    for one in session.scalars(statement):
        key = (one.vendor, one.vendor_account)
        # The customer of the newest subscription: an account that changed hands is looked after by who has it now.
        account = found.setdefault(key, _Account(*key, one.customer_id))
        account.customer_id = one.customer_id
        account.known.append(_known(one, has_next_term=one.id in scheduled))
    yield from found.values()


def _known(one: Subscription, *, has_next_term: bool) -> KnownSubscription:
    return KnownSubscription(
        reference=one.vendor_subscription_id,
        name=one.friendly_name,
        quantity=one.quantity,
        is_running=Status(one.status) in STANDING,
        is_suspended=one.status == Status.SUSPENDED,
        auto_renew=one.at_term_end == AtTermEnd.RENEW and one.term_end is not None,
        ends_on=one.term_end,
        has_next_term=has_next_term,
    )
