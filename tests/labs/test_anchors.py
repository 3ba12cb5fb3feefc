"""Anchors against torchvision's AnchorGenerator, Matcher and RPN, and the lectures' numbers."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import box_iou

from labs import anchors, region_proposals

settings.register_profile("anchors", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("anchors")

positive_lists = st.lists(st.floats(4, 200), min_size=1, max_size=4)
ratio_lists = st.lists(st.floats(0.2, 5), min_size=1, max_size=4)


def boxes(count: int, seed: int, side: float = 100) -> torch.Tensor:
    return region_proposals.random_boxes(count, side, side, seed)


# Generation -----------------------------------------------------------------------------------------------------------


@given(positive_lists, ratio_lists, st.integers(1, 6), st.integers(1, 6), st.sampled_from([4, 8, 16, 32]))
def test_generation_equals_torchvision(sizes, ratios, rows, columns, stride):
    generator = AnchorGenerator((tuple(sizes),), (tuple(ratios),))
    picture = torch.zeros(1, 3, rows * stride, columns * stride)
    theirs = generator(ImageList(picture, [picture.shape[-2:]]), [torch.zeros(1, 1, rows, columns)])[0]
    ours = anchors.grid_anchors(anchors.base_anchors(sizes, ratios), rows, columns, stride)
    assert torch.equal(ours, theirs)


def test_rounding_is_torchvisions_and_named():
    """16 px of ratio ½: 22.63×11.31 exactly; torchvision rounds the corners ±11.31, ±5.66 to ±11, ±6."""
    assert anchors.base_anchors([16], [0.5]).tolist() == [[-11, -6, 11, 6]]
    exact = anchors.base_anchors([16], [0.5], "centred")
    assert exact[0].tolist() == pytest.approx([-11.3137, -5.6569, 11.3137, 5.6569], abs=1e-4)
    # halves to even: a side of 5 becomes 4, a side of 7 becomes 8
    assert anchors.base_anchors([5, 7], [1]).tolist() == [[-2, -2, 2, 2], [-4, -4, 4, 4]]


@given(positive_lists, ratio_lists)
def test_centred_anchors_have_the_named_area_and_ratio(sizes, ratios):
    base = anchors.base_anchors(sizes, ratios, "centred")
    side = base[:, 2:] - base[:, :2]
    area = torch.tensor([s * s for _ in ratios for s in sizes])
    ratio = torch.tensor([r for r in ratios for _ in sizes])
    torch.testing.assert_close(side.prod(1), area, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(side[:, 1] / side[:, 0], ratio, rtol=1e-4, atol=1e-4)


def test_the_conventions_stand_half_a_stride_apart():
    corner, middle = (anchors.centres(2, 3, 16, each) for each in anchors.CONVENTIONS)
    assert corner.tolist() == [[0, 0], [16, 0], [32, 0], [0, 16], [16, 16], [32, 16]]
    assert (middle - corner == 8).all()


def test_polimi_nine_anchors():
    assert len(anchors.base_anchors([128, 256, 512], [0.5, 1, 2])) == 9


@pytest.mark.parametrize(
    ("sizes", "ratios", "convention"), [([], [1], "centred"), ([8], [0], "centred"), ([8], [1], "no")]
)
def test_bad_anchors_are_refused(sizes, ratios, convention):
    with pytest.raises(ValueError):
        anchors.base_anchors(sizes, ratios, convention)


# Labels ---------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(1, 80), st.integers(0, 10**6), st.booleans())
def test_labels_equal_torchvisions_matcher(truths, count, seed, coarse):
    """Random boxes; coarse ones on a grid of 25 px, so that ties and IoU 0 are common."""
    truth, anchor = boxes(truths, seed), boxes(count, seed + 1)
    if coarse:
        truth, anchor = (
            torch.cat([b[:, :2].div(25).floor(), b[:, 2:].div(25).ceil()], 1) * 25 for b in (truth, anchor)
        )
    iou = box_iou(truth, anchor)
    theirs = Matcher(0.7, 0.3, allow_low_quality_matches=True)(iou)
    ours = anchors.label_anchors(iou)
    assert torch.equal(ours.label == 1, theirs >= 0)
    assert torch.equal(ours.label == 0, theirs == Matcher.BELOW_LOW_THRESHOLD)
    assert torch.equal(ours.label == -1, theirs == Matcher.BETWEEN_THRESHOLDS)
    assert torch.equal(ours.match, theirs.clamp(min=-1))
    assert torch.equal(ours.best, (theirs >= 0) & (iou.amax(0) < 0.7))


def test_the_lecture_rule_by_hand():
    """Two truths, five anchors: 0.7 is positive, 0.3 is ignored, 0.29 negative, and each truth has its best anchor."""
    iou = torch.tensor([[0.70, 0.30, 0.29, 0.69, 0.00], [0.00, 0.10, 0.20, 0.00, 0.25]])
    given = anchors.label_anchors(iou, 0.7, 0.3)
    assert given.label.tolist() == [1, -1, 0, -1, 1]
    assert given.best.tolist() == [False, False, False, False, True]
    assert given.match.tolist() == [0, -1, -1, -1, 1]
    assert given.reach.tolist() == pytest.approx([0.70, 0.25])
    assert (given.count(1), given.count(0), given.count(-1)) == (2, 1, 2)


def test_no_truth_makes_every_anchor_negative():
    given = anchors.label_anchors(torch.zeros(0, 7))
    assert given.label.tolist() == [0] * 7 and given.match.tolist() == [-1] * 7 and not given.best.any()


def test_a_truth_that_overlaps_nothing_ties_at_zero():
    given = anchors.label_anchors(torch.tensor([[0.9, 0.0, 0.1], [0.0, 0.0, 0.0]]))
    assert given.label.tolist() == [1, 1, 1]


def test_thresholds_at_zero_and_one():
    iou = torch.tensor([[1.0, 0.5, 0.0]])
    assert anchors.label_anchors(iou, 0, 0).label.tolist() == [1, 1, 1]
    assert anchors.label_anchors(iou, 1, 0).label.tolist() == [1, -1, -1]
    assert anchors.label_anchors(iou, 1, 1).label.tolist() == [1, 0, 0]


@pytest.mark.parametrize(("high", "low"), [(0.3, 0.7), (1.1, 0.3), (0.7, -0.1)])
def test_crossed_thresholds_are_refused(high, low):
    with pytest.raises(ValueError, match="threshold"):
        anchors.label_anchors(torch.zeros(1, 1), high, low)


@given(positive_lists, ratio_lists, st.integers(0, 10**6))
def test_no_anchor_beats_the_concentric_one(sizes, ratios, seed):
    base = anchors.base_anchors(sizes, ratios, "centred")
    truths = boxes(4, seed)
    truths[:, 2:] += 1
    bound = anchors.concentric_iou(truths, base)
    reach = box_iou(truths, anchors.grid_anchors(base, 12, 12, 8, "centred")).amax(1)
    assert (reach <= bound + 1e-4).all()
    centre = (truths[:, :2] + truths[:, 2:]) / 2
    there = torch.stack([box_iou(t[None], base + c.repeat(2)).max() for t, c in zip(truths, centre, strict=True)])
    torch.testing.assert_close(bound, there, rtol=1e-3, atol=1e-4)


# Transforms -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4), st.integers(0, 10**6))
def test_decoding_equals_torchvisions_box_coder(transform, seed):
    t, anchor = torch.tensor(transform), boxes(1, seed)[0]
    theirs = BoxCoder((1, 1, 1, 1)).decode(t[None], [anchor[None]])[0, 0]
    torch.testing.assert_close(anchors.decode_steps(anchor, t).box, theirs, rtol=1e-4, atol=1e-3)


def test_decoding_is_written_out():
    """FACTS: bx = px + pw·tx, by = py + ph·ty, bw = pw·exp(tw), bh = ph·exp(th)."""
    steps = anchors.decode_steps(torch.tensor([10.0, 20, 30, 60]), torch.tensor([0.5, -0.25, 0.0, 0.693147]))
    assert steps.box.tolist() == pytest.approx([20, -10, 40, 70], abs=1e-3)
    results = [line.rsplit("= ", 1)[1] for line in steps.lines]
    assert results == ["30.0", "30.0", "20.0", "80.0"]
    assert "20.0 + 20.0" in steps.lines[0] and "(0.500)" in steps.lines[0]


# Shapes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "objectness", "transforms", "boxes"), [(6, 12, 24, 1800), (9, 18, 36, 2700)])
def test_lecture_shapes(k, objectness, transforms, boxes):
    """GEV6135: 3×640×480, features 512×20×15, K = 6; Polimi: K = 9."""
    head = anchors.head_shapes(640, 480, 32, 512, k)
    assert head.features == (512, 20, 15)
    assert head.objectness == (objectness, 20, 15)
    assert head.transforms == (transforms, 20, 15)
    assert head.boxes == boxes


@given(st.sampled_from([1, 8, 64]), st.integers(1, 12))
def test_parameters_equal_torchvisions_head(channels, k):
    theirs = sum(p.numel() for p in RPNHead(channels, k).parameters())
    assert anchors.head_shapes(64, 64, 16, channels, k, per_anchor=1).total == theirs


def test_parameters_of_the_lectures():
    """256 filters: 9·256·256 + 256; 512 filters: 9·512·512 + 512."""
    assert anchors.head_shapes(640, 480, 32, 256, 9).parameters["3×3 convolution"] == 590_080
    head = anchors.head_shapes(640, 480, 32, 512, 9)
    assert list(head.parameters.values()) == [2_359_808, 9_234, 18_468]
    assert anchors.head_shapes(640, 480, 32, 512, 9, hidden=256).parameters["3×3 convolution"] == 1_179_904


def test_shapes_round_up_and_refuse_nothing_to_see():
    assert anchors.feature_size(225, 100, 16) == (15, 7)
    for bad in ((0, 10, 4), (10, 10, 0)):
        with pytest.raises(ValueError):
            anchors.feature_size(*bad)
    with pytest.raises(ValueError):
        anchors.head_shapes(64, 64, 16, 0, 9)
