"""Weak localization on photographs: the box of a map against a box that was drawn by hand."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from labs import weak_localization as wl
from labs.heat_map_quality import points_at
from models.inside import photograph_attribution
from models.networks.published import PretrainedClassifier
from pages.class_activation.photograph_shared import (
    Asked,
    best_of,
    classified,
    drawn,
    head,
    inside,
    overlap,
)
from pages.class_activation.shared import limit_of, xyxy
from pages.shared.heat_maps import BLUE, ORANGE, VERMILION, greyed, number
from ui import page, pictures
from ui.components import Box, Boxes, Labels, following, live_slider, stage, words

PALETTE = [None, "#9a9a9a", VERMILION]
JUDGED = 224  # pixels of the photographs that are judged


def map_to_box(asked: Asked) -> Tensor:
    """The coarse map that the box is drawn from: CAM, or Grad-CAM where there is none."""
    found = asked.explain(asked.target)
    return found.grad_cam if found.cam is None else found.cam


@st.fragment
@page.guard()
def weak_box(asked: Asked) -> None:
    page.section(
        "A box on a photograph", "ImageNet's labels name one thing a picture. How well does a box from the map fit it?"
    )
    coarse = map_to_box(asked)
    heat = asked.on_picture(coarse).numpy()
    boxes = asked.boxes(asked.target)
    with live_slider(
        "Keep above this share of the maximum", 0.0, 0.95, wl.SHARE, step=0.01, key="cam_published_share",
        format="%.2f", play=True, window=2,
    ) as share:  # fmt: skip
        found = wl.localize(heat, share)
        frames = drawn(boxes)
        if found.box is not None:
            frames.append(Box("weak", xyxy(found.box), "weak box", ORANGE, width=3))
        words(sentence(found, boxes, asked.name), "cam_published_box_words")
        left, right = st.columns(2, gap="medium")
        with left:
            stage("cam_published_kept", width=460, zoom=False).show(
                asked.picture.image, [Labels(found.kept.astype(np.uint8) + found.component, PALETTE, 0.75)],
                alt="What lies above the threshold, the largest piece marked",
                caption="Vermilion: the largest connected piece. Gray: the other pieces.",
            )  # fmt: skip
        with right:
            stage("cam_published_box", width=460, zoom=False).show(
                greyed(asked.picture.image), [asked.layer(coarse, limit_of(coarse), 0.5), Boxes(frames)],
                alt=f"The box of {asked.name} from the map" + ", beside the one drawn by hand" * bool(boxes),
                caption="Orange: the box from the map." + " White: drawn by hand." * bool(boxes),
            )  # fmt: skip
    if following():
        return
    if boxes and heat.max() > 0:
        with page.predict(
            "cam-published-share",
            f"Above which share of the maximum does the box meet the {asked.name} best?",
            page.Number(0.0, 0.95, 0.05),
        ) as prediction:
            overlaps = curve(heat, boxes, share)
            best = wl.SHARES[int(np.argmax(overlaps))]
            prediction.outcome(float(best), f"There the IoU is {max(overlaps):.2f}; at 20 % it is {overlaps[4]:.2f}.")
    elif not boxes:
        st.caption(f"Nobody has drawn a box of {asked.name} in this picture, so there is nothing to compare with.")
    everywhere(asked.network)


def sentence(found: wl.Localization, boxes: list, name: str) -> str:
    """What the threshold keeps, and IoU with the box drawn by hand."""
    if found.box is None:
        return f"**No positive evidence**: no cell speaks for {name}, no box."
    told = f"**M above {number(found.threshold)}** keeps {found.kept.mean():.1%} of the picture"
    return told + (f" · IoU with the box drawn by hand **{overlap(found.box, boxes):.2f}**" if boxes else "")


def curve(heat: np.ndarray, boxes: list, share: float) -> list[float]:
    """IoU at every share of wl.SHARES, drawn."""
    overlaps = [overlap(wl.weak_box(heat, each), boxes) for each in wl.SHARES]
    here = overlap(wl.weak_box(heat, share), boxes)
    figure = go.Figure()
    figure.add_scatter(x=list(wl.SHARES), y=overlaps, mode="lines", line_color=BLUE, name="IoU")
    figure.add_scatter(x=[share], y=[here], mode="markers+text", text=[f"{here:.2f}"], textposition="top center",
                       marker={"size": 14, "color": VERMILION}, name="chosen")  # fmt: skip
    figure.update_layout(
        xaxis_title="share of the maximum", yaxis_title="IoU with the box by hand", yaxis_range=[0, 1.05],
        showlegend=False, margin={"t": 10, "b": 40, "l": 50, "r": 10},
    )  # fmt: skip
    page.figure(figure, "cam_published_curve", height=240, alt="IoU of the box against the threshold")
    return overlaps


def everywhere(network: PretrainedClassifier) -> None:
    """All things that were marked by hand, judged once for all visitors."""
    if not head(network.card["name"]).has_cam:
        return
    slot = judged(network.name, id(network))
    start = st.empty()
    if not slot and start.button("Judge all photographs", icon=":material/play_arrow:", key="cam_published_judge"):
        with st.spinner("All bundled photographs", show_time=True):
            slot.append(judge(network))
    if slot:
        rows = slot[0]
        start.markdown(
            f"**{len(rows)} things in {len({row['photograph'] for row in rows})} photographs**: the 20 % box reaches a "
            f"mean IoU of **{np.mean([row['IoU of 20 % box'] for row in rows]):.2f}**, the best threshold of each "
            f"**{np.mean([row['best IoU'] for row in rows]):.2f}**; the map's largest value lies in the box for "
            f"**{sum(row['peak in the box'] for row in rows)} of {len(rows)}**."
        )
        st.dataframe(rows, hide_index=True, key="cam_published_judged")
        st.caption(
            "A thing is asked for by the most probable of its names. A cell is 32 pixels wide, a seventh of the "
            "picture: around small things no threshold gives a box that fits. A few photographs prove nothing."
        )


@st.cache_resource(max_entries=8, show_spinner=False)
def judged(name: str, identity: int) -> list[list[dict]]:
    """Where the one result lies, once somebody has asked for it."""
    return []


def judge(network: PretrainedClassifier) -> list[dict]:
    """One row for each marked thing of the bundled photographs."""
    rows = []
    for label in pictures.PHOTOGRAPHS:
        picture = pictures.photograph(label, JUDGED)
        if not picture.things:
            continue
        seen = classified(network.name, id(network), network, picture.image)
        targets = [best_of(thing.names, seen) for thing in picture.things]
        maps = photograph_attribution.class_maps(network, picture.image, targets)
        for thing, target, coarse in zip(picture.things, targets, maps, strict=True):
            heat = Asked(picture, network, seen, target, target).on_picture(coarse)
            rows.append({
                "photograph": label,
                "thing": network.classes[target],
                "probability": round(float(seen.probabilities[target]), 3),
                "IoU of 20 % box": round(wl.box_overlap(wl.weak_box(heat), thing.box), 2),
                "best IoU": round(wl.best_box(heat, thing.box).iou, 2),
                "peak in the box": points_at(heat, inside([thing.box], JUDGED)),
            })  # fmt: skip
    return rows
