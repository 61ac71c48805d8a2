"""A server to be fuzzed: real parts and tiny models, with something of everything that calls can name or list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from store import chunks, evaluations, golden, judgments, queries, registry, sessions, snapshots
from store.encoder import Encoder
from store.evaluations import EvalRow
from store.tables import signals
from store.types import Decision, EvalQuery, Judgment, Pair, PairSource, Split
from tests import tiny
from tests.integration.server.support import ADMIN, CODE, TOKEN, Running, publish, running
from tests.oidc_provider import CLIENT, SECRET

PERSON = {"X-Person": "ann", "X-Groups": "raters"}
CALLERS: Mapping[str, Mapping[str, str]] = {"nobody": {}, "person": PERSON, "admin": ADMIN}
"""In this order, so that whoever may take something away comes last."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPARE = 5
"""How many of what can be deleted."""


@dataclass(frozen=True)
class FuzzSite:
    server: Running
    known: Mapping[str, Sequence[Any]]
    """Field or parameter → values that stand for something that is there."""
    folder: Path
    """A small directory; the only one that is ever indexed."""


def prepare(root: Path, encoder: Encoder) -> Path:
    """Make a data directory with the repository "shop" and three versions, below ``root``; return it."""
    with running(root / "data", encoder) as server:
        server.index(root / "code")
        models = server.settings.models_dir
        for seed, name in enumerate(("good", "bad"), 1):
            publish(server.state.db, models, name, seed, Decision.PROMOTE)
        publish(server.state.db, models, "unproven", 3, Decision.NOT_PROVEN)
    return root / "data"


@contextmanager
def fuzz_site(data: Path, encoder: Encoder, discovery: str) -> Iterator[FuzzSite]:
    """Serve a copy of such a directory as other machines reach it: sign-in by proxy header and OpenID Connect.

    ``discovery`` is the provider's address. Buckets for asking and rating are off; the one for signing in can't be.
    """
    folder = data / "code"
    for path, text in CODE.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    oidc = {"oidc_url": discovery, "oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET)}
    proxy = {"trusted_proxies": "127.0.0.1", "proxy_user_header": "X-Person", "proxy_groups_header": "X-Groups"}
    limits = {"asks_per_minute": 0, "ratings_per_minute": 0, "burst_signals": 2}
    sign_in = {"host": "192.0.2.1", "public_url": "https://code.example", "roles": "raters=rater, readers=user"}
    with running(data, encoder, **oidc, **proxy, **limits, **sign_in) as server:
        yield FuzzSite(server, _filled(server, folder), folder)


def _filled(server: Running, folder: Path) -> Mapping[str, Sequence[Any]]:
    answers, talks = _asked_and_rated(server)
    _spare_repos(server, folder)
    with server.state.db.write() as tx:
        goldens = [golden.add(tx, f"golden {number}", "shop", ["config.py"], NOW) for number in range(SPARE)]
        spans = tx.execute(signals.select().where(signals.c.actor == "ann").order_by(signals.c.id)).all()
        links = [
            sessions.create(tx, "link", "admin", "admin", timedelta(hours=12), server.state.clock())
            for _ in range(SPARE)
        ]
    made, data_set, learned = _judged(server)
    indexing = server.admin("GET", "/jobs")["jobs"]
    versions = [0, server.version("good").id, server.version("bad").id, server.version("unproven").id, learned]
    return {
        "answer_id": answers,
        "conversation_id": talks,
        "chunk_id": [1, 2],
        "version_id": versions,
        "version": versions,
        "a": versions,
        "b": versions,
        "to": versions,
        "job_id": [job["id"] for job in indexing],
        "golden_id": [one.id for one in goldens],
        "judgment_id": [one.id for one in made],
        "data_set": [data_set],
        "name": ["shop", *(f"spare {number}" for number in range(SPARE))],
        "repo": ["shop"],
        "path": [str(folder)],
        "person": ["ann", "ada"],
        "account": ["ann"],
        "first_signal": [spans[0].id],
        "last_signal": [spans[-1].id],
        "actor": ["ada", "bob"],
        "token": [TOKEN],
        "link": links,
    }


def _asked_and_rated(server: Running) -> tuple[list[str], list[str]]:
    answers, talks = [], []
    for headers in (PERSON, ADMIN):
        for number in range(SPARE):
            body = {"message": f"Where is the configuration read? {number}", "stream": False}
            told = server.ok(server.client.post("/api/chat", json=body, headers=headers))
            answers.append(told["answer_id"])
            talks.append(told["conversation_id"])
    for answer in answers[:3]:
        rated = {"thumb": "up", "reasons": ["right"], "note": "yes"}
        server.ok(server.client.put(f"/api/answers/{answer}/rating", json=rated, headers=PERSON))
        vote = {"relevant": False}
        server.ok(server.client.put(f"/api/answers/{answer}/chunks/1/rating", json=vote, headers=PERSON))
    right = {"chunk_id": 2}
    server.ok(server.client.put(f"/api/answers/{answers[0]}/correction", json=right, headers=PERSON))
    return answers, talks


def _spare_repos(server: Running, folder: Path) -> None:
    for number in range(SPARE):
        body = {"name": f"spare {number}", "path": str(folder)}
        server.wait_for_job(server.admin("POST", "/repos", 202, json=body)["job_id"])


def _judged(server: Running) -> tuple[list[Judgment], str, int]:
    """Judgments, a data set of them, and a version that learned from it and was compared."""
    made: list[Judgment] = []
    with server.state.db.write() as tx:
        vector = server.encoder.encode_one("q")
        for number in range(4):
            place, asked = chunks.one(tx, 1 + number), f"question {number}?"
            group = queries.add(tx, asked, vector, None, Split.TRAIN, NOW).id
            who, why = ("ada" if number % 2 else "bob",), ("voted the right chunk",)
            made.append(
                Judgment(
                    f"j{number}", group, asked, place.content_hash, place.id, 1.0, 1.0, True,
                    (PairSource.CHUNK_VOTE,), why, (), who,
                )
            )  # fmt: skip
        judgments.replace_all(tx, made)
        first, texts = made[0], tuple(one.content_hash for one in made)
        rows = [
            Pair(one.group_id, one.query, one.content_hash, 1.0, 1.0, PairSource.CHUNK_VOTE, 0.5, reason="voted")
            for one in made
        ]
        held = EvalQuery(
            first.group_id, first.query, Split.HELD_OUT, texts, (0.4, 0.3, 0.2, 0.1), (0.0,) * 4,
            {first.content_hash: 1.0},
        )  # fmt: skip
        data_set = snapshots.save(tx, snapshots.make(rows, [], [held], {}, {"positives": 4}, NOW), ())
    return made, data_set, _learned(server, data_set, first, texts)


def _learned(server: Running, data_set: str, first: Judgment, texts: tuple[str, ...]) -> int:
    staged = registry.staging(server.settings.models_dir, 77)
    staged.rmdir()
    tiny.cross_encoder(staged, seed=4)
    metrics = {"against": {"version": 0}}
    blend = server.version("good").blend
    draft = registry.VersionDraft(
        "learned", "tiny", blend, 256, metrics=metrics, decision=Decision.PROMOTE, snapshot_hash=data_set
    )
    version = registry.publish(server.state.db, server.settings.models_dir, staged, draft, NOW)
    orders = {"no_rerank": texts[::-1], "challenger": texts}
    with server.state.db.write() as tx:
        scores = {"no_rerank": 0.4, "challenger": 1.0}
        rows = [
            EvalRow(arm, "held_out", first.group_id, "q", {"ndcg@10": scores[arm]}, order)
            for arm, order in orders.items()
        ]
        evaluations.save(tx, version.id, rows)
    return version.id
