"""What can be seen of a data directory in its database: jobs, texts, indexes, leftovers."""

from __future__ import annotations

from datetime import UTC, datetime

from rankloop.findings import Finding, Patient
from server.indexing.embed import embed_missing
from store import chunks, jobs, mending, registry, texts
from store import leftovers as left
from store.encoder import Encoder
from store.errors import Conflict
from store.types import Job, JobKind, JobState

MEND = "rankloop doctor --mend"
FOREIGN = (
    "is RANKLOOP_DATA, or DATABASE_URL, the right one? If the database was lost, bring it back from a backup (rankloop "
    "restore FILE, into another data directory); folders that nobody misses: move them away"
)


def jobs_at_work(patient: Patient) -> Finding:
    """Running jobs that nobody works on, and that nobody is there to take up."""
    with patient.db.read() as tx:
        running = [job for job in jobs.list_all(tx, limit=1000) if job.state == "running"]
        stranded = {job.id for job in jobs.stranded(tx, datetime.now(UTC))}
    dead = [job for job in running if not _worker_runs(patient, job) or job.id in stranded]
    if not dead:
        return Finding("jobs", True, f"{len(running)} running" if running else "none running")

    def requeue() -> str:
        if any(_worker_runs(patient, job) for job in dead):
            raise Conflict("its worker runs, or hangs: it takes the job up again by itself within two minutes")
        with patient.db.write() as tx:
            mending.requeue(tx, [job.id for job in dead])
        return f"queued again: {_named(dead)}; the next start works on it"

    detail = f"{_named(dead)} running, but the worker is gone"
    return Finding("jobs", False, detail, f"start the server, which takes it up again; or {MEND}", requeue)


def _worker_runs(patient: Patient, job: Job) -> bool:
    return patient.server_runs if job.kind is JobKind.INDEX else patient.trainer_runs


def _named(found: list[Job]) -> str:
    return ", ".join(f"job {job.id} ({job.kind})" for job in found)


def stored_texts(patient: Patient) -> Finding:
    with patient.db.read() as tx:
        altered = mending.altered_texts(tx)
    detail = f"{len(altered)} differ from their hash: {', '.join(one[:12] for one in altered[:3])}"
    advice = "what people judged is not what is stored any more: restore the latest backup (rankloop restore FILE)"
    return Finding("texts", not altered, detail if altered else "as they were judged", advice)


def lexical_index(patient: Patient) -> Finding:
    with patient.db.write() as tx:  # FTS5 checks itself by a statement that looks like a write
        faults = mending.lexical_faults(tx)

    def mend() -> str:
        with patient.db.write() as tx:
            mending.mend_lexical(tx)
        return "the lexical index was made again from the chunks"

    advice = f"{MEND} makes it again from the chunks; nothing is lost"
    return Finding(
        "lexical index", not faults, "; ".join(faults) or "holds every chunk", advice, mend if faults else None
    )


def vectors(patient: Patient) -> Finding:
    encoder = Encoder.load(patient.settings.encoder)
    with patient.db.read() as tx:
        missing = texts.missing_count(tx, encoder.name)
        odd = mending.odd_vectors(tx, encoder.name, encoder.dimension)
        live = chunks.count(tx)
        indexing = any(job.state == JobState.RUNNING for job in jobs.list_all(tx, JobKind.INDEX, limit=100))
    detail = f"{live:,} chunks, {missing:,} without a vector" + (f", {odd:,} damaged vectors" if odd else "")

    if missing and not odd and indexing and patient.server_runs:
        return Finding("index", True, f"{detail} yet: the server is indexing")

    def embed() -> str:
        if patient.server_runs:
            raise Conflict("the server runs and owns the index: stop it first, or start it again, which embeds them")
        with patient.db.write() as tx:
            mending.drop_odd_vectors(tx, encoder.name, encoder.dimension)
        return f"{embed_missing(patient.db, encoder, lambda _: None, lambda: False):,} texts were embedded"

    advice = f"start the server, which embeds what is missing; damaged ones: {MEND}"
    return Finding("index", not (missing or odd), detail, advice, embed if missing or odd else None)


def vector_marker(patient: Patient) -> Finding:
    with patient.db.read() as tx:
        behind = mending.marker_behind(tx, chunks.generation(tx))
    if not behind or patient.server_runs:  # a server at work marks each change a moment after it
        return Finding("vector generation", True, "in step" if not behind else "a server is at work on it")

    def forget() -> str:
        with patient.db.write() as tx:
            mending.forget_marker(tx)
        return "the next start fills the vector index from the database"

    detail = "a process died between changing the vectors and marking them"
    return Finding(
        "vector generation", False, detail, f"start the server, which fills the index again; or {MEND}", forget
    )


def leftovers(patient: Patient) -> Finding:
    if patient.trainer_runs:
        return Finding("leftovers", True, "not looked for while a trainer works")
    models = patient.settings.models_dir
    with patient.db.read() as tx:
        foreign = left.foreign(tx, models) if models.is_dir() else []
        found = left.find(tx, models) if models.is_dir() else []
    if foreign:
        kept = f"{', '.join(path.name for path in foreign)} kept: not in this database, which can't have made them"
        return Finding("leftovers", False, kept, FOREIGN)
    names = ", ".join(path.relative_to(models).as_posix() for path in found)

    def sweep() -> str:
        return f"swept {', '.join(registry.sweep(patient.db, models)) or 'nothing'}"

    advice = f"harmless, and swept when the trainer starts; or {MEND}"
    return Finding("leftovers", not found, names or "none", advice, sweep if found else None)
