"""What a version is worth to those who ask: questions it never saw, and second opinions, each by its share."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from store.types import Json
from trainer.arms import Arms, Scores, paired
from trainer.significance import FloatArray


@dataclass(frozen=True, slots=True)
class Part:
    """Two arms' means on the questions of one kind, and the share of all that people ask that these stand for."""

    questions: int
    share: float
    first: float
    second: float

    @property
    def gain(self) -> float:
        return self.first - self.second

    def as_json(self) -> Json:
        return {**asdict(self), "gain": self.gain}


@dataclass(frozen=True, slots=True)
class Asked:
    """Two arms compared, in ndcg@10."""

    differences: FloatArray
    """Of each group, shape ``(n,)``, scaled so that their mean is the gain over all that people ask.

    A stratified mean as a plain one (W. Cochran, "Sampling techniques", 1977, ch. 5): each of the ``m`` groups of a
    part that makes up the share ``s`` counts ``s * n / m``. A group that is in both parts is one difference, so that
    its sign flips in both at once. Resampled as one list, as the gate's interval does, the parts' sizes vary too: that
    interval is a little wide.
    """
    unseen: Part
    opinions: Part | None
    """None where second opinions don't count."""

    @property
    def means(self) -> tuple[float, float]:
        """Of both arms, over all that people ask."""
        parts = [part for part in (self.unseen, self.opinions) if part is not None]
        return sum(one.share * one.first for one in parts), sum(one.share * one.second for one in parts)

    @property
    def says(self) -> str:
        """What the gain is made of, to end a sentence with; empty where it has one part."""
        if self.opinions is None:
            return ""
        return (
            f": {self.unseen.gain:+.3f} on {self.unseen.questions} that it was not trained on, and "
            f"{self.opinions.gain:+.3f} by one more person's word on {self.opinions.questions} that it was trained on "
            f"without that word, for the {self.opinions.share:.0%} of what is asked that a night could have learned "
            "from somebody else"
        )


def compare(unseen: tuple[Scores, Scores], opinions: tuple[Scores, Scores], share: float) -> Asked:
    """``unseen``, ``opinions``: both arms' scores by group; ``share``: that of ``opinions``, 0 where it does not count.

    Raises InvalidInput for arms that were not scored on the same groups, and without ``unseen``.
    """
    strata = [(1.0 - share, unseen), *([(share, opinions)] if share > 0 else [])]
    groups = sorted(set().union(*(scores[0] for _, scores in strata)))
    place = {group: at for at, group in enumerate(groups)}
    differences = np.zeros(len(groups))
    parts = []
    for weight, scores in strata:
        first, second = paired(*scores)
        here = [place[group] for group in sorted(scores[0])]
        differences[here] += (first - second) * (weight * len(groups) / len(here))
        parts.append(Part(len(here), weight, float(first.mean()), float(second.mean())))
    return Asked(differences, parts[0], parts[1] if share > 0 else None)


def counted(opinions: Arms, share: float, least: int) -> float:
    """The share that second opinions count for: none where they are fewer than ``least``."""
    return share if len(opinions.challenger) >= least else 0.0
