"""The losses against their formulas, against the library, and against a weight of nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from torch import Tensor

from tests import tiny
from trainer.collate import Row, RowCollator
from trainer.loss import Batch, ListwiseLoss, RowLoss, WeightedBinaryCrossEntropyLoss


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> CrossEncoder:
    path = tiny.cross_encoder(tmp_path_factory.mktemp("model") / "tiny", max_length=64)
    made: CrossEncoder = CrossEncoder(str(path), device="cpu")
    made.eval()
    return made


def batch(
    logits: Sequence[float],
    labels: Sequence[float],
    weights: Sequence[float],
    priors: Sequence[float],
    groups: Sequence[int],
) -> Batch:
    return Batch(
        torch.tensor(logits, requires_grad=True),
        torch.tensor(labels),
        torch.tensor(weights),
        torch.tensor(priors),
        torch.tensor(groups),
    )


def test_listwise_equals_softmax_cross_entropy_with_the_prior_inside(model: CrossEncoder) -> None:
    logits, priors = [0.3, -1.0, 2.0, 0.5, 0.1], [1.0, 2.0, 0.0, 0.5, 0.5]
    cost = ListwiseLoss(model).cost(batch(logits, [1.0, 0, 0, 0, 1.0], [1.0] * 5, priors, [0, 0, 0, 1, 1]))
    final = torch.tensor(logits) + torch.tensor(priors)
    expected = (-torch.log_softmax(final[:3], 0)[0] - torch.log_softmax(final[3:], 0)[1]) / 2
    assert cost.item() == pytest.approx(expected.item(), abs=1e-6)


def test_listwise_weighs_members_as_its_formula_says(model: CrossEncoder) -> None:
    final = torch.tensor([0.2, 1.1, -0.4, 0.7])
    weights, labels = [0.5, 0.25, 0.75, 2.0], [1.0, 0.0, 0.0, 1.0]
    cost = ListwiseLoss(model).cost(batch(final.tolist(), labels, weights, [0.0] * 4, [0] * 4))
    negative = 0.25 * final[1].exp() + 0.75 * final[2].exp()
    expected = 0.5 * ((final[0].exp() + negative).log() - final[0]) + 2.0 * (
        (final[3].exp() + negative).log() - final[3]
    )
    assert cost.item() == pytest.approx(expected.item(), abs=1e-6)


def test_bce_is_the_weighted_mean_of_the_library_s_formula(model: CrossEncoder) -> None:
    logits, labels, weights = [0.3, -2.0, 1.5], [1.0, 0.0, 0.0], [2.0, 0.5, 0.5]
    cost = WeightedBinaryCrossEntropyLoss(model).cost(batch(logits, labels, weights, [9.0] * 3, [0, 1, 2]))
    each = torch.nn.functional.softplus(torch.tensor([-0.3, -2.0, 1.5]))
    assert cost.item() == pytest.approx(((torch.tensor(weights) * each).sum() / 3).item(), abs=1e-6)


@pytest.mark.parametrize("loss", [WeightedBinaryCrossEntropyLoss, ListwiseLoss])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_weight_0_changes_neither_loss_nor_gradient(
    model: CrossEncoder, loss: Callable[[CrossEncoder], RowLoss], label: float
) -> None:
    without = batch([0.3, -1.0], [1.0, 0.0], [1.0, 0.5], [0.1, 0.2], [0, 0])
    with_it = batch([0.3, -1.0, 50.0], [1.0, 0.0, label], [1.0, 0.5, 0.0], [0.1, 0.2, 5.0], [0, 0, 0])
    first, second = loss(model).cost(without), loss(model).cost(with_it)
    assert first.item() == pytest.approx(second.item(), abs=1e-7)
    torch.autograd.backward([first, second])
    assert without.logits.grad is not None
    assert with_it.logits.grad is not None
    assert with_it.logits.grad.tolist() == pytest.approx([*without.logits.grad.tolist(), 0.0], abs=1e-7)


def test_a_list_without_rivals_costs_nothing(model: CrossEncoder) -> None:
    cost = ListwiseLoss(model).cost(batch([0.3], [1.0], [1.0], [0.0], [0]))
    assert cost.item() == pytest.approx(0.0, abs=1e-7)


ROWS = [
    Row("how to read a file", ("def read(path): return path",), (1.0,), (1.0,), (3.0,)),
    Row("sort a list", ("def close(): pass " * 20,), (0.0,), (1.0,), (1.0,)),
    Row("parse json", ("import json",), (1.0,), (1.0,), (0.0,)),
]


def collated(model: CrossEncoder, rows: Sequence[Row]) -> tuple[list[object], Tensor]:
    made = RowCollator(model, rows)([row.as_json() for row in rows])
    labels = made.pop("label")
    return list(made.values()), labels


def test_the_seed_recipe_s_loss_is_the_library_s_on_equal_weights(model: CrossEncoder) -> None:
    features, labels = collated(model, ROWS)
    ours = WeightedBinaryCrossEntropyLoss(model)(features, labels)
    texts = [[row.query for row in ROWS], [row.passages[0] for row in ROWS]]
    theirs = BinaryCrossEntropyLoss(model)(texts, labels)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-5)


def test_logits_come_back_in_the_order_of_the_rows(model: CrossEncoder) -> None:
    row = Row("query", tuple("a " * (40 - number) for number in range(40)), (1.0,) * 40, (1.0,) * 40, (0.0,) * 40)
    (micro, places, *_), _ = collated(model, [row])
    assert isinstance(micro, list)
    assert isinstance(places, Tensor)
    assert len(micro) > 1
    assert micro[0]["input_ids"].shape[1] < micro[-1]["input_ids"].shape[1], "short ones are not padded to the longest"
    with torch.no_grad():
        got = ListwiseLoss(model).logits(micro, places)
    plain = model.predict([(row.query, text) for text in row.passages], activation_fn=torch.nn.Identity())
    assert got.tolist() == pytest.approx(plain.tolist(), abs=1e-5)
