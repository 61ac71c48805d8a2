"""The trainer process: the schedule, the judgments kept fresh, and one job at a time, at the lowest priority.

Run with ``python -m trainer.main``; ``rankloop serve`` starts it beside the server.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from types import FrameType

from store import jobs, registry
from store.database import Database, migrate
from store.encoder import Encoder
from store.errors import RankloopError
from store.settings import Settings, load_settings
from store.types import JobKind
from trainer.first_champion import register_base
from trainer.fresh import Freshness
from trainer.pipeline import Trainer
from trainer.priority import give_way
from trainer.schedule import Plan, Schedule
from trainer.single import evaluate_version
from trainer.worker import Worker, is_dead

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def run(settings: Settings, stop: Event, *, nice: bool = True, clock: Callable[[], datetime] = utc_now) -> None:
    """Work until ``stop`` is set; a job under way is then released, to be claimed again.

    ``nice``: give way to every other process of the machine. Raises what opening the database raises.
    """
    if nice:
        give_way()
    migrate(settings.database)
    db = Database.open(settings.database)
    with db.write() as tx:
        registry.ensure_first_stage(tx, settings.first_stage_lexical, clock())
    jobs.abandon(db, is_dead, clock())
    registry.sweep(db, settings.models_dir)
    register_base(db, settings, clock)
    trainer = Trainer(db, settings, _Lazy(settings), clock)
    handlers = {JobKind.NIGHTLY: trainer.nightly, JobKind.EVALUATE: lambda one: evaluate_version(trainer, one)}
    worker = Worker(db, handlers, stop, clock)
    schedule = Schedule(db, Plan(settings.nightly_cron, settings.timezone), clock)
    schedule.start()
    try:
        _work(worker, schedule, Freshness(trainer), stop)
    finally:
        schedule.stop()
        db.dispose()


def _work(worker: Worker, schedule: Schedule, fresh: Freshness, stop: Event) -> None:
    while not stop.is_set():
        try:
            schedule.refresh()
            if worker.run_one() is None and not fresh.refresh():
                stop.wait(POLL_SECONDS)
        except RankloopError as error:  # a busy or briefly missing database: the next round tries again
            logger.warning("%s", error.message)
            stop.wait(POLL_SECONDS)


class _Lazy:
    """The encoder, loaded at the first need and kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._encoder: Encoder | None = None

    def __call__(self) -> Encoder:
        if self._encoder is None:
            self._encoder = Encoder.load(self._settings.encoder)
        return self._encoder


def main() -> None:
    """Process entry: SIGTERM and SIGINT end it in order."""
    settings = load_settings()
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    run(settings, stop)
    logging.shutdown()
    # Everything is closed. Taking torch apart costs seconds of processor time: minutes at nice 19 on a busy machine.
    os._exit(0)


if __name__ == "__main__":
    main()
