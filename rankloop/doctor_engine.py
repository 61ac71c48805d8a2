"""By which engine the champion is scored: what the running server says, or what one would choose if it started now."""

from __future__ import annotations

import httpx
from pydantic import ValidationError

from rankloop.context import server_url
from rankloop.findings import Finding, Patient
from server.schemas.account import Ready
from store import deployments, registry
from store.errors import RankloopError, Unavailable
from store.loading import load_version
from store.processors import processors

PATIENCE_S = 5.0
"""A server at work answers within milliseconds; one that hangs shall not hold the doctor up."""
_ADVICE = "ranking is right but slower; reinstall openvino, or set RANKLOOP_RERANK_ENGINE=torch-fp32 to accept it"
_AGAIN = (
    "ranking is right but slower; a new start tries the engine again; if that does not help, reinstall openvino, "
    "or set RANKLOOP_RERANK_ENGINE=torch-fp32 to accept it"
)


def engine(patient: Patient) -> Finding:
    """Only the running server knows what happened to its engine. Without one the choice is timed here."""
    url = server_url(patient.settings)
    if url is None:
        return _chosen_here(patient)
    try:
        ready = ask(url)
    except Unavailable as error:
        here = _chosen_here(patient)
        return Finding("engine", here.ok, f"{error.message}; one that started now: {here.detail}", here.advice)
    if ready.note is not None:
        advice = "the server's log says more; what is wrong with the version, the check of the champion says"
        return Finding("engine", False, f"the running server says: {ready.note}", advice)
    if ready.engine is None:
        return Finding("engine", True, "the running server reranks nothing")
    detail = f"the running server scores by {ready.engine}: {ready.engine_reason}"
    return Finding("engine", ready.engine_fault is None, detail, _AGAIN)


def ask(url: str, patience_s: float = PATIENCE_S) -> Ready:
    """What the server at ``url`` says at ``/readyz``. Raises Unavailable where that is no answer of this release."""
    try:
        # It is on this machine, whatever address it listens at: no proxy, and a name that every server answers to.
        answer = httpx.get(f"{url}/readyz", headers={"Host": "localhost"}, timeout=patience_s, trust_env=False)
        return Ready.model_validate_json(answer.content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"the running server ({url}) does not answer: {error}") from error
    except ValidationError as error:
        raise Unavailable(f"what answers at {url} is no server of this release") from error


def _chosen_here(patient: Patient) -> Finding:
    settings = patient.settings
    with patient.db.read() as tx:
        version = registry.get(tx, deployments.champion(tx).version_id)
    threads = settings.rerank_threads or processors()  # other checks leave torch with one
    try:
        loaded = load_version(version, settings.models_dir, threads=threads, engine=settings.rerank_engine)
    except RankloopError:
        return Finding("engine", True, "not looked at: the champion can't be loaded")
    if loaded.scorer is None:
        return Finding("engine", True, "the champion does not rerank")
    times = ", ".join(f"{name} {taken:.0f} ms" for name, taken in loaded.engine.milliseconds.items())
    detail = f"{loaded.engine.name}: {loaded.engine.reason}{f' ({times})' if times else ''}"
    return Finding("engine", loaded.engine.fault is None, detail, _ADVICE)
