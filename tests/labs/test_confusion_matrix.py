"""The confusion matrix counts every truth in its row and every detection in its column, once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import average_precision as ap
from labs import confusion_matrix as lab
from labs.matching import Detections, Truths, overlaps
from tests.labs.test_average_precision import CLASSES, data_set

seeds = st.integers(0, 2**32 - 1)
NOTHING = Detections(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))
EMPTY = Truths(np.zeros((0, 4)), np.zeros(0, int))


def boxes(*rows):
    return np.array(rows, float).reshape(-1, 4)


def test_right_confused_missed_and_background():
    truths = Truths(boxes((0, 0, 10, 10), (50, 0, 60, 10), (90, 0, 100, 10)), np.array([1, 1, 2]))
    found = Detections(
        boxes((0, 0, 10, 10), (50, 0, 60, 10), (150, 0, 160, 10)), np.array([1, 2, 2]), np.array([0.5, 0.9, 0.3])
    )
    entries = lab.entries([found], [truths])
    assert lab.matrix(entries, 2).tolist() == [[1, 1, 0], [0, 0, 1], [0, 1, 0]]
    assert entries.detection[entries.at(1, 2)].tolist() == [1] and entries.target[entries.at(2, 0)].tolist() == [2]
    assert entries.scores[entries.at(0, 2)].tolist() == [0.3]
    assert lab.matrix(lab.entries([found], [truths], score=0.5), 2).tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_an_overlap_or_a_score_at_the_threshold_is_enough():
    half = Detections(boxes((0, 0, 10, 5)), np.array([1]), np.array([0.4]))
    whole = Truths(boxes((0, 0, 10, 10)), np.array([1]))
    assert lab.pair(half, whole, 0.5).truth.tolist() == [0] and lab.pair(half, whole, 0.51).truth.tolist() == [-1]
    assert len(lab.entries([half], [whole], score=0.4)) == 1  # one pair
    assert lab.entries([half], [whole], score=0.41).said.tolist() == [lab.BACKGROUND]


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_the_ends_of_the_thresholds(threshold):
    exact = Detections(boxes((0, 0, 10, 10)), np.array([2]), np.array([1.0]))
    there = Truths(boxes((0, 0, 10, 10)), np.array([1]))
    for score in (0.0, 1.0):
        assert lab.matrix(lab.entries([exact], [there], threshold, score), 2)[0, 1] == 1
    with pytest.raises(ValueError, match="between 0 and 1"):
        lab.pair(exact, there, threshold * 3 - 1)  # -1 and 2


def test_nothing_said_nothing_there_no_picture_one_class():
    one = Detections(boxes((0, 0, 9, 9)), np.array([1]), np.array([0.9]))
    there = Truths(boxes((0, 0, 9, 9)), np.array([1]))
    assert lab.matrix(lab.entries([NOTHING], [there]), 1).tolist() == [[0, 1], [0, 0]]
    assert lab.matrix(lab.entries([one], [EMPTY]), 1).tolist() == [[0, 0], [1, 0]]
    for none in (lab.entries([], []), lab.entries([NOTHING], [EMPTY])):
        assert not lab.matrix(none, 2).any() and np.isnan(lab.shares(lab.matrix(none, 2))).all()
        assert lab.confused(lab.matrix(none, 2)) is None
    assert lab.matrix(lab.entries([one], [there]), 1).tolist() == [[1, 0], [0, 0]]
    with pytest.raises(ValueError, match="1 pictures with detections"):
        lab.entries([one], [])


def test_a_crowd_swallows_its_own_class_only():
    crowd = Truths(boxes((0, 0, 10, 10)), np.array([1]), crowd=np.array([True]))
    inside = Detections(boxes((0, 0, 5, 5), (5, 5, 10, 10)), np.array([1, 2]), np.array([0.9, 0.8]))
    found = lab.entries([inside], [crowd])
    assert found.said.tolist() == [2] and found.truth.tolist() == [lab.BACKGROUND]


@given(seed=seeds, threshold=st.sampled_from([0.0, 0.3, 0.5, 1.0]), score=st.sampled_from([0.0, 0.5, 1.0]))
@settings(deadline=None, max_examples=20)
def test_rows_sum_to_truths_and_columns_to_detections(seed, threshold, score):
    found, there = data_set(seed)
    entries = lab.entries(found, there, threshold, score)
    counts = lab.matrix(entries, 3)
    assert counts[-1, -1] == 0 and counts.sum() == len(entries)
    labels = np.concatenate([each.labels[~each.crowd] for each in there])
    assert counts[:3].sum(1).tolist() == [(labels == label).sum() for label in CLASSES]
    ignored = sum(lab.pair(f.subset(f.scores >= score), t, threshold).ignored.sum() for f, t in zip(found, there))
    assert counts[:, :3].sum() == sum((each.scores >= score).sum() for each in found) - ignored
    known = lab.shares(counts)[counts.sum(1) > 0]
    np.testing.assert_allclose(known.sum(1), 1)


@given(seed=seeds, threshold=st.sampled_from([0.3, 0.5, 0.9]))
@settings(deadline=None, max_examples=15)
def test_pairs_are_those_of_a_plain_reading(seed, threshold):
    found, there = data_set(seed, crowds=False)
    for each, truths in zip(found, there):
        overlap, taken, expected = overlaps(each, truths), set(), np.full(len(each.scores), -1)
        for d in np.argsort(-each.scores, kind="stable"):
            free = [g for g in range(len(truths.labels)) if g not in taken and overlap[d, g] >= threshold]
            if free:
                expected[d] = max(free, key=lambda g: (overlap[d, g], g))
                taken.add(expected[d])
        assert lab.pair(each, truths, threshold).truth.tolist() == expected.tolist()


@given(seed=seeds, score=st.integers(0, 9).map(lambda n: n / 8))
@settings(deadline=None, max_examples=15)
def test_a_threshold_after_is_a_threshold_before(seed, score):
    found, there = data_set(seed)
    both = lab.above(lab.entries(found, there), score), lab.entries(found, there, score=score)
    rows = [sorted(zip(e.image, e.detection, e.target, e.truth, e.said, e.scores)) for e in both]
    assert rows[0] == rows[1]


@given(seed=seeds)
@settings(deadline=None, max_examples=15)
def test_of_one_class_alone_the_counts_are_those_of_the_ranking(seed):
    """Whose matching pycocotools confirms, see test_average_precision."""
    found, there = data_set(seed)
    for label in CLASSES:
        mine = [each.subset(each.labels == label) for each in found]
        theirs = [
            Truths(t.boxes[some], t.labels[some], crowd=t.crowd[some]) for t in there for some in [t.labels == label]
        ]
        ranked = ap.rank(ap.compare(mine, theirs, label))
        counts = lab.matrix(lab.entries(mine, theirs), 3)
        here = ap.confusion(ranked.true, ranked.truths)
        k = label - 1
        assert (counts[k, k], counts[3, k], counts[k, 3]) == (here.true, here.false, here.missed)
