"""Features that outlive a night: the same pairs come back every night, and a frozen body gives them the same features.

One file, named after the body, the length and the libraries that computed it: ``keys`` (n, 16) the digests of the
pairs, ``rows`` (n, f) float32, and the sha256 of both. It is a cache: whatever is wrong with it costs the time to
compute the features again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

Pair = tuple[str, str]
Rows = dict[bytes, npt.NDArray[np.float32]]
FEATURES = "features"
"""The folder of a data directory."""
MOST = 50_000
"""Pairs that are kept: 225 MB with the packaged encoder, a night of about a thousand judged questions."""
_KEY_BYTES = 16
_DIGEST = "sha256"
log = logging.getLogger("rankloop.trainer")


class KeptFeatures:
    """The file of one body."""

    def __init__(self, folder: Path, body: str, max_length: int) -> None:
        made = hashlib.sha256(repr((body, max_length, _libraries())).encode()).hexdigest()
        self._file = folder / f"{made[:24]}.safetensors"

    def load(self) -> Rows:
        """Key → features ``(f,)``; empty where there is no file or it is damaged."""
        try:
            with safe_open(self._file, framework="numpy") as file:
                expected = (file.metadata() or {}).get(_DIGEST)
                keys, rows = file.get_tensor("keys"), file.get_tensor("rows")
        except FileNotFoundError:
            return {}
        except (OSError, SafetensorError) as error:
            log.warning("kept features can't be read, they are computed again: %s", error)
            return {}
        if _digest(keys, rows) != expected:
            log.warning("kept features are damaged, they are computed again: %s", self._file.name)
            return {}
        return {key.tobytes(): row for key, row in zip(keys, rows, strict=True)}

    def save(self, tonight: Mapping[bytes, npt.NDArray[np.float32]], before: Rows) -> None:
        """Keep tonight's features and, as far as there is room, those of before. A full disk is logged, no more."""
        kept = dict(list({**tonight, **before}.items())[:MOST])
        if not kept:
            return
        part = self._file.with_suffix(".part")
        try:
            keys = np.stack([np.frombuffer(key, dtype=np.uint8) for key in kept])
            rows = np.stack(list(kept.values()))
            self._file.parent.mkdir(exist_ok=True)
            save_file({"keys": keys, "rows": rows}, part, {_DIGEST: _digest(keys, rows)})
            part.replace(self._file)
            for other in self._file.parent.iterdir():
                if other != self._file and other.is_file():
                    other.unlink()  # of a body that no longer trains, or of a night that was killed
        except (OSError, SafetensorError, MemoryError) as error:
            log.warning("features are not kept for the next night: %s", error)
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def forget(self) -> None:
        """What was kept turned out to be wrong."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)


def _libraries() -> tuple[str, ...]:
    """What a feature's last digits depend on beside the body."""
    names = ("torch", "transformers", "tokenizers", "openvino")
    return tuple(f"{name} {version(name)}" for name in names if find_spec(name) is not None)


def key_of(pair: Pair) -> bytes:
    """What a pair is kept under."""
    query, text = (part.encode() for part in pair)
    return hashlib.blake2b(len(query).to_bytes(8, "big") + query + text, digest_size=_KEY_BYTES).digest()


def _digest(*arrays: npt.NDArray[np.generic]) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
