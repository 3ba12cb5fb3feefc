"""Every class votes, and four numbers more move the box: all from maps that were there before the box was."""

import streamlit as st
import torch
from torch import Tensor

from labs.boxes import centre_form, decode
from labs.boxes import iou as iou_of
from models.networks.r_fcn import UNITS
from pages.position_sensitive.shared import (
    GREY,
    NAMES,
    NETWORK,
    ORANGE,
    SKY,
    WHITE,
    all_votes,
    seen,
    signed,
    truth_of,
    xyxy,
)
from ui import page
from ui.components import Box, Boxes, Grid, following, matrices, stage, words
from ui.pictures import Picture


def votes(picture: Picture, box: Tensor) -> None:
    """The softmax over nine votes, and the box that the box maps make of the hand's."""
    page.section(
        "All classes vote",
        "Nine classes vote with nine maps each, and 4 · 9 maps more say, part by part, how the box should move.",
    )
    found = seen(picture.image)
    scores, raw = all_votes(found, box)
    share = scores.softmax(0)
    best = int(share.argmax())
    transform = raw / torch.tensor(UNITS)
    moved = decode(transform, box)
    with page.predict(
        "rfcn-class", "Which class gets the largest vote for the box as it lies now?", list(NAMES)
    ) as prediction:
        left, right = st.columns([4, 5], gap="large")
        with left:
            matrices("rfcn_votes", window=2).show(
                [Grid("votes", torch.stack([scores, share], 1).numpy(), title="this box", rows=list(NAMES),
                      columns=["vote", "p"], format="%.2f", cell=44,
                      colour=[[None, ORANGE if i == best else None] for i in range(len(NAMES))])],
                caption="p is the softmax over the nine votes.",
            )  # fmt: skip
        with right:
            truth, fit = nearest(picture, box)
            dashed = [] if truth is None else [Box("truth", xyxy(truth), "", WHITE, dash=True, width=2, note="truth")]
            stage("rfcn_moved", zoom=False, window=2).show(
                picture.image,
                [Boxes([*dashed, Box("before", xyxy(box), "", GREY, dash=True, width=2, note="the box of the hand"),
                        Box("after", xyxy(moved), f"{NAMES[best]} {float(share[best]):.2f}", SKY if best else GREY,
                            width=3)])],
                alt="The box before and after its four numbers",
                caption="Grey, dashed: your box. Solid: where its votes move it."
                + (" White, dashed: the truth." if truth is not None else ""),
            )  # fmt: skip
            (bx, by, bw, bh), (x, y, w, h) = centre_form(box).tolist(), centre_form(moved).tolist()
            tx, ty, tw, th = (signed(float(value)) for value in transform)
            lines = [
                f"centre x = {bx:.1f} + {bw:.1f} · ({tx}) = **{x:.1f}**, y = {by:.1f} + {bh:.1f} · ({ty}) = "
                f"**{y:.1f}**",
                f"width = {bw:.1f} · exp({tw}) = **{w:.1f}**, height = {bh:.1f} · exp({th}) = **{h:.1f}**",
            ]
            if truth is not None:
                lines.append(f"IoU with the nearest thing: **{fit:.2f}** before, "
                             f"**{float(iou_of(moved, truth)):.2f}** after.")  # fmt: skip
            words("\n\n".join(lines), "rfcn_arithmetic")
        prediction.outcome(
            NAMES[best], f"The softmax gives it {float(share[best]):.2f}. Move the box until another class wins."
        )
    if not following():
        page.remind("IoU")
        st.caption(
            "One box for all classes, as in the paper: the box maps do not ask what it is. The votes are in the units "
            "of training: 10 moves the box by its own width, 5 makes it e = 2.72 times as wide."
        )
        page.footer(NETWORK, found.device, found.seconds * 1000)


def nearest(picture: Picture, box: Tensor) -> tuple[Tensor | None, float]:
    """The true box with the largest IoU, and that IoU; None where nothing is touched or no truth is known."""
    boxes, _ = truth_of(picture)
    if not len(boxes):
        return None, 0.0
    overlaps = iou_of(boxes, box.expand_as(boxes))
    at = int(overlaps.argmax())
    return (boxes[at], float(overlaps[at])) if float(overlaps[at]) > 0 else (None, 0.0)
