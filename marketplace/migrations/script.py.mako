"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
"""

# Before committing, read what was generated, and make it safe for a database in use:
# - Adding a column: nullable, or with a constant default. Fill large tables in a job, then set NOT NULL.
# - Removing or renaming a column: first release the code that no longer reads it, then drop it in a later step.
# - An index on a large table: postgresql_concurrently=True, alone in its step, inside op.get_context().autocommit_block().
# - A new foreign key or check on a large table: NOT VALID first, VALIDATE CONSTRAINT in a later step.
# - A new table with somebody's data: a GRANT to marketplace_app, ENABLE ROW LEVEL SECURITY and a policy.
# A step waits five seconds for a lock and then fails: run it again at a quieter time.

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo it."""
    ${downgrades if downgrades else "pass"}
