"""What was left out of the code, and what people decided about bursts of ratings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("files", sa.Column("secrets", sa.JSON(), server_default="[]", nullable=False))
    op.create_table(
        "burst_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=264), nullable=False),
        sa.Column("first_signal", sa.Integer(), nullable=False),
        sa.Column("last_signal", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_burst_decisions"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("burst_decisions")
    with op.batch_alter_table("files") as table:
        table.drop_column("secrets")
