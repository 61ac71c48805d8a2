"""One process of a crowd: its part as JSON on stdin, what came of it as JSON on stdout. It loads no model."""

from __future__ import annotations

import json
import sys

from rankloop.client import Client
from store.errors import RankloopError


def rate_many(url: str, process: int, each: int, answers: list[str]) -> tuple[list[tuple[str, str, int]], list[str]]:
    """One process's ratings: (answer, actor, stars) of what was acknowledged last for each, and every error."""
    acknowledged: dict[tuple[str, str], int] = {}
    errors: list[str] = []
    for number in range(each):
        answer = answers[number % len(answers)]
        actor, stars = f"p{process}-{number // len(answers)}", 1 + (number + process) % 5
        with Client(url, user=actor, timeout=120.0) as client:
            try:
                client.rate(answer, stars=stars)
            except RankloopError as error:
                errors.append(error.message)
            else:
                acknowledged[answer, actor] = stars
    return [(answer, actor, stars) for (answer, actor), stars in acknowledged.items()], errors


if __name__ == "__main__":
    json.dump(rate_many(*json.load(sys.stdin)), sys.stdout)
