"""Eight processes that rate at once during a nightly job, and fifty identical requests at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from bench.faults.checks import Check, none_of
from bench.faults.nights import Nights
from bench.faults.site import Site, site, wait_for
from bench.faults.world import World, questions
from store.errors import RankloopError

PROCESSES, RATINGS, QUICK_RATINGS = 8, 500, 20
IDENTICAL = 50
ASKED = 20
PATIENCE_S = 60.0
"""For the first night to begin."""
STARS = "SELECT answer_id, actor, value FROM signals WHERE kind = 'stars' ORDER BY id"


def measure(world: World) -> list[Check]:
    each = world.size(RATINGS, QUICK_RATINGS)
    with site(world.copy("crowd"), world.settings) as served:
        places = _places(served, world)
        served.wait_for_trainer()
        nights = Nights(served)
        nights.start()
        wait_for(lambda: nights.at_work > 0, PATIENCE_S)
        answers = [answer for answer, _ in places]
        with ThreadPoolExecutor(PROCESSES) as pool:
            told = list(pool.map(lambda number: _rater(served.url, number, each, answers), range(PROCESSES)))
        nights.end()
        acknowledged = [rating for ratings, _ in told for rating in ratings]
        errors = [error for _, found in told for error in found]
        stored: dict[tuple[str, str], list[str]] = {}
        for answer, actor, value in served.rows(STARS):
            stored.setdefault((answer, actor), []).append(str(value))  # SQLite keeps a JSON number as a number
        lost = [one for one in acknowledged if stored.get((one[0], one[1]), [""])[-1] != str(one[2])]
        doubled = [one for one in acknowledged if len(stored.get((one[0], one[1]), [])) > 1]
        same = _identical(served, places[0])
    wanted = PROCESSES * each
    return [
        none_of("ratings lost", lost, len(acknowledged), "acknowledged"),
        none_of("ratings doubled", doubled, len(acknowledged), "acknowledged"),
        none_of("errors that reached a client", [*errors, *nights.errors], wanted, "ratings"),
        Check("ratings acknowledged", f"{wanted:,}", f"{len(acknowledged):,}", len(acknowledged) == wanted),
        nights.check(),
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


def _identical(served: Site, place: tuple[str, int]) -> Check:
    answer, chunk = place
    together = threading.Barrier(IDENTICAL)

    def vote(_: int) -> str | None:
        with served.client("one-person") as client:
            together.wait()
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
