"""A BERT of today's form and an MPNet of the plain form: other words, lengths, dimensions and inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from store.encoder import FAST, Encoder
from store.engines.names import TORCH
from store.errors import InvalidInput, Unavailable
from store.sentences import is_plain
from store.types import Vector
from tests import tiny

TEXTS = ["Read a JSON file and return a dictionary.", "x", "def load(path):\n    return path.read_text()\n" * 9, ""]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("encoders")
    return tiny.encoder(place / "one", seed=1), tiny.mpnet_encoder(place / "two", seed=2)


@pytest.fixture(scope="module")
def joined(folders: tuple[Path, Path]) -> Encoder:
    return Encoder.load("+".join(map(str, folders)))


def test_the_cosine_is_the_mean_of_the_parts_cosines(joined: Encoder, folders: tuple[Path, Path]) -> None:
    one, two = (Encoder.load(str(folder)).encode(TEXTS) for folder in folders)
    both = joined.encode(TEXTS)
    assert joined.dimension == both.shape[1] == one.shape[1] + two.shape[1]
    assert not np.allclose(one @ one.T, two @ two.T, atol=1e-2), "the parts must differ for this to say anything"
    assert both @ both.T == pytest.approx((one @ one.T + two @ two.T) / 2, abs=1e-5)
    assert np.linalg.norm(both, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_one_text_and_many_get_the_same_vectors(joined: Encoder) -> None:
    many = joined.encode([*TEXTS, *(f"def f{n}(): return {n}\n" * (1 + n % 7) for n in range(70))])
    for text, vector in zip(TEXTS, many, strict=False):
        assert joined.encode_one(text) == pytest.approx(vector, abs=1e-5)


def test_a_faster_engine_gives_the_same_vectors(folders: tuple[Path, Path]) -> None:
    encoder = Encoder.load("+".join(map(str, folders)))
    plain = encoder.encode(TEXTS)
    assert encoder.hasten() in FAST
    cosines = (plain * encoder.encode(TEXTS)).sum(axis=1)
    assert cosines.min() > 0.9999
    encoder.relax()
    assert encoder.encode(TEXTS).tolist() == plain.tolist()


def test_the_first_part_is_what_a_base_is_made_of(joined: Encoder, folders: tuple[Path, Path]) -> None:
    assert joined.model_path == folders[0]


def test_a_folder_whose_name_has_a_plus_is_one_encoder(tmp_path: Path) -> None:
    path = tiny.encoder(tmp_path / "a+b")
    assert Encoder.load(str(path)).dimension == 32


def test_a_part_that_is_not_there_is_told(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="can't be loaded"):
        Encoder.load(f"{folders[0]}+{tmp_path / 'nowhere'}")


def test_each_part_gets_its_own_tokens_and_length(folders: tuple[Path, Path]) -> None:
    assert [is_plain(folder) for folder in folders] == [False, True]
    texts = ["read the file " * 60, "read the file " * 25]  # both are more than the second part reads
    names = [*map(str, folders), "+".join(map(str, folders))]
    one, two, both = (Encoder.load(name).encode(texts) for name in names)
    assert float(two[0] @ two[1]) > 0.9999 > float(one[0] @ one[1])
    assert both @ both.T == pytest.approx((one @ one.T + two @ two.T) / 2, abs=1e-5)


def test_spaces_around_the_sign_mean_nothing(folders: tuple[Path, Path], joined: Encoder) -> None:
    assert Encoder.load(" + ".join(map(str, folders))).encode(TEXTS).tolist() == joined.encode(TEXTS).tolist()


@pytest.mark.parametrize("name", ["+", "{}+", "+{}", "{}++{}"])
def test_a_list_with_a_gap_is_refused(folders: tuple[Path, Path], name: str) -> None:
    with pytest.raises(InvalidInput, match="RANKLOOP_ENCODER"):
        Encoder.load(name.format(*folders))


def test_a_name_that_the_table_can_not_hold_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(InvalidInput, match="200"):
        Encoder.load("+".join([str(folders[0])] * 20))


def test_a_part_that_is_off_is_not_hidden_by_one_that_is_not(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mean of cosines .99985 and 1 would pass."""
    encoder = Encoder.load("+".join(map(str, folders)))
    start = Encoder.load(str(folders[0])).dimension

    def slightly_off(_fast: object, texts: list[str]) -> Vector:
        got = encoder._encode(texts)
        part = got[:, start:]
        aside = np.roll(part, 1, axis=1)
        aside -= (aside * part).sum(axis=1, keepdims=True) / (part * part).sum(axis=1, keepdims=True) * part
        aside *= np.linalg.norm(part, axis=1, keepdims=True) / np.linalg.norm(aside, axis=1, keepdims=True)
        turn = np.arccos(0.99985)
        return np.concatenate([got[:, :start], np.cos(turn) * part + np.sin(turn) * aside], axis=1)

    monkeypatch.setattr(encoder, "_encode_fast", slightly_off)
    assert "cosine 0.99985" in encoder.hasten()
    assert encoder.engine == TORCH
