"""From the loss of one region back to the picture: the path that Fast R-CNN has and R-CNN has not."""

from typing import cast

import numpy as np
import streamlit as st
import torch

from labs import boxes as box_lab
from models import catalog
from models.networks.fast_rcnn import LoadedFastRCNN, PictureGradient
from pages.rcnn_family import fast
from pages.rcnn_family.shared import ORANGE, WHITE, Look, best_fit, numbered, xyxy
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, Heat, Stage, following, stage, words

POSITIVE = 0.5  # IoU from which a region is a thing, as in training
HALVES = ("none of it", "less than half", "half or more")


@st.cache_data(max_entries=256, show_spinner="From the loss back to the picture")
def gradient_of(image: np.ndarray, region: tuple[float, ...], label: int, truth: tuple[float, ...]) -> PictureGradient:
    """Losses of a region and their derivative by the picture, once for all visitors."""
    network = cast(LoadedFastRCNN, catalog.load("fast-rcnn"))
    return network.gradient(image, np.array([region]), [label], np.array([truth]))


def target_of(look: Look, index: int) -> tuple[int, tuple[float, ...], str]:
    """Label and box that training would ask of a proposal, and the same in words; without a truth, what the network
    says itself."""
    region = look.boxes[index]
    if look.picture.view is None:
        label = int(fast.seen(look.picture.image, look.boxes.numpy()).raw_scores[index].argmax())
        return label, xyxy(region), f"{name_of(label)}, as the network says (nobody knows the truth of this picture)"
    things = look.picture.view.instances
    truths = torch.tensor(np.array([thing.box for thing in things]), dtype=torch.float32).reshape(-1, 4)
    if len(truths):
        overlaps = box_lab.iou_matrix(region[None], truths)[0]
        best = int(overlaps.argmax())
        if overlaps[best] >= POSITIVE:
            label = THINGS.index(things[best].label) + 1
            return label, xyxy(truths[best]), f"{name_of(label)}, IoU {float(overlaps[best]):.2f} with the truth"
        return 0, xyxy(region), f"{name_of(0)}, as no thing overlaps it by an IoU of {POSITIVE:g}"
    return 0, xyxy(region), f"{name_of(0)}, as there is no thing"


def name_of(label: int) -> str:
    """A class in words."""
    return THINGS[label - 1] if label else "background"


@st.fragment
@page.guard()
def play(look: Look) -> None:
    """The loss of one region as a heat map on the picture."""
    page.section(
        "The gradient reaches the picture",
        "Pooling has a derivative, so the loss of a region reaches every layer and pixel.",
    )
    if not len(look.boxes):
        page.problem("Selective search finds no region in this picture: choose another one.")
        return
    catalog.card("fast-rcnn")  # without weights, say so before the controls
    view = stage("fast_picture", zoom=False)
    if view.clicked and (at := region_at(look, view.click.x, view.click.y)) is not None:
        st.session_state["fast_region"] = at + 1
    with numbered("Region", len(look.boxes), best_fit(look), "fast_region") as number:
        draw(look, view, number - 1)


def region_at(look: Look, x: float, y: float) -> int | None:
    """The smallest proposal that holds a place of the picture; None where there is none."""
    x1, y1, x2, y2 = look.boxes.T
    holds = (x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2)
    areas = torch.where(holds, (x2 - x1) * (y2 - y1), torch.inf)
    return int(areas.argmin()) if holds.any() else None


def draw(look: Look, view: Stage, index: int) -> None:
    """What training would ask of one proposal, and how much of its gradient lies where."""
    number = index + 1
    label, truth, said = target_of(look, index)
    found = gradient_of(look.picture.image, xyxy(look.boxes[index]), label, truth)
    strength = np.abs(found.gradient).sum(2)
    outside = outside_share(strength, xyxy(look.boxes[index]))
    with page.predict(
        "fast-outside", f"Take the loss of region {number} alone. How much of its gradient lies outside the region?",
        HALVES,
    ) as prediction:  # fmt: skip
        left, right = st.columns([3, 2], gap="large")
        with left:
            view.show(
                look.picture.image,
                [Heat(np.sqrt(strength / (strength.max() or 1.0)), "inferno", 0, 1, opacity=0.75),
                 Boxes([Box("truth", truth, "", WHITE, dash=True, width=1.5, note="what it should become"),
                        Box("region", xyxy(look.boxes[index]), f"{number}", ORANGE, width=3)])],
                alt=f"How strongly the loss of region {number} depends on each pixel", pick=(1.0, 2.0),
                caption="Bright: a small change of this pixel changes the loss most (square root). Orange: the region; "
                "click anywhere for the smallest one there.",
            )  # fmt: skip
        with right:
            words(
                f"It should be called **{said}**. Loss of the class **{found.loss_class:.3f}**, of the box "
                f"**{found.loss_box:.3f}**. **{outside:.0%}** of the gradient lies outside the region.",
                "fast_gradient_said",
            )
            if not following():
                st.markdown(
                    "In R-CNN this path ends twice: its features lie on the disk before an SVM sees them, and a crop "
                    "holds no pixel from outside its border. Here one step of training corrects every layer."
                )
        prediction.outcome(
            HALVES[0] if outside == 0 else HALVES[1] if outside < 0.5 else HALVES[2],
            f"It is {outside:.0%}, because each cell that the region reads has a receptive field larger than itself.",
        )


def outside_share(strength: np.ndarray, box: tuple[float, ...]) -> float:
    """The share of an array (H, W) of magnitudes on pixels whose middle lies outside a box, 0 to 1."""
    x1, y1, x2, y2 = box
    rows, columns = np.arange(strength.shape[0]) + 0.5, np.arange(strength.shape[1]) + 0.5
    inside = ((rows >= y1) & (rows <= y2))[:, None] & ((columns >= x1) & (columns <= x2))[None]
    total = float(strength.sum())
    return float(strength[~inside].sum()) / total if total else 0.0
