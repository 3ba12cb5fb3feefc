"""How far two people agree who marked the same picture: boxes paired one to one, pixels counted.

Neither of the two is the truth, so the figures are the same whichever comes first. A thing that only one of them has
marked is a disagreement, whoever is right.

Sources: Kuhn 1955 (the best pairs), Cohen 1960 (agreement beyond chance).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64, Integer
from scipy.optimize import linear_sum_assignment

from labs import boxes as box_geometry
from labs.matching import Truths


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two drawings of one picture, with n and m boxes.

    Attributes:
        overlap: IoU of every box of the first with every box of the second, 0 to 1.
        pairs: indices of the boxes that mark the same thing, in the order of the first.
        ious: of the pairs. same_class: whether both gave it the same class.
        only_first, only_second: indices of the boxes without a partner.
    """

    overlap: Float64[np.ndarray, "n m"]
    pairs: Int64[np.ndarray, "p 2"]
    ious: Float64[np.ndarray, " p"]
    same_class: Bool[np.ndarray, " p"]
    only_first: Int64[np.ndarray, " a"]
    only_second: Int64[np.ndarray, " b"]

    @property
    def f1(self) -> float:
        """Share of all boxes that have a partner of the same class, 2 p / (n + m), 0 to 1; NaN without a box.

        >>> mine = Truths(np.array([[0.0, 0.0, 10.0, 10.0], [20.0, 20.0, 30.0, 30.0]]), np.array([1, 1]))
        >>> compare(mine, Truths(mine.boxes[:1], mine.labels[:1])).f1
        0.6666666666666666
        """
        boxes = sum(self.overlap.shape)
        return 2 * int(self.same_class.sum()) / boxes if boxes else float("nan")

    @property
    def mean_iou(self) -> float:
        """Mean IoU of the pairs, 0 to 1: how alike the boxes are where both saw a thing; NaN without a pair."""
        return float(self.ious.mean()) if len(self.ious) else float("nan")


def compare(first: Truths, second: Truths, threshold: float = 0.5) -> Agreement:
    """Pair the boxes of two drawings, each box at most once, where their IoU reaches the threshold (equal is enough).

    Of all ways to pair them the one with the most pairs of the same class and, of those, with the largest sum of IoU:
    nobody is surer than the other, so no order can decide as scores do in `labs.matching`. Boxes xyxy in pixels.
    Source: Kuhn 1955; `scipy.optimize.linear_sum_assignment`. Errors: ValueError for a threshold that is not above 0
    and at most 1.

    >>> mine = Truths(np.array([[0.0, 0, 8, 8], [20, 0, 28, 8]]), np.array([1, 2]))
    >>> yours = Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))
    >>> found = compare(mine, yours)
    >>> found.pairs, found.ious, found.only_first, round(found.f1, 3)
    (array([[0, 0]]), array([0.8]), array([1]), 0.667)
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"Boxes are paired from an IoU above 0 and up to 1 on, not {threshold:g}.")
    overlap = overlaps(first.boxes, second.boxes)
    alike = first.labels[:, None] == second.labels[None]
    # One pair of the same class outweighs any sum of IoU.
    worth = np.where(overlap >= threshold, overlap + (1 + min(overlap.shape, default=0)) * alike, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    taken = worth[rows, columns] > 0
    pairs = np.stack([rows[taken], columns[taken]], axis=1).astype(np.int64)
    mine, yours = pairs.T
    return Agreement(
        overlap,
        pairs,
        overlap[mine, yours],
        alike[mine, yours],
        np.setdiff1d(np.arange(len(first.labels)), mine),
        np.setdiff1d(np.arange(len(second.labels)), yours),
    )


def overlaps(first: np.ndarray, second: np.ndarray) -> Float64[np.ndarray, "n m"]:
    """IoU of every box of (n, 4) with every box of (m, 4), xyxy in pixels, 0 to 1.

    >>> overlaps(np.array([[0, 0, 8, 8]]), np.array([[0, 0, 8, 10], [8, 8, 9, 9]]))
    array([[0.8, 0. ]])
    """
    a, b = (torch.as_tensor(boxes, dtype=torch.float64).reshape(-1, 4) for boxes in (first, second))
    return box_geometry.iou_matrix(a, b).numpy()


def pairwise(drawings: Sequence[Truths], threshold: float = 0.5) -> Float64[np.ndarray, "k k"]:
    """`Agreement.f1` of every drawing of a picture with every other one, symmetric; NaN where neither has a box.

    >>> one, none = Truths(np.array([[0.0, 0, 8, 8]]), np.array([1])), Truths(np.zeros((0, 4)), np.zeros(0, int))
    >>> pairwise([one, one, none])
    array([[ 1.,  1.,  0.],
           [ 1.,  1.,  0.],
           [ 0.,  0., nan]])
    """
    found = np.empty((len(drawings), len(drawings)))
    for i, first in enumerate(drawings):
        for j in range(i, len(drawings)):
            found[i, j] = found[j, i] = compare(first, drawings[j], threshold).f1
    return found


def kappa(confusion: Integer[np.ndarray, "classes classes"]) -> float:
    """Cohen's kappa of two label maps: the agreement beyond what chance alone would give, at most 1; 0 is chance.

    Row t, column p counts the pixels that the first gave class t and the second class p
    (`labs.segmentation_metrics.confusion_matrix`). NaN without pixels, or where both gave all pixels one class.
    `sklearn.metrics.cohen_kappa_score`.

    >>> round(kappa(np.array([[20, 5], [10, 15]])), 2)  # 0.7 observed, 0.5 by chance
    0.4
    """
    total = confusion.sum()
    if not total:
        return float("nan")
    observed = np.trace(confusion) / total
    chance = float(confusion.sum(0) @ confusion.sum(1)) / float(total) ** 2
    return float((observed - chance) / (1 - chance)) if chance < 1 else float("nan")
