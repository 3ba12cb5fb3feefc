"""Overlaps and transforms of boxes equal torchvision's, and the lecture's numbers."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder

from labs import boxes
from labs.boxes import PixelConvention

PAIRWISE = {
    boxes.iou: ops.box_iou,
    boxes.giou: ops.generalized_box_iou,
    boxes.diou: ops.distance_box_iou,
    boxes.ciou: ops.complete_box_iou,
}
LOSSES = {
    boxes.giou: ops.generalized_box_iou_loss,
    boxes.diou: ops.distance_box_iou_loss,
    boxes.ciou: ops.complete_box_iou_loss,
}
side, place = st.floats(0.5, 200), st.floats(-50, 250)
box = st.tuples(place, place, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
many = st.lists(box, min_size=1, max_size=6).map(lambda b: torch.tensor(b, dtype=torch.float64))


@pytest.mark.parametrize("ours", PAIRWISE, ids=lambda f: f.__name__)
@given(a=many, b=many)
@settings(deadline=None, max_examples=60)
def test_everything_with_everything_equals_torchvision(ours, a, b):
    torch.testing.assert_close(ours(a[:, None], b[None]), PAIRWISE[ours](a, b), atol=1e-5, rtol=0)


@pytest.mark.parametrize("ours", LOSSES, ids=lambda f: f.__name__)
@given(a=many, shift=st.floats(-30, 30))
@settings(deadline=None, max_examples=60)
def test_losses_and_their_gradients_equal_torchvision(ours, a, shift):
    b = a.flip(0) + shift
    gradients = []
    for loss in (lambda x: 1 - ours(x, b), lambda x: LOSSES[ours](x, b)):
        x = a.clone().requires_grad_()
        values = loss(x)
        (gradient,) = torch.autograd.grad(values.sum(), x)
        gradients.append((values.detach(), gradient))
    torch.testing.assert_close(gradients[0][0], gradients[1][0], atol=1e-5, rtol=0)
    # At a tie of two corners the subgradient is a matter of taste.
    if not any(torch.isclose(a[..., i], b[..., i], atol=1e-6).any() for i in range(4)) and not _touching(a, b):
        torch.testing.assert_close(gradients[0][1], gradients[1][1], atol=1e-4, rtol=1e-3)


def _touching(a, b) -> bool:
    common = boxes.intersection_box(a, b)
    return bool(((common[:, 2:] - common[:, :2]).abs() < 1e-6).any())


def test_iou_by_hand():
    a, b = torch.tensor([0.0, 0, 10, 10]), torch.tensor([5.0, 0, 15, 10])
    assert boxes.overlap(a, b) == (50, 150)
    assert float(boxes.iou(a, b)) == pytest.approx(1 / 3)
    assert float(boxes.giou(a, b)) == pytest.approx(1 / 3)  # the enclosing box is the union
    assert float(boxes.diou(a, b)) == pytest.approx(1 / 3 - 25 / 325)
    far = torch.tensor([20.0, 0, 30, 10])
    assert float(boxes.iou(a, far)) == 0
    assert float(boxes.giou(a, far)) == pytest.approx(-1 / 3)


def test_the_two_pixel_conventions():
    a, b = torch.tensor([0.0, 0, 9, 9]), torch.tensor([5.0, 0, 14, 9])
    assert float(boxes.area(a)) == 81 and float(boxes.area(a, PixelConvention.INCLUSIVE)) == 100
    assert float(boxes.iou(a, b)) == pytest.approx(36 / 126)
    assert float(boxes.iou(a, b, PixelConvention.INCLUSIVE)) == pytest.approx(50 / 150)
    touching = torch.tensor([9.0, 0, 18, 9])  # they share one column of pixels, and no area
    assert float(boxes.iou(a, touching)) == 0
    assert float(boxes.iou(a, touching, PixelConvention.INCLUSIVE)) == pytest.approx(10 / 190)


@given(a=many)
@settings(deadline=None, max_examples=30)
def test_inclusive_boxes_are_continuous_boxes_one_pixel_longer(a):
    longer = a + torch.tensor([0.0, 0, 1, 1])
    ours = boxes.iou_matrix(a, a, PixelConvention.INCLUSIVE)
    torch.testing.assert_close(ours, ops.box_iou(longer, longer))


def test_empty_boxes_and_empty_lists():
    point = torch.tensor([3.0, 3, 3, 3])
    for measure in (*PAIRWISE, boxes.crowd_overlap):
        assert torch.isfinite(measure(point, point))
        assert measure(torch.zeros(0, 1, 4), torch.zeros(1, 3, 4)).shape == (0, 3)
    assert float(boxes.iou(point, point)) == 0


def test_crowd_overlap_is_the_share_of_the_detection():
    crowd = torch.tensor([0.0, 0, 100, 100])
    assert float(boxes.crowd_overlap(torch.tensor([10.0, 10, 20, 20]), crowd)) == 1
    assert float(boxes.crowd_overlap(torch.tensor([95.0, 0, 105, 10]), crowd)) == 0.5


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.0, "not a match"), (0.4999, "not a match"), (0.5, "decent"), (0.6999, "decent"), (0.7, "pretty good"),
     (0.8999, "pretty good"), (0.9, "almost perfect"), (1.0, "almost perfect")],
)  # fmt: skip
def test_the_lectures_words(value, word):
    assert boxes.word(value) == word


@given(b=many, p=many)
@settings(deadline=None, max_examples=80)
def test_transform_round_trip(b, p):
    n = min(len(b), len(p))
    b, p = b[:n], p[:n]
    transforms = boxes.encode(b, p)
    torch.testing.assert_close(transforms, BoxCoder((1.0, 1.0, 1.0, 1.0)).encode_single(b, p))
    reachable = (transforms[:, 2:] <= boxes.LARGEST_LOG_SCALE).all(1)
    torch.testing.assert_close(boxes.decode(transforms, p)[reachable], b[reachable], atol=1e-8, rtol=1e-9)


@given(p=many, t=st.tuples(*[st.floats(-6, 6)] * 4))
@settings(deadline=None, max_examples=60)
def test_decode_equals_torchvision_also_beyond_its_limit(p, t):
    t = torch.tensor(t, dtype=torch.float64).expand_as(p)
    torch.testing.assert_close(boxes.decode(t, p), BoxCoder((1.0, 1.0, 1.0, 1.0)).decode_single(t, p))


def test_the_transform_is_the_lectures():
    p = boxes.corner_form(torch.tensor([50.0, 60, 20, 40]))
    t = torch.tensor([0.5, -0.25, math.log(2), math.log(0.5)])
    b = boxes.centre_form(boxes.decode(t, p))
    torch.testing.assert_close(b, torch.tensor([50 + 20 * 0.5, 60 - 40 * 0.25, 20 * 2, 40 * 0.5]))


def test_a_box_without_area_has_no_transform():
    with pytest.raises(ValueError, match="width and a height above 0"):
        boxes.encode(torch.tensor([0.0, 0, 1, 1]), torch.tensor([5.0, 5, 5, 9]))
