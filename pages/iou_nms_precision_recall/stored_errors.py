"""What the detectors said of the held-out scenes, sorted into kinds of error once for all visitors, and slices."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from labs import confusion_matrix, detection_errors
from labs.average_precision import mean_of_defined
from labs.confusion_matrix import Entries
from labs.detection_errors import Errors
from models.recipes.coco_metrics import SIZES
from pages.iou_nms_precision_recall.shared import detections_of, drawn_scene, truths_of_scenes
from scenes import THINGS

NMS = 0.5  # the threshold that the heads themselves use
# Name and lower end of each part: the weather of the scenes, and how much of a thing is hidden. Ends as scenes/scene.py
# draws them.
PARTS = {
    "light": (("night", 0.0), ("dusk", 0.3), ("day", 0.7)),
    "fog": (("clear", 0.0), ("some fog", 0.01), ("thick fog", 0.25)),
    "noise": (("little", 0.0), ("some", 0.04), ("much", 0.08)),
    "occlusion": (("whole", 0.0), ("a little hidden", 0.02), ("a fifth and more", 0.2)),
}
SLICES = (*PARTS, "size", "class")


@st.cache_resource(max_entries=200, show_spinner=False)
def sorted_errors(seeds: tuple[int, ...], network: str, iou: float) -> Errors:
    """All detections of the scenes, whatever they score: a score threshold cuts the list, see `above`."""
    return detection_errors.sort_out(detections_of(seeds, NMS, network), truths_of_scenes(seeds), iou)


@st.cache_resource(max_entries=200, show_spinner=False)
def paired(seeds: tuple[int, ...], network: str, iou: float) -> Entries:
    return confusion_matrix.entries(detections_of(seeds, NMS, network), truths_of_scenes(seeds), iou)


@dataclass(frozen=True, eq=False)
class Part:
    """A slice of the errors: its name, how many truths it holds, AP (mean over the classes) and recall, or NaN."""

    name: str
    errors: Errors
    truths: int
    ap: float
    recall: float


def parts(errors: Errors, seeds: tuple[int, ...], network: str, by: str) -> list[Part]:
    """The slices of `errors` by one of SLICES. A false detection belongs to the weather of its scene, to the class it
    says, to the size of its own box (as in COCO), and to the occlusion of the truth that it is about."""
    return [_part(name, cut) for name, cut in _cuts(errors, seeds, network, by)]


def _part(name: str, errors: Errors) -> Part:
    truths = int((errors.truth_kind != "ignored").sum())
    ap = mean_of_defined(detection_errors.average_precisions(errors, len(THINGS)))
    recall = float((errors.truth_kind == "found").sum() / truths) if truths else float("nan")
    return Part(name, errors, truths, ap, recall)


def _cuts(errors: Errors, seeds: tuple[int, ...], network: str, by: str) -> list[tuple[str, Errors]]:
    within, drawn = detection_errors.within, [drawn_scene(seed) for seed in seeds]
    if by == "class":
        return [(thing, within(errors, errors.truth_labels == label, errors.labels == label))
                for label, thing in enumerate(THINGS, start=1)]  # fmt: skip
    if by == "size":
        areas = np.concatenate([np.zeros(0), *(each.truths.areas for each in drawn)])
        boxes = [each.boxes for each in detections_of(seeds, NMS, network)]
        rows = zip(errors.image.tolist(), errors.detection.tolist(), strict=True)
        sides = np.array([boxes[i][d, 2:] - boxes[i][d, :2] for i, d in rows], np.float64).reshape(-1, 2)
        return [(name, within(errors, _between(areas, *ends), _between(sides.prod(axis=1), *ends)))
                for name, ends in SIZES.items()]  # fmt: skip
    names, lows = zip(*PARTS[by], strict=True)
    ends = list(zip(lows, (*lows[1:], np.inf), strict=True))
    if by == "occlusion":
        hidden = 1 - np.concatenate([np.zeros(0), *(each.visible for each in drawn)])
        return [(name, within(errors, _between(hidden, *end))) for name, end in zip(names, ends, strict=True)]
    weather = np.array([getattr(each, by) for each in drawn])
    masks = [_between(weather, *end) for end in ends]
    return [(name, within(errors, mask[errors.truth_image], mask[errors.image]))
            for name, mask in zip(names, masks, strict=True)]  # fmt: skip


def _between(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """The lower end inside, the upper one outside: each value is in one part."""
    return (values >= low) & (values < high)
