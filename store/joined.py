"""Several encoders as one: their vectors side by side, so that the cosine is the mean of their cosines.

Two encoders err on different questions; together they find more than the better one alone (docs/LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor, nn

from store.sentences import Sentences

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Part: TypeAlias = "Sentences | SentenceTransformer"


class Joined(nn.Module):
    """What ``Encoder`` needs of one model, of several. Inputs carry their part's number: ``0.input_ids``."""

    default_prompt_name: str | None = None

    def __init__(self, parts: Sequence[Part]) -> None:
        """Raises ValueError for a part that does not say how long its vectors are."""
        super().__init__()
        self.prompts: dict[str, str] = {}
        self.steps = nn.ModuleList(parts)
        self._parts = tuple(parts)
        dimensions = [part.get_embedding_dimension() for part in parts]
        if None in dimensions:
            raise ValueError("a part does not say how long its vectors are")
        self.dimensions = tuple(one for one in dimensions if one is not None)
        """Of each part, in order."""

    def get_embedding_dimension(self) -> int:
        return sum(self.dimensions)

    def preprocess(self, texts: list[str], prompt: str | None = None) -> dict[str, Any]:
        """Each part's own tokens of the texts, behind its own prompt."""
        return {
            f"{number}.{name}": value
            for number, part in enumerate(self._parts)
            for name, value in part.preprocess(texts, prompt=prompt or _prompt(part)).items()
        }

    def lengths(self, texts: list[str]) -> list[int]:
        """Tokens of each text for the part that reads most of it; characters where a part does not tell."""
        told = [_lengths(part, texts) for part in self._parts]
        return [max(each) for each in zip(*told, strict=True)]

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Adds ``sentence_embedding`` ``(n, d)`` of length 1: the parts', of length 1 each, over sqrt(parts)."""
        made = [_normalised(part(_own(features, number))) for number, part in enumerate(self._parts)]
        return {**features, "sentence_embedding": torch.cat(made, dim=1) / len(made) ** 0.5}


def _prompt(part: Part) -> str | None:
    name = part.default_prompt_name
    return part.prompts.get(name) if name else None


def _lengths(part: Part, texts: list[str]) -> list[int]:
    return part.lengths(texts) if isinstance(part, Sentences) else [len(text) for text in texts]


def _own(features: dict[str, Any], number: int) -> dict[str, Any]:
    start = f"{number}."
    return {name.removeprefix(start): value for name, value in features.items() if name.startswith(start)}


def _normalised(features: dict[str, Any]) -> Tensor:
    return nn.functional.normalize(features["sentence_embedding"], dim=1)
