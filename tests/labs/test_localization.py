"""Box numbers, box losses and the multitask loss: literal values of the lecture, the library over random inputs."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as some
from torchvision.ops import box_convert, generalized_box_iou_loss

from labs import localization as lab


def random_boxes(seed: int, count: int = 6) -> torch.Tensor:
    """(count, 4) numbers x, y, w, h with an extent."""
    random = torch.Generator().manual_seed(seed)
    return torch.rand(count, 4, generator=random) * 0.6 + 0.05


seeds = some.integers(0, 9999)


def test_numbers_are_centre_and_size_in_sides_of_the_picture():
    box = torch.tensor([20.0, 30.0, 60.0, 130.0])
    torch.testing.assert_close(lab.to_numbers(box, 200, 100), torch.tensor([0.2, 0.8, 0.2, 1.0]))
    for bad in ((0, 100), (100, -1)):
        with pytest.raises(ValueError, match="width and a height above 0"):
            lab.to_numbers(box, *bad)


@given(seed=seeds, width=some.integers(1, 500), height=some.integers(1, 500))
def test_there_and_back(seed, width, height):
    numbers = random_boxes(seed)
    box = lab.to_box(numbers, width, height)
    torch.testing.assert_close(lab.to_numbers(box, width, height), numbers)
    scaled = numbers * torch.tensor([width, height, width, height])
    torch.testing.assert_close(box, box_convert(scaled, "cxcywh", "xyxy"))


def test_a_size_below_zero_counts_as_zero():
    assert lab.to_box(torch.tensor([0.5, 0.5, -0.2, 0.4]), 100, 100).tolist() == pytest.approx([50, 30, 50, 70])


def test_inside_cuts_at_every_border():
    assert lab.inside(torch.tensor([-5.0, -1.0, 400.0, 90.0]), 300, 80).tolist() == [0, 0, 300, 80]
    assert lab.inside(torch.tensor([5.0, 1.0, 40.0, 9.0]), 300, 80).tolist() == [5, 1, 40, 9]


def test_the_l2_loss_of_the_lecture():
    """(bx - b̂x)² + (by - b̂y)² + (bw - b̂w)² + (bh - b̂h)², on numbers by hand: .01 + .04 + .09 + .16."""
    guess, truth = torch.tensor([0.5, 0.5, 0.5, 0.5]), torch.tensor([0.4, 0.3, 0.2, 0.1])
    assert float(lab.l2_loss(guess, truth)) == pytest.approx(0.30)
    assert float(lab.l1_loss(guess, truth)) == pytest.approx(1.0)


@given(seed=seeds, beta=some.floats(0.01, 1))
def test_losses_are_those_of_the_library(seed, beta):
    guess, truth = random_boxes(seed), random_boxes(seed + 1)
    torch.testing.assert_close(lab.l2_loss(guess, truth), F.mse_loss(guess, truth, reduction="none").sum(1))
    torch.testing.assert_close(lab.l1_loss(guess, truth), F.l1_loss(guess, truth, reduction="none").sum(1))
    theirs = F.smooth_l1_loss(guess, truth, reduction="none", beta=beta).sum(1)
    torch.testing.assert_close(lab.smooth_l1_loss(guess, truth, beta), theirs)
    corners = [box_convert(each, "cxcywh", "xyxy") for each in (guess, truth)]
    torch.testing.assert_close(lab.giou_loss(guess, truth), generalized_box_iou_loss(*corners), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("distance", "value"), [(0.1, 0.05), (0.0999999, 0.05), (0.2, 0.15), (0.05, 0.0125), (0.0, 0)])
def test_smooth_l1_is_a_parabola_up_to_beta_and_a_line_after(distance, value):
    guess = torch.tensor([0.5 + distance, 0.5, 0.5, 0.5], dtype=torch.float64)
    assert float(lab.smooth_l1_loss(guess, torch.full((4,), 0.5).double(), 0.1)) == pytest.approx(value, abs=1e-6)


def test_at_half_the_size_only_the_losses_of_overlap_stay():
    guess, truth = torch.tensor([0.5, 0.5, 0.4, 0.4]), torch.tensor([0.6, 0.5, 0.4, 0.4])
    half = [each / 2 for each in (guess, truth)]
    ratios = {name: float(loss(*half) / loss(guess, truth)) for name, loss in lab.BOX_LOSSES.items()}
    assert ratios == pytest.approx({"L2": 0.25, "L1": 0.5, "smooth L1": 0.25, "IoU": 1.0, "GIoU": 1.0}, rel=1e-4)


def test_apart_the_iou_loss_is_flat_and_the_giou_loss_is_not():
    guess, truth = torch.tensor([0.1, 0.5, 0.1, 0.2], requires_grad=True), torch.tensor([0.9, 0.5, 0.1, 0.2])
    (flat,) = torch.autograd.grad(lab.iou_loss(guess, truth), guess)
    assert float(lab.iou_loss(guess, truth).detach()) == 1 and not flat.any()
    (steep,) = torch.autograd.grad(lab.giou_loss(guess, truth), guess)
    assert float(steep[0]) < 0  # moving right makes it smaller


@given(seed=seeds)
def test_the_class_loss_is_minus_the_logarithm_of_the_softmax(seed):
    random = torch.Generator().manual_seed(seed)
    scores, labels = torch.randn(5, 8, generator=random), torch.randint(8, (5,), generator=random)
    theirs = -scores.double().softmax(1)[torch.arange(5), labels].log()
    torch.testing.assert_close(lab.class_loss(scores, labels).double(), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("alpha", "value"), [(0.0, 0.25), (1.0, 2.0), (0.5, 1.125), (0.2, 0.6)])
def test_alpha_weighs_the_class_and_one_minus_alpha_the_box(alpha, value):
    assert float(lab.multitask_loss(torch.tensor(2.0), torch.tensor(0.25), alpha)) == pytest.approx(value)


@pytest.mark.parametrize("alpha", [-0.01, 1.01, math.nan])
def test_an_alpha_outside_0_to_1_is_refused(alpha):
    with pytest.raises(ValueError, match="between 0 and 1"):
        lab.multitask_loss(torch.tensor(1.0), torch.tensor(1.0), alpha)


@given(alpha=some.floats(0.01, 1))
def test_lambda_gives_the_same_loss_but_for_its_scale(alpha):
    s, r = torch.tensor(1.7, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    ours = lab.multitask_loss(s, r, alpha)
    assert float(ours) == pytest.approx(alpha * float(s + lab.lambda_of(alpha) * r))


def test_lambda_at_the_ends():
    assert lab.lambda_of(0) == math.inf and lab.lambda_of(1) == 0


@given(seed=seeds)
def test_the_opened_layer_is_the_layer(seed):
    torch.manual_seed(seed)
    layer, hidden = torch.nn.Linear(64, 4).requires_grad_(False), torch.rand(64)
    for output in range(4):
        terms = lab.last_layer(hidden, layer.weight, layer.bias, output)
        assert float(terms.output) == pytest.approx(float(layer(hidden)[output]), abs=1e-5)
        assert float(terms.products.sum() + terms.bias) == pytest.approx(float(terms.output), abs=1e-6)


def test_outputs_grow_with_the_things():
    assert [lab.outputs_needed(n, 8) for n in (0, 1, 2, 12)] == [0, 12, 24, 144]
