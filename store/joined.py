"""Several encoders as one: their vectors side by side, so that the cosine is the mean of their cosines.

Two encoders err on different questions; together they find more than the better one alone (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from store.sentences import Sentences


class Joined(nn.Module):
    """What ``Encoder`` needs of one ``Sentences``, of several. Inputs carry their part's number: ``0.input_ids``."""

    default_prompt_name: str | None = None

    def __init__(self, parts: Sequence[Sentences]) -> None:
        super().__init__()
        self.prompts: dict[str, str] = {}
        self.parts = nn.ModuleList(parts)

    def get_embedding_dimension(self) -> int:
        return sum(part.get_embedding_dimension() for part in self._parts)

    def preprocess(self, texts: list[str], prompt: str | None = None) -> dict[str, Tensor]:
        """Each part's own tokens of the texts."""
        return {
            f"{number}.{name}": value
            for number, part in enumerate(self._parts)
            for name, value in part.preprocess(texts, prompt).items()
        }

    def lengths(self, texts: list[str]) -> list[int]:
        """Tokens of each text for the part that reads most of it."""
        return [max(each) for each in zip(*(part.lengths(texts) for part in self._parts), strict=True)]

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Adds ``sentence_embedding`` ``(n, d)`` of length 1: the parts', of length 1 each, over sqrt(parts)."""
        made = [part(_own(features, number))["sentence_embedding"] for number, part in enumerate(self._parts)]
        return {**features, "sentence_embedding": torch.cat(made, dim=1) / len(made) ** 0.5}

    @property
    def _parts(self) -> list[Sentences]:
        return [part for part in self.parts if isinstance(part, Sentences)]


def _own(features: dict[str, Any], number: int) -> dict[str, Any]:
    start = f"{number}."
    return {name.removeprefix(start): value for name, value in features.items() if name.startswith(start)}
