"""Bring the challenger before the gate: every arm on every body of evidence, each with its own blend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from store import deployments, evaluations, registry, snapshots
from store.blend import first_stage
from store.database import Database
from store.errors import ModelRefused
from store.loading import load_version
from store.published import directory_of
from store.scorer import Scorer
from store.settings import Settings
from store.types import REPEATS, SECOND_OPINIONS, Blend, EvalQuery, Json
from trainer.arms import Evidence
from trainer.base import Base
from trainer.contest import Arm, Contest, Served, outranked
from trainer.evaluate import FloatArray, Ranked, Scores, rank, score_queries
from trainer.export import Sampled, Timed
from trainer.field import Field
from trainer.fit_blend import Choose, Dev, DevQuery, blend_of, cross_fit, dev_query, fit_weight, guarded_weight
from trainer.folds import OutOfFold
from trainer.gate import could_promote
from trainer.recipe import AnyRecipe


@dataclass(frozen=True, slots=True)
class Standing:
    """Who serves, and how often it has been challenged."""

    champion: int
    generation: int
    trial: int
    """This is the k-th challenger against this champion that has questions enough to be promoted, no rehearsal."""
    rolled_back_from: int | None

    def as_json(self) -> Json:
        return {"version": self.champion, "generation": self.generation, "trial": self.trial}


@dataclass(frozen=True, slots=True)
class Examined:
    """What the gate decides on, and what is stored and shown of it."""

    evidence: Evidence
    weight: float
    """Weight of ``rerank_score`` in the challenger's blend, fitted on dev."""
    contests: tuple[Contest, ...]
    """Whole, as they are stored: the next champion's out-of-fold evidence is all that its folds ranked."""
    against: Standing
    to_judge: list[Json]

    @property
    def metrics(self) -> Json:
        """Means by body of evidence, then by arm, over the groups that every arm was measured on."""
        common = [contest.common() for contest in self.contests]
        return {contest.evidence: contest.means() for contest in common if contest.size}


def standing(db: Database) -> Standing:
    """Read it before scoring: a champion that changes meanwhile makes the promotion a conflict."""
    with db.read() as tx:
        champion = deployments.champion(tx)
        versions = registry.list_all(tx, limit=100_000)
        undone = deployments.rolled_back_from(tx)
    gated = [one for one in versions if REPEATS not in one.metrics]
    against = [one for one in gated if one.metrics.get("against", {}).get("version") == champion.version_id]
    before = sum(could_promote(one.metrics.get("gate", {})) for one in against)
    return Standing(champion.version_id, champion.generation, 1 + before, undone)


@dataclass(frozen=True, slots=True)
class Examiner:
    """Scores the arms. ``report`` gets the share of the examination that is done."""

    db: Database
    settings: Settings
    field: Field
    recipe: AnyRecipe
    cancelled: Callable[[], bool]
    report: Callable[[float], None]
    shortcut: Callable[[Path, Scorer], Scores] = lambda _, scorer: scorer
    """(directory, its scorer) → the same scores, by stored features where the directory shares their body."""

    def examine(self, staged: Path, scorer: Scorer, base: Base, folds: OutOfFold) -> Examined:
        """``scorer`` is the artefact that would serve, loaded from ``staged``.

        Raises Cancelled; ModelRefused: no champion to load.
        """
        now = standing(self.db)
        dev = self._dev(folds)
        weight = self._choose(dev, self.recipe.unproven_weight)
        timed, quick = Timed(scorer), self.shortcut(staged, scorer)
        challenger = self._arm(timed if quick is scorer else Sampled(timed, quick), weight)
        champion = self.served(now.champion)
        rivals = {"no_rerank": self._first_stage(), "base": self._base(base), "champion": champion.arm}
        undone = self._undone(now.rolled_back_from)
        everyone = {**rivals, "challenger": challenger, **({"rolled_back": undone.arm} if undone else {})}
        held_out = self._contest("held_out", self.field.held_out, everyone, 0.0, 0.4)
        imported = self._contest("imported", self.field.imported_lists, everyone, 0.4, 0.1)
        chosen = cross_fit(dev, folds.by_group, self.recipe.unproven_weight, self._choose)
        weights = {group: chosen[fold] for group, fold in folds.by_group.items()}
        plain = {name: rivals[name] for name in ("no_rerank", "base")}
        known = {"champion": champion, **({"rolled_back": undone} if undone else {})}
        honest = {name: one.out_of_fold for name, one in known.items()}
        folded = self._apart("out_of_fold", folds.queries, folds.logits, weights, plain, honest)
        self.report(0.6)
        said = {one.query.group_id: one.signal_ids for one in self.field.second_opinions}
        unheard = {name: partial(one.unheard, signals=said) for name, one in known.items()}
        opinions = self._apart(SECOND_OPINIONS, folds.opinions, folds.opinion_logits, weights, plain, unheard)
        heard_by_none = opinions.common()
        guard = {"champion": champion.arm, "challenger": challenger}
        golden = self._contest("golden", self.field.golden, guard, 0.6, 0.1)
        general = self._contest("general", self.field.general, guard, 0.7, 0.3)
        evidence = Evidence(
            held_out=held_out.scores(),
            out_of_fold=folded.common().scores(),
            golden=golden.scores(),
            general=general.scores(),
            opinions=heard_by_none.scores(),
            opinions_share=self.field.traffic.share(heard_by_none.groups),
            imported=self.field.imported,
            trial=now.trial,
            latency_ms=timed.percentile95(),
            rolled_back_from=now.rolled_back_from,
        )
        doubtful = outranked([*held_out.arms.get("challenger", ()), *folded.arms.get("challenger", ())])
        return Examined(evidence, weight, (held_out, folded, opinions, golden, general, imported), now, doubtful)

    def served(self, version_id: int) -> Served:
        """A registered version with what is known of its training. Raises ModelRefused, NotFound."""
        with self.db.read() as tx:
            version = registry.get(tx, version_id)
            stored = evaluations.load(tx, version_id, "challenger", "out_of_fold")
            digest = version.snapshot_hash
            snapshot = snapshots.load(tx, digest) if digest is not None else None
            heard = snapshots.signal_ids(tx, digest) if digest is not None else set()
        models = self.settings.models_dir
        own = load_version(version, models).scorer
        scorer = None if own is None else self.shortcut(directory_of(version, models), own)
        arm = Arm(version.blend, scorer, self.field.texts, self.cancelled)
        return Served(
            stored={row.group_id: row for row in stored},
            lists={one.group_id: frozenset(one.content_hashes) for one in (snapshot.train_queries if snapshot else ())},
            groups=frozenset(pair.group_id for pair in (snapshot.pairs if snapshot else ())),
            heard=frozenset(heard),
            arm=arm,
        )

    def _undone(self, version_id: int | None) -> Served | None:
        """The version rolled back from; None when there is none, or when it cannot be scored any more."""
        if version_id is None:
            return None
        try:
            return self.served(version_id)
        except ModelRefused:
            return None

    def _arm(self, scorer: Scores, weight: float) -> Arm:
        return Arm(self._blend(weight), scorer, self.field.texts, self.cancelled)

    def _first_stage(self) -> Arm:
        return Arm(first_stage(self.settings.first_stage_lexical), None, self.field.texts, self.cancelled)

    def _base(self, base: Base) -> Arm:
        """The base with its own blend: dev is all training lists, for it was trained on none of them."""
        if base.residual:
            return self._first_stage()
        scorer = Scorer.load(base.path, max_length=self.settings.max_length)
        logits = score_queries(scorer, self.field.train, self.field.texts, cancelled=self.cancelled)
        return self._arm(scorer, fit_weight(Dev(self._queries(self.field.train, logits)), 1.0))

    @property
    def _choose(self) -> Choose:
        return guarded_weight if self.recipe.residual else fit_weight

    def _dev(self, folds: OutOfFold) -> Dev:
        own = self._queries(folds.queries, folds.logits)
        return Dev(own, self._queries(folds.opinions, folds.opinion_logits), self.field.traffic)

    def _queries(self, queries: Sequence[EvalQuery], logits: Sequence[FloatArray]) -> list[DevQuery]:
        scale, lexical = self.recipe.prior_scale, self.settings.first_stage_lexical
        made = [dev_query(query, own, scale, lexical) for query, own in zip(queries, logits, strict=True)]
        return [one for one in made if one is not None]

    def _contest(
        self, evidence: str, queries: Sequence[EvalQuery], arms: dict[str, Arm], start: float, width: float
    ) -> Contest:
        ranked = {}
        for place, (name, arm) in enumerate(arms.items(), start=1):
            ranked[name] = arm.rank(queries)
            self.report(start + width * place / len(arms))
        return Contest(evidence, ranked)

    def _apart(
        self,
        evidence: str,
        queries: Sequence[EvalQuery],
        logits: Sequence[FloatArray],
        weights: Mapping[int, float],
        rivals: Mapping[str, Arm],
        served: Mapping[str, Callable[[Sequence[EvalQuery]], list[Ranked]]],
    ) -> Contest:
        """Lists that the challenger's own logits are no evidence for: ``logits`` are of models that left them out.

        ``weights``: group → the weight chosen on the other folds, so that its own truth chose nothing. ``served``: how
        registered versions rank them honestly.
        """
        arms = {name: arm.rank(queries) for name, arm in rivals.items()}
        arms |= {name: honest(queries) for name, honest in served.items()}
        arms["challenger"] = [
            rank(query, self._blend(weights[query.group_id]), own) for query, own in zip(queries, logits, strict=True)
        ]
        return Contest(evidence, arms)

    def _blend(self, weight: float) -> Blend:
        return blend_of(weight, self.recipe.prior_scale, self.settings.first_stage_lexical)
