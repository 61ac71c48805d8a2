"""Docstring questions: what docstrings say their definitions do. ``store.general`` says what each is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from server.indexing.chunking import chunk_file, normalise
from server.indexing.docs import documented
from server.indexing.languages import detect
from server.indexing.progress import Meter, Progress
from server.indexing.secrets import without_secrets
from server.indexing.walk import Found, read
from store import chunks, general
from store.database import Database
from store.errors import Cancelled

MOST = 500
"""Questions a repository."""
_MOST_A_FILE = 10

Question = tuple[str, str, str]
"""(query, path, content hash of the chunk that holds the definition)."""


def questions(path: str, text: str) -> list[Question]:
    """The questions that one file gives, in the order of its lines."""
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

    Files are taken in the order of their paths' hashes until there are enough: a change of one
    file changes few questions.
    """
    meter = Meter("questions", MOST, report)
    chosen: dict[str, Question] = {}
    for file in sorted(found, key=lambda file: sha256(file.path.encode()).digest()):
        if len(chosen) >= MOST:
            break
        if cancelled():
            raise Cancelled("indexing was cancelled; the index itself is complete")
        for question in _of_file(file, leave_out_secrets):
            chosen.setdefault(question[0].casefold(), question)
        meter.at(min(len(chosen), MOST))
    with db.write() as tx:
        live = chunks.by_hash(tx, {digest for _, _, digest in chosen.values()})
        kept = [question for question in chosen.values() if question[2] in live][:MOST]
        general.replace_for_repo(tx, repo, kept)
    return len(kept)


def _of_file(file: Found, leave_out_secrets: bool) -> Iterator[Question]:
    text = read(file)
    if isinstance(text, str):
        text = without_secrets(file.path, normalise(text))[0] if leave_out_secrets else text
        yield from questions(file.path, text)[:_MOST_A_FILE]
