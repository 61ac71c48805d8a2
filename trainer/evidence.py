"""From signals to evidence: one piece a (query group, chunk text, account), with the words that say why.

What a signal means is DESIGN §5: thumbs and stars judge the answer, so the cited chunks share their weight; chunk votes
and corrections judge the chunk; events are weak and speak for a click and against what was passed over above it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from store.types import Impression, PairSource, Signal, SignalKind, Split
from trainer.follow import Followed, How


@dataclass(frozen=True, slots=True)
class Policy:
    """What each act weighs. Weights are in [0, 1]; shared ones are divided among the chunks they speak about."""

    vote: float = 1.0
    correction: float = 1.0
    golden: float = 1.0
    thumb_up: float = 0.5
    thumb_down: float = 0.25
    stars: Mapping[int, float] = field(default_factory=lambda: {5: 0.5, 4: 0.35, 2: 0.15, 1: 0.25})
    """Stars → shared weight; 3 stars say nothing."""
    click: float = 0.1
    copy: float = 0.2
    skipped: float = 0.05
    weak_cap: float = 0.5
    """However many weak signals agree, they weigh less than one vote."""
    account_floor: float = 200.0
    """An account's weights add up to at most this, or what all other accounts weigh together, whichever is more."""
    burst_signals: int = 300
    """More of one account within ``burst_minutes`` make no judgment until a person releases them (``store.bursts``)."""
    burst_minutes: float = 10.0


class Voice(IntEnum):
    """Of one person's several statements about a chunk the highest counts; of equals the latest."""

    EVENT = 0
    RATING = 1
    CHUNK = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A query's group. ``bridged``: it is nearly the same as a held-out question, so its signals don't train."""

    group_id: int
    split: Split
    bridged: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one signal says about one chunk text."""

    group_id: int
    query: str
    content_hash: str
    """Where the judged text lives now (see ``trainer.follow``)."""
    judged_hash: str
    chunk_id: int | None
    relevant: bool
    weight: float
    voice: Voice
    source: PairSource
    reason: str
    signal_id: int | None
    actor: str
    retired: bool = False

    @property
    def strong(self) -> bool:
        return self.voice is Voice.CHUNK


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of chunks: the text hash of each id, and where each text lives now."""

    hashes: Mapping[int, str]
    followed: Mapping[str, Followed]

    def judged(self, chunk_id: int, impression: Impression) -> str | None:
        """The text that a person saw under this id in the list, or the chunk's own; None where it is unknown."""
        row = next((row for row in impression.rows if row.chunk_id == chunk_id), None)
        return row.content_hash if row is not None else self.hashes.get(chunk_id)

    def text(self, chunk_id: int, impression: Impression) -> str | None:
        """What that text has become since."""
        judged = self.judged(chunk_id, impression)
        now = self.followed.get(judged) if judged is not None else None
        return now.content_hash if now is not None else judged


def in_force(signals: Iterable[Signal]) -> list[Signal]:
    """The latest of each (answer, actor, kind, chunk), retractions dropped; of corrections the latest of an answer.

    Of a thumb and stars on one answer both stay: they agree (``store.signals`` refuses others), and the later speaks.
    """
    latest: dict[tuple[str, str, SignalKind, int | None], Signal] = {}
    for signal in sorted(signals, key=lambda signal: signal.id):
        chunk = None if signal.kind is SignalKind.CORRECTION else signal.chunk_id
        latest[(signal.answer_id, signal.actor, signal.kind, chunk)] = signal
    return sorted((s for s in latest.values() if s.value is not None), key=lambda signal: signal.id)


def gather(
    signals: Iterable[Signal],
    impressions: Mapping[str, Impression],
    places: Mapping[str, Place],
    known: Known,
    policy: Policy,
) -> list[Evidence]:
    """All evidence, one voice a person and chunk. ``places``: query as asked → its group; others are left out.

    Evidence of a bridged query keeps its words and loses its weight.
    """
    by_act: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    for signal in in_force(signals):
        by_act[(signal.answer_id, signal.actor)].append(signal)
    found: dict[tuple[int, str, str], Evidence] = {}
    for (answer_id, _), acts in sorted(by_act.items()):
        impression = impressions.get(answer_id)
        place = places.get(impression.query) if impression else None
        if impression is None or place is None:
            continue
        for evidence in _one_answer(acts, impression, place, known, policy):
            key = (evidence.group_id, evidence.content_hash, evidence.actor)
            before = found.get(key)
            if before is None or _precedence(evidence) > _precedence(before):
                found[key] = evidence
    return [found[key] for key in sorted(found)]


def _precedence(evidence: Evidence) -> tuple[bool, int, int]:
    """What a bridged query takes the weight from silences nothing that the same person said elsewhere."""
    return evidence.weight > 0, evidence.voice, evidence.signal_id or 0


def _one_answer(
    acts: Sequence[Signal], impression: Impression, place: Place, known: Known, policy: Policy
) -> list[Evidence]:
    maker = _Maker(impression, place, known)
    direct = {act.chunk_id: bool(act.value) for act in acts if act.kind is SignalKind.CHUNK_VOTE}
    made: list[Evidence] = []
    for act in acts:
        match act.kind:
            case SignalKind.CHUNK_VOTE:
                words = "voted the right chunk" if act.value else "voted not relevant"
                source = PairSource.CHUNK_VOTE
                made += maker.make(act, act.chunk_id, bool(act.value), policy.vote, Voice.CHUNK, source, words)
            case SignalKind.CORRECTION:
                words = "named as the right chunk in a correction"
                source = PairSource.CORRECTION
                made += maker.make(act, act.chunk_id, True, policy.correction, Voice.CHUNK, source, words)
            case SignalKind.THUMB | SignalKind.STARS:
                made += _rating(act, impression, direct, maker, policy)
            case _:
                pass
    return made + _events(acts, impression, maker, policy)


def _rating(
    act: Signal, impression: Impression, direct: Mapping[int | None, bool], maker: _Maker, policy: Policy
) -> list[Evidence]:
    """A rating of the answer: the cited chunks share its weight; those the person voted on keep their vote instead.

    ``direct``: chunk → that vote. One that agrees explains its share of the rating, one that contradicts has none.
    """
    if act.kind is SignalKind.THUMB:
        up = act.value == "up"
        total, said, source = (policy.thumb_up if up else policy.thumb_down), f"thumb {act.value}", PairSource.THUMB
    else:
        stars = int(act.value)
        up, total, source = stars >= 4, policy.stars.get(stars, 0.0), PairSource.STARS
        said = f"{stars} star{'s' if stars != 1 else ''}"
    cited = [row for row in impression.rows if row.cited and direct.get(row.chunk_id, up) == up]
    if not cited or total <= 0:
        return []
    share = total / len(cited)
    said_of = [row for row in cited if row.chunk_id not in direct]
    words = f"{said} for an answer that cites it" + (f" with {len(cited) - 1} more" if len(cited) > 1 else "")
    return [
        evidence
        for row in said_of
        for evidence in maker.make(act, row.chunk_id, up, share, Voice.RATING, source, words)
    ]


def _events(acts: Sequence[Signal], impression: Impression, maker: _Maker, policy: Policy) -> list[Evidence]:
    """Clicks speak weakly for a chunk, and against the shown ones above it that were passed over.

    "Click > skip above": Joachims et al., "Accurately interpreting clickthrough data as implicit feedback", SIGIR 2005.
    """
    weights = {SignalKind.CLICK: policy.click, SignalKind.OPEN: policy.click, SignalKind.COPY: policy.copy}
    shown = {row.chunk_id: row for row in impression.rows if row.shown}
    best: dict[int, Signal] = {}
    for act in acts:
        if act.kind in weights and act.chunk_id is not None and act.chunk_id in shown:
            before = best.get(act.chunk_id)
            if before is None or weights[act.kind] >= weights[before.kind]:
                best[act.chunk_id] = act
    if not best:
        return []
    made: list[Evidence] = []
    for chunk_id, act in best.items():
        words = f"{act.kind.value} at rank {shown[chunk_id].rank}"
        made += maker.make(act, chunk_id, True, weights[act.kind], Voice.EVENT, PairSource.CLICK, words)
    lowest = max(best, key=lambda chunk_id: shown[chunk_id].rank)
    for chunk_id, row in shown.items():
        if row.rank < shown[lowest].rank and chunk_id not in best:
            words = f"passed over at rank {row.rank} for a {best[lowest].kind.value} at rank {shown[lowest].rank}"
            made += maker.make(best[lowest], chunk_id, False, policy.skipped, Voice.EVENT, PairSource.CLICK, words)
    return made


@dataclass(frozen=True, slots=True)
class _Maker:
    impression: Impression
    place: Place
    known: Known

    def make(
        self,
        act: Signal,
        chunk_id: int | None,
        relevant: bool,
        weight: float,
        voice: Voice,
        source: PairSource,
        words: str,
    ) -> list[Evidence]:
        """No evidence where nothing is known of the chunk, else one."""
        if chunk_id is None:
            return []
        row = next((row for row in self.impression.rows if row.chunk_id == chunk_id), None)
        judged = self.known.judged(chunk_id, self.impression)
        if judged is None:
            return []
        now = self.known.followed.get(judged) or Followed(judged, chunk_id, How.SAME)
        notes = [f"{act.actor}: {words}"]
        if voice is Voice.CHUNK:
            notes.append(f"ranked {row.rank}" if row is not None else "it was not among the candidates")
        notes += [now.note] if now.note else []
        if self.place.bridged:
            notes.append("does not train: nearly the same as a held-out question")
        return [
            Evidence(
                group_id=self.place.group_id,
                query=self.impression.query,
                content_hash=now.content_hash,
                judged_hash=judged,
                chunk_id=now.chunk_id,
                relevant=relevant,
                weight=0.0 if self.place.bridged else weight,
                voice=voice,
                source=source,
                reason="; ".join(notes),
                signal_id=act.id,
                actor=act.actor,
                retired=now.how is How.GONE,
            )
        ]
