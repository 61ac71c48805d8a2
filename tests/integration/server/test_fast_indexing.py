"""Indexing many chunks goes by the faster engine; what is stored are torch's vectors all the same, within the bound."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from server.indexing import embed
from server.indexing.ingest import ingest
from store import chunks, repos, texts
from store.database import Database
from store.encoder import Encoder
from store.engines.names import TORCH
from store.errors import Cancelled
from store.types import ChunkDraft
from store.vectors import VectorIndex
from tests import tiny
from tests.integration.server.support import until


@pytest.mark.parametrize("library", [True, False], ids=["openvino", "without it"])
def test_many_chunks(
    tmp_path: Path,
    index_db: Database,
    vector_index: VectorIndex,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    library: bool,
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for n in range(9):
        body = f"    value = parse(path, {n})\n" * (2 + n)
        (code / f"f{n}.py").write_text(f"def read_{n}(path):\n{body}    return value\n")
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))
    monkeypatch.setattr(embed, "MANY", 5)
    if not library:
        monkeypatch.setitem(sys.modules, "openvino", None)
    with caplog.at_level(logging.INFO, "rankloop.server"):
        ingest(index_db, encoder, vector_index, "shop", code, lambda: datetime.now(UTC), lambda _: None, lambda: False)
    said = next(record.message for record in caplog.records if "are embedded by" in record.message)
    assert ("openvino-" in said) is library
    assert ("not installed" in said) is not library
    with index_db.read() as tx:
        page = chunks.live_vectors(tx, encoder.name, 0, 100)
        found = chunks.get(tx, [chunk_id for chunk_id, _, _ in page])
    assert len(page) >= 9
    plain = Encoder.load(encoder.name)
    for chunk_id, _, vector in page:
        np.testing.assert_allclose(vector, plain.encode_one(found[chunk_id].text), atol=2e-3)  # float16 in SQL


def test_what_is_cut_is_embedded_while_the_rest_is_being_cut(
    tmp_path: Path, index_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))
    monkeypatch.setattr(embed, "MANY", 3)
    monkeypatch.setattr(embed, "_FETCH", 5)
    added: list[int] = []
    with index_db.write() as tx:
        repos.add(tx, "shop", str(tmp_path), datetime.now(UTC))

    def lacking() -> int:
        with index_db.read() as tx:
            return texts.missing_count(tx, encoder.name)

    def cut() -> None:
        for n in range(6):
            body = f"def f():\n    return {n}\n"
            draft = ChunkDraft(f"f{n}.py", 1, 2, "f", "python", body, texts.content_hash(body))
            with index_db.write() as tx:
                added.extend(chunks.replace_file(tx, "shop", f"f{n}.py", [draft], datetime.now(UTC)).added)
        until(lambda: lacking() <= 1)  # or the vectors are only made when all is cut

    assert embed.embed_alongside(index_db, encoder, cut, lambda: len(added), lambda: False) >= 5
    left = lacking()
    assert left <= 1
    assert embed.embed_missing(index_db, encoder, lambda _: None, lambda: False, 6 - left) == 6
    assert encoder.engine == TORCH  # what the faster engine took is given back


def test_cutting_that_fails_ends_the_embedding_beside_it(tmp_path: Path, index_db: Database) -> None:
    encoder = Encoder.load(str(tiny.encoder(tmp_path / "tiny")))

    def cut() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled, match="stopped"):
        embed.embed_alongside(index_db, encoder, cut, lambda: 10**6, lambda: False)
