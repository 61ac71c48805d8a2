"""Score (query, passage) pairs with a cross-encoder: torch, float32, raw logits.

Equals ``CrossEncoder(path).predict(pairs, activation_fn=Identity())`` of sentence-transformers to 1e-4. A pair longer
than ``max_length`` tokens (special ones included) is cut as that library does it, in training and serving alike: tokens
are dropped one at a time from the end of whichever text is longer ("longest_first").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding, Tokenizer
from transformers import AutoTokenizer
from transformers.utils import logging as transformers_logging

from store import plain
from store.errors import ModelRefused
from store.forms import form_of
from store.weights import (
    LOADING_ERRORS,
    Features,
    Network,
    PooledNetwork,
    first_line,
    load_pooled,
    load_single,
    use_threads,
)

MICRO_BATCH = 8
"""Pairs a forward pass. Length-sorted and padded per batch, small batches are the fastest on a CPU."""
Logits = npt.NDArray[np.float32]
Inputs = dict[str, npt.NDArray[np.int64]]
"""What a network takes, by name: shape ``(pairs, tokens)`` each."""


class Scorer:
    """A loaded cross-encoder. Safe to share between threads."""

    def __init__(
        self,
        model: Network,
        tokenizer: Tokenizer,
        *,
        max_length: int,
        pad_id: int,
        types: bool,
    ) -> None:
        self.lost: str | None = None
        """Why the network could not be brought back after ``rest``: nothing can be scored any more."""
        self._loaded: Network | None = model
        self._reload: Callable[[], Network] | None = None
        self._reloading = Lock()
        self._head = model.head if isinstance(model, PooledNetwork) else None
        self._tokenizer = tokenizer
        self._pad_id = pad_id
        self._types = types
        self.max_length = max_length

    @classmethod
    def load(cls, path: Path, *, max_length: int, threads: int = 0) -> Scorer:
        """Load a plain cross-encoder directory without touching any network.

        ``threads``: as ``use_threads`` takes it. Raises ModelRefused, saying why, for anything that is
        not plain, complete and finite.
        """
        form = form_of(path, plain.check(path))
        use_threads(threads)
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        model = load_single(path) if form is None else load_pooled(path, form)
        tokenizer, pad_id, types = _load_tokenizer(path, max_length)
        if tokenizer.get_vocab_size() > model.vocabulary:
            raise ModelRefused(
                f"wrong vocabulary: {tokenizer.get_vocab_size()} tokens for {model.vocabulary} embeddings"
            )
        positions = model.positions
        if positions is not None and max_length > positions:
            raise ModelRefused(f"max_length {max_length} is more than the model's {positions} positions")
        return cls(model, tokenizer, max_length=max_length, pad_id=pad_id, types=types)

    def rest(self, reload: Callable[[], Network]) -> None:
        """Give up the network's memory until something needs it, while another engine does the work.

        ``reload`` brings it back, or raises ModelRefused: its files may have changed meanwhile, so it checks them.
        """
        with self._reloading:
            self._reload, self._loaded = reload, None

    @property
    def resting(self) -> bool:
        """Whether the network is not in memory."""
        return self._loaded is None

    @property
    def _model(self) -> Network:
        """Raises ModelRefused where it had to be loaded again and was refused; it is not tried twice."""
        with self._reloading:
            if self.lost is not None:
                raise ModelRefused(self.lost)
            if self._loaded is None:
                assert self._reload is not None
                try:
                    self._loaded = self._reload()
                except ModelRefused as error:
                    self.lost = error.message
                    raise
            return self._loaded

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        """``rerank_score`` of each text for the query: shape ``(n,)``, raw logits."""
        return self.score_pairs([(query, text) for text in texts])

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> Logits:
        """Raw logits of (query, passage) pairs: shape ``(n,)``."""
        scores, model = np.empty(len(pairs), dtype=np.float32), self._model
        with torch.inference_mode():
            for places, inputs in self.batches(pairs):
                scores[places] = model(_tensors(inputs)).numpy()
        return scores

    @property
    def network(self) -> Network:
        """What computes the logits, for exporting it."""
        return self._model

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what the network takes."""
        names = ("input_ids", "attention_mask", "token_type_ids")
        return names if self._types else names[:2]

    @property
    def head(self) -> tuple[Features, float] | None:
        """Weights ``(f,)`` and bias of the linear head over pooled features; None in the single form."""
        return self._head

    def features(
        self, pairs: Sequence[tuple[str, str]], *, bf16: bool = False, each: Callable[[int], None] = lambda _: None
    ) -> Features:
        """What the head sees of each pair, ``(n, f)`` float32: ``features @ weights + bias`` is ``score_pairs(pairs)``.

        ``each`` is called before every forward pass with the number of pairs done; what it raises ends the work.
        ``bf16`` multiplies in bfloat16. Raises ValueError in the single form, whose head is no linear map of features.
        """
        if not isinstance(self._model, PooledNetwork):
            raise ValueError("only the pooled form has features")
        made = np.empty((len(pairs), self._model.form.features), dtype=np.float32)
        done = 0
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            for places, inputs in self.batches(pairs):
                each(done)
                made[places] = self._model.pooled(_tensors(inputs)).float().numpy()
                done += len(places)
        return made

    def batches(
        self, pairs: Sequence[tuple[str, str]], size: int = MICRO_BATCH, *, long_first: bool = False
    ) -> Iterator[tuple[list[int], Inputs]]:
        """Places and inputs of batches of at most ``size`` pairs of about the same length."""
        if not pairs:
            return
        encodings = self._tokenizer.encode_batch(list(pairs))
        by_length = sorted(range(len(pairs)), key=lambda i: len(encodings[i].ids), reverse=long_first)
        for start in range(0, len(by_length), size):
            places = by_length[start : start + size]
            yield places, self._inputs([encodings[i] for i in places])

    def _inputs(self, encodings: Sequence[Encoding]) -> Inputs:
        longest = max(len(encoding.ids) for encoding in encodings)
        ids = np.full((len(encodings), longest), self._pad_id, dtype=np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            ids[row, :length] = encoding.ids
            mask[row, :length] = 1
            types[row, :length] = encoding.type_ids
        return dict(zip(self.inputs, (ids, mask, types), strict=False))


def _tensors(inputs: Inputs) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in inputs.items()}


def reference_scores(path: Path, pairs: Sequence[tuple[str, str]]) -> Logits:
    """The same logits by plain sentence-transformers, as anyone who loads the directory gets them."""
    from sentence_transformers import CrossEncoder  # slow to import, and only a check needs it

    try:
        model = CrossEncoder(str(path), device="cpu", local_files_only=True)
        scores = model.predict(list(pairs), activation_fn=torch.nn.Identity(), show_progress_bar=False)
    except LOADING_ERRORS as error:
        raise ModelRefused(f"plain CrossEncoder cannot load it: {first_line(error)}") from error
    return np.asarray(scores, dtype=np.float32)


def _load_tokenizer(path: Path, max_length: int) -> tuple[Tokenizer, int, bool]:
    """A copy of our own: truncation is state on the tokenizer, and the library changes it on every call."""
    try:
        loaded = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    except LOADING_ERRORS as error:
        raise ModelRefused(f"the tokenizer cannot be loaded: {first_line(error)}") from error
    if loaded.pad_token_id is None:
        raise ModelRefused("the tokenizer has no padding token")
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    tokenizer.no_padding()
    return tokenizer, loaded.pad_token_id, "token_type_ids" in loaded.model_input_names
