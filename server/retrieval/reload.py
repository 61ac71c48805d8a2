"""The server's eye on the champion pointer: loads a new champion beside the old one, then swaps one reference."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from server.retrieval.rerank import Reranker
from store import deployments, registry
from store.database import Database
from store.engines.names import AUTO
from store.errors import ModelRefused, RankloopError
from store.loading import LoadedVersion, load_version
from store.types import FIRST_STAGE_VERSION, Champion

POLL_SECONDS = 1.0
RETRY_SECONDS = 30.0
"""Pause before a champion that could not be loaded is tried again (its files may have been mended)."""
_WARM_UP = ("where is the configuration read?", ["def load_settings() -> Settings:\n    return Settings()"] * 8)
log = logging.getLogger("rankloop.server")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the champion does not serve here."""

    generation: int
    version_id: int
    reason: str
    since: float
    """``time.monotonic()`` of the last try."""


class ChampionFollower:
    """Keeps a reranker on the champion. ``problem`` is None while it serves."""

    def __init__(self, db: Database, models_dir: Path, threads: int, engine: str = AUTO) -> None:
        """``engine``: what scores, by name, or the fastest that each version has here."""
        self.problem: Problem | None = None
        self._db = db
        self._models_dir = models_dir
        self._threads = threads
        self._engine = engine
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self.reranker = Reranker(self._first_good())

    def follow(self) -> None:
        """Serve the champion, and return then.

        Raises ModelRefused where it can't load; the old one serves on, or where that has lost its network, the
        version before it.
        """
        with self._lock:
            champion, current = self._champion(), self.reranker.current()
            if champion.version_id == current.version.id and current.lost is None:
                self.problem = None
                return
            try:
                loaded = self._load(champion.version_id)
            except ModelRefused as error:
                self._cannot(champion, error)
                if current.lost is not None:
                    self.reranker.swap(self._earlier_good(champion))
                raise
            self.reranker.swap(loaded)
            self.problem = None
            log.info("serving version %s (generation %s)", champion.version_id, champion.generation)

    def start(self) -> None:
        """Watch the pointer from a thread until ``stop``."""
        self._thread = Thread(target=self._watch, name="champion", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watching thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                if self._worth_trying():
                    self.follow()
            except RankloopError as error:
                log.warning("still serving version %s: %s", self._serving(), error.message)
            except Exception:  # the thread's edge: without it, promotions of another process would never serve again
                log.exception("still serving version %s: following the champion failed", self._serving())

    def _worth_trying(self) -> bool:
        problem = self.problem
        if self.reranker.current().lost is not None:
            return True
        if problem is None or time.monotonic() - problem.since > RETRY_SECONDS:
            return True
        return self._champion().generation != problem.generation

    def _serving(self) -> int:
        return self.reranker.current().version.id

    def _champion(self) -> Champion:
        with self._db.read() as tx:
            return deployments.champion(tx)

    def _load(self, version_id: int) -> LoadedVersion:
        """Load, check (manifest and probes are the loader's) and warm up. Raises ModelRefused."""
        try:
            with self._db.read() as tx:
                version = registry.get(tx, version_id)
            loaded = load_version(version, self._models_dir, threads=self._threads, engine=self._engine)
            query, passages = _WARM_UP
            loaded.score(query, passages, [0.5] * len(passages), [0.5] * len(passages))
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            raise ModelRefused(f"version {version_id} can't be loaded: {error}") from error
        if loaded.scorer is not None:
            level = logging.WARNING if loaded.engine.faults else logging.INFO
            log.log(level, "version %s is scored by %s: %s", version_id, loaded.engine.name, loaded.engine.reason)
        return loaded

    def _first_good(self) -> LoadedVersion:
        """At start: the champion, else the champion before it that loads, in the end the first stage."""
        champion = self._champion()
        try:
            return self._load(champion.version_id)
        except RankloopError as error:
            log.error("version %s does not load: %s", champion.version_id, error.message)
            self._cannot(champion, error)
        return self._earlier_good(champion)

    def _cannot(self, champion: Champion, error: RankloopError) -> None:
        self.problem = Problem(champion.generation, champion.version_id, error.message, time.monotonic())

    def _earlier_good(self, champion: Champion) -> LoadedVersion:
        """The champion before ``champion`` that loads, in the end the first stage."""
        with self._db.read() as tx:
            earlier = [entry.to_version for entry in deployments.ledger(tx, 1000)]
        for version_id in dict.fromkeys([*earlier, FIRST_STAGE_VERSION]):
            if version_id == champion.version_id:
                continue
            try:
                return self._load(version_id)
            except RankloopError as error:
                log.error("version %s does not load: %s", version_id, error.message)
        raise ModelRefused("not even the first stage loads: the installation is damaged")
