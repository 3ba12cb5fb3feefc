"""Panoptic quality: how well are all pixels told apart, by class and by thing? PQ = SQ x RQ.

A panoptic map gives each pixel a pair: its class and its identity. It is an integer array (h, w, 2). Pixels of one
class and one identity are a segment; the identity of stuff says nothing, so all sky of a picture is one segment. A
class of `VOID` means that nobody says what is there. A segment of the truth and one of the prediction are a match if
they are of one class and their IoU is above one half. Segments of one map never share a pixel, so none has two matches.

    PQ = sum of the IoU of all matches / (TP + FP / 2 + FN / 2) = SQ x RQ,
    SQ = mean IoU of the matches,    RQ = TP / (TP + FP / 2 + FN / 2), which is F1.

Each class has a PQ of its own, counted over all pictures; the score is the mean over the classes.

Sources: Kirillov et al. 2019, "Panoptic Segmentation", section 4; for the rules of void and crowd also panopticapi.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, Integer

VOID = -1
MOST_IDENTITIES = 2**16
THRESHOLD = 0.5  # a match has an IoU above it


@dataclass(frozen=True, eq=False)
class Segments:
    """All segments of a map: `labels`, `ids` and `areas` in pixels, each (n,), and `numbers` (h, w), the row of each
    pixel's segment, n where the pixel is void."""

    labels: Int64[np.ndarray, " n"]
    ids: Int64[np.ndarray, " n"]
    areas: Int64[np.ndarray, " n"]
    numbers: Int64[np.ndarray, "h w"]


def segments(pairs: Integer[np.ndarray, "h w 2"], things: Collection[int]) -> Segments:
    """The segments of a map, by class, then by identity. `things` are the classes whose identity counts.

    Errors: ValueError for another shape, a class below `VOID`, or an identity outside 0 to 65535.

    >>> found = segments(np.array([[[0, 7], [0, 8], [5, 1], [5, 2], [VOID, 0]]]), things={5})
    >>> found.labels, found.ids, found.areas
    (array([0, 5, 5]), array([0, 1, 2]), array([2, 1, 1]))
    >>> found.numbers
    array([[0, 0, 1, 2, 3]])
    """
    if pairs.ndim != 3 or pairs.shape[2] != 2:
        raise ValueError(f"A panoptic map holds a class and an identity per pixel, (h, w, 2), not {pairs.shape}.")
    labels, ids = pairs[..., 0].astype(np.int64), pairs[..., 1].astype(np.int64)
    void = labels == VOID
    if labels.min(initial=0) < VOID or ids[~void].min(initial=0) < 0 or ids[~void].max(initial=0) >= MOST_IDENTITIES:
        raise ValueError("Classes and identities (65,535 at most) count from 0; a class of -1 means void.")
    counted = np.zeros(int(labels.max(initial=0)) + 1, bool)
    counted[[thing for thing in things if thing < len(counted)]] = True
    ids = np.where(counted[labels], ids, 0)  # void is taken out below, so what -1 finds here does not matter
    span = int(ids.max(initial=0)) + 1
    codes = np.where(void, len(counted) * span, labels * span + ids)
    areas = np.bincount(codes.ravel(), minlength=len(counted) * span + 1)[:-1]
    found = np.flatnonzero(areas)
    rows = np.full(len(areas) + 1, len(found), np.int64)
    rows[found] = np.arange(len(found))
    return Segments(found // span, found % span, areas[found].astype(np.int64), rows[codes])


def intersections(truth: Segments, prediction: Segments) -> Int64[np.ndarray, "truths predictions"]:
    """Pixels that segment t of the truth (row) and segment p of the prediction (column) share. The last row is void in
    the truth, the last column void in the prediction, so both sides are one longer than the segments are many.

    Errors: ValueError for maps of different shapes.

    >>> true = segments(np.array([[[0, 0], [0, 0], [5, 1], [VOID, 0]]]), things={5})
    >>> said = segments(np.array([[[0, 0], [5, 3], [5, 3], [5, 3]]]), things={5})
    >>> intersections(true, said).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    if truth.numbers.shape != prediction.numbers.shape:
        raise ValueError(
            f"Truth and prediction are of one picture, not {truth.numbers.shape} and {prediction.numbers.shape} pixels."
        )
    rows, columns = len(truth.labels) + 1, len(prediction.labels) + 1
    codes = truth.numbers * columns + prediction.numbers
    return np.bincount(codes.ravel(), minlength=rows * columns).reshape(rows, columns).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of every segment of a picture.

    Attributes:
        truth, prediction: the segments of both maps.
        shared: `intersections`, with void last.
        iou: (truths, predictions), 0 where the classes differ.
        matches: (m, 2), rows of truth and prediction that are a match (TP).
        missed: per truth, whether it counts as a false negative (FN).
        wrong: per prediction, whether it counts as a false positive (FP). What is none of these is ignored.

    >>> found = judge(np.array([[[5, 1], [5, 1], [0, 0]]]), np.array([[[5, 4], [0, 0], [0, 0]]]), things={5})
    >>> found.iou.tolist(), found.matched_iou.tolist(), found.missed.tolist(), found.wrong.tolist()
    ([[0.5, 0.0], [0.0, 0.5]], [], [True, True], [True, True])
    """

    truth: Segments
    prediction: Segments
    shared: Int64[np.ndarray, "truths1 predictions1"]
    iou: Float64[np.ndarray, "truths predictions"]
    matches: Int64[np.ndarray, "m 2"]
    missed: Bool[np.ndarray, " truths"]
    wrong: Bool[np.ndarray, " predictions"]

    @property
    def matched_iou(self) -> Float64[np.ndarray, " m"]:
        """IoU of each match."""
        return self.iou[self.matches[:, 0], self.matches[:, 1]]


def judge(
    truth: Integer[np.ndarray, "h w 2"],
    prediction: Integer[np.ndarray, "h w 2"],
    things: Collection[int],
    crowd: Bool[np.ndarray, "h w"] | None = None,
    forgive_void: bool = False,
    threshold: float = THRESHOLD,
) -> Judged:
    """Match the segments of two maps of one picture.

    Void in the truth: such pixels are taken out of a predicted segment before its IoU is computed, and a segment
    without a match of which more than half is void is no false positive. `crowd` marks pixels of the truth where things
    of a class were not told apart: such a segment is matched with nothing and missed by nobody, and a segment of its
    class without a match is no false positive if more than half of it lies on it or on void.

    Void in the prediction costs what it covers, as in COCO's own code (panopticapi). With `forgive_void` it is taken
    out of the true segment, and a true segment of which more than half is void in the prediction is not missed: so does
    torchmetrics. Then a single right pixel in each segment is enough for a PQ of 1.

    `threshold` is one half in every benchmark. From there on a match is unique; below it need not be, and then each
    pair above the threshold is returned.

    >>> true = np.array([[[5, 1]] * 4 + [[0, 0]] * 2])
    >>> said = np.array([[[5, 9]] * 3 + [[0, 0]] * 3])
    >>> found = judge(true, said, things={5})
    >>> found.matches.tolist(), found.matched_iou.round(2).tolist()
    ([[0, 0], [1, 1]], [0.67, 0.75])
    """
    true, said = segments(truth, things), segments(prediction, things)
    shared = intersections(true, said)
    truths, predictions = len(true.labels), len(said.labels)
    on_void, left_void = shared[truths, :predictions], shared[:truths, predictions]
    crowds = np.zeros(truths, bool)
    if crowd is not None:
        crowds[true.numbers[crowd & (true.numbers < truths)]] = True

    inside = shared[:truths, :predictions]
    kept = true.areas - left_void if forgive_void else true.areas
    union = kept[:, None] + (said.areas - on_void)[None] - inside
    alike = (true.labels[:, None] == said.labels[None]) & ~crowds[:, None]
    iou = np.divide(inside, union, out=np.zeros(inside.shape), where=alike & (inside > 0))
    matches = np.argwhere(iou > threshold)

    missed, wrong = ~crowds, np.ones(predictions, bool)
    if forgive_void:
        missed &= left_void / true.areas <= THRESHOLD
    same_crowd = (true.labels[:, None] == said.labels[None]) & crowds[:, None]
    excused = on_void + (inside * same_crowd).sum(0)
    wrong &= excused / np.maximum(said.areas, 1) <= THRESHOLD
    missed[matches[:, 0]] = wrong[matches[:, 1]] = False
    return Judged(true, said, shared, iou, matches, missed, wrong)


@dataclass(frozen=True, eq=False)
class Tally:
    """Per class: the sum of the IoU of its matches, and how many matches, false positives and false negatives it has.
    The tallies of several pictures add up."""

    iou: Float64[np.ndarray, " classes"]
    matches: Int64[np.ndarray, " classes"]
    wrong: Int64[np.ndarray, " classes"]
    missed: Int64[np.ndarray, " classes"]

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.iou + other.iou,
            self.matches + other.matches,
            self.wrong + other.wrong,
            self.missed + other.missed,
        )


def tally(judged: Judged, classes: int) -> Tally:
    """Count one picture. Classes are 0 to `classes` - 1.

    >>> true, said = np.array([[[1, 1]] * 3 + [[0, 0]]]), np.array([[[1, 1]] * 2 + [[0, 0]] * 2])
    >>> found = tally(judge(true, said, things={1}), 2)
    >>> found.iou.round(2).tolist(), found.matches.tolist(), found.wrong.tolist(), found.missed.tolist()
    ([0.0, 0.67], [0, 1], [1, 0], [1, 0])
    """
    hits = judged.truth.labels[judged.matches[:, 0]]
    return Tally(
        np.bincount(hits, judged.matched_iou, minlength=classes).astype(np.float64),
        np.bincount(hits, minlength=classes).astype(np.int64),
        np.bincount(judged.prediction.labels[judged.wrong], minlength=classes).astype(np.int64),
        np.bincount(judged.truth.labels[judged.missed], minlength=classes).astype(np.int64),
    )


@dataclass(frozen=True, eq=False)
class Quality:
    """`pq`, `sq` and `rq` of each class, 0 to 1, NaN for a class without any segment.

    >>> each = np.array([0.8, 0.4, np.nan])
    >>> [round(value, 2) for value in Quality(each, each, each).mean()], Quality(each, each, each).mean([1, 2])[0]
    ([0.6, 0.6, 0.6], 0.4)
    """

    pq: Float64[np.ndarray, " classes"]
    sq: Float64[np.ndarray, " classes"]
    rq: Float64[np.ndarray, " classes"]

    def mean(self, classes: Collection[int] | None = None) -> tuple[float, float, float]:
        """Means of PQ, SQ and RQ over these classes (None: all) as far as they have segments; NaN if none has.

        The mean of products is not the product of means: over several classes PQ need not be SQ x RQ.
        """
        chosen = np.arange(len(self.pq)) if classes is None else np.array(sorted(classes), np.int64)
        chosen = chosen[~np.isnan(self.pq[chosen])]
        if not len(chosen):
            return np.nan, np.nan, np.nan
        return float(self.pq[chosen].mean()), float(self.sq[chosen].mean()), float(self.rq[chosen].mean())


def quality(counted: Tally) -> Quality:
    """PQ, SQ and RQ of each class. A class with segments and without a match has 0 of each.

    >>> one = Tally(np.array([1.6, 0.0]), np.array([2, 0]), np.array([1, 0]), np.array([1, 0]))
    >>> [values.round(3) for values in (quality(one).pq, quality(one).sq, quality(one).rq)]
    [array([0.533,   nan]), array([0.8, nan]), array([0.667,   nan])]
    """
    weight = counted.matches + counted.wrong / 2 + counted.missed / 2
    there = weight > 0
    recognition = np.divide(counted.matches, weight, out=np.full(len(weight), np.nan), where=there)
    overlap = np.divide(counted.iou, counted.matches, out=np.where(there, 0.0, np.nan), where=counted.matches > 0)
    return Quality(overlap * recognition, overlap, recognition)
