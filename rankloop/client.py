"""A typed Python client of the HTTP contract.

client = Client("http://127.0.0.1:8000")
found = client.search("where are ratings stored?")
client.rate_chunk(found.answer_id, found.results[0].chunk_id, True)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from server.schemas.asking import AnswerResult, ChatResult, SearchResult
from server.schemas.data import RepoAccepted
from server.schemas.jobs import JobView
from server.schemas.overview import Overview
from server.schemas.rating import Receipt
from server.schemas.versions import Comparison, DeploymentView, VersionDetail, VersionPage
from store.errors import Busy, Conflict, Forbidden, InvalidInput, NotFound, RankloopError, Unavailable

B = TypeVar("B", bound=BaseModel)

_ERRORS: Mapping[int, type[RankloopError]] = {
    400: InvalidInput,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidInput,
    422: InvalidInput,
    429: Busy,
    503: Busy,
}


class Client:
    """One person's connection. Raises ``store.errors`` kinds with the server's own message."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        user: str | None = None,
        timeout: float = 120.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if user is not None:
            headers["X-Rankloop-User"] = user
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """One request; the decoded JSON of a 2xx answer."""
        try:
            response = self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise Unavailable(f"{self._http.base_url} does not answer: {error}") from error
        if response.is_success:
            return response.json() if response.content else None
        raise _error(response)

    def _get(self, kind: type[B], method: str, path: str, body: Any = None, *, test: bool = False) -> B:
        headers = {"X-Rankloop-Test": "1"} if test else None
        answer = self.call(method, path, body, headers=headers)
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            where = ".".join(map(str, wrong["loc"])) or "the answer"
            raise Unavailable(
                f"{self._http.base_url} answers otherwise than this release expects ({where}: {wrong['msg']}); "
                "is the server of another release?"
            ) from error

    # --- asking ---------------------------------------------------------------------------

    def search(
        self,
        query: str,
        *,
        repo: str | None = None,
        top_k: int = 10,
        depth: int | None = None,
        rerank: bool = True,
        test: bool = False,
    ) -> SearchResult:
        """Ranked chunks. ``test`` asks without being logged."""
        body = {"query": query, "repo": repo, "top_k": top_k, "depth": depth, "rerank": rerank}
        return self._get(SearchResult, "POST", "/api/search", body, test=test)

    def answer(self, question: str, *, repo: str | None = None, top_k: int | None = None) -> AnswerResult:
        return self._get(AnswerResult, "POST", "/api/answer", {"question": question, "repo": repo, "top_k": top_k})

    def chat(self, message: str, *, repo: str | None = None, conversation_id: str | None = None) -> ChatResult:
        body = {"message": message, "repo": repo, "conversation_id": conversation_id, "stream": False}
        return self._get(ChatResult, "POST", "/api/chat", body)

    def chat_stream(
        self, message: str, *, repo: str | None = None, conversation_id: str | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """The chat's server-sent events as (name, data)."""
        body = {"message": message, "repo": repo, "conversation_id": conversation_id, "stream": True}
        with self._http.stream("POST", "/api/chat", json=body) as response:
            if not response.is_success:
                response.read()
                raise _error(response)
            name = "message"
            for line in response.iter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    yield name, json.loads(line[5:])

    # --- rating ---------------------------------------------------------------------------

    def rate(self, answer_id: str, **fields: Any) -> Receipt:
        """``thumb``, ``stars``, ``reasons``, ``note``: what is absent stays, None takes back."""
        return self._get(Receipt, "PUT", f"/api/answers/{answer_id}/rating", fields)

    def rate_chunk(self, answer_id: str, chunk_id: int, relevant: bool | None) -> Receipt:
        return self._get(Receipt, "PUT", f"/api/answers/{answer_id}/chunks/{chunk_id}/rating", {"relevant": relevant})

    def correct(self, answer_id: str, chunk_id: int | None) -> Receipt:
        return self._get(Receipt, "PUT", f"/api/answers/{answer_id}/correction", {"chunk_id": chunk_id})

    def event(self, answer_id: str, kind: str, chunk_id: int) -> None:
        self.call("POST", f"/api/answers/{answer_id}/events", {"type": kind, "chunk_id": chunk_id})

    def receipt(self, answer_id: str) -> Receipt:
        return self._get(Receipt, "GET", f"/api/answers/{answer_id}/receipt")

    # --- admin ----------------------------------------------------------------------------

    def overview(self) -> Overview:
        return self._get(Overview, "GET", "/api/admin/overview")

    def models(self) -> VersionPage:
        return self._get(VersionPage, "GET", "/api/admin/models")

    def model(self, version: int) -> VersionDetail:
        return self._get(VersionDetail, "GET", f"/api/admin/models/{version}")

    def compare(self, a: int, b: int) -> Comparison:
        return self._get(Comparison, "GET", f"/api/admin/models/compare?a={a}&b={b}")

    def promote(self, version: int, reason: str, *, force: bool = False) -> DeploymentView:
        body = {"reason": reason, "force": force}
        return self._get(DeploymentView, "POST", f"/api/admin/models/{version}/promote", body)

    def rollback(self, reason: str, *, to: int | None = None) -> DeploymentView:
        return self._get(DeploymentView, "POST", "/api/admin/rollback", {"reason": reason, "to": to})

    def add_repo(self, name: str, path: str) -> RepoAccepted:
        return self._get(RepoAccepted, "POST", "/api/admin/repos", {"name": name, "path": path})

    def start_job(self, kind: str, **params: Any) -> int:
        return int(self.call("POST", "/api/admin/jobs", {"kind": kind, **params})["job_id"])

    def job(self, job_id: int) -> JobView:
        return self._get(JobView, "GET", f"/api/admin/jobs/{job_id}")

    def wait(self, job_id: int, timeout_s: float, on_change: Callable[[JobView], None] | None = None) -> JobView:
        """Poll a job until it ends. Raises Unavailable when it has not ended in time."""
        deadline = time.monotonic() + timeout_s
        last: tuple[str, float] | None = None
        while time.monotonic() < deadline:
            job = self.job(job_id)
            if on_change is not None and (job.stage, job.progress) != last:
                last = (job.stage, job.progress)
                on_change(job)
            if job.state.ended:
                return job
            time.sleep(0.5)
        raise Unavailable(f"job {job_id} has not ended after {timeout_s:.0f} s")


def _error(response: httpx.Response) -> RankloopError:
    try:
        message = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"{response.request.method} {response.request.url.path} answered {response.status_code}"
    return _ERRORS.get(response.status_code, RankloopError)(message)
