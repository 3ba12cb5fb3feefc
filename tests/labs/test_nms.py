"""Greedy NMS equals torchvision's, ties included; soft-NMS does what its paper says."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import ops

from labs import boxes as geometry
from labs import nms

# Whole numbers, few scores and few labels: many ties of scores and of overlaps.
row = st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 12)] * 2, st.integers(0, 4), st.integers(1, 3))
scene = st.lists(row, max_size=25)
thresholds = st.sampled_from([0.0, 0.2, 0.3, 1 / 3, 0.5, 0.6, 0.7, 0.9, 1.0]) | st.floats(0, 1)


def tensors(rows, dtype=torch.float32):
    table = torch.tensor(rows, dtype=dtype).reshape(-1, 6)
    xyxy = torch.cat([table[:, :2], table[:, :2] + table[:, 2:4]], 1)
    return xyxy, table[:, 4] / 4, table[:, 5].long()


@given(rows=scene, threshold=thresholds)
@settings(deadline=None, max_examples=200)
def test_greedy_equals_torchvision(rows, threshold):
    boxes, scores, _ = tensors(rows)
    kept = nms.kept_indices(nms.greedy(boxes, scores, threshold))
    assert kept.tolist() == ops.nms(boxes, scores, threshold).tolist()


# Fractions of a pixel as well: where whole numbers would hide what large offsets cost.
places, sides = st.floats(0, 200, width=32), st.floats(1, 90, width=32)
fine_row = st.tuples(places, places, sides, sides, st.integers(0, 4), st.integers(1, 9))


@given(rows=scene | st.lists(fine_row, max_size=25), threshold=thresholds)
@settings(deadline=None, max_examples=150)
def test_greedy_per_class_is_torchvisions_nms_class_by_class(rows, threshold):
    boxes, scores, labels = tensors(rows)
    kept = nms.kept_indices(nms.greedy(boxes, scores, threshold, labels))
    for label in labels.unique():
        mine = (labels == label).nonzero()[:, 0]
        theirs = mine[ops.nms(boxes[mine], scores[mine], threshold)]
        assert kept[labels[kept] == label].tolist() == theirs.tolist()
    assert nms.survivors(boxes, scores, threshold, labels).tolist() == kept.tolist()


@given(rows=scene, threshold=thresholds)
@settings(deadline=None, max_examples=100)
def test_greedy_per_class_equals_batched_nms_where_no_digit_is_lost(rows, threshold):
    """Whole numbers of pixels stay exact when the classes are pushed apart."""
    boxes, scores, labels = tensors(rows)
    kept = nms.kept_indices(nms.greedy(boxes, scores, threshold, labels))
    assert kept.tolist() == ops.batched_nms(boxes, scores, labels, threshold).tolist()


def test_where_batched_nms_decides_otherwise():
    """The second box is half of the first: an IoU near 1/2, which the offset of class 8 pushes across the threshold."""
    boxes = torch.tensor([[113.2, 142.5, 148.5, 157.8], [113.2, 142.5, 148.5, 150.15], [0, 0, 223.9, 223.9]])
    scores, labels = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([8, 8, 1])
    ours = nms.kept_indices(nms.greedy(boxes, scores, 0.5, labels)).tolist()
    assert ours == [*ops.nms(boxes[:2], scores[:2], 0.5).tolist(), 2]
    assert ours != ops.batched_nms(boxes, scores, labels, 0.5).tolist()


@pytest.mark.parametrize(
    ("dtype", "threshold", "second", "kept"),
    [
        (torch.float32, 0.2, [0, 0, 2, 2], [0]),  # IoU 1/5, which float32 rounds up
        (torch.float64, 0.2, [0, 0, 2, 2], [0, 1]),
        (torch.float32, 0.5, [1, 1, 2, 2], [0, 1]),  # IoU 1/2, exact in any float
        (torch.float32, 0.499999, [1, 1, 2, 2], [0]),
    ],
)
def test_an_overlap_exactly_at_the_threshold(dtype, threshold, second, kept):
    boxes, scores = torch.tensor([[1, 1, 2, 3], second], dtype=dtype), torch.tensor([0.9, 0.8], dtype=dtype)
    assert nms.kept_indices(nms.greedy(boxes, scores, threshold)).tolist() == kept
    assert ops.nms(boxes, scores, threshold).tolist() == kept
    assert [step.kept for step in nms.soft(boxes, scores, nms.hard(threshold))] == kept


@given(rows=scene, threshold=thresholds)
@settings(deadline=None, max_examples=60)
def test_every_box_is_kept_or_suppressed_once_by_a_better_one(rows, threshold):
    boxes, scores, _ = tensors(rows)
    steps = nms.greedy(boxes, scores, threshold)
    gone = [(step.kept, each) for step in steps for each in step.suppressed]
    assert sorted([step.kept for step in steps] + [each.index for _, each in gone]) == list(range(len(boxes)))
    for winner, each in gone:
        assert scores[winner] >= scores[each.index] and each.iou > threshold
        assert each.iou == pytest.approx(float(geometry.iou(boxes[winner], boxes[each.index])), abs=1e-6)


def test_greedy_names_who_suppressed_whom():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8], [20, 20, 30, 30], [0, 0, 10, 5]])
    steps = nms.greedy(boxes, torch.tensor([0.8, 0.9, 0.5, 0.3]), 0.6)
    assert [step.kept for step in steps] == [1, 2]
    first = steps[0].suppressed
    assert [each.index for each in first] == [0, 3]
    assert [each.iou for each in first] == pytest.approx([0.8, 0.625])
    assert steps[1].suppressed == ()


def test_thresholds_zero_and_one_and_no_boxes():
    boxes, scores = torch.tensor([[0.0, 0, 10, 10], [9, 9, 19, 19], [10, 0, 20, 10], [0, 0, 10, 10]]), torch.ones(4)
    assert [step.kept for step in nms.greedy(boxes, scores, 0.0)] == [0, 2]  # one pixel in common is enough
    assert len(nms.greedy(boxes, scores, 1.0)) == 4  # not even equal boxes
    assert nms.greedy(torch.zeros(0, 4), torch.zeros(0), 0.5) == []
    assert nms.soft(torch.zeros(0, 4), torch.zeros(0), nms.gaussian()) == []


def test_a_score_for_each_box(unchecked):
    with pytest.raises(ValueError, match="as many scores"):
        nms.greedy(torch.zeros(4, 4), torch.ones(2), 0.5)


@given(rows=scene, threshold=thresholds)
@settings(deadline=None, max_examples=60)
def test_soft_nms_with_a_hard_factor_is_greedy_nms(rows, threshold):
    boxes, scores, labels = tensors(rows, torch.float64)
    scores = scores + 0.1
    steps = nms.soft(boxes, scores, nms.hard(threshold), labels=labels)
    assert [s.kept for s in steps] == [s.kept for s in nms.greedy(boxes, scores, threshold, labels)]
    assert [s.score for s in steps] == pytest.approx(scores[[s.kept for s in steps]].tolist())


def bodla(boxes, scores, weight, smallest):
    """The paper's loop (Bodla et al. 2017, figure 3) on plain lists."""
    left = dict(enumerate(scores))
    result = []
    while left:
        best = max(left, key=lambda i: (left[i], -i))
        score = left.pop(best)
        if score < smallest or score == 0:
            break
        result.append((best, score))
        for i in left:
            left[i] *= weight(float(ops.box_iou(boxes[best : best + 1], boxes[i : i + 1])))
    return result


@given(rows=scene, sigma=st.floats(0.1, 2), bound=st.floats(0, 0.9))
@settings(deadline=None, max_examples=40)
def test_soft_nms_equals_the_papers_loop(rows, sigma, bound):
    boxes, scores, _ = tensors(rows, torch.float64)
    spread = scores * 0.9 + torch.arange(len(scores)) / 1000  # without ties, which rounding may break either way
    for factor, weight in (
        (nms.gaussian(sigma), lambda iou: math.exp(-iou * iou / sigma)),
        (nms.linear(bound), lambda iou: 1 - iou if iou > bound else 1.0),
    ):
        steps, expected = nms.soft(boxes, spread, factor), bodla(boxes, spread.tolist(), weight, 0.001)
        assert [s.score for s in steps] == pytest.approx([score for _, score in expected], abs=1e-9)


def test_soft_nms_by_hand():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8], [20, 20, 30, 30]])
    scores = torch.tensor([0.9, 0.8, 0.5])
    steps = nms.soft(boxes, scores, nms.linear(0.3))
    assert [s.kept for s in steps] == [0, 2, 1]  # the overlapping box falls behind, it does not vanish
    assert [s.score for s in steps] == pytest.approx([0.9, 0.5, 0.8 * 0.2])
    (decay,) = steps[0].decays
    assert (decay.index, decay.iou, decay.before, decay.after) == pytest.approx((1, 0.8, 0.8, 0.16))
    steps = nms.soft(boxes, scores, nms.gaussian(0.5))
    assert steps[2].score == pytest.approx(0.8 * math.exp(-0.64 / 0.5))
    assert len(nms.soft(boxes, scores, nms.linear(0.3), smallest_score=0.2)) == 2


def test_a_score_exactly_at_the_smallest_stays():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30]], dtype=torch.float64)
    scores = torch.tensor([0.75, 0.5, 0.25], dtype=torch.float64)
    assert [s.kept for s in nms.soft(boxes, scores, nms.hard(1.0), smallest_score=0.25)] == [0, 1, 2]
    assert [s.kept for s in nms.soft(boxes, scores, nms.hard(1.0), smallest_score=0.2501)] == [0, 1]
    # cut in a later turn: IoU 1/2, so the second box falls to exactly a quarter
    assert [s.score for s in nms.soft(boxes[:2], scores[:2], nms.linear(0.3), smallest_score=0.25)] == [0.75, 0.25]
    assert len(nms.soft(boxes[:2], scores[:2], nms.linear(0.3), smallest_score=0.2501)) == 1


@given(rows=scene)
@settings(deadline=None, max_examples=30)
def test_soft_nms_leaves_other_classes_alone(rows):
    boxes, scores, _ = tensors(rows, torch.float64)
    steps = nms.soft(boxes, scores + 0.1, nms.gaussian(), labels=torch.arange(len(boxes)))
    assert sorted(s.score for s in steps) == pytest.approx(sorted((scores + 0.1).tolist()))
    assert not any(s.decays for s in steps)


def test_sigma_must_be_positive():
    with pytest.raises(ValueError, match="above 0"):
        nms.gaussian(0.0)


@pytest.mark.parametrize("smallest", [0.0, 0.001])
def test_soft_nms_drops_what_falls_to_nothing(smallest):
    """Hard decay leaves the second of two equal boxes a score of exactly 0: it never wins, whatever the limit."""
    twice = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]])
    steps = nms.soft(twice, torch.tensor([0.9, 0.8, 0.7]), nms.hard(0.5), smallest)
    assert [(step.kept, step.score) for step in steps] == [(0, pytest.approx(0.9)), (2, pytest.approx(0.7))]


def test_survivors_of_one_score_keep_their_order():
    corners = torch.arange(60.0)[:, None] * 20
    apart = torch.cat([corners, corners, corners + 10, corners + 10], 1)
    kept = nms.survivors(apart, torch.full((60,), 0.5), 0.5, torch.arange(60) % 3)
    assert kept.tolist() == list(range(60))
