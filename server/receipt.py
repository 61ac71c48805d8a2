"""What became of a person's ratings of one answer: judgments, data sets, versions, ranks then and now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from server import views
from server.schemas.rating import Receipt, ReceiptJudgment, ReceiptRank, ReceiptVersion
from store import chunks, impressions, judgments, registry, signals, snapshots
from store.database import Database
from store.golden import ACTOR, SAYS
from store.types import Chunk, Impression, Judgment, Signal, SignalKind, Version

RECORDED = "Recorded. This trains search ranking (only the reranker, not the language model)."
TAKEN_BACK = "Taken back. Nothing of it will be trained on."
LEARNED = "Recorded, and learned from: {names}."
JUDGED = "Recorded, and counted as {count} for the next training."
_VERSIONS = 10_000


def build(
    db: Database,
    answer_id: str,
    actor: str,
    now: Mapping[int, int | None],
    model_now: int | None,
    hidden: frozenset[str] = frozenset(),
) -> Receipt:
    """The receipt of ``actor`` for an answer. ``now`` is each chunk's rank today, where it was recomputed.

    Chunks of ``hidden`` repositories are not named.
    Raises NotFound for an unknown answer.
    """
    with db.read() as tx:
        impression = impressions.get(tx, answer_id)
        held = signals.in_force(tx, answer_id, actor)
        ids = [signal.id for signal in held]
        judged = judgments.by_signals(tx, ids)
        hashes = snapshots.for_signal(tx, ids)
        learned = _learned(registry.list_all(tx, _VERSIONS) if hashes else [], hashes)
        known = chunks.get(tx, chunks_of(impression, held))
    return Receipt(
        answer_id=answer_id,
        message=_message(held, len(judged), learned),
        rating=views.rating(held),
        judgments=[_judgment(judgment, actor, impression.query) for judgment in judged],
        snapshots=hashes,
        versions=learned,
        ranks=[_rank(chunk, impression, now) for chunk in known.values() if chunk.repo not in hidden],
        model_then=impression.model_version,
        model_now=model_now,
    )


def _judgment(judgment: Judgment, actor: str, question: str) -> ReceiptJudgment:
    """As its owner may see it: their own words and reasons; of others only how many stand behind it too.

    Golden questions are named without what they ask and expect.

    Reasons begin with who acted; a person reads of themselves as "you".
    """
    own = f"{actor}: "
    others = tuple(f"{name}: " for name in judgment.actors if name not in (actor, ACTOR))
    said = [
        f"you: {reason.removeprefix(own)}" if reason.startswith(own) else reason
        for reason in judgment.reasons
        if not reason.startswith((*others, SAYS))
    ]
    if others:
        said.append("and 1 other person" if len(others) == 1 else f"and {len(others)} other people")
    if ACTOR in judgment.actors:
        said.append("and a golden question of your team")
    return ReceiptJudgment.model_validate(judgment).model_copy(update={"reasons": said, "query": question})


def chunks_of(impression: Impression, held: Iterable[Signal]) -> list[int]:
    """The chunks that ratings are about: voted on or corrected to, and the cited ones where the answer was rated."""
    named: list[int] = []
    for signal in held:
        if signal.kind in (SignalKind.CHUNK_VOTE, SignalKind.CORRECTION) and signal.chunk_id is not None:
            named.append(signal.chunk_id)
        elif signal.kind in (SignalKind.THUMB, SignalKind.STARS):
            named.extend(row.chunk_id for row in impression.rows if row.cited)
    return list(dict.fromkeys(named))


def _learned(versions: Sequence[Version], hashes: Sequence[str]) -> list[ReceiptVersion]:
    return [
        ReceiptVersion(
            id=version.id,
            name=version.name,
            decision=version.decision,
            champion=version.champion,
            snapshot_hash=version.snapshot_hash,
            created_at=version.created_at,
        )
        for version in versions
        if version.snapshot_hash is not None and version.snapshot_hash in hashes
    ]


def _message(held: Sequence[Signal], judged: int, learned: Sequence[ReceiptVersion]) -> str:
    if not held:
        return TAKEN_BACK
    if learned:
        return LEARNED.format(names=", ".join(f"version {version.id}" for version in learned))
    if judged:
        return JUDGED.format(count="1 judgment" if judged == 1 else f"{judged} judgments")
    return RECORDED


def _rank(chunk: Chunk, impression: Impression, now: Mapping[int, int | None]) -> ReceiptRank:
    then = next((row.rank for row in impression.rows if row.chunk_id == chunk.id), None)
    return ReceiptRank(
        chunk_id=chunk.id,
        repo=chunk.repo,
        path=chunk.path,
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        then=then,
        now=now.get(chunk.id),
    )
