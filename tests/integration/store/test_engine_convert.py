"""What OpenVINO cannot take over is a reason to stay with torch, never an error of its own kind."""

from __future__ import annotations

import pytest
import torch

from store.engines.convert import convert
from store.errors import ModelRefused


class Unknown(torch.nn.Module):
    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.special.bessel_j0(tokens.float())
        return found.sum(dim=1)


def test_an_operation_that_it_lacks_is_a_refusal() -> None:
    with pytest.raises(ModelRefused, match="cannot take over"):
        convert(Unknown(), ("tokens",))
