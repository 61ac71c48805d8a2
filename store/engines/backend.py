"""What an engine has to do, whatever computes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from store.scorer import Inputs, Logits


class Backend(Protocol):
    """A network somewhere. Safe to share between threads."""

    def outputs(self, batches: Iterable[tuple[list[int], Inputs]], shape: tuple[int, ...]) -> Logits:
        """The network's outputs by place, ``shape`` in all. Raises ModelRefused where it fails or gives no number."""
        ...
