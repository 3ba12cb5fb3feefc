"""The confusion matrix of a detector: which class was each truth taken for, with background as a class of its own.

Truth and detection are paired without regard to class: the surest detection first takes, of the truths still free, the
one it overlaps best, if the IoU reaches the threshold. A truth that nobody takes was taken for background (missed); a
detection that takes none has taken background for a thing. So each row sums to the truths of a class, and each column
to the detections of a class. The diagonal may hold less than the true positives of AP, which pairs class by class: a
truth that a surer box of another class has taken counts as confused here. Source: the scheme of Ultralytics'
`ConfusionMatrix`, with score in place of IoU as the order, as COCO's matching has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int, Int64

from labs.matching import Detections, Match, Truths, match_coco, overlaps

BACKGROUND = 0  # in place of a class, which are numbered from 1


def pair(detections: Detections, truths: Truths, threshold: float = 0.5) -> Match:
    """Pair the detections and truths of one picture whatever their classes; `truth` in the order of the detections.

    `threshold`: the least IoU, 0 to 1; one exactly there is enough. A detection that finds none, but lies in a crowd
    of its own class, is ignored. ValueError for a threshold outside 0 to 1.

    >>> found = Detections(np.array([[0.0, 0, 8, 10], [0, 0, 8, 8]]), np.array([1, 2]), np.array([0.6, 0.9]))
    >>> pair(found, Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))).truth  # the surer one is of the wrong class
    array([-1,  0])
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"An IoU threshold lies between 0 and 1, not at {threshold:g}.")
    order = np.argsort(-detections.scores, kind="stable")
    overlap = overlaps(detections, truths)
    uncounted = truths.crowd | truths.ignored
    overlap[(detections.labels[:, None] != truths.labels) & uncounted] = -1.0
    found = match_coco(overlap[order], threshold, truths.crowd, truths.ignored)
    truth, spared = np.empty_like(found.truth), np.empty_like(found.ignored)
    truth[order], spared[order] = np.where(found.ignored, -1, found.truth), found.ignored
    return Match(truth, spared)


@dataclass(frozen=True, eq=False)
class Entries:
    """What the matrix counts, one entry a pair: `truth` class and `said` class, BACKGROUND where one is wanting.

    `image`: index of the picture. `detection`, `target`: indices of detection and truth within it, or -1. `scores`:
    of the detections, 0 where there is none.

    >>> two = Entries(*(np.array(each) for each in ([0, 0], [0, -1], [0, 1], [1, 3], [1, 0], [0.9, 0.0])))
    >>> len(two), two.at(3, BACKGROUND)  # the truth of class 3 is missed
    (2, array([1]))
    """

    image: Int[np.ndarray, " n"]
    detection: Int[np.ndarray, " n"]
    target: Int[np.ndarray, " n"]
    truth: Int[np.ndarray, " n"]
    said: Int[np.ndarray, " n"]
    scores: Float[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.image)

    def at(self, truth: int, said: int) -> Int64[np.ndarray, " some"]:
        """The entries of one cell, in their order.

        >>> one = Entries(*(np.array(each) for each in ([0], [0], [-1], [BACKGROUND], [2], [0.9])))
        >>> one.at(BACKGROUND, 2), one.at(2, 2)
        (array([0]), array([], dtype=int64))
        """
        return np.flatnonzero((self.truth == truth) & (self.said == said))


def entries(
    detections: Sequence[Detections], truths: Sequence[Truths], threshold: float = 0.5, score: float = 0.0
) -> Entries:
    """Pair every picture; only detections that score at least `score` count. ValueError if the lists differ in length.

    >>> found = Detections(np.array([[0.0, 0, 8, 10], [50, 0, 58, 9]]), np.array([2, 1]), np.array([0.6, 0.9]))
    >>> all_of = entries([found], [Truths(np.array([[0.0, 0, 8, 10], [20, 0, 28, 10]]), np.array([1, 3]))])
    >>> all_of.truth, all_of.said  # confused, a thing that is none, and missed
    (array([1, 0, 3]), array([2, 1, 0]))
    """
    if len(detections) != len(truths):
        raise ValueError(f"{len(detections)} pictures with detections, but {len(truths)} with truths.")
    rows: list[tuple[int, int, int, int, int, float]] = []
    for image, (found, there) in enumerate(zip(detections, truths, strict=True)):
        some = np.flatnonzero(found.scores >= score)
        paired = pair(found.subset(some), there, threshold)
        for d, g in zip(some[~paired.ignored].tolist(), paired.truth[~paired.ignored].tolist(), strict=True):
            label = int(there.labels[g]) if g >= 0 else BACKGROUND
            rows.append((image, d, g, label, int(found.labels[d]), float(found.scores[d])))
        counted = np.flatnonzero(~(there.crowd | there.ignored))
        missed = counted[~np.isin(counted, paired.truth)].tolist()
        rows += [(image, -1, g, int(there.labels[g]), BACKGROUND, 0.0) for g in missed]
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Entries(*(table[:, column].astype(np.int64) for column in range(5)), table[:, 5])


def above(found: Entries, score: float) -> Entries:
    """Only the detections that score at least `score`; a truth that one of the others had taken is missed.

    The same as leaving them out from the beginning, but for the order: pairing goes from the surest detection down.

    >>> found = Entries(*(np.array(each) for each in ([0], [4], [2], [1], [3], [0.6])))
    >>> above(found, 0.6).said, above(found, 0.7).said
    (array([3]), array([0]))
    """
    weak = (found.detection >= 0) & (found.scores < score)
    keep = ~weak | (found.target >= 0)
    image, target, truth, weak = (each[keep] for each in (found.image, found.target, found.truth, weak))
    detection, said = np.where(weak, -1, found.detection[keep]), np.where(weak, BACKGROUND, found.said[keep])
    return Entries(image, detection, target, truth, said, np.where(weak, 0.0, found.scores[keep]))


def matrix(found: Entries, classes: int) -> Int64[np.ndarray, "rows columns"]:
    """How many entries are in each cell: a row per true class and a column per class said, background last in both.

    The cell of background and background stays empty: nobody can count the boxes that were rightly not drawn.

    >>> found = Entries(*(np.array(each) for each in ([0, 0], [0, -1], [0, 1], [1, 2], [1, BACKGROUND], [0.9, 0.0])))
    >>> matrix(found, classes=2)
    array([[1, 0, 0],
           [0, 0, 1],
           [0, 0, 0]])
    """
    counts = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(counts, ((found.truth - 1) % (classes + 1), (found.said - 1) % (classes + 1)), 1)
    return counts


def shares(counts: Int64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows columns"]:
    """Each row over its sum, so the diagonal is the recall of a class; NaN in a row without an entry.

    The last row says of which classes the detections on background are.

    >>> shares(np.array([[3, 1, 0], [0, 0, 0], [1, 1, 0]]))
    array([[0.75, 0.25, 0.  ],
           [ nan,  nan,  nan],
           [0.5 , 0.5 , 0.  ]])
    """
    sums = counts.sum(axis=1, keepdims=True)
    return np.where(sums > 0, counts / np.maximum(sums, 1), np.nan)


def confused(counts: Int64[np.ndarray, "rows columns"]) -> tuple[int, int] | None:
    """Row and column of the largest count off the diagonal, without background; the first of equals, None if all are 0.

    >>> confused(np.array([[3, 1, 7], [2, 5, 0], [9, 1, 0]]))
    (1, 0)
    """
    inner = counts[:-1, :-1] * ~np.eye(len(counts) - 1, dtype=bool)
    if not inner.any():
        return None
    row, column = np.unravel_index(inner.argmax(), inner.shape)
    return int(row), int(column)
