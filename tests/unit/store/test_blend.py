import numpy as np
import pytest

from store.blend import Fused, final_scores, first_stage, fuse, normalise_lexical, order
from store.types import Blend


def test_lexical_scores_are_divided_by_the_best() -> None:
    assert normalise_lexical([8.0, 2.0, 0.0]) == [8 / 8, 2 / 8, 0.0]
    assert normalise_lexical([0.0, 0.0]) == [0.0, 0.0]
    assert normalise_lexical([]) == []


def test_fuse_adds_weighted_lexical_and_keeps_the_best() -> None:
    fused = fuse([(1, 0.5), (2, 0.4), (3, 0.1)], [(2, 6.0), (3, 3.0)], lexical_weight=0.2, depth=2)
    assert fused == [Fused(2, 0.4, 1.0, 0.4 + 0.2 * 1.0), Fused(1, 0.5, 0.0, 0.5)]


def test_ties_are_broken_by_id_whatever_the_order_given() -> None:
    assert [c.chunk_id for c in fuse([(9, 0.5), (3, 0.5), (5, 0.5)], [], 0.1, 10)] == [3, 5, 9]


def test_a_lexical_hit_without_a_dense_score_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"\[4\]"):
        fuse([(1, 0.5)], [(4, 1.0)], 0.1, 10)


def test_first_stage_blend_reproduces_the_fused_score() -> None:
    fused = fuse([(1, 0.5), (2, 0.4)], [(2, 6.0)], lexical_weight=0.3, depth=5)
    final = final_scores(first_stage(0.3), [c.dense_score for c in fused], [c.lexical_score for c in fused], None)
    assert final.tolist() == [c.fused_score for c in fused]


def test_final_scores_are_the_linear_form() -> None:
    rerank = np.array([2.0, -1.0], dtype=np.float32)
    final = final_scores(Blend(dense=1.0, lexical=0.5, rerank=0.25), [0.3, 0.2], [1.0, 0.0], rerank)
    assert final == pytest.approx([0.3 + 0.5 + 0.25 * 2, 0.2 - 0.25])


def test_a_blend_that_weighs_rerank_needs_its_scores() -> None:
    with pytest.raises(ValueError, match="rerank"):
        final_scores(Blend(rerank=0.5), [0.3], [0.0], None)


def test_scores_of_different_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="lengths"):
        final_scores(Blend(lexical=1.0), [0.1, 0.2, 0.3], [0.1], None)
    with pytest.raises(ValueError, match="lengths"):
        final_scores(Blend(rerank=1.0), [0.1, 0.2], [0.1, 0.2], [0.5])


def test_order_is_best_first_and_ties_keep_first_stage_rank() -> None:
    assert order([0.1, 0.9, 0.1, 0.9], [4, 3, 1, 2]) == [3, 1, 2, 0]
