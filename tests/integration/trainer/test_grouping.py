from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from store import queries
from store.database import Database
from store.types import Split, Vector
from tests.integration.store.learning import NOW, open_database
from trainer.grouping import group_queries


@dataclass
class Angles:
    """Embeds each text at an angle on the unit circle; a second encoder may see the same texts elsewhere."""

    name: str
    degrees: Mapping[str, float]
    width: int = 2
    encoded: int = 0

    def encode(self, texts: Sequence[str]) -> Vector:
        self.encoded += len(texts)
        made = np.zeros((len(texts), self.width), dtype=np.float32)
        turns = np.radians([self.degrees[text] for text in texts])
        made[:, 0], made[:, 1] = np.cos(turns), np.sin(turns)
        return made


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.dispose()


OLD = Angles("old", {"open": 0, "close": 120, "read": 240})


def sides(db: Database) -> dict[str, tuple[int, Split]]:
    with db.read() as tx:
        return {query.query: (query.group_id, query.split) for query in queries.known(tx)}


def test_another_encoder_embeds_every_known_query_anew_once(db: Database) -> None:
    group_queries(db, OLD, ["open", "close", "read"], NOW)
    before = sides(db)
    new = Angles("new", {"open": 100, "close": 10, "read": 200, "shut": 12}, width=3)
    grouped = group_queries(db, new, ["shut", "open"], NOW)
    assert new.encoded == 4, "three known ones and the new one"
    assert grouped.vectors["open"].shape == (3,)
    after = sides(db)
    assert {name: after[name] for name in before} == before, "groups and splits hold for ever"
    assert after["shut"][0] == after["close"][0], "found near its paraphrase in the new space"
    group_queries(db, new, ["open"], NOW)
    assert new.encoded == 4


def test_a_train_query_near_a_held_out_one_in_the_new_space_leaves_training(db: Database) -> None:
    with db.write() as tx:
        queries.add(tx, "open", OLD.encode(["open"])[0], None, Split.HELD_OUT, NOW)
        for query in ("close", "read"):
            queries.add(tx, query, OLD.encode([query])[0], None, Split.TRAIN, NOW)
    places = group_queries(
        db, Angles("new", {"open": 0, "close": 5, "read": 90}), ["open", "close", "read"], NOW
    ).places
    assert {query: place.bridged for query, place in places.items()} == {"open": False, "close": True, "read": False}
