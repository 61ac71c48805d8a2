"""Two training groups that ask nearly the same are not used to prove what the other taught."""

from __future__ import annotations

from pathlib import Path

from store import queries
from store.types import Split
from tests.integration.trainer.code_world import THINGS, World, encoder, question, rate_all
from trainer.approach import Task
from trainer.base import resolve_base
from trainer.dataset import build
from trainer.evaluate import assign_folds
from trainer.field import lay_out
from trainer.fit_night import FOLDS, HeadFitting
from trainer.recipe import DEFAULT

ASKED = question("read", "file")
AGAIN = f"{ASKED} please"


def test_two_groups_that_a_later_query_brought_near_share_a_fold(world: World, base: Path, tmp_path: Path) -> None:
    with world.db.write() as tx:
        one = queries.add(tx, ASKED, encoder().encode_one(ASKED), None, Split.TRAIN, world.now).id
        other = queries.add(tx, AGAIN, encoder().encode_one(AGAIN), None, Split.TRAIN, world.now).id
    rate_all(world, THINGS[:2])
    world.vote(world.ask(AGAIN), "read_file", actor="bob")
    snapshot = build(world.db, encoder(), world.settings, world.now)
    assert snapshot.params["near_groups"] == [[one, other]]

    field = lay_out(world.db, encoder(), world.settings, snapshot, world.now)
    groups = [query.group_id for query in field.train]
    apart = (
        seed for seed in range(50) if len({assign_folds(groups, FOLDS, seed)[group] for group in (one, other)}) > 1
    )
    task = Task(
        base=resolve_base(str(base), encoder().name, encoder().model_path, tmp_path / "bases", 64),
        pairs=snapshot.pairs,
        field=field,
        recipe=DEFAULT,
        seed=next(apart),
        lexical=world.settings.first_stage_lexical,
        max_length=64,
        imported=False,
        place=lambda name: tmp_path / name,
        cancelled=lambda: False,
    )
    approach = HeadFitting(task, DEFAULT)
    approach.train(tmp_path / "staged", lambda *_: None)
    found = approach.out_of_fold(lambda *_: None)
    fold = {query.group_id: number for query, number in zip(found.queries, found.folds, strict=True)}
    assert fold[one] == fold[other]
    assert set(fold) == set(groups)


def test_a_data_set_without_such_groups_has_the_hash_it_ever_had(world: World) -> None:
    rate_all(world, THINGS[:1])
    assert "near_groups" not in build(world.db, encoder(), world.settings, world.now).params
