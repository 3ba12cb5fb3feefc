"""Draw a box by hand: how near does a careful annotator come, and why is that harder for a small thing?"""

import streamlit as st
import torch
from torch import Tensor

from labs import boxes as geometry
from pages.iou_nms_precision_recall.shared import BLUE, xyxy
from ui import page, pictures
from ui.components import Box, Boxes, stage, words
from ui.pictures import KEPT

SCENE, SIDE = 51, 224  # a cat in front, a duck far away
LARGE, SMALL = "the largest thing", "the smallest thing"
SLIPS = (1, 2, 4)  # pixels too much on every side


@st.fragment
@page.guard()
def drawn() -> None:
    page.section("Draw it yourself", "The boxes that networks learn from were drawn by hand. What does a hand lose?")
    which = st.segmented_control("Draw around", [LARGE, SMALL], default=LARGE, required=True, key="drawn_which", **KEPT)
    view = pictures.from_lab_world(SCENE).view
    order = sorted(view.instances, key=lambda thing: (thing.box[2] - thing.box[0]) * (thing.box[3] - thing.box[1]))
    thing = order[-1 if which == LARGE else 0]
    truth = torch.from_numpy(thing.box).double()
    question = f"Draw the box around the {thing.label}, {which} of the scene, as tightly as you can."
    start = (SIDE / 2 - 40, SIDE / 2 - 40, SIDE / 2 + 40, SIDE / 2 + 40)
    with page.predict("iou-drawn", question, page.Region(view.image, start, f"Scene {SCENE}", 480)) as prediction:
        canvas, side = st.columns([3, 2], gap="large")
        with canvas:
            stage("iou_drawn_truth", width=480).show(
                view.image, [Boxes([Box("truth", xyxy(truth), thing.label, BLUE, width=2)]), *prediction.layers],
                alt=f"The true box of the {thing.label}", caption="Blue: the truth. Dashed: your guess.",
            )  # fmt: skip
        with side:
            width, height = (truth[2:] - truth[:2]).tolist()
            rows = "".join(f"| {slip} px | {slipped(truth, slip):.2f} |\n" for slip in SLIPS)
            words(f"The {thing.label} measures {width:.0f} × {height:.0f} px.\n\n| too much on every side | IoU |\n"
                  f"|---|---|\n{rows}", "iou_drawn_slips")  # fmt: skip
        prediction.outcome(
            xyxy(truth), f"One pixel too much on every side alone is an IoU of {slipped(truth, 1):.2f} here: the "
            "smaller the thing, the more a pixel costs.",
        )  # fmt: skip


def slipped(truth: Tensor, slip: float) -> float:
    """IoU of the truth with a box that is `slip` pixels larger on every side."""
    return float(geometry.iou(truth, truth + torch.tensor([-slip, -slip, slip, slip])))
