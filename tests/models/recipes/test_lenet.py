"""LeNet-5 learns real digits, the same way every time, and sees none of those that it is judged on."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from models.networks.lenet import LeNet, as_tensor
from models.recipes import lenet
from models.recipes.lenet import Settings

QUICK = Settings(epochs=2)


@pytest.fixture(scope="module")
def learned() -> list[lenet.Progress]:
    torch.set_num_threads(1)
    return list(lenet.learn(QUICK))


def test_no_digit_is_on_both_sides_and_none_is_lost():
    known, held_out = lenet.split(3)
    assert len(known.labels) == 1200 and len(held_out.labels) == lenet.HELD_OUT == 597
    pixels = np.concatenate([known.pixels, held_out.pixels])
    found = np.unique(np.column_stack([pixels, np.concatenate([known.labels, held_out.labels])]), axis=0)
    every = load_digits()
    np.testing.assert_array_equal(found, np.unique(np.column_stack([every.data, every.target]), axis=0))
    assert not np.array_equal(lenet.split(4)[1].labels, held_out.labels)
    np.testing.assert_array_equal(lenet.split(3)[1].pictures, held_out.pictures)


def test_it_learns(learned):
    first, last = learned[0], learned[-1]
    assert first.step == 0 and first.losses == () and first.accuracies[0][1] < 0.3
    assert last.step == QUICK.steps == len(last.losses) == 76
    assert [progress.step for progress in learned] == [0, 10, 20, 30, 40, 50, 60, 70, 76]
    assert [step for step, _ in last.accuracies] == [progress.step for progress in learned]
    assert np.mean(last.losses[-5:]) < 0.2 * last.losses[0] and last.accuracies[-1][1] > 0.9
    assert last.signatures.shape == (597, 120) and last.signatures.dtype == np.float32


def test_the_same_seed_gives_the_same_numbers_and_another_others(learned):
    again = list(itertools.islice(lenet.learn(QUICK), 3))
    np.testing.assert_array_equal(again[-1].signatures, learned[2].signatures)
    assert again[-1].losses == learned[2].losses
    other = next(lenet.learn(Settings(epochs=2, seed=1)))
    assert not np.array_equal(other.signatures, learned[0].signatures)


def test_others_draw_from_the_generator_of_torch_undisturbed():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    next(lenet.learn(QUICK))
    torch.testing.assert_close(torch.rand(3), expected)


def test_before_the_first_step_it_is_the_network_of_the_seed():
    torch.manual_seed(QUICK.seed)
    with torch.inference_mode():
        theirs = LeNet().signature(as_tensor(lenet.split(QUICK.seed)[1].pictures))
    np.testing.assert_allclose(next(lenet.learn(QUICK)).signatures, theirs.numpy(), atol=1e-6)
