"""What the two heads say: K sigmoids and four transforms an anchor, level by level, and one anchor opened."""

from contextlib import ExitStack

import streamlit as st
import torch

from labs import boxes as box_lab
from labs import focal_loss
from models.networks.detector import ANCHOR_RATIOS
from models.networks.retinanet import ANCHOR_SIZES, PYRAMID, STRIDES
from pages.focal_loss.shared import FOCAL, ORANGE, SKY, look, truths, xyxy
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, Grid, address, live_slider, matrices, stage, words
from ui.pictures import Picture

PAPER_STRIDES = {"P3": 8, "P4": 16, "P5": 32, "P6": 64, "P7": 128}


@st.fragment
@page.guard()
def outputs(picture: Picture) -> None:
    page.section(
        "What comes out", "Every anchor has one sigmoid for each class, none for background, and four transforms."
    )
    page.remind("Feature pyramid")
    sizes()
    opened(picture)
    page.erratum(
        "RetinaNet gives (C + 1)·K × 20 × 15 class scores: K anchors choose among C classes and background.",
        "RetinaNet gives **C·K** class maps: each anchor has one **sigmoid** for each class, and where all of them are "
        "low there is nothing. The box subnet gives 4·K transforms. In the paper the letters are exchanged: K classes "
        "and A = 9 anchors a position, so K·A and 4·A maps. 20 × 15 positions are one level only: stride 32 of a "
        "picture of 480 × 640 pixels.",
    )


@st.fragment
@page.guard()
def sizes() -> None:
    """Channels and numbers of both maps, for any picture, classes and anchors."""
    with ExitStack() as sliders:
        places = st.columns(3, gap="medium")
        with places[0]:
            side = sliders.enter_context(
                live_slider("Side of the picture", 128, 800, 224, step=32, key="focal_side", unit="px", window=2)
            )
        with places[1]:
            classes = sliders.enter_context(live_slider("Classes C", 1, 90, 80, key="focal_c", window=2))
        with places[2]:
            anchors = sliders.enter_context(live_slider("Anchors a position K", 1, 12, 9, key="focal_k",
                                                        window=2))  # fmt: skip
        made = [focal_loss.outputs(side, side, stride, anchors, classes) for stride in PAPER_STRIDES.values()]
        wider = focal_loss.outputs(side, side, 8, anchors, classes, background=True).classes
        with page.predict(
            "focal-maps", f"{classes} classes, {anchors} anchors a position: how many class maps has every level?",
            sorted({classes * anchors, (classes + 1) * anchors, classes, 4 * anchors}),
        ) as prediction:  # fmt: skip
            matrices("focal_sizes", window=2).show(
                [Grid("sizes", [[each.rows, each.columns, each.rows * each.columns * anchors, each.classes,
                                 each.transforms, each.numbers] for each in made], rows=list(PAPER_STRIDES),
                      columns=["rows", "columns", "anchors", "class maps", "transforms", "numbers"], format="%d",
                      cell=42, colour="none")],
                caption="The paper's five levels, strides 8 to 128. A softmax with background would need "
                f"{wider:,} class maps.",
            )  # fmt: skip
            total = sum(each.rows * each.columns * anchors for each in made)
            words(f"**{total:,}** anchors, **{sum(each.numbers for each in made):,}** numbers", "focal_sizes_words")
            prediction.outcome(classes * anchors, f"because C · K = {classes} · {anchors}: there is none for "
                               "background.")  # fmt: skip


@st.fragment
@page.guard()
def opened(picture: Picture) -> None:
    """One anchor of the trained network: its sigmoids, its transforms and the box they make."""
    st.markdown("**One anchor of the trained network.** Click the picture: the surest anchor there is opened.")
    found = look(FOCAL, picture.image)
    drawn, numbers = st.columns([2, 3], gap="large")
    with drawn:
        view = stage("focal_opened", zoom=False)
    index = chosen(view, found)
    said, label = found.logits[index].sigmoid(), int(found.logits[index].argmax())
    level = int(found.level_of[index])
    made = box_lab.decode(found.transforms[index], found.anchors[index])
    with drawn:
        view.show(
            picture.image,
            [Boxes([*truths(picture), Box("anchor", xyxy(found.anchors[index]), "", SKY, dash=True, width=2.5),
                    Box("box", xyxy(made), f"{THINGS[label]} {said[label]:.2f}", ORANGE, width=3)])],
            alt="The anchor and its box", pick=(4.0, 8.0),
            caption="Blue, dashed: the anchor. Orange: the box that its four transforms make.",
        )  # fmt: skip
    with numbers:
        matrices("focal_sigmoids").show(
            [Grid("sigmoids", [said.tolist()], rows=["p"], columns=THINGS, format="%.3f", cell=58,
                  colour="sequential", vmin=0, vmax=1, title="eight sigmoids"),
             Grid("transforms", [found.transforms[index].tolist()], rows=["t"], columns=["x", "y", "w", "h"],
                  format="%.3f", cell=46, title="four transforms")],
            caption=f"They add up to {float(said.sum()):.3f}: sigmoids need not add up to 1. Level {PYRAMID[level]}, "
            f"stride {STRIDES[level]}.",
        )  # fmt: skip
        st.caption(
            f"This network has C = {len(THINGS)} and K = {len(ANCHOR_SIZES[0])} sizes × {len(ANCHOR_RATIOS)} ratios = "
            f"{len(ANCHOR_SIZES[0]) * len(ANCHOR_RATIOS)} anchors a position on {', '.join(PYRAMID)}: "
            f"{len(found.anchors):,} anchors."
        )


def chosen(view, found) -> int:
    """The surest anchor whose middle lies near the last click, which stands in the address; else the surest of all."""
    if view.clicked:
        address.keep("focal_at", f"{view.click.x:.0f},{view.click.y:.0f}")
    try:
        place = address.numbers("focal_at", 2)
    except ValueError:
        place = None
        page.problem("The link's focal_at is no place like 112,96: click on the picture instead.")
    sure = found.logits.amax(1)
    if place is None:
        return int(sure.argmax())
    middles = (found.anchors[:, :2] + found.anchors[:, 2:]) / 2
    away = (middles - torch.tensor(place)).square().sum(1)
    return int(torch.where(away <= max(float(away.min()), 256.0), sure, -torch.inf).argmax())
