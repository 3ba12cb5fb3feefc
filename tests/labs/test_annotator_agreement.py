"""Two drawings compared: literal values, boundaries, and over random boxes brute force and the library."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sklearn.metrics import cohen_kappa_score
from torch import as_tensor
from torchvision.ops import box_iou

from labs import annotator_agreement as lab
from labs.matching import Truths


def drawing(*rows: tuple) -> Truths:
    """Boxes x1, y1, x2, y2 with their class."""
    table = np.array(rows, float).reshape(-1, 5)
    return Truths(table[:, :4], table[:, 4].astype(int))


def random_drawing(random: np.random.Generator, count: int) -> Truths:
    corner, sides = random.integers(0, 12, (count, 2)), random.integers(4, 14, (count, 2))
    return Truths(np.hstack([corner, corner + sides]).astype(float), random.integers(1, 3, count))


def test_an_iou_at_the_threshold_pairs_and_one_below_does_not():
    mine, yours = drawing((0, 0, 8, 8, 1)), drawing((0, 0, 8, 10, 1))
    assert lab.compare(mine, yours, 0.8).pairs.tolist() == [[0, 0]]
    missed = lab.compare(mine, yours, 0.81)
    assert missed.pairs.tolist() == [] and missed.only_first.tolist() == missed.only_second.tolist() == [0]
    assert missed.f1 == 0 and np.isnan(missed.mean_iou)
    for bad in (0, -0.1, 1.01):
        with pytest.raises(ValueError, match="above 0 and up to 1"):
            lab.compare(mine, yours, bad)


def test_the_same_class_comes_before_the_nearer_box():
    """A rider's box and the motorcycle's: both overlap, and each finds its own."""
    mine = drawing((0, 0, 10, 10, 1))
    yours = drawing((0, 0, 10, 10, 2), (0, 0, 10, 12, 1))
    found = lab.compare(mine, yours)
    assert found.pairs.tolist() == [[0, 1]] and found.same_class.all() and found.only_second.tolist() == [0]
    named = lab.compare(mine, drawing((0, 0, 10, 10, 2)))
    assert named.pairs.tolist() == [[0, 0]] and not named.same_class.any() and named.f1 == 0 and named.mean_iou == 1


def test_no_box_is_no_figure():
    assert np.isnan(lab.compare(drawing(), drawing()).f1)
    assert lab.compare(drawing(), drawing((0, 0, 1, 1, 1))).f1 == 0


@given(seed=some.integers(0, 9999), counts=some.tuples(some.integers(0, 4), some.integers(0, 4)))
def test_no_other_way_to_pair_is_better_and_the_order_of_the_two_is_nothing(seed, counts):
    random = np.random.default_rng(seed)
    mine, yours = (random_drawing(random, count) for count in counts)
    found, turned = lab.compare(mine, yours, 0.3), lab.compare(yours, mine, 0.3)
    np.testing.assert_allclose(found.overlap, box_iou(as_tensor(mine.boxes), as_tensor(yours.boxes)).numpy())
    assert found.f1 == turned.f1 or np.isnan(found.f1)
    assert (
        len(found.only_first) + len(found.pairs) == counts[0] and len(found.only_second) + len(found.pairs) == counts[1]
    )
    best = 0.0, 0.0
    few, many = sorted(counts)
    for places in permutations(range(many), few):
        pairs = [(i, j) if counts[0] <= counts[1] else (j, i) for i, j in enumerate(places)]
        pairs = [pair for pair in pairs if found.overlap[pair] >= 0.3]
        same = sum(mine.labels[i] == yours.labels[j] for i, j in pairs)
        best = max(best, (float(same), float(sum(found.overlap[pair] for pair in pairs))))
    assert (float(found.same_class.sum()), pytest.approx(float(found.ious.sum()))) == best


@given(seed=some.integers(0, 9999))
def test_kappa_is_sklearns(seed):
    random = np.random.default_rng(seed)
    first, second = random.integers(0, 3, (2, 40))
    second[:10] = first[:10]
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (first, second), 1)
    assert lab.kappa(counts) == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_without_pixels_or_with_one_class_is_none():
    assert np.isnan(lab.kappa(np.zeros((2, 2), int))) and np.isnan(lab.kappa(np.diag([5, 0])))
