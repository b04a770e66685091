"""The accounts of customers at vendors, as orders need them."""

from datetime import date

from sqlalchemy import or_, select
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
            or_(AccountMapping.valid_from.is_(None), AccountMapping.valid_from <= day),
            or_(AccountMapping.valid_until.is_(None), AccountMapping.valid_until > day),
        )
        .order_by(AccountMapping.id)
        .limit(1)
    )
