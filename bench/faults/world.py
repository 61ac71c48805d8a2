"""The small world of all scenarios: a hundred functions, tiny real models, two versions, and what people said."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from transformers.utils import logging as transformers_logging

from bench.corpus import Corpus, Question
from bench.demo_loop import Tally, rate_as_labelled
from bench.faults.site import Site, copy_of, site
from bench.toolbox import toolbox
from store import registry
from store.database import Database
from store.errors import RankloopError
from store.settings import Settings
from store.types import Blend, Decision, JobState, Version
from tests import tiny
from trainer.base import make_residual_base
from trainer.first_champion import register_base

REPO = "toolbox"
RATED = 60
MAX_LENGTH = 64
BLENDS = (Blend(0.0, 0.0, 1.0), Blend(0.3, 0.1, 1.0))
"""Of the two versions: an answer that took its model from one and its blend from the other has scores of neither."""
MADE = f"{RATED} rated, {BLENDS}"
"""What an earlier call's world must have been made of to be taken again."""


@dataclass(frozen=True, slots=True)
class World:
    root: Path
    data: Path
    """Indexed and rated; each scenario works on a copy."""
    corpus: Corpus
    versions: tuple[int, int]
    """Two cross-encoders whose scores differ."""
    quick: bool
    points: int | None
    console: Console
    fulls: list[int] = field(default_factory=list)
    """The numbers that scenarios would have taken at full size."""

    @property
    def settings(self) -> dict[str, str]:
        return settings_of(self.root)

    def copy(self, name: str) -> Path:
        return copy_of(self.data, self.root / name)

    def size(self, full: int, quick: int) -> int:
        """How often: a number of one's own, else by size."""
        self.fulls.append(full)
        return self.points or (quick if self.quick else full)

    def smaller(self) -> str | None:
        """In words what is less than the full size of the scenario that has just run, None where nothing is."""
        full = max(self.fulls, default=0)
        self.fulls.clear()
        if self.quick:
            return "--quick"
        return f"{self.points} instead of {full:,}" if self.points is not None and self.points != full else None

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", style="dim", markup=False)


def settings_of(root: Path) -> dict[str, str]:
    """Nights train a tiny base; the encoder is the packaged one, since a tiny one takes all questions for the same."""
    return {
        "RANKLOOP_BASE": str(root / "base"),
        "RANKLOOP_BASE_IS_CHAMPION": "false",
        "RANKLOOP_MAX_LENGTH": str(MAX_LENGTH),
        "RANKLOOP_RERANK_ENGINE": "torch-fp32",
        # simulated people are quicker than people, and share one address: nobody is made to wait or held back
        "RANKLOOP_ASKS_PER_MINUTE": "0",
        "RANKLOOP_RATINGS_PER_MINUTE": "0",
        "RANKLOOP_BURST_SIGNALS": "0",
    }


def prepare(root: Path, quick: bool, points: int | None, console: Console) -> World:
    """Make the world, or take the one that an earlier call has made in ``root``."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    corpus, root = toolbox(), root.resolve()
    data = root / "prepared"
    ready = root / "ready"
    if not ready.is_file() or ready.read_text(encoding="utf-8") != MADE:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        make_residual_base(tiny.encoder(root / "encoder"), root / "base", max_length=MAX_LENGTH)
        corpus.write(root / "code")
        with site(data, {**settings_of(root), "RANKLOOP_TRAINER": "false"}) as made:
            _index(made, root / "code")
            for number, question in enumerate(corpus.questions[:RATED]):
                rate_as_labelled(made.client(("ann", "bob")[number % 2]), question, REPO, Tally())
            for number, (name, blend) in enumerate(zip(("one", "two"), BLENDS, strict=True)):
                publish(made, name, number + 1, blend=blend)
            _register_base(made, root / "base")
        ready.write_text(MADE, encoding="utf-8")
    return World(root, data, corpus, (1, 2), quick, points, console)


def _index(made: Site, code: Path) -> None:
    admin = made.client(admin=True)
    job = admin.wait(admin.add_repo(REPO, str(code)).job_id, 600)
    if job.state is not JobState.SUCCEEDED:
        raise RankloopError(f"indexing ended as {job.state}: {job.error}")


def _register_base(made: Site, base: Path) -> None:
    """As the trainer does when it starts: once here, not in every scenario."""
    settings = Settings(data=made.data, base=str(base), base_is_champion=False, max_length=MAX_LENGTH)
    db = Database.open(settings.database)
    try:
        register_base(db, settings, lambda: datetime.now(UTC))
    finally:
        db.dispose()


def publish(
    made: Site, name: str, seed: int, change: Callable[[Path], None] | None = None, blend: Blend = BLENDS[0]
) -> Version:
    """Register a tiny cross-encoder of random weights; ``change`` edits its folder."""
    models = made.settings.models_dir
    staged = registry.staging(models, f"bench-{name}")
    staged.rmdir()
    tiny.cross_encoder(staged, seed=seed)
    if change is not None:
        change(staged)
    (staged / "README.md").write_text(f"# {name}\n", encoding="utf-8")
    draft = registry.VersionDraft(name=name, base="tiny", blend=blend, max_length=256, decision=Decision.NOT_PROVEN)
    db = Database.open(made.settings.database)
    try:
        return registry.publish(db, models, staged, draft, datetime.now(UTC))
    finally:
        db.dispose()


def questions(world: World, seed: int, count: int) -> list[Question]:
    """A reproducible draw with repetition."""
    rng = random.Random(seed)
    return [rng.choice(world.corpus.questions) for _ in range(count)]
