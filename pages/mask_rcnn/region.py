"""From a region to a mask: the box of the hand, 28x28 probabilities, a threshold, and the pixels that come of it."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import region_masks as rm
from models import catalog
from models.inside.mask_region import MaskedRegions
from pages.mask_rcnn import layers
from pages.mask_rcnn.shared import (
    NAMES,
    NETWORK,
    ORANGE,
    SIZE,
    SKY,
    STAGE,
    VERMILION,
    another_thing,
    begin_anew,
    compared,
    held,
    nearest,
    outline,
    regions_of,
    said_of,
    start_box,
    truths,
    xyxy,
)
from pages.shared.heat_maps import greyed
from pages.shared.swatches import swatches
from scenes import THINGS
from ui import page
from ui.components import Boxes, Heat, Labels, Lines, live_slider, stage, words
from ui.pictures import KEPT, Picture

ASKED = "What the box head says"


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    """Box, class and threshold are shown at once in this section and in the next."""
    page.section("From a region to a mask", "Drag the box: each class gets a mask of 28 × 28 cells, and the "
                 "threshold makes pixels of it.")  # fmt: skip
    begin_anew(picture)
    with st.container(key="line-masks", horizontal=True, vertical_alignment="center"):
        name = st.selectbox("Class of the mask", [ASKED, *THINGS], key="mask_class", width=205,
                            label_visibility="collapsed", **KEPT)  # fmt: skip
        if picture.view is not None and len(picture.view.instances):
            st.button("Next thing", key="mask_next_thing", on_click=another_thing, args=(picture,))
        slot = st.container(width=300)
    (left, middle, right), below = st.columns(3, gap="medium"), st.container()
    with slot, live_slider("Threshold", 0.0, 1.0, 0.5, step=0.01, key="mask_threshold", format="%.2f",
                           window=2) as threshold, below:  # fmt: skip
        view = stage(STAGE, [start_box(picture)], window=2, zoom=False)
        box = held(picture, view)
        said = said_of(picture.image, (xyxy(box),))
        label = class_of(said, name)
        probability = said.logits[0, label].sigmoid()
        pasted = rm.paste(probability, box, (SIZE, SIZE))
        mask = rm.above(pasted, threshold)
        with left:
            view.show(
                picture.image, [Labels(mask.numpy().astype(np.uint8), [None, SKY], 0.7), Boxes(view.boxes)],
                alt="The picture with a box and the mask in it",
                caption="Drag the box or a handle; the arrow keys move it, with Alt they resize it.",
            )  # fmt: skip
        with middle:
            stage("mask_cells", zoom=False, window=2).show(
                None, [Heat(probability.numpy(), "cividis", 0, 1, opacity=1.0, smooth=False),
                       Lines(outline(rm.above(probability, threshold)), ORANGE, 2.5)],
                size=(rm.SIZE, rm.SIZE), alt=f"The 28 × 28 probabilities of {NAMES[label]}",
                caption=f"28 × 28 probabilities of {NAMES[label]}: dark 0, bright 1. The line is the threshold.",
            )  # fmt: skip
        with right:
            at = nearest(picture, box)
            truth = truths(picture)[2][at] if at is not None else torch.zeros(SIZE, SIZE, dtype=torch.bool)
            stage("mask_compared", window=2).show(
                greyed(picture.image), [compared(mask, truth)] if at is not None else [],
                alt="The mask on the exact mask", caption="" if at is None else "The mask on the exact one.",
            )  # fmt: skip
        told(picture, said, label, mask, truth, at)
    if at is not None:
        st.html(swatches([(SKY, "both"), (ORANGE, "missing"), (VERMILION, "too much")]))
    layers.inside(said, label, threshold)
    page.footer(NETWORK, catalog.load(NETWORK).device, regions_of(picture.image).seconds * 1000)


def class_of(said: MaskedRegions, name: str) -> int:
    """The class that is asked for, from 1: by name, or the best of the box head, background left out."""
    return NAMES.index(name) if name in THINGS else int(said.scores[0, 1:].argmax()) + 1


def told(picture: Picture, said: MaskedRegions, label: int, mask: Tensor, truth: Tensor, at: int | None) -> None:
    """Class, level, and how well the mask fits."""
    best = int(said.scores[0].argmax())
    parts = [f"The box head says *{NAMES[best]}* ({float(said.scores[0, best]):.2f})",
             f"Mask of *{NAMES[label]}* from level {said.levels[0]}: {int(mask.sum())} pixels"]  # fmt: skip
    if not bool(mask.any()):
        parts.append("**The mask is empty**: no pixel reaches the threshold")
    if at is not None:
        thing = picture.view.instances[at].label
        parts.append(f"**IoU {rm.mask_iou(mask, truth):.2f}** with the exact mask of the nearest thing, a {thing}")
    elif picture.view is not None:
        parts.append("No thing lies in the box")
    words(". ".join(parts) + ".", "mask_said")
