"""Default boxes against torchvision's generator, matcher and box coder, and the paper's numbers."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import batched_nms, box_iou

from labs import default_boxes, region_proposals

settings.register_profile("ssd", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ssd")
CODER = BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))


def boxes(count: int, seed: int, side: float = 100) -> torch.Tensor:
    return region_proposals.random_boxes(count, side, side, seed)


def from_torchvision(grids, scales, ratios, side, steps=None) -> torch.Tensor:
    generator = DefaultBoxGenerator([list(each) for each in ratios], scales=list(scales), steps=steps)
    return generator(
        ImageList(torch.zeros(1, 3, side, side), [(side, side)]), [torch.zeros(1, 1, g, g) for g in grids]
    )[0]


def test_ssd300_has_8732_default_boxes_as_torchvision_places_them():
    assert default_boxes.scales(6, 0.2, 0.9, finest=0.1) == pytest.approx(default_boxes.SSD300_SCALES)
    counts = default_boxes.count(default_boxes.SSD300_GRIDS, default_boxes.SSD300_RATIOS)
    assert counts == [5776, 2166, 600, 150, 36, 4] and sum(counts) == 8732
    published = (
        default_boxes.SSD300_GRIDS, default_boxes.SSD300_SCALES, default_boxes.SSD300_RATIOS, 300,
        list(default_boxes.SSD300_STEPS),
    )  # fmt: skip
    grids, scales, ratios, side, steps = published
    found = default_boxes.default_boxes(grids, scales, ratios, side, side, steps)
    torch.testing.assert_close(found.boxes, from_torchvision(*published), atol=1e-3, rtol=1e-5)
    assert found.grid_of.bincount().tolist() == counts


@given(
    grids=some.lists(some.integers(1, 9), min_size=1, max_size=4),
    smallest=some.floats(0.05, 0.5),
    largest=some.floats(0.5, 1),
    ratios=some.lists(some.integers(2, 4), max_size=2, unique=True),
)
def test_any_pyramid_is_torchvisions(grids, smallest, largest, ratios):
    scales = default_boxes.scales(len(grids), smallest, largest)
    found = default_boxes.default_boxes(grids, scales, [ratios] * len(grids), 200, 200)
    torch.testing.assert_close(
        found.boxes, from_torchvision(grids, scales, [ratios] * len(grids), 200), atol=1e-3, rtol=1e-5
    )
    per = 2 + 2 * len(ratios)
    assert found.shape_of[: 2 * per].tolist() == (list(range(per)) * 2)[: len(found.boxes)]


def test_scales_are_the_papers():
    assert default_boxes.scales(6, 0.2, 0.9) == pytest.approx([0.2, 0.34, 0.48, 0.62, 0.76, 0.9, 1.04])
    assert default_boxes.scales(1, 0.3, 0.3) == [0.3, 0.3]


@pytest.mark.parametrize(
    "wrong", [(0, 0.2, 0.9), (3, 0.9, 0.2), (3, 0.0, 0.5), (3, 0.2, 1.1), (1, 0.2, 0.9, 0.1), (3, 0.2, 0.9, 0.3)]
)
def test_scales_out_of_order_are_refused_in_words(wrong):
    with pytest.raises(ValueError, match="finest ≤ smallest ≤ largest ≤ 1"):
        default_boxes.scales(*wrong)


def test_lengths_that_do_not_fit_and_sides_of_zero_are_refused():
    with pytest.raises(ValueError, match="one scale more"):
        default_boxes.default_boxes([4], [0.5], [[2]], 100, 100)
    with pytest.raises(ValueError, match="above 0"):
        default_boxes.shapes(0.2, 0.3, [0])


def test_sides_longer_than_the_picture_are_cut_to_it():
    found = default_boxes.default_boxes([1], [0.9, 1.5], [[2]], 100, 100).boxes
    sides = found[:, 2:] - found[:, :2]
    assert sides.max() == 100 and float(sides[2, 1]) == pytest.approx(90 / 2**0.5, abs=1e-3)


# Matching -------------------------------------------------------------------------------------------------------------


@given(seed=some.integers(0, 999), truths=some.integers(1, 6), threshold=some.floats(0.1, 0.9))
def test_matching_is_torchvisions(seed, truths, threshold):
    iou = box_iou(boxes(truths, seed), boxes(60, seed + 1000))
    found = default_boxes.match(iou, threshold)
    bests = iou.argmax(1)
    # where two truths have the same best box torchvision leaves open which one keeps it
    if len(bests.unique()) == truths:
        given_by_them = SSDMatcher(threshold)(iou)
        assert torch.equal(found.owner, given_by_them.clamp(min=-1))
    assert bool((found.owner[bests] >= 0).all())


def test_a_threshold_that_is_met_exactly_is_enough_and_a_best_box_needs_none():
    iou = torch.tensor([[0.5, 0.49, 0.9, 0.0], [0.0, 0.0, 0.0, 0.2]])
    found = default_boxes.match(iou, 0.5)
    assert found.owner.tolist() == [0, -1, 0, 1]
    assert found.forced.tolist() == [False, False, False, True]


def test_of_two_truths_with_one_best_box_the_later_keeps_it():
    found = default_boxes.match(torch.tensor([[0.9, 0.2], [0.8, 0.1]]), 0.5)
    assert found.owner.tolist() == [1, -1]


def test_without_a_truth_all_is_background():
    found = default_boxes.match(torch.zeros(0, 5))
    assert found.owner.tolist() == [-1] * 5 and not found.forced.any() and found.overlap.sum() == 0


@pytest.mark.parametrize("threshold", [-0.01, 1.01])
def test_a_threshold_outside_0_to_1_is_refused(threshold):
    with pytest.raises(ValueError, match="between 0 and 1"):
        default_boxes.match(torch.zeros(1, 1), threshold)


# Boxes out of numbers -------------------------------------------------------------------------------------------------


@given(seed=some.integers(0, 999))
def test_boxes_are_those_of_torchvisions_coder_cut_at_the_edge(seed):
    random = torch.Generator().manual_seed(seed)
    transforms, defaults = 6 * torch.randn(20, 4, generator=random), boxes(20, seed)
    moved = CODER.decode_single(transforms, defaults)
    expected = torch.stack([moved[:, 0::2].clamp(0, 90), moved[:, 1::2].clamp(0, 80)], dim=2).flatten(1)
    found = default_boxes.moved(transforms, defaults, height=80, width=90)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-4)


@given(seed=some.integers(0, 999), threshold=some.floats(0.05, 0.6), overlap=some.floats(0.1, 0.9))
def test_detections_are_those_of_batched_nms(seed, threshold, overlap):
    random = torch.Generator().manual_seed(seed)
    where, scores = boxes(30, seed), (2 * torch.randn(30, 4, generator=random)).softmax(1)
    box, label, score = default_boxes.detect(where, scores, threshold, overlap)
    every = [(i, k) for i in range(30) for k in range(1, 4) if scores[i, k] > threshold]
    if not every:
        assert not len(box)
        return
    at, classes = (torch.tensor(column) for column in zip(*every, strict=True))
    kept = batched_nms(where[at], scores[at, classes], classes, overlap)
    assert torch.equal(box, at[kept]) and torch.equal(label, classes[kept])
    assert torch.equal(score, scores[at, classes][kept]) and bool((score > threshold).all())
