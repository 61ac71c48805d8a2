"""Counts of a snapshot for the model card, and what is missing, in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from store.types import Json, Judgment, Pair, Signal, Split
from trainer.evidence import Place
from trainer.imported import Imported
from trainer.judgments import is_truth, trains
from trainer.lists import Evaluation

ONE_ACTOR = 0.8
"""Where several people rate, one whose word alone is the truth of a larger share of the questions is pointed out."""


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
    strong = {one.group_id for one in judgments if is_truth(one)}
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
    decides = {query.group_id for query in (*evaluated.train, *evaluated.held_out)}
    stats["truth_of_one_actor"] = {"groups": _truth_of_one_actor(judgments, decides), "of": len(decides)}
    stats["missing"] = _missing(stats, judgments)
    return stats


def _truth_of_one_actor(judgments: Sequence[Judgment], decides: Collection[int]) -> int:
    """Of the groups that can be scored, how many have all their truth from the actor who is the truth of most.

    Golden questions, which have no signal, are the team's and nobody's own.
    """
    whose: dict[int, set[str]] = defaultdict(set)
    for one in judgments:
        if one.group_id in decides and is_truth(one):
            whose[one.group_id].update(one.actors if one.signal_ids else ("", *one.actors))
    alone = Counter(actor for actors in whose.values() if len(actors) == 1 for actor in actors)
    return max(alone.values(), default=0)


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
    if judgments and not usable and all(one.conflict for one in judgments):
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
    alone = stats["truth_of_one_actor"]
    if stats["actors"] > 1 and alone["groups"] > ONE_ACTOR * alone["of"]:
        says.append(
            f"One of the {stats['actors']} actors who rate decides alone what is right in {alone['groups']} of the "
            f"{alone['of']} judged questions that can be scored ({alone['groups'] / alone['of']:.0%}): a proof on "
            "these holds for that one; ratings of the others would show whether they agree."
        )
    if stats["golden_lost"]:
        says.append(f"{len(stats['golden_lost'])} golden questions expect places that are not in the code.")
    return says
