"""What is asked before it is shown: columns read, outputs that notice a small shift, half a cell in pixels."""

from collections.abc import Callable

import numpy as np
import torch

from labs import roi_pooling as rp
from pages.roi_pooling.shared import ALIGN, ORANGE, POOL, VERMILION, Choice, number, xyxy
from ui import page
from ui.components import Box, Boxes, Lines, following, stage
from ui.pictures import Picture


def width(choice: Choice, show: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """How many columns does RoI Pool read? `show` draws the view and returns the chosen bin."""
    x1, x2 = float(choice.frames.feature[0]), float(choice.frames.feature[2])
    bins = rp.roi_pool_bins(choice.frames.resized, (1, 1), choice.scale, tuple(choice.values.shape))
    first, last = int(bins.rounded[0]), int(bins.rounded[2])
    with page.predict(
        "roi_width", f"The box reaches from column {number(x1)} to {number(x2)}. How many columns does RoI Pool read?",
        page.Number(1, choice.values.shape[1] + 1, 1, "columns"),
    ) as prediction:  # fmt: skip
        chosen = show()
        prediction.outcome(
            max(last - first + 1, 1), f"It rounds both ends, {number(x1)} to {first} and {number(x2)} to {last}, and "
            f"reads the last one too: {last} − {first} + 1. That +1 comes from the days when a box's corner was its "
            "last pixel."
        )  # fmt: skip
    return chosen


def still(choice: Choice, show: Callable[[], None]) -> None:
    """How many of RoI Pool's outputs notice a tenth of a cell?"""
    size = choice.settings.output
    with page.predict(
        "roi_still", f"The box moves right by a tenth of a cell. How many of RoI Pool's {size * size} outputs change?",
        ["none", "some", "all"],
    ) as prediction:  # fmt: skip
        show()
        if not following("roi_scene"):
            pooled, sampled = changed(choice, POOL), changed(choice, ALIGN)
            prediction.outcome(
                "none" if pooled == 0 else "all" if pooled == size * size else "some",
                f"{pooled} of {size * size}, against {sampled} of RoI Align's. Rounding throws such a shift away until "
                f"it crosses a half: x1 = {number(choice.frames.feature[0])} and x2 = "
                f"{number(choice.frames.feature[2])} now.",
            )  # fmt: skip


def changed(choice: Choice, method: str) -> int:
    """Outputs that differ once the box has moved a tenth of a cell to the right."""
    moved = choice.frames.resized + 0.1 * choice.stride * torch.tensor([1.0, 0.0, 1.0, 0.0])
    return int((choice.pooled(method, moved[None]) != choice.pooled(method)).sum())


def half(picture: Picture, choice: Choice) -> None:
    """How far off is a detector that is not aligned? Drawn where it matters: on the picture."""
    back = choice.regions.picture[1] / choice.regions.resized[1]
    off = choice.stride / 2 * back
    with page.predict(
        "roi_half", f"Without *aligned*, how far off are the features of {choice.level}, in pixels of this picture?",
        page.Number(0.0, 40.0, 0.5, "px"),
    ) as prediction:  # fmt: skip
        prediction.outcome(
            off, f"because it is half a cell, at stride {choice.stride}, and the picture was resized by "
            f"{1 / back:.3g}: ½ · {choice.stride} / {1 / back:.3g}."
        )  # fmt: skip
        box = choice.frames.picture
        corner = np.array([[float(box[0]), float(box[1]), float(box[0]) + off, float(box[1]) + off]])
        stage("roi_half_view", width=420, zoom=False).show(
            picture.image,
            [Boxes([Box("asked", xyxy(box), colour=ORANGE, width=3, note="the box"),
                    Box("read", xyxy(box + off), colour=VERMILION, dash=True, width=3, note="what is read")]),
             Lines(corner, VERMILION, 2.5, arrow=True)],
            alt="The box, and where its features come from without aligned",
            caption="Orange: the box. Dashed red: where RoI Align without aligned takes its features from.",
        )  # fmt: skip
