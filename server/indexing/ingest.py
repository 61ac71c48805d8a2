"""Indexes a folder: walk, cut, embed, publish. What has not changed is not done again.

Each step is durable before the next, in this order: chunks with their texts and lexical entries (one transaction a
batch of files), vectors, the vector index, the marker that says it is complete. A run that was killed or cancelled is
taken up by the next one: cut files are known, missing vectors are made, the vector index is brought into step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic

from server.indexing import general
from server.indexing import secrets as hidden
from server.indexing.chunking import VERSION, chunk_file, normalise
from server.indexing.embed import embed_alongside, embed_missing
from server.indexing.progress import Meter, Progress
from server.indexing.recover import InStep
from server.indexing.walk import Found, Skipped, checked_root, read, walk
from store import chunks, meta, repos, texts
from store.database import Database
from store.encoder import Encoder
from store.errors import Cancelled
from store.repos import FileState
from store.types import ChunkDraft
from store.vectors import VectorIndex

_BATCH = 64
"""Files a transaction: short enough that a rating never waits for it."""
_LOOK_S = 1.0
"""After which a slow walk asks again whether it is to stop."""
_CUT_BY = "chunking_versions"
_ASKED = "docstring_questions_of"


@dataclass(frozen=True, slots=True)
class IngestResult:
    files: int
    """Files in the index afterwards."""
    chunks: int
    """Live chunks of the repository afterwards."""
    added: int
    retired: int
    skipped: dict[str, int]
    """Reason → files (folders where the reason says so)."""
    seconds: float
    embedded: int = 0
    """Texts that had no vector yet."""
    unchanged: int = 0
    """Files that were not cut again."""
    secrets: int = 0
    """Values left out of the repository's texts; where, says ``repos.secrets``."""


def ingest(
    db: Database,
    encoder: Encoder,
    vectors: VectorIndex | None,
    repo: str,
    root: Path,
    now: Callable[[], datetime],
    report: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    *,
    leave_out_secrets: bool = True,
) -> IngestResult:
    """Bring the index of repository ``repo`` into step with the folder ``root``.

    ``vectors`` None: there is no vector index to bring into step.
    ``leave_out_secrets``: values that look like passwords and tokens are replaced before anything is stored.
    Raises InvalidInput when the folder can't be read or the name can't be one, Cancelled between batches, NotFound when
    the repository is removed meanwhile.
    """
    began = monotonic()
    root = checked_root(root)
    with db.write() as tx:
        repos.add(tx, repo, str(root), now())
    with InStep(db, vectors, encoder) as index:
        run = _Run(db, repo, now, report, cancelled, leave_out_secrets, added=index.added, retired=index.retired)
        found = run.survey(root)
        asked = run.asked(False)
        try:
            early = embed_alongside(db, encoder, lambda: run.cut(found), lambda: len(run.added), cancelled)
            embedded = embed_missing(db, encoder, report, cancelled, early)
        finally:
            encoder.relax()
        meter = Meter("publish", len(run.added) + len(run.retired), report)
    meter.at(len(run.added) + len(run.retired))
    if run.added or run.retired or not asked:
        run.ask(found)
    run.asked(True)
    with db.write() as tx:
        repos.finish_indexing(tx, repo, run.skipped, now())
        count, secrets = chunks.count(tx, repo), repos.count_secrets(tx, repo)
    seconds = monotonic() - began
    files = len(found) - run.left_out
    return IngestResult(
        files, count, len(run.added), len(run.retired), dict(run.skipped), seconds, embedded, run.unchanged, secrets
    )


@dataclass(slots=True)
class _Change:
    """What one file's look made of it; ``drafts`` None: only its state on disk changed."""

    state: FileState
    drafts: list[ChunkDraft] | None


@dataclass(slots=True)
class _Run:
    db: Database
    repo: str
    now: Callable[[], datetime]
    report: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    leave_out_secrets: bool
    skipped: Counter[str] = field(default_factory=Counter)
    added: list[int] = field(default_factory=list)
    retired: list[int] = field(default_factory=list)
    unchanged: int = 0
    left_out: int = 0
    """Found by name but skipped for their content."""

    def survey(self, root: Path) -> list[Found]:
        meter = Meter("walk", 0, self.report)
        found: list[Found] = []
        looked = monotonic()
        for seen, item in enumerate(walk(root), 1):
            if isinstance(item, Found):
                found.append(item)
            else:
                self.skipped[item.reason.value] += 1
            if seen % 1000 == 0 or monotonic() - looked > _LOOK_S:
                self._stop_if_asked()
                meter.at(seen)
                looked = monotonic()
        return found

    def cut(self, found: Sequence[Found]) -> None:
        """Cut what is new or changed, retire what is gone."""
        with self.db.read() as tx:
            known = repos.known_files(tx, self.repo)
            versions = dict(meta.get(tx, _CUT_BY) or {})
        cut_by = [VERSION, hidden.VERSION if self.leave_out_secrets else 0]
        current = versions.get(self.repo) == cut_by
        meter = Meter("cut", len(found), self.report)
        gone = set(known)
        for start in range(0, len(found), _BATCH):
            self._stop_if_asked()
            changes = []
            for file in found[start : start + _BATCH]:
                change = self._look(file, known.get(file.path), current)
                if not isinstance(change, Skipped):
                    gone.discard(file.path)
                if isinstance(change, _Change):
                    changes.append(change)
            self._store(changes, ())
            meter.at(min(start + _BATCH, len(found)))
        self._store((), sorted(gone))
        with self.db.write() as tx:
            meta.put(tx, _CUT_BY, {**(meta.get(tx, _CUT_BY) or {}), self.repo: cut_by})

    def asked(self, done: bool) -> bool:
        """Note whether the docstring questions are of this index, and return what was noted before.

        Taken back before anything changes: an indexing that was killed between cutting and asking left none otherwise.
        """
        with self.db.write() as tx:
            noted = meta.get(tx, _ASKED) or {}
            meta.put(tx, _ASKED, {**noted, self.repo: done})
        return bool(noted.get(self.repo))

    def ask(self, found: Sequence[Found]) -> None:
        """Renew the repository's docstring questions."""
        general.renew(self.db, self.repo, found, self.report, self.cancelled, self.leave_out_secrets)

    def _look(self, file: Found, known: FileState | None, current: bool) -> _Change | Skipped | None:
        """None: nothing changed."""
        if current and known and (known.size, known.mtime_ns) == (file.size, file.mtime_ns):
            self.unchanged += 1
            return None
        text = read(file)
        if isinstance(text, Skipped):
            self.skipped[text.reason.value] += 1
            self.left_out += 1
            return text
        text, places = normalise(text), tuple[tuple[int, str], ...]()
        if self.leave_out_secrets:
            text, secrets = hidden.without_secrets(file.path, text)
            places = tuple((secret.line, secret.kind) for secret in secrets)
        state = FileState(file.path, file.size, file.mtime_ns, texts.content_hash(text), places)
        if current and known and known.file_hash == state.file_hash:
            self.unchanged += 1
            return _Change(state, None)
        return _Change(state, chunk_file(file.path, text))

    def _store(self, changes: Sequence[_Change], gone: Sequence[str]) -> None:
        if not changes and not gone:
            return
        before = len(self.added) + len(self.retired)
        with self.db.write() as tx:
            for change in changes:
                if change.drafts is not None:
                    self._note(chunks.replace_file(tx, self.repo, change.state.path, change.drafts, self.now()))
                repos.put_file(tx, self.repo, change.state, cut=change.drafts is not None)
            for path in gone:
                self._note(chunks.replace_file(tx, self.repo, path, (), self.now()))
                repos.drop_file(tx, self.repo, path)
            if len(self.added) + len(self.retired) > before:
                chunks.bump_generation(tx)

    def _note(self, replaced: chunks.Replaced) -> None:
        self.added += replaced.added
        self.retired += replaced.retired

    def _stop_if_asked(self) -> None:
        if self.cancelled():
            raise Cancelled("indexing was cancelled; the files cut so far are kept")


def nothing_found(result: IngestResult, root: str) -> str | None:
    """Why nothing of the folder ``root`` can be searched, with what was skipped by count; None where something can."""
    if result.chunks:
        return None
    left = sorted(result.skipped.items(), key=lambda item: (-item[1], item[0]))
    skipped = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in left)
    if result.files:
        found = f"{result.files:,} without any code"
        return f"nothing to index in {root}: files {', '.join(filter(None, (found, skipped)))}"
    return f"nothing to index in {root}: " + (f"left out {skipped}" if skipped else "there are no files in it")


def summary(result: IngestResult, root: str) -> Mapping[str, object]:
    """The result as a job's JSON; ``warning`` where there is something to say, though it is a success."""
    return {
        **({"warning": warning} if (warning := nothing_found(result, root)) else {}),
        "files": result.files,
        "chunks": result.chunks,
        "added": result.added,
        "retired": result.retired,
        "embedded": result.embedded,
        "unchanged": result.unchanged,
        "skipped": result.skipped,
        "secrets": result.secrets,
        "seconds": round(result.seconds, 2),
    }
