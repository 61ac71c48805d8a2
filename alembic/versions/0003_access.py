"""Who may see which repository, and the groups of whoever is signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("groups", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("repos", sa.Column("restricted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "repo_readers",
        sa.Column("repo_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name="fk_repo_readers_repo_id_repos", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("repo_id", "kind", "name", name="pk_repo_readers"),
    )


def downgrade() -> None:
    op.drop_table("repo_readers")
    op.drop_column("repos", "restricted")
    op.drop_column("sessions", "groups")
