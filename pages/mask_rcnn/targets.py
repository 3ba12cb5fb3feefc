"""Training targets: the truth as a proposal cuts it, what the head answers there, and what each cell pays."""

import math

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import region_masks as rm
from labs.boxes import iou as iou_of
from pages.mask_rcnn.shared import (
    NAMES,
    SIZE,
    SKY,
    WHITE,
    begin_anew,
    editable,
    grown,
    held,
    nearest,
    said_of,
    signed,
    start_box,
    truths,
    xyxy,
)
from ui import page
from ui.components import Box, Boxes, Heat, Labels, following, stage, words
from ui.pictures import Picture

PROPOSAL, PROPOSAL_LINK = "mask_proposal", "mask_prop"
POSITIVE = 0.5  # IoU of a proposal with a thing from which it is asked for a mask
DEAREST = 3.0  # nats, the end of the colours of the losses


@st.fragment
@page.guard()
def targets(picture: Picture) -> None:
    page.section("What the head is asked for", "In training a proposal cuts the exact mask of its thing, resized to "
                 "28 × 28. Drag the proposal off the thing and watch the target change.")  # fmt: skip
    if picture.view is None or not len(picture.view.instances):
        st.info("A target needs an exact mask: choose a Lab World scene with things above.")
        return
    begin_anew(picture, PROPOSAL, PROPOSAL_LINK)
    with st.container(key="line-targets", horizontal=True, vertical_alignment="center"):
        for label, how in PRESETS.items():
            st.button(label, key=f"mask_preset_{how.__name__}", on_click=preset, args=(picture, how))
    first, second, third, fourth = st.columns(4, gap="medium")
    view = stage(PROPOSAL, [start_box(picture, PROPOSAL, PROPOSAL_LINK)], window=2, zoom=False)
    box = held(picture, view, PROPOSAL_LINK)
    boxes, labels, masks = truths(picture)
    at = nearest(picture, box)
    truth = masks[at] if at is not None else torch.zeros(SIZE, SIZE, dtype=torch.bool)
    label = int(labels[at]) if at is not None else 1
    overlap = float(iou_of(boxes[at], box)) if at is not None else 0.0
    wanted = rm.targets(truth[None].float(), box[None])
    logits = said_of(picture.image, (xyxy(box),)).logits
    losses = rm.sigmoid_losses(logits, torch.tensor([label]), wanted)[0]
    with first:
        dashed = [] if at is None else [Box("truth", xyxy(boxes[at]), "", WHITE, dash=True, width=2, note="truth")]
        view.show(
            picture.image, [Labels(truth.numpy().astype(np.uint8), [None, SKY], 0.65), Boxes([*dashed, *view.boxes])],
            alt="The picture with a proposal and the exact mask of the nearest thing",
            caption="Drag the proposal. Blue: the exact mask.",
        )  # fmt: skip
    with second:
        cells("mask_target", wanted[0], "cividis", 1.0, "Target: the exact mask in the proposal, 28 × 28.")
    with third:
        cells("mask_answer", logits[0, label].sigmoid(), "cividis", 1.0,
              f"Answer of the head for {NAMES[label]}.")  # fmt: skip
    with fourth:
        picked = stage("mask_losses", zoom=False, window=2)
        where = chosen_cell(picked, losses)
        side = rm.SIZE
        picked.show(
            None, [Heat(losses.numpy(), "inferno", 0, DEAREST, opacity=1.0, smooth=False),
                   Boxes([Box("cell", (where[1], where[0], where[1] + 1, where[0] + 1), "", SKY, width=2.5)])],
            size=(side, side), alt="The loss of every cell", pick=(0.5, 1.0),
            caption=f"Loss of every cell, black 0, bright {DEAREST:g} nats. Click one to see its arithmetic.",
        )  # fmt: skip
    counted = overlap >= POSITIVE
    with page.predict("mask-counts", "Does the proposal as it lies now take part in the mask loss?",
                      ["Yes", "No"]) as prediction:  # fmt: skip
        words("\n\n".join([
            f"**IoU {overlap:.2f}** of the proposal with the box of the nearest thing: "
            + ("at least 0.5, so it is positive and is asked for a mask." if counted
               else "below 0.5, so it is background and no mask is asked for."),
            f"Mean of 784 cells: **{float(losses.mean()):.3f}** nats" + ("." if counted else ", if it were counted."),
            arithmetic(where, wanted[0], logits[0, label], losses),
        ]), "mask_loss_said")  # fmt: skip
        prediction.outcome("Yes" if counted else "No", "Only regions that hold a thing have a mask to draw.")
    if not following():
        page.remind("IoU")
        st.caption("The other eight masks of this region are not in the loss at all, so classes do not compete.")


def cells(key: str, values: Tensor, palette: str, limit: float, caption: str) -> None:
    """28 x 28 numbers from 0 as a picture."""
    stage(key, zoom=False, window=2).show(
        None, [Heat(values.numpy(), palette, 0, limit, opacity=1.0, smooth=False)], size=(rm.SIZE, rm.SIZE),
        alt=caption, caption=caption,
    )  # fmt: skip


def chosen_cell(picked, losses: Tensor) -> tuple[int, int]:
    """Row and column of the cell that was clicked; without a click, of the dearest one."""
    if picked.click is not None:
        row, column = int(picked.click.y), int(picked.click.x)
        if 0 <= row < rm.SIZE and 0 <= column < rm.SIZE:
            return row, column
    at = int(losses.argmax())
    return at // rm.SIZE, at % rm.SIZE


def arithmetic(where: tuple[int, int], wanted: Tensor, logits: Tensor, losses: Tensor) -> str:
    """One cell's binary cross-entropy, written out."""
    t, z, loss = float(wanted[where]), float(logits[where]), float(losses[where])
    p = 1 / (1 + math.exp(-z))
    return (f"Row {where[0] + 1}, column {where[1] + 1}: target t = {t:.2f}, logit {signed(z)}, p = {p:.3f}. "
            f"Loss = −t · ln p − (1 − t) · ln(1 − p) = {t:.2f} · {-math.log(max(p, 1e-12)):.2f} + {1 - t:.2f} · "
            f"{-math.log(max(1 - p, 1e-12)):.2f} = **{loss:.2f}**")  # fmt: skip


def exactly(box: np.ndarray) -> np.ndarray:
    """The box of the thing itself."""
    return box


def aside(box: np.ndarray) -> np.ndarray:
    """Moved by a third of its width: IoU ½."""
    return box + np.array([1, 0, 1, 0]) * (box[2] - box[0]) / 3


def too_large(box: np.ndarray) -> np.ndarray:
    """As wide and high as 1.6 of it, around the same middle."""
    middle, half = (box[:2] + box[2:]) / 2, 0.8 * (box[2:] - box[:2])
    return np.concatenate([middle - half, middle + half])


def a_part(box: np.ndarray) -> np.ndarray:
    """The upper half."""
    return np.array([box[0], box[1], box[2], (box[1] + box[3]) / 2])


PRESETS = {"Exactly on it": exactly, "A third aside": aside, "Too large": too_large, "Its upper half": a_part}


def preset(picture: Picture, how) -> None:
    """The proposal jumps to a place at the thing that it is nearest to, or at the largest one."""
    things = picture.view.instances
    now = torch.tensor(grown(st.session_state[PROPOSAL][0].xyxy))
    at = nearest(picture, now)
    box = np.asarray(things[at if at is not None else 0].box, np.float64)
    st.session_state[PROPOSAL] = [editable(grown(xyxy(np.round(how(box)))))]
