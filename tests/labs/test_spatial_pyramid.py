"""Spatial pyramid pooling: 21 bins, the library's adaptive pooling in each level, one level is RoI pooling."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as some
from torch.testing import assert_close
from torchvision import ops

from labs import roi_pooling
from labs import spatial_pyramid as sp

QUICK = settings(deadline=None, max_examples=60)
MAP = (12, 15)  # rows, columns


@some.composite
def maps_and_regions(draw):
    """A map of 3 channels, and a region on it: first column, first row, last column, last row."""
    height, width = draw(some.integers(1, 12)), draw(some.integers(1, 15))
    left, top = draw(some.integers(0, width - 1)), draw(some.integers(0, height - 1))
    right, bottom = draw(some.integers(left, width - 1)), draw(some.integers(top, height - 1))
    random = torch.Generator().manual_seed(draw(some.integers(0, 99)))
    return torch.randn(3, height, width, generator=random), torch.tensor([left, top, right, bottom])


levels_of_a_pyramid = some.lists(some.integers(1, 7), min_size=1, max_size=4).map(tuple)
corners = some.floats(0, 120, width=32) | some.integers(0, 240).map(lambda n: n / 2)
boxes = some.tuples(corners, corners, corners, corners).map(
    lambda b: torch.tensor([min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])])
)


def test_the_papers_pyramid_has_21_bins_and_fast_rcnn_keeps_one_level():
    assert sp.LEVELS == (4, 2, 1) and sp.count(sp.LEVELS) == 16 + 4 + 1 == 21
    assert sp.ROI_POOL == (7,) and sp.count(sp.ROI_POOL) == 49


@QUICK
@given(maps_and_regions(), levels_of_a_pyramid)
def test_each_level_is_the_librarys_adaptive_pooling_of_the_region(drawn, levels):
    features, region = drawn
    left, top, right, bottom = region.tolist()
    inside = features[:, top : bottom + 1, left : right + 1]
    theirs = torch.cat([F.adaptive_max_pool2d(inside, side).flatten(1) for side in levels], 1)
    assert torch.equal(sp.pool_region(features, region, levels), theirs)


@QUICK
@given(maps_and_regions(), levels_of_a_pyramid)
def test_many_regions_at_once_give_what_each_gives_alone(drawn, levels):
    features, region = drawn
    whole = torch.tensor([0, 0, features.shape[2] - 1, features.shape[1] - 1])
    alone = [sp.pool_region(features, each, levels).flatten() for each in (region, whole)]
    assert torch.equal(sp.pool(features, torch.stack([region, whole]), levels), torch.stack(alone))


@QUICK
@given(maps_and_regions(), some.integers(1, 7))
def test_one_level_is_roi_pooling(drawn, side):
    features, region = drawn
    theirs = ops.roi_pool(features[None], [region[None].float()], side)[0]
    assert torch.equal(sp.pool_region(features, region, (side,)).reshape(theirs.shape), theirs)


@QUICK
@given(maps_and_regions(), levels_of_a_pyramid)
def test_the_winners_stand_where_the_maxima_are(drawn, levels):
    features, region = drawn
    row, column = sp.winners(features[0], region, levels).T
    assert torch.equal(features[0, row, column], sp.pool_region(features[:1], region, levels)[0])
    left, top, right, bottom = region.tolist()
    assert (left <= column).all() and (column <= right).all() and (top <= row).all() and (row <= bottom).all()


@pytest.mark.parametrize("length", range(1, 30))
@pytest.mark.parametrize("side", [1, 2, 3, 4, 6, 7])
def test_bins_cover_the_axis_and_none_is_empty(length, side):
    found = sp.bins(length, side)
    assert len(found) == side and found[0][0] == 0 and found[-1][1] == length
    assert all(start < stop for start, stop in found)
    assert {cell for start, stop in found for cell in range(start, stop)} == set(range(length))


@pytest.mark.parametrize(
    ("box", "cells"),
    [
        ([16.0, 8.0, 56.0, 40.0], [2, 1, 6, 4]),
        ([19.9, 8.0, 60.1, 40.0], [2, 1, 7, 4]),  # the middles of columns 2 and 7 are at 20 and 60
        ([20.1, 8.0, 59.9, 40.0], [3, 1, 6, 4]),
        ([20.0, 8.0, 60.0, 40.0], [3, 1, 6, 4]),  # on the edge is not inside
        ([21.0, 13.0, 27.0, 19.0], [3, 2, 3, 2]),  # between two middles: the cell that the box's own middle is in
        ([0.0, 0.0, 0.0, 0.0], [0, 0, 0, 0]),
        ([0.0, 0.0, 120.0, 96.0], [0, 0, 14, 11]),
        ([118.0, 94.0, 120.0, 96.0], [14, 11, 14, 11]),
    ],
)
def test_the_cells_whose_middle_lies_inside(box, cells):
    assert sp.cells(torch.tensor(box), 8, MAP).tolist() == cells


@QUICK
@given(boxes)
def test_a_region_has_a_cell_and_stays_on_the_map(box):
    for rule in sp.RULES:
        left, top, right, bottom = sp.cells(box, 8, MAP, rule).tolist()
        assert 0 <= left <= right < MAP[1] and 0 <= top <= bottom < MAP[0]


@QUICK
@given(boxes)
def test_rounded_corners_are_those_of_roi_pooling(box):
    theirs = roi_pooling.roi_pool_bins(box, (1, 1), 1 / 8, MAP).rounded
    limits = torch.tensor([MAP[1] - 1, MAP[0] - 1] * 2)
    assert torch.equal(sp.cells(box, 8, MAP, "corners rounded"), torch.minimum(theirs, limits))


@QUICK
@given(boxes)
def test_roi_pooling_reads_at_most_one_row_and_column_more(box):
    inside, rounded = (sp.cells(box, 8, MAP, rule) for rule in sp.RULES)
    more = (rounded[2:] - rounded[:2]) - (inside[2:] - inside[:2])
    on_a_middle = box[2:] % 8 == 4  # it is not inside, and rounded up
    assert ((more >= 0) & (more <= 1 + on_a_middle.long())).all()


def test_a_corner_on_the_middle_of_a_cell_is_outside_by_one_rule_and_rounded_up_by_the_other():
    box = torch.tensor([0.0, 4.0, 8.0, 12.0])
    assert sp.cells(box, 8, MAP).tolist() == [0, 1, 0, 1]
    assert sp.cells(box, 8, MAP, "corners rounded").tolist() == [0, 1, 1, 2]


def test_no_regions_give_no_vectors_and_another_rule_is_refused():
    assert sp.pool(torch.zeros(64, 5, 5), torch.zeros(0, 4, dtype=torch.int64)).shape == (0, 64 * 21)
    with pytest.raises(ValueError, match="no rule 'nearest': choose one of middles inside, corners rounded"):
        sp.cells(torch.zeros(4), 8, MAP, "nearest")


def test_the_gradient_flows_to_the_maxima_alone():
    features = torch.arange(12.0).reshape(1, 3, 4).requires_grad_()
    sp.pool_region(features, torch.tensor([0, 0, 3, 1]), (2, 1)).sum().backward()
    expected = torch.tensor([[[0.0, 1, 0, 1], [0, 1, 0, 2], [0, 0, 0, 0]]])
    assert_close(features.grad, expected)
