from inspect import unwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import binary_erosion, distance_transform_edt
from skimage.metrics import contingency_table

from labs import segmentation_metrics as metrics

TRUTH = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)
PREDICTION = np.array([[0, 1, 1], [0, 1, 2]], np.uint8)

maps = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.uint8, shape, elements=st.integers(0, 3))] * 2)
)


def test_confusion_counts_by_hand():
    confusion = metrics.confusion_matrix(TRUTH, PREDICTION, 4)
    assert confusion.tolist() == [[2, 1, 0, 0], [0, 2, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert metrics.class_iou(confusion)[:3].tolist() == [2 / 3, 2 / 4, 0]
    assert np.isnan(metrics.class_iou(confusion)[3])
    assert metrics.mean_iou(confusion) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert metrics.pixel_accuracy(confusion) == pytest.approx(4 / 6)


@settings(deadline=None, max_examples=60)
@given(maps)
def test_confusion_and_iou_equal_scikit_image_and_set_arithmetic(pair):
    truth, prediction = pair
    confusion = metrics.confusion_matrix(truth, prediction, 4)
    oracle = contingency_table(truth, prediction).toarray()
    assert (confusion[: oracle.shape[0], : oracle.shape[1]] == oracle).all()
    assert confusion.sum() == oracle.sum() == truth.size
    ious = [
        ((truth == label) & (prediction == label)).sum() / ((truth == label) | (prediction == label)).sum()
        for label in np.union1d(truth, prediction)
    ]
    assert metrics.mean_iou(confusion) == pytest.approx(np.mean(ious))


def test_one_stray_pixel_does_not_swing_the_score_of_a_scene():
    """Ten pixels of class 0 and ten of class 1, all right but one, which is taken for class 2."""
    truth = np.repeat([[0], [1]], 10, axis=1)
    stray = truth.copy()
    stray[0, 9] = 2
    confusion = metrics.confusion_matrix(truth, stray, 4)
    assert metrics.scene_mean_iou(confusion) == pytest.approx((9 / 10 + 1) / 2)  # 0.95: what the pixel costs class 0
    assert metrics.mean_iou(confusion) == pytest.approx((9 / 10 + 1 + 0) / 3)  # 0.63
    assert metrics.stray_pixels(confusion).tolist() == [0, 0, 1, 0]
    assert metrics.stray_pixels(confusion).dtype == np.int64
    # Over two scenes of which one holds class 2, it is a class like the others.
    other = metrics.confusion_matrix(np.full((1, 4), 2), np.full((1, 4), 2), 4)
    assert metrics.mean_iou(confusion + other) == pytest.approx((9 / 10 + 1 + 4 / 5) / 3)
    assert metrics.stray_pixels(confusion + other).sum() == 0


def test_a_scene_is_scored_by_every_class_of_its_truth_however_small():
    truth = np.array([[0, 0, 0, 1]])
    confusion = metrics.confusion_matrix(truth, np.zeros_like(truth), 2)
    assert metrics.scene_mean_iou(confusion) == pytest.approx((3 / 4 + 0) / 2)
    assert metrics.stray_pixels(confusion).tolist() == [0, 0]
    assert np.isnan(metrics.scene_mean_iou(np.zeros((3, 3), int)))


@settings(deadline=None, max_examples=60)
@given(maps)
def test_the_score_of_a_scene_equals_set_arithmetic_over_the_true_classes(pair):
    truth, prediction = pair
    confusion = metrics.confusion_matrix(truth, prediction, 4)
    ious = [
        ((truth == label) & (prediction == label)).sum() / ((truth == label) | (prediction == label)).sum()
        for label in np.unique(truth)
    ]
    assert metrics.scene_mean_iou(confusion) == pytest.approx(np.mean(ious))
    strays = {label: (prediction == label).sum() for label in np.setdiff1d(prediction, truth)}
    assert metrics.stray_pixels(confusion).tolist() == [strays.get(label, 0) for label in range(4)]


def test_a_stray_speck_does_not_enter_the_boundary_score():
    truth = np.zeros((40, 40), np.uint8)
    truth[:, 20:] = 1
    speck = truth.copy()
    speck[5, 5] = 2
    assert metrics.class_boundary_f(truth, speck, 3, 1.0).tolist()[2] == 0
    score = metrics.boundary_f(truth, speck, 3, 1.0)
    # Class 1 is right; class 0 has 40 true boundary pixels, all found, and four more of its own around the speck.
    assert score == pytest.approx((1 + 2 * (40 / 44) / (40 / 44 + 1)) / 2)
    assert metrics.boundary_f(speck, truth, 3, 1.0) == pytest.approx(score * 2 / 3)  # a class missed is a class of 0


def plain_boundary_f(truth, prediction, label, tolerance):
    """The definition with SciPy: inner boundary by erosion, Euclidean distances."""
    lines = []
    for labels in (truth, prediction):
        mask = labels == label
        lines.append(mask & ~binary_erosion(mask, border_value=1))
    if not lines[0].any() and not lines[1].any():
        return np.nan
    if not lines[0].any() or not lines[1].any():
        return 0.0
    recall = (distance_transform_edt(~lines[1])[lines[0]] <= tolerance).mean()
    precision = (distance_transform_edt(~lines[0])[lines[1]] <= tolerance).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(deadline=None, max_examples=80)
@given(maps, st.sampled_from([0, 1, 1.5, 2, 3]))
def test_boundary_f_equals_the_definition(pair, tolerance):
    truth, prediction = pair
    expected = [plain_boundary_f(truth, prediction, label, tolerance) for label in range(4)]
    np.testing.assert_allclose(metrics.class_boundary_f(truth, prediction, 4, tolerance), expected)


def test_a_shift_beyond_the_tolerance_costs_the_boundary_but_little_iou():
    truth = np.zeros((100, 100), np.uint8)
    truth[:, 50:] = 1
    shifted = np.zeros_like(truth)
    shifted[:, 53:] = 1
    confusion = metrics.confusion_matrix(truth, shifted, 2)
    assert metrics.mean_iou(confusion) == pytest.approx((50 / 53 + 47 / 50) / 2)
    assert metrics.boundary_f(truth, shifted, 2, tolerance=2.0) == 0
    assert metrics.boundary_f(truth, shifted, 2, tolerance=3.0) == 1


def test_default_tolerance_is_three_quarters_of_a_percent_of_the_diagonal():
    assert metrics.default_tolerance((224, 224)) == pytest.approx(2.376, abs=0.001)


def test_a_class_that_fills_the_image_has_no_boundary():
    full = np.zeros((5, 5), np.int64)
    assert np.isnan(metrics.boundary_f(full, full, 3))
    assert not metrics.boundaries(full).any()


def test_a_missing_class_scores_zero():
    spot = np.zeros((9, 9), np.uint8)
    spot[4, 4] = 1
    scores = metrics.class_boundary_f(spot, np.zeros_like(spot), 2, 1.0)
    assert scores.tolist() == [0, 0]


@pytest.mark.parametrize("labels", [np.array([[0, 4]]), np.array([[0, -1]])])
def test_labels_out_of_range_are_refused(labels):
    with pytest.raises(ValueError, match="outside 0 to 3"):
        metrics.confusion_matrix(labels, np.zeros_like(labels), 4)


def test_maps_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        unwrap(metrics.confusion_matrix)(np.zeros((2, 3), int), np.zeros((3, 2), int), 2)


def test_the_boundary_score_handles_64_classes():
    flat = np.zeros((8, 8), np.uint8)
    assert len(metrics.class_boundary_f(flat, flat, 64)) == 64
    with pytest.raises(ValueError, match="at most 64 classes, not 65"):
        metrics.class_boundary_f(flat, flat, 65)
