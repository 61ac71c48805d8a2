"""Registered versions: rows in the database and immutable directories beside it.

Publishing goes staging → lineage and manifest → fsync → load in a fresh process → one transaction that renames the
directory and adds the row. A crash before the commit leaves the old state (and work for ``sweep``), after it the new.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from store import blend as blends
from store import deployments, leftovers, manifest
from store.database import Database
from store.errors import Conflict, InvalidInput, ModelRefused, NotFound
from store.leftovers import STAGING
from store.manifest import Engine, Probe
from store.published import DIGEST_CHARACTERS
from store.tables import champion as champion_table
from store.tables import versions
from store.types import FIRST_STAGE_VERSION, REPEATS, Blend, Decision, Json, Version, VersionForm
from store.verify import verify_in_fresh_process

log = logging.getLogger(__name__)
_FRAMEWORKS = ("torch", "transformers", "sentence-transformers", "tokenizers", "safetensors")


@dataclass(frozen=True, slots=True)
class VersionDraft:
    """What the trainer knows about a staged cross-encoder; ``publish`` makes a version of it."""

    name: str
    base: str
    blend: Blend
    max_length: int
    """Tokens of a pair; the saved tokenizer must say the same."""
    parent_id: int | None = None
    snapshot_hash: str | None = None
    metrics: Json = field(default_factory=dict)
    decision: Decision | None = None
    reasons: tuple[str, ...] = ()
    job_id: int | None = None
    seed: int = 0
    hyper_parameters: Mapping[str, Any] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    """Pairs with the logits of the model in memory; empty: the default probes, scored from the staged directory."""
    engines: tuple[Engine, ...] = ()
    """Empty: torch-fp32 alone."""


def ensure_first_stage(tx: Connection, lexical_weight: float, now: datetime) -> Version:
    """Make version 0 and the first champion where they are missing. Version 0 follows the settings' lexical weight."""
    blend = asdict(blends.first_stage(lexical_weight))
    row = tx.execute(select(versions.c.blend).where(versions.c.id == FIRST_STAGE_VERSION)).one_or_none()
    if row is None:
        tx.execute(
            insert(versions).values(
                id=FIRST_STAGE_VERSION,
                name="first-stage",
                form=VersionForm.FIRST_STAGE.value,
                base="",
                blend=blend,
                metrics={},
                reasons=[],
                created_at=now,
            )
        )
    elif row.blend != blend:
        tx.execute(update(versions).where(versions.c.id == FIRST_STAGE_VERSION).values(blend=blend))
    deployments.begin(tx, FIRST_STAGE_VERSION, now)
    return get(tx, FIRST_STAGE_VERSION)


def staging(models_dir: Path, owner: int | str, name: str = "model") -> Path:
    """An empty place for a model, on the same disk as the versions. What was there before is removed.

    ``owner`` is a job's id, or a name of one's own for what no job makes.
    """
    path = _place(models_dir, owner) / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def discard(models_dir: Path, owner: int | str) -> None:
    """Remove what ``owner`` has staged: a failed job must not leave a full disk full."""
    shutil.rmtree(_place(models_dir, owner), ignore_errors=True)


def _place(models_dir: Path, owner: int | str) -> Path:
    return models_dir / STAGING / (f"job-{owner}" if isinstance(owner, int) else owner)


def publish(db: Database, models_dir: Path, staged: Path, draft: VersionDraft, now: datetime) -> Version:
    """Make an immutable version of a staged CrossEncoder directory.

    Raises ModelRefused when it is not plain, complete or equal to its probes; InvalidInput when it is not a staging
    directory. Nothing is registered then, and ``staged`` may be repaired or left to ``sweep``.
    """
    _require_staging(models_dir, staged)
    if not (staged / "README.md").is_file():
        raise ModelRefused("missing file: README.md (the model card)")
    probes = draft.probes or _measured_probes(staged, draft.max_length)
    manifest.write_lineage(staged, _lineage(draft, probes, now))
    found = manifest.write(staged, max_length=draft.max_length, probes=probes, engines=draft.engines)
    return _register(db, models_dir, staged, draft, found.digest, now)


def adopt(db: Database, models_dir: Path, staged: Path, draft: VersionDraft, now: datetime) -> Version:
    """Make a version of a staged directory that was published elsewhere: not one byte of it changes.

    Raises ModelRefused when it is not what its manifest says or does not load; Conflict when it is registered already.
    """
    _require_staging(models_dir, staged)
    found = manifest.verify(staged)
    with db.read() as tx:
        twin = tx.execute(select(versions.c.id).where(versions.c.path.endswith(_tail(found.digest)))).scalar()
    if twin is not None:
        raise Conflict(f"this model is here already, as version {twin}")
    return _register(db, models_dir, staged, draft, found.digest, now)


def _require_staging(models_dir: Path, staged: Path) -> None:
    if not staged.resolve().is_relative_to((models_dir / STAGING).resolve()) or staged.is_symlink():
        raise InvalidInput(f"{staged} is not a staging directory of {models_dir}")


def _tail(digest: str) -> str:
    return f"-{digest[:DIGEST_CHARACTERS]}"


def _register(db: Database, models_dir: Path, staged: Path, draft: VersionDraft, digest: str, now: datetime) -> Version:
    _make_read_only(staged)
    manifest.fsync_tree(staged)
    verify_in_fresh_process(staged)
    with db.write() as tx:
        version_id = _insert(tx, draft, now)
        directory = f"v{version_id:04d}{_tail(digest)}"
        target = models_dir / directory
        if target.exists():  # left by a crash before its commit: no row has it, the id was free
            shutil.rmtree(target)
        os.rename(staged, target)  # noqa: PTH104
        manifest.fsync(models_dir)
        tx.execute(update(versions).where(versions.c.id == version_id).values(path=directory))
        version = get(tx, version_id)
    shutil.rmtree(staged.parent, ignore_errors=True)
    return version


def get(tx: Connection, version_id: int) -> Version:
    """Raises NotFound."""
    row = tx.execute(_select().where(versions.c.id == version_id)).one_or_none()
    if row is None:
        raise NotFound(f"no version {version_id}")
    return _version(row)


def list_all(tx: Connection, limit: int = 50, offset: int = 0) -> list[Version]:
    """Versions, latest first."""
    return [_version(row) for row in tx.execute(_select().order_by(versions.c.id.desc()).limit(limit).offset(offset))]


def by_job(tx: Connection, job_id: int) -> list[Version]:
    """What a job has published already, oldest first: a job that is taken up again does not publish twice."""
    return [_version(row) for row in tx.execute(_select().where(versions.c.job_id == job_id).order_by(versions.c.id))]


def last_gated(tx: Connection) -> Version | None:
    """The newest version that the gate judged; a rehearsal judges old ratings again and is left out."""
    fresh = func.json_extract(versions.c.metrics, f"$.{REPEATS}").is_(None)
    rows = tx.execute(_select().where(versions.c.decision.isnot(None), fresh).order_by(versions.c.id.desc()).limit(1))
    return next((_version(row) for row in rows), None)


def judged_groups(tx: Connection) -> frozenset[int]:
    """The strongly judged groups that any version was trained or evaluated with."""
    found = tx.execute(select(versions.c.metrics)).scalars()
    return frozenset(group for metrics in found for group in (metrics or {}).get("judged_groups", []))


def trained_on(tx: Connection, snapshot_hash: str) -> list[int]:
    """The ids of the versions that learned from a data set, oldest first."""
    rows = tx.execute(select(versions.c.id).where(versions.c.snapshot_hash == snapshot_hash).order_by(versions.c.id))
    return list(rows.scalars())


def sweep(db: Database, models_dir: Path) -> list[str]:
    """Remove what crashes left: staging of ended jobs, version directories without a row. Returns the names.

    Directories that this database can't have made stay, with a warning. Safe beside a running publisher: the rename
    and the row are one write transaction, and so is this.
    """
    if not models_dir.is_dir():
        return []
    with db.write() as tx:
        if kept := leftovers.foreign(tx, models_dir):
            names = ", ".join(path.name for path in kept)
            log.warning("%s: not in this database, and kept; rankloop doctor says what to do", names)
        found = leftovers.find(tx, models_dir)
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        if found:
            manifest.fsync(models_dir)
    return sorted(path.relative_to(models_dir).as_posix() for path in found)


def _insert(tx: Connection, draft: VersionDraft, now: datetime) -> int:
    version_id: int = tx.execute(
        insert(versions)
        .values(
            name=draft.name,
            form=VersionForm.CROSS_ENCODER.value,
            base=draft.base,
            parent_id=draft.parent_id,
            snapshot_hash=draft.snapshot_hash,
            blend=asdict(draft.blend),
            metrics=draft.metrics,
            decision=None if draft.decision is None else draft.decision.value,
            reasons=list(draft.reasons),
            created_at=now,
            job_id=draft.job_id,
        )
        .returning(versions.c.id)
    ).scalar_one()
    return version_id


def _lineage(draft: VersionDraft, probes: tuple[Probe, ...], now: datetime) -> Json:
    return {
        "name": draft.name,
        "created_at": now.isoformat(),
        "base": draft.base,
        "parent": draft.parent_id,
        "snapshot": draft.snapshot_hash,
        "hyper_parameters": dict(draft.hyper_parameters),
        "seed": draft.seed,
        "max_length": draft.max_length,
        "blend": asdict(draft.blend),
        "metrics": draft.metrics,
        "gate": {"decision": draft.decision, "reasons": list(draft.reasons)},
        "probes": [asdict(probe) for probe in probes],
        "job": draft.job_id,
        "frameworks": {name: metadata.version(name) for name in _FRAMEWORKS},
    }


def _measured_probes(staged: Path, max_length: int) -> tuple[Probe, ...]:
    from store.scorer import Scorer  # torch: whoever only reads the registry does without

    scores = Scorer.load(staged, max_length=max_length).score_pairs(manifest.PROBE_TEXTS)
    texts = zip(manifest.PROBE_TEXTS, scores.tolist(), strict=True)
    return tuple(Probe(query, passage, score) for (query, passage), score in texts)


def _make_read_only(directory: Path) -> None:
    for path in directory.rglob("*"):
        if path.is_file():
            path.chmod(0o444)


def _select() -> Any:
    return select(versions, champion_table.c.version_id.label("champion_id")).outerjoin_from(
        versions, champion_table, champion_table.c.version_id == versions.c.id
    )


def _version(row: Row[Any]) -> Version:
    return Version(
        id=row.id,
        name=row.name,
        form=VersionForm(row.form),
        base=row.base,
        parent_id=row.parent_id,
        snapshot_hash=row.snapshot_hash,
        path=row.path,
        blend=Blend(**row.blend),
        metrics=row.metrics,
        decision=None if row.decision is None else Decision(row.decision),
        reasons=tuple(row.reasons),
        created_at=row.created_at,
        job_id=row.job_id,
        champion=row.champion_id is not None,
    )
