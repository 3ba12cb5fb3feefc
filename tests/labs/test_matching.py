"""The two matching rules differ where they should, and every false positive gets its reason."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from labs import boxes, matching
from labs.matching import Detections, Truths

NO = np.zeros(0, bool)


def flags(*values) -> np.ndarray:
    return np.array(values, bool)


def test_where_the_two_rules_part():
    """Two detections nearest to the same truth: COCO gives the second its second choice, VOC calls it a duplicate."""
    overlap = np.array([[0.9, 0.6], [0.8, 0.7]])
    none = flags(False, False)
    assert matching.match_coco(overlap, 0.5, none, none).truth.tolist() == [0, 1]
    assert matching.match_voc(overlap, 0.5, none).truth.tolist() == [0, -1]


def test_an_overlap_at_the_threshold_is_enough():
    overlap = np.array([[0.5]])
    assert matching.match_coco(overlap, 0.5, flags(False), flags(False)).truth.tolist() == [0]
    assert matching.match_voc(overlap, 0.5, flags(False)).truth.tolist() == [0]
    assert matching.match_voc(overlap, 0.51, flags(False)).truth.tolist() == [-1]


@pytest.mark.parametrize("rule", matching.RULES)
def test_half_an_overlap_is_a_match_in_words_and_in_matching(rule):
    whole, half = (0.0, 0.0, 100.0, 100.0), (0.0, 0.0, 100.0, 50.0)
    result = matching.judge(*scene([(*half, 1, 0.9)], [(*whole, 1)]), threshold=0.5, rule=rule)
    assert result.verdicts[0].kind == "true" and result.verdicts[0].same_iou == 0.5
    assert boxes.word(result.verdicts[0].same_iou) == "decent"


def test_voc_names_the_matching_rule_and_not_the_devkits_areas():
    """Continuous: 36 / 81 = .444, no match. The devkit's pixels count both ends: 50 / 100, a match."""
    guess, truth = (0.0, 0.0, 9.0, 4.0), (0.0, 0.0, 9.0, 9.0)
    (verdict,) = matching.judge(*scene([(*guess, 1, 0.9)], [(*truth, 1)]), threshold=0.5, rule="VOC").verdicts
    assert verdict.kind == "localisation" and verdict.same_iou == pytest.approx(4 / 9)
    devkit = boxes.iou(torch.tensor(guess), torch.tensor(truth), boxes.PixelConvention.INCLUSIVE)
    assert float(devkit) == 0.5


def test_an_overlap_of_exactly_a_tenth_is_not_background():
    tenth = (0.0, 0.0, 10.0, 1.0)
    detections = [(*tenth, 1, 0.9), (0.0, 0.0, 10.0, 0.99, 1, 0.8), (*tenth, 2, 0.7), (0.0, 0.0, 10.0, 0.99, 2, 0.6)]
    result = matching.judge(*scene(detections, [(0, 0, 10, 10, 1)]))
    assert [v.kind for v in result.verdicts] == ["localisation", "background", "class and place", "background"]


def test_a_crowd_takes_any_number_and_a_counted_truth_goes_first():
    overlap = np.array([[0.6, 1.0], [0.6, 1.0], [0.1, 0.9]])
    found = matching.match_coco(overlap, 0.5, flags(False, True), flags(False, False))
    assert found.truth.tolist() == [0, 1, 1]  # the first prefers the counted truth to the better crowd
    assert found.ignored.tolist() == [False, True, True]


def test_an_ignored_truth_takes_one_detection_under_coco_and_all_under_voc():
    overlap = np.array([[0.9], [0.8]])
    found = matching.match_coco(overlap, 0.5, flags(False), flags(True))
    assert found.ignored.tolist() == [True, False] and found.truth.tolist() == [0, -1]
    assert matching.match_voc(overlap, 0.5, flags(True)).ignored.tolist() == [True, True]


overlap_tables = arrays.arrays(
    float, st.tuples(st.integers(0, 6), st.integers(0, 5)), elements=st.integers(0, 20).map(lambda n: n / 20)
)


@given(overlap_tables, st.integers(0, 20).map(lambda n: n / 20))
@settings(deadline=None)
def test_a_truth_is_found_once_and_only_by_enough_overlap(overlap, threshold):
    none = np.zeros(overlap.shape[1], bool)
    coco, voc = (matching.match(rule, overlap, threshold, none, none).truth for rule in matching.RULES)
    for truth in (coco, voc):
        found = truth[truth >= 0]
        assert len(set(found.tolist())) == len(found)
        assert (overlap[truth >= 0, found] >= min(threshold, 1 - 1e-10)).all()
    if overlap.size:  # where each detection reaches at most one truth, the rules agree
        single = overlap * (overlap == overlap.max(1, keepdims=True))
        if threshold > 0 and ((single > 0).sum(1) <= 1).all():
            both = (matching.match(rule, single, threshold, none, none).truth for rule in matching.RULES)
            np.testing.assert_array_equal(*both)


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="COCO or VOC"):
        matching.match("KITTI", np.zeros((0, 0)), 0.5, NO, NO)


def scene(detections, truths, **extra):
    """Rows (x1, y1, x2, y2, label, score) and (x1, y1, x2, y2, label)."""
    d = np.array(detections, float).reshape(-1, 6)
    g = np.array(truths, float).reshape(-1, 5)
    return Detections(d[:, :4], d[:, 4].astype(int), d[:, 5]), Truths(g[:, :4], g[:, 4].astype(int), **extra)


def test_every_reason_to_be_false():
    truths = [(0, 0, 10, 10, 1), (50, 50, 60, 60, 2), (100, 100, 110, 110, 3)]
    detections = [
        (0, 0, 10, 8, 1, 0.7),  # 0 worse box of the first truth
        (0, 0, 10, 10, 1, 0.9),  # 1 takes it
        (0, 0, 10, 4, 1, 0.6),  # 2 IoU 0.4
        (50, 50, 60, 60, 1, 0.8),  # 3 right place, wrong class
        (50, 50, 60, 53, 3, 0.5),  # 4 wrong class, IoU 0.3
        (200, 0, 220, 20, 2, 0.4),  # 5 nothing there
    ]
    result = matching.judge(*scene(detections, truths), threshold=0.5)
    assert [v.kind for v in result.verdicts] == [
        "duplicate", "true", "localisation", "class confusion", "class and place", "background",
    ]  # fmt: skip
    assert result.missed == (1, 2)
    duplicate, _, loose, confused, _, nothing = result.verdicts
    assert duplicate.rival == 1 and duplicate.same == 0 and duplicate.same_iou == pytest.approx(0.8)
    assert loose.same_iou == pytest.approx(0.4)
    assert confused.other == 1 and confused.other_iou == pytest.approx(1.0) and confused.same is None
    assert (nothing.same, nothing.other, nothing.same_iou) == (None, None, 0.0)


def test_empty_pictures_in_words_of_numbers():
    nothing_there = matching.judge(*scene([(0, 0, 5, 5, 1, 0.9)], []))
    assert [v.kind for v in nothing_there.verdicts] == ["background"] and nothing_there.missed == ()
    nothing_found = matching.judge(*scene([], [(0, 0, 5, 5, 1), (9, 9, 12, 12, 4)]))
    assert nothing_found.verdicts == () and nothing_found.missed == (0, 1)
    assert matching.judge(*scene([], [])) == matching.Judgement((), ())


def test_crowds_and_ignored_truths_are_never_missed():
    result = matching.judge(
        *scene(
            [(0, 0, 5, 5, 1, 0.9)],
            [(0, 0, 50, 50, 1), (60, 60, 70, 70, 1)],
            crowd=flags(True, False),
            ignored=flags(False, True),
        )
    )
    assert [v.kind for v in result.verdicts] == ["ignored"] and result.missed == ()


def test_unequal_lengths_are_refused(unchecked):
    with pytest.raises(ValueError, match="equally many"):
        Detections(np.zeros((2, 4)), np.zeros(2, int), np.zeros(3))
