"""A database that can grow no further: ratings are refused in words, nothing acknowledged is lost, and it recovers."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.integration.server.support import Running


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses every write beyond this size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def rate(server: Running, answer: str, actor: str) -> Any:
    place = f"/api/answers/{answer}/rating"
    return server.client.put(place, json={"thumb": "up"}, headers={"X-Rankloop-User": actor})


def test_ratings_are_refused_in_words_and_none_is_lost(own: Running) -> None:
    answer = own.answer()["answer_id"]
    log = own.settings.data / "rankloop.db-wal"
    acknowledged, refused = [], []
    with files_no_larger_than(log.stat().st_size + 100_000):
        for number in range(200):
            response = rate(own, answer, f"person-{number}")
            if response.status_code == 200:
                acknowledged.append(f"person-{number}")
            else:
                refused.append(response)
            if len(refused) == 5:
                break
        assert own.ok(own.client.get(f"/api/answers/{answer}"))["answer_id"] == answer, "reading goes on"
    assert acknowledged
    assert [response.status_code for response in refused] == [503] * 5
    for response in refused:
        assert response.json()["error"]["code"] == "unavailable"
        assert "database failed" in response.json()["error"]["message"]
        assert response.headers["Retry-After"]

    assert rate(own, answer, "after").status_code == 200
    assert stored(own.settings.data / "rankloop.db") == {*acknowledged, "after"}


def stored(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        rows = connection.execute("SELECT actor FROM signals WHERE kind = 'thumb'").fetchall()
    assert len(rows) == len(set(rows))
    return {row[0] for row in rows}
