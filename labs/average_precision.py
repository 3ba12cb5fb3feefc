"""Precision, recall, and the rules that make one number of them: VOC's two, COCO's, AP@[.5:.95], and AR.

The detections of all pictures stand in one ranking, best score first. After each one: precision = true detections / all
detections so far, recall = true detections / ground truths. AP is some area under that curve; which one is the rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Real

from labs.matching import Detections, Truths, match, overlaps

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)  # as pycocotools makes them: .5, .55, ... .95
ELEVEN_RECALLS = np.arange(11) / 10
COCO_RECALLS = np.linspace(0.0, 1.0, 101)
# COCO's size ranges in square pixels of the truth's area, both ends inside.
AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


@dataclass(frozen=True, eq=False)
class Comparison:
    """One class in one picture: its detections best score first, its truths, and how they overlap.

    `image`: index of the picture. `detection`, `truth`: indices in its `Detections` and its `Truths`. `sizes`: areas of
    the detections, `areas`: those of the truths, both in square pixels.
    """

    image: int
    detection: Int[np.ndarray, " d"]
    scores: Float[np.ndarray, " d"]
    sizes: Float64[np.ndarray, " d"]
    overlap: Float64[np.ndarray, "d g"]
    truth: Int[np.ndarray, " g"]
    crowd: Bool[np.ndarray, " g"]
    ignored: Bool[np.ndarray, " g"]
    areas: Real[np.ndarray, " g"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """All detections of a class that count, best score first; equal scores in the order of the pictures.

    `true`: found a truth. `detection`: index within its picture. `truth`: index within its picture of the truth it
    found, or -1. `iou`: with its best truth of the class. `truths`: how many there are.
    """

    scores: Float[np.ndarray, " d"]
    true: Bool[np.ndarray, " d"]
    image: Int[np.ndarray, " d"]
    detection: Int[np.ndarray, " d"]
    truth: Int[np.ndarray, " d"]
    iou: Float64[np.ndarray, " d"]
    truths: int

    def __len__(self) -> int:
        return len(self.scores)


def compare(detections: Sequence[Detections], truths: Sequence[Truths], label: int) -> list[Comparison]:
    """The pictures in which a class was detected or is present. ValueError if the lists differ in length.

    >>> found = Detections(np.array([[0.0, 0, 8, 8], [0, 0, 8, 10]]), np.array([1, 1]), np.array([0.6, 0.9]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))
    >>> picture = compare([found], [there], label=1)[0]
    >>> picture.detection, picture.scores, picture.overlap
    (array([1, 0]), array([0.9, 0.6]), array([[1. ],
           [0.8]]))
    """
    if len(detections) != len(truths):
        raise ValueError(f"{len(detections)} pictures with detections, but {len(truths)} with truths.")
    result = []
    for image, (found, there) in enumerate(zip(detections, truths, strict=True)):
        order = np.argsort(-found.scores, kind="stable")
        mine, theirs = order[found.labels[order] == label], np.flatnonzero(there.labels == label)
        if len(mine) == len(theirs) == 0:
            continue
        some = found.subset(mine)
        targets = Truths(there.boxes[theirs], there.labels[theirs], there.crowd[theirs])
        sides = some.boxes[:, 2:].astype(np.float64) - some.boxes[:, :2]
        flags = there.crowd[theirs], there.ignored[theirs]
        overlap, sizes = overlaps(some, targets), sides.prod(axis=1)
        result.append(Comparison(image, mine, some.scores, sizes, overlap, theirs, *flags, there.areas[theirs]))
    return result


def rank(
    comparisons: Sequence[Comparison],
    iou_threshold: float = 0.5,
    rule: str = "COCO",
    area_range: tuple[float, float] = AREAS["all"],
    most: int = 100,
) -> Ranking:
    """Match every picture and put the detections of all of them in one ranking.

    `rule`: "COCO" or "VOC", see `labs.matching`. Truths outside `area_range` (square pixels, ends inside) are ignored,
    and so are detections outside it that found nothing. `most`: of each picture only so many detections, the best.
    Ignored detections do not appear in the ranking, ignored truths are not counted.

    >>> found = Detections(np.array([[0.0, 0, 8, 8], [0, 0, 8, 10]]), np.array([1, 1]), np.array([0.6, 0.9]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))
    >>> ranking = rank(compare([found], [there], label=1))
    >>> ranking.scores, ranking.true, ranking.truths  # the second one is a duplicate
    (array([0.9, 0.6]), array([ True, False]), 1)
    """
    low, high = area_range
    columns, truths = [], 0
    for each in comparisons:
        uncounted = each.crowd | each.ignored | (each.areas < low) | (each.areas > high)
        truths += int((~uncounted).sum())
        overlap, scores = each.overlap[:most], each.scores[:most]
        found = match(rule, overlap, iou_threshold, each.crowd, uncounted)
        outside = (each.sizes[:most] < low) | (each.sizes[:most] > high)
        counts = ~(found.ignored | ((found.truth < 0) & outside))
        hit = found.truth >= 0
        truth = np.where(hit, each.truth[found.truth] if len(each.truth) else -1, -1)
        best = overlap.max(axis=1) if overlap.shape[1] else np.zeros(len(overlap))
        image = np.full(len(scores), each.image)
        columns.append([column[counts] for column in (scores, hit, image, each.detection[:most], truth, best)])
    if not columns:
        return Ranking(np.zeros(0), np.zeros(0, bool), *(np.zeros(0, np.int64) for _ in range(3)), np.zeros(0), 0)
    joined = [np.concatenate(column) for column in zip(*columns, strict=True)]
    order = np.argsort(-joined[0], kind="stable")
    return Ranking(*(column[order] for column in joined), truths)


def precision_recall(
    true: Bool[np.ndarray, " d"], truths: int
) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " d"]]:
    """Precision and recall, 0 to 1, after each detection of a ranking, best score first.

    Errors: ValueError if there are no truths: recall is not defined then.

    >>> precision_recall(np.array([True, False, True, False]), truths=4)
    (array([1.        , 0.5       , 0.66666667, 0.5       ]), array([0.25, 0.25, 0.5 , 0.5 ]))
    """
    if truths < 1:
        raise ValueError("Recall needs at least one ground truth.")
    hits = np.cumsum(true)
    return hits / np.arange(1, len(true) + 1), hits / truths


@dataclass(frozen=True)
class Confusion:
    """What a detector does at one score threshold.

    `true` (TP), `false` (FP) and `missed` (FN) detections and truths. There are no true negatives: nobody can count the
    boxes without a thing in them that the detector did not draw.

    >>> three = Confusion(true=3, false=1, missed=2)
    >>> three.precision, three.recall, round(three.f1, 4)
    (0.75, 0.6, 0.6667)
    """

    true: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        """True detections / all detections, 0 to 1; NaN without a detection."""
        return self.true / (self.true + self.false) if self.true + self.false else float("nan")

    @property
    def recall(self) -> float:
        """True detections / truths, 0 to 1; NaN without a truth."""
        return self.true / (self.true + self.missed) if self.true + self.missed else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); NaN with neither detection nor truth."""
        whole = 2 * self.true + self.false + self.missed
        return 2 * self.true / whole if whole else float("nan")


def above(ranking: Ranking, score: float) -> int:
    """How many detections reach the score threshold: they are the first of the ranking. At the threshold is enough.

    >>> found = Detections(np.array([[0.0, 0, 8, 8], [0, 0, 8, 10]]), np.array([1, 1]), np.array([0.6, 0.9]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))
    >>> [above(rank(compare([found], [there], label=1)), score) for score in (0.5, 0.75, 1.0)]
    [2, 1, 0]
    """
    return int((ranking.scores >= score).sum())


def confusion(true: Bool[np.ndarray, " d"], truths: int) -> Confusion:
    """The counts of a ranking, or of the part of it above a score threshold.

    >>> confusion(np.array([True, False, True, False]), truths=3)
    Confusion(true=2, false=2, missed=1)
    """
    hits = int(true.sum())
    return Confusion(hits, len(true) - hits, truths - hits)


def envelope(precision: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
    """The best precision at this recall or any higher one: the curve without its dips.

    >>> envelope(np.array([1.0, 0.5, 0.75, 0.6]))
    array([1.  , 0.75, 0.75, 0.6 ])
    """
    return np.maximum.accumulate(precision[::-1])[::-1]


def sampled(
    precision: Float[np.ndarray, " d"], recall: Float[np.ndarray, " d"], at: Float[np.ndarray, " r"]
) -> Float[np.ndarray, " r"]:
    """The envelope at the recalls `at`: the best precision where recall is at least that, 0 beyond the curve.

    >>> sampled(np.array([1.0, 0.5, 0.75]), np.array([0.25, 0.25, 0.5]), at=np.array([0.2, 0.4, 0.6]))
    array([1.  , 0.75, 0.  ])
    """
    first = np.searchsorted(recall, at, side="left")
    return np.append(envelope(precision), 0.0)[first]


def voc07_11_point(precision: Float[np.ndarray, " d"], recall: Float[np.ndarray, " d"]) -> float:
    """Mean of the envelope at recall 0, 0.1, ... 1 (VOC until 2009; Everingham et al. 2010, section 4.2).

    >>> round(voc07_11_point(np.array([1.0]), np.array([0.5])), 4)  # one of two truths found, nothing else said
    0.5455
    """
    return float(sampled(precision, recall, ELEVEN_RECALLS).mean())


def voc_all_point(precision: Float[np.ndarray, " d"], recall: Float[np.ndarray, " d"]) -> float:
    """Area under the envelope, exactly (VOC from 2010; Everingham et al. 2015).

    >>> round(voc_all_point(np.array([1.0]), np.array([0.5])), 4)  # one of two truths found, nothing else said
    0.5
    """
    return float((np.diff(recall, prepend=0.0) * envelope(precision)).sum())


def coco_101_point(precision: Float[np.ndarray, " d"], recall: Float[np.ndarray, " d"]) -> float:
    """Mean of the envelope at recall 0, 0.01, ... 1 (COCO, Lin et al. 2014).

    >>> round(coco_101_point(np.array([1.0]), np.array([0.5])), 4)  # one of two truths found, nothing else said
    0.505
    """
    return float(sampled(precision, recall, COCO_RECALLS).mean())


AP_RULES = {"VOC07 11-point": voc07_11_point, "VOC all-point": voc_all_point, "COCO 101-point": coco_101_point}


def average_precision(ranking: Ranking, rule: str = "COCO 101-point") -> float:
    """AP of a ranking by the named rule of AP_RULES, 0 to 1. NaN without a truth, 0 without a detection.

    >>> found = Detections(np.array([[0.0, 0, 8, 8]]), np.array([1]), np.array([0.6]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10], [20, 0, 28, 10]]), np.array([1, 1]))
    >>> average_precision(rank(compare([found], [there], label=1)), "VOC all-point")
    0.5
    """
    if not ranking.truths:
        return float("nan")
    return AP_RULES[rule](*precision_recall(ranking.true, ranking.truths))


def final_recall(ranking: Ranking) -> float:
    """The recall that all detections together reach, 0 to 1; NaN without a truth.

    >>> found = Detections(np.array([[0.0, 0, 8, 8]]), np.array([1]), np.array([0.6]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10], [20, 0, 28, 10]]), np.array([1, 1]))
    >>> comparisons = compare([found], [there], label=1)
    >>> final_recall(rank(comparisons, 0.5)), final_recall(rank(comparisons, 0.9))  # its IoU is 0.8
    (0.5, 0.0)
    """
    return float(ranking.true.sum() / ranking.truths) if ranking.truths else float("nan")


@dataclass(frozen=True, eq=False)
class Summary:
    """COCO's figures of a data set: `ap` and `recall` per IoU threshold of IOU_THRESHOLDS and class.

    NaN marks a class without truths, which no mean counts (COCO writes -1). All figures 0 to 1, or NaN for no truths.

    >>> seven_of_ten = np.array([[1.0]] * 7 + [[0.0]] * 3)  # as for one truth and one box whose IoU with it is 0.8
    >>> summary = Summary(seven_of_ten, seven_of_ten)
    >>> summary.mean_ap, summary.ap50, summary.ap75, summary.average_recall
    (0.7, 1.0, 1.0, 0.7)
    """

    ap: Float64[np.ndarray, "10 classes"]
    recall: Float64[np.ndarray, "10 classes"]

    @property
    def mean_ap(self) -> float:
        """AP@[.5:.95], the mean over thresholds and classes: COCO's "AP", mAP elsewhere."""
        return mean_of_defined(self.ap)

    @property
    def ap50(self) -> float:
        """AP at IoU 0.5."""
        return mean_of_defined(self.ap[0])

    @property
    def ap75(self) -> float:
        """AP at IoU 0.75."""
        return mean_of_defined(self.ap[5])

    @property
    def average_recall(self) -> float:
        """AR: the final recall, mean over thresholds and classes."""
        return mean_of_defined(self.recall)


def summarise(
    detections: Sequence[Detections],
    truths: Sequence[Truths],
    labels: Sequence[int],
    area: str = "all",
    most: int = 100,
) -> Summary:
    """COCO's evaluation: every class of `labels` at ten IoU thresholds, by COCO's matching and 101-point rule.

    `area` is a key of AREAS; `most` detections per picture and class (COCO reports AR with 1, 10 and 100).
    Equal to pycocotools' COCOeval.

    >>> found = Detections(np.array([[0.0, 0, 8, 8]]), np.array([1]), np.array([0.6]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))
    >>> summarise([found], [there], labels=[1]).mean_ap  # its IoU is 0.8
    0.7
    """
    ap, recall = np.full((2, len(IOU_THRESHOLDS), len(labels)), np.nan)
    for k, label in enumerate(labels):
        comparisons = compare(detections, truths, label)
        for t, threshold in enumerate(IOU_THRESHOLDS):
            ranking = rank(comparisons, threshold, "COCO", AREAS[area], most)
            ap[t, k], recall[t, k] = average_precision(ranking), final_recall(ranking)
    return Summary(ap, recall)


def mean_of_defined(values: Float[np.ndarray, "*shape"]) -> float:
    """Mean of the values that are not NaN; NaN if all are.

    >>> mean_of_defined(np.array([0.5, np.nan, 1.0]))
    0.75
    """
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
