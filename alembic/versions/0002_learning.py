"""What the ratings mean, what was trained from them, which version serves, and the work queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    _query_groups()
    _queries()
    _judgments()
    _judgment_signals()
    _judgment_overrides()
    _imported_pairs()
    _snapshots()
    _snapshot_signals()
    _jobs()
    _job_events()
    _versions()
    _evaluations()
    _champion()
    _deployments()


def downgrade() -> None:
    for table in (
        "deployments",
        "champion",
        "evaluations",
        "versions",
        "job_events",
        "jobs",
        "snapshot_signals",
        "snapshots",
        "imported_pairs",
        "judgment_overrides",
        "judgment_signals",
        "judgments",
        "queries",
        "query_groups",
    ):
        op.drop_table(table)


def _query_groups() -> None:
    op.create_table(
        "query_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(length=16), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_query_groups"),
    )


def _queries() -> None:
    op.create_table(
        "queries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("query_hash", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("bridged", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["query_groups.id"], name="fk_queries_group_id_query_groups"),
        sa.PrimaryKeyConstraint("id", name="pk_queries"),
        sa.UniqueConstraint("query_hash", name="uq_queries_query_hash"),
    )
    op.create_index("ix_queries_group_id", "queries", ["group_id"])


def _judgments() -> None:
    op.create_table(
        "judgments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("chunk_id", sa.Integer()),
        sa.Column("relevance", sa.Float(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("strong", sa.Boolean(), nullable=False),
        sa.Column("conflict", sa.Boolean(), nullable=False),
        sa.Column("vetoed", sa.Boolean(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("actors", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunks.id"], name="fk_judgments_chunk_id_chunks"),
        sa.ForeignKeyConstraint(["content_hash"], ["texts.content_hash"], name="fk_judgments_content_hash_texts"),
        sa.ForeignKeyConstraint(["group_id"], ["query_groups.id"], name="fk_judgments_group_id_query_groups"),
        sa.PrimaryKeyConstraint("id", name="pk_judgments"),
    )
    op.create_index("ix_judgments_content_hash", "judgments", ["content_hash"])
    op.create_index("ix_judgments_group_id", "judgments", ["group_id"])


def _judgment_signals() -> None:
    op.create_table(
        "judgment_signals",
        sa.Column("judgment_id", sa.String(length=64), nullable=False),
        sa.Column("signal_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["judgment_id"], ["judgments.id"], name="fk_judgment_signals_judgment_id_judgments", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name="fk_judgment_signals_signal_id_signals"),
        sa.PrimaryKeyConstraint("judgment_id", "signal_id", name="pk_judgment_signals"),
    )


def _judgment_overrides() -> None:
    op.create_table(
        "judgment_overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("judgment_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("relevance", sa.Float()),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_judgment_overrides"),
    )
    op.create_index("ix_judgment_overrides_judgment_id", "judgment_overrides", ["judgment_id"])


def _imported_pairs() -> None:
    op.create_table(
        "imported_pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Float(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["content_hash"], ["texts.content_hash"], name="fk_imported_pairs_content_hash_texts"),
        sa.PrimaryKeyConstraint("id", name="pk_imported_pairs"),
    )
    op.create_index("ix_imported_pairs_batch", "imported_pairs", ["batch"])


def _snapshots() -> None:
    op.create_table(
        "snapshots",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("stats", sa.JSON(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_snapshots"),
    )


def _snapshot_signals() -> None:
    op.create_table(
        "snapshot_signals",
        sa.Column("snapshot_hash", sa.String(length=64), nullable=False),
        sa.Column("signal_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name="fk_snapshot_signals_signal_id_signals"),
        sa.ForeignKeyConstraint(
            ["snapshot_hash"], ["snapshots.hash"], name="fk_snapshot_signals_snapshot_hash_snapshots"
        ),
        sa.PrimaryKeyConstraint("snapshot_hash", "signal_id", name="pk_snapshot_signals"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=64), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON()),
        sa.Column("error", sa.Text()),
        sa.Column("due", sa.String(length=64)),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64)),
        sa.Column("lease_until", UTC),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("started_at", UTC),
        sa.Column("finished_at", UTC),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("due", name="uq_jobs_due"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])


def _job_events() -> None:
    op.create_table(
        "job_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_events_job_id_jobs"),
        sa.PrimaryKeyConstraint("id", name="pk_job_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_events_job_id", "job_events", ["job_id"])


def _versions() -> None:
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Integer()),
        sa.Column("snapshot_hash", sa.String(length=64)),
        sa.Column("path", sa.Text()),
        sa.Column("blend", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("decision", sa.String(length=16)),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("job_id", sa.Integer()),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_versions_job_id_jobs"),
        sa.ForeignKeyConstraint(["parent_id"], ["versions.id"], name="fk_versions_parent_id_versions"),
        sa.ForeignKeyConstraint(["snapshot_hash"], ["snapshots.hash"], name="fk_versions_snapshot_hash_snapshots"),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sqlite_autoincrement=True,
    )


def _evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("arm", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.String(length=16), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("ranking", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_evaluations_version_id_versions"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluations"),
    )
    op.create_index("ix_evaluations_version_id", "evaluations", ["version_id"])


def _champion() -> None:
    op.create_table(
        "champion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("since", UTC, nullable=False),
        sa.Column("auto_promote", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_champion_version_id_versions"),
        sa.PrimaryKeyConstraint("id", name="pk_champion"),
    )


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("from_version", sa.Integer()),
        sa.Column("to_version", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.Integer()),
        sa.ForeignKeyConstraint(["from_version"], ["versions.id"], name="fk_deployments_from_version_versions"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_deployments_job_id_jobs"),
        sa.ForeignKeyConstraint(["to_version"], ["versions.id"], name="fk_deployments_to_version_versions"),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.UniqueConstraint("generation", name="uq_deployments_generation"),
        sqlite_autoincrement=True,
    )
