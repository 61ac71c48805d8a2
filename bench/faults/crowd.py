"""Eight processes that rate at once during a nightly job, and fifty identical requests at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from bench.faults.checks import Check, none_of
from bench.faults.site import Site, site
from bench.faults.world import World, questions
from store.errors import Conflict, RankloopError

PROCESSES, RATINGS, QUICK_RATINGS = 8, 500, 20
IDENTICAL = 50
ASKED = 20


def measure(world: World) -> list[Check]:
    each = world.size(RATINGS, QUICK_RATINGS)
    with site(world.copy("crowd"), world.settings) as served:
        places = _places(served, world)
        served.wait_for_trainer()
        ended, nights = threading.Event(), Counter[str]()
        boss = threading.Thread(target=_nights, args=(served, ended, nights))
        boss.start()
        answers = [answer for answer, _ in places]
        with ThreadPoolExecutor(PROCESSES) as pool:
            told = list(pool.map(lambda number: _rater(served.url, number, each, answers), range(PROCESSES)))
        during = _running(served)
        ended.set()
        boss.join(60)
        acknowledged = [rating for ratings, _ in told for rating in ratings]
        errors = [error for _, found in told for error in found]
        stored = {
            (answer, actor, kind): str(value)  # SQLite keeps a JSON number as a number
            for answer, actor, kind, value in served.rows(
                "SELECT answer_id, actor, kind, value FROM signals WHERE kind = 'stars' ORDER BY id"
            )
        }
        lost = [one for one in acknowledged if stored.get((one[0], one[1], "stars")) != str(one[2])]
        same = _identical(served, places[0])
    wanted = PROCESSES * each
    return [
        none_of("ratings lost", lost, len(acknowledged), "acknowledged"),
        none_of("errors that reached a client", errors, wanted, "ratings"),
        Check(
            "nightly jobs beside it",
            "≥ 1",
            f"{nights['started']} started, one running at the end: {during}",
            nights["started"] > 0,
        ),
        same,
    ]


def _rater(url: str, number: int, each: int, answers: list[str]) -> tuple[list[tuple[str, str, int]], list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.faults.raters"],
        input=json.dumps([url, number, each, answers]),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return [], [f"process {number} ended with code {done.returncode}: {done.stderr[-200:]}"]
    ratings, errors = json.loads(done.stdout)
    return [(str(answer), str(actor), int(stars)) for answer, actor, stars in ratings], [str(one) for one in errors]


def _places(served: Site, world: World) -> list[tuple[str, int]]:
    """Answers to rate, each with its first source."""
    places = []
    with served.client("asker") as client:
        for question in questions(world, 3, ASKED):
            answer = client.answer(question.query)
            assert answer.answer_id is not None
            places.append((answer.answer_id, answer.sources[0].chunk_id))
    return places


def _nights(served: Site, ended: threading.Event, nights: Counter[str]) -> None:
    """One nightly job after the other."""
    with served.client("boss", admin=True) as admin:
        while True:
            try:
                admin.start_job("nightly")
                nights["started"] += 1
            except Conflict:
                pass
            except RankloopError as error:
                nights[error.message] += 1
            if ended.wait(1.0):
                return


def _running(served: Site) -> bool:
    return bool(served.rows("SELECT 1 FROM jobs WHERE kind = 'nightly' AND state = 'running'"))


def _identical(served: Site, place: tuple[str, int]) -> Check:
    answer, chunk = place

    def vote(_: int) -> str | None:
        with served.client("one-person") as client:
            try:
                client.rate_chunk(answer, chunk, True)
            except RankloopError as error:
                return error.message
        return None

    with ThreadPoolExecutor(IDENTICAL) as pool:
        errors = [error for error in pool.map(vote, range(IDENTICAL)) if error is not None]
    rows = served.rows(
        "SELECT id FROM signals WHERE actor = 'one-person' AND answer_id = ? AND chunk_id = ?", answer, chunk
    )
    seen = f"{len(rows)} of {IDENTICAL} requests, {len(errors)} refused"
    return Check("identical requests at once, ratings they make", "1", seen, len(rows) == 1 and not errors)
