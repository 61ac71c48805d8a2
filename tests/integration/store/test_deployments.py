from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from store import deployments, meta, registry, schedule
from store.database import Database
from store.errors import Conflict, NotFound
from store.settings import Settings
from store.tables import versions
from store.types import Deployment, DeploymentAction
from tests.integration.store.learning import NOW, open_database


def with_versions(folder: Path, count: int) -> Database:
    """Version 0 as champion, and ``count`` more rows (their files don't matter here)."""
    db = open_database(folder)
    with db.write() as tx:
        registry.ensure_first_stage(tx, 0.1, NOW)
        for number in range(1, count + 1):
            row = {
                "name": f"v{number}",
                "form": "cross_encoder",
                "base": "b",
                "blend": {},
                "metrics": {},
                "reasons": [],
            }
            tx.execute(insert(versions).values(**row, created_at=NOW))
    return db


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = with_versions(tmp_path, 4)
    yield database
    database.dispose()


def promote(db: Database, to: int, expected: int | None = None) -> Deployment:
    with db.write() as tx:
        return deployments.promote(tx, to, "ada", "better", NOW, expected_generation=expected)


def rollback(db: Database, to: int | None = None) -> Deployment:
    with db.write() as tx:
        return deployments.rollback(tx, "ada", "worse", NOW, to)


def compensate(db: Database, failed: Deployment) -> Deployment | None:
    with db.write() as tx:
        return deployments.compensate(tx, failed, "does not load", NOW)


def serving(db: Database) -> int:
    with db.read() as tx:
        return deployments.champion(tx).version_id


def rolled_back_from(db: Database) -> int | None:
    with db.read() as tx:
        return deployments.rolled_back_from(tx)


def test_the_first_champion_is_the_first_stage_and_set_once(db: Database) -> None:
    with db.write() as tx:
        registry.ensure_first_stage(tx, 0.1, NOW + timedelta(days=1))
        assert deployments.champion(tx).generation == 1
        (entry,) = deployments.ledger(tx)
    assert (entry.action, entry.from_version, entry.to_version, entry.generation) == (
        DeploymentAction.INITIAL,
        None,
        0,
        1,
    )


def test_version_0_follows_the_lexical_weight(db: Database) -> None:
    with db.write() as tx:
        assert registry.ensure_first_stage(tx, 0.4, NOW).blend.lexical == 0.4
        assert registry.get(tx, 0).champion


def test_promotion_moves_the_pointer_and_writes_the_ledger(db: Database) -> None:
    entry = promote(db, 1)
    assert (entry.from_version, entry.to_version, entry.generation, entry.actor) == (0, 1, 2, "ada")
    with db.read() as tx:
        assert deployments.ledger(tx, 1) == [entry]
        assert [version.id for version in registry.list_all(tx) if version.champion] == [1]


def test_promoting_the_champion_or_on_a_moved_pointer_is_a_conflict(db: Database) -> None:
    promote(db, 1, expected=1)
    with pytest.raises(Conflict, match="champion already"):
        promote(db, 1)
    with pytest.raises(Conflict, match="meanwhile"):
        promote(db, 2, expected=1)
    with pytest.raises(NotFound):
        promote(db, 99)
    assert serving(db) == 1


def test_a_failed_transaction_leaves_pointer_and_ledger(db: Database) -> None:
    def promote_and_fail() -> None:
        with db.write() as tx:
            deployments.promote(tx, 1, "ada", "better", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        promote_and_fail()
    with db.read() as tx:
        assert deployments.champion(tx).generation == 1
        assert len(deployments.ledger(tx)) == 1


def test_rollback_walks_back_and_pauses_automatic_promotion(db: Database) -> None:
    for version in (1, 2, 3):
        promote(db, version)
    assert rollback(db).to_version == 2
    assert rollback(db).to_version == 1
    promote(db, 4)
    assert rollback(db).to_version == 1
    assert rollback(db).to_version == 0
    with pytest.raises(Conflict, match="nothing to roll back"):
        rollback(db)
    with db.write() as tx:
        assert not deployments.champion(tx).auto_promote
        deployments.set_auto_promote(tx, True)
        assert deployments.champion(tx).auto_promote


def test_rollback_to_a_named_version(db: Database) -> None:
    for version in (1, 2, 3):
        promote(db, version)
    assert rollback(db, to=1).to_version == 1
    assert rollback(db).to_version == 0
    with pytest.raises(NotFound):
        rollback(db, to=99)
    with pytest.raises(Conflict, match="champion already"):
        rollback(db, to=0)


def test_only_what_has_been_champion_can_be_rolled_back_to(db: Database) -> None:
    promote(db, 1)
    taken_back = promote(db, 2)
    compensate(db, taken_back)
    for never in (2, 3):
        with pytest.raises(Conflict, match=f"version {never} was never the champion: promote it instead"):
            rollback(db, to=never)
    assert serving(db) == 1
    with db.read() as tx:
        assert deployments.champion(tx).auto_promote
        assert deployments.earlier_champions(tx) == [0]


def test_the_default_of_a_rollback_is_told_beforehand(db: Database) -> None:
    for version in (1, 2, 3):
        promote(db, version)
    rollback(db)
    for target, choices in ((1, [3, 1, 0]), (0, [2, 3, 0])):
        with db.read() as tx:
            assert deployments.rollback_target(tx) == target
            assert deployments.earlier_champions(tx) == choices
        assert rollback(db).to_version == target
    with db.read() as tx:
        assert deployments.rollback_target(tx) is None


def test_the_version_rolled_back_from_counts_until_the_next_promotion(db: Database) -> None:
    assert rolled_back_from(db) is None
    promote(db, 1)
    promote(db, 2)
    assert rolled_back_from(db) is None
    rollback(db)
    assert rolled_back_from(db) == 2
    failed = promote(db, 3)
    compensate(db, failed)
    assert rolled_back_from(db) == 2
    promote(db, 4)
    assert rolled_back_from(db) is None


def test_compensation_restores_the_previous_champion_and_the_way_back(db: Database) -> None:
    promote(db, 1)
    undone = compensate(db, promote(db, 2))
    assert undone is not None
    assert (undone.action, undone.from_version, undone.to_version) == (DeploymentAction.COMPENSATE, 2, 1)
    assert rollback(db).to_version == 0


def test_compensation_of_a_rollback_is_no_rollback(db: Database) -> None:
    promote(db, 1)
    promote(db, 2)
    compensate(db, rollback(db))
    assert serving(db) == 2
    assert rolled_back_from(db) is None
    assert rollback(db).to_version == 1


def test_compensation_is_void_once_the_pointer_has_moved(db: Database) -> None:
    failed = promote(db, 1)
    promote(db, 2)
    assert compensate(db, failed) is None
    assert serving(db) == 2


def test_a_compensation_is_not_compensated(db: Database) -> None:
    undone = compensate(db, promote(db, 1))
    assert undone is not None
    assert compensate(db, undone) is None
    assert serving(db) == 0


def test_the_gates_word_holds_against_the_champion_it_measured(db: Database) -> None:
    with db.write() as tx:
        wanted = {"decision": "promote", "metrics": {"against": {"version": 0, "generation": 1}}}
        tx.execute(update(versions).where(versions.c.id == 1).values(**wanted))
        version = registry.get(tx, 1)
        assert deployments.objection(tx, version) is None
        assert deployments.objection(tx, registry.get(tx, 2)) == "The gate has not judged version 2."
        deployments.promote(tx, 2, "ann", "meanwhile", NOW)
        assert "against version 0, but version 2" in str(deployments.objection(tx, version))
        assert deployments.objection(tx, registry.get(tx, 0)) is None


@pytest.mark.parametrize("setting", [True, False])
def test_the_switch_of_the_page_goes_before_the_setting(db: Database, setting: bool) -> None:
    settings = Settings(auto_promote=setting)
    with db.write() as tx:
        assert schedule.promotes_by_itself(tx, settings) is setting
        meta.put(tx, schedule.KEY, {"cron": "0 4 * * *"})
        assert schedule.promotes_by_itself(tx, settings) is setting
        meta.put(tx, schedule.KEY, {"auto_promote": not setting})
        assert schedule.promotes_by_itself(tx, settings) is not setting
        deployments.set_auto_promote(tx, False)
        assert not schedule.promotes_by_itself(tx, settings), "a rollback pauses it"
