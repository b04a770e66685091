"""What a request to a vendor is about is a sentence that each reader has in their own language."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep what was written as words that nobody can translate."""
    op.execute(
        """
        ALTER TABLE provisioning_request ALTER COLUMN about TYPE jsonb USING
            jsonb_build_object('sentence', '%(text)s', 'facts', jsonb_build_object('text', about))
        """
    )


def downgrade() -> None:
    """Keep the words that were never translated; of the others the template."""
    op.execute(
        """
        ALTER TABLE provisioning_request ALTER COLUMN about TYPE varchar USING
            coalesce(about -> 'facts' ->> 'text', about ->> 'sentence')
        """
    )
