"""Install the database's functions from their files: each has one current text from here on."""

from __future__ import annotations

from alembic import op

from shared.db.functions import install

revision = "3d8e51b7f0a4"
down_revision = "7f2d9c60b3e8"
branch_labels = None
depends_on = None

INSTALLS = {
    "check_order_total": "fe08b7ce8384",
    "count_held_slots": "ba1de77da2a6",
    "count_held_stock": "c3cb7439a27e",
    "count_held_tickets": "1ed905c1e801",
    "count_owed": "bc0eeaf4034e",
    "count_refunded": "031386532551",
    "empty_cart_of_session": "ebb03598867b",
    "fill_whole_room": "1c69c3afba64",
    "guard_transition": "377c6a0e51aa",
    "hold_debts_to_line": "ed551dfc194b",
    "note_cart": "194acb080f7f",
    "refuse_change": "ec27af2b3718",
    "stay_in_order": "df62dca35d2b",
    "write_journal": "3d4f88171ddb",
}


def upgrade() -> None:
    """Apply."""
    install(op.get_bind(), INSTALLS)


def downgrade() -> None:
    """Take nothing back: the older migrations made these very functions, and drop them."""
