"""Gradients of embedding tables, once a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def one_table_a_step(model: nn.Module) -> Iterator[None]:
    """Embedding tables get their gradient once a step, not one of the whole table from every micro-batch.

    The gradient is the same: each micro-batch tells of the rows that it used, and the optimizer sees their sum.
    """
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding) and not module.sparse]
    hooks = [table.weight.register_post_accumulate_grad_hook(_as_table) for table in tables]  # type: ignore[no-untyped-call]
    for table in tables:
        table.sparse = True
    try:
        yield
    finally:
        for table, hook in zip(tables, hooks, strict=True):
            table.sparse = False
            hook.remove()


def _as_table(weight: torch.Tensor) -> None:
    if weight.grad is not None and weight.grad.is_sparse:
        weight.grad = weight.grad.coalesce().to_dense()
