"""The SQL schema. Migrations in ``alembic/`` create exactly this; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC datetime; SQLite would drop the zone otherwise."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)

# --- code: what is indexed. Qdrant can always be rebuilt from chunks and vectors. ----------

repos = Table(
    "repos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("path", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("indexed_at", UtcDateTime),
    Column("removed_at", UtcDateTime),  # hidden, not deleted: judged history refers to its chunks
    Column("skipped", JSON, nullable=False, default=dict),
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False),
    Column("path", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("mtime_ns", String(24), nullable=False),
    Column("file_hash", String(64), nullable=False),
    UniqueConstraint("repo_id", "path"),
)

texts = Table(
    "texts",
    metadata,
    Column("content_hash", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)

vectors = Table(
    "vectors",
    metadata,
    Column("content_hash", ForeignKey("texts.content_hash"), primary_key=True),
    Column("encoder", String(200), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float16
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id"), nullable=False, index=True),
    Column("path", Text, nullable=False),
    Column("start_line", Integer, nullable=False),
    Column("end_line", Integer, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("language", String(32), nullable=False),
    Column("content_hash", ForeignKey("texts.content_hash"), nullable=False, index=True),
    Column("retired_at", UtcDateTime, index=True),
    Index("ix_chunks_repo_path", "repo_id", "path"),
    sqlite_autoincrement=True,
)

# --- what was asked and shown ---------------------------------------------------------------

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("actor", String(200), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("repo", String(200)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("deleted_at", UtcDateTime),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), index=True),
    Column("query", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("repo", String(200)),
    Column("actor", String(200), nullable=False, index=True),
    Column("answer", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("generator", String(200), nullable=False),
    Column("model_version", Integer, nullable=False),
    Column("timings", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

impressions = Table(
    "impressions",
    metadata,
    Column("answer_id", ForeignKey("answers.id"), primary_key=True),
    Column("chunk_id", ForeignKey("chunks.id"), primary_key=True),
    Column("content_hash", ForeignKey("texts.content_hash"), nullable=False, index=True),
    Column("dense_score", Float, nullable=False),
    Column("lexical_score", Float, nullable=False),
    Column("fused_score", Float, nullable=False),
    Column("rerank_score", Float),
    Column("final_score", Float, nullable=False),
    Column("first_stage_rank", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("shown", Boolean, nullable=False),
    Column("cited", Boolean, nullable=False),
)

# --- what people said: append-only; the latest row of (answer, actor, kind, chunk) is in force ------

signals = Table(
    "signals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("answer_id", ForeignKey("answers.id"), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("chunk_id", ForeignKey("chunks.id")),
    Column("value", JSON(none_as_null=False), nullable=False),  # JSON null is a retraction
    Column("client", String(64), nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Index("ix_signals_target", "answer_id", "actor", "kind", "chunk_id"),
    sqlite_autoincrement=True,
)

query_groups = Table(
    "query_groups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("split", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

queries = Table(
    "queries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("query", Text, nullable=False),
    Column("query_hash", String(64), nullable=False, unique=True),  # of the normalised query
    Column("group_id", ForeignKey("query_groups.id"), nullable=False, index=True),
    Column("vector", LargeBinary, nullable=False),  # float16
    Column("bridged", Boolean, nullable=False, default=False),  # near both splits: leaves training
    Column("created_at", UtcDateTime, nullable=False),
)

judgments = Table(  # what the trainer's policy made of the signals; rewritten whole, never edited in place
    "judgments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("group_id", ForeignKey("query_groups.id"), nullable=False, index=True),
    Column("query", Text, nullable=False),
    Column("content_hash", ForeignKey("texts.content_hash"), nullable=False, index=True),
    Column("chunk_id", ForeignKey("chunks.id")),
    Column("relevance", Float, nullable=False),
    Column("weight", Float, nullable=False),
    Column("strong", Boolean, nullable=False),
    Column("conflict", Boolean, nullable=False),
    Column("vetoed", Boolean, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("sources", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("actors", JSON, nullable=False),
)

judgment_signals = Table(
    "judgment_signals",
    metadata,
    Column("judgment_id", ForeignKey("judgments.id", ondelete="CASCADE"), primary_key=True),
    Column("signal_id", ForeignKey("signals.id"), primary_key=True),
)

judgment_overrides = Table(
    "judgment_overrides",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("judgment_id", String(64), nullable=False, index=True),
    Column("action", String(16), nullable=False),  # veto | edit | restore; the latest is in force
    Column("relevance", Float),
    Column("actor", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

imported_pairs = Table(
    "imported_pairs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("batch", String(64), nullable=False, index=True),  # sha256 of the file
    Column("query", Text, nullable=False),
    Column("content_hash", ForeignKey("texts.content_hash"), nullable=False),
    Column("label", Float, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

golden = Table(
    "golden",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("query", Text, nullable=False),
    Column("repo", String(200)),
    Column("expected", JSON, nullable=False),  # list of paths or chunk ids
    Column("created_at", UtcDateTime, nullable=False),
)

general_queries = Table(  # docstring questions made at indexing: guard against forgetting, never trained on
    "general_queries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("query", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("content_hash", ForeignKey("texts.content_hash"), nullable=False),
)

# --- learning ---------------------------------------------------------------------------------

snapshots = Table(
    "snapshots",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("stats", JSON, nullable=False),
    Column("params", JSON, nullable=False),
    Column("content", LargeBinary, nullable=False),  # zlib of canonical JSON
)

snapshot_signals = Table(
    "snapshot_signals",
    metadata,
    Column("snapshot_hash", ForeignKey("snapshots.hash"), primary_key=True),
    Column("signal_id", ForeignKey("signals.id"), primary_key=True),
)

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("form", String(16), nullable=False),
    Column("base", Text, nullable=False),
    Column("parent_id", ForeignKey("versions.id")),
    Column("snapshot_hash", ForeignKey("snapshots.hash")),
    Column("path", Text),
    Column("blend", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("decision", String(16)),
    Column("reasons", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("job_id", ForeignKey("jobs.id")),
    sqlite_autoincrement=True,
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version_id", ForeignKey("versions.id"), nullable=False, index=True),
    Column("arm", String(16), nullable=False),  # no_rerank | base | champion | challenger
    Column("evidence", String(16), nullable=False),  # held_out | out_of_fold | golden | general
    Column("group_id", Integer, nullable=False),
    Column("query", Text, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("ranking", JSON, nullable=False),  # content hashes of the top 10
)

champion = Table(
    "champion",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("version_id", ForeignKey("versions.id"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("auto_promote", Boolean, nullable=False),
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(16), nullable=False),
    Column("from_version", ForeignKey("versions.id")),
    Column("to_version", ForeignKey("versions.id"), nullable=False),
    Column("generation", Integer, nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("forced", Boolean, nullable=False),
    Column("job_id", ForeignKey("jobs.id")),
    sqlite_autoincrement=True,
)

# --- work -------------------------------------------------------------------------------------

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("stage", String(64), nullable=False),
    Column("progress", Float, nullable=False),
    Column("params", JSON, nullable=False),
    Column("result", JSON),
    Column("error", Text),
    Column("due", String(64), unique=True),  # "nightly:2026-11-21": a scheduled job runs once a day
    Column("requested_by", String(200), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", UtcDateTime),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    sqlite_autoincrement=True,
)

job_events = Table(
    "job_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("type", String(16), nullable=False),
    Column("data", JSON, nullable=False),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),  # session | link (one-time sign-in)
    Column("actor", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
