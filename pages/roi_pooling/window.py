"""The part of the map that is shown enlarged, and what lies under every method: the cells and the box."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pages.roi_pooling.shared import ORANGE, Choice, xyxy
from ui.components import Box, Boxes, GridLines, Heat

MOST_BOXES = 7  # bins a side up to which each bin is drawn as a box


@dataclass(frozen=True, eq=False)
class Window:
    """The part of the map that is shown enlarged: a square of `side` cells whose upper left corner is cell (y, x)."""

    x: int
    y: int
    side: int

    def drawn(self, x: Tensor | float, y: Tensor | float) -> tuple:
        """From places on the map to places on the stage."""
        return x - self.x, y - self.y

    def box(self, box) -> tuple[float, float, float, float]:
        x1, y1, x2, y2 = xyxy(box)
        return (x1 - self.x, y1 - self.y, x2 - self.x, y2 - self.y)


def ground(choice: Choice, window: Window) -> list:
    """The cells of the map and the box on them."""
    values = Heat(
        choice.values.numpy(), vmin=choice.limits[0], vmax=choice.limits[1], opacity=1, smooth=False,
        xyxy=(-window.x, -window.y, choice.values.shape[1] - window.x, choice.values.shape[0] - window.y),
    )  # fmt: skip
    projected = Box("projected", window.box(choice.frames.feature), "", ORANGE, dash=True, width=2.5, note="the box")
    return [values, GridLines(stride=1, colour="#FFFFFF40", width=0.5), Boxes([projected])]


def window_of(choice: Choice) -> Window:
    """A square around the box as it was before the shift, so that shifting does not move the view."""
    box = choice.frames.feature - torch.tensor([choice.shift, 0.0, choice.shift, 0.0])
    side = int((box[2:] - box[:2]).max().ceil()) + 4
    starts = []
    for i, cells in enumerate(reversed(choice.values.shape)):
        start = round(float(box[i] + box[i + 2]) / 2 - side / 2)
        starts.append(min(max(start, -1), cells + 1 - side) if side <= cells + 2 else (cells - side) // 2)
    return Window(*starts, side)
