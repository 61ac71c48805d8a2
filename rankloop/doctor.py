"""``rankloop doctor``: what is wrong with a data directory, in words, what to do about it, and what mends itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rankloop import doctor_data, doctor_engine, doctor_files
from rankloop.findings import Finding, Patient
from store import bases, deployments, registry
from store.encoder import Encoder
from store.errors import ModelRefused, RankloopError
from store.loading import load_version
from store.published import check_files

Look = Callable[[Patient], Finding]


def examine(patient: Patient) -> Iterator[Finding]:
    """Every check, one finding each, in the order a person would look. Nothing is changed.

    Where there is no database that this release can work with, what would need one is left out.
    """
    for check in (
        doctor_files.space,
        doctor_files.folders,
        doctor_files.privacy,
        doctor_files.processes,
        doctor_files.stale_locks,
    ):
        yield _found(check, patient)
    file = _found(doctor_files.database_file, patient)
    yield file
    if not (file.ok and doctor_files.is_current(patient)):
        return
    sound = _found(doctor_files.integrity, patient)
    yield sound
    for check in (
        doctor_files.token,
        doctor_data.jobs_at_work,
        doctor_data.stored_texts,
        doctor_data.lexical_index,
        _encoder,
        doctor_data.vectors,
        doctor_data.vector_marker,
        _champion,
        doctor_engine.engine,
        _versions,
        _base,
        doctor_data.leftovers,
    ):
        yield _found(check, patient)


def _found(check: Look, patient: Patient) -> Finding:
    try:
        return check(patient)
    except RankloopError as error:
        return Finding(check.__name__.strip("_").replace("_", " "), False, error.message)
    except OSError as error:
        return Finding(check.__name__.strip("_").replace("_", " "), False, str(error))


def _encoder(patient: Patient) -> Finding:
    encoder = Encoder.load(patient.settings.encoder)
    try:
        return Finding(
            "encoder", True, f"{encoder.name}, {encoder.dimension} dimensions, indexes by {encoder.hasten()}"
        )
    finally:
        encoder.relax()


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
    if base == bases.RESIDUAL:
        return Finding("base", True, "residual: ranks as the first stage until ratings teach it")
    with patient.db.read() as tx:
        version, fault = bases.registered(tx, base), bases.fault(tx, base)
    if version is not None:
        return Finding("base", True, f"{base} is version {version.id}")
    if fault is None:
        return Finding("base", True, f"{base} is registered when the trainer starts")
    return Finding("base", False, fault, "set RANKLOOP_BASE to a cross-encoder that is there, or to residual")
