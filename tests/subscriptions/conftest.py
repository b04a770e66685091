"""One database for all tests of a module."""

from tests.shared_database import session, shared_database

__all__ = ["session", "shared_database"]
