"""Guard sets: golden questions of the team and docstring questions of the code, as lists to score an arm on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store import general as general_store
from store import golden as golden_store
from store.database import Database
from store.settings import Settings
from store.types import EvalQuery, Impression, Split, Vector
from trainer.first_stage import FirstStage
from trainer.golden import expected_chunks
from trainer.grouping import TextEncoder, group_queries

MOST_GENERAL = 100
"""Docstring questions that are scored: each costs as much as a full rerank."""


@dataclass(frozen=True, slots=True)
class Guards:
    """Lists by set; ``group_id`` of a list is the number of its question."""

    golden: tuple[EvalQuery, ...] = ()
    general: tuple[EvalQuery, ...] = ()


def guard_sets(
    db: Database, encoder: TextEncoder, settings: Settings, trained_groups: frozenset[int], now: datetime
) -> Guards:
    """Search each guard question in the first stage and keep the lists that hold a right chunk.

    Golden questions that were trained on, in whatever words, are left out: they could not show forgetting. (A night on
    imported pairs alone has not grouped them yet, so they are grouped here.)
    """
    with db.read() as tx:
        golden = golden_store.list_all(tx)
    places = group_queries(db, encoder, [one.query for one in golden], now).places
    questions = [one for one in golden if places[one.query].group_id not in trained_groups]
    with db.read() as tx:
        docstrings = general_store.guards(tx, MOST_GENERAL)
        right = {one.id: {chunk.content_hash for chunk, _ in expected_chunks(tx, one).values()} for one in questions}
    asked = [(one.id, one.query, one.repo, right[one.id]) for one in questions]
    asked_general = [(number, query, repo, {text}) for number, query, repo, text in docstrings]
    if not asked and not asked_general:
        return Guards()
    vectors = encoder.encode([query for _, query, _, _ in (*asked, *asked_general)])
    with db.read() as tx:
        stage = FirstStage.load(tx, encoder.name, settings.first_stage_lexical)

        def lists(items: Sequence[tuple[int, str, str | None, set[str]]], own: Vector) -> tuple[EvalQuery, ...]:
            made = []
            for (number, query, repo, texts), vector in zip(items, own, strict=True):
                found = stage.search(tx, query, vector, repo, settings.depth, now)
                if any(row.content_hash in texts for row in found.rows):
                    made.append(_eval_query(number, found, texts))
            return tuple(made)

        return Guards(lists(asked, vectors[: len(asked)]), lists(asked_general, vectors[len(asked) :]))


def _eval_query(number: int, found: Impression, right: set[str]) -> EvalQuery:
    rows = list({row.content_hash: row for row in reversed(found.rows)}.values())[::-1]
    return EvalQuery(
        group_id=number,
        query=found.query,
        split=Split.HELD_OUT,
        content_hashes=tuple(row.content_hash for row in rows),
        dense_scores=tuple(row.dense_score for row in rows),
        lexical_scores=tuple(row.lexical_score for row in rows),
        relevance=dict.fromkeys(sorted(right), 1.0),
    )
