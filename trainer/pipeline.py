"""The nightly job: dataset → finetune → out_of_fold → evaluate → gate → publish → promote. The champion serves on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from store import deployments, evaluations, registry, schedule, snapshots
from store.database import Database
from store.encoder import Encoder
from store.errors import Conflict, InvalidInput, ModelRefused
from store.evaluations import EvalRow
from store.manifest import Engine
from store.scorer import Scorer
from store.settings import Settings
from store.types import REPEATS, Blend, Decision, Json, Snapshot, Version
from trainer import gate
from trainer.approach import Approach, FineTuning, Say, Task
from trainer.base import resolve_base
from trainer.card import Card, write_card
from trainer.card_data import trained_part
from trainer.engines import Staged, export_engines
from trainer.examine import Examined, Examiner
from trainer.field import lay_out
from trainer.finetune import Trained
from trainer.fit_blend import blend_of
from trainer.fit_night import HeadFitting
from trainer.folds import OutOfFold
from trainer.kept_features import FEATURES
from trainer.memory import PEAK, process_peak_mb
from trainer.order import Order, take_snapshot, too_early
from trainer.recipe import HeadRecipe, tuning
from trainer.repeat import PROMOTES_NOT, asked_for, judge
from trainer.worker import Reporter

ROWS_FILE = "evaluation.json"
_DATASET, _FINETUNE, _FOLDS, _EVALUATE, _GATE, _PUBLISH = 0.0, 0.05, 0.3, 0.8, 0.95, 0.96


@dataclass(frozen=True, slots=True)
class Trainer:
    """What every job of this process shares."""

    db: Database
    settings: Settings
    encoder: Callable[[], Encoder]
    clock: Callable[[], datetime]

    def nightly(self, reporter: Reporter) -> Json:
        """Run the job; ``{version, decision, reasons, metrics, …}``, ``version`` None without a challenger."""
        with self.db.read() as tx:
            published = registry.by_job(tx, reporter.job.id)
            repeats = None if published else asked_for(tx, reporter.job)
        if published:
            return self._settle(published[-1], reporter)
        order = Order.of(reporter.job, self.settings, repeats)
        reporter.stage("dataset", _DATASET)

        def encoded(done: int, total: int) -> None:
            reporter.progress(_FINETUNE * done / total, {"texts_encoded": done, "texts": total})

        snapshot = take_snapshot(
            self.db, self.encoder(), self.settings, order, self.clock(), reporter.cancelled, encoded
        )
        if reason := too_early(self.db, snapshot.stats.get("strong_groups", []), order, self.settings):
            return _no_challenger(snapshot, reason)
        if repeats is not None and (reason := repeats.lost(self.db)):
            return _no_challenger(snapshot, reason)
        try:
            version = _Night(self, reporter, order, snapshot).run()
        except InvalidInput as error:
            return _no_challenger(snapshot, error.message)
        except ModelRefused:
            shutil.rmtree(self.settings.data / FEATURES, ignore_errors=True)  # lest the next night trips over the same
            raise
        finally:
            if not reporter.cancelled():  # else the job, and the place, may be another worker's by now
                registry.discard(self.settings.models_dir, reporter.job.id)
        return self._settle(version, reporter)

    def _settle(self, version: Version, reporter: Reporter) -> Json:
        """Store the published version's evaluation, and promote it where that is automatic and decided."""
        self._store_rows(version)
        result = {
            "version": version.id,
            "decision": version.decision,
            "reasons": list(version.reasons),
            "metrics": version.metrics.get("evidence", {}),
            "snapshot": version.snapshot_hash,
            "promoted": False,
            PEAK: version.metrics.get(PEAK),
        }
        if version.decision is not Decision.PROMOTE:
            return result
        if REPEATS in version.metrics:
            return {**result, "promotion": PROMOTES_NOT}
        reporter.stage("promote", 0.99)
        with self.db.write() as tx:
            champion = deployments.champion(tx)
            if champion.version_id == version.id:
                return {**result, "promoted": True}
            if not schedule.promotes_by_itself(tx, self.settings):
                return {**result, "promotion": "automatic promotion is off: promote it on the admin page"}
            generation = int(version.metrics["against"]["generation"])
            reason = version.reasons[0] if version.reasons else "the gate said promote"
            try:
                deployments.promote(
                    tx,
                    version.id,
                    "trainer",
                    reason,
                    self.clock(),
                    job_id=reporter.job.id,
                    expected_generation=generation,
                )
            except Conflict as conflict:
                return {**result, "promotion": conflict.message}
        return {**result, "promoted": True}

    def _store_rows(self, version: Version) -> None:
        if version.path is None:
            return
        file = self.settings.models_dir / version.path / ROWS_FILE
        if not file.is_file():
            return
        rows = [
            EvalRow(**{**row, "ranking": tuple(row["ranking"])}) for row in json.loads(file.read_text(encoding="utf-8"))
        ]
        with self.db.write() as tx:
            evaluations.save(tx, version.id, rows)


def _no_challenger(snapshot: Snapshot, reason: str) -> Json:
    return {
        "version": None,
        "decision": None,
        "reasons": list(_with_missing(snapshot, reason)),
        "metrics": {},
        "snapshot": snapshot.hash,
        "promoted": False,
    }


def _with_missing(snapshot: Snapshot, *reasons: str) -> tuple[str, ...]:
    """The reasons, then what the data set lacks, each said once."""
    return tuple(dict.fromkeys((*reasons, *snapshot.stats.get("missing", []))))


class _Night:
    """One training, stage by stage."""

    def __init__(self, trainer: Trainer, reporter: Reporter, order: Order, snapshot: Snapshot) -> None:
        self.db, self.settings, self.clock = trainer.db, trainer.settings, trainer.clock
        self.reporter, self.order, self.snapshot = reporter, order, snapshot
        encoder = trainer.encoder()
        self.field = lay_out(self.db, encoder, self.settings, snapshot, self.clock())
        self.base = resolve_base(
            self.settings.base,
            encoder.name,
            encoder.model_path,
            self.settings.data / "bases",
            self.settings.max_length,
        )
        self.recipe = order.recipe if self.base.pooled else tuning(order.recipe)
        self.approach = self._approach()

    def run(self) -> Version:
        """Train, examine, judge and publish. Raises Cancelled, InvalidInput, ModelRefused."""
        self.reporter.stage("finetune", _FINETUNE, {"pairs": len(self.snapshot.pairs), "recipe": self.recipe.name})
        staged = self._place("model")
        trained = self.approach.train(staged, self._say(_FINETUNE, _FOLDS))
        self.reporter.stage("out_of_fold", _FOLDS)
        folds = self.approach.out_of_fold(self._say(_FOLDS, _EVALUATE))
        self.reporter.stage("evaluate", _EVALUATE)
        scorer = Scorer.load(staged, max_length=self.settings.max_length)
        examined = self._examiner().examine(staged, scorer, self.base, folds)
        self.reporter.stage("gate", _GATE)
        examined, judged = judge(examined, self.order.repeats, self.order.as_json(self.settings))
        data = {"decision": judged.decision, "reasons": list(judged.reasons[:1])}
        self.reporter.stage("publish", _PUBLISH, data)
        return self._publish(staged, trained, scorer, folds, examined, judged)

    def _place(self, name: str) -> Path:
        return registry.staging(self.settings.models_dir, self.reporter.job.id, name)

    def _approach(self) -> Approach:
        task = Task(
            base=self.base,
            pairs=self.snapshot.pairs,
            field=self.field,
            recipe=self.recipe,
            seed=self.order.seed,
            lexical=self.settings.first_stage_lexical,
            max_length=self.settings.max_length,
            imported=self.order.imported_only,
            place=self._place,
            cancelled=self.reporter.cancelled,
            kept=self.settings.data / FEATURES,
        )
        if isinstance(self.recipe, HeadRecipe):
            return HeadFitting(task, self.recipe)
        return FineTuning(task, self.recipe)

    def _say(self, start: float, end: float) -> Say:
        def say(share: float, data: Json) -> None:
            self.reporter.progress(start + (end - start) * share, data)

        return say

    def _examiner(self) -> Examiner:
        def report(share: float) -> None:
            self.reporter.progress(_EVALUATE + (_GATE - _EVALUATE) * share, {})

        return Examiner(
            self.db,
            self.settings,
            self.field,
            self.recipe,
            self.reporter.cancelled,
            report,
            self.approach.shortcut,
        )

    def _publish(
        self,
        staged: Path,
        trained: Trained,
        scorer: Scorer,
        folds: OutOfFold,
        examined: Examined,
        judged: gate.GateResult,
    ) -> Version:
        now, recipe, repeats = self.clock(), self.recipe, self.order.repeats
        blend = blend_of(examined.weight, recipe.prior_scale, self.settings.first_stage_lexical)
        engines, left_out = self._engines(staged, trained, scorer, blend)
        told, untrained = trained_part(self.snapshot, self.approach.pairs)
        draft = registry.VersionDraft(
            name=f"{recipe.name}-{now:%Y%m%d-%H%M}{'-rehearsal' if repeats else ''}",
            base=self.base.name,
            blend=blend,
            max_length=self.settings.max_length,
            parent_id=examined.against.champion,
            snapshot_hash=self.snapshot.hash,
            metrics={
                "evidence": examined.metrics,
                "gate": judged.numbers,
                "against": examined.against.as_json(),
                "to_judge": examined.to_judge,
                "judged_groups": [] if repeats else self.snapshot.stats.get("strong_groups", []),
                "notes": [*folds.notes, *self.field.notes, *untrained, *left_out],
                "engines": {engine.name: engine.measured for engine in engines[1:]},
                "training": trained.log.summary(),
                PEAK: round(process_peak_mb()),
                **({REPEATS: self.snapshot.hash} if repeats else {}),
            },
            decision=judged.decision,
            reasons=_with_missing(self.snapshot, *judged.reasons),
            job_id=self.reporter.job.id,
            seed=self.order.seed,
            hyper_parameters=recipe.as_json(),
            probes=trained.probes,
            engines=engines,
        )
        rows = [asdict(row) for contest in examined.contests for row in contest.rows()]
        (staged / ROWS_FILE).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        with self.db.read() as tx:
            heard = snapshots.heard(tx, self.snapshot.hash)
        write_card(staged, Card(draft, told, heard, trained.log, self.field.texts))
        return registry.publish(self.db, self.settings.models_dir, staged, draft, now)

    def _engines(
        self, staged: Path, trained: Trained, scorer: Scorer, blend: Blend
    ) -> tuple[tuple[Engine, ...], tuple[str, ...]]:
        field = self.field
        lists = (*field.held_out, *field.train, *field.golden, *field.general)
        one = Staged(staged, scorer, scorer, trained.probes, blend)
        return export_engines(one, lists, field.texts, self.reporter.cancelled)
