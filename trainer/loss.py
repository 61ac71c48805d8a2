"""Losses that know judgment weights and the first-stage prior. Each takes what ``RowCollator`` hands over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from sentence_transformers import CrossEncoder
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Batch:
    """What a loss sees of a batch: each ``(n,)``, n counting passages."""

    logits: Tensor
    labels: Tensor
    weights: Tensor
    priors: Tensor
    groups: Tensor
    """The row that each passage belongs to."""


class RowLoss(nn.Module, ABC):
    """Runs the model over the micro-batches; subclasses say what the logits cost."""

    def __init__(self, model: CrossEncoder, bf16: bool = False) -> None:
        super().__init__()
        if model.num_labels != 1:
            raise ValueError(f"{type(self).__name__} expects a model with 1 output label, got {model.num_labels}")
        self.model = model
        self.bf16 = bf16

    def forward(self, features: list[Any], labels: Tensor, **_: Any) -> Tensor:
        """``features`` are the collator's columns in order; the trainer's prompt and task are not used."""
        micro_batches, places, weights, priors, groups = features
        return self.cost(Batch(self.logits(micro_batches, places), labels, weights, priors, groups))

    def logits(self, micro_batches: list[dict[str, Any]], places: Tensor) -> Tensor:
        """Logits (n,) in batch order."""
        with torch.autocast(places.device.type, torch.bfloat16, enabled=self.bf16):
            parts = [self.model(dict(inputs))["scores"].float().view(-1) for inputs in micro_batches]
        return torch.cat(parts)[places]

    @abstractmethod
    def cost(self, batch: Batch) -> Tensor:
        """The loss of a batch, a scalar."""


class WeightedBinaryCrossEntropyLoss(RowLoss):
    """Binary cross-entropy of each pair times its weight, over the number of pairs that have one.

    ``sum_i w_i * bce(logit_i, label_i) / #{i: w_i > 0}``; with equal weights of 1 it is the library's
    ``BinaryCrossEntropyLoss``, and a pair of weight 0 changes nothing. The prior stays outside.
    """

    def cost(self, batch: Batch) -> Tensor:
        each = functional.binary_cross_entropy_with_logits(batch.logits, batch.labels, reduction="none")
        return (batch.weights * each).sum() / (batch.weights > 0).sum().clamp(min=1)


class ListwiseLoss(RowLoss):
    """Softmax cross-entropy over each query's list, with the first-stage prior inside and weighted members.

    With ``f_i = logit_i + prior_i``, positive mass ``a_i = w_i * y_i`` and negative mass ``b_i = w_i * (1 - y_i)``::

        loss = sum_i a_i * (log(exp f_i + sum_{j != i} b_j * exp f_j) - f_i) / (number of lists with a positive)

    For labels 0 and 1, weights 1 and one positive this is the softmax cross-entropy of ListNet (Cao et al., 2007).
    Positives of one list do not compete; a member of weight 0 changes nothing; with a zero logit the model ranks as
    the prior does, so only the correction is learned.
    """

    def cost(self, batch: Batch) -> Tensor:
        final = batch.logits + batch.priors
        negative = final + torch.log(batch.weights * (1 - batch.labels))  # log of a mass of 0 is -inf: out of the sum
        mass = batch.weights * batch.labels
        own = torch.eye(len(final), dtype=torch.bool, device=final.device)
        rivals = (batch.groups[:, None] == batch.groups[None, :]) & ~own
        table = torch.where(own, final.expand_as(own), torch.where(rivals, negative.expand_as(own), -torch.inf))
        each = torch.logsumexp(table, dim=1) - final
        lists = len(set(batch.groups[mass > 0].tolist()))
        return torch.sum(mass * each) / max(lists, 1)
