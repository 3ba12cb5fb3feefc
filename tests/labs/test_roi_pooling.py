"""RoI pooling: the lectures' numbers, torchvision's operators over any boxes, and what a box can learn from each."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close
from torchvision import ops

from labs import roi_align as ra
from labs import roi_pooling as rp

QUICK = settings(deadline=None, max_examples=60)
LECTURE_MAP = torch.tensor(
    [
        [0.88, 0.44, 0.14, 0.16, 0.37, 0.77, 0.96, 0.27],
        [0.19, 0.45, 0.57, 0.16, 0.63, 0.29, 0.71, 0.70],
        [0.66, 0.26, 0.82, 0.64, 0.54, 0.73, 0.59, 0.26],
        [0.85, 0.34, 0.76, 0.84, 0.29, 0.75, 0.62, 0.25],
        [0.32, 0.74, 0.21, 0.39, 0.34, 0.03, 0.33, 0.48],
        [0.20, 0.14, 0.16, 0.13, 0.73, 0.65, 0.96, 0.32],
        [0.19, 0.69, 0.09, 0.86, 0.88, 0.07, 0.01, 0.48],
        [0.83, 0.24, 0.97, 0.04, 0.24, 0.35, 0.50, 0.91],
    ]
)
LECTURE_BOX = torch.tensor([0.0, 3.0, 6.0, 7.0])

# Halves and whole numbers meet every rounding; the range reaches far outside any map.
numbers = st.one_of(st.floats(-40, 90, width=32), st.integers(-80, 180).map(lambda n: n / 2))
upright = st.tuples(numbers, numbers, numbers, numbers).map(
    lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])]
)
points = st.tuples(numbers, numbers).map(lambda p: [*p, *p])
boxes = st.lists(st.one_of(upright, points), min_size=1, max_size=4).map(torch.tensor)
malformed = st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=4).map(torch.tensor)
maps = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(0, 9)).map(
    lambda s: torch.randn(2, s[0], s[1], generator=torch.Generator().manual_seed(s[2]))
)
outputs = st.tuples(st.integers(1, 7), st.integers(1, 7))
scales = st.sampled_from([1.0, 0.5, 0.25, 1 / 16, 0.3])


# --- facts of the lectures


@pytest.mark.parametrize(
    ("split", "expected"),
    [("disjoint", [[0.85, 0.84], [0.97, 0.96]]), ("overlapping", [[0.85, 0.96], [0.97, 0.96]])],
)
def test_the_lectures_region_in_both_conventions(split, expected):
    found = rp.roi_pool(LECTURE_MAP[None], LECTURE_BOX[None], (2, 2), 1.0, split)
    assert torch.equal(found.values[0, 0], torch.tensor(expected))


def test_the_lectures_bins():
    disjoint = rp.roi_pool_bins(LECTURE_BOX, (2, 2), 1.0, (8, 8), "disjoint")
    overlapping = rp.roi_pool_bins(LECTURE_BOX, (2, 2), 1.0, (8, 8))
    assert disjoint.rows.tolist() == [[3, 5], [5, 8]] and disjoint.columns.tolist() == [[0, 3], [3, 7]]
    assert overlapping.rows.tolist() == [[3, 6], [5, 8]] and overlapping.columns.tolist() == [[0, 4], [3, 7]]


def test_the_lectures_sample():
    """f(6.5, 5.8) = f65·.5·.2 + f75·.5·.2 + f66·.5·.8 + f76·.5·.8, f with column then row."""
    point = ra.bilinear(LECTURE_MAP, 5.8, 6.5)
    assert point.rows.tolist() == [5, 6] and point.columns.tolist() == [6, 7]
    assert_close(point.weights, torch.tensor([[0.5 * 0.2, 0.5 * 0.2], [0.5 * 0.8, 0.5 * 0.8]]))
    assert_close(point.values, torch.tensor([[0.96, 0.32], [0.01, 0.48]]))
    assert float(point.result) == pytest.approx(0.96 * 0.1 + 0.32 * 0.1 + 0.01 * 0.4 + 0.48 * 0.4)


def test_samples_stand_at_a_quarter_and_three_quarters():
    assert ra.sample_offsets(2).tolist() == [0.25, 0.75]
    assert ra.sample_offsets(1).tolist() == [0.5]
    samples = ra.roi_align_samples(torch.tensor([2.0, 1.0, 6.0, 3.0]), (1, 2), 1.0, 2, aligned=False)
    assert samples.x.tolist() == [[2.5, 3.5], [4.5, 5.5]] and samples.y.tolist() == [[1.5, 2.5]]


# --- equal to torchvision


@QUICK
@given(maps, malformed, outputs, scales)
def test_roi_pool_equals_torchvision(features, where, size, scale):
    """Exactly, also for boxes that are empty, upside down, or outside."""
    assert torch.equal(
        rp.roi_pool(features, where, size, scale).values, ops.roi_pool(features[None], [where], size, scale)
    )


@QUICK
@given(maps, boxes, outputs, scales, st.sampled_from([-1, 0, 1, 2, 3]), st.booleans())
def test_roi_align_equals_torchvision(features, where, size, scale, ratio, aligned):
    ours = ra.roi_align(features, where, size, scale, ratio, aligned)
    assert_close(ours, ops.roi_align(features[None], [where], size, scale, ratio, aligned), atol=1e-4, rtol=1e-4)


@QUICK
@given(maps, malformed, outputs, st.sampled_from([1, 2, 3]), st.booleans())
def test_roi_align_of_boxes_upside_down_equals_torchvision(features, where, size, ratio, aligned):
    ours = ra.roi_align(features, where, size, 0.5, ratio, aligned)
    assert_close(ours, ops.roi_align(features[None], [where], size, 0.5, ratio, aligned), atol=1e-4, rtol=1e-4)


@QUICK
@given(maps, upright, outputs, scales, st.sampled_from([0, 1, 2, 3]), st.booleans())
def test_the_samples_shown_make_the_result(features, box, size, scale, ratio, aligned):
    """Averaging single samples bin by bin, as the page does, gives what the matrices give."""
    box = torch.tensor(box)
    samples = ra.roi_align_samples(box, size, scale, ratio, aligned)
    whole = ra.roi_align(features[:1], box[None], size, scale, ratio, aligned)[0, 0]
    for i, j in ((0, 0), (size[0] - 1, size[1] - 1)):
        if samples.y.shape[1] * samples.x.shape[1] > 64:
            continue
        each = [ra.bilinear(features[0], float(y), float(x)).result for y in samples.y[i] for x in samples.x[j]]
        mean = torch.stack(each).mean() if each else torch.tensor(0.0)
        assert_close(mean, whole[i, j], atol=1e-4, rtol=1e-4)


@QUICK
@given(maps, boxes, outputs, scales, st.sampled_from(rp.SPLITS))
def test_argmax_points_at_the_maximum_inside_its_bin(features, where, size, scale, split):
    found = rp.roi_pool(features, where, size, scale, split)
    bins = rp.roi_pool_bins(where, size, scale, tuple(features.shape[1:]), split)
    for n, c, i, j in ((0, 0, 0, 0), (len(where) - 1, 1, size[0] - 1, size[1] - 1)):
        (top, bottom), (first, last) = bins.rows[n, i].tolist(), bins.columns[n, j].tolist()
        cells = features[c, top:bottom, first:last]
        place = int(found.argmax[n, c, i, j])
        if cells.numel() == 0:
            assert place == -1 and found.values[n, c, i, j] == 0
        else:
            row, column = divmod(place, features.shape[2])
            assert top <= row < bottom and first <= column < last
            assert found.values[n, c, i, j] == cells.max() == features[c, row, column]


@pytest.mark.parametrize("size", range(1, 15))
def test_disjoint_bins_share_nothing_and_miss_nothing(size):
    """Every length to 200 cells, in whole numbers: a float32 L/P would lose the last of 31 cells in 7 bins."""
    for length in range(1, 201):
        box = torch.tensor([0.0, 0.0, length - 1.0, length - 1.0])
        bins = rp.roi_pool_bins(box, (size, size), 1.0, (250, 250), "disjoint")
        edges = [i * length // size for i in range(size + 1)]
        assert bins.columns.tolist() == bins.rows.tolist() == [list(pair) for pair in pairwise(edges)]
        overlapping = rp.roi_pool_bins(box, (size, size), 1.0, (250, 250)).columns
        assert bool((overlapping[:, 0] <= bins.columns[:, 0]).all() and (overlapping[:, 1] >= bins.columns[:, 1]).all())


def test_thirty_one_cells_in_seven_disjoint_bins():
    bins = rp.roi_pool_bins(torch.tensor([0.0, 0.0, 30.0, 30.0]), (7, 7), 1.0, (40, 40), "disjoint")
    expected = [[0, 4], [4, 8], [8, 13], [13, 17], [17, 22], [22, 26], [26, 31]]
    assert bins.rows.tolist() == bins.columns.tolist() == expected
    many = torch.tensor([[5.0, 2.0, 35.0, 32.0], [-3.0, 0.0, 9.0, 10.0]])
    both = rp.roi_pool_bins(many, (7, 11), 1.0, (40, 40), "disjoint")
    assert both.rows[0].tolist() == [[start + 2, stop + 2] for start, stop in expected]
    assert both.columns[1, :4].tolist() == [[0, 0], [0, 0], [0, 0], [0, 1]]  # 13 cells from -3 on, cut at the border


def test_overlapping_bins_keep_torchvisions_own_rounding():
    """57 / 7 · 7 is above 57 in float32, so the last bin takes a 58th cell, in torchvision as well."""
    box = torch.tensor([0.0, 0.0, 56.0, 56.0])
    assert rp.roi_pool_bins(box, (7, 7), 1.0, (64, 64)).columns[-1].tolist() == [48, 58]
    features = torch.zeros(1, 64, 64)
    features[0, :, 57] = 1.0
    assert ops.roi_pool(features[None], [box[None]], 7)[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 0, 1]


def test_halves_are_rounded_away_from_zero():
    halves = torch.tensor([0.5, 1.5, 2.5, -0.5, -2.5, 0.49999997, 3.2])
    assert rp.round_half_away(halves).tolist() == [1, 2, 3, -1, -3, 0, 3]


def test_a_single_cell_is_never_rounded_away():
    bins = rp.roi_pool_bins(torch.tensor([3.0, 3.0, 3.1, 3.1]), (1, 1), 0.25, (8, 8))
    assert bins.rounded.tolist() == [1, 1, 1, 1] and bins.rows.tolist() == [[1, 2]]


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="no split 'nearest'"):
        rp.roi_pool_bins(LECTURE_BOX, (2, 2), 1.0, (8, 8), "nearest")


# --- the half pixel


def test_aligned_reads_a_ramp_at_its_true_place():
    """On a map whose cell j holds j + ½, the place of its middle, the aligned mean of a box is its centre."""
    ramp = (torch.arange(16.0) + 0.5).expand(1, 16, 16)
    box = torch.tensor([[3.3, 2.0, 9.9, 8.0]])
    centre = (3.3 + 9.9) / 2
    assert ra.roi_align(ramp, box, (1, 1), 1.0, 2, aligned=True).item() == pytest.approx(centre, abs=1e-4)
    assert ra.roi_align(ramp, box, (1, 1), 1.0, 2, aligned=False).item() == pytest.approx(centre + 0.5, abs=1e-4)


def test_the_regions_differ_by_half_a_cell():
    box = torch.tensor([40.0, 24.0, 100.0, 80.0])
    on, off = (ra.roi_align_samples(box, (2, 2), 1 / 16, 2, aligned).region for aligned in (True, False))
    assert_close(off - on, torch.full((4,), 0.5))


def test_frames():
    frames = rp.project(torch.tensor([32.0, 64.0, 160.0, 320.0]), (320, 640), (224, 448), 16)
    assert_close(frames.resized, torch.tensor([22.4, 44.8, 112.0, 224.0]))
    assert_close(frames.feature, torch.tensor([1.4, 2.8, 7.0, 14.0]))


# --- crop and resize


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3, 3), [[1, 1.5, 2], [2, 2.5, 3], [3, 3.5, 4]]),
        ((1, 1), [[2.5]]),
        ((2, 2), [[1.0, 2], [3, 4]]),
    ],
)
def test_crop_and_resize_of_tensorflows_own_tests(size, expected):
    found = ra.crop_and_resize(torch.tensor([[[1.0, 2], [3, 4]]]), torch.tensor([[0.0, 0, 2, 2]]), size)
    assert_close(found[0, 0], torch.tensor(expected))


@QUICK
@given(maps, st.lists(st.floats(0, 1), min_size=4, max_size=4), st.integers(2, 7))
def test_crop_and_resize_equals_grid_sample_between_corners(features, shares, size):
    height, width = features.shape[1:]
    x1, y1, x2, y2 = shares
    box = torch.tensor([[x1 * width, y1 * height, x2 * width, y2 * height]])
    steps = torch.linspace(0, 1, size)
    y, x = (2 * (low + (high - low) * steps) - 1 for low, high in ((y1, y2), (x1, x2)))
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)[None]
    theirs = F.grid_sample(features[None], grid, align_corners=True, padding_mode="border")
    assert_close(ra.crop_and_resize(features, box, (size, size)), theirs, atol=1e-3, rtol=1e-3)


def test_crop_and_resize_is_zero_outside():
    ones = torch.ones(1, 4, 4)
    found = ra.crop_and_resize(ones, torch.tensor([[-4.0, 0.0, 4.0, 4.0]]), (2, 3))[0, 0]
    assert_close(found, torch.tensor([[0.0, 1, 1], [0, 1, 1]]))


# --- gradients with respect to the box


def test_roi_pool_tells_the_box_nothing():
    pool = lambda boxes: rp.roi_pool(LECTURE_MAP[None], boxes, (2, 2)).values  # noqa: E731
    assert torch.equal(rp.box_gradient(pool, torch.tensor([0.3, 2.7, 6.2, 7.1])), torch.zeros(4))


@pytest.mark.parametrize("method", ["align", "crop"])
def test_the_gradient_is_the_slope(method):
    """Autograd against central differences, away from kinks."""
    features = LECTURE_MAP[None].double()
    if method == "align":
        pool = lambda boxes: ra.roi_align(features, boxes, (2, 2), 1.0, 2)  # noqa: E731
    else:
        pool = lambda boxes: ra.crop_and_resize(features, boxes, (3, 3))  # noqa: E731
    box = torch.tensor([0.63, 2.71, 6.27, 7.13], dtype=torch.float64)
    found = rp.box_gradient(pool, box)
    for i in range(4):
        step = torch.zeros(4, dtype=torch.float64)
        step[i] = 1e-6
        slope = (pool((box + step)[None]).sum() - pool((box - step)[None]).sum()) / 2e-6
        assert float(found[i]) == pytest.approx(float(slope), abs=1e-6)
        assert math.fabs(found[i]) > 1e-3


def test_adaptive_sampling_has_a_gradient_too():
    box = torch.tensor([0.63, 2.71, 6.27, 7.13])
    assert rp.box_gradient(lambda b: ra.roi_align(LECTURE_MAP[None], b, (2, 2), 1.0, 0), box).abs().min() > 0


def test_no_box_and_a_box_outside_of_everything_are_pooled_to_nothing():
    features = LECTURE_MAP[None]
    outside = torch.tensor([[100.0, 100, 110, 110]])
    pooled = rp.roi_pool(features, outside, (2, 3), 1.0)
    assert pooled.values.shape == (1, 1, 2, 3) and not pooled.values.any() and (pooled.argmax == -1).all()
    none = rp.roi_pool(features, torch.zeros(0, 4), (2, 3), 1.0)
    assert none.values.shape == none.argmax.shape == (0, 1, 2, 3)
