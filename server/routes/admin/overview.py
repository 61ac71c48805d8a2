"""The overview: counts, champion, last jobs, learning curve, what needs a person."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta

from fastapi import APIRouter

from server import learning, plan
from server.deps import Admin, State
from server.needed import Needed, needed
from server.schemas.jobs import JobView
from server.schemas.overview import Counts, CurvePoint, DayCount, GateNeed, Overview, Satisfaction
from server.schemas.versions import ChampionView, VersionView
from store import deployments, evaluations, jobs, judgments, meta, registry, signals, snapshots
from store import overview as figures
from store.database import Connection
from store.evaluations import EvalRow
from store.types import FIRST_STAGE_VERSION

router = APIRouter()
DAYS = timedelta(days=30)


@router.get("/overview")
def overview(admin: Admin, state: State) -> Overview:  # noqa: ARG001
    """Counts, champion, last jobs, learning curve, what needs a person."""
    now = state.clock()
    with state.db.read() as tx:
        totals = figures.totals(tx)
        champion = deployments.champion(tx)
        recent = jobs.list_all(tx, limit=10)
        champions = [
            (entry, registry.get(tx, entry.to_version), _held_out(tx, entry.to_version))
            for entry in reversed(deployments.ledger(tx, learning.LONGEST))
        ]
        schedule = plan.read(meta.get(tx, plan.KEY), state.settings)
        gate = _gate(tx, state.settings.min_new_groups)
        return Overview(
            counts=Counts(**asdict(totals), signals=signals.count(tx)),
            champion=ChampionView.model_validate(replace(champion, auto_promote=schedule.promotes(champion))),
            rollback_to=deployments.rollback_target(tx),
            rollback_choices=deployments.earlier_champions(tx),
            serving=VersionView.model_validate(registry.get(tx, state.follower.reranker.current().version.id)),
            serving_note=None if state.follower.problem is None else state.follower.problem.reason,
            jobs=[JobView.model_validate(job) for job in recent],
            curve=[CurvePoint.model_validate(learning.point(*one)) for one in champions],
            days=[DayCount.model_validate(day) for day in figures.days(tx, now - DAYS)],
            satisfaction=[Satisfaction.model_validate(one) for one in figures.satisfaction(tx)],
            next_runs=schedule.next(now),
            gate=GateNeed.model_validate(gate),
            attention=learning.attention(totals, schedule.paused(champion), recent, state.follower.problem, gate),
        )


def _held_out(tx: Connection, version: int) -> list[EvalRow]:
    """A version's own evaluation. No reranking is in everybody's: where it has none, the newest one that was gated."""
    own = evaluations.load(tx, version, evidence="held_out")
    if own or version != FIRST_STAGE_VERSION:
        return own
    latest = registry.last_gated(tx)
    return [] if latest is None else evaluations.load(tx, latest.id, arm="no_rerank", evidence="held_out")


def _gate(tx: Connection, min_new: int) -> Needed:
    vetoes = [key for key, one in judgments.overrides(tx).items() if one.action == "veto"]
    latest = snapshots.heads(tx, 1)
    return needed(
        figures.judged_groups(tx, vetoes),
        latest[0].stats if latest else None,
        registry.last_gated(tx),
        registry.judged_groups(tx),
        min_new,
    )
