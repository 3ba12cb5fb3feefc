"""Saliency: the sums by hand, and what does not depend on how many copies or steps there are."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from labs import saliency


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_largest_channel_counts_whatever_its_sign():
    gradient = torch.tensor([[[1.0, -4.0]], [[-3.0, 2.0]], [[2.0, 0.0]]])
    assert saliency.largest_magnitude(gradient).tolist() == [[3.0, 4.0]]
    assert saliency.largest_magnitude(gradient[None]).shape == (1, 1, 2)


@given(seed=some.integers(0, 99), count=some.integers(1, 12))
def test_the_mean_copy_by_copy_is_the_mean(seed, count):
    values, mean = randn(count, 3, 4, seed=seed), torch.zeros(3, 4)
    for done, value in enumerate(values, start=1):
        mean = saliency.mean_so_far(mean, value, done)
    torch.testing.assert_close(mean, values.mean(0), rtol=1e-4, atol=1e-5)


def test_a_noisy_copy_is_the_same_whoever_asks_and_has_the_deviation_asked_for():
    x = torch.full((3, 60, 60), 0.5)
    copies = torch.stack([saliency.noisy_copy(x, 0.2, index) for index in range(4)])
    assert copies[2].equal(saliency.noisy_copy(x, 0.2, 2)) and not copies[2].equal(copies[3])
    assert not copies[2].equal(saliency.noisy_copy(x, 0.2, 2, seed=1))
    assert float((copies - x).std()) == pytest.approx(0.2, rel=0.02)
    assert float((copies - x).mean()) == pytest.approx(0, abs=0.01)
    assert saliency.noisy_copy(x, 0.0, 5).equal(x)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_path_lies_in_the_middles_of_equal_pieces(steps):
    path = saliency.straight_path(torch.ones(1, 1, 1), torch.zeros(1, 1, 1), steps)
    assert path.flatten().tolist() == pytest.approx([(k + 0.5) / steps for k in range(steps)])


@pytest.mark.usefixtures("unchecked")
def test_no_step_is_no_path():
    with pytest.raises(ValueError, match="at least one step, not 0"):
        saliency.straight_path(torch.ones(1, 1, 1), torch.zeros(1, 1, 1), 0)


@given(seed=some.integers(0, 99), steps=some.integers(1, 5))
def test_integrated_gradients_of_a_square_add_up_whatever_the_steps(seed, steps):
    """The middles integrate a slope that is linear along the way exactly."""
    x, baseline = randn(3, 4, 5, seed=seed).double(), randn(3, 1, 1, seed=seed + 100).double()
    heat = saliency.integrated_gradients(x, baseline, 2 * saliency.straight_path(x, baseline, steps))
    torch.testing.assert_close(heat, (x.square() - baseline.square()).sum(0))


def test_of_a_cube_one_step_misses_and_more_steps_miss_less():
    x, baseline = torch.ones(1, 1, 1), torch.zeros(1, 1, 1)
    missing = [1 - float(saliency.integrated_gradients(x, baseline, 3 * saliency.straight_path(x, baseline, n) ** 2))
               for n in (1, 2, 8)]  # fmt: skip
    assert missing == pytest.approx([1 / 4, 1 / 16, 1 / 256], rel=1e-4)


def test_the_fewest_pixels_hold_the_share_and_no_fewer_do():
    heat = randn(9, 11)
    for share in (0.1, 0.5, 0.9):
        kept = saliency.fewest_pixels(heat, share)
        held, total = heat[kept].abs().double(), heat.abs().double().sum()
        assert held.sum() >= share * total > held.sum() - held.min()
        assert held.min() >= heat[~kept].abs().max()
    assert not saliency.fewest_pixels(torch.zeros(3, 3)).any()
