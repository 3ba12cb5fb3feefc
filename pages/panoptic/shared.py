"""What the sections have in common: what the networks saw, how it is merged, and how a panoptic map is drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from labs import panoptic
from labs.panoptic import VOID, Panoptic
from models import catalog
from models.networks.panoptic_fpn import FIRST_THING, LEAST_AREA, LEAST_SCORE, MASK, MOST_TAKEN, PanopticFound
from pages.shared.swatches import swatches
from scenes import CLASSES, PALETTE, STUFF
from ui.components import Box, Boxes, Labels
from ui.pictures import Picture

NETWORK, SEGMENTER, DETECTOR = "panoptic-fpn", "segmenter-bilinear", "detector"
ONE, TWO = "Panoptic FPN", "Segmenter + detector"
NETWORKS = {ONE: (NETWORK,), TWO: (SEGMENTER, DETECTOR)}
SEED = 11  # two motorcycles and a car that overlap
OF_CLASSES = [PALETTE[name] for name in CLASSES]
# One colour per thing, none like a kind of stuff, told apart by lightness too.
OF_THINGS = ("#E69F00", "#F0E442", "#CC79A7", "#8C4A1E", "#FFFFFF", "#7A1F5C", "#B39DDB", "#FFB08A")
OTHER, NONE, CONFLICT = "#5C5148", "#16181D", "#0072B2"  # things, as the branch says; void; wanted twice
OF_SEMANTIC = {ONE: [*OF_CLASSES[: len(STUFF)], OTHER], TWO: OF_CLASSES}
NAMED = 8  # with more things only the tooltips say which is which


@dataclass(frozen=True, eq=False)
class Seen:
    """What is to be merged: `semantic` uint8 (H, W), whose stuff has the numbers of CLASSES, and things, best first,
    with `boxes` (N, 4), `masks` (N, H, W) in 0 to 1, `labels` (N,), indices of CLASSES, and `scores` (N,).

    `seconds` of all networks together, the `device` they ran on, and what Panoptic FPN `found`, if it was asked.
    """

    semantic: np.ndarray
    boxes: np.ndarray
    masks: Tensor
    labels: np.ndarray
    scores: np.ndarray
    seconds: float
    device: str
    found: PanopticFound | None = None

    def name(self, thing: int) -> str:
        """Class and score of a thing."""
        return f"{CLASSES[self.labels[thing]]} {self.scores[thing]:.2f}"


@dataclass(frozen=True)
class Thresholds:
    """Of the merge, as the sliders say."""

    mask: float = MASK
    least_score: float = LEAST_SCORE
    most_taken: float = MOST_TAKEN
    least_area: int = LEAST_AREA


@st.cache_resource(max_entries=12, show_spinner=False)  # shared and only read
def seen(image: np.ndarray, source: str) -> Seen:
    """One look of the networks at a picture: all that the sliders ask."""
    if source == ONE:
        found = catalog.load(NETWORK)(image)
        semantic, things, seconds, own = found.semantic, found, found.seconds, found
    else:
        segmented, things = catalog.load(SEGMENTER)(image), catalog.load(DETECTOR)(image, keypoints=False)
        semantic, seconds, own = segmented.labels, segmented.seconds + things.seconds, None
    return Seen(
        semantic, things.boxes.numpy(), things.masks, things.labels.numpy() + FIRST_THING, things.scores.numpy(),
        seconds, things.device, own,
    )  # fmt: skip


def masks_of(found: Seen, least: float) -> np.ndarray:
    """bool (N, H, W): the pixels of every thing."""
    return found.masks.numpy() >= least


def merged(found: Seen, masks: np.ndarray, at: Thresholds) -> Panoptic:
    """The panoptic map of what was seen."""
    return panoptic.merge(
        found.semantic, range(len(STUFF)), masks, found.labels, found.scores, at.least_score, at.most_taken,
        at.least_area,
    )  # fmt: skip


def thing_colour(thing: int) -> str:
    """A thing keeps its colour, whatever becomes of the others."""
    return OF_THINGS[thing % len(OF_THINGS)]


def colours_of(found: Panoptic) -> list[str]:
    """A colour for void and for every segment: that of its class for stuff, one of its own for a thing."""
    things = {turn.segment: thing_colour(turn.thing) for turn in found.turns if turn.segment != VOID}
    return [NONE, *(things.get(number, OF_CLASSES[label]) for number, label in enumerate(found.classes, 1))]


def drawn(found: Panoptic) -> Labels:
    """The panoptic map as a layer."""
    return Labels(found.segments.astype(np.uint8), colours_of(found), 1.0)


def instances(found: Seen, masks: np.ndarray, least_score: float) -> list[Any]:
    """Masks and boxes of the things that are sure enough; a pixel that several want is in CONFLICT's colour."""
    chosen = np.flatnonzero(found.scores >= least_score).tolist()
    painted = np.zeros(masks.shape[1:], np.uint8)
    for thing in chosen:
        painted[masks[thing]] = 1 + thing % len(OF_THINGS)
    painted[panoptic.claims(masks, found.scores, least_score) > 1] = 1 + len(OF_THINGS)
    named = len(chosen) <= NAMED
    boxes = [
        Box(f"thing-{i}", xyxy(found.boxes[i]), f"{found.scores[i]:.2f}" if named else "", thing_colour(i), width=1.5,
            note=found.name(i))
        for i in reversed(chosen)
    ]  # fmt: skip
    return [Labels(painted, [None, *OF_THINGS, CONFLICT], 0.85), Boxes(boxes)]


def legend(source: str) -> str:
    """The kinds of stuff and what else a colour means, as HTML. Things have a colour each."""
    kinds = list(zip(OF_CLASSES, STUFF, strict=False))
    others = [(OTHER, "other: some thing")] if source == ONE else []
    return swatches([*kinds, *others, (CONFLICT, "wanted by several things"), (NONE, "void")])


def truth_pairs(picture: Picture) -> np.ndarray:
    """Class and identity of every pixel of a scene, int64 (H, W, 2)."""
    return np.stack([picture.view.semantic, picture.view.panoptic], -1).astype(np.int64)


def xyxy(box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2, y2
