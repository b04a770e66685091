"""The catalogue: products, plans, price lists, promotions.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from marketplace.migrations.policies import ANYBODY, WHOLESALER, allow, let_in

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

PUBLISHED = f"{WHOLESALER} OR ({ANYBODY} AND (status IN ('active', 'superseded') OR (status = 'scheduled' AND active_from <= now())))"
OF_PUBLISHED = f"{WHOLESALER} OR EXISTS (SELECT FROM price_list l WHERE l.id = price_list_id)"

# Who sees which rows; only the wholesaler writes. What things cost it is in a table of its own.
SEEN = {
    "publisher": ANYBODY,
    "product": ANYBODY,
    "sku": ANYBODY,
    "sku_relation": ANYBODY,
    "plan": ANYBODY,
    "price_list": PUBLISHED,
    "plan_price": OF_PUBLISHED,
    "meter_price": OF_PUBLISHED,
    "promotion": ANYBODY,
    "promotion_plan": ANYBODY,
    "plan_cost": WHOLESALER,
}


def upgrade() -> None:
    """Make the tables, and say who sees what."""
    op.create_table(
        "price_list",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("market", sa.String(length=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'scheduled', 'active', 'superseded', 'discarded')",
            name=op.f("ck_price_list_status_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_list")),
        sa.UniqueConstraint("public_id", name=op.f("uq_price_list_public_id")),
        sa.UniqueConstraint(
            "vendor",
            "kind",
            "market",
            "currency",
            "version",
            name=op.f("uq_price_list_vendor_kind_market_currency_version"),
        ),
    )
    op.create_index(
        "uq_price_list_active",
        "price_list",
        ["vendor", "kind", "market", "currency"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "promotion",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("percent", sa.Numeric(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("minimum_quantity", sa.BigInteger(), nullable=False),
        sa.Column("maximum_quantity", sa.BigInteger(), nullable=True),
        sa.Column("is_first_purchase_only", sa.Boolean(), nullable=False),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_promotion_ends_after_it_starts")),
        sa.CheckConstraint("percent > 0 AND percent <= 100", name=op.f("ck_promotion_percent_is_a_discount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
        sa.UniqueConstraint("public_id", name=op.f("uq_promotion_public_id")),
        sa.UniqueConstraint("vendor", "reference", name=op.f("uq_promotion_vendor_reference")),
    )
    op.create_table(
        "publisher",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publisher")),
        sa.UniqueConstraint("name", name=op.f("uq_publisher_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_publisher_public_id")),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("publisher_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("own_title", sa.Text(), nullable=False),
        sa.Column("own_category", sa.Text(), nullable=False),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple', title || ' ' || own_title || ' ' || reference || ' ' || category || ' ' || own_category)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('licence', 'software', 'consumption', 'service')", name=op.f("ck_product_kind_is_known")
        ),
        sa.ForeignKeyConstraint(["publisher_id"], ["publisher.id"], name=op.f("fk_product_publisher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("public_id", name=op.f("uq_product_public_id")),
        sa.UniqueConstraint("vendor", "reference", name=op.f("uq_product_vendor_reference")),
    )
    op.create_index(op.f("ix_product_publisher_id"), "product", ["publisher_id"], unique=False)
    op.create_index("ix_product_words", "product", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "sku",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("minimum_quantity", sa.BigInteger(), nullable=False),
        sa.Column("maximum_quantity", sa.BigInteger(), nullable=True),
        sa.Column("customer_limit", sa.BigInteger(), nullable=True),
        sa.Column("is_addon", sa.Boolean(), nullable=False),
        sa.Column("is_trial", sa.Boolean(), nullable=False),
        sa.Column("may_increase", sa.Boolean(), nullable=False),
        sa.Column("may_decrease", sa.Boolean(), nullable=False),
        sa.Column("may_cancel", sa.Boolean(), nullable=False),
        sa.Column("may_suspend", sa.Boolean(), nullable=False),
        sa.Column("may_renew", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "maximum_quantity >= minimum_quantity", name=op.f("ck_sku_maximum_is_not_below_minimum")
        ),
        sa.CheckConstraint("minimum_quantity >= 1", name=op.f("ck_sku_minimum_is_positive")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_sku_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku")),
        sa.UniqueConstraint("product_id", "reference", name=op.f("uq_sku_product_id_reference")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sku_public_id")),
    )
    op.create_table(
        "meter_price",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("price_list_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity_from", sa.Numeric(), nullable=False),
        sa.Column("quantity_until", sa.Numeric(), nullable=True),
        sa.Column("unit_list", sa.Numeric(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity_until > quantity_from", name=op.f("ck_meter_price_step_has_a_width")),
        sa.CheckConstraint("unit_list >= 0", name=op.f("ck_meter_price_list_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["price_list_id"], ["price_list.id"], name=op.f("fk_meter_price_price_list_id")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_meter_price_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_price")),
        sa.UniqueConstraint(
            "price_list_id",
            "sku_id",
            "meter",
            "quantity_from",
            "valid_from",
            name=op.f("uq_meter_price_price_list_id_sku_id_meter_quantity_from_valid_from"),
        ),
    )
    op.create_index(op.f("ix_meter_price_sku_id"), "meter_price", ["sku_id"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("billing_cycle", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("billing_model", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.CheckConstraint("status IN ('on_sale', 'private', 'ended')", name=op.f("ck_plan_status_is_known")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_plan_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_public_id")),
        sa.UniqueConstraint(
            "sku_id",
            "term",
            "billing_cycle",
            "segment",
            name=op.f("uq_plan_sku_id_term_billing_cycle_segment"),
        ),
    )
    op.create_table(
        "sku_relation",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_sku_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('prerequisite', 'upgrade', 'conversion')", name=op.f("ck_sku_relation_kind_is_known")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_sku_relation_sku_id")),
        sa.ForeignKeyConstraint(["target_sku_id"], ["sku.id"], name=op.f("fk_sku_relation_target_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku_relation")),
        sa.UniqueConstraint(
            "sku_id", "kind", "target_sku_id", name=op.f("uq_sku_relation_sku_id_kind_target_sku_id")
        ),
    )
    op.create_index(op.f("ix_sku_relation_target_sku_id"), "sku_relation", ["target_sku_id"], unique=False)
    op.create_table(
        "plan_price",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("price_list_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity_from", sa.BigInteger(), nullable=False),
        sa.Column("quantity_until", sa.BigInteger(), nullable=True),
        sa.Column("unit_list", sa.Numeric(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "quantity_until IS NULL OR quantity_until >= quantity_from",
            name=op.f("ck_plan_price_band_has_a_unit"),
        ),
        sa.CheckConstraint("unit_list >= 0", name=op.f("ck_plan_price_list_is_not_negative")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until > valid_from", name=op.f("ck_plan_price_ends_after_it_starts")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_price_plan_id")),
        sa.ForeignKeyConstraint(
            ["price_list_id"], ["price_list.id"], name=op.f("fk_plan_price_price_list_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_price")),
        sa.UniqueConstraint(
            "price_list_id",
            "plan_id",
            "quantity_from",
            "valid_from",
            name=op.f("uq_plan_price_price_list_id_plan_id_quantity_from_valid_from"),
        ),
    )
    op.create_index("ix_plan_price_plan_id", "plan_price", ["plan_id", "valid_from"], unique=False)
    op.create_table(
        "promotion_plan",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plan_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_promotion_plan_plan_id")),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotion.id"],
            name=op.f("fk_promotion_plan_promotion_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("promotion_id", "plan_id", name=op.f("pk_promotion_plan")),
    )
    op.create_index(op.f("ix_promotion_plan_plan_id"), "promotion_plan", ["plan_id"], unique=False)
    op.create_table(
        "plan_cost",
        sa.Column("plan_price_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unit_cost", sa.Numeric(), nullable=False),
        sa.CheckConstraint("unit_cost >= 0", name=op.f("ck_plan_cost_cost_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["plan_price_id"], ["plan_price.id"], name=op.f("fk_plan_cost_plan_price_id")
        ),
        sa.PrimaryKeyConstraint("plan_price_id", name=op.f("pk_plan_cost")),
    )
    for table, rows in SEEN.items():
        let_in(table, "SELECT, INSERT, UPDATE, DELETE", rows, policy="seen", act="SELECT")
        allow(table, "kept", WHOLESALER)
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO marketplace_app")


def downgrade() -> None:
    """Undo it."""
    op.drop_table("plan_cost")
    op.drop_index(op.f("ix_promotion_plan_plan_id"), table_name="promotion_plan")
    op.drop_table("promotion_plan")
    op.drop_index("ix_plan_price_plan_id", table_name="plan_price")
    op.drop_table("plan_price")
    op.drop_index(op.f("ix_sku_relation_target_sku_id"), table_name="sku_relation")
    op.drop_table("sku_relation")
    op.drop_table("plan")
    op.drop_index(op.f("ix_meter_price_sku_id"), table_name="meter_price")
    op.drop_table("meter_price")
    op.drop_table("sku")
    op.drop_index("ix_product_words", table_name="product", postgresql_using="gin")
    op.drop_index(op.f("ix_product_publisher_id"), table_name="product")
    op.drop_table("product")
    op.drop_table("publisher")
    op.drop_table("promotion")
    op.drop_index(
        "uq_price_list_active", table_name="price_list", postgresql_where=sa.text("status = 'active'")
    )
    op.drop_table("price_list")
