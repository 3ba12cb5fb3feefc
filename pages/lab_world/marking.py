"""Mark a thing yourself: one box, by one visitor or by a whole class, beside the truth."""

import streamlit as st
import torch

from labs import boxes as geometry
from scenes import View
from ui import page
from ui.components import Box, Boxes, stage
from ui.pictures import KEPT

GREEN = "#009E73"
WHOLE, SEEN = "all of it", "what is visible"


@st.fragment
@page.guard()
def marking(view: View) -> None:
    if not view.instances:
        return
    page.section(
        "Mark it yourself",
        "Every annotator draws another box. How far off is yours, and in a class: how well do all of you agree?",
    )
    names = [f"{number} {thing.label}" for number, thing in enumerate(view.instances, start=1)]
    most_hidden = min(range(len(names)), key=lambda each: view.instances[each].visible)
    with st.container(key="line-marking", horizontal=True):
        chosen = st.selectbox("Thing", names, index=most_hidden, key="world_marked", width=200, **KEPT)
        extent = st.segmented_control("The box goes around", [WHOLE, SEEN], default=WHOLE, required=True,
                                      key="world_extent", **KEPT)  # fmt: skip
    number = names.index(chosen)
    thing, side = view.instances[number], float(view.image.shape[1])
    seen = tuple(round(float(at), 1) for at in thing.box)
    truth = tuple(round(min(max(float(at), 0.0), side), 1) for at in thing.full_box) if extent == WHOLE else seen
    asked = "all of it in the picture, hidden parts too" if extent == WHOLE else "only what is visible of it"
    with page.predict(
        "world-box", f"Draw the box around thing {number + 1} of the table, the {thing.label}: {asked}.",
        page.Region(view.image, (side / 4, side / 4, side * 3 / 4, side * 3 / 4), f"Scene {view.scene.seed}"),
    ) as prediction:  # fmt: skip
        stage("world_marked_truth", width=360, zoom=False).show(
            view.image, [Boxes([Box("truth", truth, chosen, GREEN, width=3)]), *prediction.layers],
            alt=f"The true box of thing {chosen}", caption="Green: the truth. Dashed: your guess.",
        )  # fmt: skip
        prediction.outcome(truth, beside(truth, seen, thing.visible, thing.label))


def beside(truth: tuple[float, ...], seen: tuple[float, ...], visible: float, label: str) -> str:
    """What another sensible annotator would have drawn, and its IoU."""
    whole, other = (torch.tensor(each, dtype=torch.float64) for each in (truth, seen))
    if truth != seen:
        return f"{visible:.0%} of the {label} is visible: the box of that alone has an IoU of " + (
            f"{float(geometry.iou(whole, other)):.2f} with this one."
        )
    loose = whole + torch.tensor([-2, -2, 2, 2])
    return f"Two pixels too much on every side are an IoU of {float(geometry.iou(whole, loose)):.2f} here."
