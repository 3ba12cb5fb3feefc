"""Heat map quality: cases with known answers, and SciPy and scikit-image as oracles."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from labs import heat_map_quality as quality

MASK = np.zeros((28, 28), bool)
MASK[4:12, 8:22] = True
BOX = np.array([8.0, 4.0, 22.0, 12.0])
AREA = MASK.mean()


def test_the_mask_itself_is_the_best_map():
    best = quality.agreement(MASK.astype(float), MASK, BOX)
    assert best.pointed and best.energy == 1.0 and best.box_iou == best.best_iou == 1.0
    assert best.energy_over_area == pytest.approx(1 / AREA)


def test_its_opposite_is_the_worst():
    worst = quality.agreement(1.0 - MASK, MASK, BOX)
    assert not worst.pointed and worst.energy == 0.0 and worst.energy_over_area == 0.0
    assert worst.box_iou == pytest.approx(AREA)  # the box around all that is not the thing is the whole picture


def test_a_constant_map_is_at_chance():
    flat = quality.agreement(np.full((28, 28), 3.0), MASK, BOX)
    assert flat.energy_over_area == pytest.approx(1.0)
    assert not flat.pointed, "its first maximum is the upper left corner"


@pytest.mark.parametrize("heat", [np.zeros((28, 28)), np.full((28, 28), -1.0)])
def test_no_positive_evidence(heat):
    nothing = quality.agreement(heat, MASK, BOX)
    assert not nothing.pointed and math.isnan(nothing.energy) and math.isnan(nothing.energy_over_area)
    assert nothing.box_iou == nothing.best_iou == 0.0
    assert not quality.points_at(heat, np.ones_like(MASK))


def test_negative_evidence_is_no_energy():
    heat = np.where(MASK, 2.0, -5.0)
    assert quality.energy_share(heat, MASK) == 1.0
    assert math.isnan(quality.energy_over_area(heat, np.zeros_like(MASK)))


def brightness(batch: torch.Tensor) -> torch.Tensor:
    return batch.mean((1, 2, 3))


def test_curves_of_a_score_that_is_the_mean_brightness():
    """Each pixel counts the same: with a map that is the picture, deletion falls along a known parabola."""
    values = torch.arange(16, dtype=torch.float32).view(4, 4) / 16
    image = values.expand(3, 4, 4)
    out = quality.deletion(brightness, image, values, torch.zeros(3, 1, 1), steps=16)
    kept = [float(sum(range(16 - k)) / 256) for k in range(17)]
    assert out.scores == pytest.approx(kept) and out.shares == pytest.approx(np.arange(17) / 16)
    assert out.area == pytest.approx(np.trapezoid(kept, dx=1 / 16))
    back = quality.insertion(brightness, image, values, torch.zeros(3, 1, 1), steps=16)
    assert back.scores == pytest.approx([kept[0] - value for value in kept])
    assert back.area + out.area == pytest.approx(kept[0])
    reverse = quality.deletion(brightness, image, -values, torch.zeros(3, 1, 1), steps=16)
    assert reverse.area > out.area, "the worse map has the larger area"
    assert torch.equal(out.middle.ravel()[:8], image.ravel()[:8]) and not out.middle[0].ravel()[8:].any()


def test_steps_that_do_not_divide_the_pixels_are_rounded():
    """16 pixels in three steps: 5⅓ and 10⅔ are 5 and 11."""
    values = torch.arange(16, dtype=torch.float32).view(4, 4)
    out = quality.deletion(brightness, torch.ones(3, 4, 4), values, torch.zeros(3, 1, 1), steps=3)
    assert out.shares.tolist() == [0, 5 / 16, 11 / 16, 1]
    assert out.scores.tolist() == [1, 11 / 16, 5 / 16, 0]
    assert out.area == pytest.approx(0.5 * (5 * (1 + 11 / 16) + 6 * (11 / 16 + 5 / 16) + 5 * 5 / 16) / 16)


def test_insertion_starts_from_the_blurred_picture_and_ends_with_the_picture():
    image, seen = torch.rand(3, 30, 30), []

    def score(batch):
        seen.append(batch)
        return torch.zeros(len(batch))

    quality.insertion(score, image, torch.rand(30, 30), steps=4)
    (batch,) = seen
    assert batch.shape == (5, 3, 30, 30)
    assert torch.equal(batch[-1], image) and torch.equal(batch[0], quality.blurred(image))
    assert batch[0].std() < 0.3 * image.std() and abs(batch[0].mean() - image.mean()) < 0.02
    changed = [(picture != batch[0]).any(0).float().mean().item() for picture in batch]
    assert changed == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])


def test_sobel_finds_edges_and_random_is_random():
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, 20:] = 255
    edges = quality.sobel_map(image)
    assert edges[:, 19:21].min() > 0 and not edges[:, :18].any() and not edges[:, 22:].any()
    noise = quality.random_map(40, 30, seed=1)
    assert noise.shape == (40, 30) and noise.min() >= 0 and noise.max() <= 1
    assert torch.equal(noise, quality.random_map(40, 30, seed=1))
    assert not torch.equal(noise, quality.random_map(40, 30, seed=2))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999))
def test_rank_correlation_is_scipys(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 5, (6, 7)).astype(float), rng.normal(size=(6, 7))
    assert quality.rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)


def test_similarity_ignores_scale_and_finds_no_structure_in_noise():
    heat = torch.from_numpy(np.add.outer(np.arange(28.0), np.arange(28.0) ** 1.5))
    assert quality.similarity(heat, 7 * heat - 3) == pytest.approx(1.0)
    assert quality.rank_correlation(heat, -heat) == pytest.approx(-1.0)
    assert quality.similarity(heat, quality.random_map(28, 28, cells=28)) < 0.3
    assert math.isnan(quality.similarity(heat, torch.ones(28, 28)))
    assert math.isnan(quality.rank_correlation(heat, torch.ones(28, 28)))


def test_refusals(unchecked):
    with pytest.raises(ValueError, match="one size"):
        quality.points_at(np.zeros((3, 3)), np.zeros((3, 4), bool))
    with pytest.raises(ValueError, match="do not fit"):
        quality.deletion(brightness, torch.zeros(3, 4, 4), torch.zeros(5, 4), torch.zeros(3, 1, 1))
    with pytest.raises(ValueError, match="1 to 16 parts"):
        quality.insertion(brightness, torch.zeros(3, 4, 4), torch.zeros(4, 4), steps=17)


@pytest.mark.parametrize(("steps", "shares"), [(1, [0, 1]), (2, [0, 0.5, 1]), (4, [0, 0.25, 0.5, 0.75, 1])])
def test_a_curve_has_one_part_to_as_many_as_there_are_pixels(steps, shares):
    image, heat = torch.ones(3, 2, 2), torch.tensor([[4.0, 3.0], [2.0, 1.0]])
    curve = quality.deletion(brightness, image, heat, torch.zeros(3, 1, 1), steps)
    assert curve.shares.tolist() == shares and curve.scores.tolist() == pytest.approx([1 - s for s in shares])
    for wrong in (0, -1, 5):
        with pytest.raises(ValueError, match="1 to 4 parts"):
            quality.deletion(brightness, image, heat, torch.zeros(3, 1, 1), wrong)
