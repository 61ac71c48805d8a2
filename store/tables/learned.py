"""What was learned: snapshots, versions, evaluations, the champion and its ledger."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from store.tables.kinds import UtcDateTime, metadata

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
    Column("evidence", String(16), nullable=False),  # one of store.evaluations.EvalRow
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
