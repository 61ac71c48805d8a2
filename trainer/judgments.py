"""From evidence to judgments: merged over paraphrases and people, contradictions down-weighted, accounts capped."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from store.types import Impression, Judgment, Signal
from trainer.evidence import Evidence, Known, Place, Policy, gather


class Override(Protocol):
    """A person's veto or edit (``store.judgments.Override``); ``action`` is veto, edit or restore."""

    @property
    def action(self) -> str: ...
    @property
    def relevance(self) -> float | None: ...
    @property
    def actor(self) -> str: ...
    @property
    def reason(self) -> str: ...


def judgment_id(group_id: int, content_hash: str) -> str:
    """Stable name of a judgment: sha256 of group and text."""
    return hashlib.sha256(f"{group_id}\0{content_hash}".encode()).hexdigest()


def judge(
    signals: Iterable[Signal],
    impressions: Mapping[str, Impression],
    places: Mapping[str, Place],
    overrides: Mapping[str, Override],
    known: Known,
    policy: Policy,
    accounts: Mapping[str, str] | None = None,
    also: Iterable[Evidence] = (),
) -> list[Judgment]:
    """All judgments, ordered by group and text.

    ``impressions``: by answer id. ``places``: query as asked → its group. ``overrides``: by judgment id.
    ``accounts``: actor → account, for actors who share one cap. ``also``: evidence without a signal (golden questions).
    """
    evidence = gather(signals, impressions, places, known, policy)
    capped = cap_accounts([*evidence, *also], accounts or {}, policy.account_floor)
    by_target: dict[tuple[int, str], list[Evidence]] = defaultdict(list)
    for piece in capped:
        by_target[(piece.group_id, piece.content_hash)].append(piece)
    return [_override(_merge(by_target[key], policy), by_target[key], overrides) for key in sorted(by_target)]


def cap_accounts(evidence: Sequence[Evidence], accounts: Mapping[str, str], floor: float) -> list[Evidence]:
    """No account weighs more than ``max(floor, what all others weigh together)``: its weights shrink by one factor.

    At most one account can weigh more than all others, so the order doesn't matter. A lone account is left alone: there
    is no one it could outvote. Evidence without a signal (golden questions) is a decision of the team and not capped.
    """
    totals: dict[str, float] = defaultdict(float)
    for piece in evidence:
        if piece.signal_id is not None:
            totals[accounts.get(piece.actor, piece.actor)] += piece.weight
    if len(totals) < 2:
        return list(evidence)
    everything = sum(totals.values())
    factors = {
        account: min(1.0, max(floor, everything - total) / total) if total > 0 else 1.0
        for account, total in totals.items()
    }
    capped = []
    for piece in evidence:
        factor = factors[accounts.get(piece.actor, piece.actor)] if piece.signal_id is not None else 1.0
        capped.append(piece if factor >= 1 else replace(piece, weight=piece.weight * factor))
    return capped


def _merge(pieces: Sequence[Evidence], policy: Policy) -> Judgment:
    """One judgment from all that was said about one text under one query group.

    Where anybody judged the chunk itself, only such evidence counts: weak signals would make the champion's own choices
    part of the truth. With P and N the weights for and against: relevance P / (P + N), weight min(cap, P + N) times the
    agreement |P - N| / (P + N). Equal contradiction therefore weighs nothing, and is listed for a person.
    """
    heard = [piece for piece in pieces if piece.weight > 0] or list(pieces)
    strong = any(piece.strong for piece in heard)
    counted = [piece for piece in heard if piece.strong == strong]
    counted.sort(key=lambda piece: (-piece.weight, piece.signal_id or 0, piece.reason))
    gain = sum(piece.weight for piece in counted if piece.relevant)
    loss = sum(piece.weight for piece in counted if not piece.relevant)
    total = gain + loss
    voices = {piece.relevant for piece in counted}
    agreement = abs(gain - loss) / total if total > 0 else 0.0
    relevance = gain / total if total > 0 else float(all(voices)) if len(voices) == 1 else 0.5
    newest = max(counted, key=lambda piece: (piece.signal_id or 0, piece.query))
    reasons = [piece.reason for piece in counted]
    if len(voices) > 1:
        agreeing = f"{gain:.2f} for and {loss:.2f} against"
        reasons.append(f"people disagree ({agreeing}), so it weighs {100 * agreement:.0f} % of what it would")
    return Judgment(
        id=judgment_id(newest.group_id, newest.content_hash),
        group_id=newest.group_id,
        query=newest.query,
        content_hash=newest.content_hash,
        chunk_id=newest.chunk_id,
        relevance=relevance,
        weight=min(1.0 if strong else policy.weak_cap, total) * agreement,
        strong=strong,
        sources=tuple(sorted({piece.source for piece in counted})),
        reasons=tuple(reasons),
        signal_ids=tuple(sorted(piece.signal_id for piece in counted if piece.signal_id is not None)),
        actors=tuple(sorted({piece.actor for piece in counted})),
        conflict=len(voices) > 1,
        retired=all(piece.retired for piece in counted),
    )


def _override(judgment: Judgment, pieces: Sequence[Evidence], overrides: Mapping[str, Override]) -> Judgment:
    """A person's veto or edit, found under the judgment's own name or one its text had before the code changed."""
    names = [judgment.id, *sorted({judgment_id(p.group_id, p.judged_hash) for p in pieces} - {judgment.id})]
    override = next((overrides[name] for name in names if name in overrides), None)
    if override is None or override.action == "restore":
        return judgment
    said = f"by {override.actor}" + (f": {override.reason}" if override.reason else "")
    if override.action == "veto":
        return replace(judgment, vetoed=True, reasons=(*judgment.reasons, f"vetoed {said}"))
    if override.relevance is None:
        return judgment
    words = f"set to relevance {override.relevance:g} {said}"
    bridged = all(piece.weight <= 0 for piece in pieces)  # nearly a held-out question: nobody's word lets it train
    return replace(
        judgment,
        relevance=override.relevance,
        weight=0.0 if bridged else 1.0,
        strong=True,
        conflict=False,
        reasons=(*judgment.reasons, words),
    )


def trains(judgment: Judgment) -> bool:
    """Whether it may become a training pair (given that its group is on the training side)."""
    return judgment.weight > 0 and not judgment.vetoed and not judgment.retired


def is_truth(judgment: Judgment) -> bool:
    """Whether it is truth in evaluation: strong ones only, and none that many contradict (``store.types.AGREED``)."""
    return judgment.strong and judgment.agreed and trains(judgment)
