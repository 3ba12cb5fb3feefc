"""How good are persons made of joints? Object keypoint similarity in place of IoU, and the share of joints found.

Truth is (g, joints, 3): x, y in pixels and a third number above 0 where the joint counts. Found persons are (n, joints,
3), best first; only x and y are read. Sources: COCO's keypoint task (Lin et al. 2014, pycocotools), Yang and Ramanan
2013 (PCK).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from labs.average_precision import coco_101_point, precision_recall
from labs.matching import match_coco

THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))  # of OKS, as of IoU


@dataclass(frozen=True, eq=False)
class Judged:
    """One picture: `scores` (n,) of the found persons, best first; `oks` (n, g); `ignored` (g,): neither a hit nor a
    miss, and any number may be taken for it."""

    scores: Float[np.ndarray, " n"]
    oks: Float[np.ndarray, "n g"]
    ignored: Bool[np.ndarray, " g"]


def similarities(
    found: Float[np.ndarray, "n joints 3"],
    truth: Float[np.ndarray, "g joints 3"],
    areas: Float[np.ndarray, " g"],
    sigmas: Float[np.ndarray, " joints"],
) -> Float64[np.ndarray, "n g joints"]:
    """How alike each joint is, 0 to 1: exp(-d² / 2 s² k²), whether it counts or not.

    d is the distance in pixels, s² the person's area in square pixels, k = 2σ a constant of the kind of joint: so far
    apart are two annotators' marks, in units of s.

    >>> truth = np.array([[[0.0, 0, 2], [10, 0, 2]]])
    >>> similarities(truth + [0, 6, 0], truth, np.array([900.0]), np.array([0.1, 0.2])).round(4)
    array([[[0.6065, 0.8825]]])
    """
    away = ((found[:, None, :, :2] - truth[None, :, :, :2]) ** 2).sum(-1)
    return np.asarray(np.exp(-away / (2 * (areas[:, None] + np.spacing(1)) * (2 * sigmas) ** 2)), np.float64)


def oks(
    found: Float[np.ndarray, "n joints 3"],
    truth: Float[np.ndarray, "g joints 3"],
    areas: Float[np.ndarray, " g"],
    sigmas: Float[np.ndarray, " joints"],
) -> Float64[np.ndarray, "n g"]:
    """Object keypoint similarity, 0 to 1: the mean of `similarities` over the truth's joints that count.

    Without a joint that counts it is 0.

    >>> truth = np.array([[[0.0, 0, 2], [10, 0, 2]]])
    >>> oks(truth + [0, 6, 0], truth, np.array([900.0]), np.array([0.1, 0.1])).round(4)
    array([[0.6065]])
    """
    similar = similarities(found, truth, areas, sigmas)
    counts = truth[None, :, :, 2] > 0
    return np.asarray((similar * counts).sum(-1) / np.maximum(counts.sum(-1), 1), np.float64)


def average_precision(pictures: Sequence[Judged], threshold: float) -> float:
    """COCO's AP of all pictures at one threshold of OKS, 0 to 1; NaN without a person to find.

    >>> one = Judged(np.array([0.9, 0.8]), np.array([[0.7], [0.6]]), np.array([False]))
    >>> round(average_precision([one], 0.5), 2), average_precision([one], 0.75)
    (1.0, 0.0)
    """
    true, scores, count = [], [], 0
    for each in pictures:
        match = match_coco(each.oks, threshold, each.ignored, each.ignored)
        true.append(match.truth[~match.ignored] >= 0)
        scores.append(each.scores[~match.ignored])
        count += int((~each.ignored).sum())
    if not count:
        return float("nan")
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return coco_101_point(*precision_recall(np.concatenate(true)[order], count))


def mean_average_precision(pictures: Sequence[Judged]) -> float:
    """The mean of AP over THRESHOLDS, what COCO calls AP.

    >>> one = Judged(np.array([0.9]), np.array([[0.72]]), np.array([False]))
    >>> round(mean_average_precision([one]), 2)
    0.5
    """
    return float(np.mean([average_precision(pictures, threshold) for threshold in THRESHOLDS]))


def partners(judged: Judged, threshold: float = 0.5) -> Int64[np.ndarray, " n"]:
    """The truth that each found person is, by COCO's rule at a threshold of OKS, or -1.

    >>> partners(Judged(np.array([0.9, 0.8]), np.array([[0.2, 0.7], [0.1, 0.9]]), np.array([False, False])))
    array([ 1, -1])
    """
    return match_coco(judged.oks, threshold, judged.ignored, judged.ignored).truth


def joints_found(
    found: Float[np.ndarray, "n joints 3"],
    truth: Float[np.ndarray, "g joints 3"],
    of: Int64[np.ndarray, " n"],
    reach: Float[np.ndarray, " g"],
) -> Bool[np.ndarray, "g joints"]:
    """Which joints of the truth lie within `reach` pixels of the same joint of the person found for it, as `of` says.

    PCK is their share among those that count.

    >>> truth = np.array([[[0.0, 0, 2], [10, 0, 2]]])
    >>> joints_found(truth + [[3, 4, 0], [0, 6, 0]], truth, np.array([0]), np.array([5.0]))
    array([[ True, False]])
    """
    near = np.zeros(truth.shape[:2], bool)
    for person, which in zip(found, of, strict=True):
        if which >= 0:
            away = np.hypot(*(person[:, :2] - truth[which, :, :2]).T)
            near[which] = (away <= reach[which]) & (truth[which, :, 2] > 0)
    return near
