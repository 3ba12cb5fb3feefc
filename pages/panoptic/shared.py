"""What the sections have in common: what the networks saw, how it is merged, and how a panoptic map is drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from labs import panoptic
from labs.panoptic import VOID, Panoptic
from models import catalog
from pages.shared.swatches import swatches
from scenes import CLASSES, PALETTE, STUFF
from ui.components import Box, Boxes, Labels
from ui.pictures import Picture

SEGMENTER, DETECTOR = "segmenter-bilinear", "detector"
SEED = 7
OF_CLASSES = [PALETTE[name] for name in CLASSES]
# One colour per thing, none like a kind of stuff, told apart by lightness too.
OF_THINGS = ("#E69F00", "#F0E442", "#CC79A7", "#D55E00", "#FFFFFF", "#7A1F5C", "#B39DDB", "#FFB08A")
NONE, CONFLICT = "#16181D", "#0072B2"  # void; pixels that more than one thing wants
FIRST_THING = len(STUFF) - 1  # added to a detector's label, from 1, it is an index of CLASSES


@dataclass(frozen=True, eq=False)
class Seen:
    """What is to be merged: `semantic` uint8 (H, W), whose stuff has the numbers of CLASSES, and things, best first,
    with `boxes` (N, 4), `masks` (N, H, W) in 0 to 1, `labels` (N,), indices of CLASSES, and `scores` (N,).

    `seconds` of all networks together, and the `device` they ran on.
    """

    semantic: np.ndarray
    boxes: np.ndarray
    masks: Tensor
    labels: np.ndarray
    scores: np.ndarray
    seconds: float
    device: str

    def name(self, thing: int) -> str:
        return CLASSES[self.labels[thing]]


@dataclass(frozen=True)
class Thresholds:
    """Of the merge, as the sliders say."""

    mask: float = 0.5
    least_score: float = 0.5
    most_taken: float = 0.5
    least_area: int = 64


@st.cache_resource(max_entries=12, show_spinner=False)  # shared and only read
def seen(image: np.ndarray) -> Seen:
    """One look of the networks at a picture: all that the sliders ask."""
    segmented, found = catalog.load(SEGMENTER)(image), catalog.load(DETECTOR)(image, keypoints=False)
    return Seen(
        segmented.labels, found.boxes.numpy(), found.masks, found.labels.numpy() + FIRST_THING, found.scores.numpy(),
        segmented.seconds + found.seconds, found.device,
    )  # fmt: skip


def masks_of(found: Seen, least: float) -> np.ndarray:
    """bool (N, H, W): the pixels of every thing."""
    return (found.masks >= least).numpy()


def merged(found: Seen, masks: np.ndarray, at: Thresholds) -> Panoptic:
    """The panoptic map of what was seen."""
    return panoptic.merge(
        found.semantic, range(len(STUFF)), masks, found.labels, found.scores, at.least_score, at.most_taken,
        at.least_area,
    )  # fmt: skip


def colours_of(found: Panoptic) -> list[str]:
    """A colour for void and for every segment: that of its class for stuff, one of its own for a thing. A thing keeps
    its colour whatever becomes of the others."""
    things = {turn.segment: OF_THINGS[turn.thing % len(OF_THINGS)] for turn in found.turns if turn.segment != VOID}
    return [NONE, *(things.get(number, OF_CLASSES[label]) for number, label in enumerate(found.classes, 1))]


def drawn(found: Panoptic) -> Labels:
    """The panoptic map as a layer."""
    return Labels(found.segments.astype(np.uint8), colours_of(found), 1.0)


def thing_colour(thing: int) -> str:
    return OF_THINGS[thing % len(OF_THINGS)]


def instances(found: Seen, masks: np.ndarray, chosen: list[int]) -> list[Any]:
    """The masks of the chosen things and their boxes; where masks overlap, the pixel is in CONFLICT's colour."""
    painted = np.zeros(masks.shape[1:], np.uint8)
    for thing in chosen:
        painted[masks[thing]] = 1 + thing % len(OF_THINGS)
    if chosen:
        painted[masks[chosen].sum(0, dtype=np.uint8) > 1] = 1 + len(OF_THINGS)
    boxes = [Box(f"thing-{i}", xyxy(found.boxes[i]), f"{found.name(i)} {found.scores[i]:.2f}" if len(chosen) < 9 else "",
                 thing_colour(i), width=1.5, note=f"{found.name(i)} {found.scores[i]:.2f}")
             for i in reversed(chosen)]  # fmt: skip
    return [Labels(painted, [None, *OF_THINGS, CONFLICT], 0.8), Boxes(boxes)]


def legend(found: Panoptic) -> str:
    """The stuff of a map, void, and conflicts, as HTML."""
    kinds = [int(label) for label in found.classes if label < len(STUFF)]
    return swatches([*((OF_CLASSES[kind], CLASSES[kind]) for kind in kinds), (NONE, "void: no segment"),
                     (CONFLICT, "wanted by more than one thing")])  # fmt: skip


def truth_pairs(picture: Picture) -> np.ndarray:
    """Class and identity of every pixel of a scene, int64 (H, W, 2)."""
    return np.stack([picture.view.semantic, picture.view.panoptic], -1).astype(np.int64)


def xyxy(box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2, y2
