"""A version that comes back to the data it was trained on is not measured on questions that it knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import registry, snapshots
from store.transfer import export_version, import_version
from store.types import Snapshot
from tests.integration.trainer.code_world import START, World, encoder
from tests.integration.trainer.shop import FEW_STEPS, Shop, result_of
from trainer.examine import Examiner
from trainer.field import lay_out
from trainer.recipe import DEFAULT
from trainer.repeat import asked_for


@pytest.fixture
def elsewhere(rated: World, tmp_path: Path, base: Path) -> Iterator[Shop]:
    made = Shop(rated, tmp_path / "elsewhere", base)
    yield made
    made.db.dispose()


def exported(shop: Shop, file: Path) -> Snapshot:
    """The data set of the version that a night made and ``file`` now holds."""
    result = result_of(shop.run(FEW_STEPS))
    with shop.db.read() as tx:
        export_version(registry.get(tx, result["version"]), shop.settings.models_dir, file)
        return snapshots.load(tx, result["snapshot"])


def test_an_import_knows_the_data_set_that_it_was_trained_on(shop: Shop, elsewhere: Shop, tmp_path: Path) -> None:
    file = tmp_path / "version.tar"
    snapshot = exported(shop, file)
    with elsewhere.db.write() as tx:
        snapshots.save(tx, snapshot, ())
    version = import_version(elsewhere.db, elsewhere.settings.models_dir, file, START)
    assert version.snapshot_hash == snapshot.hash
    field = lay_out(elsewhere.db, encoder(), elsewhere.settings, snapshot, START)
    served = Examiner(elsewhere.db, elsewhere.settings, field, DEFAULT, lambda: False, lambda _: None).served(
        version.id
    )
    assert served.groups == {pair.group_id for pair in snapshot.pairs}
    assert served.out_of_fold(field.train) == [], "its own scores of these would flatter it"
    job = elsewhere.enqueue({"snapshot": snapshot.hash})
    with elsewhere.db.read() as tx:
        again = asked_for(tx, job)
    assert again is not None
    assert again.originals == (), "no night made it here"


def test_an_import_from_other_data_names_none_of_it(shop: Shop, elsewhere: Shop, tmp_path: Path) -> None:
    file = tmp_path / "version.tar"
    snapshot = exported(shop, file)
    version = import_version(elsewhere.db, elsewhere.settings.models_dir, file, START)
    assert version.snapshot_hash is None
    assert version.metrics["origin"]["snapshot"] == snapshot.hash
