"""People: accounts, memberships, sessions, sign-in attempts, notifications and mails, with row-level security.

Also narrows what parties may write into the tables of the first migration: seeing a row there meant writing it.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

AUDIENCE = "current_setting('marketplace.audience', true)"
PARTY = "nullif(current_setting('marketplace.party', true), '')::bigint"
USER = "nullif(current_setting('marketplace.user_id', true), '')::bigint"
WHOLESALER = f"{AUDIENCE} = 'wholesaler'"
RESELLER = f"{AUDIENCE} = 'reseller'"
CUSTOMER = f"{AUDIENCE} = 'customer'"
ANYBODY = f"{AUDIENCE} IN ('wholesaler', 'reseller', 'customer')"

INSTANT = sa.DateTime(timezone=True)
OWN_TABLES = (
    "user_account",
    "password",
    "membership",
    "user_session",
    "password_reset",
    "sign_in_attempt",
    "notification",
    "outgoing_mail",
)

# What only some may write, of what more may see. Restrictive policies are added to the permissive ones.
OWN_RETAIL_SCOPE = (
    f"{RESELLER} AND hop = 'retail' AND ((reseller_id = {PARTY} AND (customer_id IS NULL OR customer_id IN "
    f"(SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY}))) OR (reseller_id IS NULL AND customer_id IN "
    f"(SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY})))"
)
MAY_WRITE = {
    "wholesaler": WHOLESALER,
    "fx_rate": WHOLESALER,
    "billing_period": WHOLESALER,
    "reseller": WHOLESALER,
    "customer": WHOLESALER,
    "vendor_account": WHOLESALER,
    "account_mapping": WHOLESALER,
    "price_rule_scope": f"{WHOLESALER} OR ({OWN_RETAIL_SCOPE})",
    "price_rule": (
        f"{WHOLESALER} OR EXISTS (SELECT FROM price_rule_scope s WHERE s.id = scope_id AND {RESELLER} "
        f"AND s.hop = 'retail' AND (s.reseller_id = {PARTY} OR s.customer_id IN "
        f"(SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY})))"
    ),
}


def upgrade() -> None:
    """Create the tables, the doors through their policies, and the policies."""
    _create_tables()
    _create_functions()
    _enable_row_level_security()
    _narrow_writing()


def _create_tables() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("public_id", name=op.f("uq_user_account_public_id")),
    )
    op.create_index("uq_user_account_email", "user_account", [sa.text("lower(email)")], unique=True)
    op.create_table(
        "password",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_password_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_password")),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "audience IN ('wholesaler', 'reseller', 'customer') "
            "AND (audience = 'reseller') = (reseller_id IS NOT NULL) "
            "AND (audience = 'customer') = (customer_id IS NOT NULL)",
            name=op.f("ck_membership_names_its_party"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_membership_user_id")),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_membership_reseller_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_membership_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("public_id", name=op.f("uq_membership_public_id")),
    )
    op.create_index(
        "uq_membership",
        "membership",
        ["user_id", "audience", "reseller_id", "customer_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(op.f("ix_membership_reseller_id"), "membership", ["reseller_id"])
    op.create_index(op.f("ix_membership_customer_id"), "membership", ["customer_id"])
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("membership_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("view_as_reseller_id", sa.BigInteger(), nullable=True),
        sa.Column("view_as_customer_id", sa.BigInteger(), nullable=True),
        sa.Column("view_as_reason", sa.Text(), nullable=False),
        sa.Column("view_as_until", INSTANT, nullable=True),
        sa.CheckConstraint(
            "view_as_reseller_id IS NULL OR view_as_customer_id IS NULL",
            name=op.f("ck_user_session_views_as_one_party"),
        ),
        sa.CheckConstraint(
            "(view_as_until IS NOT NULL) = (view_as_reseller_id IS NOT NULL OR view_as_customer_id IS NOT NULL) "
            "AND (view_as_until IS NULL OR view_as_reason <> '')",
            name=op.f("ck_user_session_viewing_as_has_reason_and_end"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_id")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_user_session_membership_id")
        ),
        sa.ForeignKeyConstraint(
            ["view_as_reseller_id"], ["reseller.id"], name=op.f("fk_user_session_view_as_reseller_id")
        ),
        sa.ForeignKeyConstraint(
            ["view_as_customer_id"], ["customer.id"], name=op.f("fk_user_session_view_as_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("public_id", name=op.f("uq_user_session_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"])
    op.create_table(
        "password_reset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_password_reset_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_reset_token_hash")),
    )
    op.create_index(op.f("ix_password_reset_user_id"), "password_reset", ["user_id"])
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("is_forgiven", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('password', 'reset')", name=op.f("ck_sign_in_attempt_kind_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_email", "sign_in_attempt", ["email", "at"])
    op.create_index("ix_sign_in_attempt_ip", "sign_in_attempt", ["ip", "at"])
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_notification_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("public_id", name=op.f("uq_notification_public_id")),
    )
    op.create_index("ix_notification_user_id", "notification", ["user_id", "created_at"])
    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
    )
    op.create_index(
        "ix_outgoing_mail_waiting",
        "outgoing_mail",
        ["created_at"],
        postgresql_where=sa.text("sent_at IS NULL"),
    )


def _create_functions() -> None:
    """Open two narrow doors: inviting somebody whose account cannot be seen, and telling somebody something."""
    op.execute("""
        CREATE FUNCTION account_for(wanted_email text, wanted_name text, wanted_locale text)
        RETURNS TABLE (user_id bigint, has_password boolean, is_active boolean)
        LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            INSERT INTO user_account (public_id, email, name, locale, theme, is_active)
            VALUES (gen_random_uuid(), wanted_email, wanted_name, wanted_locale, '', true)
            ON CONFLICT (lower(email)) DO NOTHING;
            RETURN QUERY SELECT u.id, EXISTS (SELECT FROM password p WHERE p.user_id = u.id), u.is_active
                FROM user_account u WHERE lower(u.email) = lower(wanted_email);
        END $$
    """)
    op.execute("""
        CREATE FUNCTION notify_people(
            to_audience text, to_party bigint, to_roles text[], to_user bigint,
            template text, template_facts jsonb, path text
        ) RETURNS bigint
        LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            WITH told AS (
                INSERT INTO notification (user_id, audience, party_id, sentence, facts, link)
                SELECT m.user_id, to_audience, to_party, template, template_facts, path
                FROM membership m JOIN user_account u ON u.id = m.user_id
                WHERE m.audience = to_audience AND m.ended_at IS NULL AND u.is_active
                    AND coalesce(m.reseller_id, m.customer_id) IS NOT DISTINCT FROM to_party
                    AND m.role = ANY (to_roles) AND (to_user IS NULL OR m.user_id = to_user)
                RETURNING 1
            ) SELECT count(*) FROM told
        $$
    """)
    for function in ("account_for", "notify_people"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO marketplace_app")


def _enable_row_level_security() -> None:
    # FORCE would bind the owner too, and signing in has to look for people before anybody is known. What guards the
    # owner's role is that screens enter it in one place.
    for table in OWN_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    _user_account()
    _membership()
    op.execute("GRANT SELECT, UPDATE (revoked_at) ON user_session TO marketplace_app")
    op.execute(
        "CREATE POLICY visible ON user_session TO marketplace_app USING "
        f"({WHOLESALER} OR user_id = {USER} OR membership_id IN (SELECT m.id FROM membership m))"
    )
    op.execute("GRANT SELECT, UPDATE (read_at) ON notification TO marketplace_app")
    op.execute(
        f"CREATE POLICY own ON notification TO marketplace_app USING (user_id = {USER} AND audience = {AUDIENCE} "
        f"AND coalesce(party_id, 0) = coalesce({PARTY}, 0))"
    )
    # Links that sign somebody in can be written and never read.
    op.execute("GRANT INSERT ON password_reset, outgoing_mail TO marketplace_app")
    op.execute(
        "CREATE POLICY add_only ON password_reset FOR INSERT TO marketplace_app "
        "WITH CHECK (user_id IN (SELECT u.id FROM user_account u))"
    )
    op.execute(
        f"CREATE POLICY add_only ON outgoing_mail FOR INSERT TO marketplace_app WITH CHECK ({ANYBODY})"
    )


def _user_account() -> None:
    # Accounts are only ever added by `account_for`.
    op.execute("GRANT SELECT, UPDATE (name, locale, theme, is_active) ON user_account TO marketplace_app")
    op.execute(
        "CREATE POLICY visible ON user_account FOR SELECT TO marketplace_app USING "
        f"({WHOLESALER} OR id = {USER} OR id IN (SELECT m.user_id FROM membership m))"
    )
    op.execute(
        f"CREATE POLICY change ON user_account FOR UPDATE TO marketplace_app USING ({WHOLESALER} OR id = {USER})"
    )


def _membership() -> None:
    op.execute("GRANT SELECT, INSERT, UPDATE (role, ended_at) ON membership TO marketplace_app")
    op.execute("GRANT USAGE ON SEQUENCE membership_id_seq TO marketplace_app")
    op.execute(
        "CREATE POLICY visible ON membership TO marketplace_app USING "
        f"({WHOLESALER} OR ({RESELLER} AND reseller_id = {PARTY}) OR ({CUSTOMER} AND customer_id = {PARTY}))"
    )


def _narrow_writing() -> None:
    for table, rows in MAY_WRITE.items():
        op.execute(
            f"CREATE POLICY who_adds ON {table} AS RESTRICTIVE FOR INSERT TO marketplace_app WITH CHECK ({rows})"
        )
        op.execute(
            f"CREATE POLICY who_changes ON {table} AS RESTRICTIVE FOR UPDATE TO marketplace_app USING ({rows})"
        )
        op.execute(
            f"CREATE POLICY who_removes ON {table} AS RESTRICTIVE FOR DELETE TO marketplace_app USING ({rows})"
        )


def downgrade() -> None:
    """Give back the wider writing, and drop the tables."""
    for table in MAY_WRITE:
        for policy in ("who_adds", "who_changes", "who_removes"):
            op.execute(f"DROP POLICY {policy} ON {table}")
    op.execute("DROP FUNCTION notify_people")
    op.execute("DROP FUNCTION account_for")
    op.execute("DROP POLICY add_only ON password_reset")
    for table in (
        "outgoing_mail",
        "notification",
        "sign_in_attempt",
        "password_reset",
        "user_session",
        "password",
    ):
        op.drop_table(table)
    op.execute("DROP POLICY visible ON user_account")
    for table in ("membership", "user_account"):
        op.drop_table(table)
