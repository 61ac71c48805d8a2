"""How many more judged questions the gate would need, and why. Pure.

The floors and the shape of the estimate are the gate's own (``trainer.gate``); a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.overview import JudgedGroup
from store.types import Decision, Json, Version

ENOUGH_GROUPS = 50
"""Judged questions below which the gate never promotes."""
ENOUGH_HELD_OUT = 10
"""Of these, held out from training."""
HELD_OUT_SHARE = 5
"""One question in so many is held out."""


@dataclass(frozen=True, slots=True)
class Needed:
    """``usable`` questions can be scored, ``held_out`` of them are held out; ``says`` is empty when nothing is missing.

    ``more``: about how many more judged questions would let the gate decide.
    """

    usable: int
    held_out: int
    more: int
    says: tuple[str, ...]


def needed(
    groups: Sequence[JudgedGroup],
    data_set: Json | None,
    last: Version | None,
    learned: Collection[int],
    min_new: int,
) -> Needed:
    """``groups`` as judged now; ``data_set``: the latest one's stats; ``last``: the newest version that was gated;
    ``learned``: groups that any version was trained or evaluated with; ``min_new``: newly judged questions without
    which a night trains nothing.
    """
    known = _lists(data_set or {})
    seen = frozenset((data_set or {}).get("strong_groups", []))
    new = [one for one in groups if one.right and one.group_id not in seen]
    held_out = known["held_out"] + sum(one.held_out for one in new)
    usable = known["train"] + known["held_out"] + len(new)
    says: list[str] = []
    more = max(ENOUGH_GROUPS - usable, HELD_OUT_SHARE * (ENOUGH_HELD_OUT - held_out), 0)
    if 0 < ENOUGH_GROUPS - usable < more:
        says.append(
            f"The gate decides from {ENOUGH_GROUPS} judged questions on, {ENOUGH_HELD_OUT} of them held out from "
            f"training; {usable} can be scored so far, {held_out} of them held out. One in {HELD_OUT_SHARE} is held "
            f"out, so about {more} more questions need a right chunk, by a vote or a correction."
        )
    elif usable < ENOUGH_GROUPS:
        says.append(
            f"The gate decides from {ENOUGH_GROUPS} judged questions on, and {usable} can be scored so far: "
            f"{ENOUGH_GROUPS - usable} more questions need a right chunk, by a vote or a correction."
        )
    elif held_out < ENOUGH_HELD_OUT:
        says.append(
            f"{held_out} of the judged questions are held out from training and the gate needs {ENOUGH_HELD_OUT}; "
            f"one in {HELD_OUT_SHARE} is held out, so it takes about {more} more judged questions."
        )
    elif last is not None and last.decision is Decision.NOT_PROVEN:
        more, sentence = _estimate(last, usable)
        says += [sentence] if sentence else []
    says += _night(groups, last, learned, min_new)
    return Needed(usable, held_out, more, tuple(says))


def _lists(stats: Mapping[str, Any]) -> dict[str, int]:
    """Lists that the gate could score when the data set was made; those of imported passages are counted elsewhere."""
    lists = stats.get("evaluation_lists", {})
    return {side: int(lists.get(side, 0)) for side in ("train", "held_out")}


def _estimate(last: Version, usable: int) -> tuple[int, str]:
    gate = last.metrics.get("gate", {})
    found = gate.get("needed_groups")
    if not found:
        return 0, ""
    if not found["sd"]:
        return 0, (
            f"Version {last.id} ranks every judged question as the champion does, so more of them alone prove nothing."
        )
    total, groups = max(int(found["total"]), ENOUGH_GROUPS), int(gate["groups"])
    more = max(0, total - usable)
    if more == 0:
        return 0, f"Version {last.id} was not proven on {groups} questions; {usable} can be scored now: train again."
    return more, (
        f"Version {last.id} was not proven on {groups} questions: about {more} more judged ones would settle a gain of "
        f"{float(found['gain']):.3f} in ndcg@10."
    )


def _night(groups: Sequence[JudgedGroup], last: Version | None, learned: Collection[int], min_new: int) -> list[str]:
    fresh = sum(one.group_id not in learned for one in groups)
    if fresh >= min_new:
        return []
    since = "" if last is None else f" since version {last.id}"
    return [f"A night trains once {min_new} questions are newly judged{since}: {fresh} are, so {min_new - fresh} more."]
