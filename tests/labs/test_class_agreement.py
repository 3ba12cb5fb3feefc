"""What a class has drawn: IoU with the truth and with each other, distances from it."""

import math

import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as some

from labs import class_agreement as lab

TRUTH = torch.tensor([10.0, 10, 30, 30]).double()
side = some.floats(0, 100)
box = some.tuples(side, side, side, side).map(lambda at: (min(at[0], at[2]), min(at[1], at[3]), max(at[0], at[2]),
                                                          max(at[1], at[3])))  # fmt: skip
classes = some.lists(box, min_size=2, max_size=12).map(lambda each: torch.tensor(each).double())


def test_thirty_annotators_of_whom_one_was_asleep():
    boxes = torch.tensor([[10.0, 10, 30, 30]] * 28 + [[10, 10, 30, 20], [50, 50, 60, 60]]).double()
    found, pairs = lab.with_truth(boxes, TRUTH), lab.pairwise(boxes)
    assert found.tolist() == [1.0] * 28 + [0.5, 0.0] and len(pairs) == 30 * 29 / 2
    assert lab.middle(found) == 1 and lab.most_agreed(boxes) == 0
    assert float(pairs.mean()) == pytest.approx((28 * 27 / 2 + 28 * 0.5) / 435)


@given(classes)
def test_the_pairs_are_those_of_the_library(boxes):
    matrix = torchvision.ops.box_iou(boxes, boxes).nan_to_num(0)
    above = matrix[torch.triu(torch.ones_like(matrix, dtype=torch.bool), 1)]
    assert torch.allclose(lab.pairwise(boxes), above, atol=1e-9)
    mean = matrix.sum(1)[lab.most_agreed(boxes)]
    assert mean >= matrix.sum(1).max() - 1e-9


@given(classes, some.randoms())
def test_nobody_comes_first(boxes, chance):
    order = list(range(len(boxes)))
    chance.shuffle(order)
    assert torch.allclose(lab.pairwise(boxes).sort().values, lab.pairwise(boxes[order]).sort().values)


def test_places_and_their_distances():
    places = torch.tensor([[20.0, 20], [30, 30], [33, 34], [0, 20], [20, 31]]).double()
    assert lab.distances(places, TRUTH).tolist() == [0, 0, 5, 10, 1]
    assert lab.inside(places, TRUTH).tolist() == [True, True, False, False, False]
    assert lab.apart(places[:3]).tolist() == pytest.approx([200**0.5, (13**2 + 14**2) ** 0.5, 5])


@given(some.lists(some.tuples(side, side), min_size=1, max_size=12).map(lambda each: torch.tensor(each).double()))
def test_inside_is_no_distance(places):
    assert ((lab.distances(places, TRUTH) == 0) == lab.inside(places, TRUTH)).all()


def test_one_annotator_and_none():
    one, none = TRUTH[None], torch.zeros(0, 4).double()
    assert len(lab.pairwise(one)) == len(lab.pairwise(none)) == len(lab.apart(none[:, :2])) == 0
    assert (
        lab.most_agreed(one) == 0
        and math.isnan(lab.middle(lab.pairwise(one)))
        and len(lab.with_truth(none, TRUTH)) == 0
    )
    with pytest.raises(ValueError, match="Nobody has drawn"):
        lab.most_agreed(none)
