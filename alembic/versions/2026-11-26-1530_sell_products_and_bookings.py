"""Sell products and bookings: variants, stock, slots, rules, cart lines, sellers, and accounts of pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "27df194f79cd"
down_revision = "8d3e40a6c1b7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "payment_accounts",
        sa.Column("merchant_code", sa.Text(), nullable=False),
        sa.Column("api_key_encrypted", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("merchant_code ~ '^[A-Za-z0-9_-]{1,64}$'", name=op.f("ck_payment_accounts_merchant_code")),
        sa.ForeignKeyConstraint(
            ["updated_by"], ["users.id"], name=op.f("fk_payment_accounts_updated_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("merchant_code", name=op.f("pk_payment_accounts")),
    )
    op.create_table(
        "booking_rules",
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("from_time", sa.Time(), nullable=False),
        sa.Column("to_time", sa.Time(), nullable=False),
        sa.Column("slot_minutes", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("vat_rate", sa.Numeric(precision=10, scale=2), server_default="0", nullable=False),
        sa.Column("places", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "cardinality(weekdays) > 0 AND weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]",
            name=op.f("ck_booking_rules_weekdays"),
        ),
        sa.CheckConstraint("places > 0", name=op.f("ck_booking_rules_places")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_booking_rules_price")),
        sa.CheckConstraint("slot_minutes BETWEEN 5 AND 1440", name=op.f("ck_booking_rules_slot_minutes")),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_booking_rules_calendar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_rules")),
    )
    op.create_index("ix_booking_rules_calendar_id", "booking_rules", ["calendar_id"], unique=False)
    op.create_table(
        "calendar_closures",
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_calendar_closures_days")),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_calendar_closures_calendar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_closures")),
    )
    op.create_index(
        "ix_calendar_closures_calendar_id_last_day", "calendar_closures", ["calendar_id", "last_day"], unique=False
    )
    op.create_table(
        "cart_notices",
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("reason IN ('over', 'old')", name=op.f("ck_cart_notices_reason")),
        sa.CheckConstraint("(user_id IS NULL) <> (session_id IS NULL)", name=op.f("ck_cart_notices_one_owner")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_cart_notices_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_cart_notices_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_notices")),
    )
    op.create_index("ix_cart_notices_created_at", "cart_notices", ["created_at"], unique=False)
    op.create_index(
        "ix_cart_notices_session_id",
        "cart_notices",
        ["session_id"],
        unique=False,
        postgresql_where=sa.text("session_id IS NOT NULL"),
    )
    op.create_index(
        "ix_cart_notices_user_id",
        "cart_notices",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_table(
        "product_variants",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Text(), server_default="", nullable=False),
        sa.Column("colour", sa.Text(), server_default="", nullable=False),
        sa.Column("price", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("stock", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("published", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("held >= 0", name=op.f("ck_product_variants_held_not_negative")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_product_variants_price")),
        sa.CheckConstraint("stock IS NULL OR held <= stock", name=op.f("ck_product_variants_held_within_stock")),
        sa.CheckConstraint("stock IS NULL OR stock >= 0", name=op.f("ck_product_variants_stock")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_variants_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_variants")),
        sa.UniqueConstraint("product_id", "size", "colour", name=op.f("uq_product_variants_product_id_size_colour")),
    )
    op.create_table(
        "slots",
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("places", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_slots_ends_after_start")),
        sa.CheckConstraint("held <= places", name=op.f("ck_slots_held_within_places")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_slots_held_not_negative")),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_slots_calendar_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
        sa.UniqueConstraint("calendar_id", "start_at", "end_at", name=op.f("uq_slots_calendar_id_start_at_end_at")),
    )
    op.create_table(
        "cart_items",
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("price_seen", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (session_id IS NULL)", name=op.f("ck_cart_items_one_owner")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_items_quantity")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_cart_items_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_cart_items_user_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["product_variants.id"], name=op.f("fk_cart_items_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_items")),
    )
    op.create_index("ix_cart_items_touched_at", "cart_items", ["touched_at"], unique=False)
    op.create_index(op.f("ix_cart_items_variant_id"), "cart_items", ["variant_id"], unique=False)
    op.create_index(
        "uq_cart_items_session_id_variant_id",
        "cart_items",
        ["session_id", "variant_id"],
        unique=True,
        postgresql_where=sa.text("session_id IS NOT NULL"),
    )
    op.create_index(
        "uq_cart_items_user_id_variant_id",
        "cart_items",
        ["user_id", "variant_id"],
        unique=True,
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_table(
        "order_sellers",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("page_post_id", sa.BigInteger(), nullable=False),
        sa.Column("page_title", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("refund_policy", sa.Text(), nullable=False),
        sa.Column("collection_place", sa.Text(), nullable=False),
        sa.Column("collection_times", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_sellers_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_sellers")),
        sa.UniqueConstraint("order_id", "page_post_id", name=op.f("uq_order_sellers_order_id_page_post_id")),
    )
    op.create_table(
        "stock_allocations",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("variant_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="reserved", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "state IN ('reserved', 'sold', 'released', 'oversold', 'refunded', 'cancelled')",
            name=op.f("ck_stock_allocations_state"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_allocations_quantity")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_stock_allocations_order_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["product_variants.id"], name=op.f("fk_stock_allocations_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_allocations")),
        sa.UniqueConstraint("order_id", "variant_id", name=op.f("uq_stock_allocations_order_id_variant_id")),
    )
    op.create_index("ix_stock_allocations_variant_id_state", "stock_allocations", ["variant_id", "state"], unique=False)
    op.add_column("calendars", sa.Column("whole_room", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("calendars", sa.Column("needs_approval", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("calendars", sa.Column("notice_minutes", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("calendars", sa.Column("ahead_days", sa.BigInteger(), server_default="60", nullable=False))
    op.create_unique_constraint(op.f("uq_calendars_id_whole_room"), "calendars", ["id", "whole_room"])
    op.add_column("calendar_entries", sa.Column("slot_id", sa.BigInteger(), nullable=True))
    op.add_column("calendar_entries", sa.Column("whole_room", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("calendar_entries", sa.Column("replaces_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_calendar_entries_provisional",
        "calendar_entries",
        ["start_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'provisional'"),
    )
    op.create_index("ix_calendar_entries_slot_id", "calendar_entries", ["slot_id"], unique=False)
    op.create_unique_constraint(op.f("uq_calendar_entries_replaces_id"), "calendar_entries", ["replaces_id"])
    op.create_foreign_key(
        op.f("fk_calendar_entries_replaces_id"), "calendar_entries", "calendar_entries", ["replaces_id"], ["id"]
    )
    op.create_foreign_key(
        "fk_calendar_entries_room",
        "calendar_entries",
        "calendars",
        ["calendar_id", "whole_room"],
        ["id", "whole_room"],
        onupdate="CASCADE",
    )
    op.create_foreign_key(op.f("fk_calendar_entries_slot_id"), "calendar_entries", "slots", ["slot_id"], ["id"])
    op.add_column("order_lines", sa.Column("variant_id", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_order_lines_variant_id"), "order_lines", ["variant_id"], unique=False)
    op.create_unique_constraint(op.f("uq_order_lines_order_id_variant_id"), "order_lines", ["order_id", "variant_id"])
    op.create_foreign_key(op.f("fk_order_lines_variant_id"), "order_lines", "product_variants", ["variant_id"], ["id"])
    op.add_column("page_configs", sa.Column("terms", sa.Text(), server_default="", nullable=False))
    op.add_column("page_configs", sa.Column("refund_policy", sa.Text(), server_default="", nullable=False))
    op.add_column("page_configs", sa.Column("collection_place", sa.Text(), server_default="", nullable=False))
    op.add_column("page_configs", sa.Column("collection_times", sa.Text(), server_default="", nullable=False))
    # No release has sold products yet, so the price moves at once: each product becomes its own only variant.
    op.execute("INSERT INTO product_variants (product_id, price) SELECT id, price FROM products ORDER BY id")
    op.drop_constraint(op.f("ck_products_price"), "products", type_="check")
    op.drop_column("products", "price")
    op.add_column("sessions", sa.Column("has_cart", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("tickets", sa.Column("price_seen", sa.Numeric(precision=10, scale=2), nullable=True))
    op.create_index(
        "ix_tickets_created_at_pending",
        "tickets",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.add_column("users", sa.Column("has_cart", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column("users", "has_cart")
    op.drop_index("ix_tickets_created_at_pending", table_name="tickets", postgresql_where=sa.text("state = 'pending'"))
    op.drop_column("tickets", "price_seen")
    op.drop_column("sessions", "has_cart")
    op.add_column("products", sa.Column("price", sa.Numeric(10, 2)))
    op.execute(
        """UPDATE products p SET price = coalesce(
            (SELECT v.price FROM product_variants v WHERE v.product_id = p.id ORDER BY v.position, v.id LIMIT 1), 0)"""
    )
    op.alter_column("products", "price", nullable=False)
    op.create_check_constraint(op.f("ck_products_price"), "products", "price >= 0")
    op.drop_column("page_configs", "collection_times")
    op.drop_column("page_configs", "collection_place")
    op.drop_column("page_configs", "refund_policy")
    op.drop_column("page_configs", "terms")
    op.drop_constraint(op.f("fk_order_lines_variant_id"), "order_lines", type_="foreignkey")
    op.drop_constraint(op.f("uq_order_lines_order_id_variant_id"), "order_lines", type_="unique")
    op.drop_index(op.f("ix_order_lines_variant_id"), table_name="order_lines")
    op.drop_column("order_lines", "variant_id")
    op.drop_constraint("fk_calendar_entries_room", "calendar_entries", type_="foreignkey")
    op.drop_constraint(op.f("uq_calendars_id_whole_room"), "calendars", type_="unique")
    op.drop_column("calendars", "ahead_days")
    op.drop_column("calendars", "notice_minutes")
    op.drop_column("calendars", "needs_approval")
    op.drop_column("calendars", "whole_room")
    op.drop_constraint(op.f("fk_calendar_entries_slot_id"), "calendar_entries", type_="foreignkey")
    op.drop_constraint(op.f("fk_calendar_entries_replaces_id"), "calendar_entries", type_="foreignkey")
    op.drop_constraint(op.f("uq_calendar_entries_replaces_id"), "calendar_entries", type_="unique")
    op.drop_index("ix_calendar_entries_slot_id", table_name="calendar_entries")
    op.drop_index(
        "ix_calendar_entries_provisional",
        table_name="calendar_entries",
        postgresql_where=sa.text("state = 'provisional'"),
    )
    op.drop_column("calendar_entries", "replaces_id")
    op.drop_column("calendar_entries", "whole_room")
    op.drop_column("calendar_entries", "slot_id")
    op.drop_index("ix_stock_allocations_variant_id_state", table_name="stock_allocations")
    op.drop_table("stock_allocations")
    op.drop_table("order_sellers")
    op.drop_index(
        "uq_cart_items_user_id_variant_id", table_name="cart_items", postgresql_where=sa.text("user_id IS NOT NULL")
    )
    op.drop_index(
        "uq_cart_items_session_id_variant_id",
        table_name="cart_items",
        postgresql_where=sa.text("session_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_cart_items_variant_id"), table_name="cart_items")
    op.drop_index("ix_cart_items_touched_at", table_name="cart_items")
    op.drop_table("cart_items")
    op.drop_table("slots")
    op.drop_table("product_variants")
    op.drop_index("ix_cart_notices_user_id", table_name="cart_notices", postgresql_where=sa.text("user_id IS NOT NULL"))
    op.drop_index(
        "ix_cart_notices_session_id", table_name="cart_notices", postgresql_where=sa.text("session_id IS NOT NULL")
    )
    op.drop_index("ix_cart_notices_created_at", table_name="cart_notices")
    op.drop_table("cart_notices")
    op.drop_index("ix_calendar_closures_calendar_id_last_day", table_name="calendar_closures")
    op.drop_table("calendar_closures")
    op.drop_index("ix_booking_rules_calendar_id", table_name="booking_rules")
    op.drop_table("booking_rules")
    op.drop_table("payment_accounts")
