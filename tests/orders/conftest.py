"""A firm that sells, what it sells, and whoever orders."""

import pytest
from sqlalchemy.orm import Session

from tests.orders.shop import Shop, open_shop
from tests.shared_database import session, shared_database

__all__ = ["session", "shared_database"]


@pytest.fixture
def shop(session: Session) -> Shop:
    """The shop in the transaction of a test, which works as the owner."""
    return open_shop(session)
