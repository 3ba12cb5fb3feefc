"""From the map to a box: keep what is above a share of the maximum, take the largest piece, box it."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import weak_localization as wl
from models import catalog
from pages.class_activation.shared import (
    GAP,
    Focus,
    activation,
    at_picture_size,
    limit_of,
    no_truth,
    signed_layer,
    truth_of,
    xyxy,
)  # fmt: skip
from pages.shared.heat_maps import BLUE, ORANGE, VERMILION, greyed, number
from ui import page
from ui.components import Box, Boxes, Labels, following, live_slider, stage, words

PALETTE = [None, "#9a9a9a", VERMILION]


@st.fragment
@page.guard()
def weak_box(focus: Focus) -> None:
    page.section(
        "From a map to a box", "A network that never saw a box draws one: threshold, largest piece, tightest frame."
    )
    coarse = activation(focus.seen, focus.target)
    heat = at_picture_size(coarse).numpy()
    truth = truth_of(focus.picture, focus.target)
    if heat.max() <= 0:
        st.info(f"No positive evidence: no cell speaks for {focus.name}, so no threshold gives a box.")
    with live_slider(
        "Keep above this share of the maximum", 0.0, 0.95, wl.SHARE, step=0.01, key="cam_share", format="%.2f",
        play=True, window=2,
    ) as share:  # fmt: skip
        found = wl.localize(heat, share)
        kept = found.kept.astype(np.uint8) + found.component
        boxes = truth.drawn() if truth else []
        if found.box is not None:
            boxes.append(Box("weak", xyxy(found.box), "weak box", ORANGE, width=3))
        words(sentence(found, truth, share), "cam_box_words")
        left, right = st.columns(2, gap="medium")
        with left:
            stage("cam_kept", width=460, zoom=False).show(
                focus.picture.image, [Labels(kept, PALETTE, 0.75)],
                alt="Cells above the threshold, the largest piece marked",
                caption="Vermilion: the largest connected piece. Gray: the other pieces.",
            )  # fmt: skip
        with right:
            stage("cam_box", width=460, zoom=False).show(
                greyed(focus.picture.image), [signed_layer(coarse, limit_of(coarse), 0.5), Boxes(boxes)],
                alt=f"The box of {focus.name} from the map, beside the truth",
                caption="Orange: the box from the map." + " White: the truth." * (truth is not None),
            )  # fmt: skip
    if not following() and truth and heat.max() > 0:
        with page.predict(
            "cam-share",
            "Above which share of the maximum does the box meet the truth best?",
            page.Number(0.0, 0.95, 0.05),
        ) as prediction:
            overlaps = curve(heat, truth, share)
            best = wl.SHARES[int(np.argmax(overlaps))]
            prediction.outcome(
                float(best),
                f"There the IoU is {max(overlaps):.2f}. Only the truth can tell, and it differs from map to map.",
            )
    elif truth is None and not following():
        st.caption(no_truth(focus.picture, focus.target))


def sentence(found: wl.Localization, truth, share: float) -> str:
    """Threshold in the map's units, pieces, and IoU with the truth."""
    if found.box is None:
        return "**No positive evidence**, no box."
    told = (
        f"**M above {share:.2f} × max = {number(found.threshold)}** keeps {found.kept.mean():.1%} of the picture, the "
        f"largest piece {found.component.mean():.1%}"
    )
    return told if truth is None else f"{told} · IoU with the truth **{truth.overlap(found.box):.2f}**"


def curve(heat: np.ndarray, truth, share: float) -> list[float]:
    """IoU at every share of wl.SHARES, drawn: 20 % is a convention, and the best share differs from map to map."""
    overlaps = [truth.overlap(wl.weak_box(heat, each)) for each in wl.SHARES]
    figure = go.Figure()
    figure.add_scatter(x=list(wl.SHARES), y=overlaps, mode="lines", line_color=BLUE, name="IoU")
    here = truth.overlap(wl.weak_box(heat, share))
    figure.add_scatter(x=[share], y=[here], mode="markers+text", text=[f"{here:.2f}"], textposition="top center",
                       marker={"size": 14, "color": VERMILION}, name="chosen")  # fmt: skip
    figure.update_layout(
        xaxis_title="share of the maximum", yaxis_title="IoU with the truth", yaxis_range=[0, 1.05], showlegend=False,
        margin={"t": 10, "b": 40, "l": 50, "r": 10},
    )  # fmt: skip
    page.figure(figure, "cam_curve", height=240, alt="IoU of the box against the threshold")
    st.caption(
        f"At 20 % (Zhou et al. 2016) the IoU is {truth.overlap(wl.weak_box(heat, wl.SHARE)):.2f}; the best threshold, "
        f"which only the truth can find, gives {max(overlaps):.2f}." + rule_measured()
    )
    return overlaps


def rule_measured() -> str:
    """What the 20 % rule reaches on held-out scenes, from the network's card."""
    metrics = catalog.card(GAP).get("metrics", {})
    if metrics.get("weak_box_iou_large") is None:
        return ""
    return (
        f" Measured on {metrics['scenes']} held-out scenes with one thing, the 20 % rule reaches a mean IoU of "
        f"**{metrics['weak_box_iou_large']:.2f}** for things of 80 pixels and more, and "
        f"**{metrics['weak_box_iou']:.2f}** for all: a cell of the map is 16 pixels wide and sees far "
        "more, so around a small thing the box is too large."
    )
