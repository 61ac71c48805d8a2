"""Which query groups ask nearly the same though they stand apart: a fold must not train on one and test on the other.

Two groups come near each other when a later query is within the threshold of both: it joins the nearer one, and the
groups stay two (``trainer.split``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from store.types import Vector
from trainer.split import THRESHOLD

NEAR = "near_groups"
"""The parameter of a snapshot that holds them; it has none where no groups come near each other."""
_BLOCK = 1024


def near_groups(queries: Iterable[tuple[int, Vector]], threshold: float = THRESHOLD) -> list[list[int]]:
    """Groups joined wherever two of their queries are within ``threshold`` cosine; each set of two or more, ascending.

    ``queries``: group and normalised vector, shape ``(d,)``, of each query.
    """
    given = list(queries)
    if not given:
        return []
    groups, which = np.unique([group for group, _ in given], return_inverse=True)
    matrix = np.stack([vector for _, vector in given]).astype(np.float32)
    sets = {int(group): {int(group)} for group in groups}
    for start in range(0, len(matrix), _BLOCK):
        rows, columns = np.nonzero(matrix[start : start + _BLOCK] @ matrix.T >= threshold)
        for pair in np.unique(which[start + rows] * len(groups) + which[columns]):
            one, other = (sets[int(groups[at])] for at in divmod(int(pair), len(groups)))
            if one is not other:
                one |= other
                sets.update(dict.fromkeys(other, one))
    whole = {min(members): sorted(members) for members in sets.values() if len(members) > 1}
    return [whole[least] for least in sorted(whole)]


def joined(group_ids: Iterable[int], near: Iterable[Sequence[int]]) -> list[list[int]]:
    """The sets of ``near`` that hold any of the groups, whole, and each other group by itself."""
    left = set(group_ids)
    sets = [sorted(members) for members in near if left & set(members)]
    alone = left.difference(*sets)
    return [*sets, *([group] for group in sorted(alone))]
