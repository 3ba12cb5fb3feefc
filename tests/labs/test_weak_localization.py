"""Weak localization: threshold, largest component, box; SciPy as the oracle."""

from inspect import unwrap

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from labs import weak_localization as weak
from labs.boxes import iou

TWO_SPOTS = torch.zeros(8, 10)
TWO_SPOTS[1:3, 1:4] = 5.0  # six cells
TWO_SPOTS[6, 8] = 10.0  # the maximum, but one cell
TWO_SPOTS[7, 0] = 2.0  # exactly 20 % of it


def test_the_box_is_around_the_largest_part_above_a_fifth_of_the_maximum():
    found = weak.localize(TWO_SPOTS)
    assert weak.SHARE == 0.2 and found.threshold == pytest.approx(2.0)
    assert found.kept.sum() == 7, "a value of exactly 20 % is not above it"
    assert found.component.sum() == 6 and not found.component[6, 8]
    assert found.box.tolist() == [1.0, 1.0, 4.0, 3.0]
    assert weak.weak_box(TWO_SPOTS, 0.6).tolist() == [8.0, 6.0, 9.0, 7.0]


def test_cells_that_touch_at_a_corner_belong_together():
    assert weak.weak_box(torch.eye(3)).tolist() == [0.0, 0.0, 3.0, 3.0]


@pytest.mark.parametrize("heat", [torch.zeros(4, 4), -torch.rand(4, 4) - 0.1])
def test_without_positive_evidence_there_is_no_box(heat):
    found = weak.localize(heat)
    assert found.box is None and not found.kept.any() and not found.component.any() and found.threshold == 0
    assert weak.best_box(heat, np.array([0, 0, 2, 2])) == (0.0, 0.0, None)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 999), st.floats(0, 0.9))
def test_threshold_and_component_are_scipys(height, width, seed, share):
    heat = np.random.default_rng(seed).normal(size=(height, width))
    kept = weak.above(heat, share)
    assert np.array_equal(kept, (heat > share * heat.max()) if heat.max() > 0 else np.zeros_like(kept))
    labels, count = ndimage.label(kept, structure=np.ones((3, 3)))
    sizes = [int((labels == k + 1).sum()) for k in range(count)]
    component = weak.largest_component(kept)
    assert component.sum() == max(sizes, default=0)
    if count:
        (label,) = np.unique(labels[component])
        rows, columns = ndimage.find_objects(labels)[label - 1]
        assert weak.box_around(component).tolist() == [columns.start, rows.start, columns.stop, rows.stop]


def test_the_best_share_beats_every_other():
    heat = ndimage.gaussian_filter(np.random.default_rng(0).random((40, 40)), 5) - 0.4
    truth = torch.tensor([10.0, 12.0, 24.0, 30.0])
    best = weak.best_box(heat, truth)
    overlaps = [weak.box_overlap(weak.weak_box(heat, share), truth) for share in weak.SHARES]
    assert best.iou == max(overlaps) and weak.SHARES.index(best.share) == overlaps.index(best.iou)
    assert best.iou == pytest.approx(float(iou(best.box, truth)))


def test_a_perfect_map_gives_the_perfect_box():
    heat = np.zeros((20, 20))
    heat[3:9, 5:15] = 0.7
    truth = np.array([5, 3, 15, 9])
    assert weak.box_overlap(weak.weak_box(heat), truth) == 1.0
    assert weak.box_overlap(None, truth) == 0.0


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        weak.above(TWO_SPOTS, share)


def test_a_stack_of_maps_is_refused():
    with pytest.raises(ValueError, match="shape"):
        unwrap(weak.above)(torch.zeros(2, 3, 3))
