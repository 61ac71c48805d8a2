from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from store.encoder import FAST, Encoder
from store.errors import Unavailable
from store.sentences import is_plain
from tests import tiny

TEXTS = ["Read a JSON file and return a dictionary.", "x", "def load(path):\n    return path.read_text()\n" * 9, ""]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("encoders")
    return tiny.encoder(place / "one", seed=1), tiny.encoder(place / "two", seed=2)


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


def test_the_plain_form_and_others_are_joined_alike(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """The folders are as today's library writes them, the plain form is as older ones did."""
    plain = tmp_path / "plain"
    shutil.copytree(folders[0], plain)
    (plain / "sentence_bert_config.json").write_text('{"max_seq_length": 256, "do_lower_case": false}')
    assert is_plain(plain)
    assert not is_plain(folders[0])
    both = Encoder.load(f"{plain}+{folders[0]}").encode([*TEXTS, *["a b c"] * 40])
    alone = Encoder.load(str(folders[0])).encode([*TEXTS, *["a b c"] * 40])
    assert both @ both.T == pytest.approx(alone @ alone.T, abs=1e-5)
