"""Names in the database, and the account of who changed what."""

import re

import pytest
from sqlalchemy import text

from marketplace.core.db import Database

pytestmark = pytest.mark.only_reads

#: What constraints and indexes are called, by kind; the table's name follows.
PREFIXES = {"p": "pk", "f": "fk", "u": "uq", "c": "ck", "x": "ex"}


def test_every_constraint_is_named_by_the_convention(database: Database) -> None:
    with database.owner_transaction() as session:
        found = session.execute(
            text(
                "SELECT c.conname, c.contype::text, t.relname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid "
                "WHERE t.relnamespace = 'public'::regnamespace AND c.contype IN ('p', 'f', 'u', 'c', 'x') "
                "AND NOT t.relispartition AND t.relname NOT LIKE 'procrastinate%' AND t.relname <> 'alembic_version'"
            )
        ).all()

    assert found
    assert [name for name, kind, table in found if not name.startswith(f"{PREFIXES[kind]}_{table}")] == []


def test_every_index_is_named_by_the_convention(database: Database) -> None:
    with database.owner_transaction() as session:
        found = session.execute(
            text(
                "SELECT i.relname, t.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
                "JOIN pg_class t ON t.oid = x.indrelid WHERE t.relnamespace = 'public'::regnamespace "
                "AND NOT t.relispartition AND t.relname NOT LIKE 'procrastinate%' AND t.relname <> 'alembic_version'"
            )
        ).all()

    assert found
    assert [name for name, table in found if not re.match(rf"(pk|uq|ix|ex)_{table}", name)] == []


def test_every_foreign_key_can_be_followed_backwards(database: Database) -> None:
    """A key without an index makes every delete above it read the whole table."""
    with database.owner_transaction() as session:
        bare = session.scalars(
            text(
                "SELECT c.conname FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace "
                "AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1]) "
                "AND c.conname NOT LIKE 'procrastinate%' ORDER BY 1"
            )
        ).all()

    assert set(bare) == SMALL_OR_NEVER_DELETED


#: Rows above these are never deleted, or there are few: an index would only cost.
SMALL_OR_NEVER_DELETED = {
    # The exclusion constraint on these keeps them in an index of its own.
    "fk_account_mapping_vendor_account_id",
    "fk_price_rule_scope_id",
    "fk_sales_order_line_promotion_id",
    "fk_subscription_segment_promotion_id",
    "fk_billing_period_run_id",
    "fk_delivery_replaces_id",
    "fk_delivery_slice_replaced_by_id",
    "fk_user_session_membership_id",
    "fk_user_session_view_as_customer_id",
    "fk_user_session_view_as_reseller_id",
}
