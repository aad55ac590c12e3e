"""Create the tables of the job queue.

The library renders its own DDL: the version that the lock file pins. A later version that wants other tables gets a
migration of its own, with that version's upgrade statements.
"""

from __future__ import annotations

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from sqlalchemy.util import await_only

revision = "8d3e40a6c1b7"
down_revision = "5f0c7b1e9a21"
branch_labels = None
depends_on = None


def _execute_script(script: str) -> None:
    """Run several statements at once, which only the driver's own simple protocol can."""
    driver = op.get_bind().connection.driver_connection
    await_only(driver.execute(script))


def upgrade() -> None:
    """Apply. The first statement opens the transaction: without it the driver would commit the script by itself."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _execute_script(QueryBuilderEnvironment().build_install_query())


def downgrade() -> None:
    """Take back."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    _execute_script(QueryBuilderEnvironment().build_uninstall_query())
