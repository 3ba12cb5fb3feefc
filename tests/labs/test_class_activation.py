"""Class activation maps: against a network of torch's own layers, and against autograd."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import class_activation as cam


def draw(channels: int, height: int, width: int, seed: int = 0, classes: int = 4):
    generator = torch.Generator().manual_seed(seed)
    features = torch.rand(channels, height, width, generator=generator, dtype=torch.float64)
    return features, torch.randn(classes, channels, generator=generator, dtype=torch.float64)


sides = st.integers(1, 6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), sides, sides, st.integers(0, 99))
def test_the_score_is_the_mean_of_the_map_and_the_lectures_score_its_sum(channels, height, width, seed):
    features, weights = draw(channels, height, width, seed)
    maps = cam.class_activation_map(features, weights)
    assert maps.shape == (4, height, width)
    assert torch.allclose(maps.mean((1, 2)), cam.class_scores(features, weights))
    assert torch.allclose(maps.sum((1, 2)), cam.class_scores(features, weights, "sum"))


@pytest.mark.parametrize("pooling, layer", [("mean", F.adaptive_avg_pool2d), ("max", F.adaptive_max_pool2d)])
def test_scores_are_those_of_a_pooling_and_a_linear_layer(pooling, layer):
    features, weights = draw(5, 3, 4)
    expected = F.linear(layer(features[None], 1).flatten(1), weights)[0]
    assert torch.allclose(cam.class_scores(features, weights, pooling), expected)


def test_arithmetic_by_hand():
    features = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 8.0], [0.0, 0.0]]])
    weights = torch.tensor([2.0, -1.0])
    assert cam.class_activation_map(features, weights).tolist() == [[2.0, -4.0], [6.0, 8.0]]
    assert cam.weighted_maps(features, weights).tolist() == [[[2.0, 4.0], [6.0, 8.0]], [[0.0, -8.0], [0.0, 0.0]]]
    assert cam.class_scores(features, weights).item() == 3.0
    assert cam.class_scores(features, weights, "sum").item() == 12.0
    assert cam.class_scores(features, weights, "max").item() == 0.0


def test_max_pooling_scores_less_than_its_map_shows():
    features, weights = draw(6, 4, 4, seed=3)
    shown, scored = cam.class_activation_map(features, weights[0]), cam.max_pooling_map(features, weights[0])
    assert torch.allclose(scored.sum(), cam.class_scores(features, weights[0], "max"))
    assert not torch.allclose(shown.sum(), scored.sum())
    assert (scored != 0).sum() <= 6


def test_winning_cells_hold_the_maxima_and_ties_go_to_the_first():
    features, _ = draw(7, 3, 5, seed=1)
    cells = cam.winning_cells(features)
    assert torch.equal(features[torch.arange(7), cells[:, 0], cells[:, 1]], features.amax((1, 2)))
    assert cam.winning_cells(torch.ones(1, 2, 2)).tolist() == [[0, 0]]


def test_top_contributions_are_the_largest_and_all_add_up():
    features, weights = draw(8, 3, 3, seed=2)
    everything = cam.top_contributions(features, weights[1], 99)
    assert len(everything) == 8
    assert sum(part.score for part in everything) == pytest.approx(cam.class_scores(features, weights[1]).item())
    sizes = [abs(part.score) for part in everything]
    assert sizes == sorted(sizes, reverse=True)
    top = cam.top_contributions(features, weights[1], 2)
    assert top == everything[:2]
    assert top[0].weight == weights[1, top[0].channel] and top[0].score == pytest.approx(top[0].weight * top[0].pooled)


def test_grad_cam_is_cam_over_the_number_of_cells():
    """FACTS: Grad-CAM on a GAP + linear net equals CAM / (H·W) before the ReLU; here by autograd."""
    features, weights = draw(5, 7, 3, seed=4)
    features.requires_grad_()
    score = cam.class_scores(features, weights[2])
    (slope,) = torch.autograd.grad(score, features)
    alpha = slope.mean((1, 2))
    expected = (alpha[:, None, None] * features).sum(0)
    assert torch.allclose(cam.grad_cam_of_linear_head(features, weights[2]), expected)


def test_refusals(unchecked):
    features, weights = draw(5, 2, 2)
    with pytest.raises(ValueError, match="need C weights"):
        cam.class_activation_map(features, weights[:, :4])
    with pytest.raises(ValueError, match="no pooling 'median'"):
        cam.class_scores(features, weights, "median")
