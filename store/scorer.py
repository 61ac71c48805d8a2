"""Score (query, passage) pairs with a cross-encoder: torch, float32, raw logits.

Equals ``CrossEncoder(path).predict(pairs, activation_fn=Identity())`` of sentence-transformers to 1e-4. A pair longer
than ``max_length`` tokens (special ones included) is cut as that library does it, in training and serving alike: tokens
are dropped one at a time from the end of whichever text is longer ("longest_first").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from tokenizers import Encoding, Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from store import plain
from store.errors import ModelRefused

MICRO_BATCH = 8
"""Pairs a forward pass. Length-sorted and padded per batch, small batches are the fastest on a CPU."""
Logits = npt.NDArray[np.float32]

_LOADING_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError, SafetensorError)
"""What transformers raises for damaged directories."""


class Scorer:
    """A loaded cross-encoder. Safe to share between threads."""

    def __init__(
        self, model: torch.nn.Module, tokenizer: Tokenizer, *, max_length: int, pad_id: int, types: bool
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._pad_id = pad_id
        self._types = types
        self.max_length = max_length

    @classmethod
    def load(cls, path: Path, *, max_length: int, threads: int = 0) -> Scorer:
        """Load a plain cross-encoder directory without touching any network.

        ``threads`` > 0 sets torch's thread count for the process. Raises ModelRefused, saying why, for anything that is
        not plain, complete and finite.
        """
        plain.check(path)
        if threads > 0:
            torch.set_num_threads(threads)
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        model = _load_model(path)
        tokenizer, pad_id, types = _load_tokenizer(path, max_length)
        embeddings = model.get_input_embeddings().num_embeddings
        if tokenizer.get_vocab_size() > embeddings:
            raise ModelRefused(f"wrong vocabulary: {tokenizer.get_vocab_size()} tokens for {embeddings} embeddings")
        positions = getattr(model.config, "max_position_embeddings", None)
        if positions is not None and max_length > positions:
            raise ModelRefused(f"max_length {max_length} is more than the model's {positions} positions")
        return cls(model, tokenizer, max_length=max_length, pad_id=pad_id, types=types)

    def score(self, query: str, texts: Sequence[str]) -> Logits:
        """``rerank_score`` of each text for the query: shape ``(n,)``, raw logits."""
        return self.score_pairs([(query, text) for text in texts])

    def score_pairs(self, pairs: Sequence[tuple[str, str]]) -> Logits:
        """Raw logits of (query, passage) pairs: shape ``(n,)``."""
        scores = np.empty(len(pairs), dtype=np.float32)
        if not pairs:
            return scores
        encodings = self._tokenizer.encode_batch(list(pairs))
        by_length = sorted(range(len(pairs)), key=lambda i: len(encodings[i].ids))
        with torch.inference_mode():
            for start in range(0, len(by_length), MICRO_BATCH):
                batch = by_length[start : start + MICRO_BATCH]
                logits = self._model(**self._tensors([encodings[i] for i in batch])).logits
                scores[batch] = logits.squeeze(-1).numpy()
        return scores

    def _tensors(self, encodings: Sequence[Encoding]) -> dict[str, torch.Tensor]:
        longest = max(len(encoding.ids) for encoding in encodings)
        ids = torch.full((len(encodings), longest), self._pad_id, dtype=torch.long)
        mask = torch.zeros_like(ids)
        types = torch.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            length = len(encoding.ids)
            ids[row, :length] = torch.tensor(encoding.ids)
            mask[row, :length] = 1
            types[row, :length] = torch.tensor(encoding.type_ids)
        tensors = {"input_ids": ids, "attention_mask": mask}
        return {**tensors, "token_type_ids": types} if self._types else tensors


def reference_scores(path: Path, pairs: Sequence[tuple[str, str]]) -> Logits:
    """The same logits by plain sentence-transformers, as anyone who loads the directory gets them."""
    from sentence_transformers import CrossEncoder  # slow to import, and only a check needs it

    try:
        model = CrossEncoder(str(path), device="cpu", local_files_only=True)
        scores = model.predict(list(pairs), activation_fn=torch.nn.Identity(), show_progress_bar=False)
    except _LOADING_ERRORS as error:
        raise ModelRefused(f"plain CrossEncoder cannot load it: {_first_line(error)}") from error
    return np.asarray(scores, dtype=np.float32)


def _load_model(path: Path) -> Any:
    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        if config.num_labels != 1:
            raise ModelRefused(f"config.json: a reranker has one label, this model has {config.num_labels}")
        model, report = AutoModelForSequenceClassification.from_pretrained(
            path,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except _LOADING_ERRORS as error:
        raise ModelRefused(f"the weights cannot be loaded: {_first_line(error)}") from error
    for kind in ("missing", "unexpected", "mismatched"):
        keys = sorted(str(key) for key in report.get(f"{kind}_keys") or ())
        if keys:
            raise ModelRefused(f"{len(keys)} {kind} weights in model.safetensors: {', '.join(keys[:3])}")
    for name, weight in model.named_parameters():
        if not bool(torch.isfinite(weight).all()):
            raise ModelRefused(f"weights are not finite: {name}")
    return model.eval()


def _load_tokenizer(path: Path, max_length: int) -> tuple[Tokenizer, int, bool]:
    """A copy of our own: truncation is state on the tokenizer, and the library changes it on every call."""
    try:
        loaded = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        tokenizer = Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    except _LOADING_ERRORS as error:
        raise ModelRefused(f"the tokenizer cannot be loaded: {_first_line(error)}") from error
    if loaded.pad_token_id is None:
        raise ModelRefused("the tokenizer has no padding token")
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    tokenizer.no_padding()
    return tokenizer, loaded.pad_token_id, "token_type_ids" in loaded.model_input_names


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
