"""Whether this server serves the champion, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.retrieval.reload import ChampionFollower
from store.types import Champion

PROMISED = timedelta(seconds=10)
"""Within which a new champion serves."""


def behind(follower: ChampionFollower, champion: Champion, now: datetime) -> str | None:
    """Why another version than the champion serves; None while the champion does, or is only just on its way."""
    current, problem = follower.reranker.current(), follower.problem
    serving = current.version.id
    if current.lost is not None:  # for the second or so until the follower has found another
        return f"version {serving} can't score any more, so searches are ranked by the first stage: {current.lost}"
    if problem is not None:
        return (
            f"version {problem.version_id} is the champion but could not be loaded, so version {serving} serves: "
            f"{problem.reason}"
        )
    if serving == champion.version_id or now - champion.since <= PROMISED:
        return None
    return (
        f"version {champion.version_id} has been the champion for {(now - champion.since).total_seconds():.0f} s, "
        f"but version {serving} serves: this server's log says why"
    )
