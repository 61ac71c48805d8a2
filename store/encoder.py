"""The dense encoder: text to a normalised vector. Packaged weights are found without any network."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import accumulate, pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers.utils.logging import disable_progress_bar

from store.engines.backend import Backend
from store.engines.convert import convert
from store.engines.gpu import MICRO_BATCH as GPU_BATCH
from store.engines.gpu import Gpu, device
from store.engines.names import GPU, TORCH
from store.engines.openvino import OpenVino
from store.errors import InvalidInput, ModelRefused, Unavailable
from store.joined import Joined
from store.manifest import PROBE_TEXTS
from store.packaged import PREFIX, packaged
from store.scorer import Inputs
from store.sentences import Sentences, is_plain
from store.types import Vector
from store.weights import use_threads

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger("rankloop.store")
JOINER = "+"
LONGEST_NAME = 200
"""Characters, as the table of vectors has it."""
BATCH = 32
FAST_BATCH = 256
"""Texts between two of which OpenVINO's streams wait for each other."""
MICRO_BATCH = 8
"""Texts in one stream of OpenVINO."""
LEAST_COSINE = 0.9999
"""Between torch's vector of a text and another engine's."""
FAST = {"openvino-bf16": "bf16", "openvino-fp32": "f32"}
"""Engine → its arithmetic, the fastest first."""
_SAMPLE = ["a", *(passage for _, passage in PROBE_TEXTS), "def read(path):\n    return open(path).read()\n" * 40]


class _Positional(torch.nn.Module):
    """Tracing takes no dicts."""

    def __init__(self, model: SentenceTransformer | Sentences | Joined, names: tuple[str, ...]) -> None:
        super().__init__()
        steps = [model] if isinstance(model, Sentences | Joined) else model
        self.steps, self.names = torch.nn.ModuleList(steps), names

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        features: dict[str, Any] = dict(zip(self.names, inputs, strict=True))
        for step in self.steps:
            features = step(features)
        return torch.as_tensor(features["sentence_embedding"])


class Encoder:
    """A loaded sentence encoder. Safe to share between threads."""

    def __init__(self, name: str, model_path: Path, model: SentenceTransformer | Sentences | Joined) -> None:
        self.name = name
        self.model_path = model_path
        self._model = model
        self._prompt = model.prompts.get(model.default_prompt_name) if model.default_prompt_name else None
        self._tokenizing = Lock()
        dimension = model.get_embedding_dimension()
        if dimension is None:
            raise ModelRefused(f"{name} does not say how long its vectors are")
        self.dimension = dimension
        self._fast: Backend | None = None
        self.engine = TORCH
        """What ``encode`` computes with."""
        self.told: str | None = None
        """What many texts were last embedded by here, and where that is torch, why; None before."""
        self._threads = 0

    @classmethod
    def load(cls, name: str, threads: int = 0) -> Encoder:
        """Load the encoder ``name``: ``package:…``, a directory, or a hub name (which may need the network).

        Several packages or directories with ``+`` between them are one encoder (``store.joined``); the first of them is
        what a residual base is made of. ``threads``: torch's for the whole process, as ``use_threads`` takes it.
        Raises InvalidInput for a list with a gap, or a name too long to be kept with the vectors.
        Raises ModelRefused for weights that are not the expected ones, Unavailable when there are none.
        """
        use_threads(threads)
        disable_progress_bar()  # type: ignore[no-untyped-call]
        paths = [_place(one) for one in _names_in(name)]
        try:
            models = [_one(path) for path in paths]
            model = models[0] if len(models) == 1 else Joined(models)
        except (OSError, ValueError) as error:
            raise Unavailable(f"the encoder {name} can't be loaded: {error}") from error
        encoder = cls(name, paths[0], model.eval())
        encoder._threads = threads
        return encoder

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vector:
        """Vectors of ``texts``, shape ``(len(texts), dimension)``, float32, L2-normalised, in the given order.

        Texts go through in batches of similar length; ``progress`` hears after each how many are done so far.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for places, made in self.in_batches(texts):
            vectors[places] = made
            done += len(places)
            if progress is not None:
                progress(done)
        return vectors

    def in_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vector]]:
        """As ``encode``, batch by batch, longest texts first: places in ``texts`` and their vectors."""
        by_length = self._longest_first(texts)
        size = BATCH if self._fast is None else FAST_BATCH
        for start in range(0, len(texts), size):
            batch = by_length[start : start + size]
            yield batch, self._encode_many([texts[i] for i in batch])

    def encode_one(self, text: str) -> Vector:
        """The vector of one text, shape ``(dimension,)``."""
        vector: Vector = self._encode([text])[0]
        return vector

    def hasten(self) -> str:
        """Let ``encode`` use a GPU, else OpenVINO, if that gives the same vectors; says in words what came of it.

        Takes a second, so it pays for hundreds of texts. ``encode_one`` stays with torch.
        """
        if self._fast is None:
            self.told = self._hasten()
        return self.told or self.engine

    def _hasten(self) -> str:
        want, network = self._encode(_SAMPLE), _Positional(self._model, self._names())
        refused: dict[str, list[str]] = {}
        for name, make in self._engines(network):
            try:
                fast = make()
                least = self._least_cosine(want, self._encode_fast(fast, _SAMPLE))
            except (ModelRefused, Unavailable) as error:
                refused.setdefault(error.message, []).append(name)
                continue
            if least >= LEAST_COSINE:
                self._fast, self.engine = fast, name
                return name
            refused[f"its vectors differ (cosine {least:.6f})"] = [name]
        said = (why if len(names) > 1 else f"{names[0]}: {why}" for why, names in refused.items())
        return f"{TORCH}, for {'; '.join(said)}"

    def _least_cosine(self, want: Vector, got: Vector) -> float:
        """Of every part on its own: the mean would hide a part that is off behind one that is not."""
        parts = self._model.dimensions if isinstance(self._model, Joined) else (self.dimension,)
        cuts = list(accumulate(parts, initial=0))
        return min(_cosine(want[:, start:end], got[:, start:end]) for start, end in pairwise(cuts))

    def _engines(self, network: _Positional) -> Iterator[tuple[str, Callable[[], Backend]]]:
        """The fastest first."""
        place = device()
        if place is not None:
            yield GPU, partial(Gpu, network, self._names(), place)
        model = cache(partial(convert, network, self._names()))
        for name, precision in FAST.items():
            yield name, partial(self._openvino, model, precision)

    def _openvino(self, model: Callable[[], Any], precision: str) -> Backend:
        return OpenVino(model(), precision, self._threads)

    def relax(self) -> None:
        """Give back the memory that ``hasten`` took."""
        self._fast, self.engine = None, TORCH

    def _longest_first(self, texts: Sequence[str]) -> list[int]:
        """Places by falling number of tokens: of characters it would be less even, and padding costs time."""
        lengths = [len(text) for text in texts]
        if isinstance(self._model, Sentences | Joined) and len(texts) > MICRO_BATCH:
            for start in range(0, len(texts), FAST_BATCH):
                with self._tokenizing:
                    lengths[start : start + FAST_BATCH] = self._model.lengths(list(texts[start : start + FAST_BATCH]))
        return sorted(range(len(texts)), key=lambda i: lengths[i], reverse=True)

    def _encode_many(self, texts: list[str]) -> Vector:
        fast = self._fast
        if fast is not None:
            try:
                return self._encode_fast(fast, texts)
            except ModelRefused as error:
                log.error("torch encodes from now on: %s", error.message)
                self.told = f"{TORCH}, for {self.engine} failed: {error.message}"
                self.relax()
        return np.concatenate([self._encode(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)])

    def _names(self) -> tuple[str, ...]:
        return tuple(name for name, value in self._features(["a"]).items() if isinstance(value, torch.Tensor))

    def _features(self, texts: list[str]) -> dict[str, Any]:
        # Only the tokenizer needs the lock: it keeps state. A question must not wait for a batch of indexing.
        with self._tokenizing:
            return dict(self._model.preprocess(texts, prompt=self._prompt))

    def _encode_fast(self, fast: Backend, texts: list[str]) -> Vector:
        """As ``_encode``. Raises ModelRefused where the engine fails."""
        size = GPU_BATCH if isinstance(fast, Gpu) else MICRO_BATCH
        made = fast.outputs(self._batches(texts, size), (len(texts), self.dimension))
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        normalised: Vector = made / np.maximum(lengths, 1e-12)
        return normalised

    def _batches(self, texts: list[str], size: int) -> Iterator[tuple[list[int], Inputs]]:
        """Made while the streams work on those before."""
        names = self._names()
        for start in range(0, len(texts), size):
            places = list(range(start, min(start + size, len(texts))))
            features = self._features([texts[i] for i in places])
            yield places, {name: features[name].numpy() for name in names}

    def _encode(self, texts: list[str]) -> Vector:
        with torch.inference_mode():
            embeddings = self._model(self._features(texts))["sentence_embedding"]
            vectors: Vector = torch.nn.functional.normalize(embeddings, dim=1).float().numpy()
        return vectors


def _names_in(name: str) -> list[str]:
    names = [name] if Path(name).is_dir() else [one.strip() for one in name.split(JOINER)]
    if not all(names):
        raise InvalidInput(f"RANKLOOP_ENCODER is {name!r}; it names one encoder, or several with {JOINER} between them")
    if len(name) > LONGEST_NAME:
        raise InvalidInput(f"RANKLOOP_ENCODER has {len(name)} characters; at most {LONGEST_NAME} are kept")
    return names


def _place(name: str) -> Path:
    return packaged(name) if name.startswith(PREFIX) else Path(name)


def _one(path: Path) -> Sentences | SentenceTransformer:
    local = path.is_dir()
    return Sentences(path) if local and is_plain(path) else _by_library(str(path), local)


def _by_library(name: str, local: bool) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer  # heavy, and only other forms than the plain one need it

    return SentenceTransformer(name, device="cpu", local_files_only=local)


def _cosine(one: Vector, other: Vector) -> float:
    """The least of rows beside rows."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / np.maximum(lengths, 1e-12)).min())
