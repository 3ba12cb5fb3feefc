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
    assert metrics.boundary_f(truth, shifted, 2, tolerance=2) == 0
    assert metrics.boundary_f(truth, shifted, 2, tolerance=3) == 1


def test_default_tolerance_is_three_quarters_of_a_percent_of_the_diagonal():
    assert metrics.default_tolerance((224, 224)) == pytest.approx(2.376, abs=0.001)


def test_a_class_that_fills_the_image_has_no_boundary():
    full = np.zeros((5, 5), np.int64)
    assert np.isnan(metrics.boundary_f(full, full, 3))
    assert not metrics.boundaries(full).any()


def test_a_missing_class_scores_zero():
    spot = np.zeros((9, 9), np.uint8)
    spot[4, 4] = 1
    scores = metrics.class_boundary_f(spot, np.zeros_like(spot), 2, 1)
    assert scores.tolist() == [0, 0]


@pytest.mark.parametrize("labels", [np.array([[0, 4]]), np.array([[0, -1]])])
def test_labels_out_of_range_are_refused(labels):
    with pytest.raises(ValueError, match="outside 0 to 3"):
        metrics.confusion_matrix(labels, np.zeros_like(labels), 4)


def test_maps_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        metrics.confusion_matrix(np.zeros((2, 3), int), np.zeros((3, 2), int), 2)


def test_the_boundary_score_handles_64_classes():
    flat = np.zeros((8, 8), np.uint8)
    assert len(metrics.class_boundary_f(flat, flat, 64)) == 64
    with pytest.raises(ValueError, match="at most 64 classes, not 65"):
        metrics.class_boundary_f(flat, flat, 65)
