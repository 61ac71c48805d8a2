"""Any order of promotions, roll-backs and compensations leaves one champion and a whole ledger."""

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from store import deployments
from store.errors import Conflict
from store.types import Deployment
from tests.integration.store.test_deployments import (
    compensate,
    promote,
    rollback,
    with_versions,
)


class Pointer(RuleBasedStateMachine):
    """The ledger against a model: a stack of champions."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.db = with_versions(Path(self.folder.name), 4)
        self.stack = [0]
        self.before: list[int] = []
        self.last: Deployment | None = None
        self.moves = 1

    def teardown(self) -> None:
        self.db.dispose()
        self.folder.cleanup()

    @rule(to=st.integers(0, 4))
    def promote(self, to: int) -> None:
        if to == self.stack[-1]:
            with pytest.raises(Conflict):
                promote(self.db, to)
            return
        self.last, self.before = promote(self.db, to), list(self.stack)
        self.stack.append(to)
        self.moves += 1

    @rule()
    def rollback(self) -> None:
        if len(self.stack) == 1:
            with pytest.raises(Conflict):
                rollback(self.db)
            return
        self.last, self.before = rollback(self.db), list(self.stack)
        self.stack.pop()
        self.moves += 1

    @precondition(lambda self: self.last is not None)
    @rule()
    def compensate(self) -> None:
        assert self.last is not None
        assert compensate(self.db, self.last) is not None
        self.stack, self.last = self.before, None
        self.moves += 1

    @invariant()
    def pointer_and_ledger_agree(self) -> None:
        with self.db.read() as tx:
            champion, entries = deployments.champion(tx), deployments.ledger(tx, 1000)
        assert champion.version_id == self.stack[-1] == entries[0].to_version
        assert [entry.generation for entry in entries] == list(range(self.moves, 0, -1))
        assert all(new.from_version == old.to_version for new, old in pairwise(entries))


TestPointer = Pointer.TestCase
TestPointer.settings = settings(
    max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
