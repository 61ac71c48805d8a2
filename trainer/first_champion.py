"""A base named in the settings is a version of its own, and serves until somebody or the gate decides otherwise."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from store import bases, deployments, meta, registry
from store.database import Connection, Database
from store.errors import RankloopError
from store.scorer import Scorer
from store.settings import Settings
from store.types import FIRST_STAGE_VERSION, Blend, Deployment, Version
from trainer import base_card
from trainer.base import resolve_base
from trainer.engines import Staged, export_engines, probes_of

logger = logging.getLogger(__name__)


def register_base(db: Database, settings: Settings, clock: Callable[[], datetime]) -> Version | None:
    """Register the base of the settings once, and make it the first champion where that is wanted.

    None for the residual base, which ranks as version 0 does, and for a base that cannot be loaded: version 0 then goes
    on serving, and the log and ``rankloop doctor`` say why.
    """
    if settings.base == bases.RESIDUAL:
        return None
    try:
        with db.read() as tx:
            version = bases.registered(tx, settings.base)
        if version is None:
            version = _publish(db, settings, clock())
            logger.info("the base %s is version %d", settings.base, version.id)
        with db.write() as tx:
            meta.put(tx, bases.FAULT, None)
            moved = _promote(tx, version, settings, clock())
    except (RankloopError, OSError) as error:
        logger.warning("the base %s is not registered, the champion stays: %s", settings.base, error)
        with db.write() as tx:
            meta.put(tx, bases.FAULT, {"base": settings.base, "reason": str(error)})
        return None
    if moved is not None:
        logger.info("version %d is the first champion", version.id)
    return version


def _publish(db: Database, settings: Settings, now: datetime) -> Version:
    base = resolve_base(
        settings.base, settings.encoder, Path(settings.encoder), settings.data / "bases", settings.max_length
    )
    staged = registry.staging(settings.models_dir, "base")
    shutil.copytree(base.path, staged, dirs_exist_ok=True)
    blend, scorer = Blend(dense=0.0, lexical=0.0, rerank=1.0), Scorer.load(staged, max_length=settings.max_length)
    probes = probes_of(scorer)
    engines, notes = export_engines(Staged(staged, scorer, scorer, probes, blend), (), {})  # it has no lists
    draft = registry.VersionDraft(
        name=Path(settings.base).name[:200] or settings.base,
        base=settings.base,
        blend=blend,
        max_length=settings.max_length,
        metrics={
            "origin": bases.ORIGIN,
            "notes": list(notes),
            "engines": {engine.name: engine.measured for engine in engines[1:]},
        },
        reasons=("This is the base as it came: no gate has compared it with anything.",),
        probes=probes,
        engines=engines,
    )
    (staged / "README.md").write_text(base_card.render(draft), encoding="utf-8")
    return registry.publish(db, settings.models_dir, staged, draft, now)


def _promote(tx: Connection, version: Version, settings: Settings, now: datetime) -> Deployment | None:
    champion = deployments.champion(tx)
    untouched = champion.version_id == FIRST_STAGE_VERSION and len(deployments.ledger(tx, limit=2)) == 1
    if not (settings.base_is_champion and champion.auto_promote and untouched):
        return None
    reason = f"the base {settings.base} is the first champion (RANKLOOP_BASE_IS_CHAMPION); nobody had chosen another"
    return deployments.promote(tx, version.id, "trainer", reason, now, expected_generation=champion.generation)
