"""The wholesaler itself, as its pages need it."""

from sqlalchemy.orm import Session

from resellers.models import Wholesaler


def wholesaler_of(session: Session) -> Wholesaler:
    """Give the one firm that runs this marketplace."""
    return session.get_one(Wholesaler, 1)
