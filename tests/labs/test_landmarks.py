"""Errors in units of the distance between the eyes: scale-free, and as NumPy counts them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torchvision.transforms.v2 import functional as tv
from torchvision.tv_tensors import KeyPoints

from labs import landmarks as lab

PLACES = arrays.arrays(np.float32, (3, 5, 2), elements=st.floats(-200, 200, width=32))
TRUE = torch.tensor([[10.0, 20.0], [50.0, 20.0], [30.0, 40.0], [20.0, 60.0], [40.0, 60.0]])  # eyes 40 apart


def test_a_miss_by_two_pixels_where_the_eyes_are_forty_apart_is_five_per_cent():
    guess = TRUE.clone()
    guess[2] += torch.tensor([1.2, 1.6])  # √(1.44 + 2.56) = 2
    assert lab.errors(guess, TRUE).tolist() == pytest.approx([0, 0, 5, 0, 0], abs=1e-5)
    assert float(lab.mean_error(guess, TRUE)) == pytest.approx(1.0)


@given(PLACES, PLACES)
def test_errors_are_those_of_numpy(guess, truth):
    truth[:, 1] = truth[:, 0] + (30, -16)  # √(900 + 256) = 34
    found = lab.errors(torch.from_numpy(guess), torch.from_numpy(truth)).numpy()
    theirs = 100 * np.hypot(*np.moveaxis(guess.astype(float) - truth, -1, 0)) / 34
    np.testing.assert_allclose(found, theirs, rtol=1e-4, atol=1e-3)
    means = lab.mean_error(torch.from_numpy(guess), torch.from_numpy(truth)).numpy()
    np.testing.assert_allclose(means, theirs.mean(1), rtol=1e-4, atol=1e-3)


@given(st.floats(0.1, 20), st.floats(-50, 50))
def test_the_error_does_not_depend_on_how_near_the_face_is(scale, shift):
    guess = TRUE + torch.tensor([[1.0, 0], [0, 2], [3, 0], [0, 4], [5, 0]])
    near = lab.errors(guess * scale + shift, TRUE * scale + shift)
    torch.testing.assert_close(near, lab.errors(guess, TRUE), rtol=1e-3, atol=1e-3)


@given(PLACES)
def test_numbers_and_landmarks_are_each_others_inverse(places):
    found = torch.from_numpy(places)
    numbers = lab.to_numbers(found, 96, 192)
    assert numbers.shape == (3, 10)
    assert numbers[0, :2].tolist() == pytest.approx([places[0, 0, 0] / 96, places[0, 0, 1] / 192])
    torch.testing.assert_close(lab.to_landmarks(numbers, 96, 192), found)


@given(PLACES)
def test_a_mirror_is_torchvisions_with_the_names_changed_and_undoes_itself(places):
    found, partners = torch.from_numpy(places), (1, 0, 2, 4, 3)
    ours = lab.mirrored(found, 200, partners)
    theirs = tv.horizontal_flip(KeyPoints(found, canvas_size=(200, 201)))  # whose last column is 200, not 199
    torch.testing.assert_close(ours, torch.as_tensor(theirs)[:, list(partners)])
    torch.testing.assert_close(lab.mirrored(ours, 200, partners), found)


def test_a_mirror_without_its_partners_is_another_face():
    forgotten = lab.mirrored(TRUE, 60, (0, 1, 2, 3, 4))
    assert float(lab.mean_error(forgotten, TRUE)) == pytest.approx((100 + 100 + 0 + 50 + 50) / 5)
    torch.testing.assert_close(lab.mirrored(TRUE, 60, (1, 0, 2, 4, 3)), TRUE)


@pytest.mark.parametrize(("bound", "share"), [(0.9, 0), (1, 0.25), (9.999, 0.5), (10, 0.75), (100, 1)])
def test_a_face_at_the_bound_is_within(bound, share):
    assert lab.share_within(torch.tensor([1.0, 5.0, 10.0, 40.0]), bound) == share


def test_eyes_on_one_point_leave_no_unit():
    blind = torch.stack([TRUE, TRUE.index_copy(0, torch.tensor([1]), TRUE[:1])])
    with pytest.raises(ValueError, match="one point"):
        lab.errors(blind, blind)


def test_the_loss_has_a_gradient_also_where_nothing_is_wrong():
    guess = TRUE.clone().requires_grad_()
    lab.mean_error(guess, TRUE).backward()
    assert guess.grad is not None and torch.isfinite(guess.grad).all()
