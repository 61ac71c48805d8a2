"""Indexing many chunks goes by the faster engine; what is stored are torch's vectors all the same."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from server.indexing import embed
from server.indexing.ingest import ingest
from store import chunks
from store.database import Database
from store.encoder import Encoder
from store.vectors import VectorIndex
from tests import tiny


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
    assert ("openvino-fp32" in said) is library
    assert ("not installed" in said) is not library
    with index_db.read() as tx:
        page = chunks.live_vectors(tx, encoder.name, 0, 100)
        found = chunks.get(tx, [chunk_id for chunk_id, _, _ in page])
    assert len(page) >= 9
    plain = Encoder.load(encoder.name)
    for chunk_id, _, vector in page:
        np.testing.assert_allclose(vector, plain.encode_one(found[chunk_id].text), atol=2e-3)  # float16 in SQL
