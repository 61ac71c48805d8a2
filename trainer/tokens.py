"""Pairs tokenised once, before the first step, and padded no further than their micro-batch needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from sentence_transformers import CrossEncoder
from torch import Tensor

Text = tuple[str, str]
WINDOW = 256
"""Pairs tokenised together; nothing of that reaches the model's batches."""


class Tokens:
    """What the model takes of each pair, as its own ``preprocess`` makes it, without padding."""

    def __init__(self, model: CrossEncoder, pairs: Iterable[Text]) -> None:
        self._side = str(model.tokenizer.padding_side)
        self._padding = {"input_ids": int(model.tokenizer.pad_token_id or 0)}
        self._rows: dict[Text, dict[str, Tensor]] = {}
        self._others: dict[str, Any] = {}
        distinct = sorted(dict.fromkeys(pairs), key=lambda pair: len(pair[0]) + len(pair[1]))
        for start in range(0, len(distinct), WINDOW):
            self._read(model, distinct[start : start + WINDOW])

    def length(self, pair: Text) -> int:
        """Tokens of the pair as the model sees it."""
        return len(self._rows[pair]["input_ids"])

    def batch(self, pairs: Sequence[Text]) -> dict[str, Any]:
        """Inputs ``(n, longest of these)`` of pairs that were tokenised at the beginning."""
        rows = [self._rows[pair] for pair in pairs]
        padded = {
            name: torch.nn.utils.rnn.pad_sequence(
                [row[name] for row in rows],
                batch_first=True,
                padding_value=self._padding.get(name, 0),
                padding_side=self._side,
            )
            for name in rows[0]
        }
        return {**padded, **self._others}

    def _read(self, model: CrossEncoder, window: list[Text]) -> None:
        made = model.preprocess(list(window))
        real = made["attention_mask"].bool()
        tensors = {name: value for name, value in made.items() if isinstance(value, Tensor)}
        self._others = {name: value for name, value in made.items() if name not in tensors}
        for at, pair in enumerate(window):
            self._rows[pair] = {name: value[at, real[at]] for name, value in tensors.items()}
