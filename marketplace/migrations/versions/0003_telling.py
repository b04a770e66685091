"""Telling people by mail too, in their language; a question's words stay what they were.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PEOPLE = """
    CREATE OR REPLACE FUNCTION notify_people(
        to_audience text, to_party bigint, to_roles text[], to_user bigint,
        template text, template_facts jsonb, path text
    ) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        WITH told AS (
            INSERT INTO notification (user_id, audience, party_id, sentence, facts, link {column})
            SELECT m.user_id, to_audience, to_party, template, template_facts, path {value}
            FROM membership m JOIN user_account u ON u.id = m.user_id
            WHERE m.audience = to_audience AND m.ended_at IS NULL AND u.is_active
                AND coalesce(m.reseller_id, m.customer_id) IS NOT DISTINCT FROM to_party
                AND m.role = ANY (to_roles) AND (to_user IS NULL OR m.user_id = to_user)
            RETURNING 1
        ) SELECT count(*) FROM told
    $$
"""
_STORED = ("close_run", "delivery")


def upgrade() -> None:
    """Add who wants mail and what awaits it; keep why something was refused as template and facts."""
    op.add_column(
        "user_account", sa.Column("wants_mail", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.execute("GRANT UPDATE (wants_mail) ON user_account TO marketplace_app")
    op.add_column(
        "notification", sa.Column("awaits_mail", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_index(
        "ix_notification_awaits_mail", "notification", ["id"], postgresql_where=sa.text("awaits_mail")
    )
    op.execute(_PEOPLE.format(column=", awaits_mail", value=", u.wants_mail"))
    for table in _STORED:
        op.alter_column(table, "error", nullable=True)
        op.alter_column(
            table,
            "error",
            type_=postgresql.JSONB(),
            postgresql_using="CASE WHEN error <> '' THEN "
            "jsonb_build_object('sentence', '%%(text)s', 'facts', jsonb_build_object('text', error)) END",
        )
    # Parties ask and answer; whom a question was put to and about what is nobody's to change.
    op.execute("REVOKE UPDATE, DELETE ON question FROM marketplace_app")
    op.execute("GRANT UPDATE (answered_at) ON question TO marketplace_app")


def downgrade() -> None:
    """Undo it."""
    op.execute("REVOKE UPDATE (answered_at) ON question FROM marketplace_app")
    op.execute("GRANT UPDATE, DELETE ON question TO marketplace_app")
    for table in _STORED:
        op.alter_column(
            table,
            "error",
            type_=sa.Text(),
            postgresql_using="coalesce(error -> 'facts' ->> 'text', error ->> 'sentence', '')",
        )
        op.execute(f"UPDATE {table} SET error = '' WHERE error IS NULL")
        op.alter_column(table, "error", nullable=False)
    op.execute(_PEOPLE.format(column="", value=""))
    op.drop_index("ix_notification_awaits_mail", table_name="notification")
    op.drop_column("notification", "awaits_mail")
    op.drop_column("user_account", "wants_mail")
