"""Mapping one account to the customer that uses it, where something was bought for it."""

from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.actor import Actor, Permission
from marketplace.core.errors import N_, Refusal
from marketplace.core.period import DateRange
from marketplace.core.permit import require
from resellers.conflicts import conflicts_in_words
from resellers.models import AccountMapping, Customer, VendorAccount


class AccountOfAnother(Refusal):
    """What was bought for one customer is used by another's account."""

    sentence = N_(
        "The account %(account)s at %(vendor)s is another customer's that day. End that mapping, or correct the "
        "reference with the vendor, then try again."
    )


def keep_mapped(
    session: Session, *, actor: Actor, vendor: str, account: str, customer: Customer, since: date
) -> None:
    """Make sure that an account is a customer's from a day on, so that what it uses is billed to it.

    Asked again, it maps nothing twice. Raises `AccountOfAnother`.
    """
    require(actor, Permission.WHOLESALER_TERMS_MANAGE)
    session.execute(insert(VendorAccount).values(vendor=vendor, account=account).on_conflict_do_nothing())
    known = session.scalars(
        select(VendorAccount)
        .where(VendorAccount.vendor == vendor, VendorAccount.account == account)
        .with_for_update()
    ).one()
    standing = session.scalars(
        select(AccountMapping)
        .where(
            AccountMapping.vendor_account_id == known.id,
            or_(AccountMapping.valid_until.is_(None), AccountMapping.valid_until > since),
        )
        .order_by(AccountMapping.valid_from.nulls_first())
    ).all()
    first = standing[0] if standing else None
    if first is not None and since in DateRange(first.valid_from, first.valid_until):
        if first.customer_id != customer.id:
            raise AccountOfAnother(account=account, vendor=vendor)
        return
    mapping = AccountMapping(
        vendor_account_id=known.id,
        customer_id=customer.id,
        valid_from=since,
        # Somebody has it later.
        valid_until=first.valid_from if first else None,
    )
    with conflicts_in_words():
        session.add(mapping)
        session.flush()
    audit.record(
        session,
        actor=actor,
        action="mapping.add",
        subject="mapping",
        subject_id=mapping.public_id,
        after={
            "vendor": vendor,
            "account": account,
            "customer": customer.reference,
            "valid_from": since.isoformat(),
            "valid_until": mapping.valid_until.isoformat() if mapping.valid_until else "",
        },
    )
