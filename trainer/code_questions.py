"""Code questions: what the code says about itself as training lists, so that few ratings teach more and forget less.

The question is a docstring's first sentence; the right passage is its code with all documentation taken out, among
first-stage neighbours treated the same way. Only files outside the general set give any (``store.general``), and no
code question is ever evidence: nothing is evaluated on them. One that asks what a known query, a golden question or
the general set asks is left out, and no chunk of a file of the general set stands among the passages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from store import chunks, general, golden, queries, texts
from store.database import Connection, Database
from store.types import Chunk, Pair, PairSource, Vector
from trainer.first_stage import FirstStage
from trainer.grouping import TextEncoder
from trainer.split import THRESHOLD
from trainer.undocumented import undocumented


@dataclass(frozen=True, slots=True)
class CodePolicy:
    """0 ``questions`` turns them off."""

    questions: int = 400
    candidates: int = 12
    """Passages a list, the right one among them."""
    neighbours: int = 16
    """First-stage candidates that the passages are chosen from."""
    share: float = 0.3
    """The lists' weights add up to this share of what the judged lists weigh together (docs/LOG.md), …"""
    least_weight: float = 30.0
    """… and at least to this."""
    shortest: int = 60
    """Characters that are left of a passage worth learning from."""
    duplicate: float = 0.95
    """Cosine of two passages that are the same answer."""


_EVERY = 1_000_000

Vectors = Callable[[Iterable[str]], Mapping[str, Vector]]
"""Content hashes of stored texts → their vectors, made where missing."""


def code_pairs(
    db: Database, encoder: TextEncoder, vectors: Vectors, lexical: float, judged: Sequence[Pair], policy: CodePolicy
) -> list[Pair]:
    """The rows of all code questions, ordered by question. Their group ids are negative: no query group has them.

    Empty where ``judged`` teaches nothing by itself (no right or no wrong passage): ratings are what a night is about.
    Stores the bare passages' texts and vectors, so that the next night makes only new ones.
    """
    labels = {pair.label > 0.5 for pair in judged if pair.weight > 0}
    if policy.questions == 0 or len(labels) < 2:
        return []
    with db.read() as tx:
        found = general.for_training(tx, policy.questions)
        if not found:
            return []
        asked, own = _unheard(tx, encoder, found)
        stage = FirstStage.load(tx, encoder.name, lexical)
        lists = _bare_lists(tx, stage, asked, own, policy)
    bare = {texts.content_hash(text): text for one in lists for text in one.passages}
    with db.write() as tx:
        texts.put(tx, bare)
    known = vectors(bare)
    made = [pairs for one in lists if (pairs := _pairs(one, known, policy))]
    weight = max(policy.share * _weight(judged), policy.least_weight) / max(1, len(made))
    return [pair(weight) for pairs in made for pair in pairs]


def _unheard(
    tx: Connection, encoder: TextEncoder, found: Sequence[general.Row]
) -> tuple[list[general.Row], list[Vector]]:
    """Those, with their vectors, that ask what nobody asked and no guard asks: the rest would be trained on unseen."""
    guards = general.guards(tx, _EVERY)
    taken = {digest for _, _, _, digest in guards}
    words = [query for _, query, _, _ in (*guards, *found)]
    vectors = encoder.encode([*words, *(one.query for one in golden.list_all(tx))])
    own = vectors[len(guards) : len(words)]
    others = [*vectors[: len(guards)], *vectors[len(words) :], *(one.vector for one in queries.known(tx))]
    near = (own @ np.stack(others).T).max(axis=1) if others else np.zeros(len(found))
    kept = [at for at, row in enumerate(found) if near[at] < THRESHOLD and row[3] not in taken]
    return [found[at] for at in kept], [own[at] for at in kept]


@dataclass(frozen=True, slots=True)
class _List:
    number: int
    query: str
    vector: Vector
    passages: tuple[str, ...]
    """The right one first."""


def _bare_lists(
    tx: Connection,
    stage: FirstStage,
    asked: Sequence[tuple[int, str, str, str]],
    own: Sequence[Vector],
    policy: CodePolicy,
) -> list[_List]:
    holders = chunks.by_hash(tx, {digest for _, _, _, digest in asked})
    near = _neighbours(stage, asked, own, policy)
    found = chunks.get(tx, sorted({chunk_id for ids in near.values() for chunk_id in ids}))
    made = []
    for at, (number, query, _, digest) in enumerate(asked):
        right = next(iter(holders.get(digest, [])), None)
        if right is None:
            continue
        bare = undocumented(right.text)
        if len(bare) < policy.shortest or bare == right.text.strip("\n") or query.casefold() in bare.casefold():
            continue
        others = [one for chunk_id in near[number] if (one := found.get(chunk_id)) and _other(one, right)]
        passages = dict.fromkeys([bare, *(undocumented(one.text) for one in others[: policy.neighbours])])
        made.append(_List(number, query, own[at], tuple(text for text in passages if len(text) >= policy.shortest)))
    return made


def _other(one: Chunk, right: Chunk) -> bool:
    same = one.content_hash == right.content_hash or (one.symbol and one.symbol == right.symbol)
    return not same and not general.guards_file(one.path)


def _neighbours(
    stage: FirstStage, asked: Sequence[general.Row], own: Sequence[Vector], policy: CodePolicy
) -> dict[int, list[int]]:
    """Chunk ids by question: its nearest in its repository, twice as many as are wanted, for some are left out."""
    near: dict[int, list[int]] = {}
    for repo in dict.fromkeys(repo for _, _, repo, _ in asked):
        ids, matrix = stage.ids[stage.repos == repo], stage.matrix[stage.repos == repo]
        for (number, _, where, _), vector in zip(asked, own, strict=True):
            if where == repo:
                best = np.argsort(-(matrix @ vector), kind="stable")[: 2 * policy.neighbours]
                near[number] = [int(ids[place]) for place in best]
    return near


def _pairs(one: _List, vectors: Mapping[str, Vector], policy: CodePolicy) -> list[Callable[[float], Pair]]:
    """Rows that await their weight; none where no wrong passage is left."""
    right, *others = [(name, vectors[name]) for name in map(texts.content_hash, one.passages)]
    wrong = [(name, vector) for name, vector in others if float(vector @ right[1]) < policy.duplicate]
    wrong.sort(key=lambda found: -float(found[1] @ one.vector))
    chosen = [right, *wrong[: policy.candidates - 1]]
    return [_row(one, name, vector, place) for place, (name, vector) in enumerate(chosen)] if len(chosen) > 1 else []


def _row(one: _List, name: str, vector: Vector, place: int) -> Callable[[float], Pair]:
    def row(weight: float) -> Pair:
        return Pair(
            group_id=-one.number,
            query=one.query,
            content_hash=name,
            label=0.0 if place else 1.0,
            weight=weight,
            source=PairSource.CODE_QUESTION,
            dense_score=float(vector @ one.vector),
            reason="its neighbour" if place else "its docstring says so",
        )

    return row


def _weight(judged: Sequence[Pair]) -> float:
    """Of all judged lists: each weighs what its heaviest right passage weighs."""
    heaviest: dict[int, float] = defaultdict(float)
    for pair in judged:
        if pair.label > 0.5:
            heaviest[pair.group_id] = max(heaviest[pair.group_id], pair.weight)
    return sum(heaviest.values())
