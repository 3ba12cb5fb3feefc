"""Every region a picture of its own: a proposal warped to 227×227 pixels, and the paper's two other ways."""

import numpy as np
import streamlit as st
import torch

from labs import region_warp
from labs.region_warp import PAPER_PADDING, PAPER_SIZE, WAYS
from pages.rcnn_family.crop_pictures import crop_of
from pages.rcnn_family.shared import BLUE, ORANGE, Look, best_fit, numbered, truths, xyxy
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words

DRAWN = 60  # proposals on the picture, and no more


@st.fragment
@page.guard()
def play(look: Look) -> None:
    """The proposals on the picture, and one of them as the network sees it."""
    page.section(
        "R-CNN: every region warped", "Move through the proposals: each becomes a picture of 227 × 227 pixels."
    )
    boxes = look.boxes
    if not len(boxes):
        page.problem("Selective search finds no region in this picture: choose another one.")
        return
    with st.container(key="beside-crops"):
        canvas, side = st.columns([3, 2], gap="large")
    with side:
        sliders = st.container()
    with canvas:
        view = stage("rcnn_proposals", zoom=False, width=440)
    if view.clicked and (view.click.what or "").startswith("proposal-"):
        st.session_state["rcnn_proposal"] = int(view.click.what.removeprefix("proposal-")) + 1
    with (
        sliders,
        numbered("Proposal", len(boxes), best_fit(look), "rcnn_proposal") as number,
        live_slider("Border", 0, 48, PAPER_PADDING, unit="px", key="rcnn_padding") as padding,
    ):
        chosen = boxes[number - 1]
        source = region_warp.sources(chosen[None], padding=padding)[0]
        with canvas:
            others = [Box(f"proposal-{i}", xyxy(box), "", BLUE, width=1) for i, box in enumerate(boxes[:DRAWN])]
            view.show(
                look.picture.image,
                [Boxes([*others, *truths(look), Box("source", xyxy(source), "", ORANGE, dash=True, width=2),
                        Box("chosen", xyxy(chosen), f"{number}", ORANGE, width=3.5)])],
                alt=f"{len(boxes)} proposals, number {number} in orange", pick=(1.0, 2.0),
                caption=f"Blue: the first {min(len(boxes), DRAWN)} of {len(boxes)} proposals; click one. "
                "Orange, dashed: with its border."
                + (" White, dashed: the truth." if look.picture.view is not None else ""),
            )  # fmt: skip
        with side:
            shown(look.picture.image, chosen, padding)


def shown(image: np.ndarray, box: torch.Tensor, padding: int) -> None:
    """One region in the paper's three ways, and how much it was stretched."""
    for index, (way, column) in enumerate(zip(WAYS, st.columns(3, gap="small"), strict=True)):
        with column:
            stage(f"rcnn_crop_{index}", zoom=False, width=200).show(
                crop_of(image, box, padding, way), alt=f"The region, {way}", caption=way
            )
    width, height = (box[2:] - box[:2]).tolist()
    inner = PAPER_SIZE - 2 * padding
    words(
        f"**{width:.0f} × {height:.0f}** pixels become {inner} × {inner} in a crop of {PAPER_SIZE} × {PAPER_SIZE}: "
        f"warped, × **{inner / width:.1f}** across and × **{inner / height:.1f}** down; in a square, × "
        f"**{inner / max(width, height):.1f}** both ways.", "rcnn_crop_said",
    )  # fmt: skip
    if not following():
        st.caption(
            "R-CNN warps, with a border of 16 pixels of what lies around. Its authors tried both squares too, and "
            "warping with a border was better by 3 to 5 points of AP. What lies beyond the picture is the mean colour."
        )
