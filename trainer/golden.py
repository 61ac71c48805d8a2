"""Golden questions: a team's own questions with the right places. They are strong evidence that is no signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from store import chunks, repos
from store.database import Connection
from store.golden import ACTOR, SAYS, Golden
from store.types import Chunk, PairSource
from trainer.evidence import Evidence, Place, Policy, Voice


def expected_chunks(tx: Connection, question: Golden) -> dict[int, tuple[Chunk, str]]:
    """Chunk id → (live chunk, the expectation that names it). A path stands for all chunks of that file."""
    found: dict[int, tuple[Chunk, str]] = {}
    for wanted in question.expected:
        if isinstance(wanted, int):
            for chunk in chunks.get(tx, [wanted]).values():
                if chunks.is_live(tx, chunk.id):
                    found[chunk.id] = (chunk, f"chunk {wanted}")
            continue
        for repo in _repos(tx, question):
            found.update({chunk.id: (chunk, wanted) for chunk in chunks.in_file(tx, repo, wanted)})
    return found


def evidence(
    tx: Connection, questions: Sequence[Golden], places: Mapping[str, Place], policy: Policy
) -> tuple[list[Evidence], list[int]]:
    """What the golden questions say, and the ids of those whose places are not in the code (any more).

    The chunks of one file share the weight: the question is about the file, and not each of them answers it.
    """
    made: list[Evidence] = []
    lost: list[int] = []
    for question in questions:
        found = expected_chunks(tx, question)
        if not found:
            lost.append(question.id)
            continue
        for wanted in sorted({name for _, name in found.values()}):
            members = [chunk for chunk, name in found.values() if name == wanted]
            made += [_one(question, chunk, wanted, policy.golden / len(members), places) for chunk in members]
    return made, lost


def _one(question: Golden, chunk: Chunk, wanted: str, weight: float, places: Mapping[str, Place]) -> Evidence:
    place = places[question.query]
    note = "; does not train: nearly the same as a held-out question" if place.bridged else ""
    return Evidence(
        group_id=place.group_id,
        query=question.query,
        content_hash=chunk.content_hash,
        judged_hash=chunk.content_hash,
        chunk_id=chunk.id,
        relevant=True,
        weight=0.0 if place.bridged else weight,
        voice=Voice.CHUNK,
        source=PairSource.GOLDEN,
        reason=f"{SAYS}{question.id} expects {wanted}{note}",
        signal_id=None,
        actor=ACTOR,
    )


def _repos(tx: Connection, question: Golden) -> list[str]:
    return [question.repo] if question.repo is not None else [repo.name for repo in repos.list_all(tx)]
