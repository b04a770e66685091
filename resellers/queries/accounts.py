"""The accounts of customers at vendors on a day."""

from datetime import date

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from resellers.models import AccountMapping, VendorAccount


def account_at(session: Session, *, customer_id: int, vendor: str, day: date) -> str | None:
    """Give the customer's account at a vendor on a day: where there are several, the one that was mapped first."""
    return session.scalar(
        select(VendorAccount.account)
        .join(AccountMapping, AccountMapping.vendor_account_id == VendorAccount.id)
        .where(
            VendorAccount.vendor == vendor,
            AccountMapping.customer_id == customer_id,
            *_holds_on(day),
        )
        .order_by(AccountMapping.id)
        .limit(1)
    )


def customer_of_account(session: Session, *, vendor: str, account: str, day: date) -> int | None:
    """Give whose an account is on a day."""
    return session.scalar(
        select(AccountMapping.customer_id)
        .join(VendorAccount, AccountMapping.vendor_account_id == VendorAccount.id)
        .where(VendorAccount.vendor == vendor, VendorAccount.account == account, *_holds_on(day))
    )


def _holds_on(day: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        or_(AccountMapping.valid_from.is_(None), AccountMapping.valid_from <= day),
        or_(AccountMapping.valid_until.is_(None), AccountMapping.valid_until > day),
    )
