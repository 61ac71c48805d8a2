"""What is indexed. Qdrant can always be rebuilt from chunks and vectors."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from store.tables.kinds import UtcDateTime, metadata

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
    Column("restricted", Boolean, nullable=False, server_default=false()),  # only for its readers
)

repo_readers = Table(
    "repo_readers",
    metadata,
    Column("repo_id", ForeignKey("repos.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(8), primary_key=True),  # person | group
    Column("name", String(200), primary_key=True),
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
    Column("secrets", JSON, nullable=False, server_default="[]"),  # [line, kind] of each value left out of its text
    Column("questions", JSON(none_as_null=True)),  # [query, content hash] of its docstrings; NULL: not looked for yet
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
