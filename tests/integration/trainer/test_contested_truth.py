"""What many contradict is learned from by its weight, and decides nothing, in the data set and on the page."""

from __future__ import annotations

import pytest

from store import overview, queries
from store.types import Split
from tests.integration.trainer.code_world import VERBS, World, encoder, question
from trainer.dataset import build
from trainer.split import hash_split

ASKED = next(question(v, "file") for v in VERBS if hash_split(question(v, "file")) is Split.TRAIN)
RIGHT = f"{ASKED.split()[4]}_file"


@pytest.mark.parametrize(("voices", "truth"), [(2, False), (3, True)])
def test_a_contested_chunk_trains_and_is_truth_from_three_to_one(world: World, voices: int, truth: bool) -> None:
    answer = world.ask(ASKED)
    for number in range(voices):
        world.vote(answer, RIGHT, actor=f"for{number}")
    world.vote(answer, RIGHT, False, actor="against")
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert [pair.weight < 1 for pair in snapshot.pairs if pair.label > 0.5] == [True]
    with world.db.read() as tx:
        (group,) = queries.groups(tx)
        counted = [one.group_id for one in overview.judged_groups(tx, [])]
    decides = [group] if truth else []
    assert [one.group_id for one in snapshot.train_queries] == decides
    assert snapshot.stats["strong_groups"] == counted == decides
