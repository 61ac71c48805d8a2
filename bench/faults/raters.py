"""One process of a crowd. Apart, so that it starts without loading torch."""

from __future__ import annotations

from rankloop.client import Client
from store.errors import RankloopError


def rate_many(
    url: str, process: int, each: int, places: list[tuple[str, int]]
) -> tuple[list[tuple[str, str, int]], list[str]]:
    """One process's ratings: (answer, actor, stars) of what was acknowledged last for each, and every error."""
    acknowledged: dict[tuple[str, str], int] = {}
    errors: list[str] = []
    for number in range(each):
        answer, _ = places[number % len(places)]
        actor, stars = f"p{process}-{number // len(places)}", 1 + (number + process) % 5
        with Client(url, user=actor, timeout=120.0) as client:
            try:
                client.rate(answer, stars=stars)
            except RankloopError as error:
                errors.append(error.message)
            else:
                acknowledged[answer, actor] = stars
    return [(answer, actor, stars) for (answer, actor), stars in acknowledged.items()], errors
