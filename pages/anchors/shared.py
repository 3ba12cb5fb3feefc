"""What the sections have in common: looks that differ by more than colour, truths, samples for drawing."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from labs import anchors
from models.networks.detector import ANCHOR_RATIOS, ANCHOR_SIZES, SIZE
from ui.components import Box
from ui.pictures import Picture

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW, WHITE = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#FFFFFF",
)  # fmt: skip
STRIDES = (4, 8, 16, 32)


def truths_of(picture: Picture) -> Tensor | None:
    """Boxes float32 (T, 4) of the things in a Lab World picture; None for a picture whose truth nobody knows."""
    if picture.view is None:
        return None
    return torch.from_numpy(np.array([thing.box for thing in picture.view.instances], np.float32).reshape(-1, 4))


def truth_boxes(picture: Picture) -> list[Box]:
    things = picture.view.instances if picture.view else ()
    return [Box(f"truth-{i}", xyxy(thing.box), thing.label, WHITE, width=3) for i, thing in enumerate(things)]


def white(picture: Picture) -> str:
    """What a caption says of the truth, where there is one."""
    return "White: truth. " if picture.view is not None and picture.view.instances else ""


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)


def size_of(box) -> str:
    return f"{float(box[2] - box[0]):.0f}×{float(box[3] - box[1]):.0f}"


def sample(indices: Tensor, most: int) -> Tensor:
    """At most `most` of the indices, evenly spread."""
    if len(indices) <= most:
        return indices
    return indices[torch.linspace(0, len(indices) - 1, most).long()]


def exact_pyramid() -> list[Tensor]:
    """The base anchors of each level of the lab's detector as they would be without rounding."""
    return [anchors.base_anchors(sizes, ANCHOR_RATIOS, "centred") for sizes in ANCHOR_SIZES]


def surest(found) -> int:
    """Index of the pyramid level with the highest objectness, of a `network.Look`."""
    return max(range(len(found.levels)), key=lambda i: float(found.levels[i].objectness.max()))


@cache
def pyramid() -> tuple[list[Tensor], Tensor]:
    """The anchors of the lab's detector: base anchors of each level, and all anchors (M, 4), finest level first."""
    bases, boxes = [], []
    rows = [SIZE // stride for stride in STRIDES]
    for sizes, side in zip(ANCHOR_SIZES, [*rows, (rows[-1] + 1) // 2], strict=True):
        base = anchors.base_anchors(sizes, ANCHOR_RATIOS)
        bases.append(base)
        boxes.append(anchors.grid_anchors(base, side, side, SIZE // side))
    return bases, torch.cat(boxes)
