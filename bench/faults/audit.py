"""Looks into the data directory of a running server: is what was promised there, whole, and once?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.faults.site import Site, wait_for
from store import manifest
from store.errors import ModelRefused
from store.published import DIGEST_CHARACTERS

Vote = tuple[str, str, int]
"""Answer, actor, chunk."""


@dataclass(slots=True)
class Audit:
    """Adds up over many looks."""

    served: Site
    lost: set[Vote] = field(default_factory=set)
    doubled: set[Vote] = field(default_factory=set)
    half: set[str] = field(default_factory=set)
    unsound: list[str] = field(default_factory=list)
    looks: int = 0
    versions: int = 0
    _verified: set[str] = field(default_factory=set)

    def look(self, acknowledged: Mapping[Vote, bool], everything: bool = False) -> None:
        """Compare; ``everything`` reads versions again that have been found whole before."""
        self.looks += 1
        for row in self.served.rows("PRAGMA integrity_check"):
            if row[0] != "ok":
                self.unsound.append(str(row[0]))
        self.unsound += [f"dangling reference in {row[0]}" for row in self.served.rows("PRAGMA foreign_key_check")]
        self._ratings(acknowledged)
        self._versions(everything)

    def summary(self) -> str:
        return (
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {self.versions} versions, "
            f"{len(self.half)} half-published, {len(self.unsound)} faults of integrity"
        )

    def leftovers(self) -> list[str]:
        """Version folders that no row names and staging of ended jobs, once the trainer has had time to sweep."""
        wait_for(lambda: not self._leftovers(), 60, 1.0)
        return self._leftovers()

    def _ratings(self, acknowledged: Mapping[Vote, bool]) -> None:
        stored: dict[Vote, list[str]] = {}
        statement = "SELECT answer_id, actor, chunk_id, value FROM signals WHERE kind = 'chunk_vote' ORDER BY id"
        for answer, actor, chunk, value in self.served.rows(statement):
            stored.setdefault((answer, actor, chunk), []).append(str(value))
        for vote, relevant in acknowledged.items():
            found = stored.get(vote, [])
            if not found or found[-1] != str(relevant).lower():
                self.lost.add(vote)
            elif len(found) > 1:
                self.doubled.add(vote)

    def _versions(self, everything: bool) -> None:
        rows = self.served.rows("SELECT path FROM versions WHERE form = 'cross_encoder'")
        self.versions = len(rows)
        for (path,) in rows:
            if path is None:
                self.half.add("a row without a folder")
            elif everything or path not in self._verified:
                self._verify(str(path))

    def _verify(self, path: str) -> None:
        try:
            found = manifest.verify(self.served.settings.models_dir / path)
        except ModelRefused as error:
            self.half.add(f"{path}: {error.message}")
        else:
            if path.endswith(found.digest[:DIGEST_CHARACTERS]):
                self._verified.add(path)
            else:
                self.half.add(f"{path}: another manifest")

    def _leftovers(self) -> list[str]:
        models = self.served.settings.models_dir
        known = {row[0] for row in self.served.rows("SELECT path FROM versions")}
        states = dict(self.served.rows("SELECT 'job-' || id, state FROM jobs"))
        staging = (models / ".staging").glob("*")
        staged = [path.name for path in staging if states.get(path.name) not in ("queued", "running")]
        return sorted([path.name for path in models.glob("v*") if path.name not in known] + staged)
