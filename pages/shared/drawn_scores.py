"""What a detector's boxes are worth against a truth drawn by hand, by the functions that judge Lab World."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from labs import average_precision as ap
from labs.coco_file import Mark
from labs.matching import Detections, Judgement, Truths, judge, overlaps
from scenes import THINGS
from ui import rounding

SAID = {
    "duplicate": "a second box on a thing that is found", "localisation": "badly placed",
    "class confusion": "another class is there", "class and place": "another class, badly placed",
    "background": "nothing is drawn there",
}  # fmt: skip
MOST_LINES = 12  # false detections in words


@dataclass(frozen=True, eq=False)
class Said:
    """What a page has found on a picture already: `boxes` (n, 4) xyxy in pixels, best first, with their class `names`
    and `scores` (n,); `name`: who says so, which knows `classes`."""

    name: str
    boxes: np.ndarray
    names: Sequence[str]
    scores: np.ndarray
    classes: Collection[str] = THINGS


@dataclass(frozen=True, eq=False)
class Judged:
    """One network on one picture.

    `names`: what the labels of `shown` and `truths` index. `shown`: the detections that count, best first, with their
    `judgement`. `ap`: at the chosen IoU; `coco`: mean of ten IoUs, 0.5 to 0.95; both over all scores, mean over the
    classes drawn, 0 to 1 or NaN.
    """

    names: tuple[str, ...]
    shown: Detections
    truths: Truths
    judgement: Judgement
    ap: float
    coco: float

    @property
    def confusion(self) -> ap.Confusion:
        """How many are true, false and missed."""
        true = sum(verdict.kind == "true" for verdict in self.judgement.verdicts)
        return ap.Confusion(true, len(self.shown.scores) - true, len(self.judgement.missed))

    def named(self, index: int) -> str:
        """Class and score of a detection."""
        return f"{self.names[self.shown.labels[index]]} {self.shown.scores[index]:.2f}"


def truths_of(marks: Sequence[Mark], names: Sequence[str]) -> Truths:
    """Marks with their class as its place in `names`."""
    boxes = np.array([mark.box for mark in marks], np.float64).reshape(-1, 4)
    return Truths(boxes, np.array([names.index(mark.name) for mark in marks], np.int64))


def judged(
    boxes: np.ndarray, said: Sequence[str], scores: np.ndarray, marks: Sequence[Mark], least: float, iou: float,
    every: bool = False,
) -> Judged:  # fmt: skip
    """Judge detections, boxes (n, 4) xyxy in pixels, best first, against the marks.

    `least`: the score from which a detection counts. `iou`: equal to it is a match. Unless `every`, detections of
    classes that nobody has drawn do not count at all.
    """
    names = tuple(sorted({*said, *(mark.name for mark in marks)}))
    drawn = {mark.name for mark in marks}
    found = Detections(boxes.astype(np.float64), np.array([names.index(each) for each in said], np.int64), scores)
    if not every:
        found = found.subset(np.array([each in drawn for each in said], bool))
    truths = truths_of(marks, names)
    labels = sorted(set(truths.labels.tolist()))
    rankings = [ap.rank(ap.compare([found], [truths], label), iou) for label in labels]
    shown = found.subset(found.scores >= least)
    return Judged(
        names,
        shown,
        truths,
        judge(shown, truths, iou),
        ap.mean_of_defined(np.array([ap.average_precision(ranking) for ranking in rankings])),
        ap.summarise([found], [truths], labels).mean_ap,
    )


def figures(name: str, judged: Judged, iou: float) -> str:
    """Precision, recall and AP of a network in a line."""
    counts = judged.confusion
    said, things = counts.true + counts.false, counts.true + counts.missed
    return (
        f"**{name}**: precision {share(counts.precision, counts.true, said)} · recall "
        f"{share(counts.recall, counts.true, things)} · AP at IoU {iou:.2f} **{number(judged.ap)}** · AP@[.5:.95] "
        f"**{number(judged.coco)}**"
    )


def share(value: float, some: int, of: int) -> str:
    return f"**{value:.2f}** ({some} of {of})" if of else "**undefined** (0 of 0)"


def number(value: float) -> str:
    return "undefined" if np.isnan(value) else f"{value:.3f}"


def line(index: int, judged: Judged, iou: float) -> str:
    """What became of one thing that was drawn."""
    name = judged.names[judged.truths.labels[index]]
    verdicts = judged.judgement.verdicts
    for d, verdict in enumerate(verdicts):
        if verdict.truth == index:
            return (f"✓ **{index + 1} {name}**: found by {judged.named(d)}, "
                    f"IoU {rounding.beside(verdict.same_iou, iou, digits=2)}")  # fmt: skip
    alike = judged.shown.labels == judged.truths.labels[index]
    near = np.where(alike, overlaps(judged.shown, judged.truths)[:, index], 0.0)
    if not near.any():
        return f"✗ **{index + 1} {name}**: missed, no detection of its class touches it"
    d = int(near.argmax())
    return (f"✗ **{index + 1} {name}**: missed; the nearest is {judged.named(d)}, "
            f"IoU {rounding.beside(near[d], iou, digits=2)}")  # fmt: skip


def lines(judged: Judged, iou: float) -> str:
    """Thing by thing, then false detection by false detection, as Markdown paragraphs."""
    told = [line(index, judged, iou) for index in range(len(judged.truths.labels))]
    false = [
        f"✗ {judged.named(d)}: false, {SAID[verdict.kind]}"
        for d, verdict in enumerate(judged.judgement.verdicts)
        if verdict.kind != "true"
    ]
    rest = len(false) - MOST_LINES
    return "\n\n".join([*told, *false[:MOST_LINES], *([f":gray[and {rest} more false ones]"] if rest > 0 else [])])
