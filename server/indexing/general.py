"""Docstring questions: what docstrings say their definitions do. ``store.general`` says what each is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from server.indexing.chunking import chunk_file, normalise
from server.indexing.docs import documented
from server.indexing.languages import detect
from server.indexing.progress import Meter, Progress
from server.indexing.secrets import without_secrets
from server.indexing.walk import Found, read
from store import chunks, general, repos
from store.batches import batches
from store.database import Database
from store.errors import Cancelled

MOST = 500
"""Questions a repository."""
_MOST_A_FILE = 10

Question = tuple[str, str, str]
"""(query, path, content hash of the chunk that holds the definition)."""
Said = list[tuple[str, str]]
"""(query, content hash) of one file's questions."""


def questions(path: str, text: str) -> list[Question]:
    """The questions that one file gives, in the order of its lines.

    They are stored with the file until it is cut again: whoever changes what is found raises ``chunking.VERSION``.
    """
    text = normalise(text)
    said = documented(text, detect(path, text))
    drafts = chunk_file(path, text) if said else []
    found = []
    for sentence, line in said:
        holder = next((draft for draft in drafts if draft.start_line <= line <= draft.end_line), None)
        if holder is not None:
            found.append((sentence, path, holder.content_hash))
    return found


def renew(
    db: Database,
    repo: str,
    found: Sequence[Found],
    report: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    leave_out_secrets: bool = True,
) -> int:
    """Replace the repository's general questions; returns how many there are. Raises Cancelled.

    Files are taken in the order of their paths' hashes until there are enough: a change of one file changes few
    questions. Only files that were cut since they were last asked are read; what the others say is stored.
    """
    meter = Meter("questions", MOST, report)
    with db.read() as tx:
        asked = repos.file_questions(tx, repo)
    fresh: dict[str, Said] = {}
    chosen: dict[str, Question] = {}
    for file in sorted(found, key=lambda file: sha256(file.path.encode()).digest()):
        if len(chosen) >= MOST:
            break
        if cancelled():
            raise Cancelled("indexing was cancelled; the index itself is complete")
        if file.path not in asked:  # left out for its content
            continue
        said = asked[file.path]
        if said is None and (said := _of_file(file, leave_out_secrets)) is not None:
            fresh[file.path] = said
        for query, digest in said or ():
            chosen.setdefault(query.casefold(), (query, file.path, digest))
        meter.at(min(len(chosen), MOST))
    for paths in batches(fresh):
        with db.write() as tx:
            repos.put_file_questions(tx, repo, {path: fresh[path] for path in paths})
    with db.write() as tx:
        live = chunks.by_hash(tx, {digest for _, _, digest in chosen.values()})
        kept = [question for question in chosen.values() if question[2] in live][:MOST]
        general.replace_for_repo(tx, repo, kept)
    return len(kept)


def _of_file(file: Found, leave_out_secrets: bool) -> Said | None:
    text = read(file)
    if not isinstance(text, str):
        return None
    text = without_secrets(file.path, normalise(text))[0] if leave_out_secrets else text
    return [(query, digest) for query, _, digest in questions(file.path, text)[:_MOST_A_FILE]]
