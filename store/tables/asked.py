"""What was asked and shown."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, String, Table, Text

from store.tables.kinds import UtcDateTime, metadata

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
