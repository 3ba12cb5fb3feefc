"""Inside the mask head: what RoI Align hands over, its layers as pictures, and the masks of all classes."""

import numpy as np
import streamlit as st
from torch import Tensor

from labs import region_masks as rm
from models.inside.mask_region import MaskedRegions
from pages.mask_rcnn.shared import NAMES, ORANGE
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, GridLines, Heat, following, stage, words

ROW = 8  # pictures a row of the 64 channels
CLASS_ROW = 3


def inside(said: MaskedRegions, label: int, threshold: float) -> None:
    """Five steps of the head, 64 channels each, then one mask for every class."""
    page.section("Inside the mask head", "RoI Align hands over 14 × 14 cells; three convolutions and a transposed one "
                 "later there are 28 × 28, and a last layer draws one mask for each class.")  # fmt: skip
    steps = [("RoI Align", said.pooled), *((f"Convolution {n}", each) for n, each in enumerate(said.layers, 1)),
             ("Transposed convolution", said.upsampled)]  # fmt: skip
    thresholding = following("mask_threshold")  # it changes none of these pictures
    for place, (name, values) in zip(st.columns(len(steps), gap="small"), steps if not thresholding else [],
                                     strict=not thresholding):  # fmt: skip
        tiled = mosaic(values[0], ROW)
        with place:
            stage(f"mask_layer_{name}", zoom=False, window=2).show(
                None, [Heat(tiled, "cividis", float(tiled.min()), float(np.quantile(tiled, 0.995)) or 1.0, opacity=1.0,
                            smooth=False), GridLines(rows=ROW, cols=ROW, colour="#444444")],
                size=tiled.shape[::-1], alt=f"64 channels after {name}",
                caption=f"{name}: 64 channels of {values.shape[-1]} × {values.shape[-1]}",
            )  # fmt: skip
    marked = {THINGS[k]: int(rm.above(said.logits[0, k + 1].sigmoid(), threshold).sum()) for k in range(len(THINGS))}
    most = max(marked, key=lambda name: marked[name])
    with page.predict(
        "mask-classes", f"Eight classes draw a mask of this box. Whose has the most cells at {threshold:.2f}?",
        list(THINGS),
    ) as prediction:  # fmt: skip
        left, right = st.columns([1, 1], gap="large")
        if not thresholding:
            with left:
                limit = float(said.logits[0].abs().max()) or 1.0
                every = mosaic(said.logits[0], CLASS_ROW)
                nine("mask_classes", Heat(every, "diverging", -limit, limit, opacity=1.0, smooth=False), label,
                     "Logits of all masks: vermilion says yes, blue no. Each has a sigmoid of its own.")  # fmt: skip
        with right:
            words("\n\n".join(f"{'**' * (name == NAMES[label])}{name}: {count} cells{'**' * (name == NAMES[label])}"
                              for name, count in marked.items()), "mask_class_cells")  # fmt: skip
        prediction.outcome(most, "No mask competes with another: which one counts, the box head decides.")
    if not following():
        st.caption(
            "The mask named *background* was never asked for in training: it says nothing. The others were asked only "
            "in boxes of their own class, so in a box of another class they may say anything."
        )


def nine(key: str, heat: Heat, label: int, caption: str) -> None:
    """Nine masks side by side, each with the name of its class; that of the class in question is framed."""
    side = rm.SIZE
    frames = [
        Box(f"class-{k}", (x := k % CLASS_ROW * side, y := k // CLASS_ROW * side, x + side, y + side), name,
            ORANGE if k == label else "#555555", width=3 if k == label else 1)
        for k, name in enumerate(NAMES)
    ]  # fmt: skip
    stage(key, zoom=False, window=2).show(
        None, [heat, Boxes(sorted(frames, key=lambda frame: frame.width))],
        size=(CLASS_ROW * side, CLASS_ROW * side), alt="Nine masks, one for each class", caption=caption,
    )  # fmt: skip


def mosaic(values: Tensor, row: int) -> np.ndarray:
    """Pictures (C, m, m) side by side, `row` of them a line; what is missing in the last line is 0."""
    pictures = values.numpy()
    lines = -(-len(pictures) // row)
    m = pictures.shape[-1]
    filled = np.zeros((lines * row, m, m), np.float32)
    filled[: len(pictures)] = pictures
    return filled.reshape(lines, row, m, m).swapaxes(1, 2).reshape(lines * m, row * m)
