"""What people said, and what it was taken to mean.

Signals are append-only: the latest row of (answer, actor, kind, chunk) is in force.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from store.tables.kinds import UtcDateTime, metadata

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

burst_decisions = Table(  # about the signals of one account from first to last; the latest about a signal is in force
    "burst_decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String(264), nullable=False),
    Column("first_signal", Integer, nullable=False),
    Column("last_signal", Integer, nullable=False),
    Column("action", String(16), nullable=False),  # release | leave_out
    Column("actor", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
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

general_queries = Table(  # docstring questions made at indexing: the general set and code questions (store.general)
    "general_queries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("query", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("content_hash", ForeignKey("texts.content_hash"), nullable=False),
)
