"""Why is a detector not perfect? Six kinds of error, and how much AP each costs: TIDE (Bolya et al. 2020).

A false detection is a `duplicate` (the right class, the IoU reaches t_f, but the truth is taken), badly placed
(`localisation`: the right class, t_b ≤ IoU < t_f), of the wrong class (`classification`: the IoU with a truth of
another class reaches t_f), wrong in `both` (it reaches only t_b), or on `background` (no truth reaches t_b). A truth
that no detection finds is `missed`, unless a badly placed or wrongly classified detection covers it: whoever mended
that detection would find it. t_b is 0.1 (`labs.matching.BACKGROUND_BELOW`).

What a kind costs is what an oracle gains that mends all errors of this kind and leaves the rest: dAP. The oracles are
those of the paper (section 2.3); of several detections that would be mended onto the same truth the surest is, be it
badly placed or wrongly classified, and the others go, as in the authors' package `tidecv`. Here differs from `tidecv`,
by the paper's words: a detection that is a duplicate and also reaches t_f on a truth of another class is a duplicate
(its class is right), and exactly at a threshold an IoU is enough (`tidecv`: at t_f a second detection is badly placed,
at t_b it is background). By COCO's rule, which the rest of the lab follows, a class without a truth is in no mean
(`tidecv`: AP 0 if it is ever said). A class that an oracle leaves without a truth has AP 1 if nothing false is left
either, else 0 (`tidecv` leaves it out of the mean in the first case).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Shaped

from labs import average_precision as ap
from labs.matching import BACKGROUND_BELOW, Detections, Truths, judge

KINDS = ("classification", "localisation", "both", "duplicate", "background", "missed")
OUTCOMES = ("false positives", "false negatives")  # TIDE's other two oracles: perfect precision, perfect recall
DETECTION_KINDS = ("true", *KINDS[:-1], "ignored")
TRUTH_KINDS = ("found", "covered", "missed", "ignored")
_NAMED = {"class confusion": "classification", "class and place": "both"}  # as `labs.matching.judge` says it


@dataclass(frozen=True, eq=False)
class Errors:
    """Every detection and every truth of all pictures, each with its one kind.

    Detections, best score first, equal scores in the order of the pictures: `kind` of DETECTION_KINDS; `labels`;
    `image`, `detection`: index of the picture and within it; `target`: which row of the truths it found, would have
    found or lies beside, -1 for background and where it is ignored. Truths in the order of the pictures: `truth_kind`
    of TRUTH_KINDS ("covered": a detection would find it, were its class or its place mended), `truth_labels`,
    `truth_image`, `truth`.
    """

    scores: Float[np.ndarray, " d"]
    labels: Int[np.ndarray, " d"]
    image: Int[np.ndarray, " d"]
    detection: Int[np.ndarray, " d"]
    kind: Shaped[np.ndarray, " d"]
    target: Int[np.ndarray, " d"]
    truth_labels: Int[np.ndarray, " g"]
    truth_image: Int[np.ndarray, " g"]
    truth: Int[np.ndarray, " g"]
    truth_kind: Shaped[np.ndarray, " g"]


def sort_out(detections: Sequence[Detections], truths: Sequence[Truths], foreground: float = 0.5) -> Errors:
    """Match every picture by COCO's rule and give every detection and every truth its kind.

    `foreground`: t_f, the IoU for a match. ValueError if it lies below t_b or above 1, or if the lists differ in
    length.

    >>> boxes = np.array([[0.0, 0, 8, 10], [20, 0, 28, 4], [50, 50, 60, 60]])
    >>> found = Detections(boxes, labels=np.array([1, 1, 2]), scores=np.array([0.9, 0.8, 0.7]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10], [20, 0, 28, 10], [80, 0, 88, 10]]), np.array([2, 1, 1]))
    >>> errors = sort_out([found], [there])
    >>> errors.kind.tolist(), errors.truth_kind.tolist()
    (['classification', 'localisation', 'background'], ['covered', 'covered', 'missed'])
    """
    if not BACKGROUND_BELOW <= foreground <= 1:
        raise ValueError(f"The IoU for a match lies between {BACKGROUND_BELOW:g} and 1, not at {foreground:g}.")
    if len(detections) != len(truths):
        raise ValueError(f"{len(detections)} pictures with detections, but {len(truths)} with truths.")
    columns: list[list[np.ndarray]] = [[] for _ in range(6)]
    sides: list[list[np.ndarray]] = [[] for _ in range(4)]
    begin = 0
    for image, (found, there) in enumerate(zip(detections, truths, strict=True)):
        kind, target = _kinds(found, there, foreground)
        each = (found.scores, found.labels, np.full(len(kind), image), np.arange(len(kind)), kind,
                np.where(target >= 0, target + begin, -1))  # fmt: skip
        for column, part in zip(columns, each, strict=True):
            column.append(part)
        count = len(there.labels)
        spared = np.where(there.crowd | there.ignored, "ignored", "missed")
        for side, part in zip(sides, (there.labels, np.full(count, image), np.arange(count), spared), strict=True):
            side.append(part)
        begin += count
    scores, labels, images, indices, kinds, targets = (
        np.concatenate([np.zeros(0, kind), *column]) for column, kind in zip(columns, "diiiUi", strict=True)
    )
    order = np.argsort(-scores, kind="stable")
    rows = (each[order] for each in (scores, labels, images, indices, kinds, targets))
    there = (np.concatenate([np.zeros(0, kind), *side]) for side, kind in zip(sides, "iiiU", strict=True))
    return _with_truths(Errors(*rows, *there))


def _kinds(found: Detections, there: Truths, foreground: float) -> tuple[np.ndarray, np.ndarray]:
    """Kind of each detection of a picture, and the truth it is about, or -1.

    The first look says what is ignored. The second, without all that does not count, says the kinds: in TIDE a crowd
    is not a thing that a detection could have found.
    """
    kind, target = np.full(len(found.scores), "ignored", "U14"), np.full(len(found.scores), -1, np.int64)
    uncounted = there.crowd | there.ignored
    counts = np.arange(len(kind))
    if uncounted.any():
        first = judge(found, there, foreground).verdicts
        counts = np.array([d for d in counts if first[d].kind != "ignored"], np.int64)
    some = np.flatnonzero(~uncounted)
    rest = Truths(there.boxes[some], there.labels[some])
    for d, verdict in zip(counts.tolist(), judge(found.subset(counts), rest, foreground).verdicts, strict=True):
        kind[d] = _NAMED.get(verdict.kind, verdict.kind)
        by_class = verdict.other if kind[d] in ("classification", "both") else verdict.same
        about = {"true": verdict.truth, "background": None}.get(kind[d], by_class)
        target[d] = -1 if about is None else some[about]
    return kind, target


def _with_truths(errors: Errors) -> Errors:
    """With the kinds of the truths as the detections have it; those ignored stay so."""
    kind = np.full(len(errors.truth_kind), "missed", "U7")
    for name, of in (("covered", ("classification", "localisation")), ("found", ("true",))):
        kind[errors.target[np.isin(errors.kind, of)]] = name
    kind[errors.truth_kind == "ignored"] = "ignored"
    return replace(errors, truth_kind=kind)


def above(errors: Errors, score: float) -> Errors:
    """Only the detections that score at least `score`; truths that they alone had found or covered are missed.

    The same as leaving the others out from the beginning: matching goes from the surest detection down.

    >>> found = Detections(np.array([[0.0, 0, 8, 10]]), np.array([1]), np.array([0.6]))
    >>> errors = sort_out([found], [Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))])
    >>> [above(errors, score).truth_kind.tolist() for score in (0.6, 0.7)]
    [['found'], ['missed']]
    """
    return _rows(errors, errors.scores >= score)


def _rows(errors: Errors, keep: Bool[np.ndarray, " d"]) -> Errors:
    names = ("scores", "labels", "image", "detection", "kind", "target")
    return _with_truths(replace(errors, **{name: getattr(errors, name)[keep] for name in names}))


def within(errors: Errors, truths: Bool[np.ndarray, " g"], detections: Bool[np.ndarray, " d"] | None = None) -> Errors:
    """A slice: only these truths count. A true detection counts if its truth does, a false one where `detections` says
    so; default: where the truth that it is about counts, and everywhere on background.

    Nothing is matched anew, as with the qualifiers of TIDE; COCO's size ranges match again, and may differ a little.

    >>> found = Detections(np.array([[0.0, 0, 8, 10], [90, 0, 98, 10]]), np.array([1, 1]), np.array([0.6, 0.5]))
    >>> there = Truths(np.array([[0.0, 0, 8, 10], [20, 0, 28, 10]]), np.array([1, 1]))
    >>> part = within(sort_out([found], [there]), np.array([False, True]))
    >>> part.kind.tolist(), part.truth_kind.tolist()
    (['background'], ['ignored', 'missed'])
    """
    about = np.append(truths, True)[errors.target]  # the last one for -1
    keep = about if detections is None else np.where(errors.kind == "true", about, detections)
    kind = np.where(truths, errors.truth_kind, "ignored").astype("U7")
    return _rows(replace(errors, truth_kind=kind), keep)


def count(errors: Errors) -> dict[str, int]:
    """How many errors of each of KINDS there are.

    >>> found = Detections(np.array([[0.0, 0, 8, 10], [0, 0, 8, 9]]), np.array([1, 1]), np.array([0.9, 0.6]))
    >>> count(sort_out([found], [Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))]))["duplicate"]
    1
    """
    found = {kind: int((errors.kind == kind).sum()) for kind in KINDS[:-1]}
    return found | {"missed": int((errors.truth_kind == "missed").sum())}


def average_precisions(errors: Errors, classes: int, mended: Collection[str] = ()) -> Float64[np.ndarray, " classes"]:
    """AP of each class (COCO 101-point) after oracles have mended all errors of these KINDS or OUTCOMES.

    NaN for a class without a truth. ValueError for a kind that there is not.

    >>> found = Detections(np.array([[0.0, 0, 8, 10]]), np.array([2]), np.array([0.9]))
    >>> errors = sort_out([found], [Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))])
    >>> average_precisions(errors, 2), average_precisions(errors, 2, ["classification"])
    (array([ 0., nan]), array([ 1., nan]))
    """
    if unknown := [kind for kind in mended if kind not in (*KINDS, *OUTCOMES)]:
        raise ValueError(f"There is no kind of error {unknown[0]!r}.")
    labels, true = errors.labels.copy(), errors.kind == "true"
    truths = np.bincount(errors.truth_labels[errors.truth_kind != "ignored"], minlength=classes + 1)[1 : classes + 1]
    left = truths.copy()
    keep = true.copy() if "false positives" in mended else errors.kind != "ignored"
    surest = _surest(errors)
    for kind in KINDS[:-1]:
        if kind in mended:
            of = errors.kind == kind
            gained = of & surest
            keep &= ~of | gained
            true = true | gained
            labels[gained] = errors.truth_labels[errors.target[gained]]
            keep[gained] = True
    if "false negatives" in mended:
        left = np.bincount(labels[true], minlength=classes + 1)[1 : classes + 1]
    elif "missed" in mended:
        missed = errors.truth_labels[errors.truth_kind == "missed"]
        left = left - np.bincount(missed, minlength=classes + 1)[1 : classes + 1]
    result = np.full(classes, np.nan)
    for k in np.flatnonzero(truths):
        mine = true[keep & (labels == k + 1)]  # best score first, as the rows are
        result[k] = ap.coco_101_point(*ap.precision_recall(mine, int(left[k]))) if left[k] else float(not len(mine))
    return result


def _surest(errors: Errors) -> Bool[np.ndarray, " d"]:
    """Of the wrongly classified and badly placed detections on a truth that none has found, the surest."""
    result = np.zeros(len(errors.kind), bool)
    candidates = np.flatnonzero(np.isin(errors.kind, KINDS[:2]))
    candidates = candidates[errors.truth_kind[errors.target[candidates]] == "covered"]
    _, first = np.unique(errors.target[candidates], return_index=True)
    result[candidates[first]] = True
    return result


def lost(errors: Errors, classes: int) -> dict[str, float]:
    """dAP: how much mean AP each of KINDS and OUTCOMES costs, 0 to 1, each alone; NaN without a truth.

    The costs need not sum to what is missing to 1: one mended kind may uncover another.

    >>> found = Detections(np.array([[0.0, 0, 8, 10], [50, 0, 58, 10]]), np.array([1, 1]), np.array([0.5, 0.9]))
    >>> costs = lost(sort_out([found], [Truths(np.array([[0.0, 0, 8, 10]]), np.array([1]))]), classes=1)
    >>> costs["background"], costs["missed"]
    (0.5, 0.0)
    """
    now = average_precisions(errors, classes)
    return {kind: ap.mean_of_defined(average_precisions(errors, classes, [kind]) - now) for kind in (*KINDS, *OUTCOMES)}
