"""The SQL schema. Migrations in ``alembic/`` create exactly this; a test compares the two."""

from __future__ import annotations

from store.tables.asked import answers, conversations, impressions
from store.tables.code import chunks, files, repo_readers, repos, texts, vectors
from store.tables.kinds import UtcDateTime, metadata
from store.tables.learned import champion, deployments, evaluations, snapshot_signals, snapshots, versions
from store.tables.said import (
    burst_decisions,
    general_queries,
    golden,
    imported_pairs,
    judgment_overrides,
    judgment_signals,
    judgments,
    queries,
    query_groups,
    signals,
)
from store.tables.work import job_events, jobs, meta, sessions

__all__ = [
    "UtcDateTime",
    "answers",
    "burst_decisions",
    "champion",
    "chunks",
    "conversations",
    "deployments",
    "evaluations",
    "files",
    "general_queries",
    "golden",
    "imported_pairs",
    "impressions",
    "job_events",
    "jobs",
    "judgment_overrides",
    "judgment_signals",
    "judgments",
    "meta",
    "metadata",
    "queries",
    "query_groups",
    "repo_readers",
    "repos",
    "sessions",
    "signals",
    "snapshot_signals",
    "snapshots",
    "texts",
    "vectors",
    "versions",
]
