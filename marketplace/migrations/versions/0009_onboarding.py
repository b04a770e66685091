"""Onboarding: applications, enrolments, agreements, terms, brands, moves; resellers write their own customers.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from marketplace.migrations.policies import (
    AUDIENCE,
    CUSTOMER,
    PARTY,
    RESELLER,
    USER,
    WHOLESALER,
    allow,
    let_in,
    narrow,
)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
OWN = f"{RESELLER} AND reseller_id = {PARTY}"
OWN_CUSTOMER = f"{RESELLER} AND customer_id IN (SELECT c.id FROM customer c WHERE c.reseller_id = {PARTY})"

# By table: who sees which rows, who besides the wholesaler writes them, and what may be done to them at all.
ADDED_ONLY = "SELECT, INSERT"
WRITTEN = "SELECT, INSERT, UPDATE"
POLICIES = {
    # Applicants have no account: what they write is written past these, by whoever holds the private link.
    "reseller_application": (WHOLESALER, "", "SELECT, UPDATE"),
    "application_contact": (WHOLESALER, "", "SELECT"),
    "application_document": (WHOLESALER, "", "SELECT"),
    "application_check": (WHOLESALER, "", "SELECT, INSERT, DELETE"),
    "application_message": (WHOLESALER, "", ADDED_ONLY),
    "enrolment": (f"{WHOLESALER} OR ({OWN})", "", WRITTEN),
    "enrolment_prerequisite": (
        f"{WHOLESALER} OR EXISTS (SELECT FROM enrolment e WHERE e.id = enrolment_id)",
        "",
        f"{WRITTEN}, DELETE",
    ),
    "agreement": (
        f"{WHOLESALER} OR ({RESELLER} AND EXISTS (SELECT FROM reseller r WHERE r.id = {PARTY}))",
        "",
        ADDED_ONLY,
    ),
    "agreement_acceptance": (f"{WHOLESALER} OR ({OWN})", OWN, ADDED_ONLY),
    "billing_mode_change": (f"{WHOLESALER} OR ({OWN})", "", f"{WRITTEN}, DELETE"),
    "credit_terms": (
        f"{WHOLESALER} OR ({OWN}) OR ({CUSTOMER} AND customer_id = {PARTY})",
        "",
        f"{WRITTEN}, DELETE",
    ),
    "customer_agreement": (
        f"{WHOLESALER} OR ({OWN_CUSTOMER}) OR ({CUSTOMER} AND customer_id = {PARTY})",
        OWN_CUSTOMER,
        ADDED_ONLY,
    ),
    "brand": (
        (
            f"{WHOLESALER} OR ({OWN}) OR ({CUSTOMER} AND reseller_id = "
            f"(SELECT c.reseller_id FROM customer c WHERE c.id = {PARTY}))"
        ),
        OWN,
        WRITTEN,
    ),
    "customer_move": (WHOLESALER, "", f"{WRITTEN}, DELETE"),
}
# A reseller writes its own customers; before, only the wholesaler did.
WRITES_CUSTOMERS = f"{WHOLESALER} OR ({OWN})"


def upgrade() -> None:
    """Make the tables, and say who sees and writes what."""
    op.create_table(
        "agreement",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", INSTANT, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agreement_public_id")),
        sa.UniqueConstraint("version", name=op.f("uq_agreement_version")),
    )
    op.create_table(
        "agreement_acceptance",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", INSTANT, nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_acceptance_agreement_id")
        ),
        sa.ForeignKeyConstraint(
            ["reseller_id"], ["reseller.id"], name=op.f("fk_agreement_acceptance_reseller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_acceptance")),
        sa.UniqueConstraint(
            "reseller_id", "agreement_id", name=op.f("uq_agreement_acceptance_reseller_id_agreement_id")
        ),
    )
    op.create_index(
        op.f("ix_agreement_acceptance_agreement_id"), "agreement_acceptance", ["agreement_id"], unique=False
    )
    op.create_table(
        "brand",
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("accent", sa.Text(), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("logo_type", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("support_email", sa.Text(), nullable=False),
        sa.Column("support_phone", sa.Text(), nullable=False),
        sa.CheckConstraint("(logo IS NULL) = (logo_type = '')", name=op.f("ck_brand_logo_has_its_type")),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_brand_reseller_id")),
        sa.PrimaryKeyConstraint("reseller_id", name=op.f("pk_brand")),
        sa.UniqueConstraint("public_id", name=op.f("uq_brand_public_id")),
    )
    op.create_index("uq_brand_host", "brand", ["host"], unique=True, postgresql_where=sa.text("host <> ''"))
    op.create_index("uq_brand_path", "brand", ["path"], unique=True, postgresql_where=sa.text("path <> ''"))
    op.create_table(
        "enrolment",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=True),
        sa.Column("has_signed", sa.Boolean(), nullable=True),
        sa.Column("known_as", sa.Text(), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=True),
        sa.Column(
            "created_at",
            INSTANT,
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "programme IN ('indirect_reseller', 'direct_partner', 'advisor')",
            name=op.f("ck_enrolment_programme_is_known"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'active', 'suspended', 'ended')", name=op.f("ck_enrolment_status_is_known")
        ),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_enrolment_reseller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_enrolment_public_id")),
        sa.UniqueConstraint("reseller_id", "vendor", name=op.f("uq_enrolment_reseller_id_vendor")),
    )
    op.create_table(
        "reseller_application",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_number", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("website", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("submitted_at", INSTANT, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(status = 'approved') = (reseller_id IS NOT NULL)",
            name=op.f("ck_reseller_application_approved_has_its_reseller"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'in_review', 'more_asked', 'approved', 'refused')",
            name=op.f("ck_reseller_application_status_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["reseller_id"], ["reseller.id"], name=op.f("fk_reseller_application_reseller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reseller_application")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reseller_application_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_reseller_application_token_hash")),
    )
    op.create_index(
        op.f("ix_reseller_application_reseller_id"), "reseller_application", ["reseller_id"], unique=False
    )
    op.create_index(
        "ix_reseller_application_status", "reseller_application", ["status", "submitted_at"], unique=False
    )
    op.create_table(
        "application_check",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("done_at", INSTANT, nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["reseller_application.id"],
            name=op.f("fk_application_check_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_check")),
        sa.UniqueConstraint("application_id", "kind", name=op.f("uq_application_check_application_id_kind")),
    )
    op.create_table(
        "application_contact",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["reseller_application.id"],
            name=op.f("fk_application_contact_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_contact")),
        sa.UniqueConstraint(
            "application_id", "kind", name=op.f("uq_application_contact_application_id_kind")
        ),
    )
    op.create_table(
        "application_document",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["reseller_application.id"],
            name=op.f("fk_application_document_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_document")),
        sa.UniqueConstraint(
            "application_id", "sha256", name=op.f("uq_application_document_application_id_sha256")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_application_document_public_id")),
    )
    op.create_table(
        "application_message",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("is_from_applicant", sa.Boolean(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "at",
            INSTANT,
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["reseller_application.id"],
            name=op.f("fk_application_message_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_message")),
    )
    op.create_index(
        op.f("ix_application_message_application_id"), "application_message", ["application_id"], unique=False
    )
    op.create_table(
        "billing_mode_change",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "created_at",
            INSTANT,
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "mode IN ('resale', 'mandate', 'on_behalf', 'agent', 'direct')",
            name=op.f("ck_billing_mode_change_mode_is_known"),
        ),
        sa.CheckConstraint(
            "mode IS NOT NULL OR customer_id IS NOT NULL",
            name=op.f("ck_billing_mode_change_only_a_customer_follows"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_billing_mode_change_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["reseller_id"], ["reseller.id"], name=op.f("fk_billing_mode_change_reseller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_mode_change")),
        sa.UniqueConstraint("public_id", name=op.f("uq_billing_mode_change_public_id")),
    )
    op.create_index(
        op.f("ix_billing_mode_change_customer_id"), "billing_mode_change", ["customer_id"], unique=False
    )
    op.create_index(
        "uq_billing_mode_change",
        "billing_mode_change",
        ["reseller_id", "customer_id", "valid_from"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "credit_terms",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("credit_limit", sa.Numeric(), nullable=True),
        sa.Column("payment_days", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("credit_limit >= 0", name=op.f("ck_credit_terms_limit_is_not_negative")),
        sa.CheckConstraint(
            "payment_days BETWEEN 0 AND 365", name=op.f("ck_credit_terms_days_are_within_a_year")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_credit_terms_customer_id")),
        sa.ForeignKeyConstraint(["reseller_id"], ["reseller.id"], name=op.f("fk_credit_terms_reseller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_terms")),
    )
    op.create_index(op.f("ix_credit_terms_customer_id"), "credit_terms", ["customer_id"], unique=False)
    op.create_index(
        "uq_credit_terms",
        "credit_terms",
        ["reseller_id", "customer_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "customer_agreement",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column(
            "recorded_at",
            INSTANT,
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_agreement_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_agreement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_customer_agreement_public_id")),
    )
    op.create_index(
        "ix_customer_agreement_customer_id", "customer_agreement", ["customer_id", "agreed_on"], unique=False
    )
    op.create_table(
        "customer_move",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("from_reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("to_reseller_id", sa.BigInteger(), nullable=False),
        sa.Column("moves_on", sa.Date(), nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            INSTANT,
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "from_reseller_id <> to_reseller_id", name=op.f("ck_customer_move_goes_somewhere")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_move_customer_id")),
        sa.ForeignKeyConstraint(
            ["from_reseller_id"], ["reseller.id"], name=op.f("fk_customer_move_from_reseller_id")
        ),
        sa.ForeignKeyConstraint(
            ["to_reseller_id"], ["reseller.id"], name=op.f("fk_customer_move_to_reseller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_move")),
        sa.UniqueConstraint("customer_id", "moves_on", name=op.f("uq_customer_move_customer_id_moves_on")),
        sa.UniqueConstraint("public_id", name=op.f("uq_customer_move_public_id")),
    )
    op.create_index(
        op.f("ix_customer_move_from_reseller_id"), "customer_move", ["from_reseller_id"], unique=False
    )
    op.create_index(
        op.f("ix_customer_move_to_reseller_id"), "customer_move", ["to_reseller_id"], unique=False
    )
    op.create_table(
        "enrolment_prerequisite",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("enrolment_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_enrolment_prerequisite_enrolment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_prerequisite")),
        sa.UniqueConstraint("enrolment_id", "kind", name=op.f("uq_enrolment_prerequisite_enrolment_id_kind")),
    )
    op.add_column("reseller", sa.Column("status", sa.Text(), server_default="active", nullable=False))
    op.create_check_constraint("status_is_known", "reseller", "status IN ('active', 'suspended', 'ended')")
    op.drop_constraint("kind_is_known", "sign_in_attempt", type_="check")
    op.create_check_constraint(
        "kind_is_known", "sign_in_attempt", "kind IN ('password', 'reset', 'application')"
    )
    _enable_row_level_security()
    _let_resellers_write_customers()


def _enable_row_level_security() -> None:
    for table, (rows, further_writers, rights) in POLICIES.items():
        let_in(table, rights, rows, is_numbered=table != "brand")
        writes = f"{WHOLESALER} OR ({further_writers})" if further_writers else WHOLESALER
        for act in ("INSERT", "UPDATE", "DELETE"):
            narrow(table, f"who_may_{act.lower()}", writes, act=act)


def _let_resellers_write_customers() -> None:
    op.execute(f"ALTER POLICY who_adds ON customer WITH CHECK ({WRITES_CUSTOMERS})")
    op.execute(f"ALTER POLICY who_changes ON customer USING ({WRITES_CUSTOMERS})")
    # ... and invites their people.
    allow("membership", "of_own_customers", OWN_CUSTOMER, act="SELECT")
    allow("membership", "to_own_customers", OWN_CUSTOMER, act="INSERT")
    allow("membership", "again_at_own_customers", OWN_CUSTOMER, act="UPDATE")
    # Whom one may see at another firm stays signed in for all that: sessions are of one's own firm alone.
    own = f"SELECT m.id FROM membership m WHERE m.audience = {AUDIENCE}"
    op.execute(
        f"ALTER POLICY visible ON user_session USING ({WHOLESALER} OR user_id = {USER} OR membership_id IN ({own}))"
    )


def downgrade() -> None:
    """Undo it."""
    op.execute(
        f"ALTER POLICY visible ON user_session USING ({WHOLESALER} OR user_id = {USER} "
        "OR membership_id IN (SELECT m.id FROM membership m))"
    )
    for policy in ("of_own_customers", "to_own_customers", "again_at_own_customers"):
        op.execute(f"DROP POLICY {policy} ON membership")
    op.execute(f"ALTER POLICY who_adds ON customer WITH CHECK ({WHOLESALER})")
    op.execute(f"ALTER POLICY who_changes ON customer USING ({WHOLESALER})")
    op.execute("DELETE FROM sign_in_attempt WHERE kind = 'application'")
    op.drop_constraint("kind_is_known", "sign_in_attempt", type_="check")
    op.create_check_constraint("kind_is_known", "sign_in_attempt", "kind IN ('password', 'reset')")
    op.drop_constraint("status_is_known", "reseller", type_="check")
    op.drop_column("reseller", "status")
    op.drop_table("enrolment_prerequisite")
    op.drop_index(op.f("ix_customer_move_to_reseller_id"), table_name="customer_move")
    op.drop_index(op.f("ix_customer_move_from_reseller_id"), table_name="customer_move")
    op.drop_table("customer_move")
    op.drop_index("ix_customer_agreement_customer_id", table_name="customer_agreement")
    op.drop_table("customer_agreement")
    op.drop_index("uq_credit_terms", table_name="credit_terms", postgresql_nulls_not_distinct=True)
    op.drop_index(op.f("ix_credit_terms_customer_id"), table_name="credit_terms")
    op.drop_table("credit_terms")
    op.drop_index(
        "uq_billing_mode_change", table_name="billing_mode_change", postgresql_nulls_not_distinct=True
    )
    op.drop_index(op.f("ix_billing_mode_change_customer_id"), table_name="billing_mode_change")
    op.drop_table("billing_mode_change")
    op.drop_index(op.f("ix_application_message_application_id"), table_name="application_message")
    op.drop_table("application_message")
    op.drop_table("application_document")
    op.drop_table("application_contact")
    op.drop_table("application_check")
    op.drop_index("ix_reseller_application_status", table_name="reseller_application")
    op.drop_index(op.f("ix_reseller_application_reseller_id"), table_name="reseller_application")
    op.drop_table("reseller_application")
    op.drop_table("enrolment")
    op.drop_index("uq_brand_path", table_name="brand", postgresql_where=sa.text("path <> ''"))
    op.drop_index("uq_brand_host", table_name="brand", postgresql_where=sa.text("host <> ''"))
    op.drop_table("brand")
    op.drop_index(op.f("ix_agreement_acceptance_agreement_id"), table_name="agreement_acceptance")
    op.drop_table("agreement_acceptance")
    op.drop_table("agreement")
