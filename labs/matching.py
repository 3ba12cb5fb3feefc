"""Which detection found which truth: COCO's rule, VOC's rule, and why a false positive is false.

One picture at a time: d detections and g truths. Boxes are xyxy in pixels. An IoU exactly at the threshold is a match
(NMS is the other way round: only above its threshold a box is suppressed). IoU is that of continuous coordinates for
both rules: "VOC" names the matching rule, not the devkit's areas with a pixel more a side.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int, Int64, Real

from labs import boxes as box_geometry

BACKGROUND_BELOW = 0.1  # IoU with every truth: TIDE's bound (Bolya et al. 2020, section 2.1)
KINDS = ("true", "duplicate", "localisation", "class confusion", "class and place", "background", "ignored")


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector said of one picture; a higher score is surer."""

    boxes: Float[np.ndarray, "d 4"]
    labels: Int[np.ndarray, " d"]
    scores: Float[np.ndarray, " d"]

    def __post_init__(self):
        _lengths(self.boxes, self.labels, self.scores)

    def subset(self, which: Int[np.ndarray, " some"] | Bool[np.ndarray, " d"]) -> "Detections":
        """The detections at these indices, or where a mask is True.

        >>> found = Detections(np.zeros((3, 4)), np.array([1, 2, 1]), np.array([0.9, 0.2, 0.6]))
        >>> found.subset(found.scores > 0.5).labels
        array([1, 1])
        """
        return Detections(self.boxes[which], self.labels[which], self.scores[which])


@dataclass(frozen=True, eq=False)
class Truths:
    """What is in one picture.

    `crowd`: a region with uncounted objects, which any number of detections may fall into (COCO). `ignored`: neither
    found nor missed counts (VOC's "difficult"). `areas` in square pixels, for COCO's size ranges: COCO takes those of
    the masks; default here: those of the boxes. Default flags: False.
    """

    boxes: Float[np.ndarray, "g 4"]
    labels: Int[np.ndarray, " g"]
    crowd: Bool[np.ndarray, " g"] = None  # ty: ignore[invalid-assignment] (filled in below)
    ignored: Bool[np.ndarray, " g"] = None  # ty: ignore[invalid-assignment]
    areas: Real[np.ndarray, " g"] = None  # ty: ignore[invalid-assignment]

    def __post_init__(self):
        _lengths(self.boxes, self.labels)
        for name in ("crowd", "ignored"):
            flags = getattr(self, name)
            object.__setattr__(self, name, np.zeros(len(self.labels), bool) if flags is None else flags.astype(bool))
        if self.areas is None:
            object.__setattr__(self, "areas", (self.boxes[:, 2:] - self.boxes[:, :2]).prod(axis=1))


class Match(NamedTuple):
    """`truth`: the one each detection found, or -1. `ignored`: detections that are neither true nor false."""

    truth: Int64[np.ndarray, " d"]
    ignored: Bool[np.ndarray, " d"]


def overlaps(detections: Detections, truths: Truths) -> Float64[np.ndarray, "d g"]:
    """IoU of every detection with every truth; for a crowd, the share of the detection inside it.

    >>> found = Detections(np.array([[0.0, 0, 8, 8]]), np.array([1]), np.array([0.9]))
    >>> overlaps(found, Truths(np.array([[0.0, 0, 8, 10], [0, 4, 80, 80]]), np.array([1, 1]), np.array([False, True])))
    array([[0.8, 0.5]])
    """
    a = torch.as_tensor(detections.boxes, dtype=torch.float64).reshape(-1, 4)[:, None]
    b = torch.as_tensor(truths.boxes, dtype=torch.float64).reshape(-1, 4)[None]
    iou, inside = box_geometry.iou(a, b), box_geometry.crowd_overlap(a, b)
    return torch.where(torch.from_numpy(truths.crowd), inside, iou).numpy()


def match_coco(
    overlap: Float[np.ndarray, "d g"],
    threshold: float,
    crowd: Bool[np.ndarray, " g"],
    ignored: Bool[np.ndarray, " g"],
) -> Match:
    """COCO's rule: each detection in turn takes the truth it overlaps best among those still free.

    `overlap` from `overlaps`, detections best score first, one class only. A truth is free if nobody took it; a crowd
    always is. Truths that count come before those that do not (`crowd` or `ignored`): only a detection without one of
    the former may take one of the latter, and is then ignored. An IoU equal to the threshold is enough; of equal
    overlaps the later truth is taken. Source: pycocotools, COCOeval.evaluateImg (Lin et al. 2014).

    >>> none = np.zeros(2, bool)
    >>> match_coco(np.array([[0.9, 0.6], [0.8, 0.7]]), 0.5, crowd=none, ignored=none).truth
    array([0, 1])
    """
    count = len(overlap)
    truth, spared = np.full(count, -1, np.int64), np.zeros(count, bool)
    uncounted = crowd | ignored
    order = np.argsort(uncounted, kind="stable")
    taken = np.zeros(len(uncounted), bool)
    for d in range(count):
        best, found = min(threshold, 1 - 1e-10), -1
        for g in order:
            if taken[g] and not crowd[g]:
                continue
            if found >= 0 and uncounted[g] and not uncounted[found]:
                break
            if overlap[d, g] >= best:
                best, found = overlap[d, g], g
        if found >= 0:
            truth[d], spared[d], taken[found] = found, uncounted[found], True
    return Match(truth, spared)


def match_voc(overlap: Float[np.ndarray, "d g"], threshold: float, ignored: Bool[np.ndarray, " g"]) -> Match:
    """VOC's rule: each detection in turn asks for the truth it overlaps best; if that one is taken, it is false.

    Detections come best score first, one class only. A detection whose best truth is difficult (`ignored`) is ignored.
    An IoU equal to the threshold is enough; of equal overlaps the first truth counts. Source: VOC development kit,
    VOCevaldet.m (Everingham et al. 2010).

    >>> match_voc(np.array([[0.9, 0.6], [0.8, 0.7]]), 0.5, ignored=np.zeros(2, bool)).truth
    array([ 0, -1])
    """
    count, truths = overlap.shape
    truth, spared, taken = np.full(count, -1, np.int64), np.zeros(count, bool), np.zeros(truths, bool)
    for d in range(count if truths else 0):
        g = int(overlap[d].argmax())
        if overlap[d, g] < threshold:
            continue
        if ignored[g]:
            spared[d] = True
        elif not taken[g]:
            truth[d], taken[g] = g, True
    return Match(truth, spared)


RULES = ("COCO", "VOC")


def match(
    rule: str,
    overlap: Float[np.ndarray, "d g"],
    threshold: float,
    crowd: Bool[np.ndarray, " g"],
    ignored: Bool[np.ndarray, " g"],
) -> Match:
    """`match_coco` or `match_voc`, by name. VOC knows no crowds: they count as difficult. ValueError: another name.

    >>> match("VOC", np.array([[0.9]]), 0.5, crowd=np.array([True]), ignored=np.array([False]))
    Match(truth=array([-1]), ignored=array([ True]))
    """
    if rule == "COCO":
        return match_coco(overlap, threshold, crowd, ignored)
    if rule == "VOC":
        return match_voc(overlap, threshold, crowd | ignored)
    raise ValueError(f"There is no matching rule {rule!r}: take COCO or VOC.")


@dataclass(frozen=True)
class Verdict:
    """What became of one detection: `kind` is one of KINDS.

    `truth`: the truth it found, or None. `same`, `other`: the truth of its own class, and of another class, that it
    overlaps best (None where there is none), with IoU `same_iou` and `other_iou`. `rival`: for a duplicate, the
    detection that took the truth.
    """

    kind: str
    truth: int | None
    same: int | None
    same_iou: float
    other: int | None
    other_iou: float
    rival: int | None = None


@dataclass(frozen=True)
class Judgement:
    """`verdicts` per detection in the given order, and the indices of the `missed` truths."""

    verdicts: tuple[Verdict, ...]
    missed: tuple[int, ...]


def judge(detections: Detections, truths: Truths, threshold: float = 0.5, rule: str = "COCO") -> Judgement:
    """Match a picture class by class and say of each false positive why it is false, in the order of TIDE's code.

    duplicate: IoU with a truth of its class reaches the threshold, but that one is taken. localisation: it reaches only
    0.1. class confusion: the IoU with a truth of another class reaches the threshold. class and place: it reaches only
    0.1. background: neither. Source: Bolya et al. 2020, section 2.2 (their duplicate after localisation: the two
    exclude each other).

    >>> boxes = np.array([[0.0, 0, 8, 8], [0, 0, 8, 10], [50, 50, 60, 60]])
    >>> found = Detections(boxes, labels=np.array([1, 1, 1]), scores=np.array([0.6, 0.9, 0.7]))
    >>> judgement = judge(found, Truths(np.array([[0.0, 0, 8, 10], [20, 0, 28, 10]]), np.array([1, 1])))
    >>> [verdict.kind for verdict in judgement.verdicts], judgement.missed
    (['duplicate', 'true', 'background'], (1,))
    """
    overlap = overlaps(detections, truths)
    order = np.argsort(-detections.scores, kind="stable")
    truth, spared = np.full(len(order), -1, np.int64), np.zeros(len(order), bool)
    for label in np.unique(detections.labels):
        mine = order[detections.labels[order] == label]
        theirs = np.flatnonzero(truths.labels == label)
        found = match(rule, overlap[np.ix_(mine, theirs)], threshold, truths.crowd[theirs], truths.ignored[theirs])
        truth[mine] = [theirs[g] if g >= 0 else -1 for g in found.truth]
        spared[mine] = found.ignored
    owner = {int(truth[d]): int(d) for d in order[::-1] if truth[d] >= 0}
    same_class = detections.labels[:, None] == truths.labels[None]
    nearest = zip(_best(overlap, same_class), _best(overlap, ~same_class), strict=True)
    verdicts = []
    for d, ((same, same_iou), (other, other_iou)) in enumerate(nearest):
        found = int(truth[d]) if truth[d] >= 0 else None
        if spared[d]:
            kind = "ignored"
        elif found is not None:
            kind = "true"
        elif same_iou >= threshold:
            kind = "duplicate"
        elif same_iou >= BACKGROUND_BELOW:
            kind = "localisation"
        elif other_iou >= threshold:
            kind = "class confusion"
        elif other_iou >= BACKGROUND_BELOW:
            kind = "class and place"
        else:
            kind = "background"
        rival = owner.get(same) if kind == "duplicate" else None
        verdicts.append(Verdict(kind, found, same, same_iou, other, other_iou, rival))
    countable = ~(truths.crowd | truths.ignored)
    return Judgement(tuple(verdicts), tuple(g for g in np.flatnonzero(countable).tolist() if g not in owner))


def _best(overlap: Float[np.ndarray, "d g"], among: Bool[np.ndarray, "d g"]) -> list[tuple[int | None, float]]:
    """Per row, the column with the largest overlap above 0 among those marked, and that overlap; else (None, 0)."""
    if not overlap.shape[1]:
        return [(None, 0.0)] * len(overlap)
    masked = np.where(among, overlap, 0.0)
    columns = zip(masked.argmax(axis=1).tolist(), masked.max(axis=1).tolist(), strict=True)
    return [(index, value) if value > 0 else (None, 0.0) for index, value in columns]


def _lengths(*columns: np.ndarray) -> None:
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"Boxes, labels and scores must be equally many, not {' and '.join(map(str, lengths))}.")
