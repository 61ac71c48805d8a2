"""Counts of a snapshot for the model card, and what is missing, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from store.types import Json, Judgment, Pair, Signal, Split
from trainer.evidence import Place
from trainer.imported import Imported
from trainer.judgments import trains
from trainer.lists import Evaluation


def statistics(
    signals: Sequence[Signal],
    places: Mapping[str, Place],
    judgments: Sequence[Judgment],
    evaluated: Evaluation,
    pairs: Sequence[Pair],
    imported: Imported,
    lost_golden: Sequence[int],
) -> Json:
    """Counts by what they count. ``missing`` is a list of sentences; ``imported_lists`` names what proves nothing."""
    splits = {place.group_id: place.split for place in places.values()}
    strong = {one.group_id for one in judgments if one.strong and trains(one)}
    stats: Json = {
        "queries": len(places),
        "queries_bridged": sum(place.bridged for place in places.values()),
        "groups": _sides(splits),
        "groups_strongly_judged": _sides({group: splits[group] for group in strong}),
        "strong_groups": sorted(strong),
        "signals": dict(sorted(Counter(signal.kind.value for signal in signals).items())),
        "actors": len({signal.actor for signal in signals}),
        "judgments": _judgments(judgments),
        "pairs": dict(sorted(Counter(pair.source.value for pair in (*pairs, *imported.pairs)).items())),
        "positives": sum(pair.label > 0.5 for pair in (*pairs, *imported.pairs)),
        "negatives": sum(pair.label <= 0.5 for pair in (*pairs, *imported.pairs)),
        "evaluation_lists": {"train": len(evaluated.train), "held_out": len(evaluated.held_out)},
        "undecided": {reason: len(groups) for reason, groups in evaluated.undecided.items()},
        "golden_lost": sorted(lost_golden),
        "imported_queries": dict(imported.queries),
        "imported_lists": {
            "groups": sorted({query.group_id for query in (*imported.train, *imported.held_out)}),
            "train": len(imported.train),
            "held_out": len(imported.held_out),
        },
    }
    stats["missing"] = _missing(stats, judgments)
    return stats


def _sides(splits: Mapping[int, Split]) -> dict[str, int]:
    return {side.value: sum(split is side for split in splits.values()) for side in Split}


def _judgments(judgments: Sequence[Judgment]) -> dict[str, int]:
    return {
        "all": len(judgments),
        "strong": sum(one.strong for one in judgments),
        "positive": sum(one.relevance > 0.5 for one in judgments),
        "conflicts": sum(one.conflict for one in judgments),
        "vetoed": sum(one.vetoed for one in judgments),
        "retired": sum(one.retired for one in judgments),
    }


def _missing(stats: Json, judgments: Sequence[Judgment]) -> list[str]:
    """Sentences a person can act on; empty when nothing stands in the way of training and of a proof."""
    says: list[str] = []
    usable = [one for one in judgments if trains(one)]
    imported = bool(stats["imported_queries"])
    if not judgments and not imported:
        return ["Nothing has been rated or imported yet: rate some answers, or import labelled pairs."]
    if judgments and all(one.conflict for one in judgments):
        says.append("All judgments are contradictory: people voted for and against the same chunks equally.")
    if judgments and not usable and all(one.retired for one in judgments):
        says.append("Everything that was judged is no longer in the code: rate some answers about today's code.")
    if stats["positives"] == 0:
        says.append("No question on the training side has a right answer yet: vote for a right chunk or correct one.")
    elif stats["negatives"] == 0:
        says.append("There are only right answers and no wrong ones: index more code or vote some chunks not relevant.")
    lists, made = stats["evaluation_lists"], stats["imported_lists"]
    if lists["held_out"] == 0:
        extra = (
            f", and the {made['held_out']} lists made of imported passages prove nothing" if made["held_out"] else ""
        )
        says.append(f"No held-out question has a judged right chunk among its candidates{extra}: judge more questions.")
    if stats["actors"] == 1 and judgments:
        says.append("All ratings come from one actor: a second person's ratings would show whether others agree.")
    if stats["golden_lost"]:
        says.append(f"{len(stats['golden_lost'])} golden questions expect places that are not in the code.")
    return says
