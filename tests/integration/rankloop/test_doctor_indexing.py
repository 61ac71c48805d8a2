"""While the server indexes, chunks that have no vector yet are no fault; once nobody works on them they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rankloop.locks import ProcessLock, server_lock
from store import jobs
from store.types import JobKind
from tests.integration.rankloop.conftest import Desk
from tests.integration.rankloop.test_doctor import lost_vector


def test_what_is_being_embedded_is_no_fault(desk: Desk) -> None:
    lost_vector(desk)
    with ProcessLock(server_lock(desk.data), url="http://127.0.0.1:9"):
        assert "fault index: " in desk.run("doctor").output
        db, now = desk.database(), datetime.now(UTC)
        with db.write() as tx:
            jobs.enqueue(tx, JobKind.INDEX, {"repo": "shop", "path": "/shop"}, "ann", now)
        assert jobs.claim(db, [JobKind.INDEX], "index-1", timedelta(minutes=5), now) is not None
        db.dispose()
        assert "1 without a vector yet: the server is indexing" in desk.run("doctor").output
    assert "fault index: " in desk.run("doctor").output
