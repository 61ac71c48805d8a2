"""The evaluate job: one registered version against no reranking, on today's held-out questions and guard sets."""

from __future__ import annotations

from dataclasses import replace

from store import deployments, evaluations, registry
from store.blend import first_stage
from store.errors import InvalidInput
from store.types import Json
from trainer.contest import Arm, Contest
from trainer.examine import Examiner
from trainer.field import Field, lay_out
from trainer.order import Order, take_snapshot
from trainer.pipeline import Trainer
from trainer.worker import Reporter


def evaluate_version(trainer: Trainer, reporter: Reporter) -> Json:
    """Parameters: ``{"version": id}``, default the champion. Nothing is trained and nothing is promoted.

    Raises InvalidInput for wrong parameters, NotFound for an unknown version, Cancelled.
    """
    asked = reporter.job.params.get("version")
    if asked is not None and (isinstance(asked, bool) or not isinstance(asked, int)):
        raise InvalidInput(f"version must be a number, got {asked!r}")
    with trainer.db.read() as tx:
        number = deployments.champion(tx).version_id if asked is None else asked
        version = registry.get(tx, number)
    reporter.stage("dataset", 0.0)
    order = Order.of(replace(reporter.job, params={}), trainer.settings)
    encoder = trainer.encoder()
    snapshot = take_snapshot(trainer.db, encoder, trainer.settings, order, trainer.clock())
    field = lay_out(trainer.db, encoder, trainer.settings, snapshot, trainer.clock())
    reporter.stage("evaluate", 0.1, {"version": number})
    examiner = Examiner(trainer.db, trainer.settings, field, order.recipe, reporter.cancelled, lambda _: None)
    arms = {
        "no_rerank": Arm(first_stage(trainer.settings.first_stage_lexical), None, field.texts, reporter.cancelled),
        "challenger": examiner.served(number).arm,
    }
    contests = _contests(field, arms, reporter)
    with trainer.db.write() as tx:
        evaluations.save(tx, number, [row for contest in contests for row in contest.rows()])
    return {
        "version": number,
        "decision": version.decision,
        "reasons": snapshot.stats.get("missing", []),
        "metrics": {contest.evidence: contest.means() for contest in contests if contest.size},
        "snapshot": snapshot.hash,
    }


def _contests(field: Field, arms: dict[str, Arm], reporter: Reporter) -> list[Contest]:
    made = []
    bodies = {
        "held_out": field.held_out,
        "golden": field.golden,
        "general": field.general,
        "imported": field.imported_lists,
    }
    for done, (evidence, queries) in enumerate(bodies.items(), start=1):
        made.append(Contest(evidence, {name: arm.rank(queries) for name, arm in arms.items()}))
        reporter.progress(0.1 + 0.9 * done / len(bodies), {"evidence": evidence, "queries": len(queries)})
    return made
