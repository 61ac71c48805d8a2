"""The OpenAPI description as a source of requests, and what every answer to them must be.

Requests come from schemathesis: half fit the description, half break it somewhere. Both get ids of things that are
there now and then, and some of them odd headers; each is sent by nobody, by a person and by an administrator. Answers
are checked against the description, and against three rules of ours: no 5xx but 503 with ``Retry-After``, no other
client error than those of ``server.problems``, and no way in for callers who may not.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any, TypeAlias
from zlib import crc32

import hypothesis
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from store import jobs
from store.types import JobKind
from tests.fuzz_site import CALLERS, FuzzSite

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Request: TypeAlias = Case[Any]
ANSWERS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
MEANING = frozenset({"add_repo", "start_job", "put_schedule", "rate"})
"""Operations with rules that no schema can say: a directory that is there, what goes with which kind of job, a cron
line, stars that contradict a thumb. What fits their schema may be refused; test_api_bad_input.py and their own tests
say when."""
CLIENT_ERRORS = frozenset({400, 401, 403, 404, 405, 409, 413, 422, 429})
PUBLIC = ("/api/session", "/healthz", "/readyz")
LAST = ("end_sessions", "sign_out", "delete_conversation", "delete_golden", "delete_repo")
"""Operations that take away what others need."""
_LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30).map(
    str.strip
)
_ODD = ("Accept", "Content-Type", "Cookie", "If-None-Match", "Origin", "Range", "X-Rankloop-Test", "X-Request-ID")


@dataclass
class Seen:
    """What one operation answered one caller."""

    examples: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    """What was wrong → the first request that showed it, with its answer."""


def operations(site: FuzzSite) -> list[Operation]:
    """Every operation of the description that the server gives: first those that only read, last those that take
    something away."""
    schema = schemathesis.openapi.from_dict(site.server.client.get("/openapi.json").json())
    found: list[Operation] = []
    for result in schema.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        found.append(result.ok())
    return sorted(found, key=_order)


def _order(operation: Operation) -> tuple[bool, bool, bool]:
    admin = operation.path.startswith("/api/admin/")
    return name_of(operation) in LAST, operation.method != "get", admin


def name_of(operation: Operation) -> str:
    """The route's own name."""
    return str(operation.definition.raw["operationId"])


def fuzz(site: FuzzSite, operation: Operation, examples: int) -> dict[str, Seen]:
    """Caller → what was seen of ``examples`` requests, which are the same for each caller and on every run. A broken
    promise is noted, not raised."""
    seen = {who: Seen() for who in CALLERS}

    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(
        aimed(operation, site), st.dictionaries(st.sampled_from(_ODD), _LATIN, max_size=2), st.integers(0, 3)
    )
    def each(case: Request, headers: dict[str, str], quarter: int) -> None:
        for who, one in seen.items():
            send(site, case, who, headers if quarter == 3 else {}, one)

    each()
    return seen


@st.composite
def aimed(draw: st.DrawFn, operation: Operation, site: FuzzSite) -> Request:
    """A request in which names of things are, as often as not, those of things that are there."""
    case: Request = draw(_cases(operation))
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name in place.keys() & site.known.keys():
                if draw(st.booleans()):
                    place[name] = draw(st.sampled_from(site.known[name]))
    if isinstance(case.body, dict):
        _only_the_small_folder(case.body, site)
    if name_of(operation) == "job_events" and case.path_parameters.get("job_id") not in site.known["job_id"]:
        # The stream of a job that nobody runs has no end. Streams that end are read here as any answer; hanging up,
        # waiting and the server's stop are tested in test_api_admin.py and test_api_swap.py.
        case.query["stream"] = False
    return case


def _cases(operation: Operation) -> st.SearchStrategy[Request]:
    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not (operation.path_parameters or operation.query or operation.headers or operation.body):
        return fitting
    return st.one_of(fitting, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))


def _only_the_small_folder(body: dict[str, Any], site: FuzzSite) -> None:
    """Whatever else is a directory here would be read and indexed, up to the whole disk."""
    path = body.get("path")
    if isinstance(path, str) and "\0" not in path and os.path.isdir(os.path.expanduser(path)):  # noqa: PTH111, PTH112
        body["path"] = str(site.folder)


def send(site: FuzzSite, case: Request, who: str, odd: Mapping[str, str], seen: Seen) -> None:
    """Send one request as ``who`` and check what comes back."""
    seen.examples += 1
    headers = {"X-Forwarded-For": _address(case, who, seen.examples), **CALLERS[who]}
    client = site.server.client
    client.cookies.clear()
    prepared = requests.Request(**case.as_transport_kwargs("http://localhost", headers)).prepare()
    body = prepared.body if isinstance(prepared.body, (bytes, str)) else b""
    sent = {**prepared.headers, **odd}
    response = client.request(
        prepared.method or "",
        prepared.url or "",
        headers=[(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in sent.items()],
        content=body,
        follow_redirects=False,
    )
    seen.statuses[response.status_code] += 1
    found = _broken_rules(case, who, response.status_code, response.headers)
    try:
        case.validate_response(response, checks=_checks(case, odd), headers=headers)
    except FailureGroup as group:
        found += [
            f"{type(one).__name__}: {one.title}: {' '.join(one.message.split())[:160]}" for one in group.exceptions
        ]
    for what in found:
        request = f"{prepared.method} {prepared.url} {odd} {prepared.body!r:.600}"
        seen.failures.setdefault(what, f"{request}\n{response.status_code} {response.text[:400]}")
    _settle(site, case)


def _address(case: Request, who: str, number: int) -> str:
    """A network of its own for each request: attempts to sign in are limited by address, and a bucket that is met
    keeps what comes after it from being tried."""
    return str(IPv6Address(0x2001 << 112 | crc32(f"{case.operation.label} {who}".encode()) << 80 | number << 64))


def _checks(case: Request, odd: Mapping[str, str]) -> list[Any]:
    """Odd headers may be refused whatever the rest is."""
    if odd:
        return list(ANSWERS)
    fits = () if name_of(case.operation) in MEANING else (positive_data_acceptance,)
    return [*ANSWERS, negative_data_rejection, *fits]


def _broken_rules(case: Request, who: str, status: int, headers: Mapping[str, str]) -> list[str]:
    found = []
    if status == 429:
        found.append("a bucket was met: what is behind it was not tried")
    if status >= 500 and not (status == 503 and "Retry-After" in headers):
        found.append(f"status {status}")
    if 400 <= status < 500 and status not in CLIENT_ERRORS:
        found.append(f"status {status} is none of those that clients are told of")
    for_admins = case.path.startswith("/api/admin/")
    shut_out = who == "nobody" and not case.path.startswith(PUBLIC)
    if (shut_out or (for_admins and who != "admin")) and status not in (400, 401, 403, 404, 405):
        found.append(f"{who} was let in: {status}")
    return found


def _settle(site: FuzzSite, case: Request) -> None:
    """Nobody trains here: jobs that wait for a trainer are ended, so that the next request can start one."""
    if name_of(case.operation) != "start_job":
        return
    with site.server.state.db.write() as tx:
        for job in jobs.list_all(tx, limit=5):
            if not job.state.ended and job.kind is not JobKind.INDEX:
                jobs.request_cancel(tx, job.id, site.server.state.clock())
