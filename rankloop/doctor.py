"""``rankloop doctor``: what is wrong with a data directory, in words, and what to do about it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rankloop.locks import holder, server_lock, trainer_lock
from store import chunks, deployments, health, registry, texts
from store.database import Database
from store.encoder import Encoder
from store.errors import ModelRefused, RankloopError
from store.loading import check_files, load_version
from store.settings import Settings
from trainer.base import RESIDUAL
from trainer.first_champion import fault as last_fault
from trainer.first_champion import registered

FREE_BYTES_WANTED = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Patient:
    settings: Settings
    db: Database


@dataclass(frozen=True, slots=True)
class Finding:
    """``ok`` False is a fault; ``advice`` then says what to do."""

    what: str
    ok: bool
    detail: str
    advice: str = ""


def examine(patient: Patient) -> Iterator[Finding]:
    """Every check, one finding each, in the order a person would look."""
    checks: tuple[Callable[[Patient], Finding], ...] = (
        _space,
        _token,
        _processes,
        _integrity,
        _encoder,
        _vectors,
        _champion,
        _engine,
        _versions,
        _base,
        _leftovers,
    )
    for check in checks:
        try:
            yield check(patient)
        except RankloopError as error:
            yield Finding(check.__name__.strip("_"), False, error.message)


def _space(patient: Patient) -> Finding:
    free = shutil.disk_usage(patient.settings.data).free
    advice = "free some disk space: training writes a few hundred MB"
    return Finding("disk space", free > FREE_BYTES_WANTED, f"{free / 2**30:.1f} GiB free", advice)


def _token(patient: Patient) -> Finding:
    file = patient.settings.data / "admin-token"
    if not file.exists():
        return Finding("admin token", True, "made at the first start")
    private = stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    return Finding("admin token", private, "private" if private else "readable by others", f"chmod 600 {file}")


def _processes(patient: Patient) -> Finding:
    server, trainer = holder(server_lock(patient.settings.data)), holder(trainer_lock(patient.settings.data))
    says = [
        f"{name} {'runs' if about else 'does not run'}" for name, about in (("server", server), ("trainer", trainer))
    ]
    return Finding("processes", True, ", ".join(says))


def _integrity(patient: Patient) -> Finding:
    with patient.db.read() as tx:
        faults = health.faults(tx)
    return Finding(
        "database", not faults, "; ".join(faults) or "sound", "restore the latest backup: rankloop restore FILE"
    )


def _encoder(patient: Patient) -> Finding:
    encoder = Encoder.load(patient.settings.encoder)
    return Finding("encoder", True, f"{encoder.name}, {encoder.dimension} dimensions")


def _vectors(patient: Patient) -> Finding:
    encoder = Encoder.load(patient.settings.encoder)
    with patient.db.read() as tx:
        missing = len(texts.missing_vectors(tx, encoder.name, 1_000_000))
        live = chunks.count(tx)
    detail = f"{live:,} chunks, {missing:,} without a vector"
    return Finding(
        "index", missing == 0, detail, "start the server, or run `rankloop index` again: it embeds what is missing"
    )


def _champion(patient: Patient) -> Finding:
    with patient.db.read() as tx:
        champion = deployments.champion(tx)
        version = registry.get(tx, champion.version_id)
    try:
        load_version(version, patient.settings.models_dir, threads=1)
    except RankloopError as error:
        advice = "roll back to a version that loads: rankloop models rollback --to 0 --reason …"
        return Finding("champion", False, f"version {version.id} can't be loaded: {error.message}", advice)
    paused = "" if champion.auto_promote else "; automatic promotion is paused"
    return Finding("champion", True, f"version {version.id} ({version.name}) loads and scores as probed{paused}")


def _engine(patient: Patient) -> Finding:
    """What the server would choose if it started now: the choice is timed here, so it can differ from a running one."""
    settings = patient.settings
    with patient.db.read() as tx:
        version = registry.get(tx, deployments.champion(tx).version_id)
    threads = settings.rerank_threads or os.cpu_count() or 1  # other checks leave torch with one
    try:
        loaded = load_version(version, settings.models_dir, threads=threads, engine=settings.rerank_engine)
    except RankloopError:
        return Finding("engine", True, "not looked at: the champion can't be loaded")
    if loaded.scorer is None:
        return Finding("engine", True, "the champion does not rerank")
    times = ", ".join(f"{name} {taken:.0f} ms" for name, taken in loaded.engine.milliseconds.items())
    detail = f"{loaded.engine.name}: {loaded.engine.reason}{f' ({times})' if times else ''}"
    advice = "ranking is right but slower; reinstall openvino, or set RANKLOOP_RERANK_ENGINE=torch-fp32 to accept it"
    return Finding("engine", not loaded.engine.refused, detail, advice)


def _versions(patient: Patient) -> Finding:
    models = patient.settings.models_dir
    with patient.db.read() as tx:
        known = [version for version in registry.list_all(tx, limit=100_000) if version.path is not None]
    faults = []
    for version in known:
        try:
            check_files(version, models)
        except ModelRefused as error:
            faults.append(f"version {version.id}: {error.message}")
    detail = "; ".join(faults) or f"{len(known)} as published"
    return Finding("versions", not faults, detail, "bring the directory back from a backup, or don't promote it")


def _base(patient: Patient) -> Finding:
    base = patient.settings.base
    if base == RESIDUAL:
        return Finding("base", True, "residual: ranks as the first stage until ratings teach it")
    with patient.db.read() as tx:
        version, fault = registered(tx, base), last_fault(tx, base)
    if version is not None:
        return Finding("base", True, f"{base} is version {version.id}")
    if fault is None:
        return Finding("base", True, f"{base} is registered when the trainer starts")
    return Finding("base", False, fault, "set RANKLOOP_BASE to a cross-encoder that is there, or to residual")


def _leftovers(patient: Patient) -> Finding:
    if holder(trainer_lock(patient.settings.data)) is not None:
        return Finding("leftovers", True, "not looked for while a trainer works")
    swept = registry.sweep(patient.db, patient.settings.models_dir)
    return Finding("leftovers", True, f"swept {', '.join(swept)}" if swept else "none")
