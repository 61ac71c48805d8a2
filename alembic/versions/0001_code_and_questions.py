"""What is indexed (with its full-text index), what was asked and shown, and how it was rated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    _meta()
    _repos()
    _files()
    _texts()
    _vectors()
    _chunks()
    _chunks_fts()
    _conversations()
    _answers()
    _impressions()
    _signals()
    _sessions()
    _general_queries()
    _golden()


def downgrade() -> None:
    for table in (
        "golden",
        "general_queries",
        "sessions",
        "signals",
        "impressions",
        "answers",
        "conversations",
        "chunks_fts",
        "chunks",
        "vectors",
        "texts",
        "files",
        "repos",
        "meta",
    ):
        op.drop_table(table)


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )


def _repos() -> None:
    op.create_table(
        "repos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("indexed_at", UTC),
        sa.Column("removed_at", UTC),
        sa.Column("skipped", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repos"),
        sa.UniqueConstraint("name", name="uq_repos_name"),
    )


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repo_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mtime_ns", sa.String(length=24), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name="fk_files_repo_id_repos", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_files"),
        sa.UniqueConstraint("repo_id", "path", name="uq_files_repo_id"),
    )


def _texts() -> None:
    op.create_table(
        "texts",
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name="pk_texts"),
    )


def _vectors() -> None:
    op.create_table(
        "vectors",
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("encoder", sa.String(length=200), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["content_hash"], ["texts.content_hash"], name="fk_vectors_content_hash_texts"),
        sa.PrimaryKeyConstraint("content_hash", "encoder", name="pk_vectors"),
    )


def _chunks() -> None:
    op.create_table(
        "chunks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repo_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("start_line", sa.Integer(), nullable=False),
        sa.Column("end_line", sa.Integer(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=32), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("retired_at", UTC),
        sa.ForeignKeyConstraint(["content_hash"], ["texts.content_hash"], name="fk_chunks_content_hash_texts"),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name="fk_chunks_repo_id_repos"),
        sa.PrimaryKeyConstraint("id", name="pk_chunks"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chunks_content_hash", "chunks", ["content_hash"])
    op.create_index("ix_chunks_repo_id", "chunks", ["repo_id"])
    op.create_index("ix_chunks_repo_path", "chunks", ["repo_id", "path"])
    op.create_index("ix_chunks_retired_at", "chunks", ["retired_at"])


def _chunks_fts() -> None:
    # Tokens come ready-made from store.tokens, separated by spaces; the tokenizer only has to cut there.
    op.execute("CREATE VIRTUAL TABLE chunks_fts USING fts5(path, symbol, text, tokenize = \"ascii tokenchars '_'\")")


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("repo", sa.String(length=200)),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("deleted_at", UTC),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_actor", "conversations", ["actor"])


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("conversation_id", sa.String(length=32)),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("repo", sa.String(length=200)),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("citations", sa.JSON(), nullable=False),
        sa.Column("generator", sa.String(length=200), nullable=False),
        sa.Column("model_version", sa.Integer(), nullable=False),
        sa.Column("timings", sa.JSON(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_answers_conversation_id_conversations"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
    )
    op.create_index("ix_answers_actor", "answers", ["actor"])
    op.create_index("ix_answers_conversation_id", "answers", ["conversation_id"])
    op.create_index("ix_answers_created_at", "answers", ["created_at"])


def _impressions() -> None:
    op.create_table(
        "impressions",
        sa.Column("answer_id", sa.String(length=32), nullable=False),
        sa.Column("chunk_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("dense_score", sa.Float(), nullable=False),
        sa.Column("lexical_score", sa.Float(), nullable=False),
        sa.Column("fused_score", sa.Float(), nullable=False),
        sa.Column("rerank_score", sa.Float()),
        sa.Column("final_score", sa.Float(), nullable=False),
        sa.Column("first_stage_rank", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("cited", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_impressions_answer_id_answers"),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunks.id"], name="fk_impressions_chunk_id_chunks"),
        sa.ForeignKeyConstraint(["content_hash"], ["texts.content_hash"], name="fk_impressions_content_hash_texts"),
        sa.PrimaryKeyConstraint("answer_id", "chunk_id", name="pk_impressions"),
    )
    op.create_index("ix_impressions_content_hash", "impressions", ["content_hash"])


def _signals() -> None:
    op.create_table(
        "signals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("answer_id", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("chunk_id", sa.Integer()),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name="fk_signals_answer_id_answers"),
        sa.ForeignKeyConstraint(["chunk_id"], ["chunks.id"], name="fk_signals_chunk_id_chunks"),
        sa.PrimaryKeyConstraint("id", name="pk_signals"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signals_created_at", "signals", ["created_at"])
    op.create_index("ix_signals_target", "signals", ["answer_id", "actor", "kind", "chunk_id"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
    )


def _general_queries() -> None:
    op.create_table(
        "general_queries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("repo_id", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["content_hash"], ["texts.content_hash"], name="fk_general_queries_content_hash_texts"),
        sa.ForeignKeyConstraint(["repo_id"], ["repos.id"], name="fk_general_queries_repo_id_repos", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_general_queries"),
    )
    op.create_index("ix_general_queries_repo_id", "general_queries", ["repo_id"])


def _golden() -> None:
    op.create_table(
        "golden",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("repo", sa.String(length=200)),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_golden"),
    )
