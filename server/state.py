"""The composition root: everything a running server consists of, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from server.access import Access
from server.answering.llm import LanguageModel
from server.answering.pipeline import Answering
from server.data_sets import DataSets
from server.indexing.recover import sync_index
from server.indexing.worker import IndexWorker
from server.limits import Limits
from server.metrics import Metrics
from server.oidc import Provider
from server.retrieval.pool import WorkPool
from server.retrieval.reload import ChampionFollower
from server.retrieval.retrieve import Retriever
from server.retrieval.scores import ScoreCache
from server.retrieval.search import Search
from store import registry, sessions
from store.database import Database, migrate
from store.encoder import Encoder
from store.loading import load_version
from store.processors import processors
from store.settings import Settings
from store.types import FIRST_STAGE_VERSION
from store.vectors import VectorIndex

ABREAST = max(1, min(4, processors() // 2))
"""First stages at a time."""
WORKERS = 8
"""Questions under way; most of them wait for the engine, which scores several in one pass."""
WAITING = 32
"""Questions that may wait for a worker; the next one is told to come back."""
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AppState:
    """What routes work with."""

    settings: Settings
    clock: Clock
    access: Access
    limits: Limits
    oidc: Provider | None
    metrics: Metrics
    db: Database
    encoder: Encoder
    vectors: VectorIndex
    follower: ChampionFollower
    search: Search
    pool: WorkPool
    answering: Answering
    data_sets: DataSets
    model: LanguageModel | None
    closing: ExitStack
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the server is asked to end: open event streams say so and end."""

    def close(self) -> None:
        """Stop the threads, let running questions end, close index and database."""
        self.closing.close()


def open_state(
    settings: Settings, metrics: Metrics, encoder: Encoder | None = None, clock: Clock = utc_now
) -> AppState:
    """Open the data directory and start the threads that serve it.

    Raises Unavailable or InvalidInput where a part can't be opened; what was opened is closed again.
    """
    with ExitStack() as opened:
        migrate(settings.database)
        db = Database.open(settings.database)
        opened.callback(db.dispose)
        _prepare(db, settings, clock())
        encoder = encoder or Encoder.load(settings.encoder, settings.rerank_threads)
        vectors = VectorIndex.open(settings.qdrant_dir, settings.qdrant_url, encoder.dimension)
        opened.callback(vectors.close)
        sync_index(db, vectors, encoder)
        follower = ChampionFollower(db, settings.models_dir, settings.rerank_threads, settings.rerank_engine)
        with db.read() as tx:
            first_stage = load_version(registry.get(tx, FIRST_STAGE_VERSION), settings.models_dir)
        retriever = Retriever(db, encoder, vectors, settings.first_stage_lexical)
        cache = ScoreCache(settings.score_cache) if settings.score_cache else None
        search = Search(retriever, follower.reranker, first_stage, cache, ABREAST)
        model = _language_model(settings)
        pool = WorkPool(workers=WORKERS, waiting=WAITING)
        opened.callback(pool.close)
        answering = Answering(db, search, pool, model, clock)
        worker = IndexWorker(db, encoder, vectors, now=clock, leave_out_secrets=settings.leave_out_secrets)
        opened.callback(worker.stop)
        opened.callback(follower.stop)
        worker.start()
        follower.start()
        return AppState(
            settings=settings,
            clock=clock,
            access=Access(settings),
            limits=Limits(settings),
            oidc=Provider(settings) if settings.oidc_url else None,
            metrics=metrics,
            db=db,
            encoder=encoder,
            vectors=vectors,
            follower=follower,
            search=search,
            pool=pool,
            answering=answering,
            data_sets=DataSets(db),
            model=model,
            closing=opened.pop_all(),
        )
    raise AssertionError("unreachable")


def _prepare(db: Database, settings: Settings, now: datetime) -> None:
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with db.write() as tx:
        registry.ensure_first_stage(tx, settings.first_stage_lexical, now)
    sessions.ensure_admin_token(db, settings)


def _language_model(settings: Settings) -> LanguageModel | None:
    if settings.llm_base_url is None:
        return None
    key = settings.llm_api_key.get_secret_value()
    return LanguageModel(settings.llm_base_url, key, settings.llm_model, settings.llm_timeout)
