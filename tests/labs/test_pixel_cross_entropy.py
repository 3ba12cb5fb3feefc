"""Per-pixel cross-entropy: equal to torch's, never negative, and the opened pixel adds up."""

import math
from inspect import unwrap

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import pixel_cross_entropy as lab

cases = st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5), st.integers(0, 999), st.floats(0.01, 300))


def case(values):
    classes, height, width, seed, scale = values
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(classes, height, width, generator=generator, dtype=torch.float64) * scale
    return logits, torch.randint(classes, (height, width), generator=generator)


@settings(deadline=None, max_examples=60)
@given(cases)
def test_equal_to_torch(values):
    logits, truth = case(values)
    expected = F.cross_entropy(logits[None], truth[None], reduction="none")[0]
    torch.testing.assert_close(lab.loss_map(logits, truth), expected)
    torch.testing.assert_close(lab.loss(logits, truth), expected.mean())


@settings(deadline=None, max_examples=40)
@given(cases, st.floats(-1e4, 1e4))
def test_a_constant_on_all_logits_changes_nothing(values, constant):
    logits, truth = case(values)
    losses = lab.loss_map(logits, truth)
    assert (losses >= 0).all()
    torch.testing.assert_close(lab.loss_map(logits + constant, truth), losses, atol=1e-8, rtol=1e-6)


@settings(deadline=None, max_examples=40)
@given(cases, st.data())
def test_the_opened_pixel_has_the_loss_of_the_map_and_torchs_gradient(values, data):
    logits, truth = case(values)
    row, column = (data.draw(st.integers(0, side - 1)) for side in truth.shape)
    pixel = lab.open_pixel(logits, truth, row, column)
    leaf = logits[:, row, column].clone().requires_grad_()
    F.cross_entropy(leaf[None], truth[row, column][None]).backward()
    assert pixel.loss == pytest.approx(float(lab.loss_map(logits, truth)[row, column]), abs=1e-9)
    assert pixel.total == pytest.approx(float(pixel.exponentials.sum()))
    torch.testing.assert_close(pixel.probabilities, leaf.detach().softmax(0))
    torch.testing.assert_close(pixel.gradient, leaf.grad)
    assert float(pixel.gradient.sum()) == pytest.approx(0, abs=1e-9)
    assert pixel.prediction == int(leaf.argmax()) and pixel.truth == int(truth[row, column])


def test_a_batch_is_its_pictures():
    logits, truth = torch.randn(3, 4, 2, 5), torch.randint(4, (3, 2, 5))
    torch.testing.assert_close(
        lab.loss_map(logits, truth), torch.stack([lab.loss_map(*each) for each in zip(logits, truth, strict=True)])
    )


def test_huge_logits_stay_finite_and_a_blind_guess_costs_log_c():
    assert float(lab.loss_map(torch.tensor([1e30, 0.0])[:, None, None], torch.tensor([[0]]))) == 0
    assert float(lab.loss_map(torch.tensor([500.0, 0.0])[:, None, None], torch.tensor([[1]]))) == 500
    assert float(lab.loss(torch.zeros(13, 2, 2), torch.zeros(2, 2).long())) == pytest.approx(math.log(13))
    assert lab.uniform_loss(13) == pytest.approx(math.log(13))


def test_share_of_loss():
    losses = torch.tensor([[1.0, 3.0], [0.0, 4.0]])
    assert lab.share_of_loss(losses, losses > 3) == 0.5
    assert lab.share_of_loss(losses * 0, losses > 3) == 0


@pytest.mark.parametrize(
    ("logits", "truth", "said"),
    [
        (torch.zeros(2, 3, 3), torch.zeros(3, 4).long(), "not of one picture"),
        (torch.zeros(2, 3), torch.zeros(3).long(), "not of one picture"),
        (torch.zeros(2, 3, 3), torch.full((3, 3), 2), "outside 0 to 1"),
        (torch.zeros(2, 3, 3), torch.full((3, 3), -1), "outside 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(logits, truth, said):
    with pytest.raises(ValueError, match=said):
        unwrap(lab.loss_map)(logits, truth)  # its own words, also where a type checker stands before it


def test_a_pixel_outside_is_refused():
    with pytest.raises(ValueError, match="no pixel in row 3"):
        lab.open_pixel(torch.zeros(2, 3, 3), torch.zeros(3, 3).long(), 3, 0)
