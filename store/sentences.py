"""A sentence encoder of the plain form (transformer, mean pooling, normalisation) by transformers alone.

sentence-transformers computes the same, but importing it brings scikit-learn, pandas and pyarrow along: 150 MB and
seconds that a server has no use for. Other forms are its business (see ``store.encoder``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from store.json_files import read_json

_TRANSFORMER, _POOLING, _NORMALIZE = "Transformer", "Pooling", "Normalize"


def is_plain(path: Path) -> bool:
    """Whether the directory is of the plain form, judged by its files; whatever is unusual is not."""
    if not (path / "modules.json").is_file():
        return False
    modules = [(one.get("path"), str(one.get("type")).rsplit(".", 1)[-1]) for one in read_json(path / "modules.json")]
    if modules[:2] != [("", _TRANSFORMER), ("1_Pooling", _POOLING)] or [kind for _, kind in modules[2:]] != [
        _NORMALIZE
    ]:
        return False
    return _mean(path) and _usual(path)


class Sentences(nn.Module):
    """What ``Encoder`` needs of a ``SentenceTransformer``, under the same names."""

    default_prompt_name: str | None = None

    def __init__(self, path: Path) -> None:
        """Raises OSError or ValueError where transformers can't load it."""
        super().__init__()
        self.prompts: dict[str, str] = {}
        self.transformer = AutoModel.from_pretrained(
            path, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
        self._tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        limit = read_json(path / "sentence_bert_config.json").get("max_seq_length")
        self._longest = limit or self.transformer.config.max_position_embeddings

    def get_embedding_dimension(self) -> int:
        return int(self.transformer.config.hidden_size)

    def preprocess(self, texts: list[str], prompt: str | None = None) -> dict[str, Tensor]:
        """Right-padded tokens of the texts."""
        if prompt:
            texts = [prompt + text for text in texts]
        made = self._tokenizer(
            texts, padding=True, truncation="longest_first", max_length=self._longest, return_tensors="pt"
        )
        return dict(made)

    def lengths(self, texts: list[str]) -> list[int]:
        """How many tokens each text has after the cut."""
        made = self._tokenizer(texts, truncation="longest_first", max_length=self._longest, return_attention_mask=False)
        return [len(tokens) for tokens in made["input_ids"]]

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Adds ``sentence_embedding`` ``(n, d)``: the mean of the last hidden states, of length 1."""
        states = self.transformer(**features).last_hidden_state
        real = features["attention_mask"].unsqueeze(-1).to(states.dtype)
        mean = (states * real).sum(dim=1) / real.sum(dim=1).clamp(min=1e-9)
        return {**features, "sentence_embedding": nn.functional.normalize(mean, dim=1)}


def _mean(path: Path) -> bool:
    """Mean pooling, as old and new releases of the library write it."""
    pooling = read_json(path / "1_Pooling" / "config.json")
    if "pooling_mode" in pooling:
        return pooling["pooling_mode"] in ("mean", ["mean"]) and pooling.get("include_prompt", True) is True
    chosen = [name for name, value in pooling.items() if name.startswith("pooling_mode_") and value]
    return chosen == ["pooling_mode_mean_tokens"]


def _usual(path: Path) -> bool:
    """No prompts, no lower-casing of its own, a plain right-padding text transformer."""
    about = path / "config_sentence_transformers.json"
    settings = read_json(about) if about.is_file() else {}
    own = read_json(path / "sentence_bert_config.json") if (path / "sentence_bert_config.json").is_file() else None
    if own is None or own.get("do_lower_case") or set(own) - _KNOWN:
        return False
    return not any((settings.get("prompts") or {}).values()) and not settings.get("default_prompt_name")


_KNOWN = {"max_seq_length", "do_lower_case"}
