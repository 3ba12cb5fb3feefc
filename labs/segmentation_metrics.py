"""How good is a segmentation: overlap (IoU), pixel accuracy, and agreement of the boundaries.

Label maps hold values 0 .. classes-1. Row t, column p of a confusion counts the pixels of true class t predicted as p.

Over which classes is the mean? Over many scenes every class is somewhere in the truth, and `mean_iou` of the summed
confusion is the usual mIoU. One scene has a few of the classes only: one pixel of a class that is not there would count
as a whole class with IoU 0. So one scene is scored over the classes of its truth (`scene_mean_iou`, `boundary_f`), and
what was seen beyond them is named beside the score (`stray_pixels`).

Sources: Everingham et al. 2010 (per-class IoU), Csurka et al. 2013 (boundary F-score).
"""

import numpy as np
from jaxtyping import Bool, Float64, Int64, Integer, UInt64

TOLERANCE = 0.0075  # of the image diagonal: Csurka et al. 2013


def confusion_matrix(
    truth: Integer[np.ndarray, "h w"], prediction: Integer[np.ndarray, "h w"], classes: int
) -> Int64[np.ndarray, "classes classes"]:
    """Count pixels: entry [t, p] is the number of pixels of true class t predicted as p.

    Matrices of several images add up. Errors: ValueError for different shapes or a label outside 0 .. classes-1.

    >>> confusion_matrix(np.array([[0, 0, 0, 1]]), np.array([[0, 0, 1, 1]]), classes=3)
    array([[2, 1, 0],
           [0, 1, 0],
           [0, 0, 0]])
    """
    _check(truth, prediction)
    if truth.size and (min(truth.min(), prediction.min()) < 0 or max(truth.max(), prediction.max()) >= classes):
        raise ValueError(f"A label map holds a value outside 0 to {classes - 1}.")
    codes = truth.astype(np.intp) * classes + prediction
    return np.bincount(codes.ravel(), minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def class_iou(confusion: Integer[np.ndarray, "classes classes"]) -> Float64[np.ndarray, " classes"]:
    """Intersection over union of every class, 0 .. 1; NaN where a class is in neither map.

    >>> class_iou(np.array([[2, 1, 0], [0, 1, 0], [0, 0, 0]])).round(3)
    array([0.667, 0.5  ,   nan])
    """
    hits = np.diag(confusion).astype(np.float64)
    union = confusion.sum(0) + confusion.sum(1) - hits
    return np.divide(hits, union, out=np.full_like(hits, np.nan), where=union > 0)


def mean_iou(confusion: Integer[np.ndarray, "classes classes"]) -> float:
    """Mean of `class_iou` over the classes that occur in the truth or in the prediction; NaN without pixels.

    For a confusion summed over many scenes; `scene_mean_iou` judges a single one.

    >>> mean_iou(np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]]))  # class 2 was seen once and is not there: (¾ + 1 + 0) / 3
    0.5833333333333334
    """
    return _mean_of_defined(class_iou(confusion))


def scene_mean_iou(confusion: Integer[np.ndarray, "classes classes"]) -> float:
    """Mean of `class_iou` over the classes of the truth alone; NaN without pixels.

    A pixel of a stray class still costs the true class that it is taken from, in the intersection.

    >>> scene_mean_iou(np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]]))  # (¾ + 1) / 2
    0.875
    """
    return _mean_of_defined(class_iou(confusion)[confusion.sum(1) > 0])


def stray_pixels(confusion: Integer[np.ndarray, "classes classes"]) -> Int64[np.ndarray, " classes"]:
    """Pixels predicted as a class that the truth does not hold: 0 for every class of the truth.

    >>> stray_pixels(np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]]))
    array([0, 0, 1])
    """
    return np.where(confusion.sum(1) > 0, 0, confusion.sum(0))


def pixel_accuracy(confusion: Integer[np.ndarray, "classes classes"]) -> float:
    """Share of the pixels with the right class, 0 .. 1; NaN without pixels.

    >>> pixel_accuracy(np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]]))
    0.875
    """
    total = confusion.sum()
    return float(np.trace(confusion) / total) if total else float("nan")


def boundaries(labels: Integer[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Pixels that touch a pixel of another class above, below, left or right. The image's rim alone is no boundary.

    >>> boundaries(np.array([[0, 0, 0, 1]]))
    array([[False, False,  True,  True]])
    """
    edge = np.zeros(labels.shape, dtype=bool)
    across = labels[:, 1:] != labels[:, :-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    down = labels[1:] != labels[:-1]
    edge[1:] |= down
    edge[:-1] |= down
    return edge


def default_tolerance(shape: tuple[int, int]) -> float:
    """Csurka's tolerance in pixels: 0.75 % of the image diagonal.

    >>> round(default_tolerance((224, 224)), 2)
    2.38
    """
    return TOLERANCE * float(np.hypot(*shape))


def class_boundary_f(
    truth: Integer[np.ndarray, "h w"],
    prediction: Integer[np.ndarray, "h w"],
    classes: int,
    tolerance: float | None = None,
) -> Float64[np.ndarray, " classes"]:
    """Boundary F-score 2PR/(P+R) of every class, 0 .. 1 (Csurka et al. 2013, section 3).

    Precision P: share of the predicted boundary pixels at most `tolerance` pixels (Euclidean) from the class's true
    boundary. Recall R: the other way round. `tolerance` defaults to `default_tolerance`. NaN where the class has no
    boundary in either map, 0 where it has one in only one of them.

    >>> truth, shifted = np.array([[0, 0, 1, 1, 1]]), np.array([[0, 1, 1, 1, 1]])
    >>> class_boundary_f(truth, shifted, classes=2, tolerance=0.0), class_boundary_f(truth, shifted, 2, tolerance=1.0)
    (array([0., 0.]), array([1., 1.]))
    """
    _check(truth, prediction)
    if classes > 64:
        raise ValueError(f"The boundary score handles at most 64 classes, not {classes}.")
    tolerance = default_tolerance(truth.shape) if tolerance is None else tolerance
    true_lines, predicted_lines = _lines(truth), _lines(prediction)
    precision = _share_near(prediction, predicted_lines, true_lines, classes, tolerance)
    recall = _share_near(truth, true_lines, predicted_lines, classes, tolerance)
    # a class with a boundary in one map only has a share of 0 there and none (NaN) in the other
    one_sided = np.isnan(precision) ^ np.isnan(recall)
    total = precision + recall
    scores = np.divide(2 * precision * recall, total, out=np.where(np.isnan(total), np.nan, 0.0), where=total > 0)
    scores[one_sided] = 0.0
    return scores


def boundary_f(
    truth: Integer[np.ndarray, "h w"],
    prediction: Integer[np.ndarray, "h w"],
    classes: int,
    tolerance: float | None = None,
) -> float:
    """Mean of `class_boundary_f` over the classes of the truth; NaN if none of them has a boundary in either map.

    Per image, as Csurka et al. propose; over a data set, average the images. Stray classes have no true boundary that
    could be hit or missed: `stray_pixels` counts them.

    >>> boundary_f(np.array([[0, 0, 1, 1, 1]]), np.array([[0, 1, 1, 1, 1]]), classes=2, tolerance=1.0)
    1.0
    """
    scores = class_boundary_f(truth, prediction, classes, tolerance)
    return _mean_of_defined(scores[np.unique(truth)])


def _lines(labels: Integer[np.ndarray, "h w"]) -> UInt64[np.ndarray, "h w"]:
    """The boundaries of all classes in one map: bit c is set where a boundary pixel of class c is."""
    return np.where(boundaries(labels), np.left_shift(np.uint64(1), labels.astype(np.uint64)), np.uint64(0))


def _share_near(
    labels: Integer[np.ndarray, "h w"],
    lines: UInt64[np.ndarray, "h w"],
    targets: UInt64[np.ndarray, "h w"],
    classes: int,
    tolerance: float,
) -> Float64[np.ndarray, " classes"]:
    """Per class, the share of its pixels in `lines` that have one of `targets` within the tolerance; NaN if none."""
    height, width = labels.shape
    reach = int(tolerance)
    padded = np.pad(targets, reach)
    near = np.zeros_like(targets)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dy * dy + dx * dx <= tolerance * tolerance:
                near |= padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
    counted = np.bincount(labels[lines > 0], minlength=classes)
    found = np.bincount(labels[(lines & near) > 0], minlength=classes)
    return np.divide(found, counted, out=np.full(classes, np.nan), where=counted > 0)


def _mean_of_defined(values: Float64[np.ndarray, " classes"]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _check(truth: np.ndarray, prediction: np.ndarray) -> None:
    if truth.shape != prediction.shape or truth.ndim != 2:
        raise ValueError(
            f"Two label maps of one shape (height, width) are needed, got {truth.shape} and {prediction.shape}."
        )
