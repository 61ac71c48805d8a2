"""From everything in the database to one immutable snapshot: groups, judgments, pairs, evaluation lists, counts.

``build`` is the only entry. It writes what it decides (groups, vectors, judgments, the snapshot) and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

import numpy as np

from store import judgments, queries, snapshots
from store.bursts import Burst, Fate
from store.database import Database
from store.errors import Cancelled
from store.settings import Settings
from store.types import EvalQuery, Impression, Json, Judgment, Pair, Signal, Snapshot, Split, Vector
from trainer import imported
from trainer.code_questions import CodePolicy, code_pairs
from trainer.embed import embedded
from trainer.evidence import Policy
from trainer.first_stage import FirstStage
from trainer.grouping import Grouped, TextEncoder
from trainer.history import Lists, lexical_scores, symbols_of
from trainer.imported import Imported
from trainer.judging import Inputs, Judged, Sources, judge_all
from trainer.lists import evaluation
from trainer.mine import MinePolicy, Passages, mine, passed_over
from trainer.near import NEAR, near_groups
from trainer.opinion_lists import Opinions, opinion_lists
from trainer.rescored import on_todays_encoder
from trainer.stats import statistics

"""Texts encoded between two writes: a killed build keeps what it has encoded, a cancelled one ends after so many."""
"""Texts from which a faster engine is worth the seconds that it takes to get ready."""


@dataclass(frozen=True, slots=True)
class DatasetPolicy:
    """Every number that decides what is in a snapshot."""

    judge: Policy = field(default_factory=Policy)
    mine: MinePolicy = field(default_factory=MinePolicy)
    code: CodePolicy = field(default_factory=lambda: CodePolicy(questions=0))
    imported_easy: int = 4
    """Random negatives for an imported query that has a positive and fewer negatives."""


POLICIES: Mapping[str, DatasetPolicy] = {
    "seed": DatasetPolicy(mine=MinePolicy(hard=4, random=0), imported_easy=0),
    "default": DatasetPolicy(mine=MinePolicy(hard=30, depth=30, random=0), code=CodePolicy()),
}
"""By recipe; another recipe has the plain policy. ``default`` takes the whole top 30: its softmax runs over the list
that is reranked, and more candidates measured better. ``seed``: one positive to four negatives, pair files as they are.
"""


def policy_of(settings: Settings, recipe: str | None = None) -> DatasetPolicy:
    """The recipe's policy with what the settings say of bursts."""
    policy = POLICIES.get(recipe or settings.recipe, DatasetPolicy())
    limits = replace(policy.judge, burst_signals=settings.burst_signals, burst_minutes=settings.burst_minutes)
    return replace(policy, judge=limits)


@dataclass(frozen=True, slots=True)
class _Context:
    """Where things come from; the same for every step of one build."""

    db: Database
    encoder: TextEncoder
    settings: Settings
    now: datetime
    policy: DatasetPolicy
    rng: np.random.Generator
    cancelled: Callable[[], bool]
    encoded: Callable[[int, int], None]


def build(
    db: Database,
    encoder: TextEncoder,
    settings: Settings,
    now: datetime,
    *,
    params: Json | None = None,
    recipe: str | None = None,
    seed: int = 0,
    sources: Sources = "all",
    policy: DatasetPolicy | None = None,
    enough: Callable[[Sequence[int]], bool] = lambda _: True,
    cancelled: Callable[[], bool] = lambda: False,
    encoded: Callable[[int, int], None] = lambda _done, _total: None,
) -> Snapshot:
    """Make and save the snapshot of all that people said until now.

    ``params`` is kept in the snapshot as it is (recipe, hyper-parameters, budget). ``sources`` may leave out ratings or
    imported pairs. The same database, seed and policy give the same snapshot hash. ``stats["missing"]`` lists in words
    what a person must add before training or a proof is possible; an empty snapshot is no error here.
    ``stats["imported_lists"]`` names the groups whose lists are made of imported passages: no evidence for the gate.
    ``enough``: strongly judged groups → whether anything will be trained; code questions cost minutes the first time.
    ``encoded`` hears how many of so many texts that lacked a vector have one. Raises Cancelled while it goes on.
    """
    chosen = policy or policy_of(settings, recipe)
    context = _Context(db, encoder, settings, now, chosen, np.random.default_rng(seed), cancelled, encoded)
    judged = _today(context, judge_all(db, encoder, chosen.judge, now, sources, settings.depth))
    inputs, grouped, made, lists = judged.inputs, judged.grouped, judged.judgments, judged.lists
    splits = {place.group_id: place.split for place in grouped.places.values()}
    evaluated = evaluation(made, lists.full, splits, judged.known)
    pairs = _mine(context, made, _with_golden(context, inputs, lists, grouped), inputs.signals, splits, judged)
    extra = _imported(context, inputs, grouped, (*evaluated.train, *evaluated.held_out))
    judged_pairs = (*pairs, *extra.pairs)
    stats = statistics(inputs.signals, grouped.places, made, evaluated, pairs, extra, judged.lost)
    _note_bursts(stats, inputs.bursts)
    trains = sources == "all" and enough(stats["strong_groups"])
    code = _code(context, judged_pairs) if trains else []
    near = _near(grouped, judged_pairs, (*evaluated.train, *extra.train))
    said = _second_opinions(context, judged, splits, near, seed) if trains else Opinions()
    stats |= {"code_questions": len({pair.group_id for pair in code}), "second_opinions": said.counts}
    snapshot = snapshots.make(
        pairs=(*judged_pairs, *code),
        train_queries=(*evaluated.train, *extra.train),
        held_out=(*evaluated.held_out, *extra.held_out),
        params={**(params or {}), "dataset_seed": seed, "dataset_policy": _policy(chosen), **near, **said.params},
        stats=stats,
        now=now,
        second_opinions=said.lists,
    )
    return _saved(db, snapshot, made, judged_here=sources != "imported")


def _today(context: _Context, judged: Judged) -> Judged:
    """With all lists on one scale, whichever encoder they were logged on."""
    with context.db.read() as tx:
        since = queries.encoder_since(tx)
    vectors, weight = judged.grouped.vectors, context.settings.first_stage_lexical
    lists = on_todays_encoder(judged.lists, since, vectors, lambda names: _vectors(context, names), weight)
    return replace(judged, lists=lists)


def _saved(db: Database, snapshot: Snapshot, made: Sequence[Judgment], judged_here: bool) -> Snapshot:
    with db.write() as tx:
        if judged_here:
            judgments.replace_all(tx, made)
        snapshots.save(tx, snapshot, {signal_id for judgment in made for signal_id in judgment.signal_ids})
    return snapshot


def _near(grouped: Grouped, pairs: Iterable[Pair], lists: Iterable[EvalQuery]) -> Json:
    """Groups of the training side that must share a fold, as a parameter of the snapshot; empty where there are none.

    Kept in the snapshot, because later questions and encoders would join others.
    """
    trained = {pair.group_id for pair in pairs} | {one.group_id for one in lists}
    own = [(query, place) for query, place in grouped.places.items() if place.group_id in trained and not place.bridged]
    near = near_groups((place.group_id, grouped.vectors[query]) for query, place in own)
    return {NEAR: near} if near else {}


def _second_opinions(context: _Context, judged: Judged, splits: Mapping[int, Split], near: Json, seed: int) -> Opinions:
    """With random draws of its own, lest mining a second time shifts those of the whole."""
    apart = replace(context, rng=np.random.default_rng((seed, 1)))

    def mine_before(made: Sequence[Judgment], lists: Mapping[int, Impression], said: Sequence[Signal]) -> list[Pair]:
        return _mine(apart, made, lists, said, splits, judged)

    return opinion_lists(context.db, judged, splits, near.get(NEAR, ()), mine_before)


def _note_bursts(stats: Json, bursts: Sequence[Burst]) -> None:
    """Each burst with its fate, so that the snapshot says which signals it was made without."""
    stats["held_back"] = [
        {
            "account": burst.account,
            "fate": burst.fate.value,
            "signals": burst.counted,
            "first_signal": burst.signal_ids[0],
            "last_signal": burst.signal_ids[-1],
            "decision": burst.decision.id if burst.decision else None,
        }
        for burst in bursts
    ]
    if held := sum(burst.counted for burst in bursts if burst.fate is Fate.HELD):
        says = f"{held} ratings are held back, too many at once: release them or leave them out (admin page, Data)."
        stats["missing"].insert(0, says)


def _policy(policy: DatasetPolicy) -> Json:
    """As JSON reads it back, so that a stored snapshot equals the one that was made."""
    parsed: Json = json.loads(json.dumps(asdict(policy)))
    return parsed


def _with_golden(context: _Context, inputs: Inputs, lists: Lists, grouped: Grouped) -> dict[int, Impression]:
    """The lists to mine from. A golden question that nobody asked yet gets one made now; it is never evidence.

    A bridged one gets none: its group would train on its words.
    """
    best = lists.best
    places = [(question, grouped.places[question.query]) for question in inputs.questions]
    unasked = [question for question, place in places if place.group_id not in best and not place.bridged]
    if not unasked:
        return best
    with context.db.read() as tx:
        stage = FirstStage.load(tx, context.encoder.name, context.settings.first_stage_lexical)
        for question in unasked:
            vector = grouped.vectors[question.query]
            made = stage.search(tx, question.query, vector, question.repo, context.settings.depth, context.now)
            if made.rows:
                best.setdefault(grouped.places[question.query].group_id, made)
    return best


def _mine(
    context: _Context,
    made: Sequence[Judgment],
    lists: Mapping[int, Impression],
    said: Sequence[Signal],
    splits: Mapping[int, Split],
    judged: Judged,
) -> list[Pair]:
    """``said``: the signals that ``made`` was made from."""
    grouped, known = judged.grouped, judged.known
    groups = {query: place.group_id for query, place in grouped.places.items() if not place.bridged}
    with context.db.read() as tx:
        lexical = lexical_scores(tx, made, lists)
        symbols = symbols_of(tx, lists.values(), made)
    hashes = {row.content_hash for one in lists.values() for row in one.rows} | {one.content_hash for one in made}
    passages = Passages(
        vectors=_vectors(context, hashes),
        symbols=symbols,
        queries={group: grouped.vectors[one.query] for group, one in lists.items()},
        lexical=lexical,
        lexical_weight=context.settings.first_stage_lexical,
        shown=passed_over(said, judged.inputs.rated, groups, made, known),
        moved={old: now.content_hash for old, now in known.followed.items() if now.content_hash != old},
    )
    return mine(made, lists, splits, passages, context.rng, context.policy.mine)


def _code(context: _Context, judged: Sequence[Pair]) -> list[Pair]:
    lexical = context.settings.first_stage_lexical
    policy = context.policy.code
    return code_pairs(context.db, context.encoder, lambda names: _vectors(context, names), lexical, judged, policy)


def _imported(context: _Context, inputs: Inputs, grouped: Grouped, judged: Sequence[EvalQuery]) -> Imported:
    """``judged``: queries that people judged, whose lists are not made of imported passages."""
    if not inputs.rows:
        return Imported()
    taken = frozenset(query.group_id for query in judged)
    vectors = _vectors(context, {text for _, text, _ in inputs.rows})
    return imported.build(inputs.rows, grouped, vectors, context.rng, context.policy.imported_easy, taken)


def _vectors(context: _Context, hashes: Iterable[str]) -> dict[str, Vector]:
    """Vectors of these texts; those that are missing are made and kept."""

    def between(done: int, total: int) -> None:
        if done:
            context.encoded(done, total)
        if context.cancelled() and done < total:
            raise Cancelled("the data set was asked to stop; what is encoded so far is kept")

    return embedded(context.db, context.encoder, hashes, between)
